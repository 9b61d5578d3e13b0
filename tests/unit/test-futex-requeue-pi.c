/* SPDX-License-Identifier: GPL-2.0-or-later */

/* FUTEX_WAIT_REQUEUE_PI with FUTEX_CMP_REQUEUE_PI: a waits for a condition, b is the lock. */

#include "futexes.h"

/* Waits, holds the lock, and says as whom; ends with it. */
static int wait_then_unlock(const void *arg)
{
	int r = ipckit_futex_wait_requeue_pi(&words->a, 0, &words->b, 0, arg);

	if (r)
		return r;
	if ((value_of(&words->b) & FUTEX_TID_MASK) != my_tid())
		return -EOWNERDEAD;
	words->order[words->arrived++] = (unsigned)getpid();
	return ipckit_futex_unlock_pi(&words->b, 0);
}

/* How many were woken or moved. */
static int requeue(uint32_t *word, uint32_t *lock, uint32_t expected, uint32_t move)
{
	unsigned affected = 4711;
	int r = ipckit_futex_cmp_requeue_pi(word, lock, expected, move, 0, &affected);

	CHECK(!r || affected == 4711);
	return r ? r : (int)affected;
}

static int usual(void)
{
	return requeue(&words->a, &words->b, 0, IPCKIT_FUTEX_ALL);
}

/* ---- what succeeds ---- */

/* With the lock free, the first one has it at once. */
static void test_free(void)
{
	pid_t pid;

	clear_words();
	CHECK_INT(usual(), 0);
	pid = start_asleep(wait_then_unlock, NULL);
	CHECK_INT(requeue(&words->a, &words->b, 0, 0), 1);
	CHECK_INT(end_of(pid), 0);
	CHECK_INT(value_of(&words->b), 0);
}

/* With the lock held they wait for it, in their turn. */
static void test_held(void)
{
	pid_t pids[4];

	clear_words();
	CHECK_INT(ipckit_futex_lock_pi(&words->b, 0, NULL), 0);
	for (int i = 0; i < 4; i++)
		pids[i] = start_asleep(wait_then_unlock, NULL);
	CHECK_INT(requeue(&words->a, &words->b, 0, 0), 1);
	CHECK_INT(requeue(&words->a, &words->b, 0, 1), 2);
	CHECK_INT(usual(), 1);
	CHECK_INT(value_of(&words->b), my_tid() | FUTEX_WAITERS);
	for (int i = 0; i < 4; i++)
		CHECK(is_asleep(pids[i]));
	CHECK_INT(ipckit_futex_unlock_pi(&words->b, 0), 0);
	for (int i = 0; i < 4; i++) {
		CHECK_INT(end_of(pids[i]), 0);
		CHECK_INT(words->order[i], pids[i]);
	}
	CHECK_INT(value_of(&words->b), 0);
}

/* ---- what does not ---- */

static void test_arguments(void)
{
	const struct {
		const char *what;
		uint32_t *word, *lock;
		uint32_t expected;
		int says;
	} rows[] = {
		{ "nobody waits", &words->a, &words->b, 0, 0 },
		{ "the word differs", &words->a, &words->b, 1, -EAGAIN },
		{ "the same", &words->a, &words->a, 0, -EINVAL },
		{ "the same, by another address", &words->a, &other->a, 0, -EINVAL },
		{ "word not aligned", bad.unaligned, &words->b, 0, -EINVAL },
		{ "lock not aligned", &words->a, bad.unaligned, 0, -EINVAL },
		{ "word not mapped", bad.unmapped, &words->b, 0, -EFAULT },
		{ "lock not mapped", &words->a, bad.unmapped, 0, -EFAULT },
		{ "word read-only", bad.read_only, &words->b, 0, 0 },
		{ "lock read-only", &words->a, bad.read_only + 1, 0, -EFAULT },
		{ "word's file shrank", bad.shrunk, &words->b, 0, -EFAULT },
		{ "lock's file shrank", &words->a, bad.shrunk, 0, -EFAULT },
	};
	unsigned affected = 4711;

	clear_words();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_INT_FOR(rows[i].what, requeue(rows[i].word, rows[i].lock, rows[i].expected, 1),
			      rows[i].says);
	CHECK_INT(ipckit_futex_cmp_requeue_pi(&words->a, &words->b, 0, 1, IPCKIT_FUTEX_2, &affected), -EOPNOTSUPP);
	CHECK_INT(ipckit_futex_cmp_requeue_pi(&words->a, &words->b, 0, 1, IPCKIT_FUTEX_REALTIME, &affected),
		  -ENOSYS);
	CHECK_INT(affected, 4711);
	/* Another count than 1 cannot be asked for here; the kernel: */
	CHECK_INT(bare(&words->a, FUTEX_CMP_REQUEUE_PI, 0, 1, &words->b, 0), -EINVAL);
	CHECK_INT(bare(&words->a, FUTEX_CMP_REQUEUE_PI, 2, 1, &words->b, 0), -EINVAL);
	CHECK_INT(bare(&words->a, FUTEX_CMP_REQUEUE_PI, 1, -1, &words->b, 0), -EINVAL);
	CHECK_INT(value_of(&words->a), 0);
	CHECK_INT(value_of(&words->b), 0);
}

