/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include <ipckit/deadline.h>

/*
 * Locks on ranges of files: of an open file description (fcntl(2), F_OFD_SETLK),
 * or, for descriptors that all takers inherited and so share, of a process.
 */
struct lock_range {
	int fd;
	bool of_process;
	off_t start;
	off_t length; /* 0: to the end of the file */
};

/* Takes the lock. Errors: -EAGAIN, -ETIMEDOUT, -EINTR, -EBADF (not open for writing), -ENOLCK. */
IPCKIT_CHECK int lock_take(const struct lock_range *range, const struct ipckit_deadline *deadline);

/* Gives it up. Never fails for a lock that is held. */
void lock_give(const struct lock_range *range);

#endif
