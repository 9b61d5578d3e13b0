/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * pipe-ends FROM TO BYTES COMMAND [ARG...]: has a command relay so many bytes from its standard input to its standard
 * output, and prints the nanoseconds that took, from its start until all have arrived.
 *
 * FROM: pipe, unix, tcp (written to by a process of this program), or the PATH of a file. TO: pipe, unix, tcp (read
 * by one), or a PATH that is written to, such as /dev/null: then until the command has ended. unix-listen and
 * tcp-listen as TO: the command connects to it, its arguments {} become the socket's path, or its port.
 */

#include "bench.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define CHUNK ((size_t)256 << 10)

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "pipe-ends: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- the work ---- */

static char *make_chunk(void)
{
	char *chunk = aligned_alloc(4096, CHUNK);

	check(chunk, "memory");
	memset(chunk, 'x', CHUNK);
	return chunk;
}

static void produce(int fd, uint64_t bytes)
{
	const char *chunk = make_chunk();

	while (bytes) {
		ssize_t n = write(fd, chunk, bytes < CHUNK ? bytes : CHUNK);

		check(n > 0, "write");
		bytes -= (uint64_t)n;
	}
}

static void consume(int fd, uint64_t bytes)
{
	char *chunk = make_chunk();
	ssize_t n;

	while ((n = read(fd, chunk, CHUNK)) > 0)
		bytes -= (uint64_t)n;
	check(!n && !bytes, "read: not all bytes have come");
}

/* ---- ends ---- */

static void make_tcp(int pair[2], int *listener, unsigned *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);

	*listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(*listener >= 0 && !bind(*listener, (struct sockaddr *)&at, size) && !listen(*listener, 1) &&
		      !getsockname(*listener, (struct sockaddr *)&at, &size),
	      "listen");
	*port = ntohs(at.sin_port);
	if (!pair)
		return;
	pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(pair[1] >= 0 && !connect(pair[1], (struct sockaddr *)&at, size), "connect");
	pair[0] = accept4(*listener, NULL, NULL, SOCK_CLOEXEC);
	check(pair[0] >= 0, "accept");
	close(*listener);
}

/* pair[0] is read from, pair[1] written to. False: it is a path. */
static bool make_pair(const char *kind, int pair[2])
{
	unsigned port;
	int listener;

	if (!strcmp(kind, "pipe"))
		check(!pipe2(pair, O_CLOEXEC), "pipe");
	else if (!strcmp(kind, "unix"))
		check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
	else if (!strcmp(kind, "tcp"))
		make_tcp(pair, &listener, &port);
	else
		return false;
	return true;
}

/* What the command is to connect to, and the listener; NULL: nothing of that kind. */
static const char *make_listener(const char *kind, int *listener)
{
	static struct sockaddr_un at = { .sun_family = AF_UNIX };
	static char text[16];
	unsigned port;

	if (!strcmp(kind, "tcp-listen")) {
		make_tcp(NULL, listener, &port);
		snprintf(text, sizeof(text), "%u", port);
		return text;
	}
	if (strcmp(kind, "unix-listen"))
		return NULL;
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/pipe-ends.%d", getenv("TMPDIR") ?: "/tmp", (int)getpid());
	*listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(*listener >= 0 && !bind(*listener, (struct sockaddr *)&at, sizeof(at)) && !listen(*listener, 1), "listen");
	return at.sun_path;
}

/* ---- processes ---- */

static pid_t start(void (*work)(int fd, uint64_t bytes), int fd, bool accepts, uint64_t bytes)
{
	pid_t pid = fork();

	check(pid >= 0, "fork");
	if (pid)
		return pid;
	if (accepts)
		fd = accept(fd, NULL, NULL);
	check(fd >= 0, "accept");
	work(fd, bytes);
	_exit(0);
}

static pid_t run(char **command, int in, int out)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	if (in >= 0)
		posix_spawn_file_actions_adddup2(&actions, in, 0);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&actions, out, 1);
	pid = spawn(command, &actions);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static void fill_in(char **words, const char *address)
{
	char *at, *text;

	for (; *words; words++) {
		at = strstr(*words, "{}");
		if (!at)
			continue;
		check(asprintf(&text, "%.*s%s%s", (int)(at - *words), *words, address, at + 2) >= 0, "memory");
		*words = text;
	}
}

int main(int argc, char **argv)
{
	int from[2] = { -1, -1 }, to[2] = { -1, -1 }, status = 0;
	pid_t producer = -1, consumer = -1, pid;
	const char *address;
	uint64_t bytes;
	int64_t begin;

	if (argc < 5) {
		fputs("usage: pipe-ends FROM TO BYTES COMMAND [ARG...]\n", stderr);
		return 2;
	}
	bytes = strtoull(argv[3], NULL, 0);
	if (make_pair(argv[1], from)) {
		producer = start(produce, from[1], false, bytes);
		close(from[1]);
	} else {
		from[0] = open(argv[1], O_RDONLY | O_CLOEXEC);
		check(from[0] >= 0, argv[1]);
	}
	address = make_listener(argv[2], &to[0]);
	if (address) {
		fill_in(argv + 4, address);
	} else if (!make_pair(argv[2], to)) {
		to[1] = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		check(to[1] >= 0, argv[2]);
	}
	begin = now_ns();
	pid = run(argv + 4, from[0], to[1]);
	close(from[0]);
	if (to[1] >= 0)
		close(to[1]);
	if (to[0] >= 0)
		consumer = start(consume, to[0], address, bytes);
	if (consumer > 0)
		status |= wait_for(consumer);
	else
		status |= wait_for(pid);
	begin = now_ns() - begin;
	if (consumer > 0)
		status |= wait_for(pid);
	if (producer > 0)
		status |= wait_for(producer);
	if (address && *address == '/')
		unlink(address);
	check(!status, "something failed");
	printf("%lld\n", (long long)begin);
	return 0;
}