/* The sleeper is left where it is, and can be moved afterwards. */
static void test_wrong_lock(void)
{
	pid_t pid;

	clear_words();
	pid = start_asleep(wait_then_unlock, NULL);
	CHECK_INT(requeue(&words->a, &words->c, 0, 0), -EINVAL);
	CHECK_INT(requeue(&words->a, &words->c, 0, 1), -EINVAL);
	CHECK_INT(value_of(&words->c), 0);
	CHECK(is_asleep(pid));
	CHECK_INT(usual(), 1);
	CHECK_INT(end_of(pid), 0);
}

static int wait_plainly(const void *arg)
{
	return ipckit_futex_wait(arg, 0, 0, NULL);
}

static void test_plain_sleepers(void)
{
	unsigned woken;
	pid_t pid, plain;

	clear_words();
	plain = start_asleep(wait_plainly, &words->a);
	CHECK_INT(usual(), -EINVAL);
	CHECK_INT(value_of(&words->b), 0);
	CHECK_INT(ipckit_futex_wake(&words->a, 1, IPCKIT_FUTEX_ALL, 0, &woken), 0);
	CHECK_INT(end_of(plain), 0);

	/* On the lock, which is held: */
	plain = start_asleep(wait_plainly, &words->b);
	pid = start_asleep(wait_then_unlock, NULL);
	CHECK_INT(ipckit_futex_lock_pi(&words->b, 0, NULL), -EINVAL);
	set_value(&words->b, my_tid());
	CHECK_INT(usual(), -EINVAL);
	CHECK(is_asleep(pid) && is_asleep(plain));
	CHECK_INT(ipckit_futex_wake(&words->b, 1, IPCKIT_FUTEX_ALL, 0, &woken), 0);
	CHECK_INT(end_of(plain), 0);
	CHECK_INT(usual(), 1);
	CHECK_INT(ipckit_futex_unlock_pi(&words->b, 0), 0);
	CHECK_INT(end_of(pid), 0);
}

static int lock_a(const void *arg)
{
	int r = ipckit_futex_lock_pi(&words->a, 0, NULL);

	(void)arg;
	return r ? r : ipckit_futex_unlock_pi(&words->a, 0);
}

/* From a lock to another. */
static void test_pi_to_pi(void)
{
	pid_t pid;

	clear_words();
	CHECK_INT(ipckit_futex_lock_pi(&words->a, 0, NULL), 0);
	pid = start_asleep(lock_a, NULL);
	CHECK_INT(requeue(&words->a, &words->b, value_of(&words->a), 1), -EINVAL);
	CHECK(is_asleep(pid));
	CHECK_INT(ipckit_futex_unlock_pi(&words->a, 0), 0);
	CHECK_INT(end_of(pid), 0);
}

static int stay(const void *arg)
{
	const uint32_t word = 0;

	(void)arg;
	return ipckit_futex_wait(&word, 0, 0, NULL);
}

/* By what stands in the lock. Who fails leaves FUTEX_WAITERS behind, as FUTEX_LOCK_PI does. */
static void test_owners(void)
{
	pid_t gone = start_asleep(stay, NULL), pid;

	kill_off(gone);
	clear_words();
	pid = start_asleep(wait_then_unlock, NULL);
	set_value(&words->b, (uint32_t)gone);
	CHECK_INT(usual(), -ESRCH);
	CHECK_INT(value_of(&words->b), (uint32_t)gone | FUTEX_WAITERS);
	set_value(&words->b, (uint32_t)pid);
	CHECK_INT(usual(), -EDEADLK);
	CHECK_INT(value_of(&words->b), (uint32_t)pid);
	if (has_kernel_threads()) {
		set_value(&words->b, 2);
		CHECK_INT(usual(), -EPERM);
	}
	CHECK(is_asleep(pid));
	/* Of an owner that died the mark is left. */
	set_value(&words->b, FUTEX_OWNER_DIED);
	CHECK_INT(requeue(&words->a, &words->b, 0, 0), 1);
	CHECK_INT(end_of(pid), 0);
}

/* It has the lock, and keeps it for itself. */
static int wait_and_stay(const void *arg)
{
	int r = ipckit_futex_wait_requeue_pi(&words->a, 0, &words->b, 0, NULL);

	return r ? r : stay(arg);
}

