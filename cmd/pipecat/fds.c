/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"
#include "../cli/command.h"
#include "../cli/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Between two looks at whether somebody listens, where that is waited for. */
#define LOOK_NS INT64_C(1000000)
#define LOOK_MOST_NS INT64_C(50000000)

static char *timeout_text, *uid_text, *mode_text;

static const struct poptOption options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "wait at most so long for the other side",
	  "DURATION" },
	{ "uid", 'u', POPT_ARG_STRING, &uid_text, 0,
	  "the other side has to run as this user (default: as who runs this, or root)", "USER" },
	{ "mode", 'm', POPT_ARG_STRING, &mode_text, 0, "of the socket that is listened at (default 0600)",
	  "MODE" },
	POPT_TABLEEND
};

/* The two sides, as far as they are alike. */
struct meeting {
	struct cli *cli;
	const char *object; /* the socket, as it was typed */
	char *spelled;      /* with the kind that a bare path has; what at points into */
	struct ipckit_endpoint at;
	struct ipckit_why why;
	struct ipckit_deadline deadline;
	struct ipckit_maybe uid; /* --uid */
	unsigned mode;
	int listener, fd; /* -1: none */
	struct ipckit_peer peer;
};

/* ---- operands ---- */

static int fail_text(struct meeting *meeting, int error)
{
	if (error == -EINVAL || error == -ENAMETOOLONG)
		return cli_usage(meeting->cli, meeting->object, "%s", meeting->why.text);
	return cli_fail(meeting->cli, meeting->object, error, NULL);
}

static int read_socket(struct meeting *meeting, const char *bare)
{
	const unsigned takes = IPCKIT_END(IPCKIT_END_UNIX) | IPCKIT_END(IPCKIT_END_SEQPACKET) |
			       IPCKIT_END(IPCKIT_END_FD);
	int r = ipckit_endpoint_parse(meeting->object, takes | IPCKIT_END(IPCKIT_END_PATH), &meeting->why,
				      &meeting->at);

	if (r)
		return fail_text(meeting, r);
	if (meeting->at.kind == IPCKIT_END_FD && meeting->at.pid)
		return cli_usage(meeting->cli, meeting->object,
				 "a descriptor of another process: write fd:N for one that was inherited");
	if (meeting->at.kind != IPCKIT_END_PATH)
		return 0;
	if (asprintf(&meeting->spelled, "%s%s", bare, meeting->object) < 0) {
		meeting->spelled = NULL;
		return fail_text(meeting, -ENOMEM);
	}
	r = ipckit_endpoint_parse(meeting->spelled, takes, &meeting->why, &meeting->at);
	return r ? fail_text(meeting, r) : 0;
}

static int read_user(struct meeting *meeting)
{
	uid_t uid = 0;
	gid_t gid;
	int r;

	if (!uid_text)
		return 0;
	if (strchr(uid_text, ':'))
		return cli_usage(meeting->cli, "--uid", "\"%s\" is not a user", uid_text);
	r = cli_owner(meeting->cli, "--uid", uid_text, &uid, &gid);
	meeting->uid = ipckit_known(uid);
	return r;
}

/* bare: how a path alone is meant. From here on a path that is listened at is to be removed. */
static int begin(struct cli *cli, const char *bare, struct meeting *meeting)
{
	int64_t timeout = IPCKIT_FOREVER;
	int r;

	*meeting = (struct meeting){ .cli = cli, .object = cli->operands[0], .mode = 0600, .listener = -1,
				     .fd = -1 };
	r = cli_duration(cli, "--timeout", timeout_text, &timeout) ?: read_user(meeting) ?:
	    cli_mode(cli, "--mode", mode_text, meeting->mode, &meeting->mode) ?: read_socket(meeting, bare);
	if (r)
		return r;
	r = cli_deadline(timeout, &meeting->deadline);
	return r ? cli_fail(cli, meeting->object, r, NULL) : 0;
}

/* ---- the socket; 0, -errno, or the exit status of what was reported ---- */

static int accept_one(struct meeting *meeting)
{
	return ipckit_socket_accept(meeting->listener, &meeting->deadline, NULL, &meeting->fd);
}

/* One connection is waited for; whoever comes later has to see that nobody is there. */
static int listen_once(struct meeting *meeting)
{
	const struct ipckit_listening how = {
		.backlog = 1,
		.mode = meeting->mode,
		.deadline = &meeting->deadline,
	};
	int r = ipckit_socket_listen(&meeting->at, &how, &meeting->why, &meeting->listener);

	return r ? r : accept_one(meeting);
}

/* COMMAND is not to have it, but it needs its standard input and output, whatever they are. */
static void let_go(int *fd)
{
	if (*fd > STDERR_FILENO)
		close(*fd);
	*fd = -1;
}

static void listen_no_more(struct meeting *meeting)
{
	ipckit_socket_unlink(&meeting->at, meeting->listener);
	let_go(&meeting->listener);
}

static bool nobody_is_there(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED;
}

