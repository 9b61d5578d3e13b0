/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The operations that wait: what each says in each condition. */

#include "futexes.h"

#include <sys/time.h>

#define NO 1 /* the operation has no such condition */

enum operation { WAIT, BITSET, WAITV, WAIT2, REQUEUE_PI, OPERATIONS };

static const char *const names[] = { "FUTEX_WAIT", "FUTEX_WAIT_BITSET", "futex_waitv", "futex_wait",
				     "FUTEX_WAIT_REQUEUE_PI" };

struct wait {
	enum operation by;
	const uint32_t *word;
	uint32_t value, bitset;
	unsigned flags;
	const struct timespec *until;
	uint32_t *lock;
};

static int run(const struct wait *wait)
{
	const struct ipckit_futex_waiter waiter = { wait->word, wait->value };
	unsigned woken = 4711;
	int r;

	switch (wait->by) {
	case WAIT:
		return ipckit_futex_wait(wait->word, wait->value, wait->flags, wait->until);
	case BITSET:
		return ipckit_futex_wait_bitset(wait->word, wait->value, wait->bitset, wait->flags, wait->until);
	case WAITV:
		r = ipckit_futex_waitv(&waiter, 1, wait->flags, wait->until, &woken);
		CHECK(r ? woken == 4711 : woken == 0);
		return r;
	case WAIT2:
		return ipckit_futex_wait_bitset(wait->word, wait->value, wait->bitset,
						wait->flags | IPCKIT_FUTEX_2, wait->until);
	default:
		return ipckit_futex_wait_requeue_pi(wait->word, wait->value, wait->lock, wait->flags,
						    wait->until);
	}
}

static int run_as_child(const void *arg)
{
	return run(arg);
}

static struct wait usual(enum operation by)
{
	return (struct wait){ .by = by, .word = &words->a, .bitset = IPCKIT_FUTEX_ALL, .until = &past,
			      .lock = &words->b };
}

/* For FUTEX_WAIT it is a duration. */
static const struct timespec none, negative = { .tv_sec = -1 }, much = { .tv_nsec = SECOND },
			     little = { .tv_nsec = -1 };

/* ---- what is said at once ---- */

static void differs(struct wait *wait)
{
	wait->value = 1;
}

static void is_past(struct wait *wait)
{
	if (wait->by == WAIT)
		wait->until = &none;
}

static void is_past_private(struct wait *wait)
{
	is_past(wait);
	wait->flags = IPCKIT_FUTEX_PRIVATE;
}

static void is_past_realtime(struct wait *wait)
{
	is_past(wait);
	wait->flags = IPCKIT_FUTEX_REALTIME;
}

static void is_futex2(struct wait *wait)
{
	is_past(wait);
	wait->flags = IPCKIT_FUTEX_2;
}

static void no_bitset(struct wait *wait)
{
	wait->bitset = 0;
}

static void is_unaligned(struct wait *wait)
{
	wait->word = bad.unaligned;
}

static void is_unmapped(struct wait *wait)
{
	wait->word = bad.unmapped;
}

static void is_unmapped_private(struct wait *wait)
{
	wait->word = bad.unmapped;
	wait->flags = IPCKIT_FUTEX_PRIVATE;
}

static void is_untouchable(struct wait *wait)
{
	wait->word = bad.untouchable;
}

static void is_read_only(struct wait *wait)
{
	is_past(wait);
	wait->word = bad.read_only;
}

static void is_shrunk(struct wait *wait)
{
	wait->word = bad.shrunk;
}

static void is_negative(struct wait *wait)
{
	wait->until = &negative;
}

static void is_much(struct wait *wait)
{
	wait->until = &much;
}

static void is_little(struct wait *wait)
{
	wait->until = &little;
}

/* No bitset, no word: the time is looked at first. */
static void is_much_of_nothing(struct wait *wait)
{
	wait->until = &much;
	wait->word = bad.unmapped;
}

static void is_nowhere(struct wait *wait)
{
	wait->until = (const struct timespec *)(const void *)bad.unmapped;
}

static void lock_is_word(struct wait *wait)
{
	wait->lock = &words->a;
}

static void lock_is_unaligned(struct wait *wait)
{
	wait->lock = bad.unaligned;
}

static void lock_is_unmapped(struct wait *wait)
{
	wait->lock = bad.unmapped;
}

static void lock_is_read_only(struct wait *wait)
{
	wait->lock = bad.read_only + 1;
}

static void lock_is_shrunk(struct wait *wait)
{
	wait->lock = bad.shrunk;
}

