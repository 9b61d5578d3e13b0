/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Descriptors that are passed on by sockets. */

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipckit/socket.h>

#define MS INT64_C(1000000)

static int list[IPCKIT_PASSED_MAX];
static size_t count;
static struct ipckit_peer sender;

static struct ipckit_deadline in(int64_t ns)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns, &deadline);
	return deadline;
}

static int receive(int fd, int64_t ns)
{
	struct ipckit_deadline deadline = in(ns);

	return ipckit_socket_receive(fd, list, &deadline, &sender, &count);
}

static int pass(int fd, const int *what, size_t n, int64_t ns)
{
	struct ipckit_deadline deadline = in(ns);

	return ipckit_socket_pass(fd, what, n, &deadline);
}

static void close_list(void)
{
	while (count)
		close(list[--count]);
}

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* As many as there may be, of one file, in their order, each close-on-exec, by sockets of all types. */
static void test_many(int type)
{
	int pair[2], files[2], sent[IPCKIT_PASSED_MAX + 1];
	struct stat here, there;
	int before;

	CHECK(!socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) && !pipe2(files, O_CLOEXEC));
	for (size_t i = 0; i < IPCKIT_PASSED_MAX; i++)
		sent[i] = files[i % 2];
	before = open_descriptors();
	for (size_t n = 1; n <= IPCKIT_PASSED_MAX; n += 63) {
		CHECK_INT(pass(pair[0], sent, n, 0), 0);
		CHECK_INT(receive(pair[1], 0), 0);
		CHECK_INT(count, n);
		for (size_t i = 0; i < count; i++) {
			CHECK(!fstat(list[i], &there) && !fstat(sent[i], &here) && here.st_ino == there.st_ino);
			CHECK((fcntl(list[i], F_GETFL) & O_ACCMODE) == (i % 2 ? O_WRONLY : O_RDONLY));
			CHECK(fcntl(list[i], F_GETFD) == FD_CLOEXEC);
		}
		CHECK(sender.pid.known && sender.pid.value == getpid());
		CHECK(sender.uid.known && sender.uid.value == geteuid() && sender.gid.value == getegid());
		close_list();
	}
	CHECK_INT(open_descriptors(), before);
	CHECK_INT(pass(pair[0], sent, IPCKIT_PASSED_MAX + 1, 0), -EINVAL);
	CHECK_INT(pass(pair[0], sent, 0, 0), -EINVAL);
	sent[1] = 0x7ffff;
	CHECK_INT(pass(pair[0], sent, 2, 0), -EBADF);
	CHECK_INT(receive(pair[1], 0), -EAGAIN);
	/* Messages keep apart. */
	CHECK(!pass(pair[0], files, 1, 0) && !pass(pair[0], files, 2, 0));
	CHECK_INT(receive(pair[1], 0), 0);
	CHECK_INT(count, 1);
	close_list();
	CHECK_INT(receive(pair[1], 0), 0);
	CHECK_INT(count, 2);
	close_list();
	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(files[i]);
	}
}

/* Beyond RLIMIT_NOFILE none is left open. */
static void test_limit(void)
{
	struct rlimit before, less;
	int pair[2], sent[20], open;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	for (size_t i = 0; i < 20; i++)
		sent[i] = pair[0];
	open = open_descriptors();
	getrlimit(RLIMIT_NOFILE, &before);
	for (int room = 0; room <= 20; room += 5) {
		less = before;
		/* opendir(3) has one, and there are . and .. */
		less.rlim_cur = (rlim_t)(open - 3 + room);
		CHECK_INT(pass(pair[0], sent, 20, 0), 0);
		CHECK(!setrlimit(RLIMIT_NOFILE, &less));
		CHECK_INT(receive(pair[1], 0), room < 20 ? -EMSGSIZE : 0);
		CHECK(!setrlimit(RLIMIT_NOFILE, &before));
		if (room == 20)
			close_list();
		CHECK_INT(open_descriptors(), open);
	}
	close(pair[0]);
	close(pair[1]);
}

