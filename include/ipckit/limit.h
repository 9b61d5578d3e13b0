/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_LIMIT_H
#define IPCKIT_LIMIT_H

/* Limits of the kernel and of file systems: which there are, which one was hit. */

#include <ipckit/base.h>

struct ipckit_limit {
	char name[48]; /* as an administrator writes it: "kernel.sem semmni", "RLIMIT_NOFILE", "/dev/shm blocks" */
	struct ipckit_maybe value;
	struct ipckit_maybe used;
	struct ipckit_maybe needed; /* what a call that failed would have taken of it */
	const char *unit; /* "sets", "semaphores", "bytes", ... static */
	bool estimate;    /* used is computed from what could be seen */
	const char *what; /* one static sentence on what it bounds */
};

struct ipckit_limits {
	struct ipckit_limit *list;
	size_t count;
};

/* Frees what an ipckit_*_limits() call filled; safe on a zeroed struct. */
void ipckit_limits_free(struct ipckit_limits *limits);

/*
 * Names the limit of a process or of the system behind an errno that is not
 * particular to a kind of object: EMFILE (RLIMIT_NOFILE), ENFILE (fs.file-max),
 * EAGAIN from fork (RLIMIT_NPROC), ENOMEM (RLIMIT_AS where it is set), EFBIG
 * (RLIMIT_FSIZE where it is set).
 *
 * error: positive errno value. Does not block.
 * Returns 0 and fills out, or -ENOENT where no such limit explains the error.
 * Rests on getrlimit(2), proc(5).
 */
IPCKIT_CHECK int ipckit_limit_of_process(int error, struct ipckit_limit *out);

/*
 * Names what a file system has run out of: its blocks or its inodes.
 *
 * path: any file on it. Returns 0; -ENOENT where it has free blocks and inodes;
 * what statvfs(3) says.
 */
IPCKIT_CHECK int ipckit_limit_of_filesystem(const char *path, struct ipckit_limit *out);

#endif
