/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deadlock.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static char *algorithm_text;
static int traced;

static const struct poptOption check_options[] = {
	{ "trace", 0, POPT_ARG_NONE, &traced, 0, "show every step of the textbook's loop", NULL },
	{ "algorithm", 0, POPT_ARG_STRING, &algorithm_text, 0,
	  "watch (default), or classic: the textbook's loop, slow on large systems", "NAME" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)dl_input_options, 0, NULL, NULL },
	POPT_TABLEEND
};

/* ---- what there is to tell ---- */

struct block {
	const char *process, *resource;
	int64_t requested, there; /* available, or existing */
};

struct step {
	const char *process;
	struct block *blocked;
	size_t nblocked;
	int64_t *available;
	size_t nresources;
};

struct answer {
	bool deadlocked;
	struct dl_strings processes, core, behind, cycle, order;
	struct block *impossible;
	size_t nimpossible;
	int64_t *available;
	size_t nresources;
	struct step *steps;
	size_t nsteps;
	char *trace;
};

enum { PLAIN = 1, IMPOSSIBLE = 2, TRACED = 4 };

static unsigned kind_of(const void *row)
{
	const struct answer *answer = row;

	return PLAIN | (answer->nimpossible ? IMPOSSIBLE : 0) | (answer->order.list ? TRACED : 0);
}

#define BLOCK(member) .offset = offsetof(struct block, member)
#define STEP(member) .offset = offsetof(struct step, member)
#define ANSWER(member) .offset = offsetof(struct answer, member)
#define STRINGS(member) .type = CLI_STRINGS, ANSWER(member.list), .count_offset = offsetof(struct answer, member.count)

static const struct cli_field blocked_fields[] = {
	{ "process", .type = CLI_STRING, BLOCK(process), .summary = "process" },
	{ "resource", .type = CLI_STRING, BLOCK(resource), .summary = "the first resource that blocks it" },
	{ "requested", .type = CLI_INTEGER, BLOCK(requested), .summary = "instances it wants" },
	{ "available", .type = CLI_INTEGER, BLOCK(there), .summary = "instances that are free" },
	{ 0 },
};
static const struct cli_field impossible_fields[] = {
	{ "process", .type = CLI_STRING, BLOCK(process), .summary = "process" },
	{ "resource", .type = CLI_STRING, BLOCK(resource), .summary = "resource" },
	{ "requested", .type = CLI_INTEGER, BLOCK(requested), .summary = "instances it wants" },
	{ "existing", .type = CLI_INTEGER, BLOCK(there), .summary = "instances that exist" },
	{ 0 },
};
static const struct cli_table blocked_table = { blocked_fields, sizeof(struct block), "blocked", NULL };
static const struct cli_table impossible_table = { impossible_fields, sizeof(struct block), "impossible", NULL };

static const struct cli_field step_fields[] = {
	{ "process", .type = CLI_STRING, STEP(process), .summary = "who can finish; null where nobody can" },
	{ "available_after", .type = CLI_INTEGERS, STEP(available), .count_offset = offsetof(struct step, nresources),
	  .summary = "what is free then" },
	{ "blocked", .type = CLI_ROWS, STEP(blocked), .count_offset = offsetof(struct step, nblocked),
	  .rows = &blocked_table, .summary = "who was looked at before, and is blocked" },
	{ 0 },
};
static const struct cli_table step_table = { step_fields, sizeof(struct step), "steps", NULL };

