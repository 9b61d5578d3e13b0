/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_FUTEX_H
#define LIB_FUTEX_H

/*
 * Sleeping on 32-bit words in shared memory, and robust ownership of them: what mutexes, rings and cells rest
 * on. futex(2), futex_waitv(2), get_robust_list(2).
 */

#include <ipckit/deadline.h>

/*
 * Sleeps while *word is value. Returns 0 when woken (perhaps for nothing); -EAGAIN where *word is not value;
 * -ETIMEDOUT, -EINTR as ipckit_deadline_left(), and -EWOULDBLOCK is not used for IPCKIT_DEADLINE_TRY: that
 * gives -ETIMEDOUT at once; -EFAULT. A signal that does not set *stop goes on.
 */
IPCKIT_CHECK int futex_sleep(const uint32_t *word, uint32_t value, const struct ipckit_deadline *deadline);

struct futex_word {
	const uint32_t *word;
	uint32_t value;
};
/* The same for several, at most 128: until one of them is woken, or has another value. */
IPCKIT_CHECK int futex_sleep_any(const struct futex_word *words, unsigned count,
				 const struct ipckit_deadline *deadline);

/* Wakes up to count threads (INT_MAX: all). Returns how many, or -errno. */
int futex_wake(uint32_t *word, int count);

#endif
