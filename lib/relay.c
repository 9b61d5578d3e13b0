/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock.h"
#include "flow.h"

#include <stdlib.h>

/* A flow and how it stands. */
struct turn {
	struct ipckit_flow *flow;
	bool waits;
	bool unwatched; /* its sink says something that means nothing */
	int64_t wake;   /* a point in time, or IPCKIT_FOREVER */
};

struct run {
	const struct ipckit_relay *relay;
	struct turn *turns;
	struct pollfd *polled; /* of each: its source, its sink */
	size_t count;
	bool timed;
	int64_t now, moved_at, tick_at;
};

/* ---- time ---- */

static bool is_timed(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->turns[i].flow->spec.rate)
			return true;
	return run->relay->period || (run->relay->idle && run->relay->idle != IPCKIT_FOREVER);
}

static void tick(struct run *run)
{
	const struct ipckit_relay *relay = run->relay;

	if (!relay->period || run->now < run->tick_at)
		return;
	run->tick_at = clock_after(run->now, relay->period);
	if (relay->tick)
		relay->tick(relay->arg);
}

/* ---- steps ---- */

static void end(struct run *run, struct turn *turn, int error)
{
	flow_end(turn->flow, error);
	if (run->relay->ended)
		run->relay->ended(run->relay->arg, turn->flow);
}

static uint64_t moved(const struct ipckit_flow *flow)
{
	return flow->state.read + flow->state.bytes + flow->state.messages;
}

static void step(struct run *run, struct turn *turn)
{
	struct ipckit_flow *flow = turn->flow;
	uint64_t before = moved(flow);
	int r = flow_step(flow, run->now);

	if (moved(flow) != before)
		run->moved_at = run->now;
	if (r == FLOW_WAITS) {
		turn->waits = true;
		turn->wake = flow->wake == IPCKIT_FOREVER ? IPCKIT_FOREVER : clock_after(clock_read(), flow->wake);
	} else if (r == FLOW_ENDED || r < 0) {
		end(run, turn, r < 0 ? r : 0);
	}
}

/* Whether flows go on without waiting, whether some wait, or none is left. */
static void step_all(struct run *run, bool *go_on, bool *wait)
{
	*go_on = *wait = false;
	for (size_t i = 0; i < run->count; i++)
		if (!run->turns[i].flow->state.ended && !run->turns[i].waits)
			step(run, &run->turns[i]);
	for (size_t i = 0; i < run->count; i++) {
		const struct turn *turn = &run->turns[i];

		if (!turn->flow->state.ended)
			*(turn->waits ? wait : go_on) = true;
	}
}

/* ---- waiting ---- */

static struct pollfd poll_for(const struct turn *turn, const struct io *io, unsigned want, bool watched)
{
	struct pollfd polled = io_poll(io);

	if (!turn->waits || turn->flow->state.ended)
		polled.fd = -1;
	else if (!(turn->flow->wants & want))
		polled.events = 0;
	if (!polled.events && !watched)
		polled.fd = -1;
	return polled;
}

static void fill_in(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct turn *turn = &run->turns[i];
		const struct ipckit_flow *flow = turn->flow;

		run->polled[2 * i] = poll_for(turn, &flow->from, FLOW_WANTS_FROM, false);
		run->polled[2 * i + 1] = poll_for(turn, &flow->to, FLOW_WANTS_TO, !turn->unwatched);
	}
}

/* When the first of the flows wakes up by itself; paced: one does for its rate's sake, and is not idle. */
static int64_t find_wake(const struct run *run, bool *paced)
{
	int64_t wake = IPCKIT_FOREVER;

	*paced = false;

	for (size_t i = 0; i < run->count; i++) {
		const struct turn *turn = &run->turns[i];

		if (turn->flow->state.ended || !turn->waits || turn->wake == IPCKIT_FOREVER)
			continue;
		if (turn->wake < wake)
			wake = turn->wake;
		*paced |= !turn->flow->stuck;
	}
	return wake;
}

static int64_t time_left(const struct run *run, int64_t wake, bool paced)
{
	int64_t idle = run->relay->idle, until = wake < run->tick_at ? wake : run->tick_at;

	if (!paced && clock_after(run->moved_at, idle) < until)
		until = clock_after(run->moved_at, idle);
	if (!idle && !paced)
		return 0;
	if (until == IPCKIT_FOREVER)
		return until;
	return until > run->now ? until - run->now : 0;
}

