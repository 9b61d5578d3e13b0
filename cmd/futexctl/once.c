/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

#include <ipckit/once.h>

static char *timeout_text;

static const struct poptOption options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0,
	  "give up after this time (status 124), where another one is at it; 0: only look", "DURATION" },
	POPT_TABLEEND
};

/* What has failed is not done. */
static int give(struct cli *cli, const struct futexctl_run *run, int status)
{
	futexctl_warn_taken(cli, run, ipckit_once_end(run->held, status == 0));
	return status;
}

/* held: NULL where it is done. */
static int take(void *arg, const struct ipckit_deadline *part)
{
	struct futexctl_run *run = arg;
	struct ipckit_once *once;
	int r = ipckit_once_begin(run->words->at, part, &run->words->owner_died, &once);

	if (r)
		return r;
	/* Who came after a file was removed does it in another one. */
	r = once ? ipckit_word_check(run->words->word) : 0;
	if (r)
		ipckit_once_end(once, false);
	run->held = once;
	return r;
}

static int begin(struct cli *cli, struct futexctl_word *word, const struct futexctl_until *until)
{
	struct futexctl_run held = { .words = word, .count = 1, .until = until, .give = give };
	int r = futexctl_wait_in_parts(word, &until->deadline, take, &held);

	if (!r && held.held)
		return futexctl_run(cli, &held);
	if (r)
		r = futexctl_fail_lock(cli, word, r, until);
	futexctl_close(word);
	return r;
}

static int run(struct cli *cli)
{
	struct futexctl_until until;
	struct futexctl_word word;

	return futexctl_until(cli, timeout_text, NULL, &until) ?:
	       futexctl_open_to_lock(cli, cli->operands[0], false, &word) ?: begin(cli, &word, &until);
}

const struct cli_verb futexctl_once = {
	.name = "once",
	.operands = "WORD",
	.summary = "run COMMAND unless that has been done, as it is when one succeeds; wait while another does it",
	.least = 1,
	.most = 1,
	.flags = CLI_COMMAND,
	.options = options,
	.run = run,
};
