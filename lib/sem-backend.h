/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SEM_BACKEND_H
#define LIB_SEM_BACKEND_H

/* What sem.c and the backends share: the handle, and one table of calls a backend. */

#include <ipckit/sem.h>
#include <limits.h>
#include <semaphore.h>
#include <sys/stat.h>

struct semid_ds;

#define SEM_DIRECTORY "/dev/shm"
#define SEM_PATH_MAX (sizeof(SEM_DIRECTORY "/") + NAME_MAX) /* of a file in there, with its end */
#define SEM_SYSV_MAX 32767 /* SEMVMX */

struct ipckit_sem {
	const struct sem_ops *ops;
	enum ipckit_sem_backend backend;

	/* The kernel's identity of it, in which several are ordered. */
	uint64_t device;
	uint64_t inode; /* System V: id; eventfd: eventfd-id */
	uint64_t offset; /* System V: index */

	int fd;      /* the file, eventfd or lock file; -1 */
	void *map;   /* POSIX: the pages that hold the word */
	size_t map_size;
	sem_t *word;

	int id; /* System V */
	unsigned index;
	unsigned nsems; /* 1 for others */
};

/* A slot that is NULL is -EOPNOTSUPP. */
struct sem_ops {
	int (*open)(const struct ipckit_name *name, struct ipckit_sem *sem);
	int (*create)(const struct ipckit_name *name, const struct ipckit_sem_spec *spec, bool *created,
		      struct ipckit_sem *sem);
	int (*take)(struct ipckit_sem *sem, unsigned count, unsigned flags, const struct ipckit_deadline *deadline);
	int (*give)(struct ipckit_sem *sem, unsigned count, unsigned flags);
	int (*give_max)(struct ipckit_sem *sem, unsigned count, unsigned max);
	int (*wait_zero)(struct ipckit_sem *sem, const struct ipckit_deadline *deadline);
	int (*operate)(struct ipckit_sem *sem, const struct ipckit_sem_op *ops, size_t n,
		       const struct ipckit_deadline *deadline);
	int (*value)(struct ipckit_sem *sem, int64_t *out);
	int (*set)(struct ipckit_sem *sem, int64_t value, bool force);
	int (*values)(struct ipckit_sem *sem, unsigned *values);
	int (*set_values)(struct ipckit_sem *sem, const unsigned *values);
	int (*chmod)(const struct ipckit_name *name, unsigned mode);
	int (*chown)(const struct ipckit_name *name, uid_t uid, gid_t gid);
	int (*remove)(const struct ipckit_name *name);
	int64_t value_max;
};

extern const struct sem_ops sem_posix_ops;
extern const struct sem_ops sem_unnamed_ops;
extern const struct sem_ops sem_sysv_ops;
extern const struct sem_ops sem_eventfd_ops;
extern const struct sem_ops sem_file_ops;

/* sem-taking.c: taking several of what the kernel gives one by one. */
struct sem_unit_ops {
	int (*take_one)(struct ipckit_sem *sem, const struct ipckit_deadline *deadline);
	int (*give)(struct ipckit_sem *sem, unsigned count);
	int (*value)(struct ipckit_sem *sem, int64_t *out);
};
int sem_take_several(struct ipckit_sem *sem, unsigned count, const struct sem_unit_ops *unit,
		     const struct ipckit_deadline *deadline);
int sem_give_below(struct ipckit_sem *sem, unsigned count, unsigned max, const struct sem_unit_ops *unit);
int sem_set_by_steps(struct ipckit_sem *sem, int64_t value, const struct sem_unit_ops *unit);

/* sem-sysv.c: the identifier behind a name; *nsems may be 0 where it cannot be told. */
int sem_sysv_find(const struct ipckit_name *name, int *id);
/* Waits until its creator has given it its first values; see ipckit_sem_create(). -ENOENT where it is gone. */
int sem_sysv_await_ready(int id, struct semid_ds *ds);

/* sem-posix.c: the path of a POSIX semaphore's file ("/dev/shm/sem.jobs"), or of POSIX shared memory. */
int sem_posix_path(const struct ipckit_name *name, char *path, size_t size);

#endif
