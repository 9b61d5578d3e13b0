/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../../lib/journal-file.h"
#include "failing.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipckit/journal.h>

#define QUEUE "/jobs"

static char directory[256], path[300];

static struct ipckit_journal *open_journal(enum ipckit_mq_backend backend)
{
	struct ipckit_journal *journal = NULL;

	CHECK_INT(ipckit_journal_open(path, backend, QUEUE, &journal), 0);
	return journal;
}

/* A slot, into which the kernel would write this. */
static struct ipckit_journal_slot put(struct ipckit_journal *journal, size_t room, long rank, const char *text)
{
	struct ipckit_journal_slot slot = { 0 };

	if (!CHECK_INT(ipckit_journal_slot(journal, room, &slot), 0))
		exit(1);
	CHECK(slot.room >= room);
	if (text) {
		slot.message->rank = rank;
		memcpy(slot.message->data, text, strlen(text));
	}
	return slot;
}

static void check_left(struct ipckit_journal *journal, size_t i, const char *text, long rank, bool measured)
{
	struct ipckit_journal_slot slot;

	ipckit_journal_get_left(journal, i, &slot);
	CHECK_INT_FOR(text, slot.size, strlen(text));
	CHECK_FOR(text, slot.size == strlen(text) && !memcmp(slot.message->data, text, slot.size));
	CHECK_INT_FOR(text, slot.message->rank, rank);
	CHECK_INT_FOR(text, slot.measured, measured);
}

static void done_left(struct ipckit_journal *journal, size_t i)
{
	struct ipckit_journal_slot slot;

	ipckit_journal_get_left(journal, i, &slot);
	ipckit_journal_done(journal, &slot);
}

static void test_new(void)
{
	struct ipckit_journal *journal, *other = NULL;
	struct stat st;
	char *queue;
	mode_t mask = umask(0777);

	unlink(path);
	journal = open_journal(IPCKIT_MQ_POSIX);
	umask(mask);
	CHECK(!stat(path, &st) && (st.st_mode & 07777) == 0600);
	CHECK_INT(ipckit_journal_left(journal), 0);
	CHECK_INT(ipckit_journal_open(path, IPCKIT_MQ_POSIX, QUEUE, &other), -EAGAIN);
	CHECK(!other);
	ipckit_journal_close(journal);
	CHECK_INT(ipckit_journal_open(path, IPCKIT_MQ_POSIX, "/other", &other), -EXDEV);
	CHECK_INT(ipckit_journal_open(path, IPCKIT_MQ_SYSV, QUEUE, &other), -EXDEV);
	if (CHECK_INT(ipckit_journal_queue(path, &queue), 0)) {
		CHECK_STR(queue, QUEUE);
		free(queue);
	}
	ipckit_journal_close(NULL);
}

/* What is left comes in the order of receipt, also out of slots of different size and age. */
static void test_left(enum ipckit_mq_backend backend)
{
	struct ipckit_journal_slot a, b, c, d;
	struct ipckit_journal *journal;

	unlink(path);
	journal = open_journal(backend);
	a = put(journal, 100, 3, "first");
	b = put(journal, 8192, 4, "second");
	ipckit_journal_received(journal, &a, 5);
	ipckit_journal_received(journal, &b, 6);
	ipckit_journal_done(journal, &a);
	c = put(journal, 10, 5, "third");
	CHECK_INT(c.number, a.number);
	d = put(journal, 10, 0, NULL);
	CHECK(d.number != c.number && d.number != b.number);
	ipckit_journal_close(journal);

	journal = open_journal(backend);
	if (CHECK_INT(ipckit_journal_left(journal), 2)) {
		check_left(journal, 0, "second", 4, false);
		check_left(journal, 1, "third", 5, true);
		done_left(journal, 0);
	}
	/* The other is not given away before it is done. */
	a = put(journal, 1, 6, "");
	b = put(journal, 1, 7, "fourth");
	CHECK(a.number != c.number && b.number != c.number && a.number != b.number);
	ipckit_journal_received(journal, &a, 0);
	ipckit_journal_close(journal);

	journal = open_journal(backend);
	if (CHECK_INT(ipckit_journal_left(journal), 3)) {
		check_left(journal, 0, "third", 5, true);
		check_left(journal, 1, "", 6, false);
		check_left(journal, 2, "fourth", 7, true);
		for (size_t i = 0; i < 3; i++)
			done_left(journal, i);
	}
	ipckit_journal_close(journal);
	journal = open_journal(backend);
	CHECK_INT(ipckit_journal_left(journal), 0);
	ipckit_journal_close(journal);
}

