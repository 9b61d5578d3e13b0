/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"
#include "../cli/stop.h"

#include <errno.h>

static char *count_text, *timeout_text;

static const struct poptOption options[] = {
	{ "count", 'c', POPT_ARG_STRING, &count_text, 0, "permits to take, all or none (default 1)", "N" },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time; 0: only try", "DURATION" },
	POPT_TABLEEND
};

static int take(struct ipckit_sem *sem, unsigned count, const struct ipckit_deadline *deadline)
{
	int r = ipckit_sem_take(sem, count, 0, deadline);

	if (r || cli_stop_commit())
		return r;
	return ipckit_sem_give(sem, count, 0) ?: -EINTR;
}

/* What is given back if nobody gets to know that it was taken. */
static struct taken {
	struct ipckit_sem *sem;
	unsigned count;
} taken;

static int end_wait(void *arg, bool written)
{
	struct taken *was = arg;
	int r = written ? 0 : ipckit_sem_give(was->sem, was->count, 0);

	ipckit_sem_close(was->sem);
	was->sem = NULL;
	return r;
}

static int done_wait(struct cli *cli, const char *object, struct ipckit_sem *sem, unsigned count)
{
	if (!cli_prints(cli)) {
		ipckit_sem_close(sem);
		return CLI_OK;
	}
	taken = (struct taken){ .sem = sem, .count = count };
	cli_undo_with(cli, end_wait, &taken);
	return semctl_done(cli, object, ipckit_sem_backend(sem), ipckit_known(count), ipckit_unknown());
}

static int run(struct cli *cli)
{
	const char *object = cli->operands[0];
	struct ipckit_deadline deadline;
	struct ipckit_sem *sem;
	int64_t timeout = IPCKIT_FOREVER;
	uint64_t count = 1;
	int r = cli_count(cli, "--count", count_text, 1, UINT64_MAX, &count);

	if (!r)
		r = cli_duration(cli, "--timeout", timeout_text, &timeout);
	if (!r)
		r = cli_sem_open(cli, object, 0, &sem);
	if (r)
		return r;
	r = semctl_check_count(cli, object, ipckit_sem_backend(sem), count);
	if (!r) {
		r = cli_deadline(timeout, &deadline) ?: take(sem, (unsigned)count, &deadline);
		if (!r)
			return done_wait(cli, object, sem, (unsigned)count);
		r = cli_sem_fail_wait(cli, object, sem, r, timeout_text);
	}
	ipckit_sem_close(sem);
	return r;
}

const struct cli_verb semctl_wait = {
	.name = "wait",
	.alias = "p",
	.operands = "OBJECT",
	.summary = "take permits, all or none",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &semctl_done_table,
	.run = run,
};
