/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bare.h"

static char *op_text, *arg_text, *cmp_text, *cmparg_text, *wake_text, *wake2_text;
static int shift;

static const struct poptOption options[] = {
	{ "op", 0, POPT_ARG_STRING, &op_text, 0, "what is done with WORD2: set, add, or, andn (and not), xor", "OP" },
	{ "arg", 0, POPT_ARG_STRING, &arg_text, 0, "with what: from -2048 to 2047", "N" },
	{ "shift", 0, POPT_ARG_NONE, &shift, 0, "with 1 << N instead, N from 0 to 31", NULL },
	{ "cmp", 0, POPT_ARG_STRING, &cmp_text, 0,
	  "wake on WORD2, too, if its old value, as a signed number, is eq, ne, lt, le, gt or ge", "CMP" },
	{ "cmparg", 0, POPT_ARG_STRING, &cmparg_text, 0, "than what: from -2048 to 2047", "N" },
	{ "wake", 'w', POPT_ARG_STRING, &wake_text, 0, "wake so many on WORD1 (default 1)", "N|all" },
	{ "wake2", 0, POPT_ARG_STRING, &wake2_text, 0, "wake so many on WORD2 (default 1)", "N|all" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)futexctl_flag_options, 0, NULL, NULL },
	POPT_TABLEEND
};

#define ARG_LEAST (-2048)
#define ARG_MOST 2047

struct wake_op {
	struct futexctl_word first, second;
	struct ipckit_futex_wake_op op;
	uint32_t wake, wake2;
	unsigned flags, woken;
};

#define ROW(member) .offset = offsetof(struct wake_op, member)

static const struct cli_field fields[] = {
	{ "word", .type = CLI_STRING, ROW(first.text), .summary = "WORD1 as it was named" },
	{ "word2", .type = CLI_STRING, ROW(second.text), .summary = "WORD2, which was changed" },
	{ "woken", .type = CLI_UINT, ROW(woken), .summary = "how many were woken, on both" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct wake_op), "words", NULL };

static int check_given(struct cli *cli)
{
	const struct { const char *option, *text; } needed[] = {
		{ "--op", op_text }, { "--arg", arg_text }, { "--cmp", cmp_text }, { "--cmparg", cmparg_text },
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!needed[i].text)
			return cli_usage(cli, needed[i].option, "this option is needed");
	return 0;
}

static int read_op(struct cli *cli, struct ipckit_futex_wake_op *out)
{
	int64_t arg, cmparg;
	int r = check_given(cli);

	if (r)
		return r;
	if (ipckit_futex_op_parse(op_text, &out->op))
		return cli_usage(cli, "--op", "\"%s\" is not an operation (set add or andn xor)", op_text);
	if (ipckit_futex_cmp_parse(cmp_text, &out->cmp))
		return cli_usage(cli, "--cmp", "\"%s\" is not a comparison (eq ne lt le gt ge)", cmp_text);
	out->shift = shift;
	r = cli_signed(cli, "--arg", arg_text, shift ? 0 : ARG_LEAST, shift ? 31 : ARG_MOST, &arg) ?:
	    cli_signed(cli, "--cmparg", cmparg_text, ARG_LEAST, ARG_MOST, &cmparg);
	if (r)
		return r;
	out->arg = (int)arg;
	out->cmparg = (int)cmparg;
	return 0;
}

static int run(struct cli *cli)
{
	struct wake_op wake_op = { .wake = 1, .wake2 = 1 };
	int r = read_op(cli, &wake_op.op) ?:
		futexctl_many(cli, "--wake", wake_text, &wake_op.wake) ?:
		futexctl_many(cli, "--wake2", wake2_text, &wake_op.wake2) ?:
		futexctl_flags(cli, IPCKIT_FUTEX_PRIVATE, &wake_op.flags) ?:
		bare_open_two(cli, &wake_op.first, &wake_op.second);

	if (r)
		return r;
	r = ipckit_futex_wake_op(wake_op.first.at, wake_op.second.at, &wake_op.op, wake_op.wake, wake_op.wake2,
				 wake_op.flags, &wake_op.woken);
	r = r ? futexctl_fail(cli, wake_op.second.text, r) : cli_emit_record(cli, &table, &wake_op);
	futexctl_close(&wake_op.first);
	futexctl_close(&wake_op.second);
	return r;
}

const struct cli_verb futexctl_wake_op = {
	.name = "wake-op",
	.operands = "WORD1 WORD2",
	.summary = "change WORD2, wake on WORD1, and on WORD2 too if its old value compares: FUTEX_WAKE_OP",
	.least = 2,
	.most = 2,
	.flags = CLI_ANSWERS,
	.options = options,
	.table = &table,
	.run = run,
};
