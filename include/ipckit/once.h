/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_ONCE_H
#define IPCKIT_ONCE_H

/* What is done once, and what is waited for: in one word of shared memory each. */

#include <ipckit/base.h>
#include <ipckit/deadline.h>

/*
 * once: the word is 0 (not done), a robust mutex's (mutex.h) while somebody is at it, or IPCKIT_ONCE_DONE for
 * good. Who dies at it leaves OWNER_DIED, and the next one begins.
 */
#define IPCKIT_ONCE_DONE 0x3fffffffu

struct ipckit_once;
/*
 * Begins, or waits until it is done. out: NULL where it is done, else the caller does it and ends with
 * ipckit_once_end(), in the same thread. owner_died: somebody has died at it. As ipckit_mutex_lock(), whose
 * errors and rules on threads these are. Blocks until the deadline.
 */
IPCKIT_CHECK int ipckit_once_begin(uint32_t *word, const struct ipckit_deadline *deadline, bool *owner_died,
				   struct ipckit_once **out);
/*
 * done: for good, and all that wait are woken; else the next one begins. -EPERM: the word was taken away from its
 * owner by force, and is left as it is; all is freed in any case. NULL is nothing. Does not block.
 */
int ipckit_once_end(struct ipckit_once *once, bool done);

/* latch: the word counts down to 0, and stays there. */

/* Counts down; at 0 all that wait are woken. left: what then is left. -ERANGE: there is less than that left, and
 * nothing was done. Does not block. */
IPCKIT_CHECK int ipckit_latch_down(uint32_t *word, uint32_t count, uint32_t *left);
/* Until it is 0. -EAGAIN, -ETIMEDOUT, -EINTR (deadline.h), -EFAULT. Blocks. */
IPCKIT_CHECK int ipckit_latch_wait(const uint32_t *word, const struct ipckit_deadline *deadline);

#endif
