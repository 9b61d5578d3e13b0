/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_FUTEX_H
#define IPCKIT_FUTEX_H

/*
 * Every operation of futex(2), and of futex_waitv(2), futex_wait(2), futex_wake(2), futex_requeue(2): one
 * system call each, with the kernel's own answer.
 *
 * word: aligned to 4 bytes, else -EINVAL; it is never touched by the library itself here. Calls that wait say
 * 0 when they were woken (perhaps for nothing), and return -EINTR when a signal was handled: the library does
 * not begin them again. (The kernel does, for a handler with SA_RESTART, but not where FUTEX_WAIT or
 * FUTEX_WAIT_BITSET have a limit.) Errors of all: -EFAULT (nothing is mapped there, or what was is gone),
 * -ENOSYS (the kernel has no such operation, or not with these flags), -EINVAL as futex(2) says.
 */

#include <ipckit/base.h>
#include <time.h>

enum ipckit_futex_flags {
	IPCKIT_FUTEX_PRIVATE = 1u,  /* FUTEX_PRIVATE_FLAG: only threads of this process are met */
	IPCKIT_FUTEX_REALTIME = 2u, /* FUTEX_CLOCK_REALTIME: `until` counts on it, else on CLOCK_MONOTONIC */
	IPCKIT_FUTEX_2 = 4u,        /* the calls of Linux 6.7 in place of the operation of futex(2); -EOPNOTSUPP
				     * where they have none */
};

#define IPCKIT_FUTEX_ALL UINT32_MAX /* a bitset: FUTEX_BITSET_MATCH_ANY. A count: all (INT_MAX) */
#define IPCKIT_FUTEX_WAITV_MOST 128

/* ---- waiting: -EAGAIN where *word is not value, -ETIMEDOUT, -EINTR ---- */

/* FUTEX_WAIT. timeout: how long, NULL for ever; with IPCKIT_FUTEX_REALTIME the kernel says -ENOSYS. With
 * IPCKIT_FUTEX_2: -EOPNOTSUPP, the call takes a point in time (see the next). */
IPCKIT_CHECK int ipckit_futex_wait(const uint32_t *word, uint32_t value, unsigned flags,
				   const struct timespec *timeout);

/* FUTEX_WAIT_BITSET, futex_wait(2). bitset: not 0 (-EINVAL). until: a point in time, NULL for ever. */
IPCKIT_CHECK int ipckit_futex_wait_bitset(const uint32_t *word, uint32_t value, uint32_t bitset, unsigned flags,
					  const struct timespec *until);

struct ipckit_futex_waiter {
	const uint32_t *word;
	uint32_t value;
};
/*
 * futex_waitv(2): on several at once, 1 to 128. flags of all of them; IPCKIT_FUTEX_2 means nothing here.
 * woken: the index of one that was woken. -EAGAIN: one of them has another value; which is not told.
 */
IPCKIT_CHECK int ipckit_futex_waitv(const struct ipckit_futex_waiter *waiters, unsigned count, unsigned flags,
				    const struct timespec *until, unsigned *woken);

/* ---- waking and moving: none of these blocks ----
 * Counts: at most so many; 0 is none at all (which the library sees to where the kernel takes 0 for 1),
 * what is more than INT_MAX is all. */

/* FUTEX_WAKE, where bitset is IPCKIT_FUTEX_ALL, FUTEX_WAKE_BITSET else; futex_wake(2). */
IPCKIT_CHECK int ipckit_futex_wake(const uint32_t *word, uint32_t count, uint32_t bitset, unsigned flags,
				   unsigned *woken);

/* FUTEX_REQUEUE. affected: woken and moved together. IPCKIT_FUTEX_2: -EOPNOTSUPP, that call compares. */
IPCKIT_CHECK int ipckit_futex_requeue(const uint32_t *from, const uint32_t *to, uint32_t wake, uint32_t move,
				      unsigned flags, unsigned *affected);

/* FUTEX_CMP_REQUEUE, futex_requeue(2): -EAGAIN where *from is not expected. */
IPCKIT_CHECK int ipckit_futex_cmp_requeue(const uint32_t *from, const uint32_t *to, uint32_t expected,
					  uint32_t wake, uint32_t move, unsigned flags, unsigned *affected);

/* ---- FUTEX_WAKE_OP ---- */

enum ipckit_futex_op {
	IPCKIT_FUTEX_OP_SET,
	IPCKIT_FUTEX_OP_ADD,
	IPCKIT_FUTEX_OP_OR,
	IPCKIT_FUTEX_OP_ANDN,
	IPCKIT_FUTEX_OP_XOR,
};

