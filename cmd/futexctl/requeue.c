/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bare.h"

static char *wake_text, *move_text;

static const struct poptOption options[] = {
	{ "wake", 'w', POPT_ARG_STRING, &wake_text, 0, "wake so many (default 1)", "N|all" },
	{ "move", 'm', POPT_ARG_STRING, &move_text, 0,
	  "have so many others sleep on DST (default all, as a broadcast to a condition variable does)", "N|all" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)futexctl_flag_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct requeue {
	struct futexctl_word from, to;
	uint32_t wake, move;
	unsigned flags;
	unsigned affected, woken, moved;
};

#define ROW(member) .offset = offsetof(struct requeue, member)

static const struct cli_field fields[] = {
	{ "word", .type = CLI_STRING, ROW(from.text), .summary = "the word as it was named" },
	{ "to", .type = CLI_STRING, ROW(to.text), .summary = "the word that they were moved to" },
	{ "affected", .type = CLI_UINT, ROW(affected), .summary = "how many were woken or moved" },
	{ "woken", .type = CLI_UINT, ROW(woken), .summary = "how many of them were woken, which go first" },
	{ "moved", .type = CLI_UINT, ROW(moved), .summary = "how many of them sleep on the other word now" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct requeue), "words", NULL };

static int read_options(struct cli *cli, unsigned takes, struct requeue *out)
{
	*out = (struct requeue){ .wake = 1, .move = IPCKIT_FUTEX_ALL };
	return futexctl_many(cli, "--wake", wake_text, &out->wake) ?:
	       futexctl_many(cli, "--move", move_text, &out->move) ?: futexctl_flags(cli, takes, &out->flags);
}

/* The kernel gives the sum, and wakes as many as it may before it moves the first. */
static int done(struct cli *cli, struct requeue *requeue)
{
	requeue->woken = requeue->affected < requeue->wake ? requeue->affected : requeue->wake;
	requeue->moved = requeue->affected - requeue->woken;
	return cli_emit_record(cli, &table, requeue);
}

static void close_both(struct requeue *requeue)
{
	futexctl_close(&requeue->from);
	futexctl_close(&requeue->to);
}

static int run(struct cli *cli)
{
	struct requeue requeue;
	int r = read_options(cli, IPCKIT_FUTEX_PRIVATE, &requeue) ?:
		bare_open_two_to_read(cli, &requeue.from, &requeue.to);

	if (r)
		return r;
	r = ipckit_futex_requeue(requeue.from.at, requeue.to.at, requeue.wake, requeue.move, requeue.flags,
				 &requeue.affected);
	r = r ? futexctl_fail(cli, requeue.from.text, r) : done(cli, &requeue);
	close_both(&requeue);
	return r;
}

static int run_cmp(struct cli *cli)
{
	struct requeue requeue;
	uint32_t expected;
	int r = futexctl_value(cli, "EXPECTED", cli->operands[2], &expected) ?:
		read_options(cli, IPCKIT_FUTEX_PRIVATE | IPCKIT_FUTEX_2, &requeue) ?:
		bare_open_two_to_read(cli, &requeue.from, &requeue.to);

	if (r)
		return r;
	r = ipckit_futex_cmp_requeue(requeue.from.at, requeue.to.at, expected, requeue.wake, requeue.move,
				     requeue.flags, &requeue.affected);
	r = r ? bare_fail(cli, &requeue.from, expected, NULL, r) : done(cli, &requeue);
	close_both(&requeue);
	return r;
}

const struct cli_verb futexctl_requeue = {
	.name = "requeue",
	.operands = "SRC DST",
	.summary = "wake some of those that sleep on SRC, and have others sleep on DST: FUTEX_REQUEUE",
	.least = 2,
	.most = 2,
	.flags = CLI_ANSWERS,
	.options = options,
	.table = &table,
	.run = run,
};

const struct cli_verb futexctl_cmp_requeue = {
	.name = "cmp-requeue",
	.operands = "SRC DST EXPECTED",
	.summary = "the same, if SRC is EXPECTED; else status 1: FUTEX_CMP_REQUEUE",
	.least = 3,
	.most = 3,
	.flags = CLI_ANSWERS | CLI_NEGATIVE,
	.options = options,
	.table = &table,
	.run = run_cmp,
};
