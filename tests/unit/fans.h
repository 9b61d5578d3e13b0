/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FANS_H
#define FANS_H

/* Channels with a process at the other side: what the tests of fan-out and fan-in share. */

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ipckit/relay.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)
#define PATIENCE_S 20 /* of what has to come; at least as long on a slow machine */
#define MOST_FANS 6

static const struct ipckit_relay forever = { .idle = IPCKIT_FOREVER };

static unsigned seed = 1;

static inline unsigned below(unsigned limit)
{
	return (unsigned)rand_r(&seed) % limit;
}

static inline int64_t now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * SECOND + at.tv_nsec;
}

/* ---- channels ---- */

enum kind { PIPE, SOCKET, SEQPACKET, REGULAR };

struct channel {
	int in, out; /* what is written to out is read from in */
};

static inline struct channel make_channel(enum kind kind)
{
	int fds[2] = { -1, -1 };

	switch (kind) {
	case PIPE:
		(void)!pipe2(fds, O_CLOEXEC);
		break;
	case SOCKET:
	case SEQPACKET:
		(void)!socketpair(AF_UNIX, (kind == SOCKET ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0, fds);
		break;
	case REGULAR:
		fds[0] = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		fds[1] = dup(fds[0]);
		break;
	}
	if (fds[0] < 0 || fds[1] < 0)
		exit(UNIT_SKIP);
	return (struct channel){ fds[0], fds[1] };
}

static inline void close_channel(struct channel *channel)
{
	if (channel->in >= 0)
		close(channel->in);
	if (channel->out >= 0)
		close(channel->out);
	channel->in = channel->out = -1;
}

/* ---- processes ---- */

/* Runs work in a process that has no other descriptor but the standard ones and fd, from 1 on. */
static inline pid_t spawn(int (*work)(int fd, void *arg), int fd, void *arg)
{
	unsigned own = below(1000000);
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	seed = own + 1;
	alarm(PATIENCE_S);
	fd = fcntl(fd, F_DUPFD, 100);
	close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0u, 0);
	_exit(work(fd, arg));
}

/* The exit status, 256 + the signal that it died by. */
static inline int await(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline volatile sig_atomic_t *make_flag(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		exit(UNIT_SKIP);
	return page;
}

static inline void await_flag(const volatile sig_atomic_t *flag)
{
	while (!*flag)
		usleep(200);
}

static inline bool write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t n = write(fd, at, size);

		if (n < 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

/* Reads all there is, at most room bytes. */
static inline size_t read_all(int fd, void *data, size_t room)
{
	size_t size = 0;
	ssize_t n;

	while (size < room && (n = read(fd, (char *)data + size, room - size)) > 0)
		size += (size_t)n;
	return size;
}

/* In a process that others shall see the end of. */
static inline void limit_time(void)
{
	signal(SIGPIPE, SIG_IGN);
	alarm(3 * PATIENCE_S);
}

#endif
