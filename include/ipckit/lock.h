/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_LOCK_H
#define IPCKIT_LOCK_H

/*
 * A lock that belongs to nobody, and a condition variable with it: between commands, none of which lasts as
 * long as the lock is held.
 *
 * The lock is one word: 0 free, 1 held, 2 held and others may wait (U. Drepper, Futexes Are Tricky, the third
 * mutex). It is not robust: whoever died with it leaves it held, and anybody may unlock it. Other values are
 * not such a lock: -EBADMSG. For one that outlives its holder see mutex.h.
 *
 * The condition variable is one word, too: a number that goes up by one with each signal. Who waits looks at
 * it while the lock is held.
 *
 * word: aligned, shared. Calls that block go on at a signal unless the deadline's stop is set, see deadline.h;
 * they leave nothing behind where they fail, or where the process is killed in them, but that the lock may say
 * 2 where nobody waits, which costs the one who unlocks a system call.
 */

#include <ipckit/base.h>
#include <ipckit/deadline.h>

/* Locks. Errors: -EAGAIN (IPCKIT_DEADLINE_TRY: it is held), -ETIMEDOUT, -EINTR, -EBADMSG, -EFAULT. */
IPCKIT_CHECK int ipckit_lock_take(uint32_t *word, const struct ipckit_deadline *deadline);

/* Unlocks and wakes one. -EPERM where it is not held; -EBADMSG. Does not block. */
IPCKIT_CHECK int ipckit_lock_give(uint32_t *word);

/*
 * Unlocks, sleeps until there is a signal, and locks again. The lock is held on entry, and on return of 0 and of
 * -ETIMEDOUT, for which it is waited for beyond the deadline. -EINTR: stop was set, and the lock is not held; a
 * signal that had come is passed on. -EPERM (the lock is not held), -EBADMSG, -EFAULT: at once.
 *
 * As pthread_cond_timedwait(3), it may end without a signal of its own. A wait that a signal
 * has passed by ends five to ten seconds after it: the one to whom it went may have been killed before it had the
 * lock.
 */
IPCKIT_CHECK int ipckit_cond_wait(uint32_t *word, uint32_t *lock, const struct ipckit_deadline *deadline);

/*
 * Ends one wait, or all of them: one is woken, and the others are moved to the lock, so that each comes with
 * its turn (FUTEX_CMP_REQUEUE). affected: how many were woken or moved. The lock may be held or not. -EBADMSG:
 * the lock is none. Does not block.
 */
IPCKIT_CHECK int ipckit_cond_signal(uint32_t *word, unsigned *affected);
IPCKIT_CHECK int ipckit_cond_broadcast(uint32_t *word, uint32_t *lock, unsigned *affected);

#endif
