/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_MUTEX_H
#define IPCKIT_MUTEX_H

/*
 * A robust mutex: one 32-bit word of shared memory, which outlives whoever holds it.
 *
 * The word is 0 (free), or the thread id of its owner, with FUTEX_WAITERS where others may sleep, or it has
 * FUTEX_OWNER_DIED and no owner: the kernel sets that when a thread ends that holds it, and wakes the next,
 * see get_robust_list(2), futex(2). It is what glibc keeps in the first word (__lock) of a robust,
 * process-shared mutex that does not inherit priorities: both can lock the same one. What libc keeps beside
 * the word is left as it is: one that is not recoverable (ENOTRECOVERABLE) is free here.
 *
 * What cannot be told from the word: a mutex of three states (1 held, 2 held with waiters) looks as if
 * thread 1 or 2 held it, which in a PID namespace of its own any program may be, and is waited for as if
 * they did; and so is any other small number. Nor can one that inherits priorities be told, while it has
 * not lost an owner: do not mix them. An id is one of the owner's PID namespace. In a file that outlives
 * the system's run a word may name a thread that is gone, and nobody tells: set it to 0.
 */

#include <ipckit/base.h>
#include <ipckit/deadline.h>
#include <ipckit/futex.h>
#include <ipckit/word.h>

struct ipckit_mutex;

/*
 * Locks a word.
 *
 * word: aligned, in memory that is shared (MAP_SHARED, shmat(2)) and stays mapped until it is unlocked.
 * owner_died: gets whether the last owner ended without unlocking, so that what the mutex guards may be half
 * changed. out: unlocked, and freed, with ipckit_mutex_unlock(), by the same thread.
 *
 * While a thread waits for one or holds it, it has a robust list of the library's own (set_robust_list(2)):
 * it holds no second one, and neither holds nor takes a robust mutex of libc. It does not call execve(2),
 * at which the kernel gives the mutex away as at an end. Blocks until the deadline.
 *
 * A waiter that is killed just as it is woken takes its wake-up along: waiters look at the word again each
 * second. (While it sleeps the kernel is not told of the word, by which it would wake the next: it goes by the
 * thread's id, and a thread of another PID namespace that owns the word may have the same.)
 *
 * Errors: -EAGAIN, -ETIMEDOUT, -EINTR (see ipckit_deadline); -EINVAL (not aligned); -EDEADLK (this thread
 * holds one; found by the thread, never by the word); -EBADMSG (the word holds what no such mutex does: an
 * owner beyond all thread ids, an owner that died and still is there, waiters without an owner); -ENOMEM;
 * -EFAULT (the memory went while it slept; else a file that shrank raises SIGBUS). Rests on futex(2).
 */
IPCKIT_CHECK int ipckit_mutex_lock(uint32_t *word, const struct ipckit_deadline *deadline, bool *owner_died,
				   struct ipckit_mutex **out);

/*
 * Unlocks, and wakes one that waits. -EPERM: the word was taken away from its owner by force, does not name this
 * thread any more, and is left as it is; all is freed in any case. NULL is nothing. Does not block.
 */
int ipckit_mutex_unlock(struct ipckit_mutex *mutex);

/* The same, but the next owner is told that this one died: for who found half a change, or leaves one. */
int ipckit_mutex_abandon(struct ipckit_mutex *mutex);

/* The thread id in a word, 0 where it has none: free, or its owner died. Of the owner's PID namespace. Pure. */
pid_t ipckit_mutex_owner(uint32_t value);

/* ---- with priority inheritance ----
 *
 * The word is that of FUTEX_LOCK_PI: 0 or a thread id, with FUTEX_WAITERS and FUTEX_OWNER_DIED; it is what
 * glibc keeps in a process-shared mutex of PTHREAD_PRIO_INHERIT. The waiting is the kernel's, which lends the
 * owner the priority of its first waiter, and finds circles. The owner is entered into the thread's robust
 * list, so that its death is told to the next one. The rules on threads are those of ipckit_mutex_lock().
 */
struct ipckit_pi;

