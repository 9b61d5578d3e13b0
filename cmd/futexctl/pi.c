/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pi.h"

#include <errno.h>
#include <ipckit/mutex.h>
#include <stdlib.h>
#include <string.h>

static char *timeout_text, *clock_text;
static int keep_running;

static const struct poptOption lock_options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time (status 124); 0: only try",
	  "DURATION" },
	{ "clock", 0, POPT_ARG_STRING, &clock_text, 0,
	  "that the kernel counts it on: monotonic (FUTEX_LOCK_PI2, the default), realtime (FUTEX_LOCK_PI)",
	  "realtime|monotonic" },
	{ "keep-running", 0, POPT_ARG_NONE, &keep_running, 0, FUTEXCTL_KEEP_RUNNING, NULL },
	POPT_TABLEEND
};

static const struct poptOption trylock_options[] = {
	{ "keep-running", 0, POPT_ARG_NONE, &keep_running, 0, FUTEXCTL_KEEP_RUNNING, NULL },
	POPT_TABLEEND
};

/* ---- taking, and what follows ---- */

int pi_fail(struct cli *cli, const struct futexctl_word *word, int error, const struct futexctl_until *until)
{
	switch (error) {
	case -EPERM:
		return cli_fail(cli, word->text, error, "the word names a kernel thread as its owner");
	case -ESRCH:
		return cli_fail(cli, word->text, error,
				"its owner is gone, and the kernel was not told, or in another PID namespace: it stays "
				"locked until it gives it back, or the word is set to 0 (futexctl set)");
	case -EINVAL:
		return cli_fail(cli, word->text, error, PI_MIXED);
	case -EDEADLK:
		return cli_fail(cli, word->text, error,
				"a deadlock: this run has it already, or its owner waits, in the end, for a lock that this "
				"run holds");
	case -EOPNOTSUPP:
		return cli_fail(cli, word->text, error, "the word lies in huge pages: it cannot be held beside others");
	default:
		return futexctl_fail_lock(cli, word, error, until);
	}
}

static int give(struct cli *cli, const struct futexctl_run *run, int status)
{
	futexctl_warn_taken(cli, run, ipckit_pi_unlock(run->held));
	return status;
}

int pi_run(struct cli *cli, struct ipckit_pi *pi, struct futexctl_run *run)
{
	run->give = give;
	run->give_up = ipckit_pi_give_up;
	run->held = pi;
	return futexctl_run(cli, run);
}

/* The words and whether their owners died, as ipckit_pi_lock_words() has them. */
struct order {
	struct ipckit_word **words;
	bool *owner_died;
};

static int make_order(const struct futexctl_word *words, unsigned count, struct order *out)
{
	struct order order = { calloc(count, sizeof(*order.words)), calloc(count, sizeof(*order.owner_died)) };

	if (!order.words || !order.owner_died) {
		free(order.words);
		free(order.owner_died);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < count; i++)
		order.words[i] = words[i].word;
	*out = order;
	return 0;
}

static int lock_in_order(struct futexctl_word *words, unsigned count, unsigned flags,
			 const struct ipckit_deadline *deadline, unsigned *failed, struct ipckit_pi **out)
{
	struct order order;
	int r = make_order(words, count, &order);

	if (r)
		return r;
	r = ipckit_pi_lock_words(order.words, count, flags, deadline, order.owner_died, failed, out);
	for (unsigned i = 0; i < count; i++)
		words[i].owner_died = order.owner_died[i];
	free(order.words);
	free(order.owner_died);
	return r;
}

int futexctl_run_pi(struct cli *cli, struct futexctl_word *words, unsigned count, unsigned flags,
		    const struct futexctl_until *until, bool keep)
{
	struct futexctl_run run = { .words = words, .count = count, .until = until, .keep_running = keep };
	struct ipckit_pi *pi;
	unsigned failed = 0;
	int r;

	futexctl_undo_by(ipckit_pi_give_up);
	r = lock_in_order(words, count, flags, &until->deadline, &failed, &pi);
	if (!r)
		return pi_run(cli, pi, &run);
	r = pi_fail(cli, &words[failed], r, until);
	futexctl_close_all(words, count);
	return r;
}

/* ---- verbs ---- */