static int connect_to(struct meeting *meeting)
{
	int64_t pause = LOOK_NS;
	bool nobody = false;
	int r, late;

	for (;;) {
		r = ipckit_socket_connect(&meeting->at, &meeting->deadline, &meeting->why, &meeting->fd);
		nobody = nobody_is_there(r) || (nobody && r == -ETIMEDOUT);
		if (!timeout_text || !nobody)
			return r;
		late = r == -ETIMEDOUT ? r : ipckit_deadline_sleep(&meeting->deadline, pause);
		if (late == -ETIMEDOUT)
			return cli_fail_late(meeting->cli, meeting->object, timeout_text,
					     ": nobody listens there");
		if (late)
			return late == -EAGAIN ? r : late;
		pause = pause * 2 < LOOK_MOST_NS ? pause * 2 : LOOK_MOST_NS;
	}
}

static int take_inherited(struct meeting *meeting)
{
	int fd = meeting->at.fd, domain, listens;
	int r = pipecat_socket_option(fd, SO_DOMAIN, &domain) ?: pipecat_socket_option(fd, SO_ACCEPTCONN, &listens);

	if (r == -EBADF)
		return cli_fail(meeting->cli, meeting->object, ENOENT, "descriptor %d is not open", fd);
	if (r)
		return r;
	if (domain != AF_UNIX)
		return cli_fail(meeting->cli, meeting->object, EPROTOTYPE,
				"descriptors pass through Unix sockets alone");
	*(listens ? &meeting->listener : &meeting->fd) = fd;
	return listens ? accept_one(meeting) : 0;
}

static int meet(struct meeting *meeting)
{
	int r;

	if (meeting->at.kind == IPCKIT_END_FD)
		r = take_inherited(meeting);
	else
		r = meeting->at.listens ? listen_once(meeting) : connect_to(meeting);
	if (!r)
		listen_no_more(meeting);
	return r;
}

static int check_peer(struct meeting *meeting)
{
	const struct ipckit_maybe *uid = &meeting->peer.uid;

	if (!uid->known)
		return cli_fail(meeting->cli, meeting->object, EPERM,
				"the kernel does not tell as whom the other side runs");
	if (meeting->uid.known ? uid->value == meeting->uid.value : uid->value == geteuid() || !uid->value)
		return 0;
	if (meeting->uid.known)
		return cli_fail(meeting->cli, meeting->object, EPERM, "the other side runs as user %u, not as %s",
				(unsigned)uid->value, uid_text);
	return cli_fail(meeting->cli, meeting->object, EPERM, "the other side runs as user %u: --uid lets it",
			(unsigned)uid->value);
}

static void part(struct meeting *meeting)
{
	listen_no_more(meeting);
	let_go(&meeting->fd);
}

/* ---- failures ---- */

static int fail_limit(struct meeting *meeting, int error)
{
	struct ipckit_limit limit;
	int of = error == -ETOOMANYREFS || error == -EMSGSIZE ? EMFILE : -error;

	if (ipckit_limit_of_process(of, &limit))
		return cli_fail(meeting->cli, meeting->object, error, NULL);
	/* What is in use now is not what was then. */
	if (of != -error)
		limit.used = ipckit_unknown();
	return cli_fail_limit(meeting->cli, meeting->object, error == -EMSGSIZE ? EMFILE : error, &limit);
}

static int fail(struct meeting *meeting, int error)
{
	struct cli *cli = meeting->cli;

	switch (error) {
	case -EINTR:
		cli_stop_die();
		break;
	case -ETIMEDOUT:
		if (timeout_text)
			return cli_fail_late(cli, meeting->object, timeout_text, "");
		break;
	case -EPIPE:
		error = -ECONNRESET;
		break;
	case -ENOENT:
		return cli_fail(cli, meeting->object, error,
				meeting->at.listens ? "its directory is missing" : "no such socket");
	case -ENODATA:
		return cli_fail(cli, meeting->object, error, "the other side closed the connection and sent none");
	case -EBADMSG:
		return cli_fail(cli, meeting->object, error, "what came is data without descriptors");
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
	case -EMSGSIZE:
	case -ETOOMANYREFS:
		return fail_limit(meeting, error);
	}
	return cli_fail(cli, meeting->object, error, NULL);
}

/* Ends the meeting, and reports what was not yet. r: 0, -errno, or an exit status, which it returns. */
static int end(struct meeting *meeting, int r)
{
	part(meeting);
	if (r < 0)
		r = fail(meeting, r);
	else if (r)
		cli_stop_die();
	ipckit_endpoint_free(&meeting->at);
	free(meeting->spelled);
	return r;
}

/* ---- sendfd ---- */

struct sent {
	const char *object;
	int64_t count;
	struct ipckit_maybe pid, uid;
};

#define SENT(member) .offset = offsetof(struct sent, member)

