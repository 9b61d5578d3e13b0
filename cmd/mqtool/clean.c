/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mqtool.h"
#include "rows.h"

static const struct poptOption options[] = {
	{ "non-empty", 0, POPT_ARG_NONE, &mqtool_non_empty, 0, "also queues that hold messages", NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_clean_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const struct cli_verb mqtool_clean = {
	.name = "clean",
	.operands = "",
	.summary = "remove queues that are left over, and say why",
	.flags = CLI_ANSWERS,
	.options = options,
	.table = &cli_clean_table,
	.run = cli_run_clean,
};
