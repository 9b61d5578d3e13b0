/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SEM_WALK_H
#define LIB_SEM_WALK_H

/* What the parts of the walk over /proc share: sem-users.c walks, sem-seen.c describes a
 * process, sem-blocked.c looks at its threads, sem-holders.c at the records that jobs and
 * their guardians leave. */

#include "proc.h"
#include "sem-users.h"

/* Where a process has a semaphore's file, or its eventfd. */
struct hit {
	struct ipckit_sem_info *info;
	enum ipckit_evidence evidence; /* IPCKIT_SEEN_MAPPED or IPCKIT_SEEN_OPEN */
	uint64_t start, end;           /* IPCKIT_SEEN_MAPPED: addresses of a shared mapping */
	uint64_t offset;               /* in the file, at start */
};

struct walk {
	int root;
	pid_t self;        /* 0: not known */
	uint64_t ipc, pid; /* the reader's namespaces, 0: not known */
	int64_t boot;

	struct ipckit_sem_info **files; /* POSIX and unnamed, sorted by device and inode */
	size_t nfiles;
	struct ipckit_sem_info **sets; /* System V, sorted by id */
	size_t nsets;
	struct ipckit_sem_info **eventfds; /* sorted by id */
	size_t neventfds;
	bool set_waiters; /* the kernel counts sleepers on some set, or does not tell */

	int64_t unreadable;
	struct hit *hits; /* of the process under view */
	size_t nhits, room;
};

/* The process under view; what is told of it is read when it is first needed. */
struct seen {
	int dirfd;
	pid_t pid;
	bool denied;    /* something of it may not be read */
	bool described; /* stat, status and command are filled */
	struct proc_stat stat;
	struct proc_status status;
	char *command;
};

/* Seconds by which a time taken from boot time and one taken from the clock may differ. */
#define CLOCK_SLACK 2

struct ipckit_sem_info *walk_find_set(const struct walk *walk, int64_t id);

/* -ESRCH or -ENOENT when it has vanished, -ENOMEM. */
IPCKIT_CHECK int seen_describe(struct seen *seen);
void seen_clear(struct seen *seen);

/* Notes that something may not be read: 0 for -EACCES and -EPERM, other results as they are. */
int seen_allow(struct seen *seen, int r);

/* Appends the process under view; how holds what is particular, pid, uid and command are filled in.
 */
IPCKIT_CHECK int walk_add(struct seen *seen, const struct ipckit_process *how,
			  struct ipckit_processes *list);

/* sem-holders.c. *out: NULL where the process is no guardian of a job that lives. */
struct guardian;
IPCKIT_CHECK int guardian_read(const struct walk *walk, struct seen *seen, struct guardian **out);
void guardian_free(struct guardian *guardian);
IPCKIT_CHECK int guardian_note(const struct guardian *guardian, struct ipckit_sem_info *info);
bool guardian_waits(const struct guardian *guardian);
IPCKIT_CHECK int note_job(const struct walk *walk, struct seen *seen);

/* sem-blocked.c: the threads of a process. */
IPCKIT_CHECK int note_blocked(const struct walk *walk, struct seen *seen, bool files, bool sets);

#endif
