/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a flow comes from, and where it goes to: there is way 0, back is 1. */
static struct pipecat_end *source_of(struct pipecat_session *session, size_t way)
{
	return &session->ends[way];
}

static struct pipecat_end *sink_of(struct pipecat_session *session, size_t way)
{
	return &session->ends[!way];
}

/* ---- while it flows ---- */

static uint64_t look(struct pipecat_session *session)
{
	for (size_t i = 0; i < session->count; i++)
		if (session->flows[i])
			ipckit_flow_look(session->flows[i], &session->states[i]);
	return session->states[0].bytes + session->states[1].bytes;
}

static void step(void *arg)
{
	struct pipecat_session *session = arg;

	pipecat_stats_step(&session->stats, look(session));
}

/* One way, what others have, too, is not ended for them. */
static void pass_end_on(void *arg, struct ipckit_flow *flow)
{
	struct pipecat_session *session = arg;
	struct pipecat_end *sink = sink_of(session, flow == session->flows[1]);

	if (session->both || !sink->foreign)
		pipecat_end_output(sink);
}

static void tell_message(void *arg, struct ipckit_flow *flow, const struct sockaddr *from, socklen_t length, size_t size)
{
	struct pipecat_session *session = arg;
	struct ipckit_address address = { .length = length };

	(void)flow;
	if (length > sizeof(address.at))
		address.length = 0;
	else if (length)
		memcpy(&address.at, from, length);
	(void)pipecat_tell_message(session, &address, size);
}

/* ---- the flows ---- */

static int open_flow(struct pipecat_session *session, size_t way)
{
	struct pipecat_end *source = source_of(session, way), *sink = sink_of(session, way);
	struct ipckit_flow_spec spec = session->flowing.spec;
	int r;

	if (session->answers && sink->at.listens)
		spec.receiver = session->answers;
	r = ipckit_flow_open(source->in, sink->out, &spec, &session->flows[way]);
	if (r == -EINVAL)
		return cli_usage(session->cli, sink->text, "the source is the same file, and would never end");
	return r ? pipecat_fail_end(session->cli, r == -EISDIR ? source : sink, r, ipckit_unknown()) : 0;
}

/* What is written to the file while it is on its way is what the reader gets. */
static void note_aliases(struct pipecat_session *session)
{
	struct stat st;

	if (session->flowing.spec.zero_copy && !fstat(session->ends[0].in, &st) && S_ISREG(st.st_mode))
		cli_note(session->cli, "%s: its pages are not copied: do not write to it until they were read",
			 session->ends[0].text);
}

static int open_flows(struct pipecat_session *session)
{
	int r = open_flow(session, 0);

	note_aliases(session);

	session->count = session->both ? 2 : 1;
	return r || !session->both ? r : open_flow(session, 1);
}

static void close_flows(struct pipecat_session *session)
{
	for (size_t i = 0; i < 2; i++)
		if (session->flows[i])
			ipckit_flow_close(session->flows[i]);
	session->flows[0] = session->flows[1] = NULL;
}

static bool tells_messages(const struct pipecat_session *session)
{
	return session->stats.each && !session->totals &&
	       (pipecat_has_datagrams(&session->ends[0]) || pipecat_has_datagrams(&session->ends[1]));
}

static void run_flows(struct pipecat_session *session)
{
	struct ipckit_relay relay = {
		.idle = session->opening.nonblock ? 0 : session->flowing.idle,
		.stop = pipecat_stop(),
		.period = pipecat_stats_period(&session->stats),
		.tick = step,
		.ended = pass_end_on,
		.passed = tells_messages(session) ? tell_message : NULL,
		.arg = session,
	};

	session->error = ipckit_relay_run(&relay, session->flows, session->count);
	look(session);
}

/* What a peer has not taken yet may still be refused. */
static void settle(struct pipecat_session *session)
{
	struct ipckit_flow_state *state = &session->states[0];
	int r;

	if (session->error || session->both || state->error)
		return;
	r = pipecat_settle(&session->ends[1], session->flowing.idle);
	if (r == -ETIMEDOUT || r == -EINTR) {
		session->error = r;
		return;
	}
	state->error = r;
	state->side = IPCKIT_FLOW_TO;
}

