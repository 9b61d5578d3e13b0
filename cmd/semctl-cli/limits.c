/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

#include "../cli/cli-limits.h"

static int run(struct cli *cli)
{
	struct ipckit_limits limits = { 0 };
	int r = ipckit_sem_limits(&limits);

	if (r)
		return cli_fail(cli, NULL, r, NULL);
	r = cli_emit_limits(cli, &limits);
	ipckit_limits_free(&limits);
	return r;
}

const struct cli_verb semctl_limits = {
	.name = "limits",
	.operands = "",
	.summary = "print each limit on semaphores, its value and its use",
	.flags = CLI_ANSWERS,
	.table = &cli_limits_table,
	.run = run,
};
