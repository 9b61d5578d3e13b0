/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

const struct cli_verb semctl_clean = {
	.name = "clean",
	.operands = "",
	.summary = "remove semaphores that are left over, and say why",
	.flags = CLI_ANSWERS,
	.options = cli_clean_options,
	.table = &semctl_clean_table,
	.run = cli_run_clean,
};
