/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MUTEX_LIBC_H
#define MUTEX_LIBC_H

/* One word, locked by the library and, as the robust mutex that it is a part of, by the C library. */

#include "mutexes.h"

/* A thread sanitizer takes such mutexes for its own. */
#if defined(__GLIBC__) && !defined(UNIT_THREADS)
#define WITH_LIBC

#define ROUNDS (UNIT_SANITIZED ? 1000 : 10000)

static uint32_t *word; /* of shared->libc */

/* By the library, with what is to come in time. */
static int lock_ours(bool *died);
static int try_ours(void);
static int unlock_ours(void);

/* protocol: PTHREAD_PRIO_NONE or PTHREAD_PRIO_INHERIT. */
static bool make_mutex(int protocol)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setprotocol(&attributes, protocol);
	word = (uint32_t *)&shared->libc.__data.__lock;
	return CHECK_INT(pthread_mutex_init(&shared->libc, &attributes), 0) && CHECK_INT(*word, 0);
}

static int lock_libc(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LONG_ENOUGH / SECOND;
	return pthread_mutex_timedlock(&shared->libc, &until);
}

/* What processes do: 0 or 1 for an owner that died, 9 for what must not be. */

static int theirs(void)
{
	int r = lock_libc();

	if (r == EOWNERDEAD)
		pthread_mutex_consistent(&shared->libc);
	else if (r)
		return 9;
	return pthread_mutex_unlock(&shared->libc) ? 9 : r == EOWNERDEAD;
}

static int theirs_to_the_end(void)
{
	return lock_libc() ? 9 : 0;
}

static int ours(void)
{
	bool died;

	return lock_ours(&died) || unlock_ours() ? 9 : died;
}

static int ours_to_the_end(void)
{
	bool died;

	return lock_ours(&died) ? 9 : 0;
}

/* The C library's list is there again. */
static int both_to_the_end(void)
{
	return ours() ?: theirs_to_the_end();
}

static int theirs_to_be_killed(void)
{
	return lock_libc() ? 9 : pause();
}

static int ours_to_be_killed(void)
{
	return ours_to_the_end() ?: pause();
}

static int count_theirs(void)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (lock_libc())
			return 9;
		shared->a++;
		if (pthread_mutex_unlock(&shared->libc))
			return 9;
	}
	return 0;
}

static int count_ours(void)
{
	bool died;

	for (unsigned i = 0; i < ROUNDS; i++) {
		if (lock_ours(&died) || died)
			return 9;
		shared->a++;
		if (unlock_ours())
			return 9;
	}
	return 0;
}

/* held: what one is told that tries to lock what the same thread has by the C library. */
static void test_held(int held)
{
	pid_t waiter;

	if (!CHECK_INT(lock_libc(), 0))
		return;
	CHECK_INT(ipckit_mutex_owner(value_of(word)), my_tid());
	CHECK_INT(try_ours(), held);
	waiter = start(ours);
	CHECK(await_sleeper(word, waiter));
	CHECK_INT(pthread_mutex_unlock(&shared->libc), 0);
	CHECK_INT(end_of(waiter), 0);

	if (!CHECK_INT(try_ours(), 0))
		return;
	waiter = start(theirs);
	CHECK(await_sleeper(word, waiter));
	CHECK_INT(unlock_ours(), 0);
	CHECK_INT(end_of(waiter), 0);
	CHECK_INT(value_of(word), 0);
}

static const struct {
	const char *what;
	int (*dies)(void);
	int (*next)(void);
} deaths[] = {
	{ "theirs, then ours", theirs_to_the_end, ours },
	{ "ours, then theirs", ours_to_the_end, theirs },
	{ "theirs, then theirs", theirs_to_the_end, theirs },
	{ "theirs after ours, then ours", both_to_the_end, ours },
	{ "theirs after ours, then theirs", both_to_the_end, theirs },
};

static void test_deaths(void)
{
	for (size_t i = 0; i < sizeof(deaths) / sizeof(*deaths); i++) {
		CHECK_INT_FOR(deaths[i].what, end_of(start(deaths[i].dies)), 0);
		CHECK_INT_FOR(deaths[i].what, value_of(word), FUTEX_OWNER_DIED);
		CHECK_INT_FOR(deaths[i].what, end_of(start(deaths[i].next)), 1);
		CHECK_INT_FOR(deaths[i].what, value_of(word), 0);
		CHECK_INT_FOR(deaths[i].what, end_of(start(theirs)), 0);
	}
}

/* Somebody sleeps meanwhile. */
static void test_deaths_awaited(int (*dies)(void), int (*waits)(void))
{
	int64_t until = now() + LONG_ENOUGH;
	pid_t owner = start(dies), waiter;

	while (!value_of(word) && now() < until)
		usleep(200);
	waiter = start(waits);
	CHECK(await_sleeper(word, waiter));
	kill_off(owner);
	CHECK_INT(end_of(waiter), 1);
	CHECK_INT(value_of(word), 0);
}

static void test_counter(void)
{
	pid_t pids[4];

	shared->a = 0;
	for (size_t i = 0; i < 4; i++)
		pids[i] = start(i % 2 ? count_theirs : count_ours);
	for (size_t i = 0; i < 4; i++)
		CHECK_INT(end_of(pids[i]), 0);
	CHECK_INT(shared->a, 4 * ROUNDS);
	CHECK_INT(value_of(word), 0);
}

/* What the word does not tell. */
static void test_not_recoverable(void)
{
	CHECK_INT(end_of(start(theirs_to_the_end)), 0);
	CHECK_INT(lock_libc(), EOWNERDEAD);
	CHECK_INT(pthread_mutex_unlock(&shared->libc), 0);
	CHECK_INT(lock_libc(), ENOTRECOVERABLE);
	CHECK_INT(end_of(start(ours)), 0);
	CHECK_INT(lock_libc(), ENOTRECOVERABLE);
}

static int test_with_libc(const char *name, int protocol, int held)
{
	if (!share() || !make_mutex(protocol))
		return unit_done(name);
	test_held(held);
	test_deaths();
	test_deaths_awaited(theirs_to_be_killed, ours);
	test_deaths_awaited(ours_to_be_killed, theirs);
	test_counter();
	test_not_recoverable();
	return unit_done(name);
}

#endif

#endif
