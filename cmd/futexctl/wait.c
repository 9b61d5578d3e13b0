/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bare.h"

#include <errno.h>

static char *bitset_text, *timeout_text, *until_text;

static const struct poptOption options[] = {
	{ "bitset", 'b', POPT_ARG_STRING, &bitset_text, 0,
	  "be woken only by who has one of these bits in common (FUTEX_WAIT_BITSET)", "MASK" },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time; 0: only look",
	  "DURATION" },
	{ "until", 'u', POPT_ARG_STRING, &until_text, 0,
	  "give up at this time of CLOCK_REALTIME: RFC 3339, or @SECONDS (FUTEX_WAIT_BITSET)", "TIME" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)futexctl_flag_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct waiting {
	struct futexctl_word word;
	struct futexctl_until until;
	unsigned flags, value, bitset;
	bool plain; /* FUTEX_WAIT, which knows no clock but CLOCK_MONOTONIC */
	bool woken;
};

#define ROW(member) .offset = offsetof(struct waiting, member)

static const struct cli_field fields[] = {
	{ "word", .type = CLI_STRING, ROW(word.text), .summary = "the word as it was named" },
	{ "value", .type = CLI_UINT, ROW(value), .summary = "what it was while it was waited for" },
	{ "woken", .type = CLI_BOOL, ROW(woken), .summary = "whether somebody ended the wait" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct waiting), "words", NULL };

static int call(const struct waiting *waiting)
{
	const struct timespec *point;
	unsigned flags = waiting->flags;
	struct timespec room;
	int r;

	if (waiting->plain) {
		r = bare_timeout(&waiting->until, &room, &point);
		return r ?: ipckit_futex_wait(waiting->word.at, waiting->value, flags, point);
	}
	r = bare_point(&waiting->until, &flags, &room, &point);
	return r ?: ipckit_futex_wait_bitset(waiting->word.at, waiting->value, waiting->bitset, flags, point);
}

static int wait_for(struct cli *cli, struct waiting *waiting)
{
	int r;

	/* Nothing is held: a signal that is to end the wait ends the process. */
	do
		r = call(waiting);
	while (r == -EINTR);
	if (r)
		return bare_fail(cli, &waiting->word, waiting->value, &waiting->until, r);
	waiting->woken = true;
	return cli_emit_record(cli, &table, waiting);
}

static int read_flags(struct cli *cli, struct waiting *waiting)
{
	int r = futexctl_flags(cli, IPCKIT_FUTEX_PRIVATE | IPCKIT_FUTEX_REALTIME | IPCKIT_FUTEX_2, &waiting->flags);

	if (r)
		return r;
	/* futex_wait(2) takes a clock, too. */
	waiting->plain = !bitset_text && !until_text && !(waiting->flags & IPCKIT_FUTEX_2);
	if (waiting->plain && waiting->flags & IPCKIT_FUTEX_REALTIME)
		return cli_usage(cli, "--realtime", "FUTEX_WAIT counts on one clock: the kernel answers ENOSYS "
						    "(but not with --bitset or --until)");
	return 0;
}

static int run(struct cli *cli)
{
	struct waiting waiting = { .bitset = IPCKIT_FUTEX_ALL };
	int r = futexctl_value(cli, "VALUE", cli->operands[1], &waiting.value) ?:
		futexctl_bitset(cli, bitset_text, &waiting.bitset) ?: read_flags(cli, &waiting) ?:
		futexctl_until(cli, timeout_text, until_text, &waiting.until) ?:
		futexctl_open_to_read(cli, cli->operands[0], &waiting.word);

	if (r)
		return r;
	r = wait_for(cli, &waiting);
	futexctl_close(&waiting.word);
	return r;
}

const struct cli_verb futexctl_wait = {
	.name = "wait",
	.operands = "WORD VALUE",
	.summary = "sleep while a word is VALUE, until it is woken: FUTEX_WAIT, FUTEX_WAIT_BITSET",
	.least = 2,
	.most = 2,
	.flags = CLI_NEGATIVE,
	.options = options,
	.table = &table,
	.run = run,
};
