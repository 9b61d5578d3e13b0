/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"

#include <unistd.h>

static int both, forks;
static char *max_text;

static const struct poptOption options[] = {
	{ "both", '2', POPT_ARG_NONE, &both, 0, "both ways at once; ends when both have ended", NULL },
	{ "fork", 'f', POPT_ARG_NONE, &forks, 0, "serve each connection of the end that listens by a process of its own",
	  NULL },
	{ "max", 0, POPT_ARG_STRING, &max_text, 0, "with --fork: at most so many at once", "N" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)pipecat_open_options, 0, NULL, NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)pipecat_flow_options, 0, NULL, NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)pipecat_stats_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static int read_ends(struct pipecat_session *session)
{
	struct cli *cli = session->cli;
	unsigned everything = PIPECAT_READ | PIPECAT_WRITE;
	const char *source = cli->noperands ? cli->operands[0] : "-";
	const char *sink = cli->noperands > 1 ? cli->operands[1] : "-";

	return pipecat_end(cli, source, IPCKIT_ENDS_ALL, both ? everything : PIPECAT_READ, &session->ends[0]) ?:
	       pipecat_end(cli, sink, IPCKIT_ENDS_ALL, both ? everything : PIPECAT_WRITE, &session->ends[1]);
}

/* What nothing could come of. */
static int check_ends(struct pipecat_session *session)
{
	const struct pipecat_end *source = &session->ends[0], *sink = &session->ends[1];
	struct cli *cli = session->cli;

	/* Who types the name alone wants to be told what it is for. */
	if (!cli->noperands && isatty(STDIN_FILENO))
		return cli_usage(cli, NULL, "an operand is missing; usage: pipecat relay [options] [SOURCE [SINK]]");
	if (both && source->at.kind == IPCKIT_END_STANDARD && sink->at.kind == IPCKIT_END_STANDARD)
		return cli_usage(cli, "--both", "standard input and output are one end: another is needed");
	if (!both && sink->at.listens && pipecat_has_datagrams(sink))
		return cli_usage(cli, sink->text, "nobody is known there to send to: with --both, who sent first");
	if (forks && source->at.listens == sink->at.listens)
		return cli_usage(cli, "--fork", source->at.listens ? "only one of the ends can listen" :
								    "one of the ends has to listen");
	if (max_text && !forks)
		return cli_usage(cli, "--max", "is for --fork");
	return pipecat_check_opening(cli, session->ends, 2);
}

static int read_session(struct pipecat_session *session, uint64_t *most)
{
	struct cli *cli = session->cli;

	return pipecat_read_opening(cli, &session->opening) ?: pipecat_read_flowing(cli, &session->flowing) ?:
	       pipecat_stats_read(cli, &session->stats) ?: cli_count(cli, "--max", max_text, 1, INT32_MAX, most) ?:
	       read_ends(session) ?: check_ends(session);
}

static int run(struct cli *cli)
{
	struct pipecat_session session = { .cli = cli, .both = both };
	uint64_t most = 0;
	int status;

	status = read_session(&session, &most);
	/* What flows there is not to be mixed with what is said. */
	if (pipecat_output_taken || forks)
		cli_raw(cli);
	status = status ?: pipecat_begin(cli);
	if (status) {
		ipckit_endpoint_free(&session.ends[0].at);
		ipckit_endpoint_free(&session.ends[1].at);
		return status;
	}
	status = forks ? pipecat_serve(&session, most) : pipecat_session_run(&session);
	return pipecat_finish(cli, status);
}

const struct cli_verb pipecat_relay = {
	.name = "relay",
	.operands = "[SOURCE [SINK]]",
	.summary = "move bytes from one end to another, or both ways; by default from standard input, and to standard output",
	.least = 0,
	.most = 2,
	.options = options,
	.run = run,
};