/* *second = *second OP arg, and its old value CMP cmparg, as int. */
struct ipckit_futex_wake_op {
	enum ipckit_futex_op op;
	bool shift; /* the argument is 1 << arg, with arg 0 to 31 */
	int arg;    /* -2048 to 2047: 12 bits, sign-extended by the kernel */
	int cmp;    /* FUTEX_OP_CMP_EQ ... of <linux/futex.h> */
	int cmparg; /* -2048 to 2047 */
};

/* The words of the five operations ("set"), and of the comparisons ("eq" ...). -EINVAL. Pure. */
IPCKIT_CHECK int ipckit_futex_op_parse(const char *text, enum ipckit_futex_op *out);
IPCKIT_CHECK int ipckit_futex_cmp_parse(const char *text, int *out);

/* What the kernel is given as val3. -EINVAL or -ERANGE, with the reason in why (may be NULL). Pure. */
IPCKIT_CHECK int ipckit_futex_wake_op_encode(const struct ipckit_futex_wake_op *op, struct ipckit_why *why,
					     uint32_t *out);

/*
 * FUTEX_WAKE_OP: changes *second, wakes up to wake on first, and up to wake2 on second if the comparison
 * held. The encoding is checked before (-EINVAL, -ERANGE), since the kernel stores before it refuses a
 * comparison. The kernel wakes one for each 0: where wake is 0 it is given a word of the library's own as
 * first; where wake2 is 0 the comparison decides nothing, and second is changed as a private word, whose
 * sleepers are others, and first woken by FUTEX_WAKE after it. (A private word is changed by an instruction: if
 * its file shrinks just then, that raises SIGBUS.)
 */
IPCKIT_CHECK int ipckit_futex_wake_op(const uint32_t *first, uint32_t *second,
				      const struct ipckit_futex_wake_op *op, uint32_t wake, uint32_t wake2,
				      unsigned flags, unsigned *woken);

/* ---- priority inheritance ----
 * The word: 0, or the owner's thread id with FUTEX_WAITERS, FUTEX_OWNER_DIED. -EDEADLK: it is this
 * thread's, or its owner waits, in the end, for a lock of this thread. -ESRCH: the owner is gone. -EPERM:
 * the owner is a kernel thread, or (unlock) somebody else. -EAGAIN: the owner is about to exit, or
 * (trylock) it is locked. Whoever fails may leave FUTEX_WAITERS in the word. These never return -EINTR: whatever
 * the handler, the kernel begins them again. */

/* FUTEX_LOCK_PI2, or with IPCKIT_FUTEX_REALTIME FUTEX_LOCK_PI, which knows no other clock (and no flag). */
IPCKIT_CHECK int ipckit_futex_lock_pi(uint32_t *word, unsigned flags, const struct timespec *until);
IPCKIT_CHECK int ipckit_futex_trylock_pi(uint32_t *word, unsigned flags);
IPCKIT_CHECK int ipckit_futex_unlock_pi(uint32_t *word, unsigned flags);

/* FUTEX_WAIT_REQUEUE_PI: waits on word, is moved to lock by the next, and holds it on return of 0. */
IPCKIT_CHECK int ipckit_futex_wait_requeue_pi(const uint32_t *word, uint32_t value, uint32_t *lock,
					      unsigned flags, const struct timespec *until);
/* FUTEX_CMP_REQUEUE_PI: wakes one, who gets lock, or is moved to it, and moves up to move others. */
IPCKIT_CHECK int ipckit_futex_cmp_requeue_pi(const uint32_t *word, uint32_t *lock, uint32_t expected,
					     uint32_t move, unsigned flags, unsigned *affected);

/* FUTEX_FD: -ENOSYS since Linux 2.6.26; a descriptor before. */
IPCKIT_CHECK int ipckit_futex_fd(const uint32_t *word, int *fd);

/* ---- what this kernel has ---- */

struct ipckit_futex_support {
	const char *name;   /* "FUTEX_WAIT", "futex_waitv", "FUTEX_CLOCK_REALTIME on FUTEX_WAIT" */
	bool supported;
	const char *since;  /* the kernel that brought it: "2.6.0"; NULL: none has */
	const char *until;  /* the first one without it, or NULL */
	int error;          /* what it answered to a call that does nothing: 0 or an errno value */
};

/*
 * Tries each operation and flag, on words of its own, without waiting: none is changed but these.
 *
 * The thread is as before. What a filter (seccomp(2)) refuses, with EPERM or whatever, is not supported.
 *
 * out: gets a static array and its length; nothing to free; each call fills it anew. It has no errors.
 */
IPCKIT_CHECK int ipckit_futex_probe(const struct ipckit_futex_support **out, size_t *count);

#endif
