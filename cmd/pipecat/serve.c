/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"
#include "../cli/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define TRY_AGAIN_NS (SECOND / 10) /* where there is no descriptor, or process, for a connection */
#define END_NS (5 * SECOND)        /* of those that serve, when they are told to end */

struct server {
	struct pipecat_session *session;
	struct pipecat_end *listening;
	uint64_t most;
	pid_t *workers;
	size_t running, room;
	int children; /* readable when one has ended */
	bool warned;  /* of what there is too little of */
	bool served;  /* this is a process that serves: it returns the status of that */
	int status;
};

/* What is to be served. */
struct request {
	int fd;       /* a connection, or what gives the message; -1: none */
	char *message; /* NULL: a connection */
	size_t size;
	struct ipckit_peer peer;
};

/* ---- those that serve ---- */

static int fail_serving(struct server *server, int error)
{
	return pipecat_fail(server->session->cli, server->listening->text, error, ipckit_unknown());
}

/* A message is the input of who serves it: with its boundary, and an end behind it. */
static int supply(struct request *request)
{
	int pair[2], r = 0, room = (int)request->size + 4096;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	if (setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
		setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (send(pair[1], request->message, request->size, MSG_DONTWAIT) < 0)
		r = -errno;
	close(pair[1]);
	if (r)
		close(pair[0]);
	else
		request->fd = pair[0];
	return r;
}

static int take_request(struct server *server, struct request *request)
{
	struct pipecat_session *session = server->session;
	struct pipecat_end *end = server->listening;
	int listener = end->listener, r;

	end->peer = request->peer;
	end->has_peer = true;
	if (!pipecat_has_datagrams(server->listening)) {
		close(listener);
		end->listener = -1;
		end->in = end->out = request->fd;
		return 0;
	}
	if (session->both && request->peer.address.length <= sizeof(sa_family_t))
		return cli_fail(session->cli, end->text, EDESTADDRREQ, "who sent has no address to be answered at");
	r = supply(request);
	if (r)
		return fail_serving(server, r);
	/* What comes next is for the server, and its path, too. */
	end->listener = -1;
	end->in = request->fd;
	end->out = listener;
	session->answers = &end->peer.address;
	return 0;
}

/* In the child: the memory of the server is no longer its own. */
static int serve(struct server *server, struct request *request, pid_t parent)
{
	struct pipecat_session *session = server->session;
	int status;

	server->served = true;
	session->stats.silent = true;
	close(server->children);
	free(server->workers);
	server->workers = NULL;
	server->running = 0;
	cli_stop_restore();
	status = pipecat_begin(session->cli);
	if (!status && (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent))
		status = CLI_SYSTEM;
	if (!status)
		status = take_request(server, request);
	free(request->message);
	return status ?: pipecat_session_run(session);
}

/* ---- the server ---- */

/* Whoever else may be a child of this process, it is none that was counted. */
static void forget(struct server *server, pid_t pid, int status)
{
	for (size_t i = 0; i < server->running; i++) {
		if (server->workers[i] != pid)
			continue;
		server->workers[i] = server->workers[--server->running];
		server->session->totals->errors += status != 0;
		return;
	}
}

static void reap(struct server *server)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(server->children, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		forget(server, pid, status);
}

static int make_room(struct server *server)
{
	size_t room = server->room ? server->room * 2 : 64;
	pid_t *workers;

	if (server->running < server->room)
		return 0;
	workers = reallocarray(server->workers, room, sizeof(*workers));
	if (!workers)
		return -ENOMEM;
	server->workers = workers;
	server->room = room;
	return 0;
}

/* Once: it will be tried again until there is enough. */
static void warn(struct server *server, int error)
{
	struct ipckit_limit limit;

	if (server->warned)
		return;
	server->warned = true;
	if (!ipckit_limit_of_process(-error, &limit) && limit.value.known)
		cli_warn(server->session->cli, "%s: connections have to wait: %s: %s is %lld", server->listening->text,
			 cli_errno_words(error), limit.name, (long long)limit.value.value);
	else
		cli_warn(server->session->cli, "%s: connections have to wait: %s", server->listening->text,
			 cli_errno_words(error));
}

static void pause_for_room(struct server *server)
{
	struct pollfd ended = { .fd = server->children, .events = POLLIN };
	const struct timespec a_moment = { .tv_nsec = TRY_AGAIN_NS };

	ppoll(&ended, 1, &a_moment, NULL);
	reap(server);
}

static void start(struct server *server, struct request *request)
{
	pid_t self = getpid(), pid = -1;
	int r;

	do {
		r = make_room(server);
		if (!r)
			pid = fork();
		if (!r && pid < 0)
			r = -errno;
		if (!r)
			break;
		warn(server, r);
		pause_for_room(server);
	} while (!cli_stopped());
	if (pid == 0) {
		server->status = serve(server, request, self);
		return;
	}
	if (pid > 0) {
		server->workers[server->running++] = pid;
		server->session->totals->connections++;
	}
	if (request->fd >= 0)
		close(request->fd);
	free(request->message);
}

/* ---- what comes ---- */

static int take_message(struct server *server, struct request *out)
{
	struct ipckit_address *from = &out->peer.address;
	int fd = server->listening->listener;
	ssize_t size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);

	if (size < 0)
		return -errno;
	out->message = malloc((size_t)size + 1);
	if (!out->message)
		return -ENOMEM;
	from->length = sizeof(from->at);
	size = recvfrom(fd, out->message, (size_t)size, MSG_DONTWAIT, (struct sockaddr *)&from->at, &from->length);
	if (size >= 0) {
		out->size = (size_t)size;
		return 0;
	}
	free(out->message);
	return -errno;
}

