/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

#include <errno.h>

static char *timeout_text;

static const struct poptOption options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time; 0: only try", "DURATION" },
	POPT_TABLEEND
};

static int wait_for_all(struct cli *cli, const char *object, struct ipckit_sem *sem, int64_t timeout)
{
	struct ipckit_deadline deadline;
	int r = cli_deadline(timeout, &deadline) ?: ipckit_sem_barrier(sem, &deadline);

	if (r == -EBADMSG)
		return cli_fail(cli, object, r, "not a barrier (create --barrier PARTIES makes one)");
	if (r)
		return semctl_fail_wait(cli, object, sem, r, timeout_text);
	return semctl_done(cli, object, ipckit_sem_backend(sem), ipckit_unknown(), ipckit_unknown());
}

static int run(struct cli *cli)
{
	const char *object = cli->operands[0];
	struct ipckit_sem *sem;
	int64_t timeout = IPCKIT_FOREVER;
	int r = cli_duration(cli, "--timeout", timeout_text, &timeout);

	if (!r)
		r = semctl_open(cli, object, 0, &sem);
	if (r)
		return r;
	r = wait_for_all(cli, object, sem, timeout);
	ipckit_sem_close(sem);
	return r;
}

const struct cli_verb semctl_barrier = {
	.name = "barrier",
	.operands = "OBJECT",
	.summary = "wait until all parties have arrived (System V, create --barrier)",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &semctl_done_table,
	.run = run,
};
