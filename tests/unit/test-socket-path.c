/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Paths of Unix sockets: those of the dead are taken over, those of the living are not, whoever else comes. */

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipckit/socket.h>

static char directory[] = "/tmp/ipckit-socket-path-XXXXXX";
static char path[64];

static int listen_as(const char *kind, unsigned mode, struct ipckit_endpoint *end)
{
	static char text[96];
	const struct ipckit_listening how = { .mode = mode };
	int fd = -1, r;

	snprintf(text, sizeof(text), "%s-listen:%s", kind, path);
	r = ipckit_endpoint_parse(text, IPCKIT_ENDS_ALL, NULL, end) ?: ipckit_socket_listen(end, &how, NULL, &fd);
	return r ? r : fd;
}

static int connect_as(const char *kind)
{
	char text[96];
	struct ipckit_endpoint end;
	struct ipckit_deadline deadline;
	int fd = -1, r;

	snprintf(text, sizeof(text), "%s:%s", kind, path);
	ipckit_deadline_in(IPCKIT_FOREVER, &deadline);
	r = ipckit_endpoint_parse(text, IPCKIT_ENDS_ALL, NULL, &end) ?:
	    ipckit_socket_connect(&end, &deadline, NULL, &fd);
	return r ? r : fd;
}

/* By other means than the library's. */
static int bind_by_hand(int type)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	CHECK(!bind(fd, (struct sockaddr *)&at, sizeof(at)));
	return fd;
}

static void leave_dead(int type)
{
	close(bind_by_hand(type));
}

static unsigned mode_of(void)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_mode;
}

static bool is_gone(void)
{
	struct stat st;

	return lstat(path, &st) && errno == ENOENT;
}

static const struct {
	const char *kind;
	int type;
} types[] = { { "unix", SOCK_STREAM }, { "unix-seqpacket", SOCK_SEQPACKET }, { "unix-dgram", SOCK_DGRAM } };

static void test_dead(const char *kind, int type)
{
	struct ipckit_endpoint end;
	int fd;

	leave_dead(type);
	fd = listen_as(kind, 0640, &end);
	CHECK_FOR(kind, fd >= 0);
	CHECK_INT_FOR(kind, mode_of(), S_IFSOCK | 0640);
	close(connect_as(kind));
	ipckit_socket_unlink(&end, fd);
	CHECK_FOR(kind, is_gone());
	/* Once more: nothing stands there. */
	ipckit_socket_unlink(&end, fd);
	close(fd);
}

/* A living one is kept, whether or not it listens, and is not told of anything. */
static void test_living(const char *kind, int type)
{
	struct ipckit_endpoint end;
	int server = bind_by_hand(type);
	char byte;

	for (size_t i = 0; i < 3; i++)
		CHECK_INT_FOR(kind, listen_as(types[i].kind, 0600, &end), -EADDRINUSE);
	if (type != SOCK_DGRAM) {
		CHECK(!listen(server, 5));
		CHECK_INT_FOR(kind, listen_as(kind, 0600, &end), -EADDRINUSE);
	}
	CHECK_FOR(kind, !poll(&(struct pollfd){ .fd = server, .events = POLLIN }, 1, 0));
	CHECK_FOR(kind, recv(server, &byte, 1, MSG_DONTWAIT) < 0);
	close(server);
	CHECK(!unlink(path));
}

static void test_others_are_left_alone(void)
{
	struct ipckit_endpoint end;
	char target[80];
	int fd;

	CHECK(!mkfifo(path, 0600));
	CHECK_INT(listen_as("unix", 0600, &end), -ENOTSOCK);
	CHECK_INT(mode_of(), S_IFIFO | 0600);
	unlink(path);
	/* A link, be it to a dead socket. */
	leave_dead(SOCK_STREAM);
	snprintf(target, sizeof(target), "%s.target", path);
	CHECK(!rename(path, target) && !symlink(target, path));
	CHECK_INT(listen_as("unix", 0600, &end), -ENOTSOCK);
	CHECK(S_ISLNK(mode_of()));
	unlink(path);
	CHECK(!symlink("nowhere", path));
	CHECK_INT(listen_as("unix", 0600, &end), -ENOTSOCK);
	unlink(path);
	unlink(target);
	/* What came in place of its own path is not removed: a file, a socket of somebody else. */
	fd = listen_as("unix", 0600, &end);
	CHECK(fd >= 0 && !unlink(path));
	leave_dead(SOCK_STREAM);
	ipckit_socket_unlink(&end, fd);
	CHECK(S_ISSOCK(mode_of()));
	unlink(path);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	ipckit_socket_unlink(&end, fd);
	CHECK(S_ISREG(mode_of()));
	unlink(path);
	close(fd);
}