/* ---- how it ended ---- */

/* Of a reader that has gone. A command's own status says what that means; and who ended both ways was to be given
 * nothing more, if nothing is left over. */
static bool is_well(struct pipecat_session *session, size_t way)
{
	const struct ipckit_flow_state *state = &session->states[way];

	if (state->side != IPCKIT_FLOW_TO || state->error != -EPIPE)
		return !state->error;
	return sink_of(session, way)->child || (session->both && state->read == state->bytes);
}

static int fail_flow(struct pipecat_session *session, size_t way)
{
	const struct ipckit_flow_state *state = &session->states[way];
	const struct pipecat_end *sink = sink_of(session, way);

	if (is_well(session, way))
		return 0;
	if (state->side == IPCKIT_FLOW_FROM)
		return pipecat_fail_end(session->cli, source_of(session, way), state->error, ipckit_unknown());
	if (state->error == -EMSGSIZE)
		return cli_fail(session->cli, sink->text, state->error,
				"a message of %" PRIu64 " bytes is too long for it; it took %" PRIu64 " bytes before",
				state->refused, state->bytes);
	return pipecat_fail_end(session->cli, sink, state->error, ipckit_known((int64_t)state->bytes));
}

/* The end that was waited for is at fault; one that takes no more has taken something. */
static int fail_run(struct pipecat_session *session)
{
	const struct ipckit_flow_state *state = &session->states[0];
	bool sink = state->side == IPCKIT_FLOW_TO && !state->ended;
	const char *object = session->ends[sink].text;

	switch (session->error) {
	case 0:
		return 0;
	case -EAGAIN:
		if (sink)
			return cli_fail(session->cli, object, session->error, "would block; it took %" PRIu64 " bytes before",
					state->bytes);
		return cli_fail(session->cli, object, session->error, NULL);
	case -ETIMEDOUT:
		if (session->flowing.idle_text)
			return pipecat_fail_idle(session->cli, object);
	}
	return pipecat_fail(session->cli, object, session->error, ipckit_unknown());
}

static int judge(struct pipecat_session *session)
{
	int status = fail_run(session);

	for (size_t i = 0; i < session->count; i++) {
		int one = fail_flow(session, i);

		status = status ?: one;
	}
	return status;
}

/* A command that nobody read from any more may say so. */
static int close_ends(struct pipecat_session *session, int status)
{
	bool unread = session->states[0].error == -EPIPE;
	int source = pipecat_close(session->cli, &session->ends[0], !status);
	int sink = pipecat_close(session->cli, &session->ends[1], !status);

	if (unread && source == 128 + SIGPIPE)
		source = 0;
	return status ?: sink ?: source;
}

static void count(struct pipecat_session *session)
{
	for (size_t i = 0; session->totals && i < session->count; i++)
		__atomic_add_fetch(&session->totals->bytes[i], session->states[i].bytes, __ATOMIC_RELAXED);
}

/* Of a run one line, or one for each connection that it served. */
static int tell(const struct pipecat_session *session)
{
	int r = 0;

	if (session->stats.each && !tells_messages(session))
		r = pipecat_tell_connection(session);
	if (!r && session->stats.wanted && !session->totals)
		r = pipecat_tell_run(session);
	return r;
}

static int move(struct pipecat_session *session)
{
	int told, status = open_flows(session);

	if (!status) {
		run_flows(session);
		settle(session);
	}
	pipecat_stats_end(&session->stats, look(session));
	close_flows(session);
	if (status)
		return status;
	count(session);
	status = judge(session);
	told = tell(session);
	return status ?: told;
}

/* The sink whose data a picture of the progress would be drawn into, if one of them is a terminal. */
static int shown_sink(const struct pipecat_session *session)
{
	int back = session->ends[0].out;

	return back >= 0 && isatty(back) ? back : session->ends[1].out;
}

int pipecat_session_run(struct pipecat_session *session)
{
	struct pipecat_end *const ends[] = { &session->ends[0], &session->ends[1] };
	int status = pipecat_open(session->cli, ends, 2, &session->opening);

	if (!status) {
		pipecat_stats_begin(&session->stats, ends[0]->in, shown_sink(session));
		status = move(session);
	}
	return close_ends(session, status);
}
