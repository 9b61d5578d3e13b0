/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

static char *bitset_text;

static const struct poptOption options[] = {
	{ "bitset", 'b', POPT_ARG_STRING, &bitset_text, 0,
	  "wake only who waits with one of these bits, or with none of its own (FUTEX_WAKE_BITSET)", "MASK" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)futexctl_flag_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct row {
	const char *word;
	unsigned woken;
};

#define ROW(member) .offset = offsetof(struct row, member)

static const struct cli_field fields[] = {
	{ "word", .type = CLI_STRING, ROW(word), .summary = "the word as it was named" },
	{ "woken", .type = CLI_UINT, ROW(woken), .summary = "how many were woken" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct row), "words", NULL };

static int run(struct cli *cli)
{
	uint32_t count = 1, bitset = IPCKIT_FUTEX_ALL;
	struct row row = { .word = cli->operands[0] };
	struct futexctl_word word;
	unsigned flags;
	int r = futexctl_many(cli, "N", cli->operands[1], &count) ?:
		futexctl_bitset(cli, bitset_text, &bitset) ?:
		futexctl_flags(cli, IPCKIT_FUTEX_PRIVATE | IPCKIT_FUTEX_2, &flags) ?:
		futexctl_open_to_read(cli, row.word, &word);

	if (r)
		return r;
	r = ipckit_futex_wake(word.at, count, bitset, flags, &row.woken);
	r = r ? futexctl_fail(cli, row.word, r) : cli_emit_record(cli, &table, &row);
	futexctl_close(&word);
	return r;
}

const struct cli_verb futexctl_wake = {
	.name = "wake",
	.operands = "WORD [N|all]",
	.summary = "wake N of those that sleep on a word (1 where left out, 0: none): FUTEX_WAKE, FUTEX_WAKE_BITSET",
	.least = 1,
	.most = 2,
	.flags = CLI_ANSWERS | CLI_NEGATIVE,
	.options = options,
	.table = &table,
	.run = run,
};