static const struct cli_field answer_fields[] = {
	{ "deadlocked", .type = CLI_BOOL, ANSWER(deadlocked), .summary = "whether any process is" },
	{ "processes", STRINGS(processes), .summary = "all that can never finish, and hold something" },
	{ "core", STRINGS(core), .summary = "those of them that wait for each other and for nobody else" },
	{ "blocked_behind", STRINGS(behind), .summary = "those that can never finish, but hold nothing" },
	{ "cycle", STRINGS(cycle), .summary = "a shortest cycle in the core through resources of one instance" },
	{ "impossible", .type = CLI_ROWS, ANSWER(impossible), .count_offset = offsetof(struct answer, nimpossible),
	  .rows = &impossible_table, .kinds = IMPOSSIBLE, .summary = "who wants more than exists" },
	{ "order", STRINGS(order), .kinds = TRACED, .summary = "how the others finish" },
	{ "available", .type = CLI_INTEGERS, ANSWER(available), .count_offset = offsetof(struct answer, nresources),
	  .flags = CLI_WIDE, .summary = "what is free when they have" },
	{ "steps", .type = CLI_ROWS, ANSWER(steps), .count_offset = offsetof(struct answer, nsteps),
	  .rows = &step_table, .kinds = TRACED, .flags = CLI_WIDE, .summary = "every step of the loop" },
	{ "trace", .type = CLI_BLOCK, ANSWER(trace), .summary = "the steps as a textbook writes them (tables)" },
	{ 0 },
};
static const struct cli_table answer_table = { answer_fields, sizeof(struct answer), NULL, kind_of };

/* ---- the steps ---- */

static void put_blocks(struct dl_pool *pool, const struct model *model, const struct ipckit_block *from,
		       size_t count, struct block *out)
{
	for (size_t i = 0; out && i < count; i++)
		out[i] = (struct block){
			.process = dl_process(model, from[i].process),
			.resource = dl_resource(pool, model, from[i].resource),
			.requested = from[i].requested,
			.there = from[i].available,
		};
}

static struct dl_strings order_of(struct dl_pool *pool, const struct model *model, const struct ipckit_trace *trace)
{
	struct dl_strings order = { dl_pool_alloc(pool, trace->nsteps, sizeof(*order.list)), 0 };

	for (size_t i = 0; order.list && i < trace->nsteps; i++)
		if (trace->steps[i].process != IPCKIT_NONE)
			order.list[order.count++] = dl_process(model, trace->steps[i].process);
	return order;
}

static void put_steps(struct dl_pool *pool, const struct model *model, const struct ipckit_trace *trace,
		      struct answer *answer)
{
	struct step *steps = dl_pool_alloc(pool, trace->nsteps, sizeof(*steps));

	for (size_t i = 0; steps && i < trace->nsteps; i++) {
		const struct ipckit_step *from = &trace->steps[i];

		steps[i] = (struct step){
			.process = dl_process(model, from->process),
			.blocked = dl_pool_alloc(pool, from->nblocked, sizeof(struct block)),
			.nblocked = from->nblocked,
			.available = from->available_after,
			.nresources = dl_named(model),
		};
		put_blocks(pool, model, from->blocked, from->nblocked, steps[i].blocked);
	}
	answer->steps = steps;
	answer->nsteps = trace->nsteps;
}

static int put_trace(const struct model *model, const struct ipckit_trace *trace, struct answer *answer)
{
	size_t size;
	FILE *stream = open_memstream(&answer->trace, &size);
	int error;

	if (!stream)
		return -ENOMEM;
	setlocale(LC_CTYPE, ""); /* for the widths of characters */
	error = draw_trace(stream, model, trace);
	return fclose(stream) ? -ENOMEM : error;
}

/* On a terminal a small system is shown step by step unasked. */
#define SMALL 12

static bool wants_trace(const struct cli *cli, const struct model *model)
{
	if (traced)
		return true;
	return cli->format == CLI_FORMAT_TABLE && !cli->columns && model->system.nprocesses <= SMALL &&
	       dl_named(model) <= SMALL;
}

/* ---- the judgement ---- */

struct judgement {
	struct ipckit_detection detection;
	struct ipckit_core core;
	struct ipckit_cycle cycle;
	struct ipckit_trace trace;
};

static int judge(struct cli *cli, const struct model *model, enum ipckit_algorithm algorithm, struct judgement *out)
{
	int error = ipckit_deadlock_detect(&model->system, algorithm, &out->detection);

	if (error || !cli_prints(cli))
		return error;
	error = ipckit_deadlock_core(&model->system, &out->detection, &out->core);
	if (!error)
		error = ipckit_deadlock_cycle(&model->system, &out->detection, &out->core, &out->cycle);
	if (!error && wants_trace(cli, model))
		error = ipckit_deadlock_trace(&model->system, &out->trace);
	return error;
}

static void judgement_free(struct judgement *judgement)
{
	ipckit_detection_free(&judgement->detection);
	ipckit_core_free(&judgement->core);
	ipckit_cycle_free(&judgement->cycle);
	ipckit_trace_free(&judgement->trace);
}