static void test_mode(void)
{
	static const unsigned modes[] = { 0600, 0666, 0, 0777, 0640 };
	struct ipckit_endpoint end;
	mode_t before = umask(077);

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		int fd = listen_as(types[i % 3].kind, modes[i], &end);

		CHECK(fd >= 0);
		CHECK_INT(mode_of(), S_IFSOCK | modes[i]);
		ipckit_socket_unlink(&end, fd);
		close(fd);
	}
	umask(before);
}

/* A lock that somebody else has on the directory makes it later, not impossible. */
static void test_lock_of_others(void)
{
	struct ipckit_endpoint end;
	int dir = open(directory, O_RDONLY | O_DIRECTORY), fd;

	CHECK(!flock(dir, LOCK_EX));
	leave_dead(SOCK_STREAM);
	fd = listen_as("unix", 0600, &end);
	CHECK(fd >= 0);
	ipckit_socket_unlink(&end, fd);
	close(fd);
	close(dir);
}

/* ---- several at once ---- */

#define SEVERAL 8

struct gates {
	int begin[2]; /* all begin when nobody has its end for writing any more */
	int told[2];  /* likewise whoever got the path lets it go */
	int done[2];  /* gets a byte of each that got it */
};

static _Noreturn void take(struct gates *gates)
{
	struct ipckit_endpoint end;
	char ignored;
	int fd;

	close(gates->begin[1]);
	close(gates->told[1]);
	(void)!read(gates->begin[0], &ignored, 1);
	fd = listen_as("unix", 0600, &end);
	if (fd < 0)
		_exit(fd == -EADDRINUSE ? 1 : 2);
	(void)!write(gates->done[1], "w", 1);
	(void)!read(gates->told[0], &ignored, 1);
	ipckit_socket_unlink(&end, fd);
	_exit(0);
}

static int next_status(void)
{
	int status;

	if (wait(&status) < 0)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_one_of_several(void)
{
	struct gates gates;
	char byte;
	int fd;

	leave_dead(SOCK_STREAM);
	CHECK(!pipe2(gates.begin, 0) && !pipe2(gates.told, 0) && !pipe2(gates.done, 0));
	for (int i = 0; i < SEVERAL; i++) {
		if (!fork())
			take(&gates);
	}
	close(gates.begin[0]);
	close(gates.begin[1]);
	close(gates.done[1]);
	CHECK_INT(read(gates.done[0], &byte, 1), 1);
	for (int i = 0; i < SEVERAL - 1; i++)
		CHECK_INT(next_status(), 1);
	/* The others have given up, and it can be reached. */
	fd = connect_as("unix");
	CHECK(fd >= 0);
	close(fd);
	close(gates.told[0]);
	close(gates.told[1]);
	CHECK_INT(next_status(), 0);
	CHECK_INT(read(gates.done[0], &byte, 1), 0);
	close(gates.done[0]);
	CHECK(is_gone());
}

int main(void)
{
	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/s", directory);
	/* Two that got the same path would wait for each other. */
	alarm(100);
	for (size_t i = 0; i < 3; i++) {
		test_dead(types[i].kind, types[i].type);
		test_living(types[i].kind, types[i].type);
	}
	/* Of another type, too. */
	test_dead("unix", SOCK_DGRAM);
	test_others_are_left_alone();
	test_mode();
	test_lock_of_others();
	for (int i = 0; i < (UNIT_SANITIZED ? 10 : 50); i++)
		test_one_of_several();
	/* Nothing was left behind under another name. */
	CHECK_INT(rmdir(directory), 0);
	return unit_done("socket-path");
}
