/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow.h"

/* Large enough that calls are few, small enough to stay in the cache of a processor. */
#define BUFFER ((size_t)128 << 10)

static int begin_copy(struct ipckit_flow *flow)
{
	return flow_reserve(flow, flow->to.network ? FLOW_NETWORK : BUFFER);
}

/* What another method has taken already, and left in a pipe. */
static int take_between(struct ipckit_flow *flow)
{
	size_t most = flow->between < flow->size ? (size_t)flow->between : flow->size;
	ssize_t n = sys_result(read(flow->mid[0], flow->memory, most));

	if (n == -EINTR)
		return FLOW_GOES_ON;
	if (n <= 0)
		return flow_fail(flow, IPCKIT_FLOW_FROM, n ?: -EIO);
	flow->between -= (uint64_t)n;
	flow->filled = (size_t)n;
	return FLOW_GOES_ON;
}

static int fill(struct ipckit_flow *flow, size_t most)
{
	ssize_t n;

	flow->first = 0;
	if (flow->between)
		return take_between(flow);
	n = io_read(&flow->from, flow->memory, most < flow->size ? most : flow->size);
	if (n == -EAGAIN)
		return flow_wait(flow, FLOW_WANTS_FROM);
	if (n < 0)
		return flow_fail(flow, IPCKIT_FLOW_FROM, n);
	if (!n)
		return FLOW_ENDED;
	flow->little = n < FLOW_LITTLE;
	flow->state.read += (uint64_t)n;
	flow->filled = (size_t)n;
	return FLOW_GOES_ON;
}

int flow_give(struct ipckit_flow *flow)
{
	ssize_t n = io_write(&flow->to, flow->memory + flow->first, flow->filled);

	if (n == -EAGAIN)
		return flow_wait(flow, FLOW_WANTS_TO);
	if (n < 0)
		return flow_fail(flow, IPCKIT_FLOW_TO, n);
	flow->state.bytes += (uint64_t)n;
	flow->first += (size_t)n;
	flow->filled -= (size_t)n;
	return FLOW_GOES_ON;
}

static int step_copy(struct ipckit_flow *flow, size_t most)
{
	int r;

	if (!flow->filled) {
		r = fill(flow, most);
		if (r)
			return r;
	}
	r = flow_give(flow);
	if (r)
		return r;
	return flow->little && !flow->filled && !flow->between ? flow_wait(flow, FLOW_WANTS_FROM) : FLOW_GOES_ON;
}

int flow_copy_instead(struct ipckit_flow *flow)
{
	flow->ops = &flow_copy;
	return flow->ops->begin(flow);
}

const struct flow_ops flow_copy = { .begin = begin_copy, .step = step_copy, .method = IPCKIT_FLOW_COPY };
