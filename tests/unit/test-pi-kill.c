/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Mutexes with priority inheritance whose owner, or whose waiter, is killed: at random moments, and after each
 * of its instructions, also when the kernel has just given it the word. The next always gets it, and is told
 * of whoever had it.
 */

#include "killed.h"

static struct ipckit_pi *held;

static int lock(bool *died)
{
	return pi_soon(&shared->word, died, &held);
}

static void unlock(void)
{
	if (ipckit_pi_unlock(held))
		_exit(9);
}

/* ---- after each instruction ---- */

static const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };

static void do_try(void)
{
	bool died;

	if (pi_within(&shared->word, 0, &died, &held))
		_exit(9);
}

static void do_lock(void)
{
	bool died;

	if (ipckit_pi_lock(&shared->word, 0, &forever, &died, &held))
		_exit(9);
}

static void give(bool slept)
{
	(void)slept;
	unlock();
}

static void do_wait(void)
{
	bool died;

	if (ipckit_pi_wait(&shared->condition, 0, &shared->word, 0, &forever, &died, &held))
		_exit(9);
}

/* It sleeps, or is just about to. */
static void signal_one(bool slept)
{
	int64_t until = now() + LONG_ENOUGH;
	unsigned affected = 0;

	while (slept && !affected && now() < until)
		CHECK_INT(ipckit_futex_cmp_requeue_pi(&shared->condition, &shared->word, 0, 0, 0, &affected), 0);
	CHECK_INT(affected, slept);
}

static void signal_and_unlock(bool slept)
{
	signal_one(slept);
	unlock();
}

static const struct call calls[] = {
	{ .name = "locking", .before = nothing, .call = do_try, .most = 1, .last = 1 },
	{
		.name = "trying what was left",
		.value = FUTEX_OWNER_DIED,
		.before = nothing,
		.call = do_try,
		.least = 1,
		.most = 1,
		.last = 1,
	},
	{
		.name = "locking what was left",
		.value = FUTEX_OWNER_DIED | FUTEX_WAITERS,
		.before = nothing,
		.call = do_lock,
		.least = 1,
		.most = 1,
		.last = 1,
	},
	{
		.name = "waiting",
		.before = nothing,
		.call = do_lock,
		.hold = do_lock,
		.give = give,
		.most = 1,
		.last = 1,
	},
	{
		.name = "waiting before another",
		.before = nothing,
		.call = do_lock,
		.hold = do_lock,
		.give = give,
		.waited_for = true,
		.most = 1,
		.last = 1,
	},
	{
		.name = "waiting for a signal",
		.before = nothing,
		.call = do_wait,
		.hold = nothing,
		.give = signal_one,
		.most = 1,
		.last = 1,
	},
	{
		.name = "waiting for a signal and the lock",
		.before = nothing,
		.call = do_wait,
		.hold = do_lock,
		.give = signal_and_unlock,
		.most = 1,
		.last = 1,
	},
	{ .name = "unlocking", .before = do_try, .call = unlock, .most = 1 },
	{ .name = "unlocking for one that waits", .before = do_try, .call = unlock, .waited_for = true, .most = 1 },
};

/* ---- waiters ---- */

static bool is_given(uint32_t value, pid_t first)
{
	return ipckit_mutex_owner(value) == first;
}

/* It stands between the owner and the next. */
static void test_asleep(void)
{
	pid_t first, second;
	bool died;

	set_value(&shared->word, 0);
	if (!CHECK_INT(lock(&died), 0))
		return;
	first = start(lock_once);
	CHECK(await_sleeper(&shared->word, first));
	second = start(lock_once);
	CHECK(await_sleeper(&shared->word, second));
	kill_off(first);
	unlock();
	CHECK_INT(end_of(second), 0);
	CHECK_INT(value_of(&shared->word), 0);
}

int main(void)
{
	if (!share())
		return unit_done("PI mutex, killed");
	test_random();
	test_calls(calls, sizeof(calls) / sizeof(*calls));
	test_asleep();
	CHECK(test_in_vain(is_given) > 0);
	return unit_done("PI mutex, killed");
}
