/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Whose turn it is: among sleepers on a word, and among those that wait for a lock. */

#include "futexes.h"

#include <sched.h>

/* Whether threads may be given priorities; this one keeps its own. */
static bool has_priorities(void)
{
	const struct sched_param priority = { .sched_priority = 1 }, none = { 0 };

	if (sched_setscheduler(0, SCHED_FIFO, &priority)) {
		printf("# no real-time priorities here: turns by them are not looked at\n");
		return false;
	}
	return CHECK_INT(sched_setscheduler(0, SCHED_OTHER, &none), 0);
}

/* ---- plain ones ---- */

static int wake_one(void)
{
	unsigned woken;
	int r = ipckit_futex_wake(&words->a, 1, IPCKIT_FUTEX_ALL, 0, &woken);

	return r ? r : (int)woken;
}

/* First in, first out: among threads without real-time priorities. */
static void test_order(void)
{
	pid_t pids[5];

	clear_words();
	put_to_sleep(&words->a, 5, pids);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_INT(wake_one(), 1);
		CHECK_INT(end_of(pids[i]), 0);
		CHECK_INT(words->order[i], i + 1);
	}
}

/* Who is stopped does not sleep on the word meanwhile, and comes back at the end of the line. */
static void test_stopped(void)
{
	pid_t pids[2];

	clear_words();
	put_to_sleep(&words->a, 2, pids);
	kill(pids[0], SIGSTOP);
	CHECK(await_sleepers(&words->a, 1));
	kill(pids[0], SIGCONT);
	CHECK(await_sleepers(&words->a, 2));
	for (unsigned i = 0; i < 2; i++) {
		CHECK_INT(wake_one(), 1);
		CHECK_INT(end_of(pids[!i]), 0);
		CHECK_INT(words->order[i], 2 - i);
	}
}

static int sleep_urgently(const void *arg)
{
	const struct sleeper *sleeper = arg;
	const struct sched_param priority = { .sched_priority = (int)sleeper->number };

	return sched_setscheduler(0, SCHED_FIFO, &priority) ? -EPERM : sleep_on(arg);
}

/* By real-time priority first. */
static void test_plain_priorities(void)
{
	pid_t pids[4];

	clear_words();
	for (unsigned i = 0; i < 4; i++) {
		const struct sleeper sleeper = { &words->a, IPCKIT_FUTEX_ALL, i };

		pids[i] = start_asleep(i ? sleep_urgently : sleep_on, &sleeper);
	}
	for (unsigned i = 0; i < 4; i++) {
		CHECK_INT(wake_one(), 1);
		CHECK_INT(end_of(pids[3 - i]), 0);
		CHECK_INT(words->order[i], 3 - i);
	}
}

/* ---- those that want a lock ---- */

static int lock_a(const void *arg)
{
	int r = ipckit_futex_lock_pi(&words->a, 0, NULL);

	(void)arg;
	if (r)
		return r;
	words->order[words->arrived++] = (unsigned)getpid();
	r = ipckit_futex_wait(&words->d, 0, 0, NULL);
	return r == -EAGAIN || !r ? ipckit_futex_unlock_pi(&words->a, 0) : r;
}

static void let_unlock(void)
{
	unsigned woken;

	set_value(&words->d, 1);
	CHECK_INT(ipckit_futex_wake(&words->d, IPCKIT_FUTEX_ALL, IPCKIT_FUTEX_ALL, 0, &woken), 0);
}

/* The word names the next one before that one runs; each gets it in its turn. */
static void test_hand_over(void)
{
	pid_t pids[4];

	clear_words();
	CHECK_INT(ipckit_futex_lock_pi(&words->a, 0, NULL), 0);
	for (int i = 0; i < 4; i++)
		pids[i] = start_asleep(lock_a, NULL);
	CHECK_INT(value_of(&words->a), my_tid() | FUTEX_WAITERS);
	CHECK_INT(ipckit_futex_unlock_pi(&words->a, 0), 0);
	CHECK_INT(value_of(&words->a), (uint32_t)pids[0] | FUTEX_WAITERS);
	CHECK_INT(ipckit_futex_trylock_pi(&words->a, 0), -EAGAIN);
	CHECK_INT(ipckit_futex_unlock_pi(&words->a, 0), -EPERM);
	let_unlock();
	for (int i = 0; i < 4; i++) {
		CHECK_INT(end_of(pids[i]), 0);
		CHECK_INT(words->order[i], pids[i]);
	}
	CHECK_INT(value_of(&words->a), 0);
}

static int lock_urgently(const void *arg)
{
	const struct sched_param priority = { .sched_priority = *(const int *)arg };

	if (sched_setscheduler(0, SCHED_FIFO, &priority))
		return -EPERM;
	return lock_a(arg);
}

static void test_lock_priorities(void)
{
	const int priorities[] = { 1, 2, 3 };
	pid_t pids[4];

	clear_words();
	CHECK_INT(ipckit_futex_lock_pi(&words->a, 0, NULL), 0);
	pids[3] = start_asleep(lock_a, NULL);
	for (int i = 0; i < 3; i++)
		pids[2 - i] = start_asleep(lock_urgently, &priorities[i]);
	CHECK_INT(ipckit_futex_unlock_pi(&words->a, 0), 0);
	let_unlock();
	for (int i = 0; i < 4; i++) {
		CHECK_INT(end_of(pids[i]), 0);
		CHECK_INT(words->order[i], pids[i]);
	}
}

int main(void)
{
	bool priorities;

	if (!share_words())
		return unit_done("futexes, turns");
	priorities = has_priorities();
	test_order();
	test_stopped();
	test_hand_over();
	if (priorities) {
		test_plain_priorities();
		test_lock_priorities();
	}
	return unit_done("futexes, turns");
}
