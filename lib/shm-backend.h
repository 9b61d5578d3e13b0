/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SHM_BACKEND_H
#define LIB_SHM_BACKEND_H

/* What shm.c and the backends share: the handle, and one table of calls a backend. */

#include <ipckit/shm.h>
#include <limits.h>

struct shmid_ds;

#define SHM_DIRECTORY "/dev/shm"
#define SHM_PATH_MAX (sizeof(SHM_DIRECTORY "/") + NAME_MAX) /* of a file in there, with its end */

struct ipckit_shm {
	const struct shm_ops *ops;
	enum ipckit_shm_backend backend;
	int id; /* System V: identifier; POSIX: descriptor; -1 */
	unsigned access;
	void *map; /* NULL as long as it is not mapped */
	size_t map_size;
	bool map_writable;
};

/* A slot that is NULL is -EOPNOTSUPP. */
struct shm_ops {
	const char *name;
	int (*open)(const struct ipckit_name *name, unsigned access, struct ipckit_shm *shm);
	int (*create)(const struct ipckit_name *name, const struct ipckit_shm_spec *spec, bool *created,
		      struct ipckit_shm *shm);
	void (*close)(struct ipckit_shm *shm); /* unmaps, too */
	int (*check)(struct ipckit_shm *shm);
	int (*size)(struct ipckit_shm *shm, uint64_t *out);
	int (*map)(struct ipckit_shm *shm, bool write);
	int (*read)(struct ipckit_shm *shm, uint64_t offset, void *data, size_t size, size_t *done);
	int (*write)(struct ipckit_shm *shm, uint64_t offset, const void *data, size_t size, size_t *done);
	int (*resize)(struct ipckit_shm *shm, uint64_t size);
	int (*lock)(struct ipckit_shm *shm, bool lock);
	int (*set)(const struct ipckit_name *name, const struct ipckit_shm_change *change);
	int (*remove)(const struct ipckit_name *name);
};

extern const struct shm_ops shm_posix_ops;
extern const struct shm_ops shm_sysv_ops;

/* shm-posix.c: the path of a segment's file. */
int shm_posix_path(const struct ipckit_name *name, char path[SHM_PATH_MAX]);

/* shm-sysv.c: the identifier behind a name; that of an id: name is not looked at. */
int shm_sysv_find(const struct ipckit_name *name, int *id);
/* All of a segment, also where it may not be read (SHM_STAT_ANY). -ENOENT where it is gone. */
int shm_sysv_stat(int id, struct shmid_ds *ds);

#endif
