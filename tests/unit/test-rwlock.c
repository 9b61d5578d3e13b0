/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "locks.h"

#include <ipckit/rwlock.h>

#define PROCESSES 8
#define WRITERS 3
#define ROUNDS (UNIT_SANITIZED ? 2000 : 10000)
#define THREADS 4
#define MOST (IPCKIT_RWLOCK_COUNT - 1)

static const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };

static int read_within(int64_t ns, bool *died)
{
	const struct ipckit_deadline deadline = in(ns);

	return ipckit_rwlock_read(&shared->word, &deadline, died);
}

static int write_within(int64_t ns, bool *died, struct ipckit_rwlock_writer **out)
{
	const struct ipckit_deadline deadline = in(ns);

	return ipckit_rwlock_write(&shared->word, &deadline, died, out);
}

/* ---- values ---- */

/* As the header has it, in other words than the library's. */
static int expected(uint32_t value, struct ipckit_rwlock_state *out)
{
	const bool readers = value >> 29 & 1, mark = value >> 28 & 1;
	const unsigned seen = value >> 22 & 63, count = value & 0x3fffff;

	*out = (struct ipckit_rwlock_state){
		.owner_died = value >> 30 & 1, .waiters = value >> 31, .writer_waits = mark,
	};
	if (seen && !mark)
		return -EBADMSG;
	if (readers) {
		out->readers = count;
		return count < 0x3fffff ? 0 : -EBADMSG;
	}
	if (mark)
		return count ? -EBADMSG : 0;
	out->writer = (pid_t)count;
	if (count)
		return out->owner_died ? -EBADMSG : 0;
	return out->waiters && !out->owner_died ? -EBADMSG : 0;
}

static bool is_same(const struct ipckit_rwlock_state *a, const struct ipckit_rwlock_state *b)
{
	return a->readers == b->readers && a->writer == b->writer && a->owner_died == b->owner_died &&
	       a->waiters == b->waiters && a->writer_waits == b->writer_waits;
}

static bool is_decoded(uint32_t value)
{
	struct ipckit_rwlock_state state, right;
	int want = expected(value, &right), have = ipckit_rwlock_decode(value, &state);

	return have == want && (have || is_same(&state, &right));
}

/* All of the upper bits, with some numbers; and all numbers, with some of the upper bits. */
static void test_decode(void)
{
	static const uint32_t numbers[] = { 0, 1, 2, 3, 4711, 0x200000, MOST, MOST + 1 };
	unsigned wrong = 0;

	for (uint32_t upper = 0; upper < 1024; upper++)
		for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
			wrong += !is_decoded(upper << 22 | numbers[i]);
	for (uint32_t number = 0; number <= MOST + 1; number += UNIT_SANITIZED ? 97 : 1)
		for (uint32_t upper = 0; upper < 16; upper++)
			wrong += !is_decoded(upper << 28 | number);
	CHECK_INT(wrong, 0);
}

