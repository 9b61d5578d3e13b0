/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Who does what is to be done once is killed: at random moments, and after each of its instructions. The next
 * always begins, and is told; and what was done is not done again.
 */

#include "killed.h"

#include <ipckit/once.h>

static struct ipckit_once *held;

static int begin_within(int64_t ns, bool *died)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns, &deadline);
	return ipckit_once_begin(&shared->word, &deadline, died, &held) ?: held ? 0 : -EALREADY;
}

static int lock(bool *died)
{
	return begin_within(LONG_ENOUGH, died);
}

static void unlock(void)
{
	ipckit_once_end(held, false);
}

/* ---- after each instruction ---- */

static void do_begin(void)
{
	bool died;

	if (begin_within(0, &died))
		_exit(9);
}

static const struct call calls[] = {
	{ .name = "beginning", .before = nothing, .call = do_begin, .most = 1, .last = 1 },
	{ .name = "failing", .before = do_begin, .call = unlock, .most = 1 },
	{ .name = "failing for one that waits", .before = do_begin, .call = unlock, .waited_for = true, .most = 1 },
};

static void do_end(void)
{
	ipckit_once_end(held, true);
}

/* Another one waits meanwhile, and looks again each second: some of these take as long. */
static const struct call ending = { .name = "ending", .before = do_begin, .call = do_end };

/* What the next one finds after so many steps: 0 or 1, it began; 100: it was done. */
static int lock_or_done(void)
{
	bool died = false;
	int r = begin_within(LONG_ENOUGH, &died);

	if (r)
		return r == -EALREADY ? 100 : 9;
	ipckit_once_end(held, true);
	return died;
}

static bool test_end_after(long steps, bool *done, unsigned *redone)
{
	struct stepped stepped;
	pid_t waiter;
	int next;
	long i;

	set_value(&shared->word, 0);
	if (!begin_steps(&stepped))
		return false;
	waiter = start(lock_or_done);
	CHECK(await_sleeper(&shared->word, waiter));
	for (i = 0; i < steps; i++)
		if (ptrace(PTRACE_SINGLESTEP, stepped.pid, NULL, NULL) || !await_stop(&stepped))
			break;
	kill_off(stepped.pid);
	next = end_of(waiter);
	CHECK(next == 1 || next == 100);
	/* From the moment at which it is done it is so. */
	*redone += *done && next != 100;
	*done = next == 100;
	return i == steps;
}

#define STEP (IS_LONG ? 1 : UNIT_SANITIZED ? 36 : 9)

static void test_ending(void)
{
	bool done = false;
	unsigned redone = 0;
	long steps = 0;

	current = &ending;
	while (steps < MOST_STEPS && !unit_failures && test_end_after(steps, &done, &redone))
		steps += STEP;
	CHECK_INT(redone, 0);
	CHECK(done || !steps);
	printf("# ending: %ld steps, one in %d\n", steps, STEP);
}

/* ---- done in the end, whoever was killed at it ---- */

#define TIMES 10

static int do_it(void)
{
	bool died;
	int r;

	while (!(r = begin_within(LONG_ENOUGH, &died))) {
		shared->rounds++;
		/* Most fail at it. */
		if (shared->rounds % 16) {
			unlock();
			continue;
		}
		shared->a++;
		do_end();
	}
	return r == -EALREADY ? 0 : 9;
}

static void test_done(void)
{
	unsigned seed = (unsigned)now();

	for (int i = 0; i < TIMES; i++) {
		pid_t pids[WORKERS];

		set_value(&shared->word, 0);
		for (unsigned j = 0; j < WORKERS; j++)
			pids[j] = start(do_it);
		usleep((unsigned)rand_r(&seed) % 2000);
		kill_off(pids[0]);
		for (unsigned j = 1; j < WORKERS; j++)
			CHECK_INT(end_of(pids[j]), 0);
		CHECK_INT(value_of(&shared->word), IPCKIT_ONCE_DONE);
	}
	CHECK(shared->a >= TIMES);
}

int main(void)
{
	if (!share())
		return unit_done("once, killed");
	test_random();
	test_calls(calls, sizeof(calls) / sizeof(*calls));
	if (STEPPED)
		test_ending();
	(void)test_in_vain(is_free);
	shared->a = 0;
	test_done();
	return unit_done("once, killed");
}
