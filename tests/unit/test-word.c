/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipckit/word.h>

static char dir[] = "/tmp/ipckit-word-XXXXXX";

static int open_by(int (*open)(const struct ipckit_name *name, struct ipckit_word **out), const char *text,
		   struct ipckit_word **out)
{
	struct ipckit_name name;
	int r = ipckit_name_parse(text, IPCKIT_WORD_NAMES_ALL | IPCKIT_TAKES(IPCKIT_NAME_FD), NULL, &name);

	if (r)
		return r;
	r = open(&name, out);
	ipckit_name_free(&name);
	return r;
}

static int open_named(const char *text, struct ipckit_word **out)
{
	return open_by(ipckit_word_open, text, out);
}

static int open_to_read(const char *text, struct ipckit_word **out)
{
	return open_by(ipckit_word_open_to_read, text, out);
}

static const struct {
	const char *name; /* in the directory */
	int result;
} places[] = {
	{ "file@0", 0 },
	{ "file@8196", 0 },
	{ "file@8197", -EINVAL },
	{ "file@8200", -EFBIG }, /* within the word */
	{ "file@8204", -EFBIG },
	{ "file@0x7ffffffffffffffc", -EFBIG },
	{ "file@0xfffffffffffffffc", -EINVAL }, /* no offset of a file */
	{ "short@0", -EFBIG },
	{ "empty@0", -EFBIG },
	{ "missing@0", -ENOENT },
	{ "link@0", -ELOOP },
	{ "fifo@0", -EBADMSG },
	{ ".@0", -EBADMSG },
};

static void make(const char *name, off_t size)
{
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

	CHECK_FOR(name, fd >= 0 && ftruncate(fd, size) == 0);
	close(fd);
}

static void make_files(void)
{
	make("file", 8202);
	make("short", 3);
	make("empty", 0);
	CHECK(symlink("file", "link") == 0);
	CHECK(link("file", "alias") == 0);
	CHECK(mkfifo("fifo", 0600) == 0);
}

static void test_places(void)
{
	struct ipckit_word *word;
	char text[100];

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		word = NULL;
		snprintf(text, sizeof(text), "%s/%s", dir, places[i].name);
		CHECK_INT_FOR(places[i].name, open_named(text, &word), places[i].result);
		CHECK_FOR(places[i].name, !word == !!places[i].result);
		ipckit_word_close(word);
		word = NULL;
		CHECK_INT_FOR(places[i].name, open_to_read(text, &word), places[i].result);
		ipckit_word_close(word);
	}
	CHECK_INT(open_named("fd:7", &word), -EINVAL);
}

/* Whatever the name, it is the word at that offset of the file. */
static void test_same(void)
{
	struct ipckit_word *word, *alias;
	uint32_t value = 0;
	int fd = open("file", O_RDONLY);

	if (!CHECK_INT(open_named("./file@4096", &word), 0))
		return;
	CHECK_INT(ipckit_word_offset(word), 4096);
	CHECK(fcntl(ipckit_word_fd(word), F_GETFD) == FD_CLOEXEC);
	if (CHECK_INT(open_named("./alias@4096", &alias), 0)) {
		*ipckit_word_at(word) = 4711;
		CHECK_INT(*ipckit_word_at(alias), 4711);
		CHECK(pread(fd, &value, sizeof(value), 4096) == sizeof(value));
		CHECK_INT(value, 4711);
		ipckit_word_close(alias);
	}
	ipckit_word_close(word);
	ipckit_word_close(NULL);
	close(fd);
}

/* ---- links of processes ---- */

static void check_behind(const char *format, int number, int result)
{
	struct ipckit_word *word = NULL;
	char text[100];

	snprintf(text, sizeof(text), format, number);
	CHECK_INT_FOR(text, open_named(text, &word), result);
	if (word)
		CHECK_INT_FOR(text, *ipckit_word_at(word), 4711);
	ipckit_word_close(word);
}

static void check_fd(int fd, int result)
{
	check_behind("/proc/self/fd/%d", fd, result);
	check_behind("/proc/thread-self/fd/%d@0", fd, result);
	close(fd);
}

