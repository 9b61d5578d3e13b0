/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deadlock.h"

#include <errno.h>

struct condition {
	const char *condition;
	bool held;
	struct dl_strings processes, resources;
	const char *because;
};

struct answer {
	bool deadlocked;
	struct condition conditions[4];
	struct condition *rows;
	size_t nrows;
};

#define CONDITION(member) .offset = offsetof(struct condition, member)
#define STRINGS(member)                                                              \
	.type = CLI_STRINGS, CONDITION(member.list), .count_offset = offsetof(struct condition, member.count)

static const struct cli_field condition_fields[] = {
	{ "condition", .type = CLI_STRING, CONDITION(condition), .summary = "one of the four that a deadlock needs" },
	{ "held", .type = CLI_BOOL, CONDITION(held), .summary = "whether it is met here" },
	{ "processes", STRINGS(processes), .flags = CLI_WIDE, .summary = "the processes that show it" },
	{ "resources", STRINGS(resources), .flags = CLI_WIDE, .summary = "the resources that show it" },
	{ "because", .type = CLI_STRING, CONDITION(because), .summary = "the same in words" },
	{ 0 },
};
static const struct cli_table condition_table = { condition_fields, sizeof(struct condition), "conditions", NULL };

#define ANSWER(member) .offset = offsetof(struct answer, member)

static const struct cli_field answer_fields[] = {
	{ "deadlocked", .type = CLI_BOOL, ANSWER(deadlocked), .summary = "whether any process is" },
	{ "conditions", .type = CLI_ROWS, ANSWER(rows), .count_offset = offsetof(struct answer, nrows),
	  .rows = &condition_table, .summary = "the four conditions" },
	{ 0 },
};
static const struct cli_table answer_table = { answer_fields, sizeof(struct answer), NULL, NULL };

/* ---- words ---- */

static const char *is_or_are(const struct dl_strings *strings)
{
	return strings->count == 1 ? "is" : "are";
}

static void say_exclusion(struct dl_pool *pool, struct condition *out)
{
	out->condition = "mutual exclusion";
	out->because = !out->held ? "nothing is wanted beyond what is free" :
				    dl_pool_text(pool, "%s %s held, and wanted beyond what is free",
						 dl_enumerate(pool, &out->resources), is_or_are(&out->resources));
}

static void say_hold_and_wait(struct dl_pool *pool, struct condition *out)
{
	out->condition = "hold and wait";
	out->because = !out->held ? "nobody holds one resource and wants another" :
				    dl_pool_text(pool, "%s %s resources and want%s more",
						 dl_enumerate(pool, &out->processes),
						 out->processes.count == 1 ? "holds" : "hold",
						 out->processes.count == 1 ? "s" : "");
}

static void say_no_preemption(struct dl_pool *pool, struct condition *out)
{
	out->condition = "no preemption";
	out->because = !out->held ? "whatever is held and wanted may be taken from its holder" :
				    dl_pool_text(pool, "%s cannot be taken from who holds %s",
						 dl_enumerate(pool, &out->resources),
						 out->resources.count == 1 ? "it" : "them");
}

static const char *ring(struct dl_pool *pool, const struct dl_strings *cycle)
{
	const char *text = "";

	for (size_t i = 0; text && i < cycle->count; i++)
		text = dl_pool_text(pool, "%s%s%s", text, i ? " -> " : "", cycle->list[i]);
	return text;
}

#define LONG_RING 12

static void say_circular_wait(struct dl_pool *pool, const struct model *model, const struct ipckit_condition *from,
			      struct condition *out)
{
	const struct ipckit_cycle cycle = { from->processes, from->resources, from->nprocesses, true };
	struct dl_strings names = dl_cycle(pool, model, &cycle);

	out->condition = "circular wait";
	if (!out->held)
		out->because = "no chain of wants and holdings closes";
	else if (from->nprocesses <= LONG_RING && names.list)
		out->because = ring(pool, &names);
	else
		out->because = dl_pool_text(pool, "a ring of %zu processes: %s", from->nprocesses,
					    dl_enumerate(pool, &out->processes));
}

static void put_condition(struct dl_pool *pool, const struct model *model, const struct ipckit_condition *from,
			  struct condition *out)
{
	out->held = from->held;
	out->processes = dl_processes(pool, model, from->processes, from->nprocesses);
	out->resources = dl_resources(pool, model, from->resources, from->nresources);
}

static void put_answer(struct dl_pool *pool, const struct model *model, const struct ipckit_conditions *from,
		       struct answer *out)
{
	struct condition *c = out->conditions;

	put_condition(pool, model, &from->mutual_exclusion, &c[0]);
	put_condition(pool, model, &from->hold_and_wait, &c[1]);
	put_condition(pool, model, &from->no_preemption, &c[2]);
	put_condition(pool, model, &from->circular_wait, &c[3]);
	say_exclusion(pool, &c[0]);
	say_hold_and_wait(pool, &c[1]);
	say_no_preemption(pool, &c[2]);
	say_circular_wait(pool, model, &from->circular_wait, &c[3]);
	out->rows = c;
	out->nrows = 4;
}

/* ---- the verb ---- */

static int print(struct cli *cli, const char *file, const struct model *model, bool deadlocked,
		 const struct ipckit_conditions *conditions)
{
	struct answer answer = { .deadlocked = deadlocked };
	struct dl_pool pool = { 0 };
	int status;

	put_answer(&pool, model, conditions, &answer);
	status = pool.failed ? cli_fail(cli, dl_input_name(file), ENOMEM, NULL) :
			       cli_emit_record(cli, &answer_table, &answer);
	dl_pool_free(&pool);
	return status;
}

static int run_explain(struct cli *cli)
{
	const char *file = cli->operands[0];
	struct ipckit_conditions conditions = { 0 };
	struct ipckit_detection detection = { 0 };
	struct model model;
	int error, status = dl_load_requests(cli, file, &model);

	if (status)
		return status;
	error = ipckit_deadlock_detect(&model.system, IPCKIT_WATCH, &detection);
	if (!error)
		error = ipckit_deadlock_explain(&model.system, &conditions);
	status = error ? cli_fail(cli, dl_input_name(file), error, NULL) :
			 print(cli, file, &model, detection.deadlocked, &conditions);
	if (!status && detection.deadlocked)
		status = CLI_NO;
	ipckit_conditions_free(&conditions);
	ipckit_detection_free(&detection);
	model_free(&model);
	return status;
}

const struct cli_verb dl_explain = {
	.name = "explain",
	.operands = "[FILE]",
	.summary = "say which of the four conditions of a deadlock hold, and what shows it",
	.least = 0,
	.most = 1,
	.flags = CLI_ANSWERS,
	.options = dl_input_options,
	.table = &answer_table,
	.run = run_explain,
};
