/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The operations that wake and move: whom, how many, and what each says in each condition. */

#include "futexes.h"

#define NO 1 /* the operation has no such condition */

enum operation { WAKE, WAKE_BITSET, WAKE2, REQUEUE, CMP_REQUEUE, REQUEUE2, OPERATIONS };

static const char *const names[] = { "FUTEX_WAKE",    "FUTEX_WAKE_BITSET", "futex_wake",
				     "FUTEX_REQUEUE", "FUTEX_CMP_REQUEUE", "futex_requeue" };

struct wake {
	enum operation by;
	const uint32_t *word, *to;
	uint32_t count, move, bitset, expected;
	unsigned flags;
};

/* How many were woken, or woken and moved. */
static int run(const struct wake *wake)
{
	unsigned flags = wake->flags, count = 4711;
	int r;

	if (wake->by == WAKE2 || wake->by == REQUEUE2)
		flags |= IPCKIT_FUTEX_2;
	if (wake->by < REQUEUE)
		r = ipckit_futex_wake(wake->word, wake->count, wake->bitset, flags, &count);
	else if (wake->by == REQUEUE)
		r = ipckit_futex_requeue(wake->word, wake->to, wake->count, wake->move, flags, &count);
	else
		r = ipckit_futex_cmp_requeue(wake->word, wake->to, wake->expected, wake->count, wake->move, flags,
					     &count);
	CHECK_INT_FOR(names[wake->by], r ? count == 4711 : count <= 2 * MOST_SLEEPERS, true);
	return r ? r : (int)count;
}

static struct wake usual(enum operation by)
{
	return (struct wake){ .by = by, .word = &words->a, .to = &words->b, .count = 1, .move = 1,
			      .bitset = by == WAKE_BITSET ? 0xf : IPCKIT_FUTEX_ALL };
}

/* ---- what is said at once ---- */

static void is_nobody(struct wake *wake)
{
	wake->count = IPCKIT_FUTEX_ALL;
	wake->move = IPCKIT_FUTEX_ALL;
}

static void is_private(struct wake *wake)
{
	wake->flags = IPCKIT_FUTEX_PRIVATE;
}

static void is_realtime(struct wake *wake)
{
	wake->flags = IPCKIT_FUTEX_REALTIME;
}

static void is_futex2(struct wake *wake)
{
	wake->flags = IPCKIT_FUTEX_2;
}

static void no_bitset(struct wake *wake)
{
	wake->bitset = 0;
}

static void differs(struct wake *wake)
{
	wake->expected = 1;
}

static void is_unaligned(struct wake *wake)
{
	wake->word = bad.unaligned;
}

static void is_unmapped(struct wake *wake)
{
	wake->word = bad.unmapped;
}

static void is_unmapped_private(struct wake *wake)
{
	wake->word = bad.unmapped;
	wake->flags = IPCKIT_FUTEX_PRIVATE;
}

static void is_untouchable(struct wake *wake)
{
	wake->word = bad.untouchable;
}

static void is_read_only(struct wake *wake)
{
	wake->word = bad.read_only;
}

static void is_shrunk(struct wake *wake)
{
	wake->word = bad.shrunk;
}

static void to_itself(struct wake *wake)
{
	wake->to = wake->word;
}

static void to_unaligned(struct wake *wake)
{
	wake->to = bad.unaligned;
}

static void to_unmapped(struct wake *wake)
{
	wake->to = bad.unmapped;
}

static void to_read_only(struct wake *wake)
{
	wake->to = bad.read_only + 1;
}

static void to_shrunk(struct wake *wake)
{
	wake->to = bad.shrunk;
}

