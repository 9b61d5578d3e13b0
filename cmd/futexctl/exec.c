/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

#include <ipckit/mutex.h>

static char *timeout_text;
static int pi, keep_running;

static const struct poptOption options[] = {
	{ "pi", 0, POPT_ARG_NONE, &pi, 0, "lend the holder the priority of who waits (FUTEX_LOCK_PI)", NULL },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time (status 124); 0: only try",
	  "DURATION" },
	{ "keep-running", 0, POPT_ARG_NONE, &keep_running, 0, FUTEXCTL_KEEP_RUNNING, NULL },
	POPT_TABLEEND
};

static int give(struct cli *cli, const struct futexctl_run *run, int status)
{
	futexctl_warn_taken(cli, run, ipckit_mutex_unlock(run->held));
	return status;
}

static int take(void *arg, const struct ipckit_deadline *part)
{
	struct futexctl_run *run = arg;
	struct ipckit_mutex *mutex;
	int r = ipckit_mutex_lock(run->words->at, part, &run->words->owner_died, &mutex);

	if (r)
		return r;
	/* One of a file that was removed keeps nobody out who came later. */
	r = ipckit_word_check(run->words->word);
	if (r)
		ipckit_mutex_unlock(mutex);
	run->held = mutex;
	return r;
}

static int run_locked(struct cli *cli, struct futexctl_word *word, const struct futexctl_until *until)
{
	struct futexctl_run held = {
		.words = word, .count = 1, .until = until, .keep_running = keep_running, .give = give
	};
	int r = futexctl_wait_in_parts(word, &until->deadline, take, &held);

	if (!r)
		return futexctl_run(cli, &held);
	r = futexctl_fail_lock(cli, word, r, until);
	futexctl_close(word);
	return r;
}

static int run(struct cli *cli)
{
	struct futexctl_until until;
	struct futexctl_word word;
	int r = futexctl_until(cli, timeout_text, NULL, &until) ?:
		futexctl_open_to_lock(cli, cli->operands[0], pi, &word);

	if (r)
		return r;
	return pi ? futexctl_run_pi(cli, &word, 1, 0, &until, keep_running) : run_locked(cli, &word, &until);
}

const struct cli_verb futexctl_exec = {
	.name = "exec",
	.operands = "WORD",
	.summary = "run COMMAND while holding a robust mutex",
	.least = 1,
	.most = 1,
	.flags = CLI_COMMAND,
	.options = options,
	.run = run,
};
