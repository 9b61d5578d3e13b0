/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The operations of locks with priority inheritance: what each says in each condition. */

#include "futexes.h"

#include <sys/time.h>

#define NO 1	/* the operation has no such condition */
#define TID 1u	/* in a value: this thread's */
#define OTHER 2u /* the other process's */
#define GONE 3u /* one that there is no more */
#define ZOMBIE 4u /* one that has ended, and was not waited for */
#define KERNEL 5u /* a kernel thread */

enum operation { LOCK, LOCK2, TRYLOCK, UNLOCK, OPERATIONS };

static const char *const names[] = { "FUTEX_LOCK_PI", "FUTEX_LOCK_PI2", "FUTEX_TRYLOCK_PI", "FUTEX_UNLOCK_PI" };

struct call {
	enum operation by;
	uint32_t *word;
	unsigned flags;
	const struct timespec *until;
};

static int run(const struct call *call)
{
	switch (call->by) {
	case LOCK:
		return ipckit_futex_lock_pi(call->word, call->flags | IPCKIT_FUTEX_REALTIME, call->until);
	case LOCK2:
		return ipckit_futex_lock_pi(call->word, call->flags, call->until);
	case TRYLOCK:
		return ipckit_futex_trylock_pi(call->word, call->flags);
	default:
		return ipckit_futex_unlock_pi(call->word, call->flags);
	}
}

static struct call usual(enum operation by)
{
	return (struct call){ .by = by, .word = &words->a, .until = &past };
}

/* ---- by the word ---- */

static pid_t owners[6]; /* by the numbers above */

/* Until it is killed: on a word of its own. */
static int stay(const void *arg)
{
	const uint32_t word = 0;

	(void)arg;
	return ipckit_futex_wait(&word, 0, 0, NULL);
}

static int nothing(const void *arg)
{
	(void)arg;
	return 0;
}

static void make_owners(void)
{
	int64_t until = now() + LONG_ENOUGH;

	owners[TID] = (pid_t)my_tid();
	owners[OTHER] = start_asleep(stay, NULL);
	owners[GONE] = start_sleeper(nothing, NULL);
	CHECK_INT(end_of(owners[GONE]), 0);
	owners[ZOMBIE] = start_sleeper(nothing, NULL);
	while (!has_ended(owners[ZOMBIE]) && now() < until)
		usleep(200);
	owners[KERNEL] = has_kernel_threads() ? 2 : 0;
	if (!owners[KERNEL])
		printf("# no kernel threads can be named here: EPERM of FUTEX_LOCK_PI is not met\n");
}

static uint32_t with_owner(uint32_t value)
{
	uint32_t tid = value & FUTEX_TID_MASK;

	return tid < 6 ? (value & ~FUTEX_TID_MASK) | (uint32_t)owners[tid] : value;
}

#define W FUTEX_WAITERS
#define D FUTEX_OWNER_DIED

