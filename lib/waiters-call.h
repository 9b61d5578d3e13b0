/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_WAITERS_CALL_H
#define LIB_WAITERS_CALL_H

/* What the arguments of a system call say of a wait on futex words. Pure. */

#include "proc.h"

#include <linux/futex.h>
#include <time.h>

struct futex_call {
	const char *operation; /* "FUTEX_WAIT", "futex_waitv"; static */
	bool unsure;           /* it may be another call that only looks like this one */
	bool restarted;        /* as restart_syscall(2) */
	bool private, realtime, timed;
	bool pi;               /* the word is a lock that inherits priorities */
	uint64_t address;      /* of the word; of the vector where words is not 0 */
	unsigned words;        /* futex_waitv(2): how many */
	uint64_t timeout;      /* address of the time limit; 0: none */
	struct ipckit_maybe expected, bitset, requeue;
};

/* False: it is no such wait. */
bool futex_call_read(const struct proc_syscall *call, struct futex_call *out);

/* The word of a futex_waitv(2) into what was read of the call. */
void futex_call_word(const struct futex_waitv *word, struct futex_call *call);

/*
 * Whether a call that is unsure is a wait, by the name of the function in the kernel that the thread sleeps in
 * (/proc/PID/wchan): 1, 0, or -1 where the name does not tell.
 */
int futex_call_judge(const char *wchan);

/* Where it does not tell: whether the arguments can be those of a wait. limit: what stands at its time limit, NULL
 * where that may not be read. */
bool futex_call_is_likely(const struct futex_call *call, const struct timespec *limit);

#endif
