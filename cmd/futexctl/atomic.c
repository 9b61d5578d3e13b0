/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

#include <errno.h>
#include <inttypes.h>

/* ---- get ---- */

struct value_row {
	const char *word;
	uint32_t value;
	char hex[16];
};

#define VALUE(member) .offset = offsetof(struct value_row, member)

static const struct cli_field value_fields[] = {
	{ "word", .type = CLI_STRING, VALUE(word), .summary = "the word as it was named" },
	{ "value", .type = CLI_UINT, VALUE(value), .summary = "what it holds" },
	{ "hex", .type = CLI_CHARS, VALUE(hex), .flags = CLI_WIDE, .summary = "the same, its bits" },
	{ 0 },
};

static const struct cli_table value_table = { value_fields, sizeof(struct value_row), "words", NULL };

static int get(struct cli *cli, const char *text, struct value_row *row)
{
	struct futexctl_word word;
	int r = futexctl_open_to_read(cli, text, &word);

	if (r)
		return r;
	*row = (struct value_row){ .word = text };
	r = ipckit_word_load(word.word, &row->value);
	snprintf(row->hex, sizeof(row->hex), "0x%08" PRIx32, row->value);
	futexctl_close(&word);
	return r ? futexctl_fail(cli, text, r) : 0;
}

/* All are tried; the status is the first failure's. */
static int get_all(struct cli *cli, struct value_row *rows)
{
	size_t count = 0;
	int status = CLI_OK, r;

	for (int i = 0; i < cli->noperands; i++) {
		r = get(cli, cli->operands[i], &rows[count]);
		count += !r;
		status = status ?: r;
	}
	if (!count)
		return status;
	cli_keep_results(cli);
	r = cli_emit_list(cli, &value_table, rows, count);
	return status ?: r;
}

static int run_get(struct cli *cli)
{
	struct value_row *rows = calloc((size_t)cli->noperands, sizeof(*rows));
	int r = rows ? get_all(cli, rows) : cli_fail(cli, NULL, ENOMEM, NULL);

	free(rows);
	return r;
}

const struct cli_verb futexctl_get = {
	.name = "get",
	.operands = "WORD...",
	.summary = "print what words hold",
	.least = 1,
	.most = -1,
	.flags = CLI_ANSWERS | CLI_LISTS,
	.table = &value_table,
	.run = run_get,
};

/* ---- changes ---- */

static char *wake_text;

static const struct poptOption options[] = {
	{ "wake", 'w', POPT_ARG_STRING, &wake_text, 0, "after the change wake so many of those that sleep on the word",
	  "N|all" },
	POPT_TABLEEND
};

struct change_row {
	const char *word;
	uint32_t old, value;
	bool wakes;
	unsigned woken;
};

#define CHANGE(member) .offset = offsetof(struct change_row, member)

enum { SILENT = 1, WAKES = 2 };

static const struct cli_field change_fields[] = {
	{ "word", .type = CLI_STRING, CHANGE(word), .summary = "the word as it was named" },
	{ "old", .type = CLI_UINT, CHANGE(old), .summary = "what it held" },
	{ "new", .type = CLI_UINT, CHANGE(value), .summary = "what it was made to hold" },
	{ "woken", .type = CLI_UINT, CHANGE(woken), .kinds = WAKES, .summary = "--wake: how many were woken" },
	{ 0 },
};

static unsigned change_kind(const void *row)
{
	return ((const struct change_row *)row)->wakes ? WAKES : SILENT;
}

static const struct cli_table change_table = { change_fields, sizeof(struct change_row), "words", change_kind };

/* Makes the change, of which old and new are told. */
typedef void (*change_function)(uint32_t *at, uint32_t value, struct change_row *row);

static void swap(uint32_t *at, uint32_t value, struct change_row *row)
{
	row->old = __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);
	row->value = value;
}

static void add(uint32_t *at, uint32_t value, struct change_row *row)
{
	row->old = __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST);
	row->value = row->old + value;
}

static void or(uint32_t *at, uint32_t value, struct change_row *row)
{
	row->old = __atomic_fetch_or(at, value, __ATOMIC_SEQ_CST);
	row->value = row->old | value;
}

