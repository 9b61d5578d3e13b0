/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fan.h"

#include <stdlib.h>

/* ---- sinks ---- */

static void leave_out(struct fan_out *fan, struct fan_sink *sink, int error)
{
	sink->holds = false;
	fan->live--;
	/* A pipe's own description would keep its reader from seeing the end. */
	io_close(&sink->io);
	fan_end(fan->relay, sink->state, error);
}

static bool is_free(const struct fan_sink *sink)
{
	return !sink->state->ended && !sink->holds;
}

static size_t count_free(const struct fan_out *fan)
{
	size_t n = 0;

	for (size_t i = 0; i < fan->count; i++)
		n += is_free(&fan->sinks[i]);
	return n;
}

/* The slowest holds up all; if it is not to, the fastest does. */
static bool may_take(const struct fan_out *fan)
{
	size_t n = count_free(fan);

	return !fan->ended && (fan->spec->drop_slow ? n > 0 : n == fan->live);
}

static void push_all(struct fan_out *fan)
{
	for (size_t i = 0; i < fan->count; i++) {
		struct fan_sink *sink = &fan->sinks[i];
		uint64_t before = sink->state->bytes;
		int r;

		if (!sink->holds)
			continue;
		r = fan->way->push(sink);
		if (r)
			leave_out(fan, sink, r);
		if (sink->state->bytes != before)
			fan->pace.moved = true;
	}
}

static void give_all(struct fan_out *fan)
{
	size_t others = count_free(fan);

	for (size_t i = 0; i < fan->count; i++) {
		struct fan_sink *sink = &fan->sinks[i];
		int r;

		if (sink->state->ended)
			continue;
		if (sink->holds) {
			sink->state->dropped += fan->size;
			continue;
		}
		r = fan->way->give(fan, sink, !--others);
		if (r)
			leave_out(fan, sink, r);
		else
			sink->state->records++;
	}
	if (fan->way->done)
		fan->way->done(fan);
	fan->pace.moved = true;
}

/* ---- the run ---- */

static void look_at(struct fan_out *fan, struct fan_sink *sink, short revents)
{
	int r;

	if (!revents || sink->holds || sink->state->ended)
		return;
	r = io_gone(&sink->io, revents);
	if (r)
		leave_out(fan, sink, r);
	else
		sink->unwatched = true;
}

static int wait(struct fan_out *fan)
{
	struct pollfd *polled = fan->polled;
	size_t n = fan->count;
	int r;

	for (size_t i = 0; i < n; i++) {
		const struct fan_sink *sink = &fan->sinks[i];

		polled[i] = io_poll(&sink->io);
		if (sink->state->ended || (!sink->holds && sink->unwatched))
			polled[i].fd = -1;
		if (!sink->holds)
			polled[i].events = 0;
	}
	polled[n] = io_poll(&fan->source);
	if (!may_take(fan))
		polled[n].fd = -1;
	r = fan_wait(&fan->pace, polled, n + 1);
	for (size_t i = 0; !r && i < n; i++)
		look_at(fan, &fan->sinks[i], polled[i].revents);
	return r;
}

/* Until the input has ended. */
static int step(struct fan_out *fan)
{
	int r = may_take(fan) ? fan->way->take(fan) : -EAGAIN;

	if (r > 0) {
		give_all(fan);
		return 0;
	}
	if (r == -EAGAIN)
		return wait(fan);
	fan->ended = true;
	return r;
}

static bool is_over(const struct fan_out *fan)
{
	return fan->ended && count_free(fan) == fan->live;
}

static int run(struct fan_out *fan)
{
	int r = 0, error = 0;
	bool before;

	while (!r && !is_over(fan)) {
		r = fan_step(&fan->pace);
		if (r)
			break;
		push_all(fan);
		if (!fan->live)
			break;
		before = fan->ended;
		if (!is_over(fan))
			r = step(fan);
		/* What was read before a failure of the source is given on. */
		if (r && fan->ended && !before) {
			error = r;
			r = 0;
		}
	}
	if (!fan->live)
		return -EPIPE;
	return error ?: r;
}

/* ---- from beginning to end ---- */

static int open_sinks(struct fan_out *fan, int from, const int *to, struct ipckit_fan_state *states)
{
	int r = io_open(from, O_RDONLY, &fan->source);

	for (size_t i = 0; !r && i < fan->count; i++) {
		struct fan_sink *sink = &fan->sinks[i];

		sink->state = &states[i];
		sink->queue[0] = sink->queue[1] = -1;
		r = fan_is_circle(from, to[i]) ? -EINVAL : io_open(to[i], O_WRONLY, &sink->io);
	}
	if (r)
		return r;
	if (fan_tee_open(fan))
		return fan_copy_open(fan);
	for (size_t i = 0; i < fan->count; i++)
		states[i].teed = true;
	return 0;
}

static void close_sinks(struct fan_out *fan)
{
	for (size_t i = 0; fan->sinks && i < fan->count; i++) {
		struct fan_sink *sink = &fan->sinks[i];

		if (sink->holds)
			sink->state->dropped += sink->left;
		io_close(&sink->io);
	}
	io_close(&fan->source);
	if (fan->way)
		fan->way->close(fan);
	free(fan->sinks);
	free(fan->polled);
}

int ipckit_fan_out(const struct ipckit_relay *relay, const struct ipckit_fan_spec *spec, int from, const int *to,
		   size_t count, struct ipckit_fan_state *states)
{
	struct fan_out fan = {
		.relay = relay,
		.spec = spec,
		.count = count,
		.live = count,
		.sinks = calloc(count, sizeof(*fan.sinks)),
		.polled = calloc(count + 1, sizeof(*fan.polled)),
		.pipe = { -1, -1 },
	};
	int r = fan.sinks && fan.polled ? 0 : -ENOMEM;

	for (size_t i = 0; i < count; i++)
		states[i] = (struct ipckit_fan_state){ 0 };
	if (!r)
		r = open_sinks(&fan, from, to, states);
	if (!r) {
		fan_begin(&fan.pace, relay, &(struct ipckit_deadline){ .kind = IPCKIT_DEADLINE_NONE });
		r = run(&fan);
	}
	close_sinks(&fan);
	return r;
}
