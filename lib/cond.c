/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contend.h"
#include "futex.h"
#include "lock-word.h"

#include <errno.h>
#include <ipckit/futex.h>

/*
 * Who was sent a signal and is killed before it has the lock took the signal along: a sleeper that finds the
 * number another one, and looks again after this time, ends, too.
 */
#define LOOK_NS (5 * INT64_C(1000000000))

static int await_signal(const uint32_t *word, uint32_t seen, const struct ipckit_deadline *deadline)
{
	uint32_t last = seen;
	struct ipckit_deadline look;
	int r;

	for (;;) {
		ipckit_deadline_within(deadline, LOOK_NS, &look);
		r = futex_sleep(word, last, &look);
		if (r != -ETIMEDOUT)
			return r == -EAGAIN ? 0 : r;
		r = ipckit_deadline_left(deadline, NULL);
		if (r)
			return r == -EAGAIN ? -ETIMEDOUT : r;
		if (last != seen)
			return 0;
		last = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	}
}

int ipckit_cond_wait(uint32_t *word, uint32_t *lock, const struct ipckit_deadline *deadline)
{
	const struct ipckit_deadline stop_alone = { .kind = IPCKIT_DEADLINE_NONE, .stop = deadline->stop };
	uint32_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	unsigned passed_on;
	int ended, r = ipckit_lock_give(lock);

	if (r)
		return r;
	ended = await_signal(word, seen, deadline);
	if (ended == -EINTR)
		return ended;
	/* Others may have been moved to the lock. */
	r = lock_word_take(lock, LOCK_WORD_WAITED_FOR, &stop_alone);
	if (r && !ended)
		(void)!ipckit_cond_signal(word, &passed_on);
	return r ?: ended;
}

int ipckit_cond_signal(uint32_t *word, unsigned *affected)
{
	int r;

	__atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
	r = futex_wake(word, 1);
	if (r < 0)
		return r;
	*affected = (unsigned)r;
	return 0;
}

int ipckit_cond_broadcast(uint32_t *word, uint32_t *lock, unsigned *affected)
{
	uint32_t expected, held = LOCK_WORD_HELD;
	int r;

	/* Whoever holds it wakes one that is moved; else the one that is woken takes it so that it does. */
	if (!__atomic_compare_exchange_n(lock, &held, LOCK_WORD_WAITED_FOR, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST) &&
	    held > LOCK_WORD_WAITED_FOR)
		return -EBADMSG;
	expected = __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
	while ((r = ipckit_futex_cmp_requeue(word, lock, expected, 1, IPCKIT_FUTEX_ALL, 0, affected)) == -EAGAIN)
		expected = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	return r;
}
