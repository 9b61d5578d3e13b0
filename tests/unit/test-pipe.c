/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What pipes can hold, what they hold, and the limits on that. */

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ipckit/pipe.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t number_of(const char *path)
{
	unsigned long long n = 0;
	FILE *file = fopen(path, "re");

	if (file && fscanf(file, "%llu", &n) != 1)
		n = 0;
	if (file)
		fclose(file);
	return n;
}

static uint64_t capacity_of(int fd)
{
	uint64_t size = 4711;

	CHECK_INT(ipckit_pipe_capacity(fd, &size), 0);
	CHECK_INT(fcntl(fd, F_GETPIPE_SZ), size);
	return size;
}

static uint64_t bytes_in(int fd)
{
	uint64_t bytes = 4711;

	CHECK_INT(ipckit_pipe_bytes(fd, &bytes), 0);
	return bytes;
}

static void test_sizes(void)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), size = 0;
	const uint64_t rows[][2] = { { 0, page },	     { 1, page },
				     { page, page },	     { page + 1, 2 * page },
				     { 3 * page, 4 * page }, { 65536, 65536 } };
	static const char data[20000];
	int fds[2];

	CHECK(!pipe(fds));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_INT(ipckit_pipe_set_capacity(fds[i & 1], rows[i][0], &size), 0);
		CHECK_INT(size, rows[i][1]);
		CHECK_INT(capacity_of(fds[0]), rows[i][1]);
		CHECK_INT(capacity_of(fds[1]), rows[i][1]);
	}
	CHECK_INT(bytes_in(fds[0]), 0);
	CHECK_INT(write(fds[1], data, sizeof(data)), sizeof(data));
	CHECK_INT(bytes_in(fds[0]), sizeof(data));
	CHECK_INT(bytes_in(fds[1]), sizeof(data));
	size = 4711;
	CHECK_INT(ipckit_pipe_set_capacity(fds[0], 4 * page, &size), -EBUSY);
	/* Not what is left of it in 32 bits. */
	CHECK_INT(ipckit_pipe_set_capacity(fds[0], (UINT64_C(1) << 32) + 131072, &size), -EINVAL);
	CHECK_INT(ipckit_pipe_set_capacity(fds[0], UINT64_MAX, &size), -EINVAL);
	CHECK_INT(ipckit_pipe_set_capacity(fds[0], (UINT64_C(1) << 31) + 1, &size), -EINVAL);
	CHECK_INT(size, 4711);
	CHECK_INT(capacity_of(fds[0]), 65536);
	CHECK(!close(fds[0]) && !close(fds[1]));
}

static void test_others(void)
{
	int file = open("/dev/null", O_RDWR);
	uint64_t size = 4711;

	CHECK_INT(ipckit_pipe_capacity(file, &size), -EBADMSG);
	CHECK_INT(ipckit_pipe_bytes(file, &size), -EBADMSG);
	CHECK_INT(ipckit_pipe_set_capacity(file, 65536, &size), -EBADMSG);
	ipckit_pipe_grow(file, 1 << 20);
	CHECK(!close(file));
	CHECK_INT(ipckit_pipe_capacity(file, &size), -EBADF);
	CHECK_INT(ipckit_pipe_bytes(file, &size), -EBADF);
	CHECK_INT(ipckit_pipe_set_capacity(file, 65536, &size), -EBADF);
	ipckit_pipe_grow(-1, 1 << 20);
	CHECK_INT(size, 4711);
}

static void test_grow(void)
{
	uint64_t most = number_of("/proc/sys/fs/pipe-max-size"), grown;
	int fds[2];

	CHECK(!pipe(fds));
	ipckit_pipe_grow(fds[0], 4096);
	CHECK_INT(capacity_of(fds[0]), 65536);
	ipckit_pipe_grow(fds[1], 131072);
	CHECK(capacity_of(fds[0]) == 131072 || most < 131072);
	/* More than anybody may: what is allowed. Pipes of others can have used it up. */
	ipckit_pipe_grow(fds[0], UINT64_MAX);
	grown = capacity_of(fds[0]);
	CHECK(grown >= 65536);
	ipckit_pipe_grow(fds[0], 65536);
	CHECK_INT(capacity_of(fds[0]), grown);
	CHECK(!close(fds[0]) && !close(fds[1]));
}