static void and(uint32_t *at, uint32_t value, struct change_row *row)
{
	row->old = __atomic_fetch_and(at, value, __ATOMIC_SEQ_CST);
	row->value = row->old & value;
}

static void xor(uint32_t *at, uint32_t value, struct change_row *row)
{
	row->old = __atomic_fetch_xor(at, value, __ATOMIC_SEQ_CST);
	row->value = row->old ^ value;
}

static int wake_and_tell(struct cli *cli, const struct futexctl_word *word, uint32_t count, struct change_row *row)
{
	int r = 0;

	row->word = word->text;
	row->wakes = wake_text;
	if (row->wakes)
		r = ipckit_futex_wake(word->at, count, IPCKIT_FUTEX_ALL, 0, &row->woken);
	return r ? futexctl_fail(cli, word->text, r) : cli_emit_record(cli, &change_table, row);
}

static int run_change(struct cli *cli, change_function change)
{
	struct futexctl_word word;
	struct change_row row = { 0 };
	uint32_t value = 0, count = 0;
	int r = futexctl_value(cli, cli->operands[1], cli->operands[1], &value) ?:
		futexctl_many(cli, "--wake", wake_text, &count) ?: futexctl_open(cli, cli->operands[0], &word);

	if (r)
		return r;
	change(word.at, value, &row);
	r = wake_and_tell(cli, &word, count, &row);
	futexctl_close(&word);
	return r;
}

static int compare_and_swap(struct cli *cli, const struct futexctl_word *word, uint32_t expected, uint32_t value,
			    uint32_t count)
{
	struct change_row row = { .old = expected, .value = value };

	if (!__atomic_compare_exchange_n(word->at, &row.old, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return cli_fail(cli, word->text, EAGAIN, "it is %" PRIu32 ", not %" PRIu32, row.old, expected);
	return wake_and_tell(cli, word, count, &row);
}

static int run_cas(struct cli *cli)
{
	struct futexctl_word word;
	uint32_t expected = 0, value = 0, count = 0;
	int r = futexctl_value(cli, cli->operands[1], cli->operands[1], &expected) ?:
		futexctl_value(cli, cli->operands[2], cli->operands[2], &value) ?:
		futexctl_many(cli, "--wake", wake_text, &count) ?: futexctl_open(cli, cli->operands[0], &word);

	if (r)
		return r;
	r = compare_and_swap(cli, &word, expected, value, count);
	futexctl_close(&word);
	return r;
}

static int run_swap(struct cli *cli)
{
	return run_change(cli, swap);
}

static int run_add(struct cli *cli)
{
	return run_change(cli, add);
}

static int run_or(struct cli *cli)
{
	return run_change(cli, or);
}

static int run_and(struct cli *cli)
{
	return run_change(cli, and);
}

static int run_xor(struct cli *cli)
{
	return run_change(cli, xor);
}

/* ---- verbs ---- */

#define CHANGES(verb_name, verb_operands, verb_summary, count, verb_run)		\
	{										\
		.name = verb_name, .operands = verb_operands, .summary = verb_summary,	\
		.least = count, .most = count, .flags = CLI_ANSWERS | CLI_NEGATIVE,	\
		.options = options, .table = &change_table, .run = verb_run,		\
	}

const struct cli_verb futexctl_set = CHANGES("set", "WORD VALUE", "store a value", 2, run_swap);
const struct cli_verb futexctl_add =
	CHANGES("add", "WORD N", "add to a word, which wraps around at 2^32", 2, run_add);
const struct cli_verb futexctl_or = CHANGES("or", "WORD BITS", "set bits", 2, run_or);
const struct cli_verb futexctl_and = CHANGES("and", "WORD BITS", "clear all bits but these", 2, run_and);
const struct cli_verb futexctl_xor = CHANGES("xor", "WORD BITS", "turn bits over", 2, run_xor);
const struct cli_verb futexctl_swap =
	CHANGES("swap", "WORD VALUE", "store a value and print what was there", 2, run_swap);
const struct cli_verb futexctl_cas =
	CHANGES("cas", "WORD OLD NEW", "store NEW only where the word holds OLD, else status 1", 3, run_cas);