static void test_mark(void)
{
	pid_t pid;

	clear_words();
	set_value(&words->b, FUTEX_OWNER_DIED);
	pid = start_asleep(wait_and_stay, NULL);
	CHECK_INT(usual(), 1);
	CHECK_INT(value_of(&words->b) & ~FUTEX_WAITERS, (uint32_t)pid | FUTEX_OWNER_DIED);
	kill_off(pid);
}

static int lock_c_and_wait(const void *arg)
{
	int r = ipckit_futex_lock_pi(&words->c, 0, NULL);

	if (!r)
		r = wait_then_unlock(arg);
	return r ? r : ipckit_futex_unlock_pi(&words->c, 0);
}

static int lock_b_then_c(const void *arg)
{
	int r = ipckit_futex_lock_pi(&words->b, 0, NULL);

	(void)arg;
	if (!r)
		r = ipckit_futex_lock_pi(&words->c, 0, NULL);
	if (!r)
		r = ipckit_futex_unlock_pi(&words->c, 0);
	return r ? r : ipckit_futex_unlock_pi(&words->b, 0);
}

/* Whoever holds the lock waits for the one that is to be moved to it. */
static void test_deadlock(void)
{
	pid_t waiter, owner;

	clear_words();
	waiter = start_asleep(lock_c_and_wait, NULL);
	owner = start_asleep(lock_b_then_c, NULL);
	CHECK_INT(usual(), -EDEADLK);
	CHECK(is_asleep(waiter) && is_asleep(owner));
	/* Its lock goes to who waits for it. */
	kill_off(waiter);
	CHECK_INT(end_of(owner), 0);
}

/* ---- what ends the wait ---- */

static void test_timeout(void)
{
	struct timespec until = in(CLOCK_MONOTONIC, 100 * MS);
	pid_t pid;

	/* Before it is moved, and after. */
	clear_words();
	pid = start_sleeper(wait_then_unlock, &until);
	CHECK_INT(end_of(pid), ETIMEDOUT);
	CHECK_INT(ipckit_futex_lock_pi(&words->b, 0, NULL), 0);
	until = in(CLOCK_MONOTONIC, SECOND);
	pid = start_asleep(wait_then_unlock, &until);
	CHECK_INT(usual(), 1);
	CHECK_INT(end_of(pid), ETIMEDOUT);
	CHECK_INT(ipckit_futex_unlock_pi(&words->b, 0), 0);
}

#ifndef LATE_SIGNALS

static void count(int signal)
{
	(void)signal;
	words->flag++;
}

static bool await_count(int least)
{
	int64_t until = now() + LONG_ENOUGH;

	while (words->flag < least && now() < until)
		usleep(200);
	return words->flag >= least;
}

static int wait_through_signals(const void *arg)
{
	struct sigaction action = { .sa_handler = count };

	sigaction(SIGUSR1, &action, NULL);
	return wait_then_unlock(arg);
}

/* It goes on; after the word has changed it is as if it had come too late. */
static void test_signal(void)
{
	pid_t pid;

	clear_words();
	pid = start_asleep(wait_through_signals, NULL);
	kill(pid, SIGUSR1);
	CHECK(await_count(1) && await_asleep(pid));
	set_value(&words->a, 1);
	kill(pid, SIGUSR1);
	CHECK_INT(end_of(pid), EAGAIN);

	/* Once it has been moved it waits for the lock, and for nothing else. */
	clear_words();
	CHECK_INT(ipckit_futex_lock_pi(&words->b, 0, NULL), 0);
	pid = start_asleep(wait_through_signals, NULL);
	CHECK_INT(usual(), 1);
	set_value(&words->a, 1);
	kill(pid, SIGUSR1);
	CHECK_INT(end_of(pid), EAGAIN);
	CHECK_INT(ipckit_futex_unlock_pi(&words->b, 0), 0);
}

#endif

static int lock_b_and_stay(const void *arg)
{
	int r = ipckit_futex_lock_pi(&words->b, 0, NULL);

	return r ? r : stay(arg);
}

static void test_death(void)
{
	pid_t owner, pid;

	clear_words();
	owner = start_asleep(lock_b_and_stay, NULL);
	pid = start_asleep(wait_then_unlock, NULL);
	CHECK_INT(usual(), 1);
	kill_off(owner);
	CHECK_INT(end_of(pid), 0);
	CHECK_INT(words->order[0], pid);
}

int main(void)
{
	if (!share_words())
		return unit_done("futexes, requeue to PI");
	test_free();
	test_held();
	test_arguments();
	test_wrong_lock();
	test_plain_sleepers();
	test_pi_to_pi();
	test_owners();
	test_mark();
	test_deadlock();
	test_timeout();
#ifndef LATE_SIGNALS
	test_signal();
#endif
	test_death();
	return unit_done("futexes, requeue to PI");
}
