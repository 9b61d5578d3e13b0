/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mqtool.h"
#include "rows.h"

const struct cli_verb mqtool_rm = {
	.name = "rm",
	.operands = "OBJECT...",
	.summary = "remove queues, with the messages in them",
	.least = 1,
	.most = -1,
	.options = cli_rm_options,
	.table = &cli_done_table,
	.run = cli_run_rm,
};
