/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow.h"

#include <ipckit/pipe.h>
#include <stdlib.h>

const char *ipckit_flow_method_name(enum ipckit_flow_method method)
{
	switch (method) {
	case IPCKIT_FLOW_COPY:
		return "copy";
	case IPCKIT_FLOW_SPLICE:
		return "splice";
	case IPCKIT_FLOW_SPLICE_TWICE:
		return "splice-twice";
	case IPCKIT_FLOW_COPY_RANGE:
		return "copy-range";
	case IPCKIT_FLOW_MESSAGES:
		return "messages";
	case IPCKIT_FLOW_BUFFERED:
		return "buffered";
	}
	return NULL;
}

/* ---- memory ---- */

static void release(struct ipckit_flow *flow)
{
	if (flow->memory)
		munmap(flow->memory, flow->size);
	flow->memory = NULL;
	flow->size = 0;
}

int flow_reserve(struct ipckit_flow *flow, size_t size)
{
	void *memory = NULL;
	int r = sys_reserve(size, &memory);

	if (r)
		return r;
	release(flow);
	flow->memory = memory;
	flow->size = size;
	return 0;
}

/* ---- the method ---- */

static int flags_of(const struct io *io)
{
	int flags = fcntl(io->fd, F_GETFL);

	return flags < 0 ? 0 : flags;
}

/* Whether splice(2) to it would wait, whatever is said to it. */
static bool holds_up(const struct io *to)
{
	return to->kind == IO_STREAM && !(flags_of(to) & O_NONBLOCK);
}

/* Of single pages a network's segments are made slower than of what is copied in large pieces. */
static bool takes_pages(const struct io *to, bool zero_copy, bool may_wait)
{
	switch (to->kind) {
	case IO_PIPE:
	case IO_NULL:
		return true;
	case IO_STREAM:
		return (zero_copy || !to->network) && (may_wait || !holds_up(to));
	case IO_FILE:
	case IO_BLOCK:
		return !(flags_of(to) & O_APPEND);
	case IO_MESSAGES:
	case IO_DEVICE:
		break;
	}
	return false;
}

static bool gives_pages(const struct io *from, bool zero_copy)
{
	switch (from->kind) {
	case IO_PIPE:
	case IO_STREAM:
		return true;
	case IO_FILE:
	case IO_BLOCK:
		return zero_copy;
	case IO_NULL:
	case IO_MESSAGES:
	case IO_DEVICE:
		break;
	}
	return false;
}

static const struct flow_ops *choose(const struct ipckit_flow *flow, bool may_wait)
{
	const struct io *from = &flow->from, *to = &flow->to;

	if (from->kind == IO_MESSAGES || to->kind == IO_MESSAGES)
		return &flow_messages;
	if (flow->spec.buffer)
		return &flow_buffer;
	if (from->kind == IO_FILE && to->kind == IO_FILE)
		return &flow_range;
	if (!gives_pages(from, flow->spec.zero_copy) || !takes_pages(to, flow->spec.zero_copy, may_wait))
		return &flow_copy;
	if (from->kind == IO_PIPE || to->kind == IO_PIPE)
		return &flow_splice;
	return to->kind == IO_STREAM ? &flow_splice_twice : &flow_copy;
}

static int begin(struct ipckit_flow *flow, bool may_wait)
{
	flow->ops = choose(flow, may_wait);
	flow->state.method = flow->ops->method;
	return flow->ops->begin ? flow->ops->begin(flow) : 0;
}

void flow_begin_alone(struct ipckit_flow *flow)
{
	if (flow->state.read || flow->ops == choose(flow, true))
		return;
	/* Where there is not enough for that it is done as it would have been. */
	if (begin(flow, true))
		flow->ops = &flow_copy;
}

/* ---- opening ---- */

/*
 * The largest pipe is not the fastest one. These sizes are those with the highest throughput of several that were
 * tried, between two pipes, from a socket and to one.
 */
