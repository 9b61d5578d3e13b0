/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Readers that died: who is forgotten, when, and that nobody who lives ever is. */

#include "mutexes.h"

#include <fcntl.h>
#include <ipckit/fence.h>
#include <ipckit/rwlock.h>
#include <ipckit/word.h>
#include <sys/shm.h>

#define CROWDS 8 /* side by side, since who dies inside costs a second */
#define KILLS (UNIT_SANITIZED ? 6 : 12)
#define READER 0x20000000u
#define MARK (IPCKIT_RWLOCK_WRITER_WAITS | 5u << 22)

static struct room {
	uint32_t word;
	volatile unsigned a, b, odd, rounds, failures, forgotten;
} *room;

static int fd;
static struct ipckit_word *word;

/* By a description of this process's own. */
static bool open_word(void)
{
	struct ipckit_name name;
	struct ipckit_why why;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return !ipckit_name_parse(path, IPCKIT_WORD_NAMES_ALL, &why, &name) && !ipckit_word_open(&name, &word);
}

static bool make_room(void)
{
	fd = memfd_create("word", 0);
	if (!CHECK(fd >= 0) || !CHECK_INT(ftruncate(fd, 4096), 0))
		return false;
	room = mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return CHECK(room != MAP_FAILED) && CHECK(open_word());
}

static int set_fence(void)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(LONG_ENOUGH, &deadline);
	return ipckit_fence_set(ipckit_word_fd(word), ipckit_word_offset(word), IPCKIT_FENCE_READER, &deadline);
}

static int write_within(int64_t ns, bool *died, unsigned *forgotten, struct ipckit_rwlock_writer **out)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns, &deadline);
	return ipckit_rwlock_write_word(word, &deadline, died, forgotten, out);
}

/* ---- at once ---- */

static const struct {
	uint32_t value, left;
	unsigned forgotten;
} values[] = {
	{ READER | 1, 0, 1 },
	{ READER | 4711, 0, 4711 },
	{ READER | 3 | FUTEX_WAITERS, 0, 3 },
	{ READER | 2 | FUTEX_WAITERS | MARK, MARK, 2 },
	{ READER | 2 | FUTEX_OWNER_DIED, FUTEX_OWNER_DIED, 2 },
	{ READER, READER, 0 },
	{ 0, 0, 0 },
	{ 4711, 4711, 0 },
	{ 4711 | FUTEX_WAITERS, 4711 | FUTEX_WAITERS, 0 },
	{ FUTEX_OWNER_DIED, FUTEX_OWNER_DIED, 0 },
	{ 0x3fffffff, 0x3fffffff, 0 },
	{ UINT32_MAX, UINT32_MAX, 0 },
};

static int stay_fenced(void)
{
	if (!open_word() || set_fence())
		return 9;
	room->rounds++;
	pause();
	return 9;
}

static void test_values(void)
{
	unsigned forgotten;

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		forgotten = 9999;
		set_value(&room->word, values[i].value);
		CHECK_INT(ipckit_rwlock_forget(word, &forgotten), 0);
		CHECK_INT(forgotten, values[i].forgotten);
		CHECK_INT(value_of(&room->word), values[i].left);
	}
	set_value(&room->word, 0);
}

static void test_fenced(void)
{
	pid_t pid = start(stay_fenced);
	int64_t until = now() + LONG_ENOUGH;
	unsigned forgotten = 9999;

	while (!room->rounds && now() < until)
		usleep(200);
	set_value(&room->word, READER | 2);
	CHECK_INT(ipckit_rwlock_forget(word, &forgotten), -EAGAIN);
	CHECK_INT(forgotten, 9999);
	CHECK_INT(value_of(&room->word), READER | 2);
	kill_off(pid);
	CHECK_INT(ipckit_rwlock_forget(word, &forgotten), 0);
	CHECK_INT(forgotten, 2);
	/* Others may have fences again. */
	room->rounds = 0;
	pid = start(stay_fenced);
	while (!room->rounds && now() < until)
		usleep(200);
	CHECK(room->rounds == 1);
	kill_off(pid);
}

static void test_segment(void)
{
	struct ipckit_name name;
	struct ipckit_why why;
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	struct ipckit_word *segment;
	unsigned forgotten;
	char text[32];

	snprintf(text, sizeof(text), "id:%d", id);
	if (!CHECK(id >= 0) || !CHECK_INT(ipckit_name_parse(text, IPCKIT_WORD_NAMES_ALL, &why, &name), 0))
		return;
	if (CHECK_INT(ipckit_word_open(&name, &segment), 0)) {
		CHECK_INT(ipckit_rwlock_forget(segment, &forgotten), -EOPNOTSUPP);
		ipckit_word_close(segment);
	}
	shmctl(id, IPC_RMID, NULL);
}

/* ---- by a writer that waits ---- */

