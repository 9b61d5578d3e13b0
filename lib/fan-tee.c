/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * tee(2) can only give what lies foremost in a pipe, and a sink may take but a part of it: each has a pipe of its own
 * that holds the rest. The chunk itself lies in one that nobody else can read from between two calls.
 */

#include "fan.h"

#include <ipckit/pipe.h>

#define MOST ((size_t)1 << 30) /* for one call */
#define CAPACITY ((uint64_t)1 << 20)

static ssize_t move(int from, int to, size_t size)
{
	return sys_result(splice(from, NULL, to, NULL, size, SPLICE_F_NONBLOCK | SPLICE_F_MOVE));
}

static ssize_t or_nothing(ssize_t n)
{
	return n == -EAGAIN || n == -EINTR ? 0 : n;
}

static size_t drop(int pipe, size_t size)
{
	char bin[16384];
	size_t left = size;

	while (left) {
		ssize_t n = read(pipe, bin, left < sizeof(bin) ? left : sizeof(bin));

		if (n > 0)
			left -= (size_t)n;
		else if (!n || errno != EINTR)
			break;
	}
	return size - left;
}

/* ---- chunks ---- */

static int take(struct fan_out *fan)
{
	ssize_t n = move(fan->source.fd, fan->pipe[1], MOST);

	if (n <= 0)
		return n == -EINTR ? -EAGAIN : (int)n;
	fan->size = fan->in_pipe = (size_t)n;
	return 1;
}

/* The last one gets the chunk itself. */
static ssize_t pass(struct fan_out *fan, int to, bool last)
{
	ssize_t n;

	if (!last)
		return or_nothing(sys_result(tee(fan->pipe[0], to, fan->size, SPLICE_F_NONBLOCK)));
	n = or_nothing(move(fan->pipe[0], to, fan->in_pipe));
	if (n > 0)
		fan->in_pipe -= (size_t)n;
	return n;
}

static int hold(struct fan_out *fan, struct fan_sink *sink, size_t taken, bool last)
{
	size_t rest = fan->size - taken;
	ssize_t n = pass(fan, sink->queue[1], last);

	/* It is empty, and has as many places as the one that the chunk is in. */
	if (n != (ssize_t)(last ? rest : fan->size) || (!last && drop(sink->queue[0], taken) != taken))
		return n < 0 ? (int)n : -EIO;
	sink->holds = true;
	sink->left = rest;
	return 0;
}

static int give(struct fan_out *fan, struct fan_sink *sink, bool last)
{
	ssize_t n = pass(fan, sink->io.fd, last);

	if (n < 0)
		return (int)n;
	sink->state->bytes += (size_t)n;
	return (size_t)n == fan->size ? 0 : hold(fan, sink, (size_t)n, last);
}

static int push(struct fan_sink *sink)
{
	ssize_t n = or_nothing(move(sink->queue[0], sink->io.fd, sink->left));

	if (n < 0)
		return (int)n;
	sink->state->bytes += (size_t)n;
	sink->left -= (size_t)n;
	sink->holds = sink->left;
	return 0;
}

static void done(struct fan_out *fan)
{
	fan->in_pipe -= drop(fan->pipe[0], fan->in_pipe);
}

/* ---- opening ---- */

static bool are_pipes(const struct fan_out *fan)
{
	for (size_t i = 0; i < fan->count; i++)
		if (fan->sinks[i].io.kind != IO_PIPE)
			return false;
	return fan->source.kind == IO_PIPE;
}

static void close_pipe(int pipe[2])
{
	if (pipe[0] >= 0)
		close(pipe[0]);
	if (pipe[1] >= 0)
		close(pipe[1]);
	pipe[0] = pipe[1] = -1;
}

static void close_tees(struct fan_out *fan)
{
	for (size_t i = 0; i < fan->count; i++)
		close_pipe(fan->sinks[i].queue);
	close_pipe(fan->pipe);
}

static int make_pipes(struct fan_out *fan)
{
	int r = sys_result(pipe2(fan->pipe, O_CLOEXEC));

	for (size_t i = 0; !r && i < fan->count; i++)
		r = sys_result(pipe2(fan->sinks[i].queue, O_CLOEXEC));
	return r;
}

static void enlarge(const struct fan_out *fan)
{
	ipckit_pipe_grow(fan->source.fd, CAPACITY);
	ipckit_pipe_grow(fan->pipe[1], CAPACITY);
	for (size_t i = 0; i < fan->count; i++) {
		ipckit_pipe_grow(fan->sinks[i].io.fd, CAPACITY);
		ipckit_pipe_grow(fan->sinks[i].queue[1], CAPACITY);
	}
}

/* A chunk is to fit into each of the others as a whole: not all may be as large as the first. */
static int settle(const struct fan_out *fan)
{
	int least = sys_result(fcntl(fan->pipe[1], F_GETPIPE_SZ));

	for (size_t i = 0; i < fan->count; i++) {
		int size = sys_result(fcntl(fan->sinks[i].queue[1], F_GETPIPE_SZ));

		least = size < least ? size : least;
	}
	least = least < 0 ? least : sys_result(fcntl(fan->pipe[1], F_SETPIPE_SZ, least));
	return least < 0 ? least : 0;
}

int fan_tee_open(struct fan_out *fan)
{
	static const struct fan_way way = {
		.take = take, .give = give, .push = push, .done = done, .close = close_tees,
	};
	int r = are_pipes(fan) && fan->spec->separator < 0 ? make_pipes(fan) : -EINVAL;

	if (!r) {
		if (!fan->spec->drop_slow)
			enlarge(fan);
		r = settle(fan);
	}
	if (r)
		close_tees(fan);
	else
		fan->way = &way;
	return r;
}
