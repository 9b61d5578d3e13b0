/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mutexes.h"

#include <sys/time.h>

#define PROCESSES 8
#define ROUNDS (UNIT_SANITIZED ? 2000 : 20000)
#define THREADS 4

static const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };

/* ---- values ---- */

static const struct {
	const char *what;
	uint32_t value;
	int result;
	bool died;
	bool waiters; /* in the word when it is taken */
} values[] = {
	{ "free", 0, 0, false, false },
	{ "owner died", FUTEX_OWNER_DIED, 0, true, false },
	{ "owner died, waiters", FUTEX_OWNER_DIED | FUTEX_WAITERS, 0, true, true },
	{ "thread 1", 1, -EAGAIN, false, false },
	{ "thread 2, waiters", 2 | FUTEX_WAITERS, -EAGAIN, false, false },
	{ "the last thread id", (4u << 20) - 1, -EAGAIN, false, false },
	{ "no thread id", 4u << 20, -EBADMSG, false, false },
	{ "no thread id, waiters", FUTEX_TID_MASK | FUTEX_WAITERS, -EBADMSG, false, false },
	{ "waiters for nobody", FUTEX_WAITERS, -EBADMSG, false, false },
	{ "an owner that died and is there", FUTEX_OWNER_DIED | 100, -EBADMSG, false, false },
	{ "letters", 0x6d617266, -EBADMSG, false, false },
	{ "all bits", UINT32_MAX, -EBADMSG, false, false },
};

static void test_values(void)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		struct ipckit_mutex *mutex = NULL;
		bool died = !values[i].died;

		set_value(&shared->word, values[i].value);
		CHECK_INT_FOR(values[i].what, lock_within(&shared->word, 0, &died, &mutex), values[i].result);
		CHECK_INT_FOR(values[i].what, died, values[i].result ? !values[i].died : values[i].died);
		CHECK_INT_FOR(values[i].what, value_of(&shared->word),
			      values[i].result  ? values[i].value :
			      values[i].waiters ? my_tid() | FUTEX_WAITERS :
						  my_tid());
		CHECK_FOR(values[i].what, !mutex == !!values[i].result);
		ipckit_mutex_unlock(mutex);
		CHECK_INT_FOR(values[i].what, value_of(&shared->word), values[i].result ? values[i].value : 0);
	}
	CHECK_INT(ipckit_mutex_owner(0), 0);
	CHECK_INT(ipckit_mutex_owner(FUTEX_OWNER_DIED | FUTEX_WAITERS), 0);
	CHECK_INT(ipckit_mutex_owner(4711 | FUTEX_WAITERS), 4711);
}

static void test_one_at_a_time(void)
{
	struct ipckit_mutex *mutex = NULL, *second = NULL;
	uint32_t other[2] = { 0 };
	bool died;

	/* Of another PID namespace, say: it is a thread like any other. */
	set_value(&shared->word, my_tid());
	CHECK_INT(lock_within(&shared->word, 0, &died, &mutex), -EAGAIN);
	set_value(&shared->word, 0);
	CHECK_INT(ipckit_mutex_lock((uint32_t *)((char *)other + 2), &forever, &died, &mutex), -EINVAL);
	if (!CHECK_INT(ipckit_mutex_lock(&shared->word, &forever, &died, &mutex), 0))
		return;
	CHECK_INT(ipckit_mutex_lock(&shared->word, &forever, &died, &second), -EDEADLK);
	CHECK_INT(ipckit_mutex_lock(other, &forever, &died, &second), -EDEADLK);
	CHECK_INT(value_of(&shared->word), my_tid());
	CHECK_INT(other[0], 0);
	ipckit_mutex_unlock(mutex);
	ipckit_mutex_unlock(NULL);
	if (CHECK_INT(ipckit_mutex_lock(other, &forever, &died, &second), 0))
		ipckit_mutex_unlock(second);
}

static void test_abandon(void)
{
	struct ipckit_mutex *mutex;
	bool died = true;

	if (!CHECK_INT(lock_within(&shared->word, 0, &died, &mutex), 0))
		return;
	CHECK(!died);
	ipckit_mutex_abandon(mutex);
	ipckit_mutex_abandon(NULL);
	CHECK_INT(value_of(&shared->word), FUTEX_OWNER_DIED);
	if (!CHECK_INT(lock_within(&shared->word, 0, &died, &mutex), 0))
		return;
	CHECK(died);
	ipckit_mutex_unlock(mutex);
}