/* What it was, what each says, and what it then is: who fails to lock leaves FUTEX_WAITERS behind. */
static const struct {
	const char *name;
	uint32_t value;
	int says[OPERATIONS];
	uint32_t is[OPERATIONS];
} values[] = {
	{ "free", 0, { 0, 0, 0, -EPERM }, { TID, TID, TID, 0 } },
	{ "waiters alone", W, { 0, 0, 0, -EPERM }, { TID, TID, TID, W } },
	{ "owner died", D, { 0, 0, 0, -EPERM }, { D | TID, D | TID, D | TID, D } },
	{ "owner died, waiters", D | W, { 0, 0, 0, -EPERM }, { D | TID, D | TID, D | TID, D | W } },
	{ "own", TID, { -EDEADLK, -EDEADLK, -EDEADLK, 0 }, { TID, TID, TID, 0 } },
	{ "own, waiters", TID | W, { -EDEADLK, -EDEADLK, -EDEADLK, 0 }, { TID | W, TID | W, TID | W, 0 } },
	{ "own, owner died", TID | D, { -EDEADLK, -EDEADLK, -EDEADLK, 0 }, { TID | D, TID | D, TID | D, 0 } },
	{ "another's", OTHER, { -ETIMEDOUT, -ETIMEDOUT, -EAGAIN, -EPERM },
	  { OTHER | W, OTHER | W, OTHER | W, OTHER } },
	{ "another's, waiters", OTHER | W, { -ETIMEDOUT, -ETIMEDOUT, -EAGAIN, -EPERM },
	  { OTHER | W, OTHER | W, OTHER | W, OTHER | W } },
	{ "gone", GONE, { -ESRCH, -ESRCH, -ESRCH, -EPERM }, { GONE | W, GONE | W, GONE | W, GONE } },
	{ "gone, waiters", GONE | W, { -ESRCH, -ESRCH, -ESRCH, -EPERM },
	  { GONE | W, GONE | W, GONE | W, GONE | W } },
	{ "gone, owner died", GONE | D, { -ESRCH, -ESRCH, -ESRCH, -EPERM },
	  { GONE | D | W, GONE | D | W, GONE | D | W, GONE | D } },
	{ "no thread id", FUTEX_TID_MASK, { -ESRCH, -ESRCH, -ESRCH, -EPERM },
	  { FUTEX_TID_MASK | W, FUTEX_TID_MASK | W, FUTEX_TID_MASK | W, FUTEX_TID_MASK } },
	{ "a zombie", ZOMBIE, { -ESRCH, -ESRCH, -ESRCH, -EPERM },
	  { ZOMBIE | W, ZOMBIE | W, ZOMBIE | W, ZOMBIE } },
	{ "a kernel thread", KERNEL, { -EPERM, -EPERM, -EPERM, -EPERM },
	  { KERNEL | W, KERNEL | W, KERNEL | W, KERNEL } },
};

static void test_values(void)
{
	char row[100];

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		for (enum operation by = LOCK; by < OPERATIONS; by++) {
			const struct call call = usual(by);

			if (values[i].value == KERNEL && !owners[KERNEL])
				continue;
			set_value(&words->a, with_owner(values[i].value));
			snprintf(row, sizeof(row), "%s: %s", names[by], values[i].name);
			CHECK_INT_FOR(row, run(&call), values[i].says[by]);
			CHECK_INT_FOR(row, value_of(&words->a), with_owner(values[i].is[by]));
		}
}

/* ---- by the call ---- */

static const struct timespec negative = { .tv_sec = -1 }, much = { .tv_nsec = SECOND };

static void is_private(struct call *call)
{
	call->flags = IPCKIT_FUTEX_PRIVATE;
}

static void is_futex2(struct call *call)
{
	call->flags = IPCKIT_FUTEX_2;
}

static void is_realtime(struct call *call)
{
	call->flags = IPCKIT_FUTEX_REALTIME;
}

static void is_unaligned(struct call *call)
{
	call->word = bad.unaligned;
}

static void is_unmapped(struct call *call)
{
	call->word = bad.unmapped;
}

static void is_untouchable(struct call *call)
{
	call->word = bad.untouchable;
}

static void is_read_only(struct call *call)
{
	call->word = bad.read_only;
}

static void is_shrunk(struct call *call)
{
	call->word = bad.shrunk;
}

static void is_negative(struct call *call)
{
	call->until = &negative;
}

static void is_much(struct call *call)
{
	call->until = &much;
}

static void is_nowhere(struct call *call)
{
	call->until = (const struct timespec *)(const void *)bad.unmapped;
}

