/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "locks.h"

#include <ipckit/once.h>

#define PROCESSES 8
#define ROUNDS (UNIT_SANITIZED ? 2000 : 10000)
#define WORDS (sizeof(words->many) / sizeof(*words->many))
#define THREADS 4

static const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };

static int begin_within(uint32_t *word, int64_t ns, bool *died, struct ipckit_once **out)
{
	const struct ipckit_deadline deadline = in(ns);

	return ipckit_once_begin(word, &deadline, died, out);
}

/* ---- values ---- */

static const struct {
	const char *what;
	uint32_t value;
	int result;
	bool done, died;
} values[] = {
	{ "not done", 0, 0, false, false },
	{ "done", IPCKIT_ONCE_DONE, 0, true, false },
	{ "somebody died at it", FUTEX_OWNER_DIED, 0, false, true },
	{ "somebody died at it, others wait", FUTEX_OWNER_DIED | FUTEX_WAITERS, 0, false, true },
	{ "somebody is at it", 4711, -EAGAIN, false, false },
	{ "others wait", 4711 | FUTEX_WAITERS, -EAGAIN, false, false },
	{ "waiters alone", FUTEX_WAITERS, -EBADMSG, false, false },
	{ "beyond all threads", 1u << 22, -EBADMSG, false, false },
	{ "nearly done", IPCKIT_ONCE_DONE - 1, -EBADMSG, false, false },
	{ "done, and others wait", IPCKIT_ONCE_DONE | FUTEX_WAITERS, -EBADMSG, false, false },
	{ "all bits", UINT32_MAX, -EBADMSG, false, false },
};

static void test_value(size_t i)
{
	struct ipckit_once *once = (struct ipckit_once *)&values, *untouched = once;
	bool died = !values[i].died;

	set_value(&shared->word, values[i].value);
	CHECK_INT_FOR(values[i].what, begin_within(&shared->word, 0, &died, &once), values[i].result);
	CHECK_INT_FOR(values[i].what, died, values[i].result ? !values[i].died : values[i].died);
	if (values[i].result) {
		CHECK_FOR(values[i].what, once == untouched);
		CHECK_INT_FOR(values[i].what, value_of(&shared->word), values[i].value);
		return;
	}
	CHECK_FOR(values[i].what, !once == values[i].done);
	CHECK_INT_FOR(values[i].what, value_of(&shared->word),
		      once ? my_tid() | (values[i].value & FUTEX_WAITERS) : IPCKIT_ONCE_DONE);
	ipckit_once_end(once, true);
	CHECK_INT_FOR(values[i].what, value_of(&shared->word), IPCKIT_ONCE_DONE);
}

static void test_rules(void)
{
	struct ipckit_once *once = NULL, *second = NULL;
	bool died;

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		test_value(i);
	set_value(&shared->word, 0);
	CHECK_INT(ipckit_once_begin((uint32_t *)((char *)words->many + 2), &forever, &died, &once), -EINVAL);
	if (!CHECK_INT(ipckit_once_begin(&shared->word, &forever, &died, &once), 0))
		return;
	CHECK_INT(ipckit_once_begin(&words->spare, &forever, &died, &second), -EDEADLK);
	CHECK_INT(value_of(&words->spare), 0);
	/* It failed: the next begins. */
	ipckit_once_end(once, false);
	ipckit_once_end(NULL, true);
	CHECK_INT(value_of(&shared->word), 0);
	if (!CHECK_INT(ipckit_once_begin(&shared->word, &forever, &died, &once), 0))
		return;
	CHECK(once && !died);
	ipckit_once_end(once, true);
	CHECK_INT(ipckit_once_begin(&shared->word, &forever, &died, &once), 0);
	CHECK(!once);
	set_value(&shared->word, 0);
}

/* By force, and another one is at it: for that one it is not done, nor free. */
static void test_taken_away(void)
{
	struct ipckit_once *once;
	bool died;

	for (int i = 0; i < 4; i++) {
		const uint32_t other = i / 2 ? 4711 : 4711 | FUTEX_WAITERS;

		set_value(&shared->word, 0);
		if (!CHECK_INT(begin_within(&shared->word, 0, &died, &once), 0))
			return;
		set_value(&shared->word, other);
		CHECK_INT(ipckit_once_end(once, i % 2), -EPERM);
		CHECK_INT(value_of(&shared->word), other);
	}
	set_value(&shared->word, 0);
}

/* ---- the ends of a wait ---- */

