/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_FLOW_H
#define LIB_FLOW_H

/* A flow, its methods, and what the loop that drives flows has to know of them. */

#include <ipckit/relay.h>

#include "io.h"

/* What is moved by one call, so that others get their turn. */
#define FLOW_CHUNK ((size_t)1 << 20)
/* What is copied to a network at once: of several sizes that were tried the one with the highest throughput. */
#define FLOW_NETWORK ((size_t)512 << 10)
/* After less than that it is likely that there is no more for now, and poll(2) is asked at once. */
#define FLOW_LITTLE 4096

enum { FLOW_WANTS_FROM = 1, FLOW_WANTS_TO = 2 };

enum flow_result {
	FLOW_GOES_ON, /* there may be more to do at once */
	FLOW_ENDED,   /* all has been given to the sink */
	FLOW_WAITS,   /* for any of flow->wants, or for flow->wake */
};

struct flow_ops {
	int (*begin)(struct ipckit_flow *flow); /* makes what it needs; NULL: nothing */
	/*
	 * Moves what can be moved without waiting, of what is new `most` bytes at most. A result, or -errno of
	 * flow->state.side.
	 */
	int (*step)(struct ipckit_flow *flow, size_t most);
	enum ipckit_flow_method method;
	bool fills_ahead; /* the limit is on what is given to the sink, and most may be 0 */
};

extern const struct flow_ops flow_copy, flow_splice, flow_splice_twice, flow_range, flow_messages, flow_buffer;

struct ipckit_flow {
	struct ipckit_flow_spec spec;
	struct ipckit_flow_state state;
	const struct flow_ops *ops;
	struct io from, to;
	unsigned wants;
	int64_t wake;             /* ns until it may do more by itself, or IPCKIT_FOREVER */
	char *memory;
	size_t size;
	size_t first, filled;     /* what of it is still to be written; buffer: of the ring */
	int mid[2];               /* splice: the pipe between two others */
	uint64_t between;         /* bytes that lie in it */
	bool little;              /* the last that was taken */
	bool guess;               /* splice: the source was waited for, and it may be the sink */
	bool filling, emptying, over; /* buffer */
	int failed;               /* buffer: the source, when all that it holds has been given */
	bool holding;             /* messages: one that was taken and not given yet */
	bool pressed;             /* messages: the sink took none although poll(2) said so */
	bool stuck;               /* messages: it wakes only to try that again */
	struct ipckit_address sender; /* of the last one */
	void (*passed)(void *arg, struct ipckit_flow *flow, const struct sockaddr *from, socklen_t length,
		       size_t size);
	void *passed_arg;
	int64_t earned, paid_at; /* rate: bytes that may be moved; when that was reckoned */
};

/* Memory of at least so many bytes, in place of what there was; pages that are not touched cost nothing. */
IPCKIT_CHECK int flow_reserve(struct ipckit_flow *flow, size_t size);

/* A step by its method, as far as its rate lets it. now: of the monotonic clock, where it has a rate. */
IPCKIT_CHECK int flow_step(struct ipckit_flow *flow, int64_t now);

/* Writes of what its memory holds as much as the sink takes at once; for a step to return. */
IPCKIT_CHECK int flow_give(struct ipckit_flow *flow);

/* Goes on by read(2) and write(2), also with what lies between; for a step to return. */
IPCKIT_CHECK int flow_copy_instead(struct ipckit_flow *flow);

/* There is no other flow, and nothing else to be watched: calls may wait for its sink. */
void flow_begin_alone(struct ipckit_flow *flow);

/* It has ended, by an error or well (0): syncs, and lets go of all but what was counted. */
void flow_end(struct ipckit_flow *flow, int error);

/* How many bytes its rate lets it move now; wake: ns until it is worth while, where that is none. */
size_t flow_allowed(struct ipckit_flow *flow, int64_t now, int64_t *wake);

/* The error of a side, for a step to return. */
static inline int flow_fail(struct ipckit_flow *flow, enum ipckit_flow_side side, ssize_t error)
{
	flow->state.side = side;
	return (int)error;
}

static inline int flow_wait(struct ipckit_flow *flow, unsigned wants)
{
	flow->wants = wants;
	flow->state.side = wants & FLOW_WANTS_FROM ? IPCKIT_FLOW_FROM : IPCKIT_FLOW_TO;
	return FLOW_WAITS;
}

/* Whether a system call cannot do it with these descriptors, and another one may. */
static inline bool flow_is_refused(ssize_t error)
{
	return error == -EINVAL || error == -EOPNOTSUPP || error == -ENOSYS || error == -EPERM || error == -EXDEV;
}

#endif