static void test_limits(void)
{
	uint64_t most = number_of("/proc/sys/fs/pipe-max-size");
	uint64_t soft = number_of("/proc/sys/fs/pipe-user-pages-soft");
	uint64_t hard = number_of("/proc/sys/fs/pipe-user-pages-hard");
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), pages = hard && (!soft || hard < soft) ? hard : soft, size;
	struct ipckit_limit limit = { 0 };
	int fds[2], r;

	CHECK_INT(ipckit_pipe_limit_hit(EPERM, most + 1, &limit), 0);
	CHECK_STR(limit.name, "fs.pipe-max-size");
	CHECK_STR(limit.unit, "bytes");
	CHECK(limit.value.known && limit.needed.known && !limit.used.known);
	CHECK_INT(limit.value.value, most);
	CHECK_INT(limit.needed.value, most + 1);
	r = ipckit_pipe_limit_hit(EPERM, most, &limit);
	CHECK_INT(r, pages ? 0 : -ENOENT);
	if (!r) {
		CHECK_STR(limit.name, pages == soft ? "fs.pipe-user-pages-soft" : "fs.pipe-user-pages-hard");
		CHECK_STR(limit.unit, "pages");
		CHECK_INT(limit.value.value, pages);
		CHECK_INT(limit.needed.value, most / page);
	}
	CHECK_INT(ipckit_pipe_limit_hit(EBUSY, most + 1, &limit), -ENOENT);
	CHECK_INT(ipckit_pipe_limit_hit(EPERM, UINT64_MAX, &limit), -ENOENT);

	/* The kernel says so, unless this process may do all. */
	CHECK(!pipe(fds));
	r = ipckit_pipe_set_capacity(fds[0], most + 1, &size);
	CHECK(r == -EPERM || (!r && size > most));
	CHECK(!close(fds[0]) && !close(fds[1]));
}

/* ---- by their names ---- */

static int open_name(const char *text, int *out)
{
	const unsigned takes = IPCKIT_TAKES(IPCKIT_NAME_PATH) | IPCKIT_TAKES(IPCKIT_NAME_FD) |
			       IPCKIT_TAKES(IPCKIT_NAME_PIPE);
	struct ipckit_name name;
	int r = ipckit_name_parse(text, takes, NULL, &name);

	if (!CHECK_INT(r, 0))
		return r;
	r = ipckit_pipe_open(&name, out);
	ipckit_name_free(&name);
	return r;
}

/* The same pipe, and no end more than there was. */
static void check_name(const char *text, const int fds[2])
{
	uint64_t size = 0;
	int fd = -1;

	CHECK_INT_FOR(text, open_name(text, &fd), 0);
	CHECK_INT_FOR(text, fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_INT_FOR(text, ipckit_pipe_set_capacity(fd, 8192, &size), 0);
	CHECK_INT_FOR(text, capacity_of(fds[0]), 8192);
	CHECK_INT_FOR(text, ipckit_pipe_set_capacity(fd, 65536, &size), 0);
	CHECK(!close(fd));
}

static pid_t start_holder(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

static void end_holder(pid_t pid)
{
	CHECK(pid > 0 && !kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
}

static void test_pipe_names(void)
{
	int fds[2], fd = 4711;
	char text[64];
	struct stat st;
	pid_t pid;

	CHECK(!pipe(fds) && !fstat(fds[0], &st));
	pid = start_holder();
	snprintf(text, sizeof(text), "fd:%d", fds[1]);
	check_name(text, fds);
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "%d:%d", (int)pid, fds[i]);
		check_name(text, fds);
	}
	snprintf(text, sizeof(text), "pipe:%llu", (unsigned long long)st.st_ino);
	check_name(text, fds);
	end_holder(pid);
	snprintf(text, sizeof(text), "%d:%d", (int)pid, fds[0]);
	CHECK_INT(open_name(text, &fd), -ESRCH);
	CHECK_INT(open_name("fd:999999", &fd), -EBADF);
	CHECK_INT(fd, 4711);
	CHECK(!close(fds[0]) && !close(fds[1]));
}

static void test_fifo_names(void)
{
	char path[] = "/tmp/pipe.XXXXXX";
	int fds[2], fd = 4711;
	pid_t pid;

	if (!CHECK(mkdtemp(path) && !chdir(path) && !mkfifo("fifo", 0600)))
		return;
	CHECK_INT(open_name("fifo", &fd), -ENXIO);
	CHECK_INT(open_name("none", &fd), -ENOENT);
	CHECK_INT(open_name(path, &fd), -EBADMSG);
	for (int access = O_RDONLY; access <= O_RDWR; access++) {
		fds[0] = open("fifo", O_RDWR);
		fds[1] = open("fifo", access | O_NONBLOCK);
		CHECK(fds[0] >= 0 && fds[1] >= 0);
		/* Who looks is passed over: another one has it. */
		CHECK(!fcntl(fds[0], F_SETFD, FD_CLOEXEC));
		pid = start_holder();
		check_name("fifo", fds);
		end_holder(pid);
		CHECK(!close(fds[0]) && !close(fds[1]));
	}
	CHECK(!unlink("fifo") && !chdir("/") && !rmdir(path));
}

int main(void)
{
	test_pipe_names();
	test_fifo_names();
	test_sizes();
	test_others();
	test_grow();
	test_limits();
	return unit_done("pipe");
}
