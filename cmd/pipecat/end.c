/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"
#include "../cli/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTLE_FIRST_MS 1
#define SETTLE_LAST_MS 20
#define DRAIN_MOST     64 /* reads in a row: one who never stops sending must not hold us */

/* ---- failures ---- */

static bool reader_gone; /* the run ends by SIGPIPE */

static bool dies_of_pipe(void)
{
	struct sigaction action;

	return !sigaction(SIGPIPE, NULL, &action) && action.sa_handler != SIG_IGN;
}

int pipecat_finish(struct cli *cli, int status)
{
	(void)cli;
	cli_stop_die();
	if (reader_gone && status == 128 + SIGPIPE)
		cli_die_by(SIGPIPE);
	return status;
}

/* What could not be made at path has no file system yet: that of its directory. */
static bool find_place(const char *path, struct ipckit_limit *out)
{
	const char *slash = strrchr(path, '/');
	char *directory;
	bool found;

	if (!ipckit_limit_of_filesystem(path, out))
		return true;
	directory = slash ? strndup(path, (size_t)(slash + 1 - path)) : strdup(".");
	found = directory && !ipckit_limit_of_filesystem(directory, out);
	free(directory);
	return found;
}

/* Of a limit that explains it: of the process, or of the file system that path is on. */
static bool find_limit(int error, const char *path, struct ipckit_limit *out)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
		return path && find_place(path, out);
	case EAGAIN:
		return false;
	default:
		return !ipckit_limit_of_process(error, out);
	}
}

static const char *words_of(int error)
{
	switch (error) {
	case EPIPE:
		return "nobody reads from it any more";
	case EFBIG:
		return "larger than a file may be there";
	case EBADF:
		return "not open for that";
	default:
		return cli_errno_words(error);
	}
}

static int fail_on(struct cli *cli, const char *object, const char *path, int error, struct ipckit_maybe took)
{
	struct ipckit_limit limit;
	char after[64] = "";

	error = abs(error);
	if (error == EINTR && cli_stopped())
		return CLI_SYSTEM;
	if (error == EPIPE && dies_of_pipe()) {
		reader_gone = true;
		return 128 + SIGPIPE;
	}
	if (took.known)
		snprintf(after, sizeof(after), "; it took %" PRId64 " byte%s before", took.value,
			 took.value == 1 ? "" : "s");
	if (find_limit(error, path, &limit))
		return cli_fail_limit_after(cli, object, error, &limit, after);
	return cli_fail(cli, object, error, "%s%s", words_of(error), after);
}

int pipecat_fail(struct cli *cli, const char *object, int error, struct ipckit_maybe took)
{
	return fail_on(cli, object, object, error, took);
}

int pipecat_fail_end(struct cli *cli, const struct pipecat_end *end, int error, struct ipckit_maybe took)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", end->out);
	return fail_on(cli, end->text, end->out >= 0 ? path : end->at.text, error, took);
}

/* ---- operands ---- */

bool pipecat_output_taken;

bool pipecat_is_output(const struct pipecat_end *end)
{
	return end->at.kind == IPCKIT_END_STANDARD ||
	       (end->at.kind == IPCKIT_END_FD && !end->at.pid && end->at.fd == STDOUT_FILENO);
}

int pipecat_end(struct cli *cli, const char *text, unsigned takes, unsigned access, struct pipecat_end *out)
{
	struct ipckit_why why = { "" };
	int r;

	*out = (struct pipecat_end){ .text = text, .access = access, .in = -1, .out = -1, .listener = -1 };
	r = ipckit_endpoint_parse(text, takes, &why, &out->at);
	if (r == -EINVAL || r == -ENAMETOOLONG)
		return cli_usage(cli, text, "%s", *why.text ? why.text : cli_errno_words(r));
	if (r)
		return cli_fail(cli, text, r, NULL);
	if (access & PIPECAT_WRITE && pipecat_is_output(out))
		pipecat_output_taken = true;
	return 0;
}