static void grow_pipes(const struct ipckit_flow *flow)
{
	size_t size = (size_t)256 << 10;

	if (flow->from.kind == IO_STREAM)
		size = (size_t)1 << 20;
	else if (flow->to.network)
		size = FLOW_NETWORK;
	else if (flow->to.kind == IO_STREAM)
		size = (size_t)128 << 10;
	ipckit_pipe_grow(flow->from.fd, size);
	ipckit_pipe_grow(flow->to.fd, size);
}

static bool is_same(const struct io *a, const struct io *b)
{
	return a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino;
}

/* What is written would be read again, without end. */
static bool goes_round(const struct ipckit_flow *flow)
{
	const struct io *from = &flow->from;
	off_t at;

	if (from->kind != flow->to.kind || !is_same(from, &flow->to))
		return false;
	if (from->kind == IO_PIPE)
		return true;
	if (from->kind != IO_FILE)
		return false;
	at = lseek(from->fd, 0, SEEK_CUR);
	return at < 0 || at < from->st.st_size;
}

static int prepare(struct ipckit_flow *flow, int from, int to)
{
	int r = io_open(from, O_RDONLY, &flow->from);

	r = r ?: io_open(to, O_WRONLY, &flow->to);
	if (r)
		return r;
	if (goes_round(flow))
		return -EINVAL;
	grow_pipes(flow);
	return begin(flow, false);
}

int ipckit_flow_open(int from, int to, const struct ipckit_flow_spec *spec, struct ipckit_flow **out)
{
	struct ipckit_flow *flow = calloc(1, sizeof(*flow));
	int r;

	if (!flow)
		return -ENOMEM;
	flow->spec = *spec;
	flow->from = (struct io){ .fd = from, .own = from };
	flow->to = (struct io){ .fd = to, .own = to };
	flow->mid[0] = flow->mid[1] = -1;
	r = prepare(flow, from, to);
	if (r)
		ipckit_flow_close(flow);
	else
		*out = flow;
	return r;
}

/* ---- the end ---- */

static void let_go(struct ipckit_flow *flow)
{
	io_close(&flow->from);
	io_close(&flow->to);
	for (int i = 0; i < 2; i++)
		if (flow->mid[i] >= 0)
			close(flow->mid[i]);
	flow->mid[0] = flow->mid[1] = -1;
	release(flow);
}

void ipckit_flow_close(struct ipckit_flow *flow)
{
	if (!flow)
		return;
	let_go(flow);
	free(flow);
}

static int sync_sink(const struct ipckit_flow *flow)
{
	int r;

	if (!flow->spec.sync || (flow->to.kind != IO_FILE && flow->to.kind != IO_BLOCK))
		return 0;
	do {
		r = sys_result(fdatasync(flow->to.fd));
	} while (r == -EINTR);
	/* It has no disk. */
	return r == -EINVAL || r == -EROFS ? 0 : r;
}

void flow_end(struct ipckit_flow *flow, int error)
{
	if (!error) {
		error = sync_sink(flow);
		flow->state.side = IPCKIT_FLOW_TO;
	}
	flow->state.error = error;
	flow->state.ended = true;
	let_go(flow);
}

/* ---- running ---- */

static uint64_t moved(const struct ipckit_flow *flow)
{
	return flow->ops->fills_ahead ? flow->state.bytes : flow->state.read;
}

int flow_step(struct ipckit_flow *flow, int64_t now)
{
	const struct flow_ops *ops = flow->ops;
	uint64_t before = moved(flow);
	size_t most = flow_allowed(flow, now, &flow->wake);
	int r;

	flow->stuck = false;
	/* What it holds already was counted. */
	if (!most && !flow->ops->fills_ahead && flow->state.read == flow->state.bytes)
		return flow_wait(flow, 0);
	r = ops->step(flow, most);
	if (moved(flow) != before)
		flow->state.method = ops->method;
	if (flow->spec.rate)
		flow->earned -= (int64_t)(moved(flow) - before);
	return r;
}

void ipckit_flow_look(const struct ipckit_flow *flow, struct ipckit_flow_state *out)
{
	*out = flow->state;
}
