/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "locks.h"

#define PROCESSES 8
#define ROUNDS (UNIT_SANITIZED ? 2000 : 10000)
#define KILLS (UNIT_SANITIZED ? 60 : 300)
#define THREADS 4
#define WAITERS 3

static const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };

static int take_within(int64_t ns)
{
	const struct ipckit_deadline deadline = in(ns);

	return ipckit_lock_take(&shared->word, &deadline);
}

/* ---- values ---- */

static const struct {
	const char *what;
	uint32_t value;
	int take, give;
	uint32_t taken, given;
} values[] = {
	{ "free", 0, 0, -EPERM, 1, 0 },
	{ "held", 1, -EAGAIN, 0, 1, 0 },
	{ "waited for", 2, -EAGAIN, 0, 2, 0 },
	{ "a thread's", 3, -EBADMSG, -EBADMSG, 3, 3 },
	{ "a thread's that died", FUTEX_OWNER_DIED, -EBADMSG, -EBADMSG, FUTEX_OWNER_DIED, FUTEX_OWNER_DIED },
	{ "waiters", FUTEX_WAITERS | 1, -EBADMSG, -EBADMSG, FUTEX_WAITERS | 1, FUTEX_WAITERS | 1 },
	{ "all bits", UINT32_MAX, -EBADMSG, -EBADMSG, UINT32_MAX, UINT32_MAX },
};

static void test_values(void)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		set_value(&shared->word, values[i].value);
		CHECK_INT_FOR(values[i].what, take_within(0), values[i].take);
		CHECK_INT_FOR(values[i].what, value_of(&shared->word), values[i].taken);
		set_value(&shared->word, values[i].value);
		CHECK_INT_FOR(values[i].what, ipckit_lock_give(&shared->word), values[i].give);
		CHECK_INT_FOR(values[i].what, value_of(&shared->word), values[i].given);
		if (values[i].take != -EBADMSG)
			continue;
		set_value(&shared->word, values[i].value);
		CHECK_INT_FOR(values[i].what, ipckit_lock_take(&shared->word, &forever), -EBADMSG);
	}
	set_value(&shared->word, 0);
}

/* ---- the ends of a wait ---- */

static void test_deadline(void)
{
	int64_t began = now(), took;

	set_value(&shared->word, 1);
	CHECK_INT(take_within(30 * MS), -ETIMEDOUT);
	took = now() - began;
	CHECK(took >= 30 * MS && took < LONG_ENOUGH);
	CHECK_INT(value_of(&shared->word), 2);

	/* Beyond the second after which it looks again, and through signals. */
	tick_each(5000);
	began = now();
	CHECK_INT(take_within(1100 * MS), -ETIMEDOUT);
	took = now() - began;
	CHECK(took >= 1100 * MS && took < LONG_ENOUGH);
	CHECK(ticks > 0);
	tick_no_more();
	set_value(&shared->word, 0);
}

static void test_stop(void)
{
	struct ipckit_deadline deadline = { .kind = IPCKIT_DEADLINE_NONE, .stop = &stop };

	set_value(&shared->word, 1);
	stop_at = 5;
	tick_each(2000);
	CHECK_INT(ipckit_lock_take(&shared->word, &deadline), -EINTR);
	CHECK(ticks >= 5);
	deadline.kind = IPCKIT_DEADLINE_TRY;
	CHECK_INT(ipckit_lock_take(&shared->word, &deadline), -EINTR);
	tick_no_more();
	set_value(&shared->word, 0);
}

/* ---- processes ---- */

static int take_and_give(void)
{
	int r = take_within(LONG_ENOUGH);

	if (r)
		return 9;
	words->holder = getpid();
	words->holder = 0;
	r = ipckit_lock_give(&shared->word);
	__atomic_add_fetch(&words->done, 1, __ATOMIC_SEQ_CST);
	return r ? 8 : 0;
}

static int count(void)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (take_within(LONG_ENOUGH))
			return 9;
		shared->a++;
		if (ipckit_lock_give(&shared->word))
			return 8;
	}
	return 0;
}

/* Each second it would be found without: that takes longer. */
static void test_wake(void)
{
	int64_t began = now();
	const int times = 30;

	for (int i = 0; i < times; i++) {
		pid_t pid;

		if (!CHECK_INT(take_within(0), 0))
			return;
		pid = start(take_and_give);
		CHECK(await_sleep(pid, &shared->word));
		CHECK_INT(value_of(&shared->word), 2);
		CHECK_INT(ipckit_lock_give(&shared->word), 0);
		CHECK_INT(end_of(pid), 0);
	}
	CHECK(now() - began < times * SECOND / 2);
}

/* A word that was given back without waking anybody. */
static void test_look_again(void)
{
	pid_t pid;

	set_value(&shared->word, 1);
	pid = start(take_and_give);
	CHECK(await_sleep(pid, &shared->word));
	set_value(&shared->word, 0);
	CHECK_INT(end_of(pid), 0);
	CHECK_INT(value_of(&shared->word), 0);
}

/* ---- waiters that are killed ---- */

/* One of some that wait is killed around the time at which it may get the lock. */
static void test_kill(unsigned *seed)
{
	pid_t pids[WAITERS];
	int first;

	words->done = 0;
	if (!CHECK_INT(take_within(0), 0))
		return;
	for (unsigned i = 0; i < WAITERS; i++)
		pids[i] = start(take_and_give);
	CHECK(await_sleep(pids[0], &shared->word));
	CHECK_INT(ipckit_lock_give(&shared->word), 0);
	for (unsigned i = (unsigned)rand_r(seed) % 2000; i; i--)
		__asm__ volatile("");
	kill(pids[0], SIGKILL);
	first = end_of(pids[0]);
	CHECK(first == 0 || first == 128 + SIGKILL);
	await_done(first ? pids + 1 : pids, first ? WAITERS - 1 : WAITERS, first ? pids[0] : 0);
	for (unsigned i = 1; i < WAITERS; i++)
		CHECK_INT(end_of(pids[i]), 0);
	CHECK_INT(value_of(&shared->word), 0);
}

static void test_kills(unsigned seed)
{
	for (int i = 0; i < KILLS / GROUPS && !unit_failures; i++)
		test_kill(&seed);
	if (holder_died)
		printf("# killed with the lock: %u of %d\n", holder_died, KILLS / GROUPS);
}

/* ---- threads ---- */

static volatile bool failed; /* their checks are not counted in there */

static void *count_in_thread(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		if (ipckit_lock_take(&shared->word, &forever))
			failed = true;
		shared->a++;
		if (ipckit_lock_give(&shared->word))
			failed = true;
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];

	shared->a = 0;
	for (unsigned i = 0; i < THREADS; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, count_in_thread, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(!failed);
	CHECK_INT(shared->a, (uint64_t)THREADS * (ROUNDS / 4));
}

int main(void)
{
	if (!share_words())
		return unit_done("lock");
	test_values();
	test_deadline();
	test_stop();
	test_wake();
	test_look_again();
	check_count(count, PROCESSES, ROUNDS);
	run_groups(test_kills);
	test_threads();
	return unit_done("lock");
}
