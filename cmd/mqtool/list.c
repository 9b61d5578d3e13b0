/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mqtool.h"
#include "rows.h"

const struct cli_verb mqtool_list = {
	.name = "list",
	.operands = "",
	.summary = "list POSIX and System V queues",
	.flags = CLI_ANSWERS | CLI_LISTS,
	.options = cli_list_options,
	.table = &mqtool_info_table,
	.run = cli_run_list,
};

const struct cli_verb mqtool_info = {
	.name = "info",
	.operands = "OBJECT",
	.summary = "print all that can be told of a queue, with waiters and users",
	.least = 1,
	.most = 1,
	.flags = CLI_ANSWERS,
	.table = &mqtool_info_table,
	.run = cli_run_info,
};
