/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Robust mutexes whose owner, or whose waiter, is killed: at random moments, and after each of its
 * instructions. The next always gets it, at once where nobody was woken in vain, and is told of a change that
 * is half done.
 */

#include "killed.h"

static struct ipckit_mutex *held;

static int lock(bool *died)
{
	return lock_soon(&shared->word, died, &held);
}

static void unlock(void)
{
	ipckit_mutex_unlock(held);
}

/* ---- after each instruction ---- */

static void do_lock(void)
{
	bool died;

	if (lock_within(&shared->word, 0, &died, &held))
		_exit(9);
}

static void do_wait(void)
{
	const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };
	bool died;

	if (ipckit_mutex_lock(&shared->word, &forever, &died, &held))
		_exit(9);
}

static void give(bool slept)
{
	(void)slept;
	unlock();
}

static void do_abandon(void)
{
	ipckit_mutex_abandon(held);
}

static const struct call calls[] = {
	{ .name = "locking", .before = nothing, .call = do_lock, .most = 1, .last = 1 },
	{
		.name = "locking what was left",
		.value = FUTEX_OWNER_DIED,
		.before = nothing,
		.call = do_lock,
		.least = 1,
		.most = 1,
		.last = 1,
	},
	{
		.name = "waiting",
		.before = nothing,
		.call = do_wait,
		.hold = do_wait,
		.give = give,
		.most = 1,
		.last = 1,
	},
	{ .name = "unlocking", .before = do_lock, .call = unlock, .most = 1 },
	{
		.name = "unlocking for one that waits",
		.before = do_lock,
		.call = unlock,
		.waited_for = true,
		.most = 1,
	},
	{
		.name = "abandoning for one that waits",
		.before = do_lock,
		.call = do_abandon,
		.waited_for = true,
		.least = 1,
		.most = 1,
		.last = 1,
	},
};

int main(void)
{
	if (!share())
		return unit_done("mutex, killed");
	test_random();
	test_calls(calls, sizeof(calls) / sizeof(*calls));
	(void)test_in_vain(is_free);
	return unit_done("mutex, killed");
}