static void test_ends(void)
{
	struct ipckit_deadline deadline = { .kind = IPCKIT_DEADLINE_NONE, .stop = &stop };
	struct ipckit_once *once;
	int64_t began = now(), took;
	bool died;

	set_value(&shared->word, 1);
	set_value(&words->spare, 1);
	tick_each(5000);
	CHECK_INT(begin_within(&shared->word, 1100 * MS, &died, &once), -ETIMEDOUT);
	took = now() - began;
	CHECK(took >= 1100 * MS && took < LONG_ENOUGH);
	began = now();
	deadline = in(1100 * MS);
	CHECK_INT(ipckit_latch_wait(&words->spare, &deadline), -ETIMEDOUT);
	took = now() - began;
	CHECK(took >= 1100 * MS && took < LONG_ENOUGH);
	CHECK(ticks > 0);

	deadline = (struct ipckit_deadline){ .kind = IPCKIT_DEADLINE_NONE, .stop = &stop };
	stop_at = ticks + 5;
	CHECK_INT(ipckit_once_begin(&shared->word, &deadline, &died, &once), -EINTR);
	CHECK_INT(ipckit_latch_wait(&words->spare, &deadline), -EINTR);
	stop = 0;
	stop_at = ticks + 5;
	CHECK_INT(ipckit_latch_wait(&words->spare, &deadline), -EINTR);
	tick_no_more();
	set_value(&shared->word, 0);
	set_value(&words->spare, 0);
}

/* ---- once, in processes ---- */

/* Does what is to be done; the first that come to a word fail at it. */
static int do_all(void)
{
	struct ipckit_once *once;
	bool died;

	for (size_t i = 0; i < WORDS; i++) {
		if (begin_within(&words->many[i], LONG_ENOUGH, &died, &once) || died)
			return 9;
		if (!once)
			continue;
		if (shared->rounds++ % 3) {
			ipckit_once_end(once, false);
			i--;
			continue;
		}
		shared->a += i;
		shared->b++;
		ipckit_once_end(once, true);
	}
	return 0;
}

static void test_many(void)
{
	static int (*const run[PROCESSES])(void) = { do_all, do_all, do_all, do_all, do_all, do_all, do_all, do_all };
	unsigned wrong = 0;

	shared->a = shared->b = 0;
	memset(words->many, 0, sizeof(words->many));
	run_all(run, PROCESSES);
	for (size_t i = 0; i < WORDS; i++)
		wrong += value_of(&words->many[i]) != IPCKIT_ONCE_DONE;
	CHECK_INT(wrong, 0);
	CHECK_INT(shared->b, WORDS);
	CHECK_INT(shared->a, WORDS * (WORDS - 1) / 2);
}

/* It excludes as a mutex does, where it is not done. */
static int count(void)
{
	struct ipckit_once *once;
	bool died;

	for (unsigned i = 0; i < ROUNDS; i++) {
		if (begin_within(&shared->word, LONG_ENOUGH, &died, &once) || died || !once)
			return 9;
		shared->a++;
		ipckit_once_end(once, false);
	}
	return 0;
}

static int await_done_word(void)
{
	struct ipckit_once *once;
	bool died;

	if (begin_within(&shared->word, LONG_ENOUGH, &died, &once))
		return 9;
	ipckit_once_end(once, true);
	return once ? 1 : 0;
}

static int begin_and_end(void)
{
	struct ipckit_once *once;
	bool died;

	return begin_within(&shared->word, LONG_ENOUGH, &died, &once) ? 9 : 0;
}

/* All that wait are woken when it is done; when it failed one begins, and one when somebody died. */
static void test_wake(void)
{
	int64_t began = now();
	const int times = 20;

	for (int i = 0; i < times; i++) {
		struct ipckit_once *once = NULL;
		int begun = 0;
		pid_t pids[4];
		bool died;

		set_value(&shared->word, i % 2 ? 0 : FUTEX_OWNER_DIED);
		if (!CHECK_INT(begin_within(&shared->word, 0, &died, &once), 0))
			return;
		CHECK_INT(died, i % 2 == 0);
		for (unsigned j = 0; j < 4; j++)
			pids[j] = start(await_done_word);
		for (unsigned j = 0; j < 4; j++)
			CHECK(await_sleeper(&shared->word, pids[j]));
		ipckit_once_end(once, i % 4 < 2);
		for (unsigned j = 0; j < 4; j++)
			begun += end_of(pids[j]);
		CHECK_INT(begun, i % 4 >= 2);
		CHECK_INT(value_of(&shared->word), IPCKIT_ONCE_DONE);
	}
	CHECK(now() - began < times * SECOND / 2);
	set_value(&shared->word, 0);
	CHECK_INT(end_of(start(begin_and_end)), 0);
	CHECK_INT(value_of(&shared->word), FUTEX_OWNER_DIED);
	set_value(&shared->word, 0);
}