static const struct {
	const char *what;
	uint32_t value;
	int read, unlock, write;
	uint32_t now_read, unlocked; /* afterwards; as before where it failed */
	bool died;
} values[] = {
	{ "free", 0, 0, -EPERM, 0, IPCKIT_RWLOCK_READERS + 1, 0, false },
	{ "one reads", IPCKIT_RWLOCK_READERS + 1, 0, 0, -EAGAIN, IPCKIT_RWLOCK_READERS + 2, 0, false },
	{ "two read", IPCKIT_RWLOCK_READERS + 2, 0, 0, -EAGAIN, IPCKIT_RWLOCK_READERS + 3,
	  IPCKIT_RWLOCK_READERS + 1, false },
	{ "as many as can be read", IPCKIT_RWLOCK_READERS + MOST, -EOVERFLOW, 0, -EAGAIN, 0,
	  IPCKIT_RWLOCK_READERS + MOST - 1, false },
	{ "thread 1 writes", 1, -EAGAIN, -EPERM, -EAGAIN, 0, 0, false },
	{ "one writes, others wait", 4711 | FUTEX_WAITERS, -EAGAIN, -EPERM, -EAGAIN, 0, 0, false },
	{ "a writer died", FUTEX_OWNER_DIED, 0, -EPERM, 0, FUTEX_OWNER_DIED | (IPCKIT_RWLOCK_READERS + 1), 0, true },
	{ "a writer died, others wait", FUTEX_OWNER_DIED | FUTEX_WAITERS, 0, -EPERM, 0,
	  FUTEX_OWNER_DIED | (IPCKIT_RWLOCK_READERS + 1), 0, true },
	{ "a writer died, one reads", FUTEX_OWNER_DIED | (IPCKIT_RWLOCK_READERS + 1), 0, 0, -EAGAIN,
	  FUTEX_OWNER_DIED | (IPCKIT_RWLOCK_READERS + 2), FUTEX_OWNER_DIED, true },
	{ "readers, but none", IPCKIT_RWLOCK_READERS, 0, -EPERM, 0, IPCKIT_RWLOCK_READERS + 1, 0, false },
	{ "readers, but none, a writer died", FUTEX_OWNER_DIED | IPCKIT_RWLOCK_READERS, 0, -EPERM, 0,
	  FUTEX_OWNER_DIED | (IPCKIT_RWLOCK_READERS + 1), 0, true },
	{ "waiters alone", FUTEX_WAITERS, -EBADMSG, -EBADMSG, -EBADMSG, 0, 0, false },
	{ "one that died, and is there", FUTEX_OWNER_DIED | 4711, -EBADMSG, -EBADMSG, -EBADMSG, 0, 0, false },
	{ "a time without a mark", 1u << 22, -EBADMSG, -EBADMSG, -EBADMSG, 0, 0, false },
	{ "a writer that waits to write", IPCKIT_RWLOCK_WRITER_WAITS | 1, -EBADMSG, -EBADMSG, -EBADMSG, 0, 0, false },
	{ "more than can be read", IPCKIT_RWLOCK_READERS + MOST + 1, -EBADMSG, -EBADMSG, -EBADMSG, 0, 0, false },
	{ "all bits", UINT32_MAX, -EBADMSG, -EBADMSG, -EBADMSG, 0, 0, false },
	{ "done once", 0x3fffffff, -EBADMSG, -EBADMSG, -EBADMSG, 0, 0, false },
};

static void test_value(size_t i)
{
	struct ipckit_rwlock_writer *writer = NULL;
	bool died = !values[i].died;

	set_value(&shared->word, values[i].value);
	CHECK_INT_FOR(values[i].what, read_within(0, &died), values[i].read);
	CHECK_INT_FOR(values[i].what, died, values[i].read ? !values[i].died : values[i].died);
	CHECK_INT_FOR(values[i].what, value_of(&shared->word), values[i].read ? values[i].value : values[i].now_read);

	set_value(&shared->word, values[i].value);
	CHECK_INT_FOR(values[i].what, ipckit_rwlock_read_unlock(&shared->word), values[i].unlock);
	CHECK_INT_FOR(values[i].what, value_of(&shared->word),
		      values[i].unlock ? values[i].value : values[i].unlocked);

	died = !values[i].died;
	set_value(&shared->word, values[i].value);
	CHECK_INT_FOR(values[i].what, write_within(0, &died, &writer), values[i].write);
	CHECK_INT_FOR(values[i].what, died, values[i].write ? !values[i].died : values[i].died);
	CHECK_INT_FOR(values[i].what, value_of(&shared->word),
		      values[i].write ? values[i].value : my_tid() | (values[i].value & FUTEX_WAITERS));
	CHECK_FOR(values[i].what, !writer == !!values[i].write);
	ipckit_rwlock_write_unlock(writer);
	CHECK_INT_FOR(values[i].what, value_of(&shared->word), values[i].write ? values[i].value : 0);
}

static void test_values(void)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		test_value(i);
	set_value(&shared->word, 0);
}

