/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stage.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum how { WRITE, READ, SPLICE, POLL, SELECT, EPOLL };
enum { ONE, ANY, PIDFD };

static int into[2], out[2]; /* of the second actor: [0] to read, [1] to write */
static int back[2];
static long how;

static void fill(int fd)
{
	static const char data[65536];

	for (;;)
		must(write(fd, data, sizeof(data)), "write");
}

static void await(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	struct epoll_event event = { .events = EPOLLIN };
	fd_set set;
	int set_fd;

	if (how == POLL)
		must(poll(&polled, 1, -1), "poll");
	if (how == SELECT) {
		FD_ZERO(&set);
		FD_SET(fd, &set);
		must(select(fd + 1, &set, NULL, NULL, NULL), "select");
	}
	if (how == EPOLL) {
		set_fd = must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
		must(epoll_ctl(set_fd, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
		must(epoll_wait(set_fd, &event, 1, -1), "epoll_wait");
	}
}

static void get(int fd)
{
	char byte;
	int scratch[2];

	if (how == SPLICE) {
		must(pipe2(scratch, O_CLOEXEC), "pipe2");
		must(splice(fd, NULL, scratch[1], NULL, 1, 0), "splice");
	}
	must(read(fd, &byte, 1), "read");
}

/* As after two popen()s of one command: the first writes what the second does not read, which writes itself. */
static void use_pair(unsigned me)
{
	static const char *const kinds[] = { [WRITE] = "pipe-write", [READ] = "pipe-read", [SPLICE] = "pipe-read",
					     [POLL] = "poll", [SELECT] = "poll", [EPOLL] = "poll" };
	int mine = me == 0 ? out[0] : into[0], others = me == 0 ? into[1] : out[1];

	close(me == 0 ? into[0] : out[0]);
	close(me == 0 ? out[1] : into[1]);
	meet(0, 2);
	if (how == WRITE) {
		waits("pipe-write", 1 - (int)me);
		fill(others);
	}
	waits(me == 0 || how == SPLICE ? kinds[how] : "pipe-read", 1 - (int)me);
	if (me == 0)
		await(mine);
	get(mine);
}

static void play_pair(long variant)
{
	how = variant;
	must(pipe(into), "pipe");
	must(pipe(out), "pipe");
	processes(2, use_pair);
}

/* The same by names, which are gone again before anybody waits. */
static void open_fifo(int fifo[2], const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/ipckit-stage.%d.%s", scratch(), (int)getpid(), name);
	must(mkfifo(path, 0600), path);
	fifo[0] = must(open(path, O_RDONLY | O_NONBLOCK), path);
	fifo[1] = must(open(path, O_WRONLY), path);
	must(fcntl(fifo[0], F_SETFL, 0), "F_SETFL");
	unlink(path);
}

static void play_fifo(long variant)
{
	how = variant;
	open_fifo(into, "in");
	open_fifo(out, "out");
	processes(2, use_pair);
}

static void write_much(unsigned me)
{
	(void)me;
	close(out[0]);
	waits("pipe-write", 0);
	fill(out[1]);
}

static void wait_for_end(pid_t child)
{
	struct pollfd polled = { .fd = must(syscall(SYS_pidfd_open, child, 0), "pidfd_open"), .events = POLLIN };

	waits("pidfd", 1);
	must(poll(&polled, 1, -1), "poll");
}

/* Waits for the child, or for any of both, before it reads what they write. */
static void play_waitpid(long variant)
{
	pid_t child;

	must(pipe(out), "pipe");
	child = process(write_much, 1);
	if (variant == ANY)
		process(write_much, 2);
	close(out[1]);
	enter(0);
	if (variant == PIDFD)
		wait_for_end(child);
	if (variant == ANY)
		waits_for_any("child", 1u << 1 | 1u << 2);
	else
		waits("child", 1);
	must(waitpid(variant == ANY ? -1 : child, NULL, 0), "waitpid");
	fail("waitpid", 0);
}

static void read_or_poll(unsigned me)
{
	struct pollfd polled[2] = { { .fd = into[0], .events = POLLIN }, { .fd = out[0], .events = POLLIN } };

	if (me != 1)
		close(into[1]);
	if (me != 2)
		close(out[1]);
	if (me != 0)
		close(back[1]);
	how = READ;
	meet(0, 3);
	if (me == 0) {
		waits_for_any("poll", 1u << 1 | 1u << 2);
		must(poll(polled, 2, -1), "poll");
	}
	waits("pipe-read", 0);
	get(back[0]);
}

/* Polls two, of which none will ever be ready: both writers read from it first. */
static void play_two(long arg)
{
	(void)arg;
	must(pipe(into), "pipe");
	must(pipe(out), "pipe");
	must(pipe(back), "pipe");
	processes(3, read_or_poll);
}

static void read_to_end(unsigned me)
{
	(void)me;
	waits("pipe-read", (int)me);
	how = READ;
	get(into[0]);
}

/* It reads to the end, but has an end for writing itself. */
static void play_own(long arg)
{
	pid_t child;
	siginfo_t info;

	(void)arg;
	must(pipe(into), "pipe");
	child = process(read_to_end, 0);
	close(into[0]);
	close(into[1]);
	enter(1);
	waits("child", 0);
	must(waitid(P_PID, (id_t)child, &info, WEXITED), "waitid");
	fail("waitid", 0);
}

static void read_first(unsigned me)
{
	(void)me;
	close(into[1]);
	how = READ;
	waits("pipe-read", 2);
	get(into[0]);
}

static void read_second(unsigned me)
{
	(void)me;
	close(out[1]);
	how = READ;
	waits("pipe-read", 0);
	get(out[0]);
}

/* The second child has inherited the first one's end for writing, so that the first never reads the end. */
static void play_leaked(long arg)
{
	pid_t child;

	(void)arg;
	must(pipe(into), "pipe");
	child = process(read_first, 1);
	close(into[0]);
	must(pipe(out), "pipe");
	process(read_second, 2);
	close(out[0]);
	close(into[1]);
	enter(0);
	waits("child", 1);
	must(waitpid(child, NULL, 0), "waitpid");
	fail("waitpid", 0);
}

static const struct scene scenes[] = {
	{ "popen", play_pair, WRITE, 2, "certain" },
	{ "read", play_pair, READ, 2, "certain" },
	{ "splice", play_pair, SPLICE, 2, "certain" },
	{ "poll", play_pair, POLL, 2, "certain" },
	{ "select", play_pair, SELECT, 2, "certain" },
	{ "epoll", play_pair, EPOLL, 2, "certain" },
	{ "fifo", play_fifo, READ, 2, "certain" },
	{ "poll-two", play_two, 0, 3, "certain" },
	{ "waitpid", play_waitpid, ONE, 2, "certain" },
	{ "waitpid-any", play_waitpid, ANY, 3, "certain" },
	{ "pidfd", play_waitpid, PIDFD, 2, "certain" },
	{ "own", play_own, 0, 2, "certain" },
	{ "leaked", play_leaked, 0, 3, "certain" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
