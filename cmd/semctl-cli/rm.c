/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

const struct cli_verb semctl_rm = {
	.name = "rm",
	.operands = "OBJECT...",
	.summary = "remove semaphores",
	.least = 1,
	.most = -1,
	.options = cli_rm_options,
	.table = &semctl_done_table,
	.run = cli_run_rm,
};
