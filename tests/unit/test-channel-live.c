/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who sleeps on which end: with processes that do each of the calls. */

#include "channels.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

/* ---- what processes do ---- */

static void do_read(void)
{
	(void)!read(empty[0], page, 1);
}

static void do_readv(void)
{
	struct iovec part = { page, 1 };

	(void)!readv(empty[0], &part, 1);
}

static void do_write(void)
{
	(void)!write(full[1], page, 1);
}

static void do_writev(void)
{
	struct iovec part = { page, 1 };

	(void)!writev(full[1], &part, 1);
}

static void do_splice_from(void)
{
	int room[2];

	(void)!pipe(room);
	(void)!splice(empty[0], NULL, room[1], NULL, 1, 0);
}

static void do_splice_to(void)
{
	int filled[2];

	(void)!pipe(filled);
	(void)!write(filled[1], page, 10);
	(void)!splice(filled[0], NULL, full[1], NULL, 1, 0);
}

static void do_tee(void)
{
	int room[2];

	(void)!pipe(room);
	(void)!tee(empty[0], room[1], 1, 0);
}

static void do_sendfile(void)
{
	(void)!sendfile(full[1], open("/proc/self/exe", O_RDONLY), NULL, 100);
}

static void do_vmsplice(void)
{
	struct iovec part = { page, 1 };

	(void)!vmsplice(full[1], &part, 1, 0);
}

static void do_recv(void)
{
	(void)!recv(pair[0], page, 1, 0);
}

static void do_recvmsg(void)
{
	struct msghdr message = { 0 };

	(void)!recvmsg(pair[0], &message, 0);
}

static void do_accept(void)
{
	(void)!accept(listener, NULL, NULL);
}

static void do_poll(void)
{
	struct pollfd polled[] = {
		{ .fd = -1 }, { .fd = empty[0], .events = POLLIN }, { .fd = pair[0], .events = POLLIN }
	};

	(void)!poll(polled, 3, -1);
}

static void do_poll_timed(void)
{
	struct pollfd polled = { .fd = empty[0], .events = POLLIN };

	(void)!poll(&polled, 1, 1000000);
}

static void do_ppoll(void)
{
	struct pollfd polled = { .fd = empty[0], .events = POLLIN };
	const struct timespec limit = { .tv_sec = 1000 };

	(void)!ppoll(&polled, 1, &limit, NULL);
}

static void do_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(empty[0], &set);
	(void)!select(empty[0] + 1, &set, NULL, NULL, NULL);
}

static void do_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(0);

	(void)!epoll_ctl(fd, EPOLL_CTL_ADD, empty[0], &event);
	(void)!epoll_wait(fd, &event, 1, -1);
}

static void do_open(void)
{
	(void)!open(fifo, O_RDONLY);
}

static void do_open_near(void)
{
	(void)!chdir(directory);
	(void)!open("fifo", O_WRONLY);
}

static void do_open_at(void)
{
	(void)!openat(open(directory, O_DIRECTORY), "fifo", O_WRONLY);
}

/* ---- looking ---- */

static void check_call(const char *what, void (*run)(void), const char *object, int fd, const char *calls)
{
	struct ipckit_name name = name_of(object);
	struct ipckit_channel_info info;
	const struct ipckit_channel_user *user;
	pid_t pid = start(run);

	user = await(&name, pid, fd, true, &info);
	if (CHECK_FOR(what, user)) {
		CHECK_FOR(what, user->call && strstr(calls, user->call));
		CHECK_INT_FOR(what, user->tid, pid);
		CHECK_FOR(what, user->uid.known && user->command);
	}
	ipckit_channel_info_free(&info);
	ipckit_name_free(&name);
	stop(pid);
}

/* Another call may be what libc makes of one. */
static void test_calls(void)
{
	const struct {
		const char *what;
		void (*run)(void);
		int fd;
		const char *calls;
	} rows[] = {
		{ "read", do_read, empty[0], "read" },
		{ "readv", do_readv, empty[0], "readv" },
		{ "write", do_write, full[1], "write" },
		{ "writev", do_writev, full[1], "writev" },
		{ "splice from", do_splice_from, empty[0], "splice" },
		{ "splice to", do_splice_to, full[1], "splice" },
		{ "tee", do_tee, empty[0], "tee" },
		{ "sendfile", do_sendfile, full[1], "sendfile" },
		{ "vmsplice", do_vmsplice, full[1], "vmsplice" },
		{ "recv", do_recv, pair[0], "recvfrom" },
		{ "recvmsg", do_recvmsg, pair[0], "recvmsg" },
		{ "accept", do_accept, listener, "accept accept4" },
		{ "poll", do_poll, empty[0], "poll ppoll" },
		{ "poll, another", do_poll, pair[0], "poll ppoll" },
		{ "ppoll", do_ppoll, empty[0], "ppoll" },
		{ "select", do_select, empty[0], "select pselect6" },
		{ "epoll_wait", do_epoll, empty[0], "epoll_wait epoll_pwait" },
	};
	char object[40];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		object_of(rows[i].fd, object);
		check_call(rows[i].what, rows[i].run, object, rows[i].fd, rows[i].calls);
	}
}

static void test_opening(void)
{
	check_call("open", do_open, fifo, -1, "open openat");
	check_call("open near", do_open_near, fifo, -1, "open openat");
	check_call("openat", do_open_at, fifo, -1, "openat");
}

/* After a stop and continue a poll(2) with a limit shows as another call. */
static void test_resumed(void)
{
	struct ipckit_channel_info info;
	struct ipckit_name name;
	char object[40];
	pid_t pid;

	object_of(empty[0], object);
	name = name_of(object);
	pid = start(do_poll_timed);
	CHECK(await(&name, pid, empty[0], true, &info));
	ipckit_channel_info_free(&info);
	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	kill(pid, SIGCONT);
	waitpid(pid, NULL, WCONTINUED);
	CHECK(await(&name, pid, empty[0], true, &info));
	ipckit_channel_info_free(&info);
	ipckit_name_free(&name);
	stop(pid);
}

int main(void)
{
	if (set_up()) {
		test_calls();
		test_opening();
		test_resumed();
	}
	clear_up();
	return unit_done("channel-live");
}
