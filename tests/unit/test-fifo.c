/* SPDX-License-Identifier: GPL-2.0-or-later */

/* FIFOs: made with their mode, opened in time, kept open at both ends, left. */

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ipckit/pipe.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)

static const struct ipckit_deadline none = { .kind = IPCKIT_DEADLINE_NONE };
static const struct ipckit_deadline try = { .kind = IPCKIT_DEADLINE_TRY };

static int64_t now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * SECOND + at.tv_nsec;
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) || !S_ISFIFO(st.st_mode) ? 0xffff : st.st_mode & 07777;
}

static unsigned count_entries(void)
{
	DIR *dir = opendir(".");
	unsigned count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count - 2;
}

static void make(const char *path)
{
	bool created = false;

	CHECK_INT(ipckit_fifo_create(path, 0600, true, &created), 0);
	CHECK(created);
}

/* ---- making ---- */

static void test_modes(void)
{
	static const unsigned masks[] = { 0, 022, 077, 0777 };
	static const unsigned modes[] = { 0600, 0666, 0640, 0, 01777, 04711 };
	unsigned entries = count_entries();

	for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
		umask(masks[i]);
		for (size_t j = 0; j < sizeof(modes) / sizeof(*modes); j++) {
			bool created = false;

			CHECK_INT(ipckit_fifo_create("made", modes[j], j & 1, &created), 0);
			CHECK(created);
			CHECK_INT(mode_of("made"), modes[j]);
			CHECK_INT(ipckit_fifo_create("made", 0111, true, &created), -EEXIST);
			CHECK(created);
			CHECK_INT(ipckit_fifo_create("made", 0111, false, &created), 0);
			CHECK(!created);
			CHECK_INT(mode_of("made"), modes[j]);
			CHECK_INT(ipckit_fifo_remove("made"), 0);
			CHECK_INT(count_entries(), entries);
		}
	}
	umask(022);
}

static _Noreturn void watch(void)
{
	unsigned mode;

	do
		mode = mode_of("watched");
	while (mode == 0xffff || mode == 0666);
	_exit(9);
}

/* Nobody ever sees it with another mode. */
static void test_first_moment(void)
{
	bool created;
	pid_t pid;
	int r = 0;

	umask(077);
	pid = fork();
	if (pid == 0)
		watch();
	for (unsigned i = 0; !r && i < 500; i++)
		r = ipckit_fifo_create("watched", 0666, true, &created) ?: ipckit_fifo_remove("watched");
	CHECK_INT(r, 0);
	kill(pid, SIGKILL);
	CHECK_INT(waitpid(pid, &r, 0), pid);
	CHECK(WIFSIGNALED(r));
	umask(022);
}

static void plant(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(!bind(fd, (struct sockaddr *)&at, sizeof(at)) && !close(fd));
	fd = open("file", O_WRONLY | O_CREAT, 0600);
	CHECK(fd >= 0 && !close(fd));
	make("real");
	CHECK(!mkdir("directory", 0700) && !symlink("real", "link") && !symlink("nowhere", "dangling"));
}

/* What else stands there is neither opened nor removed. */
static void test_planted(void)
{
	static const struct {
		const char *path;
		int error;
	} rows[] = {
		{ "file", -EBADMSG }, { "directory", -EBADMSG }, { "socket", -EBADMSG }, { "/dev/null", -EBADMSG },
		{ "link", -ELOOP }, { "dangling", -ELOOP }, { "nothing", -ENOENT }, { "no/thing", -ENOENT },
		{ "file/thing", -ENOTDIR },
	};
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR };

	plant();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *path = rows[i].path;
		bool created = true, is_new = rows[i].error == -ENOENT && !strchr(path, '/');
		int fd = 4711;

		for (size_t j = 0; j < 3; j++) {
			CHECK_INT_FOR(path, ipckit_fifo_open(path, flags[j], &none, &fd), rows[i].error);
			CHECK_INT_FOR(path, ipckit_fifo_open(path, flags[j], &try, &fd), rows[i].error);
		}
		CHECK_FOR(path, fd == 4711);
		CHECK_INT_FOR(path, ipckit_fifo_remove(path), rows[i].error);
		if (!is_new)
			CHECK_INT_FOR(path, ipckit_fifo_create(path, 0600, false, &created), rows[i].error);
		CHECK_FOR(path, created);
	}
	CHECK_INT(mode_of("real"), 0600);
	CHECK(!unlink("file") && !unlink("socket") && !unlink("link") && !unlink("dangling") && !rmdir("directory"));
	CHECK_INT(ipckit_fifo_remove("real"), 0);
}