/* After a long message the slot is as it was: a short one is not taken for longer. */
static void test_measure(void)
{
	char text[201];
	struct ipckit_journal *journal;
	struct ipckit_journal_slot slot;
	size_t size = 0;

	unlink(path);
	memset(text, 'x', sizeof(text));
	for (unsigned i = 0; i < 300; i++) {
		journal = open_journal(IPCKIT_MQ_SYSV);
		if (ipckit_journal_left(journal)) {
			ipckit_journal_get_left(journal, 0, &slot);
			CHECK_INT(slot.size, size);
			CHECK_INT(slot.measured, 1);
			ipckit_journal_done(journal, &slot);
		} else {
			CHECK_INT(i, 0);
		}
		size = i * 37 % 200;
		text[size] = '\0';
		put(journal, 200, 1 + i, text);
		text[size] = 'x';
		ipckit_journal_close(journal);
	}
}

/* Pointers into the file last while it grows. */
static void test_growth(void)
{
	struct ipckit_journal_slot slots[300];
	struct ipckit_journal *journal;
	char text[16];

	unlink(path);
	journal = open_journal(IPCKIT_MQ_POSIX);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "m%u", i);
		slots[i] = put(journal, i * 10, i, text);
		ipckit_journal_received(journal, &slots[i], strlen(text));
	}
	for (unsigned i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "m%u", i);
		CHECK_FOR(text, !memcmp(slots[i].message->data, text, strlen(text)));
	}
	ipckit_journal_close(journal);
	journal = open_journal(IPCKIT_MQ_POSIX);
	CHECK_INT(ipckit_journal_left(journal), 300);
	for (unsigned i = 0; i < ipckit_journal_left(journal); i++) {
		snprintf(text, sizeof(text), "m%u", i);
		check_left(journal, i, text, i, false);
	}
	ipckit_journal_close(journal);
}

/* ---- kills between any two stores: what the file then holds ---- */

struct moment {
	const char *name;
	unsigned long state;
	long rank;
	const char *data; /* over the pattern */
	const char *left; /* or NULL */
	bool measured;
};

#define STATE(kind, size) ((unsigned long)(size) << 2 | JOURNAL_##kind)

static const struct moment moments[] = {
	{ "free", STATE(FREE, 0), 0, "", NULL, false },
	{ "taken by the kernel", STATE(FREE, 0), 9, "text", "text", true },
	{ "noted", STATE(RECEIVED, 4), 9, "text", "text", false },
	{ "noted, of no bytes", STATE(RECEIVED, 0), 9, "", "", false },
	{ "done", STATE(DONE, 4), 9, "text", NULL, false },
	{ "done, half wiped", STATE(DONE, 4), 9, "te", NULL, false },
	{ "done, wiped", STATE(DONE, 4), 9, "", NULL, false },
	{ "done, and marked", STATE(DONE, 4), 0, "", NULL, false },
	{ "free, but not wiped", STATE(FREE, 0), 0, "text", NULL, false },
};

static void test_moment(const struct moment *moment)
{
	struct ipckit_journal *journal;
	struct ipckit_journal_slot slot;
	struct journal_entry *entry;

	unlink(path);
	journal = open_journal(IPCKIT_MQ_SYSV);
	slot = put(journal, 50, 0, NULL);
	entry = (void *)((char *)slot.message - offsetof(struct journal_entry, message));
	entry->state = moment->state;
	entry->message.rank = moment->rank;
	memcpy(entry->message.data, moment->data, strlen(moment->data));
	ipckit_journal_close(journal);

	journal = open_journal(IPCKIT_MQ_SYSV);
	CHECK_INT_FOR(moment->name, ipckit_journal_left(journal), moment->left != NULL);
	if (moment->left && ipckit_journal_left(journal) == 1) {
		check_left(journal, 0, moment->left, 9, moment->measured);
		done_left(journal, 0);
	}
	/* Whatever it was, it is a slot like any other now. */
	put(journal, 50, 8, "x");
	ipckit_journal_close(journal);
	journal = open_journal(IPCKIT_MQ_SYSV);
	if (CHECK_INT_FOR(moment->name, ipckit_journal_left(journal), 1))
		check_left(journal, 0, "x", 8, true);
	ipckit_journal_close(journal);
}

