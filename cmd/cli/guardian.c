/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOM 160 /* of the tool's name and a record, but its identities and names */
#define ROOM_VARIABLE "IPCKIT_TITLE_ROOM"

/* The job's end of the wire to its guardian. */
static int guardian = -1;

/* ---- the command line ---- */

/* The strings of argv and of the environment, which the kernel shows as command line. */
static char *title_area(size_t *size)
{
	char *start = program_invocation_name;
	char *end = (char *)getauxval(AT_EXECFN);

	*size = end > start ? (size_t)(end - start) : 0;
	return start;
}

/* The argument vector as it was, before options were taken out of it. */
static char **first_arguments(void)
{
	size_t size, n = 0;
	char *start = title_area(&size);
	char *end = environ[0] ? environ[0] : start + size;
	char **argv = NULL;
	char *word;

	for (word = start; word < end; word += strlen(word) + 1)
		n++;
	argv = calloc(n + 1, sizeof(*argv));
	if (!argv)
		return NULL;
	n = 0;
	for (word = start; word < end; word += strlen(word) + 1)
		argv[n++] = word;
	return argv;
}

int cli_guard_prepare(const struct ipckit_hold *hold)
{
	size_t needed = ROOM + strlen(hold->at) + strlen(hold->objects);
	char program[PATH_MAX];
	char **argv;
	char *room;
	size_t size;
	ssize_t n;

	title_area(&size);
	if (getenv(ROOM_VARIABLE))
		return unsetenv(ROOM_VARIABLE) ? -errno : 0;
	if (size >= needed)
		return 0;
	/* Next to no environment: one variable more makes the room. */
	argv = first_arguments();
	n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (n < 0)
		return -errno;
	program[n] = '\0';
	room = calloc(1, needed + 1);
	if (!argv || !room)
		return -ENOMEM;
	memset(room, 'x', needed);
	if (setenv(ROOM_VARIABLE, room, 1))
		return -errno;
	execv(program, argv);
	return -errno;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* "semctl-cli guard holding job=4711 ...": those who look for holders know it by that beginning. */
static void show(const struct cli *cli, struct ipckit_hold *hold, bool holding)
{
	char text[ROOM + sizeof(hold->at) + strlen(hold->objects)];
	size_t size;
	char *area = title_area(&size);
	int prefix = snprintf(text, sizeof(text), "%s guard ", cli->tool->name);

	if (size == 0)
		return;
	hold->holding = holding;
	hold->since_ms = now_ms();
	(void)ipckit_hold_format(hold, text + prefix, sizeof(text) - (size_t)prefix);
	strncpy(area, text, size - 1);
	area[size - 1] = '\0';
}

/* ---- the guardian ---- */

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Everything is the caller's but what is kept. */
static void close_others(const int *keep, size_t n)
{
	int sorted[n];
	unsigned from = 0;

	memcpy(sorted, keep, sizeof(sorted));
	qsort(sorted, n, sizeof(*sorted), by_number);
	for (size_t i = 0; i < n; i++) {
		if ((unsigned)sorted[i] > from)
			close_range(from, (unsigned)sorted[i] - 1, 0);
		from = (unsigned)sorted[i] + 1;
	}
	close_range(from, ~0U, 0);
}

static void detach(const struct cli_guarded *guarded, int wire, int job)
{
	int keep[guarded->nkeep + 2];

	if (guarded->nkeep)
		memcpy(keep, guarded->keep, guarded->nkeep * sizeof(*keep));
	keep[guarded->nkeep] = wire;
	keep[guarded->nkeep + 1] = job;
	setsid();
	close_others(keep, guarded->nkeep + 2);
	if (chdir("/")) {
		/* Then it pins the directory it is in, and that is all. */
	}
}

/* Lets the end of the job, which closes its end of the wire, interrupt the wait for permits. */
static bool watch(int wire)
{
	struct pollfd end = { .fd = wire, .events = POLLIN };

	cli_stop_only(SIGIO);
	fcntl(wire, F_SETOWN, getpid());
	fcntl(wire, F_SETFL, O_ASYNC);
	return poll(&end, 1, 0) == 0;
}

static void unwatch(int wire)
{
	fcntl(wire, F_SETFL, 0);
	signal(SIGIO, SIG_IGN);
	cli_stop_commit();
}

/* Until the job has ended, or says that it could not start. */
static void await_end(int wire, int job)
{
	struct pollfd ends[] = { { .fd = job, .events = POLLIN }, { .fd = wire, .events = POLLIN } };
	char word;

	for (;;) {
		if (poll(ends, 2, -1) < 0)
			continue;
		if (ends[0].revents)
			return;
		if (ends[1].revents && recv(wire, &word, 1, 0) > 0)
			return;
		/* The wire is closed: the job has become its command. */
		if (ends[1].revents)
			ends[1].fd = -1;
	}
}

static void guard(const struct cli *cli, struct cli_guarded *guarded, int wire, int job, int64_t left)
{
	struct ipckit_deadline deadline;
	int r = -EINTR;

	detach(guarded, wire, job);
	show(cli, &guarded->hold, false);
	if (watch(wire))
		r = cli_deadline(left, &deadline) ?: guarded->take(guarded->arg, &deadline);
	unwatch(wire);
	if (r == 0)
		show(cli, &guarded->hold, true);
	(void)!send(wire, &r, sizeof(r), MSG_NOSIGNAL);
	if (r == 0) {
		await_end(wire, job);
		guarded->give(guarded->arg);
	}
	_exit(0);
}

/* ---- the job ---- */

static bool has_pending(int signal)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, signal) == 1;
}

