/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow.h"

#include <ipckit/pipe.h>
#include <sys/socket.h>

/*
 * Of many connections at once the pipes between count against what their user may have
 * (fs.pipe-user-pages-soft).
 */
#define BETWEEN ((size_t)256 << 10)

/* No flag of splice(2) is for a socket's side: one that may wait (its flags) is read when something is there. */
static bool waits(const struct io *io)
{
	struct pollfd polled = io_poll(io);

	return io->kind == IO_STREAM && !(fcntl(io->fd, F_GETFL) & O_NONBLOCK) && poll(&polled, 1, 0) <= 0;
}

/* Of two pipes the sink is at fault; else it is not the pipe, unless nobody reads from it. */
static enum ipckit_flow_side side_of(const struct ipckit_flow *flow, ssize_t error)
{
	return flow->to.kind == IO_PIPE && flow->from.kind != IO_PIPE && error != -EPIPE ? IPCKIT_FLOW_FROM :
											  IPCKIT_FLOW_TO;
}

static ssize_t splice_now(int from, int to, size_t most)
{
	return sys_result(splice(from, NULL, to, NULL, most < FLOW_CHUNK ? most : FLOW_CHUNK,
				 SPLICE_F_NONBLOCK | SPLICE_F_MOVE));
}

/* As long as the sink has no room splice(2) does not tell that the source has ended, well or not. */
static int find_end(const struct io *from)
{
	struct pollfd polled = io_poll(from);
	ssize_t n = -EAGAIN;
	char byte;

	if (from->kind == IO_PIPE)
		return poll(&polled, 1, 0) > 0 && polled.revents == POLLHUP ? FLOW_ENDED : FLOW_GOES_ON;
	if (from->kind == IO_STREAM)
		n = sys_result(recv(from->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT));
	if (n > 0 || n == -EAGAIN || n == -EINTR)
		return FLOW_GOES_ON;
	return n ? (int)n : FLOW_ENDED;
}

/*
 * It does not say which side it would have to wait for. First the source is waited for, and where that does not
 * help the sink.
 */
static int wait_for_either(struct ipckit_flow *flow)
{
	int r;

	flow->guess = !flow->guess;
	if (flow->guess)
		return flow_wait(flow, FLOW_WANTS_FROM);
	r = find_end(&flow->from);
	if (r < 0)
		return flow_fail(flow, IPCKIT_FLOW_FROM, r);
	return r ?: flow_wait(flow, FLOW_WANTS_TO);
}

static int take_error(struct ipckit_flow *flow, enum ipckit_flow_side side, ssize_t error)
{
	if (error == -EAGAIN)
		return flow_wait(flow, side == IPCKIT_FLOW_FROM ? FLOW_WANTS_FROM : FLOW_WANTS_TO);
	if (error == -EINTR)
		return FLOW_GOES_ON;
	return flow_is_refused(error) ? flow_copy_instead(flow) : flow_fail(flow, side, error);
}

static int step_splice(struct ipckit_flow *flow, size_t most)
{
	ssize_t n = io_room(&flow->to, most);

	/* Where the file may not grow it may be that nothing more comes. */
	if (n < 0)
		return flow_copy_instead(flow);
	if (waits(&flow->from))
		return flow_wait(flow, FLOW_WANTS_FROM);
	n = splice_now(flow->from.fd, flow->to.fd, (size_t)n);
	if (n == -EAGAIN)
		return wait_for_either(flow);
	if (n < 0)
		return take_error(flow, side_of(flow, n), n);
	if (!n)
		return FLOW_ENDED;
	flow->guess = false;
	flow->state.read += (uint64_t)n;
	flow->state.bytes += (uint64_t)n;
	return n < FLOW_LITTLE ? flow_wait(flow, FLOW_WANTS_FROM) : FLOW_GOES_ON;
}

/* ---- by a pipe between them ---- */

static int begin_twice(struct ipckit_flow *flow)
{
	if (pipe2(flow->mid, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	ipckit_pipe_grow(flow->mid[1], BETWEEN);
	return 0;
}

static int fill(struct ipckit_flow *flow, size_t most)
{
	ssize_t n;

	if (waits(&flow->from))
		return flow_wait(flow, FLOW_WANTS_FROM);
	n = splice_now(flow->from.fd, flow->mid[1], most);
	if (n < 0)
		return take_error(flow, IPCKIT_FLOW_FROM, n);
	if (!n)
		return FLOW_ENDED;
	flow->between = (uint64_t)n;
	flow->little = n < FLOW_LITTLE;
	flow->state.read += (uint64_t)n;
	return FLOW_GOES_ON;
}

/* Where the sink does not take pages, what lies between goes the other way, too: before all that comes. */
static int step_twice(struct ipckit_flow *flow, size_t most)
{
	ssize_t n;
	int r;

	if (!flow->between) {
		r = fill(flow, most);
		if (r || !flow->between)
			return r;
	}
	n = splice_now(flow->mid[0], flow->to.fd, (size_t)flow->between);
	if (n < 0)
		return take_error(flow, IPCKIT_FLOW_TO, n);
	flow->between -= (uint64_t)n;
	flow->state.bytes += (uint64_t)n;
	return flow->little && !flow->between ? flow_wait(flow, FLOW_WANTS_FROM) : FLOW_GOES_ON;
}

const struct flow_ops flow_splice = { .step = step_splice, .method = IPCKIT_FLOW_SPLICE };
const struct flow_ops flow_splice_twice = {
	.begin = begin_twice,
	.step = step_twice,
	.method = IPCKIT_FLOW_SPLICE_TWICE,
};