static void test_one_at_a_time(void)
{
	struct ipckit_rwlock_writer *writer = NULL, *second = NULL;
	uint32_t other = 0;
	bool died;

	CHECK_INT(ipckit_rwlock_write((uint32_t *)((char *)words->many + 2), &forever, &died, &writer), -EINVAL);
	if (!CHECK_INT(ipckit_rwlock_write(&shared->word, &forever, &died, &writer), 0))
		return;
	CHECK_INT(ipckit_rwlock_write(&other, &forever, &died, &second), -EDEADLK);
	CHECK_INT(read_within(0, &died), -EAGAIN);
	CHECK_INT(ipckit_rwlock_write_unlock(writer), 0);
	CHECK_INT(ipckit_rwlock_write_unlock(NULL), 0);
	CHECK_INT(value_of(&shared->word), 0);
}

/* By force: those that read by now go on. */
static void test_taken_away(void)
{
	static const uint32_t others[] = { 0, 4711, IPCKIT_RWLOCK_READERS + 2 };
	struct ipckit_rwlock_writer *writer;
	bool died;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		set_value(&shared->word, 0);
		if (!CHECK_INT(write_within(0, &died, &writer), 0))
			return;
		set_value(&shared->word, others[i]);
		CHECK_INT(ipckit_rwlock_write_unlock(writer), -EPERM);
		CHECK_INT(value_of(&shared->word), others[i]);
	}
	set_value(&shared->word, 0);
}

/* ---- the ends of a wait ---- */

static void test_deadline(uint32_t value)
{
	struct ipckit_rwlock_writer *writer;
	int64_t began = now(), took;
	bool died;

	set_value(&shared->word, value);
	CHECK_INT(write_within(30 * MS, &died, &writer), -ETIMEDOUT);
	took = now() - began;
	CHECK(took >= 30 * MS && took < LONG_ENOUGH);
	/* No mark is left that would keep readers out. */
	CHECK_INT(value_of(&shared->word) & ~FUTEX_WAITERS, value);

	tick_each(5000);
	began = now();
	CHECK_INT(write_within(1100 * MS, &died, &writer), -ETIMEDOUT);
	took = now() - began;
	CHECK(took >= 1100 * MS && took < LONG_ENOUGH);
	CHECK(ticks > 0);
	tick_no_more();
	if (!(value & IPCKIT_RWLOCK_READERS))
		CHECK_INT(read_within(30 * MS, &died), -ETIMEDOUT);
	set_value(&shared->word, 0);
}

static void test_stop(void)
{
	struct ipckit_deadline deadline = { .kind = IPCKIT_DEADLINE_NONE, .stop = &stop };
	struct ipckit_rwlock_writer *writer;
	bool died;

	set_value(&shared->word, IPCKIT_RWLOCK_READERS + 1);
	stop_at = 5;
	tick_each(2000);
	CHECK_INT(ipckit_rwlock_write(&shared->word, &deadline, &died, &writer), -EINTR);
	CHECK(ticks >= 5);
	set_value(&shared->word, 1);
	CHECK_INT(ipckit_rwlock_read(&shared->word, &deadline, &died), -EINTR);
	tick_no_more();
	set_value(&shared->word, 0);
}

/* ---- processes ---- */

static int write_once(void)
{
	struct ipckit_rwlock_writer *writer;
	bool died;

	if (write_within(LONG_ENOUGH, &died, &writer))
		return 9;
	shared->a++;
	ipckit_rwlock_write_unlock(writer);
	return died;
}

static int write_and_end(void)
{
	struct ipckit_rwlock_writer *writer;
	bool died;

	return write_within(LONG_ENOUGH, &died, &writer) ? 9 : died;
}

static int read_once(void)
{
	bool died;

	if (read_within(LONG_ENOUGH, &died))
		return 9;
	return ipckit_rwlock_read_unlock(&shared->word) ? 8 : died;
}

static int write_many(void)
{
	struct ipckit_rwlock_writer *writer;
	bool died;

	for (unsigned i = 0; i < ROUNDS; i++) {
		if (write_within(LONG_ENOUGH, &died, &writer) || died)
			return 9;
		shared->a++;
		shared->rounds++;
		shared->b++;
		ipckit_rwlock_write_unlock(writer);
	}
	return 0;
}

static int read_many(void)
{
	bool died;

	for (unsigned i = 0; i < ROUNDS; i++) {
		if (read_within(LONG_ENOUGH, &died) || died)
			return 9;
		if (shared->a != shared->b)
			shared->odd++;
		if (ipckit_rwlock_read_unlock(&shared->word))
			return 8;
	}
	return 0;
}

