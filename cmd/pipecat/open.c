/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opening.h"
#include "../cli/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static char *timeout_text, *mode_text, *backlog_text;
static int append, nonblock;

const struct poptOption pipecat_open_options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up when the ends are not open after this time; 0: do "
	  "not wait", "DURATION" },
	{ "nonblock", 'n', POPT_ARG_NONE, &nonblock, 0, "what would have to wait ends it, with status 1", NULL },
	{ "append", 'a', POPT_ARG_NONE, &append, 0, "write behind what a file has, in place of emptying it", NULL },
	{ "mode", 'm', POPT_ARG_STRING, &mode_text, 0, "permissions of what is made (default 0600; of files, what the "
	  "umask leaves)", "MODE" },
	{ "backlog", 0, POPT_ARG_STRING, &backlog_text, 0, "connections that may wait to be accepted", "N" },
	POPT_TABLEEND
};

int pipecat_read_opening(struct cli *cli, struct pipecat_opening *out)
{
	uint64_t backlog_count = 0;
	int r;

	*out = (struct pipecat_opening){
		.timeout = IPCKIT_FOREVER, .timeout_text = timeout_text, .append = append, .nonblock = nonblock,
		.mode = 0600, .mode_given = mode_text != NULL,
	};
	r = cli_duration(cli, "--timeout", timeout_text, &out->timeout) ?:
	    cli_mode(cli, "--mode", mode_text, 0600, &out->mode) ?:
	    cli_count(cli, "--backlog", backlog_text, 1, INT_MAX, &backlog_count);
	out->backlog = (int)backlog_count;
	if (!r && nonblock && timeout_text)
		r = cli_usage(cli, "--nonblock", "not with --timeout: it does not wait at all");
	if (out->nonblock)
		out->timeout = 0;
	return r;
}

static bool is_written_file(const struct pipecat_end *end)
{
	return end->at.kind == IPCKIT_END_PATH && end->access & PIPECAT_WRITE;
}

static bool listens(const struct pipecat_end *end)
{
	return end->at.listens;
}

/* Something with permissions may be made for it. */
static bool may_be_made(const struct pipecat_end *end)
{
	return is_written_file(end) || end->at.kind == IPCKIT_END_FIFO ||
	       (end->at.listens && end->at.text && !end->at.abstract);
}

static bool has_any(const struct pipecat_end *ends, size_t count, bool (*is)(const struct pipecat_end *end))
{
	for (size_t i = 0; i < count; i++)
		if (is(&ends[i]))
			return true;
	return false;
}

int pipecat_check_opening(struct cli *cli, const struct pipecat_end *ends, size_t count)
{
	if (append && !has_any(ends, count, is_written_file))
		return cli_usage(cli, "--append", "is for a file that is written to");
	if (backlog_text && !has_any(ends, count, listens))
		return cli_usage(cli, "--backlog", "is for an end that listens");
	if (mode_text && !has_any(ends, count, may_be_made))
		return cli_usage(cli, "--mode", "is for what is made: a file, a FIFO or the path of a socket that listens");
	return 0;
}

/* ---- opening ---- */

/* What has not happened. */
static const char *missed(const struct pipecat_end *end)
{
	if (end->at.listens)
		return ": nobody came";
	return end->at.kind == IPCKIT_END_PATH || end->at.kind == IPCKIT_END_FIFO ? ": nobody opened its other end" : "";
}

int pipecat_fail_late(struct cli *cli, const struct pipecat_end *end, const struct pipecat_opening *how)
{
	return cli_fail_late(cli, end->text, how->timeout_text, missed(end));
}

int opening_fail(struct opening *opening, const struct pipecat_end *end, int error)
{
	if (error == -ETIMEDOUT && opening->how->timeout_text)
		return pipecat_fail_late(opening->cli, end, opening->how);
	return pipecat_fail_end(opening->cli, end, error, ipckit_unknown());
}

/* ---- that listen ---- */

static bool is_any_port(const char *port)
{
	return port && *port && !port[strspn(port, "0")];
}

