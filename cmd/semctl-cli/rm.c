/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

#include <errno.h>

static int force;

static const struct poptOption options[] = {
	{ "force", 'f', POPT_ARG_NONE, &force, 0, "take a missing object for removed", NULL },
	POPT_TABLEEND
};

static int remove_one(const struct ipckit_name *name, void *arg)
{
	int r = ipckit_sem_remove(name);

	(void)arg;
	return r == -ENOENT && force ? 0 : r;
}

static int run(struct cli *cli)
{
	return semctl_for_each(cli, remove_one, NULL);
}

const struct cli_verb semctl_rm = {
	.name = "rm",
	.operands = "OBJECT...",
	.summary = "remove semaphores",
	.least = 1,
	.most = -1,
	.options = options,
	.table = &semctl_done_table,
	.run = run,
};
