/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

#include <errno.h>

struct row {
	const char *name, *since, *until, *error;
	bool supported;
};

#define ROW(member) .offset = offsetof(struct row, member)

static const struct cli_field fields[] = {
	{ "name", .heading = "OPERATION", .type = CLI_STRING, ROW(name), .summary = "an operation, call or flag" },
	{ "supported", .type = CLI_BOOL, ROW(supported), .summary = "whether this kernel has it" },
	{ "since", .type = CLI_STRING, ROW(since), .summary = "the kernel that brought it" },
	{ "until", .type = CLI_STRING, ROW(until), .summary = "the first kernel without it" },
	{ "errno", .type = CLI_STRING, ROW(error), .summary = "what a call of it, that does nothing, was answered" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct row), "operations", NULL };

static int emit(struct cli *cli, const struct ipckit_futex_support *found, size_t count)
{
	struct row *rows = calloc(count, sizeof(*rows));
	int r;

	if (!rows)
		return cli_fail(cli, NULL, ENOMEM, NULL);
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct row){
			.name = found[i].name,
			.supported = found[i].supported,
			.since = found[i].since,
			.until = found[i].until,
			.error = found[i].error ? cli_errno_name(found[i].error) : NULL,
		};
	r = cli_emit_list(cli, &table, rows, count);
	free(rows);
	return r;
}

static int run(struct cli *cli)
{
	const struct ipckit_futex_support *found;
	size_t count;
	int r = ipckit_futex_probe(&found, &count);

	return r ? cli_fail(cli, NULL, r, NULL) : emit(cli, found, count);
}

const struct cli_verb futexctl_probe = {
	.name = "probe",
	.operands = "",
	.summary = "try every operation and flag of futex(2): whether this kernel has it, and since when",
	.flags = CLI_ANSWERS | CLI_LISTS,
	.table = &table,
	.run = run,
};
