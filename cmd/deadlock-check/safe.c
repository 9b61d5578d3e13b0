/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "banker.h"

struct answer {
	bool safe;
	struct dl_strings sequence, unfinished;
	int64_t *available;
	size_t nresources;
};

#define ANSWER(member) .offset = offsetof(struct answer, member)
#define STRINGS(member) .type = CLI_STRINGS, ANSWER(member.list), .count_offset = offsetof(struct answer, member.count)

static const struct cli_field answer_fields[] = {
	{ "safe", .type = CLI_BOOL, ANSWER(safe), .summary = "whether all can finish, even if each asks for its whole claim" },
	{ "sequence", STRINGS(sequence), .summary = "a safe sequence, or as far as one goes" },
	{ "cannot_finish", STRINGS(unfinished), .summary = "those that may not be able to" },
	{ "available", .type = CLI_INTEGERS, ANSWER(available), .count_offset = offsetof(struct answer, nresources),
	  .summary = "what is free after the sequence" },
	{ 0 },
};
static const struct cli_table answer_table = { answer_fields, sizeof(struct answer), NULL, NULL };

static int print(struct cli *cli, const char *file, const struct model *model, const struct ipckit_safety *safety)
{
	struct dl_pool pool = { 0 };
	struct answer answer = {
		.safe = safety->safe,
		.sequence = dl_processes(&pool, model, safety->sequence, safety->nsequence),
		.unfinished = dl_processes(&pool, model, safety->unfinished, safety->nunfinished),
		.available = safety->available,
		.nresources = dl_named(model),
	};
	int status = pool.failed ? cli_fail(cli, dl_input_name(file), ENOMEM, NULL) :
				   cli_emit_record(cli, &answer_table, &answer);

	dl_pool_free(&pool);
	return status;
}

static int run_safe(struct cli *cli)
{
	const char *file = cli->operands[0];
	struct ipckit_safety safety;
	struct ipckit_block wrong;
	struct model model;
	int error, status = dl_load_claims(cli, file, &model);

	if (status)
		return status;
	error = ipckit_banker_safe(&model.system, &wrong, &safety);
	if (error) {
		status = dl_fail_claims(cli, file, &model, error, &wrong);
	} else {
		status = print(cli, file, &model, &safety);
		if (!status && !safety.safe)
			status = CLI_NO;
		ipckit_safety_free(&safety);
	}
	model_free(&model);
	return status;
}

const struct cli_verb dl_safe = {
	.name = "safe",
	.operands = "[FILE]",
	.summary = "say whether the state is safe (the banker's algorithm)",
	.least = 0,
	.most = 1,
	.flags = CLI_ANSWERS,
	.options = dl_input_options,
	.table = &answer_table,
	.run = run_safe,
};
