/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mqtool.h"
#include "rows.h"

const struct cli_verb mqtool_limits = {
	.name = "limits",
	.operands = "",
	.summary = "print each limit on queues, its value and its use",
	.flags = CLI_ANSWERS,
	.table = &cli_limits_table,
	.run = cli_run_limits,
};
