/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The waits that take nothing: for all parties, and for the value 0. */

#include "semctl.h"
#include "../cli/stop.h"

#include <errno.h>

static char *timeout_text;

static const struct poptOption options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time; 0: only try", "DURATION" },
	POPT_TABLEEND
};

typedef int (*wait_call)(struct ipckit_sem *sem, const struct ipckit_deadline *deadline);

/* mismatch: what EBADMSG means of this call, or NULL. */
static int run(struct cli *cli, wait_call call, const char *mismatch)
{
	const char *object = cli->operands[0];
	struct ipckit_deadline deadline;
	struct ipckit_sem *sem;
	int64_t timeout = IPCKIT_FOREVER;
	int r = cli_duration(cli, "--timeout", timeout_text, &timeout);

	if (!r)
		r = cli_sem_open(cli, object, 0, &sem);
	if (r)
		return r;
	r = cli_deadline(timeout, &deadline) ?: call(sem, &deadline);
	if (!r)
		r = semctl_done(cli, object, ipckit_sem_backend(sem), ipckit_unknown(), ipckit_unknown());
	else if (r == -EBADMSG && mismatch)
		r = cli_fail(cli, object, r, "%s", mismatch);
	else
		r = cli_sem_fail_wait(cli, object, sem, r, timeout_text);
	ipckit_sem_close(sem);
	return r;
}

static int run_barrier(struct cli *cli)
{
	return run(cli, ipckit_sem_barrier, "not a barrier (create --barrier PARTIES makes one)");
}

static int run_wait_zero(struct cli *cli)
{
	return run(cli, ipckit_sem_wait_zero, NULL);
}

const struct cli_verb semctl_barrier = {
	.name = "barrier",
	.operands = "OBJECT",
	.summary = "wait until all parties have arrived (System V, create --barrier)",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &semctl_done_table,
	.run = run_barrier,
};

const struct cli_verb semctl_wait_zero = {
	.name = "wait-zero",
	.operands = "OBJECT",
	.summary = "wait until the value is 0 (System V)",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &semctl_done_table,
	.run = run_wait_zero,
};