static const struct cli_field sent_fields[] = {
	{ "object", .type = CLI_STRING, SENT(object), .summary = "the socket as it was named" },
	{ "descriptors", .type = CLI_INTEGER, SENT(count), .summary = "how many were sent" },
	{ "pid", .type = CLI_MAYBE, SENT(pid), .summary = "the process at the other side" },
	{ "uid", .type = CLI_MAYBE, SENT(uid), .summary = "its user" },
	{ 0 },
};

static const struct cli_table sent_table = { sent_fields, sizeof(struct sent), "sockets", NULL };

static int fail_many(struct cli *cli, size_t count)
{
	const struct ipckit_limit limit = {
		.name = "SCM_MAX_FD",
		.value = ipckit_known(IPCKIT_PASSED_MAX),
		.needed = ipckit_known((int64_t)count),
		.unit = "descriptors",
		.what = "descriptors that one message can have",
	};

	return cli_fail_limit(cli, cli->operands[0], E2BIG, &limit);
}

/* They are looked at before anything is opened, which would get their numbers. */
static int read_descriptors(struct cli *cli, int list[IPCKIT_PASSED_MAX], size_t *count)
{
	if (cli->noperands - 1 > IPCKIT_PASSED_MAX)
		return fail_many(cli, (size_t)cli->noperands - 1);
	for (*count = 0; *count < (size_t)cli->noperands - 1; (*count)++) {
		const char *text = cli->operands[*count + 1];
		uint64_t fd = 0;
		int r = cli_count(cli, "FD", text, 0, INT_MAX, &fd);

		if (r)
			return r;
		if (fcntl((int)fd, F_GETFD) < 0)
			return cli_fail(cli, text, ENOENT, "descriptor %s is not open", text);
		list[*count] = (int)fd;
	}
	return 0;
}

static int who_receives(struct meeting *meeting)
{
	int r = ipckit_socket_peer(meeting->fd, &meeting->peer);

	return r ? r : check_peer(meeting);
}

static int run_sendfd(struct cli *cli)
{
	int list[IPCKIT_PASSED_MAX];
	struct meeting meeting;
	struct sent sent;
	size_t count = 0;
	int r = read_descriptors(cli, list, &count);

	if (r)
		return r;
	r = begin(cli, "unix:", &meeting) ?: meet(&meeting) ?: who_receives(&meeting) ?:
	    ipckit_socket_pass(meeting.fd, list, count, &meeting.deadline);
	sent = (struct sent){ .object = cli->operands[0], .count = (int64_t)count, .pid = meeting.peer.pid,
			      .uid = meeting.peer.uid };
	r = end(&meeting, r);
	return r ? r : cli_emit_record(cli, &sent_table, &sent);
}

const struct cli_verb pipecat_sendfd = {
	.name = "sendfd",
	.operands = "SOCKET FD...",
	.summary = "send open descriptors through a Unix socket to recvfd, or another program (SCM_RIGHTS)",
	.least = 2,
	.most = -1,
	.options = options,
	.table = &sent_table,
	.run = run_sendfd,
};

/* ---- recvfd ---- */

/*
 * From 3 on, as far as these numbers are free: redirections of any shell can use them. The kernel gave them in
 * ascending order, and in that each takes the lowest number that is left.
 */
static int hand_on(int fd)
{
	int lower = fcntl(fd, F_DUPFD, 3);

	if (lower >= 0 && lower < fd) {
		close(fd);
		return lower;
	}
	if (lower >= 0)
		close(lower);
	return fcntl(fd, F_SETFD, 0) ? -errno : fd;
}

/* Their numbers become IPCKIT_FD. */
static int hand_all_on(const int *list, size_t count)
{
	char text[IPCKIT_PASSED_MAX * 12];
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		int fd = hand_on(list[i]);

		if (fd < 0)
			return fd;
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%d", i ? " " : "", fd);
	}
	return setenv("IPCKIT_FD", text, 1) ? -errno : 0;
}

static int receive(struct meeting *meeting)
{
	int list[IPCKIT_PASSED_MAX];
	size_t count;
	int r = ipckit_socket_receive(meeting->fd, list, &meeting->deadline, &meeting->peer, &count);

	if (r)
		return r;
	r = check_peer(meeting);
	part(meeting);
	if (!r)
		return hand_all_on(list, count);
	for (size_t i = 0; i < count; i++)
		close(list[i]);
	return r;
}

static int run_recvfd(struct cli *cli)
{
	struct meeting meeting;
	int r = cli_check_command(cli);

	if (r)
		return r;
	r = begin(cli, "unix-listen:", &meeting) ?: meet(&meeting) ?: receive(&meeting);
	if (!r && !cli_stop_commit())
		r = -EINTR;
	r = end(&meeting, r);
	return r ? r : cli_become(cli);
}

const struct cli_verb pipecat_recvfd = {
	.name = "recvfd",
	.operands = "SOCKET",
	.summary = "receive open descriptors, and run COMMAND with them, as $IPCKIT_FD tells",
	.least = 1,
	.most = 1,
	.flags = CLI_COMMAND,
	.options = options,
	.run = run_recvfd,
};
