/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fifo.h"
#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

static const struct poptOption options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)fifo_options, 0, NULL, NULL },
	POPT_TABLEEND
};

/* ---- lines ---- */

static struct lines_wait wait_for(const struct fifo *fifo, int sink)
{
	return (struct lines_wait){ .idle = fifo->flowing.idle, .stop = pipecat_stop(), .sink = sink };
}

/*
 * By one write(2): of a line up to PIPE_BUF nothing of others comes into it. Of a longer one that would block as
 * long as there is no room for all of it: not where --idle is to end that.
 */
static size_t part_of(const struct fifo *fifo, size_t size)
{
	return fifo->flowing.idle == IPCKIT_FOREVER || size < PIPE_BUF ? size : PIPE_BUF;
}

static int put(struct fifo *fifo, const char *data, size_t size)
{
	const struct lines_wait wait = wait_for(fifo, -1);
	ssize_t n;
	int r;

	for (; size; size -= (size_t)n) {
		r = lines_await(STDOUT_FILENO, POLLOUT, &wait);
		if (r)
			return r;
		n = write(STDOUT_FILENO, data, part_of(fifo, size));
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n < 0)
			n = 0;
		data += n;
		fifo->state.bytes += (uint64_t)n;
	}
	return 0;
}

static int put_lines(struct fifo *fifo, struct lines *lines)
{
	const char *data;
	size_t size;
	int r = 0;

	fifo->state.side = IPCKIT_FLOW_TO;
	while (!r && ((size = lines_look(lines, 1, &data)) || lines_are_full(lines))) {
		size = size ?: lines_unread(lines);
		r = put(fifo, data, size);
		lines_pass(lines, size);
		pipecat_stats_step(&fifo->stats, fifo->state.bytes);
	}
	return r;
}

/* What is left of a line has been taken, and nobody else would get it: as much as does not block. */
static void put_rest(struct fifo *fifo, struct lines *lines)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	size_t unread;
	ssize_t n;

	while ((unread = lines_unread(lines)) && poll(&out, 1, 0) > 0) {
		n = write(STDOUT_FILENO, lines->buffer + lines->next, unread < PIPE_BUF ? unread : PIPE_BUF);
		if (n <= 0)
			return;
		lines_pass(lines, (size_t)n);
		fifo->state.bytes += (uint64_t)n;
	}
}

static int move_lines(struct fifo *fifo)
{
	const struct lines_wait wait = wait_for(fifo, STDOUT_FILENO);
	struct lines lines;
	int r = lines_open(fifo->fd, &lines);

	if (r)
		return r;
	/* Another reader may be faster. */
	(void)!fcntl(fifo->fd, F_SETFL, O_NONBLOCK);
	fifo->state.method = IPCKIT_FLOW_COPY;
	while (!r && !lines.ended) {
		fifo->state.side = IPCKIT_FLOW_FROM;
		r = lines_fill(&lines, &wait) ?: put_lines(fifo, &lines);
	}
	if (r && r != -EPIPE && fifo->state.side == IPCKIT_FLOW_FROM)
		put_rest(fifo, &lines);
	fifo->state.read = lines.read;
	lines_close(&lines);
	return r;
}

/* ---- the verb ---- */

static int run(struct cli *cli)
{
	struct fifo fifo;
	int r;

	cli_raw(cli);
	r = fifo_open(cli, O_RDONLY, &fifo);
	if (r)
		return r;
	pipecat_stats_begin(&fifo.stats, fifo.fd, STDOUT_FILENO);
	if (fifo.line)
		r = move_lines(&fifo);
	else
		r = pipecat_move(fifo.fd, STDOUT_FILENO, &fifo.flowing, &fifo.stats, &fifo.state);
	return fifo_finish(&fifo, fifo.path, "standard output", r);
}

const struct cli_verb pipecat_read = {
	.name = "read",
	.operands = "FIFO",
	.summary = "write what comes through a FIFO to standard output, until the last writer has closed it",
	.least = 1,
	.most = 1,
	.options = options,
	.run = run,
};
