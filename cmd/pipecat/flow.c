/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"

#include <errno.h>

static char *rate_text, *buffer_text, *high_text, *low_text, *idle_text;
static int zero_copy, sync_data;

const struct poptOption pipecat_idle_options[] = {
	{ "idle", 'i', POPT_ARG_STRING, &idle_text, 0, "give up when nothing has moved for this time", "DURATION" },
	POPT_TABLEEND
};

const struct poptOption pipecat_flow_options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)pipecat_idle_options, 0, NULL, NULL },
	{ "rate", 'r', POPT_ARG_STRING, &rate_text, 0, "at most so many bytes a second", "SIZE" },
	{ "buffer", 'b', POPT_ARG_STRING, &buffer_text, 0, "a buffer of this size between the ends", "SIZE" },
	{ "high", 0, POPT_ARG_STRING, &high_text, 0, "with --buffer: one that was empty is written from again when so much "
	  "is in it", "SIZE" },
	{ "low", 0, POPT_ARG_STRING, &low_text, 0, "with --buffer: one that was full is filled again when only so much is "
	  "left", "SIZE" },
	{ "sync", 0, POPT_ARG_NONE, &sync_data, 0, "end when the data are on the disk", NULL },
	{ "zero-copy", 0, POPT_ARG_NONE, &zero_copy, 0, "splice the pages of files, so that who writes to them later changes "
	  "what the reader gets, and what goes to TCP", NULL },
	POPT_TABLEEND
};

static int check_marks(struct cli *cli, const struct ipckit_flow_spec *spec)
{
	const char *mark = high_text ? "--high" : "--low";

	if ((high_text || low_text) && !spec->buffer)
		return cli_usage(cli, mark, "is a mark of a buffer: --buffer is needed");
	if (spec->high > spec->buffer)
		return cli_usage(cli, "--high", "\"%s\" is more than the buffer has", high_text);
	if (low_text && spec->low >= spec->buffer)
		return cli_usage(cli, "--low", "\"%s\" is all that the buffer has", low_text);
	return 0;
}

int pipecat_read_idle(struct cli *cli, int64_t *out)
{
	*out = IPCKIT_FOREVER;
	return cli_duration(cli, "--idle", idle_text, out);
}

int pipecat_fail_idle(struct cli *cli, const char *object)
{
	return cli_fail_late(cli, object, idle_text, ": nothing has moved");
}

int pipecat_read_flowing(struct cli *cli, struct pipecat_flowing *out)
{
	struct ipckit_flow_spec *spec = &out->spec;
	int r;

	*out = (struct pipecat_flowing){ .idle_text = idle_text };
	spec->zero_copy = zero_copy;
	spec->sync = sync_data;
	r = pipecat_read_idle(cli, &out->idle) ?: cli_size(cli, "--rate", rate_text, &spec->rate) ?:
	    cli_size(cli, "--buffer", buffer_text, &spec->buffer) ?: cli_size(cli, "--high", high_text, &spec->high) ?:
	    cli_size(cli, "--low", low_text, &spec->low);
	if (r)
		return r;
	if (rate_text && !spec->rate)
		return cli_usage(cli, "--rate", "at least 1 byte a second");
	if (buffer_text && !spec->buffer)
		return cli_usage(cli, "--buffer", "at least 1 byte");
	return check_marks(cli, spec);
}

struct moving {
	struct pipecat_stats *stats;
	struct ipckit_flow *flow;
};

static void step(void *arg)
{
	struct moving *moving = arg;
	struct ipckit_flow_state state;

	ipckit_flow_look(moving->flow, &state);
	pipecat_stats_step(moving->stats, moving->stats->before + state.bytes);
}

int pipecat_move(int from, int to, const struct pipecat_flowing *flowing, struct pipecat_stats *stats,
		 struct ipckit_flow_state *state)
{
	struct moving moving = { .stats = stats };
	struct ipckit_relay relay = {
		.idle = flowing->idle,
		.stop = pipecat_stop(),
		.period = pipecat_stats_period(stats),
		.tick = step,
		.arg = &moving,
	};
	int r;

	*state = (struct ipckit_flow_state){ 0 };
	r = ipckit_flow_open(from, to, &flowing->spec, &moving.flow);
	if (r)
		return r;
	r = ipckit_relay_run(&relay, &moving.flow, 1);
	ipckit_flow_look(moving.flow, state);
	ipckit_flow_close(moving.flow);
	if (stats)
		stats->before += state->bytes;
	return r ?: state->error;
}
