/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bare.h"
#include "pi.h"

#include <errno.h>

/* ---- wait-requeue-pi ---- */

static char *timeout_text;
static int keep_running;

static const struct poptOption wait_options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time (status 124)", "DURATION" },
	{ "keep-running", 0, POPT_ARG_NONE, &keep_running, 0, FUTEXCTL_KEEP_RUNNING, NULL },
	POPT_TABLEEND
};

static int fail_wait(struct cli *cli, const struct futexctl_word *word, const struct futexctl_word *lock,
		     uint32_t value, const struct futexctl_until *until, int error)
{
	/* It ended before the word was looked at. */
	if (error == -EAGAIN && until->deadline.kind == IPCKIT_DEADLINE_TRY)
		return futexctl_fail(cli, word->text, error);
	if (error == -EAGAIN || error == -ETIMEDOUT)
		return bare_fail(cli, word, value, until, error);
	if (error == -EINVAL)
		return cli_fail(cli, word->text, error,
				"not valid here: both are one word, or others sleep on one by other operations");
	return pi_fail(cli, lock, error, until);
}

static int wait_and_run(struct cli *cli, struct futexctl_word *word, struct futexctl_word *lock, uint32_t value,
			const struct futexctl_until *until)
{
	struct futexctl_run run = { .words = lock, .count = 1, .until = until, .keep_running = keep_running };
	struct ipckit_pi *pi;
	int r = ipckit_pi_wait(word->at, value, lock->at, 0, &until->deadline, &lock->owner_died, &pi);

	if (r) {
		r = fail_wait(cli, word, lock, value, until, r);
		futexctl_close(lock);
	}
	futexctl_close(word);
	return r ? r : pi_run(cli, pi, &run);
}

static int open_both(struct cli *cli, struct futexctl_word *word, struct futexctl_word *lock)
{
	int r = futexctl_open(cli, cli->operands[0], word);

	if (r)
		return r;
	r = futexctl_open_to_lock(cli, cli->operands[2], true, lock);
	if (r)
		futexctl_close(word);
	return r;
}

static int run_wait(struct cli *cli)
{
	struct futexctl_word word, lock;
	struct futexctl_until until;
	uint32_t value;
	int r = futexctl_until(cli, timeout_text, NULL, &until) ?:
		futexctl_value(cli, "VALUE", cli->operands[1], &value) ?: open_both(cli, &word, &lock);

	return r ?: wait_and_run(cli, &word, &lock, value, &until);
}

/* ---- cmp-requeue-pi ---- */

static char *move_text;

static const struct poptOption requeue_options[] = {
	{ "move", 'm', POPT_ARG_STRING, &move_text, 0,
	  "have so many beside the first wait for PIWORD (default all, as a broadcast to a condition variable does)",
	  "N|all" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)futexctl_flag_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct requeue {
	struct futexctl_word word, lock;
	uint32_t expected, move;
	unsigned flags, affected;
};

#define ROW(member) .offset = offsetof(struct requeue, member)

static const struct cli_field fields[] = {
	{ "word", .type = CLI_STRING, ROW(word.text), .summary = "the word as it was named" },
	{ "to", .type = CLI_STRING, ROW(lock.text), .summary = "the lock that they were moved to" },
	{ "affected", .type = CLI_UINT, ROW(affected), .summary = "how many got the lock, or wait for it now" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct requeue), "words", NULL };

static int fail_requeue(struct cli *cli, const struct requeue *requeue, int error)
{
	static const struct futexctl_until none;

	switch (error) {
	case -EAGAIN:
		return bare_fail(cli, &requeue->word, requeue->expected, NULL, error);
	case -EINVAL:
		return cli_fail(cli, requeue->word.text, error,
				"not valid here: those that sleep on it did not name this lock (wait-requeue-pi), or "
				"both are one word");
	default:
		return pi_fail(cli, &requeue->lock, error, &none);
	}
}

static int requeue_waiters(struct cli *cli, struct requeue *requeue)
{
	int r = futexctl_check_owner(cli, &requeue->lock, true);

	if (r)
		return r;
	r = ipckit_futex_cmp_requeue_pi(requeue->word.at, requeue->lock.at, requeue->expected, requeue->move,
					requeue->flags, &requeue->affected);
	return r ? fail_requeue(cli, requeue, r) : cli_emit_record(cli, &table, requeue);
}

static int run_requeue(struct cli *cli)
{
	struct requeue requeue = { .move = IPCKIT_FUTEX_ALL };
	int r = futexctl_value(cli, "EXPECTED", cli->operands[2], &requeue.expected) ?:
		futexctl_many(cli, "--move", move_text, &requeue.move) ?:
		futexctl_flags(cli, IPCKIT_FUTEX_PRIVATE, &requeue.flags) ?:
		bare_open_two(cli, &requeue.word, &requeue.lock);

	if (r)
		return r;
	r = requeue_waiters(cli, &requeue);
	futexctl_close(&requeue.word);
	futexctl_close(&requeue.lock);
	return r;
}

const struct cli_verb futexctl_wait_requeue_pi = {
	.name = "wait-requeue-pi",
	.operands = "WORD VALUE PIWORD",
	.summary = "sleep while WORD is VALUE, until moved to the lock PIWORD, and run COMMAND holding it",
	.least = 3,
	.most = 3,
	.flags = CLI_COMMAND | CLI_NEGATIVE,
	.options = wait_options,
	.run = run_wait,
};

const struct cli_verb futexctl_cmp_requeue_pi = {
	.name = "cmp-requeue-pi",
	.operands = "WORD PIWORD EXPECTED",
	.summary = "if WORD is EXPECTED, give the lock PIWORD to one that sleeps there, or have it wait for it",
	.least = 3,
	.most = 3,
	.flags = CLI_ANSWERS | CLI_NEGATIVE,
	.options = requeue_options,
	.table = &table,
	.run = run_requeue,
};
