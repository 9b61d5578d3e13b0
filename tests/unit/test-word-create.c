/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Files of words: how they are made. */

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ipckit/word.h>

static char dir[] = "/tmp/ipckit-word-XXXXXX";

static int create(const char *text, struct ipckit_word_spec spec, bool *created)
{
	struct ipckit_name name;
	int r = ipckit_name_parse(text, IPCKIT_WORD_NAMES_ALL, NULL, &name);

	if (r)
		return r;
	spec.words = spec.words ?: 1;
	spec.mode = spec.mode ?: 0600;
	r = ipckit_word_create(&name, &spec, created);
	ipckit_name_free(&name);
	return r;
}

/* How many words it has, all of them value; -1 where one differs. */
static long words_of(const char *path, uint32_t value)
{
	uint32_t word;
	long count = 0;
	int fd = open(path, O_RDONLY);

	while (read(fd, &word, sizeof(word)) == sizeof(word))
		count = word == value && count >= 0 ? count + 1 : -1;
	close(fd);
	return count;
}

static unsigned mode_of(const char *path)
{
	struct stat st = { 0 };

	CHECK_FOR(path, stat(path, &st) == 0);
	return st.st_mode & 07777;
}

static bool has_space(const char *path)
{
	struct stat st = { 0 };

	return !stat(path, &st) && st.st_blocks * 512 >= st.st_size;
}

static void test_contents(void)
{
	static const struct {
		uint64_t words;
		uint32_t value;
	} rows[] = { { 1, 0 }, { 1, 7 }, { 3, 0x01020304 }, { 16384, 5 }, { 16385, UINT32_MAX }, { 100000, 0 } };
	bool created;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		created = false;
		CHECK_INT(create("./new", (struct ipckit_word_spec){ .words = rows[i].words, .value = rows[i].value },
				 &created), 0);
		CHECK(created);
		CHECK_INT(words_of("new", rows[i].value), rows[i].words);
		CHECK(has_space("new"));
		CHECK(unlink("new") == 0);
	}
}

static void test_modes(void)
{
	static const unsigned modes[] = { 0600, 0666, 0777, 0400, 0200 };
	mode_t before = umask(077);
	bool created;

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		CHECK_INT(create("./new", (struct ipckit_word_spec){ .mode = modes[i], .value = 1 }, &created), 0);
		CHECK_INT(mode_of("new"), modes[i]);
		CHECK(unlink("new") == 0);
	}
	umask(before);
}

static void test_existing(void)
{
	bool created = true;

	CHECK_INT(create("/words", (struct ipckit_word_spec){ .words = 2, .value = 7 }, &created), 0);
	CHECK(created);
	CHECK_INT(create("/words@0", (struct ipckit_word_spec){ .words = 2, .value = 8, .mode = 0666 }, &created), 0);
	CHECK(!created);
	CHECK(words_of("/dev/shm/words", 7) == 2 && mode_of("/dev/shm/words") == 0600);
	created = true;
	CHECK_INT(create("/words", (struct ipckit_word_spec){ .words = 3 }, &created), -EFBIG);
	CHECK_INT(create("/words", (struct ipckit_word_spec){ .exclusive = true }, &created), -EEXIST);
	CHECK(created);
	CHECK(unlink("/dev/shm/words") == 0);
	CHECK_INT(create("/words", (struct ipckit_word_spec){ .exclusive = true }, &created), 0);
	CHECK(unlink("/dev/shm/words") == 0);
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		int result, exclusive;
	} rows[] = {
		{ "./new@4", -EINVAL, -EINVAL },
		{ "key:7", -EINVAL, -EINVAL },
		{ "./missing/new", -ENOENT, -ENOENT },
		{ "./file/new", -ENOTDIR, -ENOTDIR },
		{ "./link", -ELOOP, -EEXIST },
		{ "./dangling", -ELOOP, -EEXIST },
		{ "./fifo", -EBADMSG, -EEXIST },
		{ "./.", -EBADMSG, -EEXIST },
	};
	bool created = true;
	int fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0600);

	CHECK(fd >= 0 && close(fd) == 0 && symlink("file", "link") == 0 && symlink("new", "dangling") == 0);
	CHECK(mkfifo("fifo", 0600) == 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_word_spec spec = { 0 };

		CHECK_INT_FOR(rows[i].text, create(rows[i].text, spec, &created), rows[i].result);
		spec.exclusive = true;
		CHECK_INT_FOR(rows[i].text, create(rows[i].text, spec, &created), rows[i].exclusive);
	}
	CHECK_INT(create("./new", (struct ipckit_word_spec){ .words = UINT64_MAX / 4 }, &created), -EFBIG);
	CHECK_INT(create("./new", (struct ipckit_word_spec){ .words = INT64_MAX / 4 }, &created), -ENOSPC);
	CHECK(created && access("new", F_OK) != 0);
	CHECK(unlink("file") == 0 && unlink("link") == 0 && unlink("dangling") == 0 && unlink("fifo") == 0);
}

/* Beyond it trying would raise SIGXFSZ. */
static void test_limit(void)
{
	struct rlimit before, limit;
	bool created;

	CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
	limit = before;
	limit.rlim_cur = 4096;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK_INT(create("./new", (struct ipckit_word_spec){ .words = 1025, .value = 1 }, &created), -EFBIG);
	CHECK_INT(create("./new", (struct ipckit_word_spec){ .words = 1024, .value = 1 }, &created), 0);
	CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
	CHECK_INT(words_of("new", 1), 1024);
	CHECK(unlink("new") == 0);
}

/* Of many that make the same one, one does, and all find it whole. */
#define MAKERS 8
static pthread_barrier_t barrier;

static void *run_maker(void *arg)
{
	bool *created = arg;
	int r;

	pthread_barrier_wait(&barrier);
	r = create("/race", (struct ipckit_word_spec){ .words = 1000, .value = 9 }, created);
	return (void *)(intptr_t)(r ?: words_of("/dev/shm/race", 9) == 1000 ? r : 1);
}

static void test_race(void)
{
	pthread_t threads[MAKERS];
	bool created[MAKERS];
	int count = 0;
	void *r;

	CHECK(pthread_barrier_init(&barrier, NULL, MAKERS) == 0);
	for (int i = 0; i < MAKERS; i++)
		CHECK(pthread_create(&threads[i], NULL, run_maker, &created[i]) == 0);
	for (int i = 0; i < MAKERS; i++) {
		CHECK(pthread_join(threads[i], &r) == 0);
		CHECK_INT((intptr_t)r, 0);
		count += created[i];
	}
	CHECK_INT(count, 1);
	CHECK(unlink("/dev/shm/race") == 0);
	pthread_barrier_destroy(&barrier);
}

int main(void)
{
	if (!CHECK(mkdtemp(dir)) || !CHECK(chdir(dir) == 0))
		return unit_done("making words");
	test_contents();
	test_modes();
	test_existing();
	test_refused();
	test_limit();
	for (int i = 0; i < 20; i++)
		test_race();
	CHECK(rmdir(dir) == 0);
	return unit_done("making words");
}
