/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"
#include "../cli/stop.h"

#include <errno.h>
#include <ipckit/lock.h>

static char *timeout_text;

static const struct poptOption lock_options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time, with status 1; 0: as trylock",
	  "DURATION" },
	POPT_TABLEEND
};

struct row {
	const char *word;
};

#define ROW(member) .offset = offsetof(struct row, member)

static const struct cli_field fields[] = {
	{ "word", .type = CLI_STRING, ROW(word), .summary = "the word as it was named" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct row), "locks", NULL };

/* By what it is now: only a hint, since others go on. */
static int fail(struct cli *cli, const struct futexctl_word *word, int error, const struct futexctl_until *until)
{
	switch (error) {
	case -EAGAIN:
		return cli_fail(cli, word->text, error, "is held");
	case -EPERM:
		/* As of a word that differs: nobody was forbidden anything. */
		return cli_fail(cli, word->text, EAGAIN, "is not locked");
	case -EBADMSG:
		return cli_fail(cli, word->text, error, "no such lock: the word is %u, not 0, 1 or 2",
				__atomic_load_n(word->at, __ATOMIC_RELAXED));
	}
	return futexctl_fail_wait(cli, word->text, error, until);
}

/* ---- locking ---- */

static struct futexctl_word locked;

/* Nobody got to know that it is locked, and so nobody would unlock it. */
static int give_back(void *arg, bool written)
{
	struct futexctl_word *word = arg;
	int r = written ? 0 : ipckit_lock_give(word->at);

	futexctl_close(word);
	return r;
}

static int await(void *arg, const struct ipckit_deadline *part)
{
	const struct futexctl_word *word = arg;

	return ipckit_lock_take(word->at, part);
}

/* Whoever is ended by a signal has not locked it: its script would not unlock it. */
static int lock_or_die(struct futexctl_word *word, struct ipckit_deadline *deadline)
{
	struct ipckit_deadline caught;
	int r = cli_deadline(IPCKIT_FOREVER, &caught);

	deadline->stop = caught.stop;
	r = r ?: futexctl_wait_in_parts(word, deadline, await, word);
	if (!r && !cli_stop_commit())
		r = ipckit_lock_give(word->at) ?: -EINTR;
	if (r == -EINTR)
		cli_stop_die();
	return r;
}

static int take(struct cli *cli, const char *timeout)
{
	const struct row row = { .word = cli->operands[0] };
	struct futexctl_until until;
	int r = futexctl_until(cli, timeout, NULL, &until) ?: futexctl_open(cli, row.word, &locked);

	if (r)
		return r;
	r = lock_or_die(&locked, &until.deadline);
	if (r)
		r = fail(cli, &locked, r, &until);
	if (r || !cli_prints(cli)) {
		futexctl_close(&locked);
		return r;
	}
	cli_undo_with(cli, give_back, &locked);
	return cli_emit_record(cli, &table, &row);
}

static int run_lock(struct cli *cli)
{
	return take(cli, timeout_text);
}

static int run_trylock(struct cli *cli)
{
	return take(cli, "0");
}

/* ---- unlocking ---- */

static int run_unlock(struct cli *cli)
{
	const struct row row = { .word = cli->operands[0] };
	struct futexctl_word word;
	int r = futexctl_open(cli, row.word, &word);

	if (r)
		return r;
	r = ipckit_lock_give(word.at);
	r = r ? fail(cli, &word, r, &(struct futexctl_until){ 0 }) : cli_emit_record(cli, &table, &row);
	futexctl_close(&word);
	return r;
}

const struct cli_verb futexctl_lock = {
	.name = "lock",
	.operands = "WORD",
	.summary = "lock a word (0 free, 1 held, 2 held and waited for) until some command unlocks it",
	.least = 1,
	.most = 1,
	.options = lock_options,
	.table = &table,
	.run = run_lock,
};

const struct cli_verb futexctl_trylock = {
	.name = "trylock",
	.operands = "WORD",
	.summary = "the same without waiting: status 1 where it is held",
	.least = 1,
	.most = 1,
	.table = &table,
	.run = run_trylock,
};

const struct cli_verb futexctl_unlock = {
	.name = "unlock",
	.operands = "WORD",
	.summary = "unlock it, whoever locked it, and wake one that waits; status 1 where it is not locked",
	.least = 1,
	.most = 1,
	.table = &table,
	.run = run_unlock,
};
