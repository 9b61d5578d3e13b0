/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"
#include "rows.h"

#include <string.h>

static int alone;

static const struct poptOption options[] = {
	{ "kind", 'k', POPT_ARG_STRING, &pipecat_filter.kinds, 0, "only fifo, or only unix", "KIND" },
	{ "alone", 0, POPT_ARG_NONE, &alone, 0,
	  "take it that no process of another PID namespace, which cannot be seen, uses what is there", NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_clean_paths_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static const struct cli_field fields[] = {
	{ "kind", .type = CLI_WORD, CLI_OBJECT(backend), .summary = "fifo or unix" },
	{ "name", .type = CLI_STRING, CLI_OBJECT(name), .summary = "its path" },
	CLI_CLEAN_FIELDS,
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct cli_object), "fifos", NULL };

static int run(struct cli *cli)
{
	const char *kinds = pipecat_filter.kinds;

	if (kinds && strcmp(kinds, "fifo") && strcmp(kinds, "unix"))
		return cli_usage(cli, "--kind", "\"%s\" is neither fifo nor unix", kinds);
	pipecat_filter.removes = true;
	pipecat_filter.alone = alone;
	return cli_run_clean(cli);
}

const struct cli_verb pipecat_clean = {
	.name = "clean",
	.operands = "DIRECTORY...",
	.summary = "remove FIFOs and dead Unix sockets that are left over in directories, and say why",
	.least = 1,
	.most = -1,
	.flags = CLI_ANSWERS,
	.options = options,
	.table = &table,
	.run = run,
};
