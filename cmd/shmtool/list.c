/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rows.h"
#include "shmtool.h"

const struct cli_verb shmtool_list = {
	.name = "list",
	.operands = "",
	.summary = "list POSIX and System V segments",
	.flags = CLI_ANSWERS | CLI_LISTS,
	.options = cli_list_options,
	.table = &shmtool_info_table,
	.run = cli_run_list,
};

const struct cli_verb shmtool_info = {
	.name = "info",
	.operands = "OBJECT",
	.summary = "print all that can be told of a segment, with the processes that use it",
	.least = 1,
	.most = 1,
	.flags = CLI_ANSWERS,
	.table = &shmtool_info_table,
	.run = cli_run_info,
};