static const struct {
	const char *name;
	void (*make)(struct wait *wait);
	int says[OPERATIONS];
} conditions[] = {
	{ "the word differs", differs, { -EAGAIN, -EAGAIN, -EAGAIN, -EAGAIN, -EAGAIN } },
	{ "the time is over", is_past, { -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT } },
	{ "private", is_past_private, { -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT } },
	{ "CLOCK_REALTIME", is_past_realtime, { -ENOSYS, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT } },
	{ "the newer call", is_futex2, { -EOPNOTSUPP, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT, -EOPNOTSUPP } },
	{ "no bitset", no_bitset, { NO, -EINVAL, NO, -EINVAL, NO } },
	{ "not aligned", is_unaligned, { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
	{ "not mapped", is_unmapped, { -EFAULT, -EFAULT, -EFAULT, -EFAULT, -EFAULT } },
	{ "not mapped, private", is_unmapped_private, { -EFAULT, -EFAULT, -EFAULT, -EFAULT, -EFAULT } },
	{ "not readable", is_untouchable, { -EFAULT, -EFAULT, -EFAULT, -EFAULT, -EFAULT } },
	{ "read-only", is_read_only, { -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT } },
	{ "the file shrank", is_shrunk, { -EFAULT, -EFAULT, -EFAULT, -EFAULT, -EFAULT } },
	{ "tv_sec -1", is_negative, { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
	{ "tv_nsec 1000000000", is_much, { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
	{ "tv_nsec -1", is_little, { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
	{ "a bad time, not mapped", is_much_of_nothing, { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
	{ "the time is not mapped", is_nowhere, { -EFAULT, -EFAULT, -EFAULT, -EFAULT, -EFAULT } },
	{ "the lock is the word", lock_is_word, { NO, NO, NO, NO, -EINVAL } },
	{ "the lock is not aligned", lock_is_unaligned, { NO, NO, NO, NO, -EINVAL } },
	{ "the lock is not mapped", lock_is_unmapped, { NO, NO, NO, NO, -EFAULT } },
	{ "the lock is read-only", lock_is_read_only, { NO, NO, NO, NO, -EFAULT } },
	{ "the lock's file shrank", lock_is_shrunk, { NO, NO, NO, NO, -EFAULT } },
};

static void test_conditions(void)
{
	char row[100];

	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++)
		for (enum operation by = WAIT; by < OPERATIONS; by++) {
			struct wait wait = usual(by);

			if (conditions[i].says[by] == NO)
				continue;
			clear_words();
			conditions[i].make(&wait);
			snprintf(row, sizeof(row), "%s: %s", names[by], conditions[i].name);
			CHECK_INT_FOR(row, run(&wait), conditions[i].says[by]);
			CHECK_INT_FOR(row, value_of(&words->a), 0);
			CHECK_INT_FOR(row, value_of(&words->b), 0);
		}
}

static void test_waitv(void)
{
	struct ipckit_futex_waiter list[IPCKIT_FUTEX_WAITV_MOST + 1];
	unsigned woken = 4711;

	clear_words();
	for (unsigned i = 0; i <= IPCKIT_FUTEX_WAITV_MOST; i++)
		list[i] = (struct ipckit_futex_waiter){ i % 2 ? &words->a : &words->b, 0 };
	CHECK_INT(ipckit_futex_waitv(list, 0, 0, &past, &woken), -EINVAL);
	CHECK_INT(ipckit_futex_waitv(list, IPCKIT_FUTEX_WAITV_MOST + 1, 0, &past, &woken), -EINVAL);
	CHECK_INT(ipckit_futex_waitv(list, IPCKIT_FUTEX_WAITV_MOST, 0, &past, &woken), -ETIMEDOUT);
	list[IPCKIT_FUTEX_WAITV_MOST - 1].value = 1;
	CHECK_INT(ipckit_futex_waitv(list, IPCKIT_FUTEX_WAITV_MOST, 0, &past, &woken), -EAGAIN);
	list[IPCKIT_FUTEX_WAITV_MOST - 1].word = bad.unmapped;
	CHECK_INT(ipckit_futex_waitv(list, IPCKIT_FUTEX_WAITV_MOST, 0, &past, &woken), -EFAULT);
	CHECK_INT(woken, 4711);
}

/* ---- clocks ---- */

static void check_clock(struct wait *wait, clockid_t clock, const char *row)
{
	const struct timespec until = in(clock, 30 * MS), duration = { .tv_nsec = 30 * MS };
	int64_t began = now();

	wait->flags = clock == CLOCK_REALTIME ? IPCKIT_FUTEX_REALTIME : 0;
	wait->until = wait->by == WAIT ? &duration : &until;
	CHECK_INT_FOR(row, run(wait), -ETIMEDOUT);
	/* What the clocks differ by in their steps is less than a millisecond. */
	CHECK_FOR(row, now() - began >= 29 * MS && now() - began < LONG_ENOUGH);
}

static void test_clocks(void)
{
	clear_words();
	for (enum operation by = WAIT; by < OPERATIONS; by++) {
		struct wait wait = usual(by);

		check_clock(&wait, CLOCK_MONOTONIC, names[by]);
		if (by != WAIT)
			check_clock(&wait, CLOCK_REALTIME, names[by]);
	}
}

/* ---- being woken ---- */

static int wake_by(enum operation by, uint32_t *word)
{
	unsigned woken = 4711;
	int r;

	if (by == REQUEUE_PI)
		r = ipckit_futex_cmp_requeue_pi(word, &words->b, 0, 0, 0, &woken);
	else
		r = ipckit_futex_wake(word, 1, IPCKIT_FUTEX_ALL, by == WAIT2 ? IPCKIT_FUTEX_2 : 0, &woken);
	return r ? r : (int)woken;
}

static void test_woken(void)
{
	for (enum operation by = WAIT; by < OPERATIONS; by++)
		for (int timed = 0; timed < 2; timed++) {
			struct timespec until = in(CLOCK_MONOTONIC, 2 * LONG_ENOUGH);
			struct wait wait = usual(by);
			pid_t pid;

			clear_words();
			wait.until = !timed ? NULL : by == WAIT ? &long_enough : &until;
			pid = start_asleep(run_as_child, &wait);
			/* Not by a word beside it, nor by a private one; and by the file, not by the address. */
			CHECK_INT_FOR(names[by], wake_by(by == REQUEUE_PI ? WAIT : by, &words->c), 0);
			CHECK_INT_FOR(names[by],
				      bare(&words->a, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, NULL, 0), 0);
			CHECK_FOR(names[by], is_asleep(pid));
			CHECK_INT_FOR(names[by], wake_by(by, &other->a), 1);
			CHECK_INT_FOR(names[by], end_of(pid), 0);
			CHECK_INT_FOR(names[by], value_of(&words->b), by == REQUEUE_PI ? (uint32_t)pid : 0);
		}
}

static int wait_for_several(const void *arg)
{
	const struct ipckit_futex_waiter list[] = { { &words->a, 0 }, { &words->b, 0 }, { &words->c, 0 } };
	unsigned woken;
	int r = ipckit_futex_waitv(list, 3, 0, NULL, &woken);

	(void)arg;
	return r ? r : -(int)woken - 100;
}

static void test_woken_of_several(void)
{
	uint32_t *list[] = { &words->a, &words->b, &words->c };

	clear_words();
	for (int i = 0; i < 3; i++) {
		pid_t pid = start_asleep(wait_for_several, NULL);

		CHECK_INT(wake_by(WAITV, list[i]), 1);
		CHECK_INT(end_of(pid), 100 + i);
	}
}

/* ---- signals ---- */

#ifndef LATE_SIGNALS

static volatile sig_atomic_t ticks;

/* What is begun again finds another value, or a free lock, after some signals. */
static void tick(int signal)
{
	(void)signal;
	if (++ticks == 3)
		__atomic_fetch_add(&words->a, 1, __ATOMIC_SEQ_CST);
}

static void tick_each(long us, int flags)
{
	const struct itimerval timer = { .it_interval.tv_usec = us, .it_value.tv_usec = us };
	struct sigaction action = { .sa_handler = tick, .sa_flags = flags };

	ticks = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Ended by the first signal, or begun again by the kernel. */
static const struct {
	enum operation by;
	bool timed, restart;
	int says;
} signals[] = {
	{ WAIT, false, false, -EINTR },	 { WAIT, false, true, -EAGAIN },
	{ WAIT, true, false, -EINTR },	 { WAIT, true, true, -EINTR },
	{ BITSET, false, false, -EINTR }, { BITSET, false, true, -EAGAIN },
	{ BITSET, true, false, -EINTR },  { BITSET, true, true, -EINTR },
	{ WAITV, false, false, -EINTR },  { WAITV, false, true, -EAGAIN },
	{ WAITV, true, false, -EINTR },	  { WAITV, true, true, -EAGAIN },
	{ WAIT2, false, false, -EINTR },  { WAIT2, false, true, -EAGAIN },
	{ WAIT2, true, false, -EINTR },	  { WAIT2, true, true, -EAGAIN },
	{ REQUEUE_PI, false, false, -EAGAIN }, { REQUEUE_PI, false, true, -EAGAIN },
	{ REQUEUE_PI, true, false, -EAGAIN },  { REQUEUE_PI, true, true, -EAGAIN },
};

static void test_signals(void)
{
	char row[100];

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		const struct timespec until = in(CLOCK_MONOTONIC, 2 * LONG_ENOUGH);
		struct wait wait = usual(signals[i].by);

		clear_words();
		wait.until = !signals[i].timed ? NULL : wait.by == WAIT ? &long_enough : &until;
		snprintf(row, sizeof(row), "%s%s%s", names[wait.by], signals[i].timed ? ", timed" : "",
			 signals[i].restart ? ", SA_RESTART" : "");
		tick_each(10000, signals[i].restart ? SA_RESTART : 0);
		CHECK_INT_FOR(row, run(&wait), signals[i].says);
		CHECK_FOR(row, signals[i].says == -EINTR ? ticks > 0 : ticks >= 3);
		tick_each(0, 0);
	}
}

#endif

int main(void)
{
	if (!share_words())
		return unit_done("futexes, waits");
	test_conditions();
	test_waitv();
	test_clocks();
	test_woken();
	test_woken_of_several();
#ifndef LATE_SIGNALS
	test_signals();
#endif
	return unit_done("futexes, waits");
}