static void test_counter(void)
{
	static int (*const run[PROCESSES])(void) = { write_many, read_many, read_many, write_many,
						     read_many,	 read_many, read_many, write_many };

	shared->a = shared->b = shared->odd = 0;
	run_all(run, PROCESSES);
	CHECK_INT(shared->a, (uint64_t)WRITERS * ROUNDS);
	CHECK_INT(shared->odd, 0);
	CHECK_INT(value_of(&shared->word), 0);
}

/* All that wait for a writer come when it goes; each second they would look anyway, which takes longer. */
static void test_wake(void)
{
	int64_t began = now();
	const int times = 20;

	for (int i = 0; i < times; i++) {
		struct ipckit_rwlock_writer *writer;
		pid_t pids[4];
		bool died;

		if (!CHECK_INT(write_within(0, &died, &writer), 0))
			return;
		for (unsigned j = 0; j < 4; j++)
			pids[j] = start(j % 2 ? write_once : read_once);
		for (unsigned j = 0; j < 4; j++)
			CHECK(await_sleeper(&shared->word, pids[j]));
		ipckit_rwlock_write_unlock(writer);
		for (unsigned j = 0; j < 4; j++)
			CHECK_INT(end_of(pids[j]), 0);
	}
	CHECK(now() - began < times * SECOND / 2);
	CHECK_INT(value_of(&shared->word), 0);
}

/* The kernel wakes one of those that wait for a writer that dies: readers all come, at once. */
static void test_death(void)
{
	int64_t began = now();
	pid_t pids[4];
	bool died;

	for (int i = 0; i < 10; i++) {
		set_value(&shared->word, 0);
		CHECK_INT(end_of(start(write_and_end)), 0);
		CHECK_INT(value_of(&shared->word), FUTEX_OWNER_DIED);
		CHECK_INT(end_of(start(read_once)), 1);
		CHECK_INT(read_within(0, &died), 0);
		CHECK(died);
		CHECK_INT(ipckit_rwlock_read_unlock(&shared->word), 0);
		CHECK_INT(value_of(&shared->word), FUTEX_OWNER_DIED);
		CHECK_INT(end_of(start(write_once)), 1);
		CHECK_INT(value_of(&shared->word), 0);
	}
	CHECK_INT(read_within(0, &died), 0);
	pids[0] = start(write_and_end);
	CHECK(await_sleeper(&shared->word, pids[0]));
	for (unsigned i = 1; i < 4; i++) {
		pids[i] = start(read_once);
		CHECK(await_sleeper(&shared->word, pids[i]));
	}
	CHECK_INT(ipckit_rwlock_read_unlock(&shared->word), 0);
	for (unsigned i = 0; i < 4; i++)
		CHECK_INT(end_of(pids[i]), i > 0);
	CHECK_INT(value_of(&shared->word) & ~IPCKIT_RWLOCK_WRITER_WAITS & ~IPCKIT_RWLOCK_SEEN, FUTEX_OWNER_DIED);
	printf("# deaths of writers: %d ms\n", (int)((now() - began) / MS));
	CHECK(now() - began < LONG_ENOUGH);
	set_value(&shared->word, 0);
}

/* ---- a writer that waits ---- */

/* Readers are kept out as long as it waits, and it is the next. */
static void test_preferred(void)
{
	int64_t began = now();
	pid_t writer, reader;
	bool died;

	shared->a = 0;
	CHECK_INT(read_within(0, &died), 0);
	writer = start(write_once);
	CHECK(await_sleeper(&shared->word, writer));
	while (now() - began < 3 * SECOND) {
		if (!CHECK_INT(read_within(0, &died), -EAGAIN))
			break;
		usleep(10000);
	}
	CHECK_INT(read_within(100 * MS, &died), -ETIMEDOUT);
	reader = start(read_once);
	CHECK(await_sleep(reader, &shared->word));
	CHECK_INT(ipckit_rwlock_read_unlock(&shared->word), 0);
	/* It has been left a mark, so that no reader comes before it. */
	while (read_within(0, &died))
		usleep(100);
	CHECK_INT(shared->a, 1);
	CHECK_INT(ipckit_rwlock_read_unlock(&shared->word), 0);
	CHECK_INT(end_of(writer), 0);
	CHECK_INT(end_of(reader), 0);
	CHECK_INT(value_of(&shared->word), 0);
}