/* After a stop and continue ppoll(2) begins anew with what was left, and poll(2) keeps to its time. */
static int poll_all(struct run *run, int64_t ns)
{
	const struct timespec time = { .tv_nsec = ns };
	nfds_t count = 2 * run->count;

	fill_in(run);
	if (ns == IPCKIT_FOREVER)
		return sys_result(poll(run->polled, count, -1));
	if (ns && ns < CLOCK_MS)
		return sys_result(ppoll(run->polled, count, &time, NULL));
	ns /= CLOCK_MS;
	return sys_result(poll(run->polled, count, ns < INT_MAX ? (int)ns : INT_MAX));
}

/* What a sink says that was asked for nothing. */
static void look_at_sink(struct run *run, struct turn *turn, short revents)
{
	int error = io_gone(&turn->flow->to, revents);

	if (!error) {
		turn->unwatched = true;
		return;
	}
	turn->flow->state.side = IPCKIT_FLOW_TO;
	end(run, turn, error);
}

static void look_at(struct run *run, struct turn *turn, short from, short to)
{
	if (!turn->waits || turn->flow->state.ended)
		return;
	if (from || (to && turn->flow->wants & FLOW_WANTS_TO) || run->now >= turn->wake)
		turn->waits = false;
	if (to && !(turn->flow->wants & FLOW_WANTS_TO))
		look_at_sink(run, turn, to);
}

/* Returns how many descriptors have something to say, or -errno. */
static int look(struct run *run, int64_t ns)
{
	int r = poll_all(run, ns);

	run->now = clock_read();
	for (size_t i = 0; i < run->count; i++) {
		if (r <= 0)
			run->polled[2 * i].revents = run->polled[2 * i + 1].revents = 0;
		look_at(run, &run->turns[i], run->polled[2 * i].revents, run->polled[2 * i + 1].revents);
	}
	return r == -EINTR ? 0 : r;
}

static int wait_for_any(struct run *run)
{
	const struct ipckit_relay *relay = run->relay;
	bool paced;
	int64_t wake = find_wake(run, &paced);
	int r;

	run->now = clock_read();
	if (paced)
		run->moved_at = run->now;
	r = look(run, time_left(run, wake, paced));
	if (r || paced)
		return r < 0 ? r : 0;
	if (!relay->idle)
		return -EAGAIN;
	return run->now >= clock_after(run->moved_at, relay->idle) ? -ETIMEDOUT : 0;
}

/* ---- running ---- */

static int run_all(struct run *run)
{
	const struct ipckit_relay *relay = run->relay;
	bool go_on, wait;
	int r = 0;

	while (!r) {
		if (relay->stop && *relay->stop)
			return -EINTR;
		if (run->timed)
			run->now = clock_read();
		step_all(run, &go_on, &wait);
		if (!go_on && !wait)
			return 0;
		tick(run);
		if (!wait)
			continue;
		r = go_on ? look(run, 0) : wait_for_any(run);
		if (r > 0)
			r = 0;
	}
	return r;
}

static void begin(struct run *run, struct ipckit_flow *const *flows)
{
	const struct ipckit_relay *relay = run->relay;

	for (size_t i = 0; i < run->count; i++) {
		struct ipckit_flow *flow = flows[i];

		run->turns[i] = (struct turn){ .flow = flow, .wake = IPCKIT_FOREVER };
		flow->passed = relay->passed;
		flow->passed_arg = relay->arg;
	}
	run->timed = is_timed(run);
	run->now = run->moved_at = clock_read();
	run->tick_at = relay->period ? clock_after(run->now, relay->period) : IPCKIT_FOREVER;
	if (run->count == 1 && !run->timed && relay->idle)
		flow_begin_alone(flows[0]);
}

int ipckit_relay_run(const struct ipckit_relay *relay, struct ipckit_flow *const *flows, size_t count)
{
	struct run run = { .relay = relay, .count = count };
	int r = -ENOMEM;

	run.turns = calloc(count, sizeof(*run.turns));
	run.polled = calloc(count, 2 * sizeof(*run.polled));
	if (run.turns && run.polled) {
		begin(&run, flows);
		r = run_all(&run);
	}
	free(run.turns);
	free(run.polled);
	return r;
}