/* The word is free, so that what is said is not of its value; but for UNLOCK, whose is this thread's. */
static const struct {
	const char *name;
	void (*make)(struct call *call);
	int says[OPERATIONS];
} conditions[] = {
	{ "private", is_private, { 0, 0, 0, 0 } },
	{ "the newer call", is_futex2, { -EOPNOTSUPP, -EOPNOTSUPP, -EOPNOTSUPP, -EOPNOTSUPP } },
	{ "CLOCK_REALTIME", is_realtime, { 0, 0, -ENOSYS, -ENOSYS } },
	{ "not aligned", is_unaligned, { -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
	{ "not mapped", is_unmapped, { -EFAULT, -EFAULT, -EFAULT, -EFAULT } },
	{ "not readable", is_untouchable, { -EFAULT, -EFAULT, -EFAULT, -EFAULT } },
	{ "read-only", is_read_only, { -EFAULT, -EFAULT, -EFAULT, -EFAULT } },
	{ "the file shrank", is_shrunk, { -EFAULT, -EFAULT, -EFAULT, -EFAULT } },
	{ "tv_sec -1", is_negative, { -EINVAL, -EINVAL, NO, NO } },
	{ "tv_nsec 1000000000", is_much, { -EINVAL, -EINVAL, NO, NO } },
	{ "the time is not mapped", is_nowhere, { -EFAULT, -EFAULT, NO, NO } },
};

static void test_conditions(void)
{
	const uint32_t own = my_tid();
	char row[100];

	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++)
		for (enum operation by = LOCK; by < OPERATIONS; by++) {
			struct call call = usual(by);

			if (conditions[i].says[by] == NO)
				continue;
			clear_words();
			conditions[i].make(&call);
			/* So also where it stands between two words. */
			if (by == UNLOCK)
				memcpy((char *)words + (call.word == bad.unaligned ? 2 : 0), &own, sizeof(own));
			snprintf(row, sizeof(row), "%s: %s", names[by], conditions[i].name);
			CHECK_INT_FOR(row, run(&call), conditions[i].says[by]);
		}
	clear_words();
	CHECK_INT(bare(&words->a, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, 0, NULL, 0), -ENOSYS);
	CHECK_INT(bare(&words->a, 13 /* LOCK_PI2 */ | FUTEX_CLOCK_REALTIME, 0, 0, NULL, 0), 0);
	CHECK_INT(value_of(&words->a), my_tid());
	/* Whose it is, is looked at before where it stands. */
	clear_words();
	CHECK_INT(ipckit_futex_unlock_pi(bad.unaligned, 0), -EPERM);
	CHECK_INT(ipckit_futex_unlock_pi(bad.read_only, 0), -EPERM);
}

static void test_clocks(void)
{
	for (enum operation by = LOCK; by <= LOCK2; by++) {
		const struct timespec until = in(by == LOCK ? CLOCK_REALTIME : CLOCK_MONOTONIC, 30 * MS);
		struct call call = usual(by);
		int64_t began = now();

		set_value(&words->a, (uint32_t)owners[OTHER]);
		call.until = &until;
		CHECK_INT_FOR(names[by], run(&call), -ETIMEDOUT);
		CHECK_FOR(names[by], now() - began >= 29 * MS && now() - began < LONG_ENOUGH);
	}
}

/* ---- sleepers ---- */

static int lock_b_then_a(const void *arg)
{
	int r = ipckit_futex_lock_pi(&words->b, 0, NULL);

	(void)arg;
	if (!r)
		r = ipckit_futex_lock_pi(&words->a, 0, NULL);
	if (!r)
		r = ipckit_futex_unlock_pi(&words->a, 0);
	return r ? r : ipckit_futex_unlock_pi(&words->b, 0);
}

static int lock_c_then_b(const void *arg)
{
	int r = ipckit_futex_lock_pi(&words->c, 0, NULL);

	(void)arg;
	if (!r)
		r = ipckit_futex_lock_pi(&words->b, 0, NULL);
	if (!r)
		r = ipckit_futex_unlock_pi(&words->b, 0);
	return r ? r : ipckit_futex_unlock_pi(&words->c, 0);
}

/* A-B-B-A, and a circle of three. */
static void test_deadlock(void)
{
	pid_t second, third;

	for (enum operation by = LOCK; by <= TRYLOCK; by++) {
		struct call call = usual(by);

		clear_words();
		CHECK_INT(ipckit_futex_lock_pi(&words->a, 0, NULL), 0);
		second = start_asleep(lock_b_then_a, NULL);
		third = start_asleep(lock_c_then_b, NULL);
		call.until = NULL;
		call.word = &words->b;
		CHECK_INT_FOR(names[by], run(&call), by == TRYLOCK ? -EAGAIN : -EDEADLK);
		call.word = &words->c;
		CHECK_INT_FOR(names[by], run(&call), by == TRYLOCK ? -EAGAIN : -EDEADLK);
		CHECK_INT_FOR(names[by], value_of(&words->c), (uint32_t)third | W);
		CHECK_INT_FOR(names[by], ipckit_futex_unlock_pi(&words->a, 0), 0);
		CHECK_INT_FOR(names[by], end_of(second), 0);
		CHECK_INT_FOR(names[by], end_of(third), 0);
	}
}

static int wait_on_a(const void *arg)
{
	return ipckit_futex_wait(&words->a, *(const uint32_t *)arg, 0, NULL);
}

/* Who sleeps there without wanting the lock. */
static void test_plain_sleeper(void)
{
	const uint32_t own = my_tid(), others = (uint32_t)owners[OTHER];
	unsigned woken;
	pid_t pid;

	for (enum operation by = LOCK; by < OPERATIONS; by++) {
		const struct call call = usual(by);
		const uint32_t *value = by == UNLOCK ? &own : &others;

		set_value(&words->a, *value);
		pid = start_asleep(wait_on_a, value);
		CHECK_INT_FOR(names[by], run(&call), -EINVAL);
		CHECK_FOR(names[by], is_asleep(pid));
		CHECK_INT_FOR(names[by], value_of(&words->a), *value);
		CHECK_INT(ipckit_futex_wake(&words->a, 1, IPCKIT_FUTEX_ALL, 0, &woken), 0);
		CHECK_INT_FOR(names[by], end_of(pid), 0);
	}
}

/* ---- owners that die ---- */

static int lock_and_stay(const void *arg)
{
	int r = ipckit_futex_lock_pi(&words->a, 0, NULL);

	return r ? r : stay(arg);
}

/* Without a robust list it is told to who waits, and to nobody else. */
static void test_death(void)
{
	int64_t until = now() + LONG_ENOUGH;
	pid_t owner, next;
	unsigned died;

	clear_words();
	owner = start_asleep(lock_and_stay, NULL);
	next = start_asleep(lock_and_stay, NULL);
	kill_off(owner);
	while ((value_of(&words->a) & FUTEX_TID_MASK) != (uint32_t)next && now() < until)
		usleep(200);
	died = value_of(&words->a);
	CHECK_INT(died & ~W, (uint32_t)next | D);
	kill_off(next);
	CHECK_INT(value_of(&words->a), died);
	CHECK_INT(ipckit_futex_lock_pi(&words->a, 0, NULL), -ESRCH);
}

/* ---- signals ---- */

#ifndef LATE_SIGNALS

static volatile sig_atomic_t ticks;

static void tick(int signal)
{
	(void)signal;
	if (++ticks == 3)
		set_value(&words->a, 0);
}

/* It is begun again, whatever the handler was installed with. */
static void test_signals(void)
{
	const struct itimerval timer = { .it_interval.tv_usec = 10000, .it_value.tv_usec = 10000 }, off = { 0 };
	struct sigaction action = { .sa_handler = tick };

	for (int timed = 0; timed < 2; timed++) {
		const struct timespec until = in(CLOCK_MONOTONIC, 2 * LONG_ENOUGH);

		ticks = 0;
		set_value(&words->a, (uint32_t)owners[OTHER]);
		sigaction(SIGALRM, &action, NULL);
		setitimer(ITIMER_REAL, &timer, NULL);
		CHECK_INT(ipckit_futex_lock_pi(&words->a, 0, timed ? &until : NULL), 0);
		setitimer(ITIMER_REAL, &off, NULL);
		CHECK(ticks >= 3);
		CHECK_INT(ipckit_futex_unlock_pi(&words->a, 0), 0);
	}
}

#endif

int main(void)
{
	if (!share_words())
		return unit_done("futexes, PI");
	clear_words();
	make_owners();
	test_values();
	test_conditions();
	test_clocks();
	test_deadlock();
	test_plain_sleeper();
	test_death();
#ifndef LATE_SIGNALS
	test_signals();
#endif
	kill_off(owners[OTHER]);
	kill_off(owners[ZOMBIE]);
	return unit_done("futexes, PI");
}