/* A memfd with a word. */
static int make_memfd(void)
{
	uint32_t value = 4711;
	int fd = memfd_create("word", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CHECK(fd >= 0 && write(fd, &value, sizeof(value)) == sizeof(value));
	return fd;
}

static void test_links(void)
{
	int fd = make_memfd(), ends[2];

	check_behind("/proc/self/fd/%d@4", fd, -EFBIG);
	check_fd(fd, 0);
	check_behind("/proc/self/fd/%d", fd, -ENOENT);
	fd = make_memfd();
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
	check_fd(fd, -EPERM);

	/* One that has no name any more. */
	make("gone", 8);
	fd = open("gone", O_RDWR);
	CHECK(pwrite(fd, &(uint32_t){ 4711 }, 4, 0) == 4 && unlink("gone") == 0);
	check_fd(fd, 0);

	/* What is no file. */
	CHECK(pipe(ends) == 0);
	check_fd(ends[0], -EBADMSG);
	check_fd(ends[1], -EBADMSG);
	check_fd(open("/dev/null", O_RDWR), -EBADMSG);
	check_fd(open(".", O_RDONLY), -EBADMSG);
	check_behind("/proc/self/root%.0d", 0, -EBADMSG);

	/* A link elsewhere to such a link is one that was planted. */
	fd = make_memfd();
	CHECK(fd == 3 && symlink("/proc/self/fd/3", "planted") == 0);
	check_behind("./planted%.0d", 0, -ELOOP);
	CHECK(unlink("planted") == 0);
	close(fd);
}

/* ---- segments ---- */

static const struct {
	const char *end;
	int result;
} segment_places[] = {
	{ "", 0 },	  { "@0", 0 },	       { "@4092", 0 },
	{ "@2", -EINVAL }, { "@4096", -EFBIG }, { "@9223372036854775804", -EFBIG },
};

static void check_segment_places(int id)
{
	struct ipckit_word *word;
	char text[64];

	for (size_t i = 0; i < sizeof(segment_places) / sizeof(*segment_places); i++) {
		word = NULL;
		snprintf(text, sizeof(text), "id:%d%s", id, segment_places[i].end);
		CHECK_INT_FOR(text, open_named(text, &word), segment_places[i].result);
		ipckit_word_close(word);
	}
}

static int attached(int id)
{
	struct shmid_ds ds;

	return shmctl(id, IPC_STAT, &ds) ? -1 : (int)ds.shm_nattch;
}

static void test_segments(void)
{
	struct ipckit_word *word = NULL, *other = NULL;
	int id = shmget(0x776f7264, 4000, IPC_CREAT | IPC_EXCL | 0600);
	struct stat st = { 0 };
	char text[64];
	uint64_t offset;

	if (!CHECK(id >= 0))
		return;
	CHECK_INT(open_named("key:0x776f7265", &word), -ENOENT);
	CHECK_INT(open_named("key:0x776f7264@3996", &word), 0);
	snprintf(text, sizeof(text), "id:%d@3996", id);
	CHECK_INT(open_named("key:0x776f7264@4000", &other), -EFBIG);
	CHECK_INT(open_named(text, &other), 0);
	*ipckit_word_at(word) = 4711;
	CHECK_INT(*ipckit_word_at(other), 4711);
	CHECK(ipckit_word_fd(word) == -1 && ipckit_word_offset(word) == 3996);
	CHECK(!ipckit_word_is_in(word, &st, &offset));
	CHECK_INT(ipckit_word_check(word), 0);
	ipckit_word_close(other);

	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	CHECK_INT(ipckit_word_check(word), -EIDRM);
	CHECK_INT(open_named("key:0x776f7264", &other), -ENOENT);
	/* By its identifier it is still to be had, and then it is no news. */
	CHECK_INT(open_named(text, &other), 0);
	CHECK_INT(ipckit_word_check(other), 0);
	ipckit_word_close(other);
	CHECK_INT(attached(id), 1);
	ipckit_word_close(word);
	CHECK_INT(open_named(text, &word), -ENOENT);

	id = shmget(IPC_PRIVATE, 4096, 0600);
	check_segment_places(id);
	CHECK_INT(attached(id), 0);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
}

/* ---- what is left of a word ---- */

static void test_check(void)
{
	struct ipckit_word *word, *unnamed;

	make("shrinks", 8192);
	if (!CHECK_INT(open_named("./shrinks@4096", &word), 0))
		return;
	CHECK_INT(ipckit_word_check(word), 0);
	CHECK(truncate("shrinks", 4099) == 0);
	CHECK_INT(ipckit_word_check(word), -EFBIG);
	CHECK(truncate("shrinks", 4100) == 0);
	CHECK_INT(ipckit_word_check(word), 0);
	CHECK(link("shrinks", "other") == 0 && unlink("shrinks") == 0);
	CHECK_INT(ipckit_word_check(word), 0);
	CHECK(unlink("other") == 0);
	CHECK_INT(ipckit_word_check(word), -EIDRM);
	ipckit_word_close(word);

	CHECK(make_memfd() == 3);
	if (CHECK_INT(open_named("/proc/self/fd/3", &unnamed), 0))
		CHECK_INT(ipckit_word_check(unnamed), 0);
	ipckit_word_close(unnamed);
	close(3);
}

/* ---- rights ---- */

static int open_without_rights(const char *text, bool to_read)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	struct ipckit_word *word;
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		if (syscall(SYS_capset, &header, none))
			_exit(255);
		_exit(-(to_read ? open_to_read : open_named)(text, &word));
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void test_rights(void)
{
	int id = shmget(0x776f7264, 4096, IPC_CREAT | IPC_EXCL | 0400);

	CHECK(chmod("file", 0400) == 0);
	CHECK_INT(open_without_rights("./file@0", false), -EACCES);
	CHECK_INT(open_without_rights("./file@0", true), 0);
	CHECK_INT(open_without_rights("key:0x776f7264", false), -EACCES);
	CHECK_INT(open_without_rights("key:0x776f7264", true), 0);
	CHECK(chmod("file", 0) == 0);
	CHECK_INT(open_without_rights("./file@0", true), -EACCES);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
}

int main(void)
{
	static const char *const files[] = { "file", "alias", "short", "empty", "link", "fifo" };

	if (!CHECK(mkdtemp(dir)) || !CHECK(chdir(dir) == 0))
		return unit_done("words");
	make_files();
	test_places();
	test_same();
	test_links();
	test_segments();
	test_check();
	test_rights();
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		CHECK_FOR(files[i], unlink(files[i]) == 0);
	CHECK(rmdir(dir) == 0);
	return unit_done("words");
}
