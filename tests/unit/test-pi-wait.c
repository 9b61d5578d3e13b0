/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Waiting for a condition under a mutex with priority inheritance. */

#include "mutexes.h"

#define WAITERS 4

static struct ipckit_pi *held;

static int wait_within(int64_t ns, unsigned flags, bool *died)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns, &deadline);
	return ipckit_pi_wait(&shared->condition, 0, &shared->word, flags, &deadline, died, &held);
}

/* 0, 1: its last owner died; 2: timed out; 3: the word had changed. */
static int wait_and_leave(void)
{
	bool died;
	int r = wait_within(2 * LONG_ENOUGH, 0, &died);

	if (r)
		return r == -ETIMEDOUT ? 2 : r == -EAGAIN ? 3 : 9;
	shared->a++;
	return ipckit_pi_unlock(held) ? 8 : died;
}

static int wait_and_end(void)
{
	bool died;

	return wait_within(2 * LONG_ENOUGH, 0, &died) ? 9 : 0;
}

static int lock_and_end(void)
{
	bool died;

	return pi_soon(&shared->word, &died, &held) ? 9 : 0;
}

static int lock_and_leave(void)
{
	bool died;

	if (pi_soon(&shared->word, &died, &held))
		return 9;
	return ipckit_pi_unlock(held) ? 8 : died;
}

static pid_t start_sleeper(int (*run)(void))
{
	int64_t until = now() + LONG_ENOUGH;
	pid_t pid = start(run);

	while (!sleeps(pid) && now() < until)
		usleep(200);
	CHECK(sleeps(pid));
	return pid;
}

/* As often as it takes until so many have been moved: they may just be about to sleep. */
static void move(unsigned count)
{
	int64_t until = now() + LONG_ENOUGH;
	unsigned moved = 0, affected = 0;

	while (moved < count && now() < until) {
		if (!CHECK_INT(ipckit_futex_cmp_requeue_pi(&shared->condition, &shared->word, 0, count - moved - 1, 0,
							   &affected),
			       0))
			break;
		moved += affected;
	}
	CHECK_INT(moved, count);
}

static bool lock_it(void)
{
	const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };
	bool died;

	return CHECK_INT(ipckit_pi_lock(&shared->word, 0, &forever, &died, &held), 0) && CHECK(!died);
}

static void test_signal(void)
{
	pid_t waiter = start_sleeper(wait_and_leave);

	move(1);
	CHECK_INT(end_of(waiter), 0);
	CHECK_INT(value_of(&shared->word), 0);

	waiter = start_sleeper(wait_and_leave);
	if (!lock_it())
		return;
	move(1);
	CHECK(value_of(&shared->word) & FUTEX_WAITERS);
	CHECK_INT(waitpid(waiter, NULL, WNOHANG), 0);
	CHECK_INT(ipckit_pi_unlock(held), 0);
	CHECK_INT(end_of(waiter), 0);
	CHECK_INT(value_of(&shared->word), 0);
}

static void test_all(void)
{
	pid_t pids[WAITERS];

	shared->a = 0;
	for (size_t i = 0; i < WAITERS; i++)
		pids[i] = start_sleeper(wait_and_leave);
	move(WAITERS);
	for (size_t i = 0; i < WAITERS; i++)
		CHECK_INT(end_of(pids[i]), 0);
	CHECK_INT(shared->a, WAITERS);
	CHECK_INT(value_of(&shared->word), 0);
}

static void test_limits(unsigned flags)
{
	int64_t began = now();
	bool died;

	CHECK_INT(wait_within(0, flags, &died), -EAGAIN);
	CHECK_INT(wait_within(20 * MS, flags, &died), -ETIMEDOUT);
	CHECK(now() - began >= 19 * MS);
	set_value(&shared->condition, 7);
	CHECK_INT(wait_within(-1, flags, &died), -EAGAIN);
	set_value(&shared->condition, 0);
	CHECK_INT(value_of(&shared->word), 0);
}

static int wait_shortly(void)
{
	bool died;

	return wait_within(SECOND, 0, &died) == -ETIMEDOUT ? 2 : 9;
}

/* Moved, and not served in time. */
static void test_late(void)
{
	pid_t waiter = start_sleeper(wait_shortly);

	if (!lock_it())
		return;
	move(1);
	CHECK_INT(end_of(waiter), 2);
	CHECK_INT(ipckit_pi_unlock(held), 0);
	CHECK_INT(value_of(&shared->word), 0);
}

static void stop_and_continue(pid_t pid)
{
	int64_t until = now() + LONG_ENOUGH;

	kill(pid, SIGSTOP);
	while (state_of(pid) != 'T' && now() < until)
		usleep(200);
	kill(pid, SIGCONT);
	while (!sleeps(pid) && now() < until)
		usleep(200);
	CHECK(sleeps(pid));
}

/* Neither before it was moved, nor after, is its wait ended by a stop. */
static void test_stopped(void)
{
	pid_t waiter = start_sleeper(wait_and_leave);

	stop_and_continue(waiter);
	if (!lock_it())
		return;
	move(1);
	stop_and_continue(waiter);
	CHECK_INT(ipckit_pi_unlock(held), 0);
	CHECK_INT(end_of(waiter), 0);
	CHECK_INT(value_of(&shared->word), 0);
}

static void test_deaths(void)
{
	pid_t first = start_sleeper(wait_and_end), second = start_sleeper(wait_and_leave);

	/* One that was served ends with it. */
	move(2);
	CHECK_INT(end_of(first), 0);
	CHECK_INT(end_of(second), 1);
	CHECK_INT(value_of(&shared->word), 0);

	/* Signalled to what a dead owner left. */
	CHECK_INT(end_of(start(lock_and_end)), 0);
	first = start_sleeper(wait_and_leave);
	move(1);
	CHECK_INT(end_of(first), 1);
	CHECK_INT(value_of(&shared->word), 0);

	/* Killed asleep: before it was moved, and after. */
	kill_off(start_sleeper(wait_and_leave));
	CHECK_INT(end_of(start(lock_and_leave)), 0);
	first = start_sleeper(wait_and_leave);
	if (!lock_it())
		return;
	move(1);
	kill_off(first);
	CHECK_INT(ipckit_pi_unlock(held), 0);
	CHECK_INT(end_of(start(lock_and_leave)), 0);
	CHECK_INT(value_of(&shared->word), 0);
}

int main(void)
{
	if (!share())
		return unit_done("PI mutex, conditions");
	test_signal();
	test_all();
	test_limits(0);
	test_limits(IPCKIT_FUTEX_REALTIME);
	test_late();
	test_stopped();
	test_deaths();
	return unit_done("PI mutex, conditions");
}
