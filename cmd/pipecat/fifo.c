/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fifo.h"
#include "../cli/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <ipckit/pipe.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static char *timeout_text;
static int once, keep_open, line;

const struct poptOption fifo_options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0,
	  "give up when nobody opens the other end for this time; 0: do not wait", "DURATION" },
	{ "once", 0, POPT_ARG_NONE, &once, 0, "end when those at the other end have gone (the default)", NULL },
	{ "keep-open", 'k', POPT_ARG_NONE, &keep_open, 0, "go on with those that come then", NULL },
	{ "line", 'l', POPT_ARG_NONE, &line, 0, "whole lines alone, each by one write", NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)pipecat_flow_options, 0, NULL, NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)pipecat_stats_options, 0, NULL, NULL },
	POPT_TABLEEND
};

bool fifo_wants_lines(void)
{
	return line;
}

int fifo_path(struct cli *cli, const char **out)
{
	struct ipckit_name name;
	int r = cli_name(cli, cli->operands[0], IPCKIT_TAKES(IPCKIT_NAME_PATH), &name);

	if (r)
		return r;
	*out = cli->operands[0];
	ipckit_name_free(&name);
	return 0;
}

int fifo_fail(struct cli *cli, const char *path, int error)
{
	switch (error) {
	case -ENOENT:
		return cli_fail(cli, path, error, "no such FIFO");
	case -EBADMSG:
		return cli_fail(cli, path, error, "it is no FIFO");
	case -EAGAIN:
		return cli_fail(cli, path, error, "nobody has its other end open");
	case -ETIMEDOUT:
		return cli_fail_late(cli, path, timeout_text, ": nobody opened its other end");
	}
	return pipecat_fail(cli, path, error, ipckit_unknown());
}

/* ---- opening ---- */

/* Lines are moved by this program, and as they come. */
static int check_line(struct cli *cli, const struct ipckit_flow_spec *spec)
{
	if (spec->rate || spec->buffer || spec->zero_copy || spec->sync)
		return cli_usage(cli, "--line", "not with --rate, --buffer, --zero-copy or --sync");
	return 0;
}

static int read_options(struct fifo *fifo)
{
	struct cli *cli = fifo->cli;
	int r;

	fifo->timeout = IPCKIT_FOREVER;
	if (once && keep_open)
		return cli_usage(cli, "--once", "--once and --keep-open exclude each other");
	fifo->keep_open = keep_open;
	fifo->line = line;
	r = fifo_path(cli, &fifo->path) ?: cli_duration(cli, "--timeout", timeout_text, &fifo->timeout) ?:
	    pipecat_read_flowing(cli, &fifo->flowing) ?: pipecat_stats_read(cli, &fifo->stats);
	return r ?: line ? check_line(cli, &fifo->flowing.spec) : 0;
}

/*
 * A signal ends the wait, and the deadline does by one: even to try is a call that blocks, and is interrupted. By
 * that alone the kernel decides in one step whether somebody has come: who looks and leaves again may have been
 * seen.
 */
static int await_other(const char *path, int flags, int64_t timeout, int *out)
{
	struct ipckit_deadline deadline;
	int r = cli_deadline(timeout ? timeout : 1, &deadline) ?: ipckit_fifo_open(path, flags, &deadline, out);

	return r == -ETIMEDOUT && !timeout ? -EAGAIN : r;
}

static int open_in_time(struct fifo *fifo, int flags)
{
	struct ipckit_deadline deadline;
	int r = await_other(fifo->path, flags, fifo->timeout, &fifo->fd);

	if (r)
		return r;
	r = cli_deadline(IPCKIT_FOREVER, &deadline);
	if (!r && fifo->keep_open)
		r = ipckit_fifo_other(fifo->fd, &fifo->other);
	if (r)
		close(fifo->fd);
	return r;
}

int fifo_open(struct cli *cli, int flags, struct fifo *out)
{
	int r;

	*out = (struct fifo){ .cli = cli, .fd = -1, .other = -1 };
	r = read_options(out) ?: pipecat_begin(cli);
	if (r)
		return r;
	r = open_in_time(out, flags);
	return r ? pipecat_finish(cli, fifo_fail(cli, out->path, r)) : 0;
}

/* ---- the end ---- */

void fifo_leave(struct cli *cli, const char *path, int fd)
{
	uint64_t lost;

	if (!ipckit_fifo_leave(fd, &lost) && lost)
		cli_warn(cli,
			 "%s: %" PRIu64 " byte%s in it %s lost: nobody has read them, and nobody else has it open",
			 path, lost, lost == 1 ? "" : "s", lost == 1 ? "is" : "are");
}

/*
 * One that was open for writing alone leaves its bytes to who reads. Of a sink without a reader nothing is said:
 * the run dies of that.
 */
static void close_ends(struct fifo *fifo, int error)
{
	bool reads = (fcntl(fifo->fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
	int last = reads ? fifo->fd : fifo->other, first = reads ? fifo->other : fifo->fd;

	if (first >= 0)
		close(first);
	if (last >= 0 && error != -EPIPE)
		fifo_leave(fifo->cli, fifo->path, last);
}

static int fail_long(struct fifo *fifo)
{
	return cli_fail(fifo->cli, "standard input", EMSGSIZE,
			"line %" PRIu64 " has more than %d bytes, and could be mixed with those of others "
			"(--lock); the FIFO took %" PRIu64 " before",
			fifo->state.messages + 1, PIPE_BUF, fifo->state.bytes);
}

int64_t fifo_lock_time(const struct fifo *fifo)
{
	return fifo->timeout < fifo->flowing.idle ? fifo->timeout : fifo->flowing.idle;
}

static int fail_locked(struct fifo *fifo, int error)
{
	const char *text = fifo->timeout < fifo->flowing.idle ? timeout_text : fifo->flowing.idle_text;

	if (error == -EAGAIN)
		return cli_fail(fifo->cli, fifo->path, error, "another process has the lock that lines wait for");
	return cli_fail_late(fifo->cli, fifo->path, text, ": another process has the lock that lines wait for");
}

static int fail_flow(struct fifo *fifo, const char *object, int error)
{
	uint64_t lost = fifo->state.read - fifo->state.bytes;
	struct cli *cli = fifo->cli;

	if (error == -EMSGSIZE && fifo->line)
		return fail_long(fifo);
	if (lost && error != -EPIPE)
		cli_warn(cli, "%s: %" PRIu64 " byte%s that had been read %s not passed on", fifo->path, lost,
			 lost == 1 ? "" : "s", lost == 1 ? "was" : "were");
	if (fifo->locked_out)
		return fail_locked(fifo, error);
	switch (error) {
	case -ETIMEDOUT:
		return pipecat_fail_idle(cli, object);
	case -EAGAIN:
		return cli_fail(cli, object, error, NULL);
	}
	return pipecat_fail(cli, object, error, ipckit_known((int64_t)fifo->state.bytes));
}

int fifo_finish(struct fifo *fifo, const char *from, const char *to, int error)
{
	int r = 0, told = 0;

	pipecat_stats_end(&fifo->stats, fifo->state.bytes);
	close_ends(fifo, error);
	if (error)
		r = fail_flow(fifo, fifo->state.side == IPCKIT_FLOW_TO ? to : from, error);
	fifo->state.error = error;
	if (fifo->stats.wanted)
		told = pipecat_tell_flow(&fifo->stats, from, to, &fifo->state);
	return pipecat_finish(fifo->cli, r ?: told);
}
