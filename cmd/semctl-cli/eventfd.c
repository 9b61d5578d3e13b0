/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"
#include "../cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>

static char *value_text;

static const struct poptOption options[] = {
	{ "value", 'n', POPT_ARG_STRING, &value_text, 0, "first value (default 0)", "N" },
	POPT_TABLEEND
};

static int run(struct cli *cli)
{
	uint64_t value = 0;
	char number[16];
	int fd;
	int r = cli_count(cli, "--value", value_text, 0, UINT64_MAX, &value);

	if (!r)
		r = semctl_check_count(cli, "eventfd", IPCKIT_SEM_EVENTFD, value);
	if (r)
		return r;
	fd = eventfd((unsigned)value, EFD_SEMAPHORE);
	if (fd < 0)
		return cli_sem_fail(cli, "eventfd", IPCKIT_SEM_EVENTFD, -errno);
	snprintf(number, sizeof(number), "%d", fd);
	if (setenv("IPCKIT_FD", number, 1))
		return cli_fail(cli, "eventfd", errno, NULL);
	return cli_become(cli);
}

const struct cli_verb semctl_eventfd = {
	.name = "eventfd",
	.operands = "",
	.summary = "run COMMAND with an eventfd semaphore as fd:$IPCKIT_FD",
	.flags = CLI_COMMAND,
	.options = options,
	.run = run,
};
