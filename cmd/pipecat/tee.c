/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fan.h"

static int drop_slow, line;

static const struct poptOption options[] = {
	{ "drop-slow", 'd', POPT_ARG_NONE, &drop_slow, 0, "a sink that has not taken a chunk yet (a message, or up to 64K) "
	  "loses the next ones, if others can take them", NULL },
	{ "line", 'l', POPT_ARG_NONE, &line, 0, "with --drop-slow: what is lost are whole lines (of those longer than 1M "
	  "parts)", NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)fan_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static const struct cli_field sink_fields[] = {
	{ "sink", .type = CLI_STRING, FAN_PART(end), .summary = "where they went" },
	{ "bytes", .type = CLI_SIZE, FAN_PART(bytes), .summary = "how many it took" },
	{ "dropped", .type = CLI_SIZE, FAN_PART(dropped), .summary = "how many it did not get, being slow" },
	{ "error", .type = CLI_STRING, FAN_PART(error), .summary = "the errno for which it was left out, or null" },
	{ 0 },
};

static const struct cli_table sink_table = { sink_fields, sizeof(struct fan_part), "sinks", NULL };

static const struct cli_field fields[] = {
	{ "source", .type = CLI_STRING, FAN_ROW(one), .summary = "where the bytes came from" },
	{ "bytes", .type = CLI_SIZE, FAN_ROW(bytes), .summary = "how many were read" },
	{ "seconds", .type = CLI_REAL, FAN_ROW(seconds), .summary = "how long it took" },
	{ "rate", .type = CLI_MAYBE, FAN_ROW(rate), .summary = "bytes a second" },
	{ "method", .type = CLI_STRING, FAN_ROW(method), .summary = "tee: tee(2), between pipes; copy" },
	{ "error", .type = CLI_STRING, FAN_ROW(error), .summary = "the errno that ended it, or null" },
	{ "sinks", .type = CLI_ROWS, FAN_ROW(parts), .rows = &sink_table, .flags = CLI_DETAIL,
	  .count_offset = offsetof(struct fan_row, nparts), .summary = "what became of each sink" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct fan_row), "tees", NULL };

static int fail(struct fan_run *run, size_t i, int error)
{
	return pipecat_fail_end(run->cli, &run->many[i], error, ipckit_known((int64_t)run->states[i].bytes));
}

static int run(struct cli *cli)
{
	static const struct fan_kind kind = { .out = true, .table = &table, .part = &sink_table, .fail = fail };
	const struct ipckit_fan_spec spec = { .drop_slow = drop_slow, .separator = line ? '\n' : -1 };

	if (line && !drop_slow)
		return cli_usage(cli, "--line", "says what is lost: --drop-slow is needed");
	return fan_run(cli, &kind, &spec);
}

const struct cli_verb pipecat_tee = {
	.name = "tee",
	.operands = "SOURCE SINK...",
	.summary = "give all that comes from one end to several",
	.least = 2,
	.most = -1,
	.options = options,
	.table = &table,
	.run = run,
};