/* With counts of 0, too. */
static const struct {
	const char *name;
	void (*make)(struct wake *wake);
	int says[OPERATIONS];
} conditions[] = {
	{ "nobody sleeps", is_nobody, { 0, 0, 0, 0, 0, 0 } },
	{ "private", is_private, { 0, 0, 0, 0, 0, 0 } },
	{ "CLOCK_REALTIME", is_realtime, { -ENOSYS, -ENOSYS, -ENOSYS, -ENOSYS, -ENOSYS, -ENOSYS } },
	{ "the newer call", is_futex2, { NO, NO, 0, -EOPNOTSUPP, NO, 0 } },
	{ "no bitset", no_bitset, { NO, -EINVAL, -EINVAL, NO, NO, NO } },
	{ "the word differs", differs, { NO, NO, NO, NO, -EAGAIN, -EAGAIN } },
	{ "not aligned", is_unaligned, { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
	{ "not mapped", is_unmapped, { -EFAULT, -EFAULT, -EFAULT, -EFAULT, -EFAULT, -EFAULT } },
	{ "not mapped, private", is_unmapped_private, { 0, 0, 0, 0, -EFAULT, -EFAULT } },
	{ "not readable", is_untouchable, { -EFAULT, -EFAULT, -EFAULT, -EFAULT, -EFAULT, -EFAULT } },
	{ "read-only", is_read_only, { 0, 0, 0, 0, 0, 0 } },
	{ "the file shrank", is_shrunk, { -EFAULT, -EFAULT, -EFAULT, -EFAULT, -EFAULT, -EFAULT } },
	{ "to the same word", to_itself, { NO, NO, NO, 0, 0, 0 } },
	{ "to one not aligned", to_unaligned, { NO, NO, NO, -EINVAL, -EINVAL, -EINVAL } },
	{ "to one not mapped", to_unmapped, { NO, NO, NO, -EFAULT, -EFAULT, -EFAULT } },
	{ "to one read-only", to_read_only, { NO, NO, NO, 0, 0, 0 } },
	{ "to one whose file shrank", to_shrunk, { NO, NO, NO, -EFAULT, -EFAULT, -EFAULT } },
};

static void check_condition(size_t i, enum operation by, bool none)
{
	struct wake wake = usual(by);
	char row[100];

	clear_words();
	conditions[i].make(&wake);
	if (none)
		wake.count = wake.move = 0;
	snprintf(row, sizeof(row), "%s%s: %s", names[by], none ? " of none" : "", conditions[i].name);
	CHECK_INT_FOR(row, run(&wake), conditions[i].says[by]);
	CHECK_INT_FOR(row, value_of(&words->a), 0);
	CHECK_INT_FOR(row, value_of(&words->b), 0);
}

static void test_conditions(void)
{
	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++)
		for (enum operation by = WAKE; by < OPERATIONS; by++) {
			if (conditions[i].says[by] == NO)
				continue;
			check_condition(i, by, false);
			check_condition(i, by, true);
		}
	/* Counts below 0 cannot be asked for here; the kernel: */
	CHECK_INT(bare(&words->a, FUTEX_REQUEUE, (uint32_t)-1, 0, &words->b, 0), -EINVAL);
	CHECK_INT(bare(&words->a, FUTEX_REQUEUE, 0, -1, &words->b, 0), -EINVAL);
	CHECK_INT(bare(&words->a, FUTEX_CMP_REQUEUE, (uint32_t)-1, 0, &words->b, 0), -EINVAL);
}

/* ---- how many ---- */

static void test_counts(void)
{
	static const struct {
		uint32_t count;
		int woken;
	} rows[] = { { 0, 0 }, { 1, 1 }, { 3, 3 }, { IPCKIT_FUTEX_ALL, 4 } };

	for (enum operation by = WAKE; by < REQUEUE; by++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			struct wake wake = usual(by);
			pid_t pids[4];

			clear_words();
			put_to_sleep(&words->a, 4, pids);
			/* Private ones are others. */
			wake.flags = IPCKIT_FUTEX_PRIVATE;
			CHECK_INT_FOR(names[by], run(&wake), 0);
			wake.flags = 0;
			wake.count = rows[i].count;
			CHECK_INT_FOR(names[by], run(&wake), rows[i].woken);
			CHECK_INT_FOR(names[by], sleepers(&words->a), 4 - rows[i].woken);
			end_all(pids, 4);
		}
}

/* What makes 0 a case for the library. */
static void test_bare_counts(void)
{
	static const int counts[] = { 0, INT32_MIN };
	pid_t pids[6];

	clear_words();
	put_to_sleep(&words->a, 6, pids);
	CHECK_INT(bare(&words->a, FUTEX_WAKE_BITSET, 0, 0, NULL, 1), 1);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		CHECK_INT(bare(&words->a, FUTEX_WAKE, (uint32_t)counts[i], 0, NULL, 0), 1);
	CHECK_INT(sleepers(&words->a), 3);
	/* The newer call takes 0 for none, and less for one. */
	CHECK_INT(syscall(454, &words->a, (unsigned long)UINT32_MAX, 0, 2), 0);
	CHECK_INT(sleepers(&words->a), 3);
	CHECK_INT(syscall(454, &words->a, (unsigned long)UINT32_MAX, -1, 2), 1);
	CHECK_INT(sleepers(&words->a), 2);
	end_all(pids, 6);
}

static void test_bitsets(void)
{
	static const uint32_t bitsets[] = { 1, 2, 6, 0x80000000u };
	static const struct {
		uint32_t bitset;
		int woken[2]; /* by number, 0: nobody (else) */
	} rows[] = { { 8, { 0 } }, { 4, { 3 } }, { 2, { 2 } }, { 0x80000001u, { 1, 4 } } };

	for (enum operation by = WAKE_BITSET; by <= WAKE2; by++) {
		struct wake wake = usual(by);
		pid_t pids[4];

		clear_words();
		for (unsigned i = 0; i < 4; i++) {
			const struct sleeper sleeper = { &words->a, bitsets[i], i + 1 };

			pids[i] = start_asleep(sleep_on, &sleeper);
		}
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			const int *woken = rows[i].woken;

			wake.bitset = rows[i].bitset;
			wake.count = IPCKIT_FUTEX_ALL;
			CHECK_INT_FOR(names[by], run(&wake), !!woken[0] + !!woken[1]);
			for (int k = 0; k < 2 && woken[k]; k++)
				CHECK_INT_FOR(names[by], end_of(pids[woken[k] - 1]), 0);
		}
		CHECK_INT_FOR(names[by], words->arrived, 4);
	}
}