static int tell_port(struct cli *cli, const struct pipecat_end *end)
{
	struct ipckit_address address;
	char text[IPCKIT_ADDRESS_TEXT], *colon;
	int to = pipecat_output_taken ? STDERR_FILENO : STDOUT_FILENO;
	int r = ipckit_socket_address(end->listener, &address);

	if (r)
		return pipecat_fail(cli, end->text, r, ipckit_unknown());
	ipckit_address_text(&address, text);
	colon = strrchr(text, ':');
	if (!colon || dprintf(to, "%s\n", colon + 1) < 0)
		return pipecat_fail(cli, "the port", errno, ipckit_unknown());
	return 0;
}

int pipecat_listen(struct cli *cli, struct pipecat_end *end, const struct pipecat_opening *how,
		   const struct ipckit_deadline *deadline)
{
	const struct ipckit_listening listening = { how->backlog, how->mode, deadline };
	struct ipckit_why why = { "" };
	int r = ipckit_socket_listen(&end->at, &listening, &why, &end->listener);

	if (r && *why.text)
		return cli_fail(cli, end->text, r, "%s", why.text);
	if (r == -ENOENT)
		return cli_fail(cli, end->text, r, "its directory is missing");
	if (r == -ETIMEDOUT && how->timeout_text)
		return cli_fail_late(cli, end->text, how->timeout_text, ": no name server has answered");
	if (r)
		return pipecat_fail_end(cli, end, r, ipckit_unknown());
	return is_any_port(end->at.port) ? tell_port(cli, end) : 0;
}

static int listen_all(struct opening *opening)
{
	int r = 0;

	for (size_t i = 0; !r && i < opening->count; i++) {
		struct pipecat_end *end = opening->ends[i];

		if (end->at.listens && end->listener < 0 && end->in < 0 && end->out < 0)
			r = pipecat_listen(opening->cli, end, opening->how, &opening->deadline);
	}
	return r;
}

static int accept_one(struct opening *opening, struct pipecat_end *end)
{
	int fd, r = ipckit_socket_accept(end->listener, &opening->deadline, &end->peer, &fd);

	if (r)
		return opening_fail(opening, end, r);
	/* Those who would come now are told at once that they come in vain. */
	pipecat_stop_listening(end);
	end->in = end->out = fd;
	end->has_peer = true;
	return 0;
}

/* 0; -EINTR and the like. */
static int await_input(int fd, const struct ipckit_deadline *deadline)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };
	struct timespec left;
	int n, r;

	for (;;) {
		r = ipckit_deadline_left(deadline, &left);
		if (r && r != -EAGAIN)
			return r;
		n = r ? poll(&input, 1, 0) : ppoll(&input, 1, deadline->kind == IPCKIT_DEADLINE_AT ? &left : NULL, NULL);
		if (n > 0)
			return 0;
		if (r)
			return r;
	}
}

