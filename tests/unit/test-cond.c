/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "locks.h"

#include "futex.h"

#define CROWD 100
#define ROUNDS (UNIT_SANITIZED ? 4000 : 20000)
#define KILLS (UNIT_SANITIZED ? 60 : 300)
#define WAITERS 3
/* A waiter that nobody wakes looks at the number after five and after ten seconds. */
#define UNAIDED (5 * SECOND)

static const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };

static bool take(void)
{
	const struct ipckit_deadline deadline = in(LONG_ENOUGH);

	return !ipckit_lock_take(&shared->word, &deadline);
}

static int wait_within(int64_t ns)
{
	const struct ipckit_deadline deadline = in(ns);

	return ipckit_cond_wait(&words->cond, &shared->word, &deadline);
}

static bool is_held(void)
{
	return value_of(&shared->word) == 1 || value_of(&shared->word) == 2;
}

/* How many sleep on a word, by moving them to another one and back. */
static int count_sleepers(uint32_t *word)
{
	long there = syscall(SYS_futex, word, FUTEX_REQUEUE, 0, (long)INT_MAX, &words->spare, 0);
	long back = syscall(SYS_futex, &words->spare, FUTEX_REQUEUE, 0, (long)INT_MAX, word, 0);

	return there == back ? (int)there : -1;
}

static bool await_sleepers(uint32_t *word, int count)
{
	int64_t until = now() + LONG_ENOUGH;

	while (count_sleepers(word) != count) {
		if (now() > until)
			return false;
		usleep(200);
	}
	return true;
}

/* ---- answers ---- */

static void test_answers(void)
{
	unsigned affected = 9;

	set_value(&words->cond, UINT32_MAX);
	CHECK_INT(ipckit_cond_signal(&words->cond, &affected), 0);
	CHECK_INT(affected, 0);
	CHECK_INT(value_of(&words->cond), 0);
	affected = 9;
	CHECK_INT(ipckit_cond_broadcast(&words->cond, &shared->word, &affected), 0);
	CHECK_INT(affected, 0);
	CHECK_INT(value_of(&words->cond), 1);
	CHECK_INT(value_of(&shared->word), 0);

	CHECK_INT(ipckit_cond_wait(&words->cond, &shared->word, &forever), -EPERM);
	CHECK_INT(value_of(&shared->word), 0);
	set_value(&shared->word, 4711);
	CHECK_INT(ipckit_cond_wait(&words->cond, &shared->word, &forever), -EBADMSG);
	CHECK_INT(ipckit_cond_broadcast(&words->cond, &shared->word, &affected), -EBADMSG);
	CHECK_INT(value_of(&shared->word), 4711);
	CHECK_INT(value_of(&words->cond), 1);
	set_value(&shared->word, 0);
}

/* ---- the ends of a wait ---- */

static void test_deadline(void)
{
	int64_t began = now(), took;

	CHECK(take());
	CHECK_INT(wait_within(0), -ETIMEDOUT);
	CHECK(is_held());
	CHECK_INT(wait_within(30 * MS), -ETIMEDOUT);
	took = now() - began;
	CHECK(took >= 30 * MS && took < LONG_ENOUGH);
	CHECK(is_held());
	CHECK_INT(ipckit_lock_give(&shared->word), 0);
	CHECK_INT(value_of(&shared->word), 0);
}

static void test_stop(void)
{
	struct ipckit_deadline deadline = { .kind = IPCKIT_DEADLINE_NONE, .stop = &stop };

	CHECK(take());
	stop_at = 5;
	tick_each(2000);
	CHECK_INT(ipckit_cond_wait(&words->cond, &shared->word, &deadline), -EINTR);
	CHECK(ticks >= 5);
	CHECK_INT(value_of(&shared->word), 0);
	/* It is set from the beginning. */
	CHECK(take());
	CHECK_INT(ipckit_cond_wait(&words->cond, &shared->word, &deadline), -EINTR);
	CHECK_INT(value_of(&shared->word), 0);
	tick_no_more();
}

static int wait_once(void)
{
	int r;

	if (!take())
		return 9;
	r = wait_within(LONG_ENOUGH);
	if (!r)
		words->holder = getpid();
	__atomic_add_fetch(&words->done, !r, __ATOMIC_SEQ_CST);
	words->holder = 0;
	return ipckit_lock_give(&shared->word) ? 8 : r ? 7 : 0;
}

static int take_and_keep(void)
{
	return !take();
}

