/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

const struct cli_verb semctl_limits = {
	.name = "limits",
	.operands = "",
	.summary = "print each limit on semaphores, its value and its use",
	.flags = CLI_ANSWERS,
	.table = &cli_limits_table,
	.run = cli_run_limits,
};
