/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

static const struct poptOption options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_filter_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static int run_list(struct cli *cli)
{
	struct cli_filter filter;
	struct semctl_rows rows;
	int r = cli_filter_read(cli, &filter);

	if (r)
		return r;
	r = semctl_rows_read(cli, &filter, &semctl_info_table, IPCKIT_SEM_USERS, &rows);
	if (!r)
		r = cli_emit_list(cli, &semctl_info_table, rows.list, rows.count);
	semctl_rows_free(&rows);
	return r;
}

static int run_info(struct cli *cli)
{
	struct semctl_row row = { 0 };
	struct ipckit_name name;
	int r = semctl_name(cli, cli->operands[0], 0, &name);

	if (r)
		return r;
	r = ipckit_sem_stat(&name, IPCKIT_SEM_USERS, &row.info);
	if (r)
		r = semctl_fail_find(cli, &name, r);
	else
		r = cli_emit_record(cli, &semctl_info_table, &row);
	ipckit_sem_info_free(&row.info);
	ipckit_name_free(&name);
	return r;
}

const struct cli_verb semctl_list = {
	.name = "list",
	.operands = "",
	.summary = "list POSIX semaphores and System V sets",
	.flags = CLI_ANSWERS | CLI_LISTS,
	.options = options,
	.table = &semctl_info_table,
	.run = run_list,
};

const struct cli_verb semctl_info = {
	.name = "info",
	.operands = "OBJECT",
	.summary = "print all that can be told of a semaphore, with holders, waiters and users",
	.least = 1,
	.most = 1,
	.flags = CLI_ANSWERS,
	.table = &semctl_info_table,
	.run = run_info,
};