/* By force: the next owner keeps it, with those that wait for that one; and who ends then touches nothing. */
static void test_taken_away(void)
{
	static const uint32_t others[] = { 0, 4711, 4711 | FUTEX_WAITERS, FUTEX_OWNER_DIED, FUTEX_WAITERS, UINT32_MAX };
	struct ipckit_mutex *mutex;
	bool died;

	for (size_t i = 0; i < 2 * sizeof(others) / sizeof(*others); i++) {
		set_value(&shared->word, 0);
		if (!CHECK_INT(lock_within(&shared->word, 0, &died, &mutex), 0))
			return;
		set_value(&shared->word, others[i / 2]);
		CHECK_INT(i % 2 ? ipckit_mutex_abandon(mutex) : ipckit_mutex_unlock(mutex), -EPERM);
		CHECK_INT(value_of(&shared->word), others[i / 2]);
	}
	/* What is still there is given, whatever stands beside it. */
	set_value(&shared->word, 0);
	if (!CHECK_INT(lock_within(&shared->word, 0, &died, &mutex), 0))
		return;
	set_value(&shared->word, my_tid() | FUTEX_WAITERS | FUTEX_OWNER_DIED);
	CHECK_INT(ipckit_mutex_unlock(mutex), 0);
	CHECK_INT(value_of(&shared->word), 0);
	CHECK_INT(ipckit_mutex_unlock(NULL), 0);
}

/* ---- the ends of a wait ---- */

static volatile sig_atomic_t stop, ticks, stop_at;

static void tick(int signal)
{
	(void)signal;
	ticks++;
	if (stop_at && ticks >= stop_at)
		stop = 1;
}

static void tick_each(long us)
{
	const struct itimerval timer = { .it_interval.tv_usec = us, .it_value.tv_usec = us };
	struct sigaction action = { .sa_handler = tick };

	ticks = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void test_deadline(void)
{
	struct ipckit_mutex *mutex = NULL;
	int64_t began = now(), took;
	bool died;

	set_value(&shared->word, 1);
	CHECK_INT(lock_within(&shared->word, 30 * MS, &died, &mutex), -ETIMEDOUT);
	took = now() - began;
	CHECK(took >= 30 * MS && took < LONG_ENOUGH);
	CHECK_INT(value_of(&shared->word), 1 | FUTEX_WAITERS);

	/* Beyond the second after which it looks again, and through signals. */
	tick_each(5000);
	began = now();
	CHECK_INT(lock_within(&shared->word, 1100 * MS, &died, &mutex), -ETIMEDOUT);
	took = now() - began;
	CHECK(took >= 1100 * MS && took < LONG_ENOUGH);
	CHECK(ticks > 0);
	tick_each(0);
	set_value(&shared->word, 0);
}

static void test_stop(void)
{
	struct ipckit_deadline deadline = { .kind = IPCKIT_DEADLINE_NONE, .stop = &stop };
	struct ipckit_mutex *mutex = NULL;
	bool died;

	set_value(&shared->word, 1);
	stop_at = 5;
	tick_each(2000);
	CHECK_INT(ipckit_mutex_lock(&shared->word, &deadline, &died, &mutex), -EINTR);
	CHECK(ticks >= 5);
	CHECK_INT(ipckit_mutex_lock(&shared->word, &deadline, &died, &mutex), -EINTR);
	deadline.kind = IPCKIT_DEADLINE_TRY;
	CHECK_INT(ipckit_mutex_lock(&shared->word, &deadline, &died, &mutex), -EINTR);
	tick_each(0);
	stop = stop_at = 0;
	set_value(&shared->word, 0);
}

/* ---- processes ---- */

static int lock_and_leave(void)
{
	struct ipckit_mutex *mutex;
	bool died;

	if (lock_soon(&shared->word, &died, &mutex))
		return 9;
	ipckit_mutex_unlock(mutex);
	return died;
}

static int lock_and_end(void)
{
	struct ipckit_mutex *mutex;
	bool died;

	return lock_soon(&shared->word, &died, &mutex) ? 9 : 0;
}

static int lock_and_exec(void)
{
	struct ipckit_mutex *mutex;
	bool died;

	if (lock_soon(&shared->word, &died, &mutex))
		return 9;
	execl("/bin/sh", "sh", "-c", "exec sleep 1000", (char *)NULL);
	return 9;
}

static int nothing(void)
{
	return 0;
}

static int count(void)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct ipckit_mutex *mutex;
		bool died;

		if (lock_soon(&shared->word, &died, &mutex) || died)
			return 9;
		shared->a++;
		ipckit_mutex_unlock(mutex);
	}
	return 0;
}

