/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_ACTORS_H
#define UNIT_ACTORS_H

/* Real processes that wait for one another by descriptors, and what a look at the live /proc says of them: for one
 * source file of a program, after unit.h. */

#include "unit.h"

#include "../../lib/live.h"
#include "../../lib/sys.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define ACTORS 4
#define FDS 8

enum act {
	NOTHING, /* by which a row ends */
	PAUSE, READ, READV, WRITE, WRITEV, SPLICE_FROM, SPLICE_TO, TEE_FROM, SENDFILE_TO,
	RECEIVE, RECEIVE_MESSAGE, SEND, SEND_MESSAGE,
	POLL, POLL_WRITE, POLL_TIMED, POLL_BOTH, PPOLL, PPOLL_TIMED, SELECT, SELECT_WRITE, SELECT_TIMED,
	EPOLL, EPOLL_TIMED, EPOLL_PWAIT, PIDFD, MQ_RECEIVE, MQ_SEND, MQ_TIMED,
};

struct actor {
	enum act act;
	int fd;         /* of fds; PIDFD: an actor before it */
	unsigned keep;  /* bits: those of fds that it has */
	bool thread;    /* another thread of it is live */
	bool stopped, again;  /* it is stopped, and goes on again */
};

#define KEEP(a, b) (1u << (a) | 1u << (b))
#define ACTOR(act_, fd_, keep_, ...) { .act = act_, .fd = fd_, .keep = keep_, ##__VA_ARGS__ }

struct act_row {
	const char *what;
	struct actor actors[ACTORS];
	bool found;
	enum ipckit_live_level level;
	const char *kind;    /* of the first one's wait; NULL: not asked for */
	unsigned holders;    /* of that: bits of the actors */
	bool partial;        /* there are processes that are not seen */
};

static int fds[FDS];
static pid_t actor_pids[ACTORS];
static size_t nactors;
static int actors_root;

/* ---- what they do ---- */

