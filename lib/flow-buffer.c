/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow.h"

/* What is read or written at once. */
#define PART ((size_t)256 << 10)

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int begin_buffer(struct ipckit_flow *flow)
{
	if (flow->spec.buffer > SIZE_MAX / 2)
		return -ENOMEM;
	flow->filling = true;
	return flow_reserve(flow, (size_t)flow->spec.buffer);
}

/* Of a buffer that was full more is taken when it is down at the low mark. */
static void look_at_low(struct ipckit_flow *flow)
{
	if (flow->filled == flow->size)
		flow->filling = false;
	else if (!flow->spec.low || flow->filled <= flow->spec.low)
		flow->filling = true;
}

/* Of one that was empty more is given when it is up at the high mark, or nothing more comes. */
static void look_at_high(struct ipckit_flow *flow)
{
	if (!flow->filled)
		flow->emptying = false;
	else if (flow->over || flow->filled >= least(flow->spec.high, flow->size))
		flow->emptying = true;
}

static int take(struct ipckit_flow *flow)
{
	size_t end = (flow->first + flow->filled) % flow->size;
	size_t room = least(end < flow->first ? flow->first - end : flow->size - end, flow->size - flow->filled);
	ssize_t n = io_read(&flow->from, flow->memory + end, least(room, PART));

	if (n == -EAGAIN)
		return FLOW_WAITS;
	if (n < 0)
		return flow_fail(flow, IPCKIT_FLOW_FROM, n);
	flow->over = !n;
	flow->state.read += (uint64_t)n;
	flow->filled += (size_t)n;
	return FLOW_GOES_ON;
}

static int give(struct ipckit_flow *flow, size_t most)
{
	size_t size = least(least(flow->filled, flow->size - flow->first), most);
	ssize_t n = io_write(&flow->to, flow->memory + flow->first, least(size, PART));

	if (n == -EAGAIN)
		return FLOW_WAITS;
	if (n < 0)
		return flow_fail(flow, IPCKIT_FLOW_TO, n);
	flow->state.bytes += (uint64_t)n;
	flow->first = (flow->first + (size_t)n) % flow->size;
	flow->filled -= (size_t)n;
	return FLOW_GOES_ON;
}

static int step_buffer(struct ipckit_flow *flow, size_t most)
{
	int taken = FLOW_WAITS, given = FLOW_WAITS;
	unsigned wants = 0;

	look_at_low(flow);
	if (flow->filling && !flow->over) {
		taken = take(flow);
		wants |= FLOW_WANTS_FROM;
	}
	/* What was taken before its error is given, too. */
	if (taken < 0 && !flow->failed) {
		flow->failed = taken;
		flow->over = true;
	}
	look_at_high(flow);
	if (flow->emptying && most) {
		given = give(flow, most);
		wants |= FLOW_WANTS_TO;
	}
	if (given < 0)
		return given;
	if (flow->over && !flow->filled)
		return flow->failed ? flow_fail(flow, IPCKIT_FLOW_FROM, flow->failed) : FLOW_ENDED;
	if (taken == FLOW_WAITS && given == FLOW_WAITS)
		return flow_wait(flow, wants);
	return FLOW_GOES_ON;
}

const struct flow_ops flow_buffer = {
	.begin = begin_buffer,
	.step = step_buffer,
	.method = IPCKIT_FLOW_BUFFERED,
	.fills_ahead = true,
};
