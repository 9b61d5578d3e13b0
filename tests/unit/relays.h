/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_RELAYS_H
#define UNIT_RELAYS_H

/* Ends of all kinds for flows, processes at their other sides, and streams whose bytes tell where they belong. */

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ipckit/relay.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MS 1000000LL
#define SECOND 1000000000LL
#define PATIENCE (10 * SECOND)

static unsigned seed = 1;

static inline size_t below(size_t limit)
{
	return (size_t)rand_r(&seed) % limit;
}

static inline int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

/* What cannot be had for a test ends it. */
static inline void need(bool good, const char *what)
{
	if (good)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(99);
}

/* ---- streams ---- */

static inline unsigned char byte_at(uint64_t n)
{
	return (unsigned char)((n * 2654435761u) >> 13);
}

static inline void write_all(int fd, const unsigned char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd polled = { .fd = fd, .events = POLLOUT };

			poll(&polled, 1, -1);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(9);
		data += n;
		size -= (size_t)n;
	}
}

/* Bytes from..bytes of the stream, in parts of up to `most`. */
static inline void write_stream(int fd, uint64_t from, uint64_t bytes, size_t most)
{
	static unsigned char data[70000];

	while (from < bytes) {
		size_t size = 1 + below(most < sizeof(data) ? most : sizeof(data));

		if (size > bytes - from)
			size = (size_t)(bytes - from);
		for (size_t i = 0; i < size; i++)
			data[i] = byte_at(from + i);
		write_all(fd, data, size);
		from += size;
	}
}

/* Up to the end, or the count that is expected of what has none; how many there were, or -1: something else. */
static inline int64_t read_stream(int fd, int64_t count, size_t most)
{
	static unsigned char data[70000];
	int64_t n = 0;

	while (n < count || count < 0) {
		ssize_t r = read(fd, data, 1 + below(most < sizeof(data) ? most : sizeof(data)));

		if (r < 0 && errno == EAGAIN) {
			struct pollfd polled = { .fd = fd, .events = POLLIN };

			poll(&polled, 1, -1);
			continue;
		}
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -1 : n;
		for (ssize_t i = 0; i < r; i++)
			if (data[i] != byte_at((uint64_t)n++))
				return -1;
	}
	return n;
}

/* ---- processes ---- */

static inline void close_others(int fd)
{
	if (fd > 3)
		close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0u, 0);
}

static inline pid_t start_writer(int fd, uint64_t bytes, size_t most)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	alarm(60);
	signal(SIGPIPE, SIG_DFL);
	close_others(fd);
	write_stream(fd, 0, bytes, most);
	_exit(0);
}

/* Its status is 0 where it reads the whole stream, and no more. */
static inline pid_t start_reader(int fd, uint64_t bytes, bool has_end, size_t most)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	alarm(60);
	close_others(fd);
	_exit(read_stream(fd, has_end ? -1 : (int64_t)bytes, most) != (int64_t)bytes);
}

static inline int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- ends ---- */

enum kind { A_FILE, AN_APPENDED, A_PIPE, A_FIFO, A_UNIX, A_UNIX_NOW, A_TCP, A_TCP_NOW, A_TERMINAL, A_NULL };

struct end {
	int own, other; /* of the flow; of the process at the other side, -1: there is none */
};

static const char *const kind_names[] = {
	"file", "appended", "pipe", "fifo", "unix", "unix, nonblocking", "tcp", "tcp, nonblocking", "terminal",
	"null",
};

static inline int make_file(void)
{
	char path[] = "/tmp/relay.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	need(fd >= 0 && !unlink(path), "a file");
	return fd;
}

/* The path of a file that is open, also where it has no name. */
static inline int open_again(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

static inline void make_fifo(int pair[2])
{
	char path[] = "/tmp/relay.XXXXXX";

	need(mkdtemp(path) && !rmdir(path) && !mkfifo(path, 0600), "a FIFO");
	pair[0] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	pair[1] = open(path, O_WRONLY | O_CLOEXEC);
	unlink(path);
	need(pair[0] >= 0 && pair[1] >= 0, "a FIFO");
	fcntl(pair[0], F_SETFL, 0);
}

static inline void make_tcp(int pair[2], int flags)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	need(listener >= 0 && !bind(listener, (struct sockaddr *)&at, size) && !listen(listener, 1) &&
		     !getsockname(listener, (struct sockaddr *)&at, &size),
	     "a TCP socket");
	pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(pair[1] >= 0 && !connect(pair[1], (struct sockaddr *)&at, size), "a TCP connection");
	pair[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	need(pair[0] >= 0, "a TCP connection");
	close(listener);
	fcntl(pair[0], F_SETFL, flags);
	fcntl(pair[1], F_SETFL, flags);
}

/* pair[0] is read from, pair[1] written to. */
static inline void make_pair(enum kind kind, int pair[2])
{
	switch (kind) {
	case A_PIPE:
		need(!pipe2(pair, O_CLOEXEC), "a pipe");
		break;
	case A_FIFO:
		make_fifo(pair);
		break;
	case A_UNIX:
	case A_UNIX_NOW:
		need(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "a socket");
		for (int i = 0; kind == A_UNIX_NOW && i < 2; i++)
			fcntl(pair[i], F_SETFL, O_NONBLOCK);
		break;
	default:
		make_tcp(pair, kind == A_TCP_NOW ? O_NONBLOCK : 0);
	}
}

static inline struct end make_terminal(void)
{
	struct termios raw;
	struct end end;

	need(!openpty(&end.other, &end.own, NULL, NULL, NULL), "a terminal");
	fcntl(end.own, F_SETFD, FD_CLOEXEC);
	fcntl(end.other, F_SETFD, FD_CLOEXEC);
	tcgetattr(end.own, &raw);
	cfmakeraw(&raw);
	tcsetattr(end.own, TCSANOW, &raw);
	return end;
}

static inline struct end make_end(enum kind kind, bool reads)
{
	struct end end = { -1, -1 };
	int pair[2];

	switch (kind) {
	case A_FILE:
		end.own = make_file();
		return end;
	case AN_APPENDED:
		end.own = make_file();
		fcntl(end.own, F_SETFL, O_APPEND);
		return end;
	case A_NULL:
		end.own = open("/dev/null", O_RDWR | O_CLOEXEC);
		return end;
	case A_TERMINAL:
		return make_terminal();
	default:
		make_pair(kind, pair);
		return reads ? (struct end){ pair[0], pair[1] } : (struct end){ pair[1], pair[0] };
	}
}

static inline void close_end(struct end *end)
{
	if (end->own >= 0)
		close(end->own);
	if (end->other >= 0)
		close(end->other);
	*end = (struct end){ -1, -1 };
}

/* ---- flows ---- */

/* Runs one flow; how: NULL: nothing is watched. Returns what the run says; state: how the flow is. */
static inline int run_flow(const struct ipckit_relay *how, int from, int to, const struct ipckit_flow_spec *spec,
			   struct ipckit_flow_state *state)
{
	const struct ipckit_relay patient = { .idle = IPCKIT_FOREVER };
	const struct ipckit_flow_spec plain = { 0 };
	struct ipckit_flow *flow;
	int r = ipckit_flow_open(from, to, spec ?: &plain, &flow);

	if (r)
		return r;
	r = ipckit_relay_run(how ?: &patient, &flow, 1);
	ipckit_flow_look(flow, state);
	ipckit_flow_close(flow);
	return r;
}

#endif
