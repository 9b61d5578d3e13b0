/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_LIVE_LOCK_H
#define LIB_LIVE_LOCK_H

/* File locks as the kernel shows them: /proc/locks has all of a PID namespace, fdinfo those of a descriptor. */

#include "live.h"

enum live_lock_kind { LIVE_LOCK_FLOCK, LIVE_LOCK_POSIX, LIVE_LOCK_OFD };

#define LIVE_LOCK_END INT64_MAX /* of the file, wherever that is */

struct live_lock {
	bool waits;          /* for the lock of the row without an arrow above it */
	enum live_lock_kind kind;
	bool exclusive;
	pid_t pid;           /* who took it; -1: OFD, 0: one who has ended, or is not seen */
	unsigned major, minor;
	uint64_t inode;
	int64_t start, end;  /* bytes, both inclusive */
};

/* Reads a line, up to its newline. -EBADMSG: also of leases and whatever else is no lock of a file. Pure. */
IPCKIT_CHECK int live_lock_parse(const char *line, struct live_lock *out);

/* Order of file, kind and all else. */
int live_lock_order(const struct live_lock *a, const struct live_lock *b);

struct live_locks {
	struct live_lock *list;
	size_t count;
};

/* Appends those of a text; prefix: what stands before each ("lock:" in fdinfo). Pure. Returns 0 or -ENOMEM. */
IPCKIT_CHECK int live_locks_parse(const char *text, const char *prefix, struct live_locks *out);

/* All of /proc/locks, in order. Errors: -ENOMEM, -EMFILE, -ENFILE, -errno of reading it. */
IPCKIT_CHECK int live_locks_read(int root, struct live_locks *out);

/*
 * Those of a descriptor, appended; *inode: of its file, as locks have it, left alone where that is not told.
 * Errors: as live_locks_read().
 */
IPCKIT_CHECK int live_locks_of(int dirfd, int fd, struct live_locks *out, uint64_t *inode);

/* How many are the same as one. locks: in order. Pure. */
size_t live_locks_same(const struct live_locks *locks, const struct live_lock *lock);

/*
 * The one waiting for what is asked for, or NULL: none, or several that differ. wanted: kind, exclusive, pid and
 * inode, and where ranged is set start and end; locks: in order. Pure.
 */
const struct live_lock *live_locks_waiter(const struct live_locks *locks, const struct live_lock *wanted,
					  bool ranged);

/* live-lock-ask.c: a thread that waits for a lock. */
struct live_request {
	uint32_t thread;
	int fd;
	uint64_t device, inode; /* of the file, as stat(2) has them */
	struct live_lock lock;  /* what it asks for; of the file the inode alone */
	bool ranged;            /* which part of the file is known */
};
/* *known: whether it is such a thread. Errors: -ENOMEM, -EMFILE, -ENFILE. */
IPCKIT_CHECK int live_lock_ask(struct live_scan *scan, uint32_t thread, struct live_request *out, bool *known);

/* Whether two cannot be held at once by different owners. Pure. */
bool live_lock_conflicts(const struct live_lock *a, const struct live_lock *b);

#endif
