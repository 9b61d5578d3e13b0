/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

const struct cli_verb semctl_list = {
	.name = "list",
	.operands = "",
	.summary = "list POSIX semaphores and System V sets",
	.flags = CLI_ANSWERS | CLI_LISTS,
	.options = cli_list_options,
	.table = &semctl_info_table,
	.run = cli_run_list,
};

const struct cli_verb semctl_info = {
	.name = "info",
	.operands = "OBJECT",
	.summary = "print all that can be told of a semaphore, with holders, waiters and users",
	.least = 1,
	.most = 1,
	.flags = CLI_ANSWERS,
	.table = &semctl_info_table,
	.run = cli_run_info,
};
