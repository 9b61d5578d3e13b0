/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fan.h"

#include <errno.h>
#include <inttypes.h>

#define LONGEST (UINT64_C(1) << 20)
#define LONGEST_ANY (UINT64_C(1) << 40)

static int null;
static char *record_text, *longest_text;

static const struct poptOption options[] = {
	{ "null", 'z', POPT_ARG_NONE, &null, 0, "records end with a NUL, not with a newline", NULL },
	{ "record", 'r', POPT_ARG_STRING, &record_text, 0, "records have this size", "SIZE" },
	{ "longest", 0, POPT_ARG_STRING, &longest_text, 0, "what a line may have (default 1M)", "SIZE" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)fan_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static const struct cli_field source_fields[] = {
	{ "source", .type = CLI_STRING, FAN_PART(end), .summary = "where they came from" },
	{ "bytes", .type = CLI_SIZE, FAN_PART(bytes), .summary = "how many were passed on" },
	{ "records", .type = CLI_MAYBE, FAN_PART(records), .summary = "how many records" },
	{ "dropped", .type = CLI_SIZE, FAN_PART(dropped), .summary = "bytes that were read and not passed on" },
	{ "error", .type = CLI_STRING, FAN_PART(error), .summary = "the errno for which it was left out, or null" },
	{ 0 },
};

static const struct cli_table source_table = { source_fields, sizeof(struct fan_part), "sources", NULL };

static const struct cli_field fields[] = {
	{ "sink", .type = CLI_STRING, FAN_ROW(one), .summary = "where the records went" },
	{ "bytes", .type = CLI_SIZE, FAN_ROW(bytes), .summary = "how many it took" },
	{ "records", .type = CLI_MAYBE, FAN_ROW(records), .summary = "how many records" },
	{ "seconds", .type = CLI_REAL, FAN_ROW(seconds), .summary = "how long it took" },
	{ "rate", .type = CLI_MAYBE, FAN_ROW(rate), .summary = "bytes a second" },
	{ "error", .type = CLI_STRING, FAN_ROW(error), .summary = "the errno that ended it, or null" },
	{ "sources", .type = CLI_ROWS, FAN_ROW(parts), .rows = &source_table, .flags = CLI_DETAIL,
	  .count_offset = offsetof(struct fan_row, nparts), .summary = "what became of each source" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct fan_row), "merges", NULL };

static int fail(struct fan_run *run, size_t i, int error)
{
	const struct pipecat_end *end = &run->many[i];
	uint64_t number = run->states[i].records + 1;

	switch (error) {
	case -EMSGSIZE:
		return cli_fail(run->cli, end->text, error,
				"record %" PRIu64 " is longer than %" PRIu64 " bytes (--longest)", number,
				run->spec.longest);
	case -ETIMEDOUT:
		if (run->opening.timeout_text)
			return cli_fail_late(run->cli, end->text, run->opening.timeout_text, "");
		break;
	case -EBADMSG:
		return cli_fail(run->cli, end->text, error, "ends in the middle of record %" PRIu64, number);
	}
	return pipecat_fail_end(run->cli, end, error, ipckit_unknown());
}

static int read_spec(struct cli *cli, struct ipckit_fan_spec *out)
{
	int r;

	*out = (struct ipckit_fan_spec){ .separator = null ? '\0' : '\n', .longest = LONGEST };
	r = cli_size(cli, "--record", record_text, &out->record) ?:
	    cli_size(cli, "--longest", longest_text, &out->longest);
	if (r)
		return r;
	if (out->record > LONGEST_ANY || out->longest > LONGEST_ANY)
		return cli_usage(cli, out->record > LONGEST_ANY ? "--record" : "--longest", "at most 1T");
	if (!record_text)
		return 0;
	if (null || longest_text)
		return cli_usage(cli, "--record", "not with %s", null ? "--null" : "--longest");
	if (!out->record)
		return cli_usage(cli, "--record", "at least 1 byte");
	out->separator = -1;
	return 0;
}

static int run(struct cli *cli)
{
	static const struct fan_kind kind = { .table = &table, .part = &source_table, .fail = fail };
	struct ipckit_fan_spec spec;

	return read_spec(cli, &spec) ?: fan_run(cli, &kind, &spec);
}

const struct cli_verb pipecat_merge = {
	.name = "merge",
	.operands = "SOURCE... SINK",
	.summary = "give all lines or records that come from several ends to one",
	.least = 2,
	.most = -1,
	.options = options,
	.table = &table,
	.run = run,
};
