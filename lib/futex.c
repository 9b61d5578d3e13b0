/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "futex.h"
#include "sys.h"

#include <linux/futex.h>

/*
 * Where the kernel cannot sleep on several words (before Linux 5.16, or by a filter), how long the change of
 * the second and further ones may go unseen.
 */
#define LOOK_AGAIN_NS 5000000

/* 0, with the point at which a sleep has to end (NULL: none), or why there is none. */
static int limit_of(const struct ipckit_deadline *deadline, const struct timespec **at)
{
	int r = ipckit_deadline_left(deadline, NULL);

	*at = deadline->kind == IPCKIT_DEADLINE_AT ? &deadline->at : NULL;
	return r == -EAGAIN ? -ETIMEDOUT : r;
}

/* EINTR: whoever was to stop the wait has set the deadline's flag, and else it goes on. */
static bool goes_on(int r)
{
	return r == -EINTR || r == -ETIMEDOUT;
}

/* The second address, which this operation leaves alone, tells those who look at /proc that the time is no limit. */
int futex_sleep(const uint32_t *word, uint32_t value, const struct ipckit_deadline *deadline)
{
	const uint32_t *mark = deadline->endless ? word : NULL;
	const struct timespec *at;
	int r;

	do {
		r = limit_of(deadline, &at);
		if (r)
			return r;
		r = (int)sys_result(syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value, at, mark,
					    FUTEX_BITSET_MATCH_ANY));
	} while (goes_on(r));
	return r;
}

static int sleep_on_all(const struct futex_word *words, unsigned count, const struct timespec *at)
{
	struct futex_waitv waiters[FUTEX_WAITV_MAX];
	int r;

	for (unsigned i = 0; i < count; i++)
		waiters[i] = (struct futex_waitv){
			.uaddr = (uintptr_t)words[i].word,
			.val = words[i].value,
			.flags = FUTEX_32,
		};
	r = (int)sys_result(syscall(SYS_futex_waitv, waiters, count, 0, at, CLOCK_MONOTONIC));
	return r > 0 ? 0 : r;
}

/* Sleeps on the first word for a moment, and looks at the others before. */
static int sleep_on_first(const struct futex_word *words, unsigned count)
{
	const struct timespec moment = { .tv_nsec = LOOK_AGAIN_NS };

	for (unsigned i = 1; i < count; i++)
		if (__atomic_load_n(words[i].word, __ATOMIC_ACQUIRE) != words[i].value)
			return -EAGAIN;
	return (int)sys_result(syscall(SYS_futex, words[0].word, FUTEX_WAIT, words[0].value, &moment, NULL, 0));
}

int futex_sleep_any(const struct futex_word *words, unsigned count, const struct ipckit_deadline *deadline)
{
	const struct timespec *at;
	int r;

	if (count == 0 || count > FUTEX_WAITV_MAX)
		return -EINVAL;
	do {
		r = limit_of(deadline, &at);
		if (r)
			return r;
		r = sleep_on_all(words, count, at);
		if (r == -ENOSYS || r == -EPERM)
			r = sleep_on_first(words, count);
	} while (goes_on(r));
	return r;
}

int futex_wake(uint32_t *word, int count)
{
	return (int)sys_result(syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0));
}
