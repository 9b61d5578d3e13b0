/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"
#include "../cli/stop.h"

#include <errno.h>

static char *count_text, *max_text;

static const struct poptOption options[] = {
	{ "count", 'c', POPT_ARG_STRING, &count_text, 0, "permits to give, all or none (default 1)", "N" },
	{ "max", 0, POPT_ARG_STRING, &max_text, 0, "refuse (status 1) what would pass this value", "M" },
	POPT_TABLEEND
};

/* Several may be given one by one: a signal then waits until all are. */
static int hold_signals(unsigned count)
{
	struct ipckit_deadline unused;

	return count > 1 ? cli_deadline(IPCKIT_FOREVER, &unused) : 0;
}

static int give(struct cli *cli, const char *object, struct ipckit_sem *sem, unsigned count, unsigned max)
{
	int r = hold_signals(count);

	if (!r)
		r = max_text ? ipckit_sem_give_max(sem, count, max) : ipckit_sem_give(sem, count, 0);

	if (r == -ERANGE)
		return cli_fail(cli, object, EAGAIN, "would pass the maximum of %u", max);
	if (r)
		return cli_sem_fail(cli, object, ipckit_sem_backend(sem), r);
	return semctl_done(cli, object, ipckit_sem_backend(sem), ipckit_known(count), ipckit_unknown());
}

static int run(struct cli *cli)
{
	const char *object = cli->operands[0];
	struct ipckit_sem *sem;
	uint64_t count = 1, max = 0;
	int r = cli_count(cli, "--count", count_text, 1, UINT64_MAX, &count);

	if (!r)
		r = cli_count(cli, "--max", max_text, 1, UINT32_MAX, &max);
	if (!r)
		r = cli_sem_open(cli, object, 0, &sem);
	if (r)
		return r;
	r = semctl_check_count(cli, object, ipckit_sem_backend(sem), count);
	if (!r)
		r = give(cli, object, sem, (unsigned)count, (unsigned)max);
	ipckit_sem_close(sem);
	return r;
}

const struct cli_verb semctl_post = {
	.name = "post",
	.alias = "v",
	.operands = "OBJECT",
	.summary = "give permits, all or none",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &semctl_done_table,
	.run = run,
};
