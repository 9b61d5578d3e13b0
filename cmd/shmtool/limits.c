/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rows.h"
#include "shmtool.h"

const struct cli_verb shmtool_limits = {
	.name = "limits",
	.operands = "",
	.summary = "print each limit on segments, its value and its use",
	.flags = CLI_ANSWERS,
	.table = &cli_limits_table,
	.run = cli_run_limits,
};