/* 0; -EAGAIN: nothing came, or that is to be tried again; -errno. */
static int take(struct server *server)
{
	const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };
	struct request request = { .fd = -1 };
	int r;

	if (pipecat_has_datagrams(server->listening))
		r = take_message(server, &request);
	else
		r = ipckit_socket_accept(server->listening->listener, &now, &request.peer, &request.fd);
	switch (r) {
	case 0:
		start(server, &request);
		return 0;
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
	case -ENOBUFS:
		warn(server, r);
		pause_for_room(server);
		return -EAGAIN;
	case -ECONNREFUSED: /* of a message that was sent from here */
	case -EINTR:
		return -EAGAIN;
	default:
		return r;
	}
}

static bool is_full(const struct server *server)
{
	return server->most && server->running >= server->most;
}

/* While somebody is served there is no time to be kept: it begins when the last one has ended. */
static int await(struct server *server, struct ipckit_deadline *deadline)
{
	struct pollfd fds[] = {
		{ .fd = server->children, .events = POLLIN },
		{ .fd = is_full(server) ? -1 : server->listening->listener, .events = POLLIN },
	};
	bool busy = server->running;
	struct timespec left;
	int r = 0;

	if (busy && cli_stopped())
		return -EINTR;
	if (!busy)
		r = ipckit_deadline_left(deadline, &left);
	if (r)
		return r;
	ppoll(fds, 2, busy || deadline->kind == IPCKIT_DEADLINE_NONE ? NULL : &left, NULL);
	reap(server);
	if (busy) {
		ipckit_deadline_in(server->session->opening.timeout, deadline);
		deadline->stop = pipecat_stop();
	}
	return 0;
}

/* Nobody came, or nobody more. */
static int fail_late(struct server *server, int error)
{
	const struct pipecat_opening *how = &server->session->opening;

	if (server->session->totals->connections)
		return 0;
	if (error == -ETIMEDOUT && how->timeout_text)
		return pipecat_fail_late(server->session->cli, server->listening, how);
	return fail_serving(server, error);
}

/* Until a signal comes, or nobody for the time of --timeout. */
static int listen_on(struct server *server)
{
	struct ipckit_deadline deadline;
	int r = 0;

	ipckit_deadline_in(server->session->opening.timeout, &deadline);
	deadline.stop = pipecat_stop();
	while (!server->served) {
		if (!is_full(server))
			r = take(server);
		if (server->served)
			return server->status;
		/* Where they never cease to come those who have ended are taken leave of all the same. */
		if (!r)
			reap(server);
		if (!r && !is_full(server) && !cli_stopped())
			continue;
		if (r && r != -EAGAIN)
			return fail_serving(server, r);
		r = await(server, &deadline);
		if (r == -ETIMEDOUT || r == -EAGAIN)
			return fail_late(server, r);
		if (r)
			return CLI_SYSTEM;
	}
	return server->status;
}

/* ---- the end ---- */

static void tell_all(const struct server *server, int signal)
{
	for (size_t i = 0; i < server->running; i++)
		kill(server->workers[i], signal);
}

static void end_workers(struct server *server)
{
	struct pollfd ended = { .fd = server->children, .events = POLLIN };
	struct ipckit_deadline deadline;
	struct timespec left;

	tell_all(server, SIGTERM);
	tell_all(server, SIGCONT);
	ipckit_deadline_in(END_NS, &deadline);
	for (reap(server); server->running; reap(server)) {
		if (ipckit_deadline_left(&deadline, &left)) {
			tell_all(server, SIGKILL);
			left = (struct timespec){ .tv_sec = 1 };
		}
		ppoll(&ended, 1, &left, NULL);
	}
}

static int watch_children(struct server *server)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	server->children = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (server->children < 0)
		return fail_serving(server, -errno);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	return 0;
}

static int open_server(struct server *server)
{
	struct pipecat_session *session = server->session;
	void *shared = mmap(NULL, sizeof(*session->totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct ipckit_deadline deadline;

	if (shared == MAP_FAILED)
		return fail_serving(server, -errno);
	session->totals = shared;
	ipckit_deadline_in(session->opening.timeout, &deadline);
	deadline.stop = pipecat_stop();
	return watch_children(server) ?:
	       pipecat_listen(session->cli, server->listening, &session->opening, &deadline) ?:
	       pipecat_empty_once(session->cli, &session->ends[!session->ends[1].at.listens], &session->opening);
}

int pipecat_serve(struct pipecat_session *session, uint64_t most)
{
	struct server server = {
		.session = session,
		.listening = &session->ends[session->ends[1].at.listens],
		.most = most,
		.children = -1,
	};
	int status = open_server(&server), told = 0;

	if (!status)
		status = listen_on(&server);
	if (server.served)
		return status;
	pipecat_stop_listening(server.listening);
	end_workers(&server);
	if (session->stats.wanted && session->totals)
		told = pipecat_tell_totals(session);
	free(server.workers);
	if (server.children >= 0)
		close(server.children);
	for (size_t i = 0; i < 2; i++)
		(void)pipecat_close(session->cli, &session->ends[i], true);
	return status ?: told;
}
