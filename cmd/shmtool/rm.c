/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rows.h"
#include "shmtool.h"

const struct cli_verb shmtool_rm = {
	.name = "rm",
	.operands = "OBJECT...",
	.summary = "remove segments; who has one mapped keeps it until the end",
	.least = 1,
	.most = -1,
	.options = cli_rm_options,
	.table = &cli_done_table,
	.run = cli_run_rm,
};