/* Waits for a child of ours. Where SIGCHLD came blocked its end must not be pending for COMMAND. */
static int reap(pid_t pid, bool was_pending)
{
	const struct timespec now = { 0 };
	sigset_t end;
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	sigemptyset(&end);
	sigaddset(&end, SIGCHLD);
	if (!was_pending && has_pending(SIGCHLD))
		(void)!sigtimedwait(&end, NULL, &now);
	/* Where SIGCHLD came ignored there is no status to be had: cli_guard_await() will tell. */
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EAGAIN;
}

/* Twice, so that the job gets no child that it does not know. */
static int start_twice(const struct cli *cli, const struct cli_guarded *guarded, int wire, int job,
		       int64_t left)
{
	struct cli_guarded mine = *guarded;
	bool was_pending = has_pending(SIGCHLD);
	pid_t pid;

	mine.hold.job = getpid();
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			guard(cli, &mine, wire, job, left);
		_exit(pid < 0 ? errno : 0);
	}
	return reap(pid, was_pending);
}

/* A process that adopts orphans stays one as COMMAND, but does not get this one. */
static int start(const struct cli *cli, const struct cli_guarded *guarded, int wire, int job,
		 int64_t left)
{
	int adopts = 0;
	int r;

	prctl(PR_GET_CHILD_SUBREAPER, &adopts);
	if (adopts)
		prctl(PR_SET_CHILD_SUBREAPER, 0);
	r = start_twice(cli, guarded, wire, job, left);
	if (adopts)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	return r;
}

static int64_t time_left(const struct ipckit_deadline *deadline)
{
	struct timespec left;

	if (deadline->kind == IPCKIT_DEADLINE_NONE)
		return IPCKIT_FOREVER;
	if (deadline->kind == IPCKIT_DEADLINE_TRY || ipckit_deadline_left(deadline, &left))
		return 0;
	return left.tv_sec * 1000000000LL + left.tv_nsec;
}

static int fail(struct cli *cli, int error)
{
	struct ipckit_limit limit;

	if (!ipckit_limit_of_process(error, &limit))
		return cli_fail_limit(cli, "guardian", error, &limit);
	return cli_fail(cli, "guardian", error, NULL);
}

int cli_guard_start(struct cli *cli, const struct cli_guarded *guarded, const struct ipckit_deadline *deadline)
{
	int64_t left = time_left(deadline);
	int wire[2];
	int job = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int r;

	if (job < 0)
		return fail(cli, errno);
	if (getpid() == 1 && !guarded->ends_with_it)
		cli_warn(cli, "%s is the first process of its PID namespace: when it ends its guardian ends too, "
			      "and what it held is not given back", cli->command ? "COMMAND" : "this run");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wire)) {
		r = errno;
		close(job);
		return fail(cli, r);
	}
	cli_stop_restore();
	r = start(cli, guarded, wire[1], job, left);
	close(wire[1]);
	close(job);
	if (r) {
		close(wire[0]);
		return fail(cli, -r);
	}
	guardian = wire[0];
	return 0;
}

int cli_guard_await(void)
{
	ssize_t n;
	int r;

	while ((n = recv(guardian, &r, sizeof(r), 0)) < 0 && errno == EINTR)
		;
	/* Whoever ended the guardian ended the attempt. */
	if (n != sizeof(r))
		r = n < 0 ? -errno : -EOWNERDEAD;
	if (r) {
		close(guardian);
		guardian = -1;
	}
	return r;
}

bool cli_guard_cancel(void)
{
	char word = 'c';
	bool lives;

	if (guardian < 0)
		return true;
	lives = send(guardian, &word, 1, MSG_NOSIGNAL) == 1;
	if (lives)
		(void)!recv(guardian, &word, 1, 0);
	close(guardian);
	guardian = -1;
	return lives;
}