/* Each second it would be found without: that takes longer. */
static void test_wake(void)
{
	int64_t began = now();
	const int times = 30;

	for (int i = 0; i < times; i++) {
		struct ipckit_mutex *mutex;
		pid_t pid;
		bool died;

		if (!CHECK_INT(lock_soon(&shared->word, &died, &mutex), 0))
			return;
		pid = start(lock_and_leave);
		CHECK(await_sleeper(&shared->word, pid));
		ipckit_mutex_unlock(mutex);
		CHECK_INT(end_of(pid), 0);
	}
	CHECK(now() - began < times * SECOND / 2);
}

/* A word that was given back without waking anybody. */
static void test_look_again(void)
{
	pid_t pid;

	set_value(&shared->word, 1);
	pid = start(lock_and_leave);
	CHECK(await_sleeper(&shared->word, pid));
	set_value(&shared->word, 0);
	CHECK_INT(end_of(pid), 0);
}

static void test_ends(void)
{
	int64_t until = now() + LONG_ENOUGH;
	struct ipckit_mutex *mutex;
	pid_t pid, waiter;
	bool died;

	CHECK_INT(end_of(start(lock_and_end)), 0);
	CHECK_INT(value_of(&shared->word), FUTEX_OWNER_DIED);
	CHECK_INT(end_of(start(lock_and_leave)), 1);
	CHECK_INT(value_of(&shared->word), 0);

	/* execve(2) gives it away. */
	pid = start(lock_and_exec);
	while (!value_of(&shared->word) && now() < until)
		usleep(200);
	if (CHECK_INT(lock_soon(&shared->word, &died, &mutex), 0)) {
		CHECK(died);
		ipckit_mutex_unlock(mutex);
	}
	CHECK_INT(waitpid(pid, NULL, WNOHANG), 0);
	kill_off(pid);

	/* A child has nothing of it. */
	if (!CHECK_INT(lock_within(&shared->word, 0, &died, &mutex), 0))
		return;
	CHECK_INT(end_of(start(nothing)), 0);
	CHECK_INT(value_of(&shared->word), my_tid());
	waiter = start(lock_and_leave);
	CHECK(await_sleeper(&shared->word, waiter));
	ipckit_mutex_unlock(mutex);
	CHECK_INT(end_of(waiter), 0);
}

/* ---- threads ---- */

static volatile bool failed; /* their checks are not counted in there */

static void *count_in_thread(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		struct ipckit_mutex *mutex;
		bool died;

		if (ipckit_mutex_lock(&shared->word, &forever, &died, &mutex)) {
			failed = true;
			break;
		}
		shared->a++;
		ipckit_mutex_unlock(mutex);
	}
	return NULL;
}

static void *lock_in_thread(void *arg)
{
	bool died;

	(void)!lock_soon(&shared->word, &died, arg);
	return NULL;
}

static void test_threads(void)
{
	struct ipckit_mutex *mutex = NULL;
	pthread_t threads[THREADS];
	bool died = false;

	shared->a = 0;
	for (unsigned i = 0; i < THREADS; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, count_in_thread, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(!failed);
	CHECK_INT(shared->a, (uint64_t)THREADS * (ROUNDS / 4));

	/* It is the thread that owns, not the process. */
	CHECK_INT(pthread_create(&threads[0], NULL, lock_in_thread, &mutex), 0);
	pthread_join(threads[0], NULL);
	free(mutex);
	mutex = NULL;
	CHECK_INT(lock_soon(&shared->word, &died, &mutex), 0);
	CHECK(died);
	ipckit_mutex_unlock(mutex);
}

int main(void)
{
	if (!share())
		return unit_done("mutex");
	test_values();
	test_one_at_a_time();
	test_abandon();
	test_taken_away();
	test_deadline();
	test_stop();
	test_wake();
	test_look_again();
	test_ends();
	check_count(count, PROCESSES, ROUNDS);
	test_threads();
	return unit_done("mutex");
}