/* ---- opening ---- */

/* It stays until that has been read: what is left to a reader for a moment goes with the last writer. */
static bool write_byte(int fd)
{
	const struct timespec pause = { .tv_nsec = MS };
	uint64_t bytes = 1;

	if (write(fd, "x", 1) != 1)
		return false;
	while (!ipckit_pipe_bytes(fd, &bytes) && bytes)
		nanosleep(&pause, NULL);
	return true;
}

/* Of who only tries to open it there was one for a moment: EPIPE. */
static bool use(int flags)
{
	bool good;
	char byte;
	int fd;

	do {
		fd = open("fifo", flags);
		/* Until whom it is for has gone. */
		good = fd >= 0 && (flags == O_WRONLY ? write_byte(fd) : read(fd, &byte, 1) == 0);
	} while (!good && errno == EPIPE && !close(fd));
	return good;
}

/* After a while, so that whom it is for waits already, or soon does. */
static pid_t open_later(int flags, int64_t ns)
{
	const struct timespec pause = { .tv_nsec = ns };
	pid_t pid = fork();

	if (pid)
		return pid;
	nanosleep(&pause, NULL);
	_exit(!use(flags));
}

static void reap(pid_t pid)
{
	int status = -1;

	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
}

static void check_open(int fd, int flags)
{
	char byte = 0;

	CHECK_INT(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), flags);
	CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
	if (flags == O_RDONLY)
		CHECK(read(fd, &byte, 1) == 1 && byte == 'x');
	CHECK(!close(fd));
}

static volatile sig_atomic_t stop;

static void on_alarm(int signal)
{
	(void)signal;
}

static void on_stop(int signal)
{
	stop = signal;
}

/* As who sets stop promises it: signals that go on arriving. */
static void insist(int signal, void (*handler)(int), int ms)
{
	const struct itimerval times = { { .tv_usec = 1000 }, { .tv_usec = ms * 1000 } };
	const struct sigaction action = { .sa_handler = handler };

	stop = 0;
	sigaction(signal, &action, NULL);
	setitimer(ITIMER_REAL, &times, NULL);
}

static void insist_no_more(void)
{
	const struct itimerval never = { 0 };

	setitimer(ITIMER_REAL, &never, NULL);
}

static void test_other_end(int flags)
{
	static const int64_t delays[] = { 0, 30 * MS };
	int other = flags == O_RDONLY ? O_WRONLY : O_RDONLY, fd = -1;
	struct ipckit_deadline deadline;

	for (size_t i = 0; i < 2; i++) {
		pid_t pid = open_later(other, delays[i]);

		CHECK_INT(ipckit_fifo_open("fifo", flags, &none, &fd), 0);
		check_open(fd, flags);
		reap(pid);

		pid = open_later(other, delays[i]);
		ipckit_deadline_in(10 * SECOND, &deadline);
		CHECK_INT(ipckit_fifo_open("fifo", flags, &deadline, &fd), 0);
		check_open(fd, flags);
		reap(pid);

		/* It may be late: until it comes there is nobody. */
		pid = open_later(other, delays[i]);
		while (ipckit_fifo_open("fifo", flags, &try, &fd) == -EAGAIN)
			;
		check_open(fd, flags);
		reap(pid);

		insist(SIGALRM, on_alarm, 1);
		pid = open_later(other, delays[i]);
		deadline.stop = &stop;
		CHECK_INT(ipckit_fifo_open("fifo", flags, &deadline, &fd), 0);
		insist_no_more();
		check_open(fd, flags);
		reap(pid);
	}
}

static void check_late(int r, int64_t began, int64_t ns)
{
	CHECK_INT(r, -ETIMEDOUT);
	CHECK(now() - began >= ns);
}

static void test_nobody(int flags)
{
	struct ipckit_deadline deadline;
	int64_t began = now();
	int fd = 4711;

	CHECK_INT(ipckit_fifo_open("fifo", flags, &try, &fd), -EAGAIN);
	ipckit_deadline_in(30 * MS, &deadline);
	check_late(ipckit_fifo_open("fifo", flags, &deadline, &fd), began, 30 * MS);

	insist(SIGALRM, on_alarm, 30);
	began = now();
	ipckit_deadline_in(30 * MS, &deadline);
	deadline.stop = &stop;
	check_late(ipckit_fifo_open("fifo", flags, &deadline, &fd), began, 30 * MS);

	insist(SIGALRM, on_stop, 10);
	ipckit_deadline_in(IPCKIT_FOREVER, &deadline);
	deadline.stop = &stop;
	CHECK_INT(ipckit_fifo_open("fifo", flags, &deadline, &fd), -EINTR);
	ipckit_deadline_in(10 * SECOND, &deadline);
	deadline.stop = &stop;
	CHECK_INT(ipckit_fifo_open("fifo", flags, &deadline, &fd), -EINTR);
	insist_no_more();
	CHECK_INT(fd, 4711);
}