/* ---- files ---- */

static void write_file(const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		CHECK(false);
	close(fd);
}

static size_t read_journal(char *data, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, data, room);

	close(fd);
	return n > 0 ? (size_t)n : 0;
}

static int open_result(void)
{
	struct ipckit_journal *journal;
	int r = ipckit_journal_open(path, IPCKIT_MQ_SYSV, QUEUE, &journal);

	if (!r)
		ipckit_journal_close(journal);
	return r;
}

/* Cut at each byte: what ends within the head was being made, what ends within an extent is damaged. */
static void test_cut(void)
{
	static char data[65536];
	size_t size, page = (size_t)sysconf(_SC_PAGESIZE), head = sizeof(struct journal_head) + sizeof(QUEUE);
	struct ipckit_journal *journal;

	unlink(path);
	journal = open_journal(IPCKIT_MQ_SYSV);
	put(journal, 100, 1, "text");
	ipckit_journal_close(journal);
	size = read_journal(data, sizeof(data));
	CHECK(size > page);
	for (size_t i = 0; i <= page; i += i < head + 2 ? 1 : 77) {
		write_file(data, i);
		CHECK_INT(open_result(), 0);
	}
	for (size_t i = page + 1; i < page + journal_extent_size(journal_room(100), 1); i++) {
		write_file(data, i);
		CHECK_INT(open_result(), -EBADMSG);
	}
	/* One that was half made is cut away; what stands in it does not matter. */
	memset(data + page, 0, 8);
	write_file(data, size);
	CHECK_INT(open_result(), 0);
	CHECK_INT(read_journal(data, sizeof(data)), page);
}

static void test_others(void)
{
	static const struct {
		const char *text;
		size_t size;
	} files[] = { { "x", 1 }, { "ipckit journax", 14 }, { "\0\0\0\0", 4 }, { "ipckit journal\n\0\1", 17 } };
	char target[400];
	char *queue;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		write_file(files[i].text, files[i].size);
		CHECK_INT_FOR(files[i].text, open_result(), -EBADMSG);
		CHECK_INT_FOR(files[i].text, ipckit_journal_queue(path, &queue), -EBADMSG);
	}
	snprintf(target, sizeof(target), "%s/target", directory);
	rename(path, target);
	CHECK(!symlink(target, path));
	CHECK_INT(open_result(), -ELOOP);
	unlink(path);
	unlink(target);
	CHECK(!mkfifo(path, 0600));
	CHECK_INT(open_result(), -EBADMSG);
	CHECK_INT(ipckit_journal_queue(path, &queue), -EBADMSG);
	unlink(path);
	CHECK(!mkdir(path, 0700));
	CHECK_INT(open_result(), -EBADMSG);
	rmdir(path);
	CHECK_INT(ipckit_journal_queue(path, &queue), -ENOENT);
}

/* Each byte of head and extent changed: refused, or of no consequence. */
static void test_damage(void)
{
	static char data[65536], again[65536];
	size_t size, page = (size_t)sysconf(_SC_PAGESIZE);
	size_t end = page + sizeof(struct journal_extent);
	struct ipckit_journal *journal;
	unsigned refused = 0;

	unlink(path);
	journal = open_journal(IPCKIT_MQ_SYSV);
	put(journal, 100, 1, "text");
	ipckit_journal_close(journal);
	size = read_journal(data, sizeof(data));
	for (size_t i = 0; i < end; i++) {
		int r;

		if (i >= sizeof(struct journal_head) + sizeof(QUEUE) && i < page)
			continue;
		memcpy(again, data, size);
		again[i] ^= 0x10;
		write_file(again, size);
		r = open_result();
		CHECK(r == 0 || r == -EBADMSG);
		refused += r == -EBADMSG;
	}
	CHECK_INT(refused, sizeof(struct journal_head) + sizeof(QUEUE) + offsetof(struct journal_extent, unused));
}

