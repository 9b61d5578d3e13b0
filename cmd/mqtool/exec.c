/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pool.h"
#include "../cli/command.h"
#include "../cli/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

static char *parallel_text, *count_text, *timeout_text, *dead_letter;
static int all, requeue;

static const struct poptOption options[] = {
	{ "parallel", 'P', POPT_ARG_STRING, &parallel_text, 0, "run so many commands at a time (default 1)", "N" },
	{ "count", 'c', POPT_ARG_STRING, &count_text, 0, "end after so many messages (default: go on)", "N" },
	{ "all", 'a', POPT_ARG_NONE, &all, 0, "end when no message is there", NULL },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "end when none comes for this time (status 124)", "DURATION" },
	{ "requeue", 0, POPT_ARG_NONE, &requeue, 0, "send a message back whose command failed", NULL },
	{ "dead-letter", 0, POPT_ARG_STRING, &dead_letter, 0, "send it to this queue", "OBJECT" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)taking_select_options, 0, NULL, NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)taking_journal_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct worked {
	const char *object;
	const char *backend;
	int64_t messages, failed, requeued, dead_lettered;
};

#define WORKED(member) .offset = offsetof(struct worked, member)

static const struct cli_field fields[] = {
	{ "object", .type = CLI_STRING, WORKED(object), .summary = "the queue as it was named" },
	{ "backend", .type = CLI_STRING, WORKED(backend), .summary = "posix or sysv" },
	{ "messages", .type = CLI_INTEGER, WORKED(messages), .summary = "commands that were run" },
	{ "failed", .type = CLI_INTEGER, WORKED(failed), .summary = "those that failed" },
	{ "requeued", .type = CLI_INTEGER, WORKED(requeued), .summary = "messages that were sent back for it" },
	{ "dead_lettered", .type = CLI_INTEGER, WORKED(dead_lettered), .summary = "messages that were sent to --dead-letter" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct worked), "queues", NULL };

static int open_dead_letter(struct cli *cli, struct pool *pool)
{
	int r;

	if (!dead_letter)
		return 0;
	r = mqtool_open(cli, dead_letter, IPCKIT_MQ_SEND, &pool->dead);
	if (r)
		return r;
	pool->dead_object = dead_letter;
	if (ipckit_mq_backend(pool->dead) != ipckit_mq_backend(pool->taking.mq))
		return cli_usage(cli, dead_letter, "a priority is no type: both queues have to be POSIX, or both System V");
	if (ipckit_mq_same(pool->dead, pool->taking.mq))
		return cli_usage(cli, dead_letter, "this is the queue itself: what --requeue is for");
	return 0;
}

static int read_options(struct cli *cli, struct pool *pool)
{
	uint64_t parallel = 1;
	int r;

	if (requeue && dead_letter)
		return cli_usage(cli, NULL, "--requeue and --dead-letter exclude each other");
	if (count_text && all)
		return cli_usage(cli, NULL, "--count and --all exclude each other");
	*pool = (struct pool){ .cli = cli, .count = UINT64_MAX, .all = all, .requeue = requeue, .timeout = IPCKIT_FOREVER,
			       .timeout_text = timeout_text };
	if (all)
		pool->timeout = 0;
	r = cli_count(cli, "--parallel", parallel_text, 1, 65536, &parallel) ?:
	    cli_count(cli, "--count", count_text, 1, UINT64_MAX, &pool->count) ?:
	    cli_duration(cli, "--timeout", timeout_text, &pool->timeout);
	pool->parallel = (size_t)parallel;
	return r;
}

static int tell(struct pool *pool)
{
	const struct worked row = {
		.object = pool->taking.object,
		.backend = ipckit_mq_backend_name(ipckit_mq_backend(pool->taking.mq)),
		.messages = (int64_t)pool->messages,
		.failed = (int64_t)pool->failed,
		.requeued = (int64_t)pool->requeued,
		.dead_lettered = (int64_t)pool->dead_lettered,
	};

	return cli_emit_record(pool->cli, &table, &row);
}

static int work(struct cli *cli, struct pool *pool)
{
	int r;

	pool->workers = calloc(pool->parallel, sizeof(*pool->workers));
	if (!pool->workers)
		return cli_fail(cli, NULL, ENOMEM, NULL);
	/* Ignored, as it may be inherited, it would take the commands' statuses away. */
	signal(SIGCHLD, SIG_DFL);
	r = pool_work(pool);
	if (pool->stopped)
		return r;
	/* What was done is told, whatever else went wrong. */
	if (pool->messages)
		cli_keep_results(cli);
	r = tell(pool) ?: r;
	return r;
}

static int run(struct cli *cli)
{
	struct pool pool;
	int stopped, r = read_options(cli, &pool) ?: cli_check_command(cli);

	if (r)
		return r;
	r = taking_open(cli, cli->operands[0], &pool.taking) ?: (requeue ? taking_check_back(&pool.taking) : 0) ?:
	    open_dead_letter(cli, &pool) ?: work(cli, &pool);
	stopped = pool.stopped;
	ipckit_mq_close(pool.dead);
	taking_close(&pool.taking);
	free(pool.workers);
	if (stopped)
		cli_die_by(stopped);
	return r;
}

const struct cli_verb mqtool_exec = {
	.name = "exec",
	.operands = "OBJECT",
	.summary = "run COMMAND once for each message, which is its standard input",
	.least = 1,
	.most = 1,
	.flags = CLI_COMMAND,
	.options = options,
	.table = &table,
	.run = run,
};
