/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The writer of a lock for readers and writers, or one that waits to be it, is killed: at random moments, and
 * after each of its instructions. The next always gets it, and is told of a change that is half done.
 */

#include "killed.h"

#include <ipckit/rwlock.h>

static struct ipckit_rwlock_writer *held;

static int write_within(int64_t ns, bool *died)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns, &deadline);
	return ipckit_rwlock_write(&shared->word, &deadline, died, &held);
}

static int lock(bool *died)
{
	return write_within(LONG_ENOUGH, died);
}

static void unlock(void)
{
	ipckit_rwlock_write_unlock(held);
}

/* ---- after each instruction ---- */

static void do_write(void)
{
	bool died;

	if (write_within(0, &died))
		_exit(9);
}

static void do_wait(void)
{
	bool died;

	if (write_within(-1, &died))
		_exit(9);
}

static void read_it(void)
{
	struct ipckit_deadline deadline;
	bool died;

	ipckit_deadline_in(LONG_ENOUGH, &deadline);
	CHECK_INT(ipckit_rwlock_read(&shared->word, &deadline, &died), 0);
}

static void end_reading(bool slept)
{
	(void)slept;
	CHECK_INT(ipckit_rwlock_read_unlock(&shared->word), 0);
}

static const struct call calls[] = {
	{ .name = "writing", .before = nothing, .call = do_write, .most = 1, .last = 1 },
	{
		.name = "writing what was left",
		.value = FUTEX_OWNER_DIED,
		.before = nothing,
		.call = do_write,
		.least = 1,
		.most = 1,
		.last = 1,
	},
	{
		.name = "waiting for one that reads",
		.before = nothing,
		.call = do_wait,
		.hold = read_it,
		.give = end_reading,
		.most = 1,
		.last = 1,
	},
	{ .name = "ending", .before = do_write, .call = unlock, .most = 1 },
	{ .name = "ending for one that waits", .before = do_write, .call = unlock, .waited_for = true, .most = 1 },
};

/* ---- readers among writers that are killed ---- */

/* They end alive, so that what they count is taken away. */
static volatile sig_atomic_t told;

static void tell(int signal)
{
	(void)signal;
	told = 1;
}

static int read_until_told(void)
{
	signal(SIGTERM, tell);
	while (!told) {
		struct ipckit_deadline deadline = { .kind = IPCKIT_DEADLINE_NONE, .stop = &told };
		bool died;
		int r = ipckit_rwlock_read(&shared->word, &deadline, &died);

		if (r)
			return r == -EINTR ? 0 : 9;
		shared->odd += !died && shared->a != shared->b;
		if (ipckit_rwlock_read_unlock(&shared->word))
			return 8;
	}
	return 0;
}

int main(void)
{
	pid_t readers[2];
	bool died;

	if (!share())
		return unit_done("rwlock, killed");
	for (unsigned i = 0; i < 2; i++)
		readers[i] = start(read_until_told);
	test_random();
	for (unsigned i = 0; i < 2; i++) {
		kill(readers[i], SIGTERM);
		CHECK_INT(end_of(readers[i]), 0);
	}
	CHECK_INT(shared->odd, 0);
	if (CHECK_INT(lock(&died), 0))
		unlock();
	CHECK_INT(value_of(&shared->word), 0);
	test_calls(calls, sizeof(calls) / sizeof(*calls));
	(void)test_in_vain(is_free);
	return unit_done("rwlock, killed");
}