/* Another one has taken the lock meanwhile, and the time is over: that is not waited for. */
static void test_stop_for_the_lock(void)
{
	struct ipckit_deadline deadline = in(20 * MS);
	pid_t pid;

	deadline.stop = &stop;
	CHECK(take());
	pid = start(take_and_keep);
	CHECK(await_sleep(pid, &shared->word));
	stop_at = 40;
	tick_each(2000);
	CHECK_INT(ipckit_cond_wait(&words->cond, &shared->word, &deadline), -EINTR);
	CHECK(ticks >= 40);
	tick_no_more();
	CHECK_INT(end_of(pid), 0);
	CHECK(is_held());
	set_value(&shared->word, 0);
}

static int wait_and_be_stopped(void)
{
	struct ipckit_deadline deadline = { .kind = IPCKIT_DEADLINE_NONE, .stop = &stop };

	if (!take())
		return 9;
	signal(SIGALRM, tick);
	stop_at = 1;
	return ipckit_cond_wait(&words->cond, &shared->word, &deadline) == -EINTR ? 0 : 8;
}

/* Who has been sent a signal, but not yet the lock, and is stopped, passes it on. */
static void test_passed_on(void)
{
	unsigned affected;
	pid_t first, second;

	words->done = 0;
	first = start(wait_and_be_stopped);
	CHECK(await_sleep(first, &words->cond));
	second = start(wait_once);
	CHECK(await_sleep(second, &words->cond));
	CHECK(take());
	CHECK_INT(ipckit_cond_signal(&words->cond, &affected), 0);
	CHECK_INT(affected, 1);
	CHECK(await_sleep(first, &shared->word));
	CHECK_INT(words->done, 0);
	while (waitid(P_PID, (id_t)first, &(siginfo_t){ 0 }, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       sleeps_on(first, &shared->word)) {
		kill(first, SIGALRM);
		usleep(1000);
	}
	CHECK_INT(end_of(first), 0);
	CHECK(await_sleep(second, &shared->word));
	CHECK_INT(ipckit_lock_give(&shared->word), 0);
	CHECK_INT(end_of(second), 0);
	CHECK_INT(words->done, 1);
}

/* ---- signals ---- */

static void test_signal(void)
{
	int64_t began = now();
	pid_t pids[WAITERS];
	unsigned affected;

	words->done = 0;
	for (unsigned i = 0; i < WAITERS; i++)
		pids[i] = start(wait_once);
	CHECK(await_sleepers(&words->cond, WAITERS));
	for (unsigned i = 0; i < WAITERS; i++) {
		CHECK_INT(ipckit_cond_signal(&words->cond, &affected), 0);
		CHECK_INT(affected, 1);
		await_done(pids, i + 1, 0);
		CHECK_INT(words->done, i + 1);
		CHECK_INT(count_sleepers(&words->cond), WAITERS - 1 - (int)i);
	}
	for (unsigned i = 0; i < WAITERS; i++)
		CHECK_INT(end_of(pids[i]), 0);
	CHECK(now() - began < UNAIDED);
	CHECK_INT(value_of(&shared->word), 0);
}

static void test_broadcast(bool held)
{
	int64_t began = now();
	unsigned affected = 0;
	pid_t pids[CROWD];

	words->done = 0;
	for (unsigned i = 0; i < CROWD; i++)
		pids[i] = start(wait_once);
	CHECK(await_sleepers(&words->cond, CROWD));
	if (held)
		CHECK(take());
	CHECK_INT(ipckit_cond_broadcast(&words->cond, &shared->word, &affected), 0);
	CHECK_INT(affected, CROWD);
	CHECK_INT(futex_wake(&words->cond, INT_MAX), 0);
	if (held) {
		CHECK(await_sleepers(&shared->word, CROWD));
		CHECK_INT(words->done, 0);
		CHECK_INT(value_of(&shared->word), 2);
		CHECK_INT(ipckit_lock_give(&shared->word), 0);
	}
	await_done(pids, CROWD, 0);
	for (unsigned i = 0; i < CROWD; i++)
		CHECK_INT(end_of(pids[i]), 0);
	printf("# %d waits, and a broadcast while the lock is %s: %d ms\n", CROWD, held ? "held" : "free",
	       (int)((now() - began) / MS));
	CHECK_INT(value_of(&shared->word), 0);
}

/* ---- a place for one number, which goes through it ---- */

static void await_place(uint32_t *cond, bool full)
{
	int64_t began;

	while ((shared->a != 0) != full) {
		const struct ipckit_deadline deadline = in(LONG_ENOUGH);

		began = now();
		if (ipckit_cond_wait(cond, &shared->word, &deadline))
			_exit(9);
		if (now() - began >= UNAIDED)
			words->slow++;
	}
}

static bool pass(uint32_t *awaited, uint32_t *signalled, bool full, uint64_t number)
{
	unsigned affected;

	if (!take())
		return false;
	await_place(awaited, full);
	shared->b += full ? shared->a : 0;
	shared->a = number;
	return !ipckit_cond_signal(signalled, &affected) && !ipckit_lock_give(&shared->word);
}

static int produce(void)
{
	for (uint64_t i = 1; i <= ROUNDS; i++)
		if (!pass(&words->full, &words->cond, false, i))
			return 8;
	return 0;
}

static int consume(void)
{
	for (uint64_t i = 1; i <= ROUNDS; i++)
		if (!pass(&words->cond, &words->full, true, 0))
			return 8;
	return 0;
}

static void test_producers(int (*const *run)(void), unsigned count)
{
	int64_t began = now();

	shared->a = shared->b = 0;
	words->slow = 0;
	run_all(run, count);
	printf("# %d numbers of %u producers: %d ms\n", ROUNDS, count / 2, (int)((now() - began) / MS));
	CHECK_INT(shared->b, (uint64_t)count / 2 * ROUNDS * (ROUNDS + 1) / 2);
	CHECK_INT(words->slow, 0);
	CHECK_INT(value_of(&shared->word), 0);
}

/* ---- waiters that are killed ---- */

static void test_kill(unsigned *seed)
{
	pid_t pids[WAITERS];
	unsigned affected;
	int first;

	words->done = 0;
	for (unsigned i = 0; i < WAITERS; i++) {
		pids[i] = start(wait_once);
		CHECK(await_sleep(pids[i], &words->cond));
	}
	CHECK_INT(ipckit_cond_signal(&words->cond, &affected), 0);
	CHECK_INT(affected, 1);
	for (unsigned i = (unsigned)rand_r(seed) % 4000; i; i--)
		__asm__ volatile("");
	kill(pids[0], SIGKILL);
	if (rand_r(seed) % 2)
		CHECK_INT(ipckit_cond_broadcast(&words->cond, &shared->word, &affected), 0);
	first = end_of(pids[0]);
	CHECK(first == 0 || first == 128 + SIGKILL);
	CHECK_INT(ipckit_cond_broadcast(&words->cond, &shared->word, &affected), 0);
	await_done(first ? pids + 1 : pids, first ? WAITERS - 1 : WAITERS, first ? pids[0] : 0);
	for (unsigned i = 1; i < WAITERS; i++)
		CHECK_INT(end_of(pids[i]), 0);
	CHECK_INT(value_of(&shared->word), 0);
}

static void test_kills(unsigned seed)
{
	for (int i = 0; i < KILLS / GROUPS && !unit_failures; i++)
		test_kill(&seed);
}

/* A signal that was taken along, as nobody was woken. */
static int be_forgotten(void)
{
	int64_t began;
	pid_t pid;
	int r;

	if (!share_words())
		return 9;
	pid = start(wait_once);
	CHECK(await_sleep(pid, &words->cond));
	began = now();
	set_value(&words->cond, 1);
	r = end_of(pid);
	return r ?: now() - began < UNAIDED ? 6 : 0;
}

/* ---- threads ---- */

static void *in_thread(void *arg)
{
	return ((int (*)(void))arg)() ? arg : NULL;
}

static void test_threads(void)
{
	pthread_t threads[2];
	void *failed;

	shared->a = shared->b = 0;
	CHECK_INT(pthread_create(&threads[0], NULL, in_thread, (void *)produce), 0);
	CHECK_INT(pthread_create(&threads[1], NULL, in_thread, (void *)consume), 0);
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(threads[i], &failed);
		CHECK(!failed);
	}
	CHECK_INT(shared->b, (uint64_t)ROUNDS * (ROUNDS + 1) / 2);
}

int main(void)
{
	static int (*const run[])(void) = { produce, consume, produce, consume, produce, consume };
	pid_t forgotten = start(be_forgotten);

	if (!share_words())
		return unit_done("cond");
	test_answers();
	test_deadline();
	test_stop();
	test_stop_for_the_lock();
	test_passed_on();
	test_signal();
	test_broadcast(true);
	test_broadcast(false);
	test_producers(run, 2);
	test_producers(run, 6);
	test_threads();
	run_groups(test_kills);
	CHECK_INT(end_of(forgotten), 0);
	return unit_done("cond");
}
