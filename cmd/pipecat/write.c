/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fifo.h"
#include "lines.h"
#include "../cli/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <ipckit/pipe.h>
#include <limits.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#define MS INT64_C(1000000)

static int locks;

static const struct poptOption options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)fifo_options, 0, NULL, NULL },
	{ "lock", 0, POPT_ARG_NONE, &locks, 0, "with --line: longer ones too, while others that write lines wait",
	  NULL },
	POPT_TABLEEND
};

struct row {
	const char *fifo;
	struct ipckit_maybe bytes;
};

#define ROW(member) .offset = offsetof(struct row, member)

static const struct cli_field fields[] = {
	{ "fifo", .type = CLI_STRING, ROW(fifo), .summary = "the FIFO as it was named" },
	{ "bytes", .type = CLI_SIZE, ROW(bytes), .summary = "how many it took" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct row), "fifos", NULL };

/* ---- lines ---- */

/*
 * What has at most PIPE_BUF bytes is never mixed with anything else (pipe(7)). A longer line is written while its
 * writer alone has a lock of the FIFO, which all who write lines share for each write: they do not wait for room
 * with it, so that who wants it alone gets it soon.
 */
struct writing {
	struct fifo *fifo;
	struct lines lines;
	bool alone;      /* in the middle of a long line */
	uint64_t before; /* bytes that the FIFO had taken then */
};

static struct lines_wait wait_for(const struct fifo *fifo, int sink)
{
	return (struct lines_wait){ .idle = fifo->flowing.idle, .stop = pipecat_stop(), .sink = sink };
}

/* -EAGAIN: others have it. */
static int lock_now(int fd, int operation)
{
	return flock(fd, operation | LOCK_NB) ? -errno : 0;
}

/* Interrupted at the deadline. */
static int lock_queued(int fd, int operation, const struct ipckit_deadline *deadline)
{
	int r;

	do {
		r = ipckit_deadline_left(deadline, NULL);
		if (r || !flock(fd, operation))
			return r;
	} while (errno == EINTR);
	return -errno;
}

/* There is no timer that would interrupt. */
static int lock_looking(int fd, int operation, const struct ipckit_deadline *deadline)
{
	int r;

	while ((r = lock_now(fd, operation)) == -EAGAIN) {
		r = ipckit_deadline_sleep(deadline, MS);
		if (r)
			break;
	}
	return r;
}

static int await_lock(const struct fifo *fifo, int operation)
{
	struct ipckit_deadline deadline, none;
	int r = cli_deadline(fifo_lock_time(fifo), &deadline);

	if (r)
		return r;
	if (deadline.kind == IPCKIT_DEADLINE_AT && !deadline.stop)
		r = lock_looking(fifo->fd, operation, &deadline);
	else
		r = lock_queued(fifo->fd, operation, &deadline);
	return cli_deadline(IPCKIT_FOREVER, &none) ?: r;
}

static int lock(struct fifo *fifo, int operation)
{
	int r = lock_now(fifo->fd, operation);

	if (r != -EAGAIN && r != -EINTR)
		return r;
	r = await_lock(fifo, operation);
	fifo->locked_out = r == -EAGAIN || r == -ETIMEDOUT;
	return r;
}

static void unlock(const struct fifo *fifo)
{
	(void)flock(fifo->fd, LOCK_UN);
}

/* Bytes, 0: not now; -errno. */
static ssize_t try(struct fifo *fifo, const char *data, size_t size)
{
	ssize_t n = write(fifo->fd, data, size);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	fifo->state.bytes += (uint64_t)n;
	return n;
}

static int put_short(struct fifo *fifo, const char *data, size_t size)
{
	const struct lines_wait wait = wait_for(fifo, -1);
	ssize_t n = 0;
	int r = 0;

	/* All of it, or nothing. */
	while (!r && !n) {
		r = lines_await(fifo->fd, POLLOUT, &wait) ?: lock(fifo, LOCK_SH);
		if (r)
			return r;
		n = try(fifo, data, size);
		unlock(fifo);
	}
	return n < 0 ? (int)n : r;
}

/* A page of the kernel's takes so much, and one byte more: even where the FIFO is full a line can be ended. */
#define PART ((size_t)PIPE_BUF - 1)

static int put_long(struct fifo *fifo, const char *data, size_t size)
{
	const struct lines_wait wait = wait_for(fifo, -1);
	int r = 0;

	while (size && !r) {
		ssize_t n = 0;

		r = lines_await(fifo->fd, POLLOUT, &wait);
		if (!r)
			n = try(fifo, data, size < PART ? size : PART);
		if (n < 0)
			r = (int)n;
		else
			data += n, size -= (size_t)n;
	}
	return r;
}