static void test_both_ways(void)
{
	int fd = -1;

	CHECK_INT(ipckit_fifo_open("fifo", O_RDWR, &try, &fd), 0);
	check_open(fd, O_RDWR);
	CHECK_INT(ipckit_fifo_open("fifo", O_RDWR, &none, &fd), 0);
	/* Now each end has another one. */
	for (int flags = O_RDONLY; flags <= O_WRONLY; flags++) {
		int end = -1;

		CHECK_INT(ipckit_fifo_open("fifo", flags, &try, &end), 0);
		CHECK_INT(fcntl(end, F_GETFL) & (O_ACCMODE | O_NONBLOCK), flags);
		CHECK(!close(end));
	}
	CHECK(!close(fd));
}

/* ---- the other end, and the last one ---- */

static int open_fifo(int flags)
{
	int fd = open("fifo", flags | O_NONBLOCK);

	CHECK(fd >= 0);
	return fd;
}

static void test_other(void)
{
	int reader = open_fifo(O_RDONLY), other = -1, writer;
	char byte;

	CHECK_INT(read(reader, &byte, 1), 0);
	CHECK_INT(ipckit_fifo_other(reader, &other), 0);
	CHECK_INT(fcntl(other, F_GETFD), FD_CLOEXEC);
	CHECK(read(reader, &byte, 1) == -1 && errno == EAGAIN);
	writer = open_fifo(O_WRONLY);
	CHECK(!close(reader) && !close(other));
	CHECK(write(writer, "x", 1) == -1 && errno == EPIPE);
	CHECK_INT(ipckit_fifo_other(writer, &other), 0);
	CHECK_INT(write(writer, "x", 1), 1);
	CHECK(!close(writer) && !close(other));
}

static uint64_t leave(int fd)
{
	uint64_t lost = 4711;

	CHECK_INT(ipckit_fifo_leave(fd, &lost), 0);
	CHECK_INT(fcntl(fd, F_GETFD), -1);
	return lost;
}

static void test_leave(void)
{
	uint64_t lost = 4711;
	int fd, other;

	CHECK_INT(leave(open_fifo(O_RDWR)), 0);
	fd = open_fifo(O_RDWR);
	CHECK_INT(write(fd, "text", 4), 4);
	CHECK_INT(leave(fd), 4);
	for (int flags = O_RDONLY; flags <= O_RDWR; flags++) {
		fd = open_fifo(O_RDWR);
		CHECK_INT(write(fd, "text", 4), 4);
		other = open_fifo(flags);
		CHECK_INT(leave(fd), 0);
		CHECK_INT(ipckit_pipe_bytes(other, &lost), 0);
		CHECK_INT(lost, 4);
		CHECK(!close(other));
	}
	/* The reading end that a writer has kept. */
	fd = open_fifo(O_RDWR);
	other = open_fifo(O_RDONLY);
	CHECK_INT(write(fd, "text", 4), 4);
	CHECK(!close(fd));
	CHECK_INT(leave(other), 4);
	lost = 4711;
	fd = open("/dev/null", O_RDONLY);
	CHECK_INT(ipckit_fifo_leave(fd, &lost), -EBADMSG);
	CHECK(lost == 4711 && fcntl(fd, F_GETFD) == -1);
}

int main(void)
{
	char directory[] = "/tmp/fifo.XXXXXX";

	if (!mkdtemp(directory) || chdir(directory))
		return unit_skip("fifo", "no directory");
	signal(SIGPIPE, SIG_IGN);
	test_modes();
	test_first_moment();
	test_planted();
	make("fifo");
	for (int flags = O_RDONLY; flags <= O_WRONLY; flags++) {
		test_other_end(flags);
		test_nobody(flags);
	}
	test_both_ways();
	test_other();
	test_leave();
	CHECK_INT(ipckit_fifo_remove("fifo"), 0);
	CHECK_INT(ipckit_fifo_remove("fifo"), -ENOENT);
	CHECK_INT(count_entries(), 0);
	if (chdir("/") || rmdir(directory))
		return 1;
	return unit_done("fifo");
}
