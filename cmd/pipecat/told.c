/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

int pipecat_tell(struct cli *cli, const struct cli_table *table, const void *row)
{
	char *text = cli_row_text(table, row), *line = NULL;
	int r = text ? 0 : -ENOMEM;

	/* By one write: those of several processes do not mingle. */
	if (!r && asprintf(&line, "%s\n", text) < 0)
		r = -ENOMEM;
	else if (!r && write(STDERR_FILENO, line, strlen(line)) < 0)
		r = -errno;
	free(text);
	free(line);
	return r ? cli_fail(cli, "statistics", r, NULL) : 0;
}

/* ---- of a flow ---- */

void pipecat_told_of(const struct pipecat_stats *stats, const char *source, const char *sink,
		     const struct ipckit_flow_state *state, struct pipecat_told *out)
{
	double seconds = pipecat_stats_seconds(stats);
	bool whole = state->method == IPCKIT_FLOW_MESSAGES;

	*out = (struct pipecat_told){
		.source = source,
		.sink = sink,
		.bytes = ipckit_known((int64_t)state->bytes),
		.lost = ipckit_known(state->read > state->bytes ? (int64_t)(state->read - state->bytes) : 0),
		.messages = whole ? ipckit_known((int64_t)state->messages) : ipckit_unknown(),
		.seconds = seconds,
		.rate = seconds > 0 ? ipckit_known((int64_t)((double)state->bytes / seconds)) : ipckit_unknown(),
		.method = ipckit_flow_method_name(state->method),
		.error = state->error ? cli_errno_name(state->error) : NULL,
	};
}

#define TOLD(member) .offset = offsetof(struct pipecat_told, member)

static const struct cli_field flow_fields[] = {
	{ "source", .type = CLI_STRING, TOLD(source), .summary = "where the bytes came from" },
	{ "sink", .type = CLI_STRING, TOLD(sink), .summary = "where they went" },
	{ "bytes", .type = CLI_SIZE, TOLD(bytes), .summary = "how many the sink took" },
	{ "lost", .type = CLI_SIZE, TOLD(lost), .summary = "how many were read and not taken by the sink" },
	{ "messages", .type = CLI_MAYBE, TOLD(messages), .summary = "how many messages, where they have boundaries" },
	{ "seconds", .type = CLI_REAL, TOLD(seconds), .summary = "how long it took" },
	{ "rate", .type = CLI_MAYBE, TOLD(rate), .summary = "bytes a second" },
	{ "method", .type = CLI_STRING, TOLD(method), .summary = "how they were moved" },
	{ "error", .type = CLI_STRING, TOLD(error), .summary = "the errno that ended it, or null" },
	{ 0 },
};

const struct cli_table pipecat_flow_table = { flow_fields, sizeof(struct pipecat_told), "flows", NULL };

int pipecat_tell_flow(struct pipecat_stats *stats, const char *source, const char *sink,
		      const struct ipckit_flow_state *state)
{
	struct pipecat_told told;

	pipecat_told_of(stats, source, sink, state, &told);
	return pipecat_tell(stats->cli, &pipecat_flow_table, &told);
}

/* ---- of a run ---- */

enum { ONE = 1, BOTH = 2, SERVER = 4, SERVER_BOTH = 8 };

struct run {
	struct pipecat_told there, back;
	int64_t connections, errors;
	unsigned kind;
};

#define THERE(member) .offset = offsetof(struct run, there.member)
#define BACK(member) .offset = offsetof(struct run, back.member)

static const struct cli_field run_fields[] = {
	{ "source", .type = CLI_STRING, THERE(source), .summary = "where the bytes came from" },
	{ "sink", .type = CLI_STRING, THERE(sink), .summary = "where they went" },
	{ "bytes", .type = CLI_SIZE, THERE(bytes), .summary = "how many the sink took" },
	{ "lost", .type = CLI_SIZE, THERE(lost), .kinds = ONE | BOTH,
	  .summary = "how many were read and not taken by the sink" },
	{ "messages", .type = CLI_MAYBE, THERE(messages), .kinds = ONE | BOTH,
	  .summary = "how many messages, where they have boundaries" },
	{ "seconds", .type = CLI_REAL, THERE(seconds), .summary = "how long it took" },
	{ "rate", .type = CLI_MAYBE, THERE(rate), .summary = "bytes a second" },
	{ "method", .type = CLI_STRING, THERE(method), .kinds = ONE | BOTH, .summary = "how they were moved" },
	{ "error", .type = CLI_STRING, THERE(error), .kinds = ONE | BOTH,
	  .summary = "the errno that ended it, or null" },
	{ "back_bytes", .type = CLI_SIZE, BACK(bytes), .kinds = BOTH | SERVER_BOTH,
	  .summary = "how many the source took" },
	{ "back_lost", .type = CLI_SIZE, BACK(lost), .kinds = BOTH,
	  .summary = "how many were read and not taken by the source" },
	{ "back_messages", .type = CLI_MAYBE, BACK(messages), .kinds = BOTH, .summary = "how many messages came back" },
	{ "back_rate", .type = CLI_MAYBE, BACK(rate), .kinds = BOTH | SERVER_BOTH, .summary = "bytes a second" },
	{ "back_method", .type = CLI_STRING, BACK(method), .kinds = BOTH, .summary = "how they were moved" },
	{ "back_error", .type = CLI_STRING, BACK(error), .kinds = BOTH, .summary = "the errno that ended it, or null" },
	{ "connections", .type = CLI_INTEGER, .offset = offsetof(struct run, connections),
	  .kinds = SERVER | SERVER_BOTH, .summary = "how many were served" },
	{ "errors", .type = CLI_INTEGER, .offset = offsetof(struct run, errors), .kinds = SERVER | SERVER_BOTH,
	  .summary = "how many of them did not end well" },
	{ 0 },
};