/* It stays there to be read. from: who has sent it. */
static int await_message(struct opening *opening, const struct pipecat_end *end, struct ipckit_address *from)
{
	char byte;
	ssize_t n;
	int r;

	/* One that is not what its checksum says is dropped when it is to be read. */
	do {
		r = await_input(end->listener, &opening->deadline);
		if (r)
			return opening_fail(opening, end, r);
		from->length = sizeof(from->at);
		n = recvfrom(end->listener, &byte, 1, MSG_PEEK | MSG_DONTWAIT, (struct sockaddr *)&from->at,
			     &from->length);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	return n < 0 ? opening_fail(opening, end, -errno) : 0;
}

/* Both ways there is one to answer: who sends first. From then on nothing is taken from others. */
static int find_sender(struct opening *opening, struct pipecat_end *end)
{
	struct ipckit_address *from = &end->peer.address;
	int r = await_message(opening, end, from);

	if (r)
		return r;
	if (from->length <= sizeof(sa_family_t))
		return cli_fail(opening->cli, end->text, EDESTADDRREQ, "who sends has no address to be answered at");
	if (connect(end->listener, (struct sockaddr *)&from->at, from->length))
		return opening_fail(opening, end, -errno);
	end->has_peer = true;
	return 0;
}

/* One way messages are whoever's. Without a limit to that the first is not waited for: --idle counts at once. */
static int find_messages(struct opening *opening, struct pipecat_end *end)
{
	struct ipckit_address from;
	int r = 0;

	if (end->access & PIPECAT_WRITE)
		r = find_sender(opening, end);
	else if (opening->deadline.kind != IPCKIT_DEADLINE_NONE)
		r = await_message(opening, end, &from);
	end->in = end->out = end->listener;
	return r;
}

static int accept_all(struct opening *opening)
{
	int r = 0;

	for (size_t i = 0; !r && i < opening->count; i++) {
		struct pipecat_end *end = opening->ends[i];

		if (end->listener < 0 || end->in >= 0)
			continue;
		r = pipecat_has_datagrams(end) ? find_messages(opening, end) : accept_one(opening, end);
	}
	return r;
}

/* ---- sockets that connect ---- */

static int connect_one(struct opening *opening, struct pipecat_end *end)
{
	struct ipckit_why why = { "" };
	int r = ipckit_socket_connect(&end->at, &opening->deadline, &why, &end->in);

	if (r && *why.text)
		return cli_fail(opening->cli, end->text, r, "%s", why.text);
	if (r == -ENOENT)
		return cli_fail(opening->cli, end->text, r, "no such socket");
	if (r)
		return opening_fail(opening, end, r);
	end->out = end->in;
	end->has_peer = !ipckit_socket_peer(end->in, &end->peer);
	return 0;
}

static int connect_all(struct opening *opening)
{
	int r = 0;

	for (size_t i = 0; !r && i < opening->count; i++)
		if (ipckit_endpoint_is_socket(&opening->ends[i]->at) && !opening->ends[i]->at.listens &&
		    opening->ends[i]->in < 0)
			r = connect_one(opening, opening->ends[i]);
	return r;
}

/* ---- commands ---- */

static const struct ipckit_peer *peer_of_others(const struct opening *opening)
{
	for (size_t i = 0; i < opening->count; i++)
		if (opening->ends[i]->has_peer)
			return &opening->ends[i]->peer;
	return NULL;
}

static void close_pipe(int fds[2])
{
	if (fds[0] >= 0)
		close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
}

static int start_command(struct opening *opening, struct pipecat_end *end)
{
	int input[2] = { -1, -1 }, output[2] = { -1, -1 }, r = 0;
	struct pipecat_command command = { .text = end->at.text, .in = -1, .out = -1 };

	if ((end->access & PIPECAT_WRITE && pipe2(input, O_CLOEXEC)) ||
	    (end->access & PIPECAT_READ && pipe2(output, O_CLOEXEC)))
		r = opening_fail(opening, end, -errno);
	command.in = input[0];
	command.out = output[1];
	command.peer = peer_of_others(opening);
	if (!r)
		r = pipecat_start(opening->cli, &command, &end->child);
	if (r) {
		close_pipe(input);
		close_pipe(output);
		return r;
	}
	end->in = output[0];
	end->out = input[1];
	input[1] = output[0] = -1;
	close_pipe(input);
	close_pipe(output);
	return 0;
}

static int start_commands(struct opening *opening)
{
	int r = 0;

	for (size_t i = 0; !r && i < opening->count; i++)
		if (opening->ends[i]->at.kind == IPCKIT_END_EXEC && !opening->ends[i]->child)
			r = start_command(opening, opening->ends[i]);
	return r;
}

/* ---- all ---- */

int pipecat_open(struct cli *cli, struct pipecat_end *const *ends, size_t count, const struct pipecat_opening *how)
{
	struct opening opening = { .cli = cli, .ends = ends, .count = count, .how = how };
	struct ipckit_deadline over;
	int r = cli_deadline(how->timeout, &opening.deadline);

	if (r)
		return cli_fail(cli, NULL, r, NULL);
	r = listen_all(&opening) ?: accept_all(&opening) ?: connect_all(&opening) ?: opening_files(&opening, true) ?:
	    opening_files(&opening, false) ?: start_commands(&opening) ?: opening_empty(&opening);
	if (cli_deadline(IPCKIT_FOREVER, &over) && !r)
		r = cli_fail(cli, NULL, EAGAIN, NULL);
	return r;
}
