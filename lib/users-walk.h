/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_USERS_WALK_H
#define LIB_USERS_WALK_H

/* What the parts of the walk over /proc share: users.c walks, users-files.c looks at what a process has
 * mapped and open, users-segments.c at the System V segments among that, users-blocked.c at its threads,
 * users-holders.c at the records that jobs and their guardians leave; users-seen.c describes a process. */

#include "proc.h"
#include "users.h"

/* Where a process has an object's file, or its eventfd. */
struct hit {
	struct watched *watched;
	enum ipckit_evidence evidence; /* IPCKIT_SEEN_MAPPED or IPCKIT_SEEN_OPEN */
	uint64_t start, end;           /* IPCKIT_SEEN_MAPPED: addresses of a shared mapping */
	uint64_t offset;               /* in the file, at start */
	int fd;                        /* IPCKIT_SEEN_OPEN */
	struct ipckit_maybe flags;     /* of a POSIX queue */
	uint64_t page_size;            /* of a segment */
};

/* Watched objects of a kind, sorted by what tells them apart. */
struct index {
	struct watched **list;
	size_t count;
};

struct walk {
	int root;
	pid_t self;        /* 0: not known */
	uint64_t ipc, pid; /* the reader's namespaces, 0: not known */
	int64_t boot;

	struct index files;        /* words, POSIX queues and shared memory, by device and inode */
	struct index eventfds;     /* by id, and so are those of System V */
	struct index sets, queues, segments;
	const struct shm_devices *devices; /* of the segments */
	bool maps;                 /* some of all these can be mapped */
	bool set_waiters;          /* the kernel counts sleepers on some set, or does not tell */

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
	bool hidden;    /* it is there, but these may not be read: they are not filled */
	struct proc_stat stat;
	struct proc_status status;
	char *command;
};

/* Seconds by which a time taken from boot time and one taken from the clock may differ. */
#define CLOCK_SLACK 2

/* Whether a thread can be blocked on an object that processes have mapped or open, and be seen to be. */
static inline bool can_block(const struct watched *watched)
{
	return watched->kind == WATCHED_WORD || watched->kind == WATCHED_MQUEUE;
}

/* users-files.c. Sorts an index: files by device and inode, others by id. */
void index_sort(struct index *index, bool files);
/* The object of an index by id, or NULL. */
struct watched *index_find(const struct index *index, int64_t id);
/* Notes the process under view as a user of files; threads: whether its threads may be blocked on one. */
IPCKIT_CHECK int note_files(struct walk *walk, struct seen *seen, bool *threads);

/* Appends where the process under view has an object. */
IPCKIT_CHECK int walk_add_hit(struct walk *walk, const struct hit *hit);

/* users-segments.c. Appends a hit where a mapping is one of a watched segment. */
IPCKIT_CHECK int find_segment(struct walk *walk, const struct proc_map *map);
/* Notes the process under view as a user; own: it is of the reader's IPC namespace. */
IPCKIT_CHECK int note_segment(struct seen *seen, const struct hit *hit, bool own);
/* The reader's own mappings, which make it no user. */
IPCKIT_CHECK int count_own_segments(struct walk *walk, struct seen *seen);
/* Walks again for those who have left the IPC namespace, where they are all that the first walk has missed. */
IPCKIT_CHECK int look_for_foreign(struct walk *walk, struct watched *watched, size_t count);

/* -ESRCH or -ENOENT when it has vanished, -ENOMEM. */
IPCKIT_CHECK int seen_describe(struct seen *seen);
void seen_clear(struct seen *seen);

/* Whether it is of the reader's IPC namespace: ids mean something only in there. */
IPCKIT_CHECK int seen_shares_ids(const struct walk *walk, struct seen *seen, bool *shares);

/* Notes that something may not be read: 0 for -EACCES and -EPERM, other results as they are. */
int seen_allow(struct seen *seen, int r);

/* Appends the process under view; how holds what is particular, pid, uid and command are filled in.
 */
IPCKIT_CHECK int walk_add(struct seen *seen, const struct ipckit_process *how,
			  struct ipckit_processes *list);

/* As walk_add(), unless the process is there already, with the same flags: one of several
 * threads, or mappings, is one user. */
IPCKIT_CHECK int walk_add_once(struct seen *seen, const struct ipckit_process *how,
			       struct ipckit_processes *list);

/* users-holders.c. The record within a command line "PATH/TOOL guard RECORD", or NULL. Pure. */
const char *guardian_record(const char *command);
/* Whether a command line is that of one of the tools here, whose handlers pass signals on. Pure. */
bool holders_is_tool(const char *command);
/* *out: NULL where the process is no guardian of a job that lives. */
struct guardian;
IPCKIT_CHECK int guardian_read(const struct walk *walk, struct seen *seen, struct guardian **out);
void guardian_free(struct guardian *guardian);
IPCKIT_CHECK int guardian_note(const struct guardian *guardian, struct watched *watched);
bool guardian_waits(const struct guardian *guardian);
IPCKIT_CHECK int note_job(const struct walk *walk, struct seen *seen);

/* users-blocked.c: the threads of a process. files, sysv: what they can be blocked on. */
IPCKIT_CHECK int note_blocked(const struct walk *walk, struct seen *seen, bool files, bool sysv);

#endif