/*
 * Locks. flags: 0 (FUTEX_LOCK_PI2) or IPCKIT_FUTEX_REALTIME (FUTEX_LOCK_PI, which is also used where the
 * kernel has no other): the clock on which the kernel counts the time that is left. owner_died: the word had
 * FUTEX_OWNER_DIED, which is cleared: no owner is killed, wherever in these calls, without leaving it. out:
 * unlocked, and freed, with ipckit_pi_unlock(), by the same thread; who is to leave FUTEX_OWNER_DIED to the next
 * one ends instead. Blocks until the deadline; the kernel does not let a signal's handler end the wait, so that
 * deadline->stop is looked at before it alone.
 *
 * Errors: -EAGAIN (IPCKIT_DEADLINE_TRY: it is locked), -ETIMEDOUT, -EINTR; -EDEADLK (this thread holds it or
 * another robust mutex, or its owner waits for this thread, through whatever chain); -ESRCH (its owner is
 * gone, and the kernel was not told: nobody can take it); -EPERM (its owner is a kernel thread); -EINVAL (not
 * aligned; other flags; sleepers on the word that are no PI ones; or a word and its sleepers that contradict
 * each other); -ENOSYS; -ENOMEM; -EFAULT (the memory went while it slept; else a file that shrank raises
 * SIGBUS). Where it says -ESRCH, the owner was of no such kind: it had no robust list, or named itself by the
 * id of another PID namespace, or the word is older than the system's run. Rests on futex(2).
 */
IPCKIT_CHECK int ipckit_pi_lock(uint32_t *word, unsigned flags, const struct ipckit_deadline *deadline,
				bool *owner_died, struct ipckit_pi **out);
/*
 * Locks several, in the order given, so that the kernel lends priority along chains of owners that wait, and finds
 * circles of them. words: that are open for writing, and stay so until they are unlocked. count: 1 to
 * ROBUST_LIST_LIMIT (2048). flags, deadline, of all of them together: as above. owner_died: for each. failed: the
 * first that was not locked, where the error is of one of them, else 0. out: unlocked, and freed, with
 * ipckit_pi_unlock(), by the same thread; as above, who is to leave FUTEX_OWNER_DIED ends instead, and leaves it in
 * all.
 *
 * On failure those that were locked by then are given back, the last one first. What an owner that died had left,
 * as owner_died tells (also then), is left so again for the next one; who sleeps on it already gets it when this
 * thread ends.
 *
 * Errors: as above; -EDEADLK (the same place twice); -EOPNOTSUPP (several, and one is open for reading alone or
 * lies in huge pages, or the kernel of this architecture cannot keep them); -E2BIG.
 */
IPCKIT_CHECK int ipckit_pi_lock_words(struct ipckit_word *const *words, unsigned count, unsigned flags,
				      const struct ipckit_deadline *deadline, bool *owner_died, unsigned *failed,
				      struct ipckit_pi **out);
/*
 * Waits on a condition's word while it is value, and locks: FUTEX_WAIT_REQUEUE_PI; somebody moves the waiter
 * by FUTEX_CMP_REQUEUE_PI. Neither a signal's handler nor SIGSTOP ends it; as pthread_cond_wait(3), it may end
 * without having been moved, and a change of the word while it lies down counts as if it had. Errors: as above
 * (no -EDEADLK of its own), -EAGAIN (the word differs), -ETIMEDOUT (also where it was moved, but not served in
 * time).
 */
IPCKIT_CHECK int ipckit_pi_wait(const uint32_t *word, uint32_t value, uint32_t *lock, unsigned flags,
				const struct ipckit_deadline *deadline, bool *owner_died, struct ipckit_pi **out);
/*
 * Unlocks, of several the last one first, and wakes those that sleep as on a word of another kind. 0, or what
 * FUTEX_UNLOCK_PI said first: -EPERM where a word was taken away from its owner by force; -EINVAL where it and its
 * sleepers contradict each other, and then it is left as at the owner's end; all is freed in any case. NULL is
 * nothing. Does not block.
 */
int ipckit_pi_unlock(struct ipckit_pi *pi);
/*
 * For the handler of a signal that ends the thread: gives back, as these calls do on failure, what it holds by them,
 * wherever in them it was interrupted. No other call follows. Async-signal-safe.
 */
void ipckit_pi_give_up(void);

#endif