static unsigned run_kind(const void *row)
{
	return ((const struct run *)row)->kind;
}

static const struct cli_table run_table = { run_fields, sizeof(struct run), "runs", run_kind };

static const char *error_name(int error)
{
	return error ? cli_errno_name(error) : NULL;
}

int pipecat_tell_run(const struct pipecat_session *session)
{
	const char *source = session->ends[0].text, *sink = session->ends[1].text;
	struct run run = { .kind = session->both ? BOTH : ONE };

	pipecat_told_of(&session->stats, source, sink, &session->states[0], &run.there);
	pipecat_told_of(&session->stats, sink, source, &session->states[1], &run.back);
	run.there.error = run.there.error ?: error_name(session->error);
	return pipecat_tell(session->cli, &run_table, &run);
}

int pipecat_tell_totals(const struct pipecat_session *session)
{
	const struct pipecat_totals *totals = session->totals;
	const struct ipckit_flow_state there = { .bytes = totals->bytes[0] }, back = { .bytes = totals->bytes[1] };
	struct run run = {
		.kind = session->both ? SERVER_BOTH : SERVER,
		.connections = (int64_t)totals->connections,
		.errors = (int64_t)totals->errors,
	};

	pipecat_told_of(&session->stats, session->ends[0].text, session->ends[1].text, &there, &run.there);
	pipecat_told_of(&session->stats, NULL, NULL, &back, &run.back);
	return pipecat_tell(session->cli, &run_table, &run);
}

/* ---- of a connection, or a message ---- */

struct one {
	char peer[IPCKIT_ADDRESS_TEXT];
	struct ipckit_maybe time, bytes, back;
	double seconds;
	const char *error;
	unsigned kind;
};

#define EACH(member) .offset = offsetof(struct one, member)

static const struct cli_field each_fields[] = {
	{ "peer", .type = CLI_CHARS, EACH(peer), .summary = "who is at the other side" },
	{ "time", .type = CLI_TIME, EACH(time), .summary = "when it began" },
	{ "bytes", .type = CLI_SIZE, EACH(bytes), .summary = "how many the sink took" },
	{ "back_bytes", .type = CLI_SIZE, EACH(back), .kinds = BOTH, .summary = "how many the source took" },
	{ "seconds", .type = CLI_REAL, EACH(seconds), .summary = "how long it took; of a message: since the run began" },
	{ "error", .type = CLI_STRING, EACH(error), .summary = "the errno that ended it, or null" },
	{ 0 },
};

static unsigned each_kind(const void *row)
{
	return ((const struct one *)row)->kind;
}

static const struct cli_table each_table = { each_fields, sizeof(struct one), "connections", each_kind };

static struct ipckit_maybe seconds_ago(double seconds)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	return ipckit_known((int64_t)((double)now.tv_sec + (double)now.tv_usec / 1e6 - seconds));
}

static void name_peer(const struct pipecat_session *session, char text[IPCKIT_ADDRESS_TEXT])
{
	*text = 0;
	for (size_t i = 0; i < 2; i++) {
		if (!session->ends[i].has_peer)
			continue;
		pipecat_peer_text(&session->ends[i].peer, text);
		return;
	}
}

int pipecat_tell_connection(const struct pipecat_session *session)
{
	struct one one = {
		.bytes = ipckit_known((int64_t)session->states[0].bytes),
		.back = ipckit_known((int64_t)session->states[1].bytes),
		.seconds = pipecat_stats_seconds(&session->stats),
		.error = error_name(session->error ?: session->states[0].error ?: session->states[1].error),
		.kind = session->both ? BOTH : ONE,
	};

	one.time = seconds_ago(one.seconds);
	name_peer(session, one.peer);
	return pipecat_tell(session->cli, &each_table, &one);
}

int pipecat_tell_message(const struct pipecat_session *session, const struct ipckit_address *from, size_t size)
{
	struct one one = {
		.time = seconds_ago(0),
		.bytes = ipckit_known((int64_t)size),
		.seconds = pipecat_stats_seconds(&session->stats),
		.kind = ONE,
	};

	if (from->length)
		ipckit_address_text(from, one.peer);
	else
		name_peer(session, one.peer);
	return pipecat_tell(session->cli, &each_table, &one);
}