/* A part of a line, or its end. */
static int put_alone(struct writing *writing, const char *data, size_t size)
{
	int r = writing->alone ? 0 : lock(writing->fifo, LOCK_EX);

	if (r)
		return r;
	if (!writing->alone)
		writing->before = writing->fifo->state.bytes;
	writing->alone = true;
	r = put_long(writing->fifo, data, size);
	if (!r && data[size - 1] == '\n') {
		unlock(writing->fifo);
		writing->alone = false;
	}
	return r;
}

/* -ENODATA: more is to be read first. */
static int put_front(struct writing *writing)
{
	struct lines *lines = &writing->lines;
	const char *data;
	size_t size = lines_look(lines, PIPE_BUF, &data);
	bool is_long = size > PIPE_BUF || (!size && lines_unread(lines) >= PIPE_BUF);
	int r;

	if (is_long && !locks)
		return -EMSGSIZE;
	if (!size && !lines_are_full(lines) && !lines->ended)
		return -ENODATA;
	if (!size)
		size = lines_unread(lines);
	if (!size)
		return -ENODATA;
	r = is_long || writing->alone ? put_alone(writing, data, size) : put_short(writing->fifo, data, size);
	if (!r)
		lines_pass(lines, size);
	return r;
}

static int put_lines(struct writing *writing)
{
	struct fifo *fifo = writing->fifo;
	int r;

	fifo->state.side = IPCKIT_FLOW_TO;
	while (!(r = put_front(writing)))
		pipecat_stats_step(&fifo->stats, fifo->state.bytes);
	return r == -ENODATA ? 0 : r;
}

static int move_lines(struct fifo *fifo)
{
	struct writing writing = { .fifo = fifo };
	const struct lines_wait wait = wait_for(fifo, fifo->fd);
	int r = lines_open(STDIN_FILENO, &writing.lines);

	if (r)
		return r;
	(void)!fcntl(fifo->fd, F_SETFL, O_NONBLOCK);
	fifo->state.method = IPCKIT_FLOW_COPY;
	while (!r && !writing.lines.ended) {
		fifo->state.side = IPCKIT_FLOW_FROM;
		r = lines_fill(&writing.lines, &wait);
		if (r == -EPIPE)
			fifo->state.side = IPCKIT_FLOW_TO;
		r = r ?: put_lines(&writing);
	}
	/* The next one's line is not to begin in the middle of this one. */
	if (r && writing.alone && fifo->state.bytes > writing.before)
		(void)!write(fifo->fd, "\n", 1);
	fifo->state.read = writing.lines.read;
	fifo->state.messages = writing.lines.passed;
	lines_close(&writing.lines);
	return r;
}

/* ---- the verb ---- */

/* Until all has been read: what is in it would be lost with this end. */
static int await_readers(struct fifo *fifo)
{
	struct ipckit_deadline deadline = { 0 };
	uint64_t bytes, before = 0;
	int64_t pause = MS;
	int r;

	fifo->state.side = IPCKIT_FLOW_TO;
	while (!(r = ipckit_pipe_bytes(fifo->fd, &bytes)) && bytes) {
		if (bytes != before) {
			ipckit_deadline_in(fifo->flowing.idle, &deadline);
			deadline.stop = pipecat_stop();
			pause = MS;
		}
		before = bytes;
		r = ipckit_deadline_sleep(&deadline, pause);
		if (r)
			break;
		if (pause < 20 * MS)
			pause *= 2;
	}
	return r;
}

static int move(struct fifo *fifo)
{
	int r;

	if (fifo->line)
		r = move_lines(fifo);
	else
		r = pipecat_move(STDIN_FILENO, fifo->fd, &fifo->flowing, &fifo->stats, &fifo->state);
	return r || !fifo->keep_open ? r : await_readers(fifo);
}

static int tell(struct fifo *fifo)
{
	const struct row row = { fifo->path, ipckit_known((int64_t)fifo->state.bytes) };

	return cli_emit_record(fifo->cli, &table, &row);
}

static int run(struct cli *cli)
{
	struct fifo fifo;
	int r, told = 0;

	if (locks && !fifo_wants_lines())
		return cli_usage(cli, "--lock", "is for lines: --line is needed");
	r = fifo_open(cli, O_WRONLY, &fifo);
	if (r)
		return r;
	pipecat_stats_begin(&fifo.stats, STDIN_FILENO, fifo.fd);
	r = move(&fifo);
	if (!r)
		told = tell(&fifo);
	r = fifo_finish(&fifo, "standard input", fifo.path, r);
	return r ?: told;
}

const struct cli_verb pipecat_write = {
	.name = "write",
	.operands = "FIFO",
	.summary = "write standard input to a FIFO, as soon as somebody reads from it",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &table,
	.run = run,
};
