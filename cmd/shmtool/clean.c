/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rows.h"
#include "shmtool.h"

const struct cli_verb shmtool_clean = {
	.name = "clean",
	.operands = "",
	.summary = "remove segments that are left over, and say why",
	.flags = CLI_ANSWERS,
	.options = cli_clean_options,
	.table = &cli_clean_table,
	.run = cli_run_clean,
};