/* One that gives up lets them in at once. */
static int give_up(void)
{
	struct ipckit_rwlock_writer *writer;
	bool died;

	return write_within(100 * MS, &died, &writer) == -ETIMEDOUT ? 0 : 9;
}

static void test_gives_up(void)
{
	pid_t writer, reader;
	bool died;

	CHECK_INT(read_within(0, &died), 0);
	writer = start(give_up);
	CHECK(await_sleeper(&shared->word, writer));
	reader = start(read_once);
	CHECK_INT(end_of(writer), 0);
	CHECK_INT(read_within(0, &died), 0);
	CHECK_INT(end_of(reader), 0);
	CHECK_INT(value_of(&shared->word), IPCKIT_RWLOCK_READERS + 2);
	set_value(&shared->word, 0);
}

/* One that is killed keeps them out for about a second, those that wait and those that try. held: somebody reads. */
static void test_killed_waiting(bool held)
{
	struct ipckit_rwlock_state state;
	int64_t killed, waited, tried = 0;
	pid_t writer, reader;
	bool died;

	CHECK_INT(read_within(0, &died), 0);
	writer = start(write_once);
	CHECK(await_sleeper(&shared->word, writer));
	reader = start(read_once);
	CHECK(await_sleep(reader, &shared->word));
	killed = now();
	kill_off(writer);
	if (!held)
		CHECK_INT(ipckit_rwlock_read_unlock(&shared->word), 0);
	CHECK(!ipckit_rwlock_decode(value_of(&shared->word), &state) && state.writer_waits);
	while (read_within(0, &died) == -EAGAIN && now() - killed < LONG_ENOUGH)
		usleep(1000);
	tried = now() - killed;
	CHECK_INT(end_of(reader), 0);
	waited = now() - killed;
	printf("# killed while it waited: readers come after %d ms, and by trying after %d ms\n", (int)(waited / MS),
	       (int)(tried / MS));
	/* Others may have the processor, also while the writer was to say that it is alive. */
	CHECK(tried > 100 * MS && tried < LONG_ENOUGH);
	CHECK(waited < LONG_ENOUGH);
	CHECK_INT(value_of(&shared->word) & ~FUTEX_WAITERS, IPCKIT_RWLOCK_READERS + (held ? 2 : 1));
	set_value(&shared->word, 0);
}

/* A reader that is killed counts on, until somebody takes it away. */
static int read_and_end(void)
{
	bool died;

	return read_within(LONG_ENOUGH, &died) ? 9 : 0;
}

static void test_dead_reader(void)
{
	pid_t writer;

	CHECK_INT(end_of(start(read_and_end)), 0);
	CHECK_INT(value_of(&shared->word), IPCKIT_RWLOCK_READERS + 1);
	writer = start(write_once);
	CHECK(await_sleeper(&shared->word, writer));
	CHECK_INT(ipckit_rwlock_read_unlock(&shared->word), 0);
	CHECK_INT(end_of(writer), 0);
	CHECK_INT(value_of(&shared->word), 0);
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

	shared->a = shared->b = shared->odd = 0;
	for (unsigned i = 0; i < THREADS; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, in_thread, i % 2 ? (void *)write_many : (void *)read_many),
			  0);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		CHECK(!failed);
	}
	CHECK_INT(shared->a, (uint64_t)THREADS / 2 * ROUNDS);
	CHECK_INT(value_of(&shared->word), 0);
}

int main(void)
{
	if (!share_words())
		return unit_done("rwlock");
	test_decode();
	test_values();
	test_one_at_a_time();
	test_taken_away();
	test_deadline(1);
	test_deadline(IPCKIT_RWLOCK_READERS + 1);
	test_stop();
	test_wake();
	test_death();
	test_preferred();
	test_gives_up();
	test_killed_waiting(true);
	test_killed_waiting(false);
	test_dead_reader();
	test_counter();
	test_threads();
	return unit_done("rwlock");
}