/* ---- latches ---- */

static void test_latch(void)
{
	const struct ipckit_deadline now_or_never = { .kind = IPCKIT_DEADLINE_TRY };
	uint32_t left = 9;

	set_value(&words->spare, 5);
	CHECK_INT(ipckit_latch_wait(&words->spare, &now_or_never), -EAGAIN);
	CHECK_INT(ipckit_latch_down(&words->spare, 2, &left), 0);
	CHECK_INT(left, 3);
	left = 9;
	CHECK_INT(ipckit_latch_down(&words->spare, 4, &left), -ERANGE);
	CHECK_INT(left, 9);
	CHECK_INT(value_of(&words->spare), 3);
	CHECK_INT(ipckit_latch_down(&words->spare, 0, &left), 0);
	CHECK_INT(left, 3);
	CHECK_INT(ipckit_latch_down(&words->spare, 3, &left), 0);
	CHECK_INT(left, 0);
	CHECK_INT(ipckit_latch_wait(&words->spare, &now_or_never), 0);
	CHECK_INT(ipckit_latch_down(&words->spare, 1, &left), -ERANGE);
	set_value(&words->spare, UINT32_MAX);
	CHECK_INT(ipckit_latch_down(&words->spare, UINT32_MAX, &left), 0);
	CHECK_INT(left, 0);
}

static int wait_for_latch(void)
{
	const struct ipckit_deadline deadline = in(LONG_ENOUGH);

	return ipckit_latch_wait(&words->spare, &deadline) ? 9 : value_of(&words->spare) != 0;
}

static int count_down(void)
{
	uint32_t left;

	for (unsigned i = 0; i < ROUNDS; i++)
		if (ipckit_latch_down(&words->spare, 1, &left))
			return 9;
	return 0;
}

static void test_count_down(void)
{
	static int (*const run[PROCESSES])(void) = { count_down, count_down, count_down, count_down,
						     count_down, count_down, count_down, count_down };
	int64_t began = now();
	pid_t pids[PROCESSES];
	uint32_t left;

	for (int i = 0; i < 10; i++) {
		set_value(&words->spare, PROCESSES * ROUNDS + 1);
		for (unsigned j = 0; j < PROCESSES; j++) {
			pids[j] = start(wait_for_latch);
			CHECK(await_sleep(pids[j], &words->spare));
		}
		run_all(run, PROCESSES);
		/* One that is killed is none less. */
		kill_off(pids[0]);
		for (unsigned j = 1; j < PROCESSES; j++)
			CHECK(sleeps(pids[j]));
		CHECK_INT(ipckit_latch_down(&words->spare, 1, &left), 0);
		CHECK_INT(left, 0);
		for (unsigned j = 1; j < PROCESSES; j++)
			CHECK_INT(end_of(pids[j]), 0);
	}
	printf("# 10 latches: %d ms\n", (int)((now() - began) / MS));
	CHECK(now() - began < 5 * SECOND);
}

/* Who counted to 0 and was killed before it woke anybody. */
static void test_look_again(void)
{
	pid_t pid;

	set_value(&words->spare, 1);
	pid = start(wait_for_latch);
	CHECK(await_sleep(pid, &words->spare));
	set_value(&words->spare, 0);
	CHECK_INT(end_of(pid), 0);
}

/* ---- threads ---- */

static void *in_thread(void *arg)
{
	return ((int (*)(void))arg)() ? arg : NULL;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	void *failed;

	shared->a = 0;
	for (unsigned i = 0; i < THREADS; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, in_thread, (void *)count), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		CHECK(!failed);
	}
	CHECK_INT(shared->a, (uint64_t)THREADS * ROUNDS);
}

int main(void)
{
	if (!share_words())
		return unit_done("once");
	test_rules();
	test_taken_away();
	test_ends();
	test_wake();
	test_many();
	check_count(count, PROCESSES, ROUNDS);
	test_latch();
	test_count_down();
	test_look_again();
	test_threads();
	return unit_done("once");
}