/* ---- moving ---- */

static const struct {
	uint32_t wake, move;
	int affected, left, moved;
} moves[] = {
	{ 0, 0, 0, 5, 0 }, { 1, 0, 1, 4, 0 }, { 0, 2, 2, 3, 2 },
	{ 2, 2, 4, 1, 2 }, { 1, IPCKIT_FUTEX_ALL, 5, 0, 4 }, { IPCKIT_FUTEX_ALL, 1, 5, 0, 0 },
};

static void check_move(enum operation by, size_t i)
{
	struct wake wake = usual(by);
	char row[100];
	pid_t pids[5];

	clear_words();
	snprintf(row, sizeof(row), "%s %u %u", names[by], moves[i].wake, moves[i].move);
	put_to_sleep(&words->a, 5, pids);
	wake.count = moves[i].wake;
	wake.move = moves[i].move;
	wake.expected = 1;
	if (by != REQUEUE)
		CHECK_INT_FOR(row, run(&wake), -EAGAIN);
	CHECK_INT_FOR(row, sleepers(&words->a), 5);
	wake.expected = 0;
	wake.flags = IPCKIT_FUTEX_PRIVATE;
	CHECK_INT_FOR(row, run(&wake), 0);
	wake.flags = 0;
	CHECK_INT_FOR(row, run(&wake), moves[i].affected);
	CHECK_INT_FOR(row, sleepers(&words->a), moves[i].left);
	CHECK_INT_FOR(row, sleepers(&words->b), moves[i].moved);
	end_all(pids, 5);
}

static void test_moves(void)
{
	for (enum operation by = REQUEUE; by < OPERATIONS; by++)
		for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++)
			check_move(by, i);
}