static void *actor_sleeps(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static char act_data[1 << 20];

static void act_poll(enum act act, int fd)
{
	struct pollfd polled[2] = { { .fd = fd, .events = POLLIN }, { .fd = -1 } };
	struct timespec hour = { .tv_sec = 3600 };

	if (act == POLL_WRITE)
		polled[0].events = POLLOUT;
	if (act == POLL_BOTH) /* the next one, too */
		polled[1] = (struct pollfd){ .fd = fd + 1, .events = POLLIN };
	if (act == PPOLL || act == PPOLL_TIMED)
		ppoll(polled, 1, act == PPOLL ? NULL : &hour, NULL);
	else
		poll(polled, 2, act == POLL_TIMED ? 3600000 : -1);
}

static void act_select(enum act act, int fd)
{
	struct timeval hour = { .tv_sec = 3600 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	select(fd + 1, act == SELECT_WRITE ? NULL : &set, act == SELECT_WRITE ? &set : NULL, NULL,
	       act == SELECT_TIMED ? &hour : NULL);
}

static void act_epoll(enum act act, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int set = epoll_create1(0);

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	if (act == EPOLL_PWAIT)
		epoll_pwait(set, &event, 1, -1, &(sigset_t){ 0 });
	else
		epoll_wait(set, &event, 1, act == EPOLL_TIMED ? 3600000 : -1);
}

static void act_between(enum act act, int fd)
{
	int between[2], from = -1;

	if (pipe(between))
		_exit(1);
	if (act == SPLICE_FROM)
		(void)!splice(fd, NULL, between[1], NULL, 1, 0);
	else if (act == TEE_FROM)
		(void)!tee(fd, between[1], 1, 0);
	else if (act == SENDFILE_TO)
		from = open("/proc/self/exe", O_RDONLY);
	while (act == SENDFILE_TO && sendfile(fd, from, &(off_t){ 0 }, 1 << 16) > 0)
		;
	while (act == SPLICE_TO && write(between[1], act_data, 4096) > 0 &&
	       splice(between[0], NULL, fd, NULL, 4096, 0) > 0)
		;
}

static void act_message(enum act act, int fd)
{
	struct iovec part = { .iov_base = act_data, .iov_len = 1 << 16 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (act == RECEIVE_MESSAGE)
		recvmsg(fd, &message, 0);
	while (act == SEND_MESSAGE && sendmsg(fd, &message, 0) > 0)
		;
}

static void act_out(enum act act, int fd)
{
	struct iovec part = { .iov_base = act_data, .iov_len = sizeof(act_data) };
	struct timespec far = { .tv_sec = time(NULL) + 3600 };
	char text[64];
	uint64_t number;

	if (act == READ)
		(void)!read(fd, &number, sizeof(number));
	else if (act == READV)
		(void)!readv(fd, &part, 1);
	else if (act == WRITE)
		(void)!write(fd, act_data, sizeof(act_data));
	else if (act == WRITEV)
		(void)!writev(fd, &part, 1);
	else if (act == RECEIVE)
		recv(fd, text, sizeof(text), 0);
	else if (act == SEND)
		while (send(fd, act_data, 1 << 16, 0) > 0)
			;
	else if (act == RECEIVE_MESSAGE || act == SEND_MESSAGE)
		act_message(act, fd);
	else if (act >= SPLICE_FROM && act <= SENDFILE_TO)
		act_between(act, fd);
	else if (act >= POLL && act <= PPOLL_TIMED)
		act_poll(act, fd);
	else if (act >= SELECT && act <= SELECT_TIMED)
		act_select(act, fd);
	else if (act >= EPOLL && act <= EPOLL_PWAIT)
		act_epoll(act, fd);
	else if (act == PIDFD)
		poll(&(struct pollfd){ .fd = (int)syscall(SYS_pidfd_open, actor_pids[fd], 0), .events = POLLIN },
		     1, -1);
	else if (act == MQ_RECEIVE)
		mq_receive(fd, text, sizeof(text), NULL);
	else if (act == MQ_TIMED)
		mq_timedreceive(fd, text, sizeof(text), NULL, &far);
	else if (act == MQ_SEND)
		while (!mq_send(fd, text, 1, 0))
			;
	else
		pause();
}

static void act(const struct actor *actor)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < FDS; i++)
		if (fds[i] >= 0 && !(actor->keep >> i & 1))
			close(fds[i]);
	if (actor->thread && pthread_create(&thread, NULL, actor_sleeps, NULL))
		_exit(1);
	act_out(actor->act, actor->act == PIDFD ? actor->fd : fds[actor->fd]);
	_exit(0);
}

/* ---- the scene ---- */

/* Whether a call is the one that an act ends in. The C library has a choice. */
static bool is_call_of(enum act act, long number)
{
	switch (act) {
	case READ:
		return number == SYS_read;
	case READV:
		return number == SYS_readv;
	case WRITE:
		return number == SYS_write;
	case WRITEV:
		return number == SYS_writev;
	case SPLICE_FROM:
	case SPLICE_TO:
		return number == SYS_splice;
	case TEE_FROM:
		return number == SYS_tee;
	case SENDFILE_TO:
		return number == SYS_sendfile;
	case RECEIVE:
		return number == SYS_recvfrom;
	case RECEIVE_MESSAGE:
		return number == SYS_recvmsg;
	case SEND:
		return number == SYS_sendto;
	case SEND_MESSAGE:
		return number == SYS_sendmsg;
	case MQ_RECEIVE:
	case MQ_TIMED:
		return number == SYS_mq_timedreceive;
	case MQ_SEND:
		return number == SYS_mq_timedsend;
	default:
		/* Before it polls, or pauses, it waits for nothing else. */
		return number != SYS_futex && number != SYS_exit_group;
	}
}

static bool is_asleep(const char *text, enum act act)
{
	struct proc_syscall call;

	return !proc_syscall_parse(text, &call) && call.state == PROC_IN_SYSCALL && is_call_of(act, call.number);
}

/* Whether it sleeps in its call, and is seen there several times without a change. */
static bool actor_settles(pid_t pid, enum act act)
{
	char path[64], text[PROC_SYSCALL_ROOM], before[PROC_SYSCALL_ROOM] = "";
	int same = 0;

	snprintf(path, sizeof(path), "%d/syscall", (int)pid);
	for (int i = 0; i < 5000 && same < 8; i++) {
		if (proc_read_into(actors_root, path, text, sizeof(text)) <= 0)
			return false;
		same = is_asleep(text, act) && !strcmp(text, before) ? same + 1 : 0;
		strcpy(before, text);
		usleep(2000);
	}
	return same == 8;
}

static void actors_start(const struct act_row *row)
{
	for (nactors = 0; nactors < ACTORS && row->actors[nactors].act; nactors++) {
		actor_pids[nactors] = fork();
		if (!actor_pids[nactors])
			act(&row->actors[nactors]);
	}
}

/* The test keeps none of the ends. */
static bool actors_settle(const struct act_row *row)
{
	bool good = true;

	for (int i = 0; i < FDS; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
	for (size_t i = 0; i < nactors; i++)
		good = CHECK_FOR(row->what, actor_settles(actor_pids[i], row->actors[i].act)) && good;
	for (size_t i = 0; i < nactors; i++) {
		if (row->actors[i].stopped)
			kill(actor_pids[i], SIGSTOP);
		if (row->actors[i].stopped)
			waitpid(actor_pids[i], NULL, WUNTRACED);
		/* It may be seen before it goes on: then nothing is found, and looked for again. */
		if (row->actors[i].again)
			kill(actor_pids[i], SIGCONT);
	}
	return good;
}

static void actors_end(void)
{
	for (size_t i = 0; i < nactors; i++)
		kill(actor_pids[i], SIGKILL);
	for (size_t i = 0; i < nactors; i++)
		waitpid(actor_pids[i], NULL, 0);
	nactors = 0;
}

/* ---- the look ---- */

static bool actors_partial;

static int see_all(struct live_scan *scan)
{
	scan->other_pids = actors_partial;
	scan->hides = false;
	scan->unreadable = 0;
	return 0;
}

static const live_collector actors_collectors[] = {
	see_all, live_collect_child, live_collect_transfer, live_collect_poll, live_collect_mq,
	NULL
};

static void check_wait(const struct act_row *row, const struct ipckit_live *live)
{
	unsigned holders = 0;

	for (size_t i = 0; i < live->nedges; i++) {
		const struct ipckit_live_edge *edge = &live->edges[i];

		if (live->nodes[edge->waiter].tid != actor_pids[0])
			continue;
		CHECK_STR_FOR(row->what, ipckit_live_kind_name(edge->kind), row->kind);
		CHECK_FOR(row->what, edge->any && edge->resource && *edge->resource);
		for (size_t h = 0; h < edge->nholders; h++)
			for (size_t a = 0; a < nactors; a++)
				if (live->nodes[edge->holders[h]].pid == actor_pids[a])
					holders |= 1u << a;
	}
	CHECK_INT_FOR(row->what, holders, row->holders);
}

/* One who was woken in vain, as those are who write to a peer of TCP that does not read, is found the next time.
 */
static int actors_scan(const struct act_row *row, struct ipckit_live *live)
{
	const struct ipckit_live_options options = {
		.pids = actor_pids, .npids = nactors, .everything = row->kind && !row->found
	};
	int r = live_look(actors_root, &options, actors_collectors, live);

	for (int i = 0; !r && row->found && !live->core.ncomponents && i < 200; i++) {
		ipckit_live_free(live);
		usleep(20000);
		r = live_look(actors_root, &options, actors_collectors, live);
	}
	return r;
}

static void actors_look(const struct act_row *row)
{
	struct ipckit_live live;

	actors_partial = row->partial;
	if (!CHECK_INT_FOR(row->what, actors_scan(row, &live), 0))
		return;
	CHECK_INT_FOR(row->what, live.core.ncomponents > 0, row->found);
	if (row->found && live.core.ncomponents)
		CHECK_INT_FOR(row->what, live.levels[0], row->level);
	if (row->kind)
		check_wait(row, &live);
	ipckit_live_free(&live);
}

/* make: fills fds, what is not used stays -1. */
static void actors_play(const struct act_row *row, bool (*make)(void))
{
	memset(fds, 0xff, sizeof(fds));
	if (!CHECK_FOR(row->what, make()))
		return;
	actors_start(row);
	if (actors_settle(row))
		actors_look(row);
	actors_end();
}

/* False: there is nothing to be seen here. */
static bool actors_begin(void)
{
	struct live_runs runs;

	return !proc_open("/proc", &actors_root) && !live_runs_read(actors_root, getpid(), getpid(), &runs);
}

#endif
