/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow.h"

#include <sys/socket.h>

/*
 * Room for any message: what does not fit is lost, and no limit says how large one may be, but the kernel keeps
 * it in one piece of memory. Pages that are not touched cost nothing.
 */
#define LONGEST ((size_t)8 << 20)
/* What is no message is sent in parts of this size, as far as so much can be had at once. */
#define PART ((size_t)8 << 10)
#define LOOK_AGAIN_NS 1000000

static int begin_messages(struct ipckit_flow *flow)
{
	int r = flow_reserve(flow, flow->from.kind == IO_MESSAGES ? LONGEST : PART);

	if (!r)
		(void)madvise(flow->memory, flow->size, MADV_NOHUGEPAGE);
	return r;
}

/* ---- taking ---- */

static int hold(struct ipckit_flow *flow, size_t size)
{
	flow->state.read += size;
	flow->holding = true;
	flow->first = 0;
	flow->filled = size;
	return FLOW_GOES_ON;
}

static int take_part(struct ipckit_flow *flow, size_t most)
{
	ssize_t n = io_read(&flow->from, flow->memory, most < flow->size ? most : flow->size);

	if (n == -EAGAIN)
		return flow_wait(flow, FLOW_WANTS_FROM);
	if (n < 0)
		return flow_fail(flow, IPCKIT_FLOW_FROM, n);
	return n ? hold(flow, (size_t)n) : FLOW_ENDED;
}

static int take_message(struct ipckit_flow *flow)
{
	ssize_t n = io_receive(&flow->from, flow->memory, flow->size, &flow->sender);

	if (n == -EAGAIN)
		return flow_wait(flow, FLOW_WANTS_FROM);
	if (n < 0)
		return flow_fail(flow, IPCKIT_FLOW_FROM, n);
	if (!n && io_is_over(&flow->from))
		return FLOW_ENDED;
	if ((size_t)n <= flow->size)
		return hold(flow, (size_t)n);
	flow->state.refused = (uint64_t)n;
	return flow_fail(flow, IPCKIT_FLOW_FROM, -EMSGSIZE);
}

/* ---- giving ---- */

/* poll(2) knows of the room of who the socket is connected to, and of nobody else's. */
static int wait_for_receiver(struct ipckit_flow *flow, bool is_told)
{
	if (is_told && !flow->pressed) {
		flow->pressed = true;
		return flow_wait(flow, FLOW_WANTS_TO);
	}
	flow->wake = LOOK_AGAIN_NS;
	flow->stuck = true;
	return flow_wait(flow, 0);
}

static int send_message(struct ipckit_flow *flow)
{
	const struct ipckit_address *to = flow->spec.receiver;
	const struct sockaddr *at = to && to->length ? (const struct sockaddr *)&to->at : NULL;
	ssize_t n = sys_result(sendto(flow->to.fd, flow->memory, flow->filled, MSG_DONTWAIT | MSG_NOSIGNAL, at,
				      at ? to->length : 0));

	if (n == -EAGAIN || n == -EINTR)
		return wait_for_receiver(flow, !to);
	if (n == -ENOBUFS)
		return wait_for_receiver(flow, false);
	if (n == -EMSGSIZE)
		flow->state.refused = flow->filled;
	if (n < 0)
		return flow_fail(flow, IPCKIT_FLOW_TO, n);
	flow->pressed = false;
	flow->state.bytes += (uint64_t)n;
	flow->filled = 0;
	return FLOW_GOES_ON;
}

static void was_passed(struct ipckit_flow *flow)
{
	const struct sockaddr *from = flow->sender.length ? (const struct sockaddr *)&flow->sender.at : NULL;

	flow->holding = false;
	flow->state.messages++;
	if (flow->passed)
		flow->passed(flow->passed_arg, flow, from, flow->sender.length, flow->first);
}

static int step_messages(struct ipckit_flow *flow, size_t most)
{
	int r;

	if (!flow->holding) {
		r = flow->from.kind == IO_MESSAGES ? take_message(flow) : take_part(flow, most);
		if (r)
			return r;
	}
	if (flow->to.kind == IO_MESSAGES) {
		flow->first = flow->filled;
		r = send_message(flow);
	} else {
		r = flow->filled ? flow_give(flow) : FLOW_GOES_ON;
	}
	if (r)
		return r;
	if (!flow->filled)
		was_passed(flow);
	return FLOW_GOES_ON;
}

const struct flow_ops flow_messages = {
	.begin = begin_messages,
	.step = step_messages,
	.method = IPCKIT_FLOW_MESSAGES,
};