static void put_impossible(struct dl_pool *pool, const struct model *model, const bool *stuck, struct answer *answer)
{
	struct ipckit_block block;
	size_t count = 0, i = 0;

	for (uint32_t p = 0; p < model->system.nprocesses; p++)
		count += stuck[p] && ipckit_deadlock_impossible(&model->system, p, &block);
	answer->impossible = dl_pool_alloc(pool, count, sizeof(struct block));
	answer->nimpossible = answer->impossible ? count : 0;
	for (uint32_t p = 0; i < answer->nimpossible; p++)
		if (stuck[p] && ipckit_deadlock_impossible(&model->system, p, &block))
			put_blocks(pool, model, &block, 1, &answer->impossible[i++]);
}

/* Whether what belongs to a format, and takes long to make, is printed. */
static bool shows(const struct cli *cli, enum cli_format format)
{
	return cli->format == format || cli->columns;
}

static int put_answer(struct cli *cli, struct dl_pool *pool, const struct model *model,
		      const struct judgement *from, struct answer *out)
{
	const struct ipckit_detection *detection = &from->detection;
	size_t ncore = from->core.ncomponents ? from->core.start[from->core.ncomponents] : 0;
	int error = 0;

	*out = (struct answer){
		.deadlocked = detection->deadlocked,
		.processes = dl_processes(pool, model, detection->dead, detection->ndead),
		.core = dl_processes(pool, model, from->core.processes, ncore),
		.behind = dl_processes(pool, model, detection->behind, detection->nbehind),
		.cycle = dl_cycle(pool, model, &from->cycle),
		.available = detection->available,
		.nresources = dl_named(model),
	};
	put_impossible(pool, model, detection->stuck, out);
	if (from->trace.nsteps)
		out->order = order_of(pool, model, &from->trace);
	if (from->trace.nsteps && shows(cli, CLI_FORMAT_JSON))
		put_steps(pool, model, &from->trace, out);
	if (from->trace.nsteps && shows(cli, CLI_FORMAT_TABLE))
		error = put_trace(model, &from->trace, out);
	return error ?: pool->failed ? -ENOMEM : 0;
}

static int print(struct cli *cli, const char *file, const struct model *model, const struct judgement *judgement)
{
	struct dl_pool pool = { 0 };
	struct answer answer;
	int error, status;

	if (!cli_prints(cli))
		return CLI_OK;
	error = put_answer(cli, &pool, model, judgement, &answer);
	status = error ? cli_fail(cli, dl_input_name(file), error, NULL) : cli_emit_record(cli, &answer_table, &answer);
	free(answer.trace);
	dl_pool_free(&pool);
	return status;
}

static int choose_algorithm(struct cli *cli, enum ipckit_algorithm *out)
{
	*out = IPCKIT_WATCH;
	if (!algorithm_text || !strcmp(algorithm_text, "watch"))
		return CLI_OK;
	*out = IPCKIT_CLASSIC;
	if (!strcmp(algorithm_text, "classic"))
		return CLI_OK;
	return cli_usage(cli, "--algorithm", "%s: expected watch or classic", algorithm_text);
}

static int run_check(struct cli *cli)
{
	const char *file = cli->operands[0];
	struct judgement judgement = { 0 };
	enum ipckit_algorithm algorithm;
	struct model model;
	int error, status = choose_algorithm(cli, &algorithm);

	if (!status)
		status = dl_load_requests(cli, file, &model);
	if (status)
		return status;
	error = judge(cli, &model, algorithm, &judgement);
	status = error ? cli_fail(cli, dl_input_name(file), error, NULL) : print(cli, file, &model, &judgement);
	if (!status && judgement.detection.deadlocked)
		status = CLI_NO;
	judgement_free(&judgement);
	model_free(&model);
	return status;
}

const struct cli_verb dl_check = {
	.name = "check",
	.operands = "[FILE]",
	.summary = "say whether there is a deadlock, who is in it and why",
	.least = 0,
	.most = 1,
	.flags = CLI_ANSWERS,
	.options = check_options,
	.table = &answer_table,
	.run = run_check,
};
