/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"
#include "../cli/command.h"
#include "../cli/stop.h"

#include <errno.h>
#include <stdlib.h>

static char *timeout_text;

static const struct poptOption options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time; 0: only try", "DURATION" },
	POPT_TABLEEND
};

struct vector {
	struct ipckit_sem_op *ops;
	size_t n;
	bool undo;
};

static int add(struct cli *cli, struct vector *vector, const struct ipckit_sem_op_range *range)
{
	size_t more = range->last - range->first + 1;
	struct ipckit_sem_op *ops = reallocarray(vector->ops, vector->n + more, sizeof(*ops));

	if (!ops)
		return cli_fail(cli, cli->operands[0], ENOMEM, NULL);
	for (size_t i = 0; i < more; i++) {
		ops[vector->n + i] = range->op;
		ops[vector->n + i].index = range->first + (unsigned)i;
	}
	vector->ops = ops;
	vector->n += more;
	vector->undo |= range->op.undo;
	return 0;
}

static int read_vector(struct cli *cli, struct vector *vector)
{
	for (int i = 1; i < cli->noperands; i++) {
		struct ipckit_sem_op_range range;
		int r = ipckit_sem_parse_op(cli->operands[i], &range);

		if (r == -ERANGE)
			return cli_usage(cli, cli->operands[0],
					 "OP: \"%s\" is out of range (index to 65535, N from 1 to 32767)",
					 cli->operands[i]);
		if (r)
			return cli_usage(cli, cli->operands[0],
					 "OP: \"%s\" is not an operation (IDX[-IDX]:+N, :-N or :0, then n, u)",
					 cli->operands[i]);
		r = add(cli, vector, &range);
		if (r)
			return r;
	}
	if (vector->undo && !cli->command)
		return cli_usage(cli, cli->operands[0],
				 "u needs -- COMMAND: an undo of a process that ends at once undoes itself");
	return 0;
}

/*
 * Takes back what the vector did, last first: where a signal came just then, or COMMAND
 * could not be run. What others have taken since cannot be had back.
 */
static void reverse(struct ipckit_sem *sem, const struct vector *vector)
{
	const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };
	struct ipckit_sem_op *ops = calloc(vector->n, sizeof(*ops));
	size_t n = 0;

	for (size_t i = vector->n; ops && i > 0; i--) {
		if (vector->ops[i - 1].delta == 0)
			continue;
		ops[n] = vector->ops[i - 1];
		ops[n++].delta = -vector->ops[i - 1].delta;
	}
	if (n)
		(void)!ipckit_sem_operate(sem, ops, n, &now);
	free(ops);
}

static int operate(struct ipckit_sem *sem, struct vector *vector, int64_t timeout)
{
	struct ipckit_deadline deadline;
	int r = cli_deadline(timeout, &deadline) ?: ipckit_sem_operate(sem, vector->ops, vector->n, &deadline);

	if (r || cli_stop_commit())
		return r;
	reverse(sem, vector);
	return -EINTR;
}

static int fail(struct cli *cli, const struct ipckit_sem *sem, int error)
{
	const char *object = cli->operands[0];

	if (error == -EFBIG)
		return cli_usage(cli, object, "an index is beyond the set's %u semaphore%s",
				 ipckit_sem_count(sem), ipckit_sem_count(sem) == 1 ? "" : "s");
	return cli_sem_fail_wait(cli, object, sem, error, timeout_text);
}

static int run_opened(struct cli *cli, struct ipckit_sem *sem, struct vector *vector, int64_t timeout)
{
	int r = operate(sem, vector, timeout);

	if (r)
		return fail(cli, sem, r);
	if (cli->command) {
		r = cli_become(cli);
		reverse(sem, vector);
		return r;
	}
	return semctl_done(cli, cli->operands[0], ipckit_sem_backend(sem), ipckit_unknown(), ipckit_unknown());
}

static int run(struct cli *cli)
{
	struct vector vector = { 0 };
	struct ipckit_sem *sem;
	int64_t timeout = IPCKIT_FOREVER;
	int r = cli_duration(cli, "--timeout", timeout_text, &timeout);

	if (!r)
		r = read_vector(cli, &vector);
	if (!r)
		r = cli_sem_open(cli, cli->operands[0], 0, &sem);
	if (!r) {
		r = run_opened(cli, sem, &vector, timeout);
		ipckit_sem_close(sem);
	}
	free(vector.ops);
	return r;
}

const struct cli_verb semctl_op = {
	.name = "op",
	.operands = "OBJECT OP...",
	.summary = "do a vector of operations, all or nothing (System V)",
	.least = 2,
	.most = -1,
	.flags = CLI_COMMAND_MAY | CLI_NEGATIVE,
	.options = options,
	.table = &semctl_done_table,
	.run = run,
};
