/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

#include <errno.h>
#include <inttypes.h>
#include <ipckit/once.h>

static int wait_flag;
static char *down_text, *timeout_text;

static const struct poptOption options[] = {
	{ "wait", 'w', POPT_ARG_NONE, &wait_flag, 0, "wait until the word is 0", NULL },
	{ "down", 'd', POPT_ARG_STRING, &down_text, 0,
	  "take N from the word, and wake all that wait if it is 0 then; status 2 where less than N is left", "N" },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0,
	  "with --wait: give up after this time, with status 1; 0: only look", "DURATION" },
	POPT_TABLEEND
};

struct row {
	const char *word;
	uint32_t value;
};

#define ROW(member) .offset = offsetof(struct row, member)

static const struct cli_field fields[] = {
	{ "word", .type = CLI_STRING, ROW(word), .summary = "the word as it was named" },
	{ "value", .type = CLI_UINT, ROW(value), .summary = "what is left: how many have still to come" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct row), "latches", NULL };

static int await_part(void *arg, const struct ipckit_deadline *part)
{
	const struct futexctl_word *word = arg;

	return ipckit_latch_wait(word->at, part);
}

/* Nothing is held: signals keep their action. */
static int await(struct cli *cli, struct futexctl_word *word, const struct futexctl_until *until)
{
	int r = futexctl_wait_in_parts(word, &until->deadline, await_part, word);

	if (r == -EAGAIN)
		return cli_fail(cli, word->text, r, "it is %" PRIu32 ", not 0",
				__atomic_load_n(word->at, __ATOMIC_RELAXED));
	return r ? futexctl_fail_wait(cli, word->text, r, until) : 0;
}

static int down(struct cli *cli, const struct futexctl_word *word, uint32_t count, uint32_t *left)
{
	int r = ipckit_latch_down(word->at, count, left);

	if (r == -ERANGE)
		return cli_fail(cli, word->text, r, "it is %" PRIu32 ", from which %" PRIu32 " cannot be taken",
				__atomic_load_n(word->at, __ATOMIC_RELAXED), count);
	return r ? futexctl_fail(cli, word->text, r) : 0;
}

static int read_options(struct cli *cli, uint32_t *count, struct futexctl_until *until)
{
	uint64_t number = 0;
	int r;

	if (!wait_flag == !down_text)
		return cli_usage(cli, NULL, "either --wait or --down N is needed");
	if (timeout_text && down_text)
		return cli_usage(cli, "--timeout", "this is for --wait: --down does not wait");
	if (!down_text)
		return futexctl_until(cli, timeout_text, NULL, until);
	r = cli_count(cli, "--down", down_text, 1, UINT32_MAX, &number);
	*count = (uint32_t)number;
	return r;
}

static int run(struct cli *cli)
{
	struct row row = { .word = cli->operands[0] };
	struct futexctl_until until = { 0 };
	struct futexctl_word word;
	uint32_t count = 0;
	int r = read_options(cli, &count, &until);

	if (!r)
		r = wait_flag ? futexctl_open_to_read(cli, row.word, &word) : futexctl_open(cli, row.word, &word);
	if (r)
		return r;
	r = wait_flag ? await(cli, &word, &until) : down(cli, &word, count, &row.value);
	futexctl_close(&word);
	return r ?: cli_emit_record(cli, &table, &row);
}

const struct cli_verb futexctl_latch = {
	.name = "latch",
	.operands = "WORD",
	.summary = "wait until a word has been counted down to 0 (--wait), or count it down (--down N)",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &table,
	.run = run,
};