static void test_refusals(void)
{
	int pair[2], files[2], open;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) && !pipe2(files, O_CLOEXEC));
	open = open_descriptors();
	CHECK_INT(send(pair[0], "abc", 3, 0), 3);
	CHECK_INT(receive(pair[1], 0), -EBADMSG);
	CHECK_INT(receive(files[0], 0), -ENOTSOCK);
	CHECK_INT(pass(files[1], files, 1, 0), -ENOTSOCK);
	CHECK_INT(pass(pair[0], files, 1, 0), 0);
	close(pair[0]);
	/* What was sent before the end is not lost. */
	CHECK_INT(receive(pair[1], 0), 0);
	close_list();
	CHECK_INT(receive(pair[1], -1), -ENODATA);
	signal(SIGPIPE, SIG_DFL);
	CHECK_INT(pass(pair[1], files, 1, 0), -EPIPE);
	CHECK_INT(open_descriptors(), open - 1);
	close(pair[1]);
	close(files[0]);
	close(files[1]);
}

/* A flag of the socket that belongs to others is as it was. */
static void test_flag(void)
{
	int pair[2], on = 1, is = 0;
	socklen_t size = sizeof(is);

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	CHECK_INT(receive(pair[1], 0), -EAGAIN);
	CHECK(!getsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &is, &size) && !is);
	CHECK(!setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	CHECK_INT(receive(pair[1], 0), -EAGAIN);
	CHECK(!getsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &is, &size) && is);
	CHECK_INT(fcntl(pair[1], F_GETFL) & O_NONBLOCK, 0);
	close(pair[0]);
	close(pair[1]);
}

/* Who has sent it is told, not who made the sockets, where that was asked for in time. */
static void test_sender(void)
{
	int pair[2], status;
	pid_t pid;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	for (int waits = 0; waits < 2; waits++) {
		pid = fork();
		if (!pid) {
			/* Until the other side waits. */
			for (int on = 0; waits && !on; usleep(1000)) {
				socklen_t size = sizeof(on);

				getsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, &size);
			}
			_exit(pass(pair[0], pair, 1, 0) != 0);
		}
		if (!waits)
			CHECK(waitpid(pid, &status, 0) == pid && !status);
		CHECK_INT(receive(pair[1], 10000 * MS), 0);
		CHECK_INT(count, 1);
		CHECK(sender.pid.known && sender.pid.value == (waits ? pid : getpid()));
		CHECK(sender.uid.known && sender.uid.value == geteuid());
		close_list();
		if (waits)
			CHECK(waitpid(pid, &status, 0) == pid && !status);
	}
	close(pair[0]);
	close(pair[1]);
}

/* ---- time ---- */

static volatile sig_atomic_t stop;

static void on_alarm(int signal)
{
	(void)signal;
	stop = 1;
}

static void test_times(void)
{
	const struct itimerval soon = { .it_value.tv_usec = 3000, .it_interval.tv_usec = 3000 }, never = { 0 };
	struct sigaction action = { .sa_handler = on_alarm };
	struct ipckit_deadline deadline;
	int pair[2], files[2], full = 0;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) && !pipe2(files, O_CLOEXEC));
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	CHECK_INT(receive(pair[1], 0), -EAGAIN);
	CHECK_INT(receive(pair[1], 20 * MS), -ETIMEDOUT);
	while (!pass(pair[0], files, 2, 0))
		full++;
	CHECK(full > 0);
	CHECK_INT(pass(pair[0], files, 2, 0), -EAGAIN);
	CHECK_INT(pass(pair[0], files, 2, 20 * MS), -ETIMEDOUT);
	stop = 0;
	deadline = in(IPCKIT_FOREVER);
	deadline.stop = &stop;
	CHECK_INT(ipckit_socket_pass(pair[0], files, 2, &deadline), -EINTR);
	for (; full; full--) {
		CHECK_INT(receive(pair[1], 0), 0);
		close_list();
	}
	stop = 0;
	CHECK_INT(ipckit_socket_receive(pair[1], list, &deadline, NULL, &count), -EINTR);
	setitimer(ITIMER_REAL, &never, NULL);
	close(pair[0]);
	close(pair[1]);
	close(files[0]);
	close(files[1]);
}

int main(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };

	for (size_t i = 0; i < 3; i++)
		test_many(types[i]);
	test_limit();
	test_refusals();
	test_flag();
	test_sender();
	test_times();
	return unit_done("socket-pass");
}