static void test_patience(void)
{
	struct ipckit_rwlock_writer *writer = NULL;
	struct ipckit_deadline deadline;
	unsigned forgotten = 9999;
	int64_t began;
	bool died;

	set_value(&room->word, READER | 2);
	CHECK_INT(write_within(0, &died, &forgotten, &writer), -EAGAIN);
	CHECK_INT(forgotten, 0);
	CHECK_INT(write_within(300 * MS, &died, &forgotten, &writer), -ETIMEDOUT);
	CHECK_INT(forgotten, 0);
	/* One that knows no file does not look. */
	ipckit_deadline_in(1600 * MS, &deadline);
	CHECK_INT(ipckit_rwlock_write(&room->word, &deadline, &died, &writer), -ETIMEDOUT);
	CHECK_INT(value_of(&room->word), READER | 2);
	began = now();
	if (!CHECK_INT(write_within(LONG_ENOUGH, &died, &forgotten, &writer), 0))
		return;
	CHECK(now() - began >= SECOND);
	CHECK_INT(forgotten, 2);
	CHECK(!died);
	ipckit_rwlock_write_unlock(writer);
	CHECK_INT(value_of(&room->word), 0);
}

/* ---- at random ---- */

static void look_on(void)
{
	int64_t until = now() + (now() % 8) * MS / 4;

	do {
		room->odd += room->a != room->b;
		usleep(100);
	} while (now() < until);
}

static int read_for_ever(void)
{
	struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };
	bool died;

	if (!open_word())
		return 9;
	while (!ipckit_rwlock_read_word(word, &forever, &died)) {
		if (!died)
			look_on();
		if (ipckit_rwlock_read_word_unlock(word))
			break;
		usleep(500);
	}
	room->failures++;
	return 9;
}

static int write_for_ever(void)
{
	struct ipckit_rwlock_writer *writer;
	unsigned forgotten;
	bool died;

	if (!open_word())
		return 9;
	while (!write_within(2 * LONG_ENOUGH, &died, &forgotten, &writer)) {
		room->forgotten += forgotten;
		room->odd += room->a != room->b && !died;
		room->b = ++room->a;
		room->a++;
		usleep(300);
		room->b++;
		room->rounds++;
		ipckit_rwlock_write_unlock(writer);
		usleep(500);
	}
	room->failures++;
	return 9;
}

static int (*const all[])(void) = { read_for_ever, read_for_ever, read_for_ever, write_for_ever, write_for_ever };
#define ALL (sizeof(all) / sizeof(*all))

static void kill_at_random(unsigned seed)
{
	pid_t pids[ALL];

	for (size_t i = 0; i < ALL; i++)
		pids[i] = start(all[i]);
	for (unsigned i = 0; i < KILLS; i++) {
		size_t which = (size_t)rand_r(&seed) % ALL;
		unsigned before = room->rounds;
		int64_t until = now() + LONG_ENOUGH;

		while (room->rounds == before && now() < until)
			usleep(500);
		CHECK(room->rounds != before);
		usleep((unsigned)rand_r(&seed) % 3000);
		kill_off(pids[which]);
		pids[which] = start(all[which]);
	}
	for (size_t i = 0; i < ALL; i++)
		kill_off(pids[i]);
}

static unsigned seed;
static unsigned *total;

static int be_crowd(void)
{
	struct ipckit_rwlock_writer *writer;
	unsigned forgotten = 0;
	bool died;

	if (!make_room())
		return 1;
	kill_at_random(seed);
	if (CHECK_INT(write_within(LONG_ENOUGH, &died, &forgotten, &writer), 0))
		ipckit_rwlock_write_unlock(writer);
	CHECK_INT(value_of(&room->word), 0);
	CHECK_INT(room->odd, 0);
	CHECK_INT(room->failures, 0);
	__atomic_fetch_add(total, room->forgotten + forgotten, __ATOMIC_SEQ_CST);
	fflush(stdout);
	return unit_failures ? 1 : 0;
}

static void test_random(void)
{
	pid_t pids[CROWDS];

	total = mmap(NULL, sizeof(*total), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!CHECK(total != MAP_FAILED))
		return;
	seed = (unsigned)now();
	printf("# seeds from %u\n", seed);
	for (unsigned i = 0; i < CROWDS; i++, seed++)
		pids[i] = start(be_crowd);
	for (unsigned i = 0; i < CROWDS; i++) {
		int status = -1;

		CHECK_INT(waitpid(pids[i], &status, 0), pids[i]);
		CHECK_INT(status, 0);
	}
	printf("# forgotten: %u\n", *total);
	CHECK(*total > 0);
}

int main(void)
{
	if (!make_room())
		return unit_skip("rwlock, forgotten readers", "no memory that is a file");
	test_values();
	test_fenced();
	test_segment();
	test_patience();
	test_random();
	return unit_done("rwlock, forgotten readers");
}