static void test_limits(void)
{
	struct rlimit old, low = { 3 * (rlim_t)sysconf(_SC_PAGESIZE), RLIM_INFINITY };
	struct ipckit_journal *journal;
	struct ipckit_journal_slot slot;
	struct stat st;

	unlink(path);
	getrlimit(RLIMIT_FSIZE, &old);
	low.rlim_max = old.rlim_max;
	journal = open_journal(IPCKIT_MQ_SYSV);
	CHECK(!setrlimit(RLIMIT_FSIZE, &low));
	CHECK_INT(ipckit_journal_slot(journal, 65536, &slot), -EFBIG);
	CHECK(!stat(path, &st) && st.st_size <= sysconf(_SC_PAGESIZE));
	slot = put(journal, 100, 1, "fits");
	low.rlim_cur = 10;
	CHECK(!setrlimit(RLIMIT_FSIZE, &low));
	CHECK_INT(ipckit_journal_slot(journal, 100, &slot), -EFBIG);
	ipckit_journal_close(journal);
	unlink(path);
	CHECK_INT(open_result(), -EFBIG);
	CHECK(!setrlimit(RLIMIT_FSIZE, &old));
	CHECK_INT(open_result(), 0);

	journal = open_journal(IPCKIT_MQ_SYSV);
	CHECK_INT(ipckit_journal_slot(journal, SIZE_MAX, &slot), -ENOMEM);
	CHECK_INT(ipckit_journal_slot(journal, JOURNAL_ROOM_MAX, &slot), -ENOMEM);
	ipckit_journal_close(journal);
}

/* A file that shrinks is told, not died of. */
static void test_shrunk(void)
{
	struct ipckit_journal *journal;
	struct ipckit_journal_slot slot;

	unlink(path);
	journal = open_journal(IPCKIT_MQ_SYSV);
	slot = put(journal, 100, 0, NULL);
	ipckit_journal_done(journal, &slot);
	ipckit_journal_close(journal);
	journal = open_journal(IPCKIT_MQ_SYSV);
	CHECK(!truncate(path, 0));
	CHECK_INT(ipckit_journal_slot(journal, 100, &slot), -EBADMSG);
	ipckit_journal_close(journal);
}

/* A lock ends with the process that had it. */
static void test_lock(void)
{
	struct ipckit_journal *journal;
	pid_t pid;
	int ends[2];
	char byte;

	unlink(path);
	if (!CHECK(!pipe(ends)))
		return;
	pid = fork();
	if (!pid) {
		journal = open_journal(IPCKIT_MQ_SYSV);
		put(journal, 100, 5, "taken");
		if (write(ends[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	CHECK_INT(read(ends[0], &byte, 1), 1);
	CHECK_INT(open_result(), -EAGAIN);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	journal = open_journal(IPCKIT_MQ_SYSV);
	if (CHECK_INT(ipckit_journal_left(journal), 1))
		check_left(journal, 0, "taken", 5, true);
	ipckit_journal_close(journal);
	close(ends[0]);
	close(ends[1]);
}

/* ---- memory ---- */

static int use_all(void)
{
	struct ipckit_journal *journal;
	struct ipckit_journal_slot slot;
	char *queue;
	int r;

	unlink(path);
	r = ipckit_journal_open(path, IPCKIT_MQ_SYSV, QUEUE, &journal);
	if (r)
		return r;
	r = ipckit_journal_slot(journal, 100, &slot);
	if (!r)
		r = ipckit_journal_slot(journal, 5000, &slot);
	ipckit_journal_close(journal);
	if (r)
		return r;
	r = ipckit_journal_queue(path, &queue);
	if (!r)
		free(queue);
	return r;
}

int main(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/journal.XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/journal", directory);
	test_new();
	test_left(IPCKIT_MQ_POSIX);
	test_left(IPCKIT_MQ_SYSV);
	test_measure();
	test_growth();
	for (size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++)
		test_moment(&moments[i]);
	test_cut();
	test_others();
	test_damage();
	test_limits();
	test_shrunk();
	test_lock();
	check_failing("all of it", use_all);
	unlink(path);
	rmdir(directory);
	return unit_done("journals");
}
