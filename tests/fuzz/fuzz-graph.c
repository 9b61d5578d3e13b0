/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Graphs as edge lines and DOT. */

#include "model.h"

struct reading {
	int r;
	struct model model;
	struct problem problem;
};

static void read_in_steps(const uint8_t *data, size_t size, size_t step, struct reading *out)
{
	struct source source;

	memset(out, 0, sizeof(*out));
	if (source_open_memory(&source, (const char *)data, size, step))
		exit(1);
	out->r = read_graph(&source, &out->model, &out->problem);
	HOLDS(out->r == 0 || out->r == -EBADMSG);
	source_close(&source);
}

/* ---- what holds of each ---- */

static void check_problem(const struct problem *problem)
{
	HOLDS(problem->place.line && problem->place.column);
	HOLDS(*problem->text && strlen(problem->text) < sizeof(problem->text));
	for (const char *c = problem->text; *c; c++)
		HOLDS(*c >= ' ' && *c <= '~');
}

static void check_names(struct names *names)
{
	for (uint32_t i = 0; i < names->count; i++) {
		const char *name = names_get(names, i);
		uint32_t found;

		HOLDS(strlen(name) <= INPUT_NAME_MAX);
		HOLDS(!names_find(names, name, strlen(name), &found) && found == i);
	}
}

static void check_graph(struct model *model)
{
	HOLDS(model->form == FORM_GRAPH && model->has_request && !model->has_claim);
	HOLDS(model->system.nprocesses + (uint64_t)model->system.nresources > 0);
	check_names(&model->processes);
	check_names(&model->resources);
	check_model(model);
}

static void check_same(const struct reading *a, const struct reading *b)
{
	HOLDS(a->r == b->r);
	if (a->r)
		check_same_problem(&a->problem, &b->problem);
	else
		check_same_model(&a->model, &b->model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 1, 7 };
	struct reading whole, again;

	read_in_steps(data, size, 0, &whole);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		read_in_steps(data, size, steps[i], &again);
		check_same(&whole, &again);
		model_free(&again.model);
	}
	if (whole.r)
		check_problem(&whole.problem);
	else
		check_graph(&whole.model);
	model_free(&whole.model);
	return 0;
}
