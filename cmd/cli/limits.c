/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "noun.h"

#include <errno.h>
#include <stdlib.h>

struct row {
	const char *name;
	struct ipckit_maybe value;
	struct ipckit_maybe used;
	struct ipckit_maybe percent;
	const char *unit;
	bool estimate;
	const char *what;
};

static const struct cli_field fields[] = {
	{ "name", .heading = "LIMIT", .type = CLI_STRING, .offset = offsetof(struct row, name), .summary = "the limit, as an administrator writes it" },
	{ "value", .type = CLI_MAYBE, .offset = offsetof(struct row, value), .summary = "its value; null: none" },
	{ "used", .type = CLI_MAYBE, .offset = offsetof(struct row, used), .summary = "what is in use of it; null: unknown, or not countable" },
	{ "percent", .heading = "USE%", .type = CLI_MAYBE, .offset = offsetof(struct row, percent), .summary = "use in per cent, rounded up" },
	{ "unit", .type = CLI_STRING, .offset = offsetof(struct row, unit), .summary = "what is counted" },
	{ "estimate", .type = CLI_BOOL, .offset = offsetof(struct row, estimate), .flags = CLI_WIDE, .summary = "whether the use is only estimated" },
	{ "what", .heading = "BOUNDS", .type = CLI_STRING, .offset = offsetof(struct row, what), .summary = "what it bounds" },
	{ 0 },
};

const struct cli_table cli_limits_table = { fields, sizeof(struct row), "limits", NULL };

static struct ipckit_maybe percent(const struct ipckit_limit *limit)
{
	if (!limit->value.known || !limit->used.known || limit->value.value <= 0)
		return ipckit_unknown();
	return ipckit_known((int64_t)(((__int128)limit->used.value * 100 + limit->value.value - 1) /
				      limit->value.value));
}

static int emit(struct cli *cli, const struct ipckit_limits *limits)
{
	struct row *rows = calloc(limits->count, sizeof(*rows));
	int r;

	if (!rows)
		return cli_fail(cli, NULL, ENOMEM, NULL);
	for (size_t i = 0; i < limits->count; i++) {
		const struct ipckit_limit *limit = &limits->list[i];

		rows[i] = (struct row){
			.name = limit->name,
			.value = limit->value,
			.used = limit->used,
			.percent = percent(limit),
			.unit = limit->unit,
			.estimate = limit->estimate,
			.what = limit->what,
		};
	}
	r = cli_emit_list(cli, &cli_limits_table, rows, limits->count);
	free(rows);
	return r;
}

int cli_run_limits(struct cli *cli)
{
	struct ipckit_limits limits = { 0 };
	int r = cli->tool->noun->limits(&limits);

	if (r)
		return cli_fail(cli, NULL, r, NULL);
	r = emit(cli, &limits);
	ipckit_limits_free(&limits);
	return r;
}