bool pipecat_has_datagrams(const struct pipecat_end *end)
{
	return end->at.kind == IPCKIT_END_DGRAM || end->at.kind == IPCKIT_END_UDP;
}

/* ---- the end of what is written ---- */

static mode_t type_of(int fd)
{
	struct stat st;

	return fd < 0 || fstat(fd, &st) ? 0 : st.st_mode & S_IFMT;
}

/* Its number stays taken, as long as others may know it. */
static void put_nothing(int fd)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (nothing < 0)
		return;
	dup3(nothing, fd, O_CLOEXEC);
	close(nothing);
}

int pipecat_socket_option(int fd, int option, int *out)
{
	socklen_t size = sizeof(*out);

	return getsockopt(fd, SOL_SOCKET, option, out, &size) ? -errno : 0;
}

/* Of datagrams there is no end. */
static bool has_end(int fd)
{
	int type;

	return !pipecat_socket_option(fd, SO_TYPE, &type) && type != SOCK_DGRAM;
}

void pipecat_end_output(struct pipecat_end *end)
{
	switch (type_of(end->out)) {
	case S_IFSOCK:
		if (has_end(end->out))
			shutdown(end->out, SHUT_WR);
		break;
	case S_IFIFO:
		if (end->out != end->in)
			put_nothing(end->out);
		break;
	}
}

/* Of what is still on its way, or 0; -errno. */
static int64_t left_to_send(int fd)
{
	int error, left = 0;

	if (!pipecat_socket_option(fd, SO_ERROR, &error) && error)
		return -error;
	return ioctl(fd, SIOCOUTQ, &left) ? 0 : left;
}

/* What comes is thrown away. Whether more may come. */
static bool drain(int fd)
{
	static char scrap[65536];
	ssize_t n = 1;

	for (int i = 0; i < DRAIN_MOST && (n > 0 || (n < 0 && errno == EINTR)); i++)
		n = recv(fd, scrap, sizeof(scrap), MSG_DONTWAIT);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static int settle_tcp(int fd, int64_t idle)
{
	struct ipckit_deadline deadline = { 0 };
	struct pollfd more = { .fd = fd, .events = POLLIN };
	int64_t before = -1, left;
	int r = 0, ms = SETTLE_FIRST_MS;

	/* The last one is the end itself. */
	while ((left = left_to_send(fd)) > 1 && !r) {
		if (left != before) {
			ipckit_deadline_in(idle, &deadline);
			deadline.stop = pipecat_stop();
			ms = SETTLE_FIRST_MS;
		}
		before = left;
		more.events = drain(fd) ? POLLIN : 0;
		poll(&more, 1, ms);
		if (ms < SETTLE_LAST_MS)
			ms *= 2;
		r = ipckit_deadline_left(&deadline, NULL);
	}
	drain(fd);
	return left < 0 ? (int)left : r;
}

int pipecat_settle(struct pipecat_end *end, int64_t idle)
{
	if (end->foreign || end->access != PIPECAT_WRITE || type_of(end->out) != S_IFSOCK)
		return 0;
	if (end->at.kind == IPCKIT_END_TCP)
		return settle_tcp(end->out, idle);
	drain(end->out);
	return 0;
}

/* ---- closing ---- */

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void pipecat_stop_listening(struct pipecat_end *end)
{
	if (end->listener < 0)
		return;
	ipckit_socket_unlink(&end->at, end->listener);
	if (end->listener == end->in || end->listener == end->out)
		end->listener = -1;
	close_one(&end->listener);
}

int pipecat_close(struct cli *cli, struct pipecat_end *end, bool well)
{
	int status = 0;

	(void)cli;
	if (!end->text)
		return 0;
	pipecat_stop_listening(end);
	if (end->foreign)
		end->in = end->out = -1;
	if (end->out == end->in)
		end->out = -1;
	close_one(&end->in);
	close_one(&end->out);
	if (end->child)
		status = pipecat_await(end->child, well);
	ipckit_endpoint_free(&end->at);
	*end = (struct pipecat_end){ .in = -1, .out = -1, .listener = -1 };
	return status;
}