/* Bitsets go along; so does the place in the line. */
static void test_moved(void)
{
	struct wake wake = usual(REQUEUE);
	pid_t pids[3];

	clear_words();
	for (unsigned i = 0; i < 3; i++) {
		const struct sleeper sleeper = { &words->a, 1u << i, i + 1 };

		pids[i] = start_asleep(sleep_on, &sleeper);
	}
	wake.count = 0;
	wake.move = IPCKIT_FUTEX_ALL;
	CHECK_INT(run(&wake), 3);
	wake = usual(WAKE_BITSET);
	CHECK_INT(run(&wake), 0);
	wake.word = &words->b;
	wake.bitset = 2;
	CHECK_INT(run(&wake), 1);
	CHECK_INT(end_of(pids[1]), 0);
	wake.bitset = 7;
	CHECK_INT(run(&wake), 1);
	CHECK_INT(end_of(pids[0]), 0);
	CHECK_INT(run(&wake), 1);
	CHECK_INT(end_of(pids[2]), 0);
}

/* ---- sleepers of the other kind ---- */

static int lock(const void *arg)
{
	(void)arg;
	return ipckit_futex_lock_pi(&words->a, 0, NULL);
}

static int wait_for_lock(const void *arg)
{
	(void)arg;
	return ipckit_futex_wait_requeue_pi(&words->a, 0, &words->c, 0, NULL);
}

static void check_other(const char *who, pid_t pid)
{
	for (enum operation by = WAKE; by < OPERATIONS; by++) {
		struct wake wake = usual(by);
		char row[100];

		snprintf(row, sizeof(row), "%s, %s", names[by], who);
		wake.expected = value_of(&words->a);
		CHECK_INT_FOR(row, run(&wake), -EINVAL);
		wake.count = wake.move = 0;
		CHECK_INT_FOR(row, run(&wake), 0);
		CHECK_FOR(row, is_asleep(pid));
	}
}

/* What the operation changes is changed, whoever is found then. */
static void check_wake_op(const char *who, pid_t pid)
{
	const struct ipckit_futex_wake_op op = { .op = IPCKIT_FUTEX_OP_ADD, .arg = 1, .cmp = FUTEX_OP_CMP_NE,
						 .cmparg = -1 };
	unsigned woken;

	set_value(&words->d, 0);
	CHECK_INT_FOR(who, ipckit_futex_wake_op(&words->a, &words->d, &op, 1, 1, 0, &woken), -EINVAL);
	CHECK_INT_FOR(who, value_of(&words->d), 1);
	CHECK_INT_FOR(who, ipckit_futex_wake_op(&words->a, &words->d, &op, 1, 0, 0, &woken), -EINVAL);
	CHECK_INT_FOR(who, value_of(&words->d), 2);
	CHECK_FOR(who, is_asleep(pid));
}

static void test_others(void)
{
	unsigned affected;
	pid_t pid;

	clear_words();
	set_value(&words->a, my_tid());
	pid = start_asleep(lock, NULL);
	check_other("FUTEX_LOCK_PI2 sleeps", pid);
	check_wake_op("FUTEX_LOCK_PI2 sleeps", pid);
	CHECK_INT(ipckit_futex_unlock_pi(&words->a, 0), 0);
	CHECK_INT(end_of(pid), 0);

	clear_words();
	pid = start_asleep(wait_for_lock, NULL);
	check_other("FUTEX_WAIT_REQUEUE_PI sleeps", pid);
	check_wake_op("FUTEX_WAIT_REQUEUE_PI sleeps", pid);
	CHECK_INT(ipckit_futex_cmp_requeue_pi(&words->a, &words->c, 0, 0, 0, &affected), 0);
	CHECK_INT(end_of(pid), 0);
}

static void test_fd(void)
{
	int fd = 4711;

	CHECK_INT(ipckit_futex_fd(&words->a, &fd), -ENOSYS);
	CHECK_INT(ipckit_futex_fd(bad.unmapped, &fd), -ENOSYS);
	CHECK_INT(fd, 4711);
}

int main(void)
{
	if (!share_words())
		return unit_done("futexes, wakes");
	test_conditions();
	test_counts();
	test_bare_counts();
	test_bitsets();
	test_moves();
	test_moved();
	test_others();
	test_fd();
	return unit_done("futexes, wakes");
}
