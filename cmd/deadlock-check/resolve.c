/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deadlock.h"

#include <errno.h>
#include <stdlib.h>

static char *cost_file;

static const struct poptOption resolve_options[] = {
	{ "cost", 0, POPT_ARG_STRING, &cost_file, 0, "what it costs to end a process: lines of NAME COST (default 1 each)",
	  "F" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)dl_input_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct answer {
	bool deadlocked, least;
	struct dl_strings processes, order;
	int64_t cost;
	int64_t *available;
	size_t nresources;
};

#define ANSWER(member) .offset = offsetof(struct answer, member)
#define STRINGS(member) .type = CLI_STRINGS, ANSWER(member.list), .count_offset = offsetof(struct answer, member.count)

static const struct cli_field answer_fields[] = {
	{ "deadlocked", .type = CLI_BOOL, ANSWER(deadlocked), .summary = "whether there is anything to resolve" },
	{ "processes", STRINGS(processes), .summary = "those to end" },
	{ "cost", .type = CLI_INTEGER, ANSWER(cost), .summary = "the sum of their costs" },
	{ "least", .type = CLI_BOOL, ANSWER(least), .summary = "whether it is proven that no other set is cheaper" },
	{ "order", STRINGS(order), .summary = "how the others finish then" },
	{ "available", .type = CLI_INTEGERS, ANSWER(available), .count_offset = offsetof(struct answer, nresources),
	  .flags = CLI_WIDE, .summary = "what is free as soon as those have ended" },
	{ 0 },
};
static const struct cli_table answer_table = { answer_fields, sizeof(struct answer), NULL, NULL };

static int print(struct cli *cli, const char *file, const struct model *model,
		 const struct ipckit_resolution *resolution)
{
	struct dl_pool pool = { 0 };
	struct answer answer = {
		.deadlocked = resolution->nprocesses > 0,
		.processes = dl_processes(&pool, model, resolution->processes, resolution->nprocesses),
		.cost = resolution->cost,
		.least = resolution->least,
		.order = dl_processes(&pool, model, resolution->order, resolution->norder),
		.available = resolution->available,
		.nresources = dl_named(model),
	};
	int status = pool.failed ? cli_fail(cli, dl_input_name(file), ENOMEM, NULL) :
				   cli_emit_record(cli, &answer_table, &answer);

	dl_pool_free(&pool);
	return status;
}

/* Leaves *out as it is without --cost. */
static int load_costs(struct cli *cli, struct model *model, int64_t **out)
{
	struct problem problem = { 0 };
	struct source source;
	int status, error;

	if (!cost_file)
		return CLI_OK;
	status = dl_source_open(cli, cost_file, &source);
	if (status)
		return status;
	error = read_costs(&source, model, out, &problem);
	dl_source_close(&source);
	return error ? dl_fail_input(cli, dl_file_name(cost_file), error, &problem) : CLI_OK;
}

static int run_resolve(struct cli *cli)
{
	const char *file = cli->operands[0];
	struct ipckit_resolution resolution;
	int64_t *cost = NULL;
	struct model model;
	int error, status = dl_load_requests(cli, file, &model);

	if (status)
		return status;
	status = load_costs(cli, &model, &cost);
	if (!status) {
		error = ipckit_deadlock_resolve(&model.system, cost, &resolution);
		if (error) {
			status = cli_fail(cli, dl_input_name(file), error, NULL);
		} else {
			status = print(cli, file, &model, &resolution);
			ipckit_resolution_free(&resolution);
		}
	}
	free(cost);
	model_free(&model);
	return status;
}

const struct cli_verb dl_resolve = {
	.name = "resolve",
	.operands = "[FILE]",
	.summary = "find the cheapest set of processes whose end resolves the deadlock",
	.least = 0,
	.most = 1,
	.flags = CLI_ANSWERS,
	.options = resolve_options,
	.table = &answer_table,
	.run = run_resolve,
};