static int read_clock(struct cli *cli, unsigned *flags)
{
	*flags = 0;
	if (!clock_text || !strcmp(clock_text, "monotonic"))
		return 0;
	if (strcmp(clock_text, "realtime"))
		return cli_usage(cli, "--clock", "\"%s\" is neither realtime nor monotonic", clock_text);
	*flags = IPCKIT_FUTEX_REALTIME;
	return 0;
}

static int lock_and_run(struct cli *cli, struct futexctl_word *words, unsigned flags,
			const struct futexctl_until *until)
{
	unsigned count = 0;
	int r = 0;

	while (!r && count < (unsigned)cli->noperands) {
		r = futexctl_open_to_lock(cli, cli->operands[count], true, &words[count]);
		count += !r;
	}
	if (!r)
		return futexctl_run_pi(cli, words, count, flags, until, keep_running);
	futexctl_close_all(words, count);
	return r;
}

static int lock_all(struct cli *cli, unsigned flags, const struct futexctl_until *until)
{
	struct futexctl_word *words = calloc((size_t)cli->noperands, sizeof(*words));
	int r = words ? lock_and_run(cli, words, flags, until) : futexctl_fail(cli, NULL, -ENOMEM);

	free(words);
	return r;
}

static int run_lock(struct cli *cli)
{
	struct futexctl_until until;
	unsigned flags;

	return read_clock(cli, &flags) ?: futexctl_until(cli, timeout_text, NULL, &until) ?:
	       lock_all(cli, flags, &until);
}

static int run_trylock(struct cli *cli)
{
	struct futexctl_until until;

	return futexctl_until(cli, "0", NULL, &until) ?: lock_all(cli, 0, &until);
}

/* ---- the bare operation ---- */

struct unlocked {
	const char *text;
	int64_t value;
};

#define UNLOCKED(member) .offset = offsetof(struct unlocked, member)

static const struct cli_field fields[] = {
	{ "word", .type = CLI_STRING, UNLOCKED(text), .summary = "the word as it was named" },
	{ "value", .type = CLI_INTEGER, UNLOCKED(value), .summary = "its value afterwards" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct unlocked), "words", NULL };

static int fail_unlock(struct cli *cli, const struct futexctl_word *word, int error)
{
	if (error == -EPERM)
		return cli_fail(cli, word->text, error, "the word does not name this thread as its owner");
	if (error == -EINVAL)
		return cli_fail(cli, word->text, error, PI_MIXED);
	return futexctl_fail(cli, word->text, error);
}

static int run_unlock(struct cli *cli)
{
	struct futexctl_word word;
	struct unlocked row;
	unsigned flags;
	int r = futexctl_flags(cli, IPCKIT_FUTEX_PRIVATE, &flags) ?: futexctl_open(cli, cli->operands[0], &word);

	if (r)
		return r;
	r = ipckit_futex_unlock_pi(word.at, flags);
	row = (struct unlocked){ word.text, __atomic_load_n(word.at, __ATOMIC_RELAXED) };
	r = r ? fail_unlock(cli, &word, r) : cli_emit_record(cli, &table, &row);
	futexctl_close(&word);
	return r;
}

const struct cli_verb futexctl_lock_pi = {
	.name = "lock-pi",
	.operands = "WORD...",
	.summary = "run COMMAND while holding locks that lend priority, taken in this order: FUTEX_LOCK_PI",
	.least = 1,
	.most = -1,
	.flags = CLI_COMMAND,
	.options = lock_options,
	.run = run_lock,
};

const struct cli_verb futexctl_trylock_pi = {
	.name = "trylock-pi",
	.operands = "WORD",
	.summary = "the same, if nobody has it, else status 124: FUTEX_TRYLOCK_PI",
	.least = 1,
	.most = 1,
	.flags = CLI_COMMAND,
	.options = trylock_options,
	.run = run_trylock,
};

const struct cli_verb futexctl_unlock_pi = {
	.name = "unlock-pi",
	.operands = "WORD",
	.summary = "the bare operation, for seeing its errors: FUTEX_UNLOCK_PI",
	.least = 1,
	.most = 1,
	.options = futexctl_flag_options,
	.table = &table,
	.run = run_unlock,
};
