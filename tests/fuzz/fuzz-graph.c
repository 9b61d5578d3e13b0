/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Graphs as edge lines and DOT. */

#include "fuzz.h"

#include <errno.h>

#include "input.h"

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

static void check_rows(const struct ipckit_rows *rows, const struct ipckit_system *system)
{
	for (uint32_t p = 0; p < system->nprocesses; p++) {
		size_t first, end = ipckit_rows_of(rows, p, &first);

		for (size_t cell = first; cell < end; cell++) {
			HOLDS(rows->column[cell] < system->nresources);
			HOLDS(cell == first || rows->column[cell - 1] < rows->column[cell]);
			HOLDS(ipckit_rows_count(rows, cell) >= 1);
		}
	}
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

static void check_model(struct model *model)
{
	const struct ipckit_system *system = &model->system;

	HOLDS(model->form == FORM_GRAPH && model->has_request && !model->has_claim);
	HOLDS(model->processes.count == system->nprocesses);
	HOLDS(model->resources.count == system->nresources - system->nends);
	HOLDS(system->nprocesses + (uint64_t)system->nresources > 0);
	check_names(&model->processes);
	check_names(&model->resources);
	check_rows(&system->allocation, system);
	check_rows(&system->request, system);
	check_rows(&system->any, system);
	for (uint32_t i = 0; i < system->nresources; i++)
		HOLDS(system->available[i] >= 0 && system->available[i] <= system->existing[i]);
	for (uint32_t i = 0; i < system->nends; i++) {
		HOLDS(system->end_of[i] < system->nprocesses);
		HOLDS(system->existing[system->nresources - system->nends + i] == 1);
	}
}

/* ---- two readings of the same ---- */

static void check_same_rows(const struct ipckit_rows *a, const struct ipckit_rows *b, uint32_t nrows)
{
	for (uint32_t p = 0; p < nrows; p++) {
		size_t at_a, at_b, end_a = ipckit_rows_of(a, p, &at_a), end_b = ipckit_rows_of(b, p, &at_b);

		HOLDS(end_a - at_a == end_b - at_b);
		for (; at_a < end_a; at_a++, at_b++) {
			HOLDS(a->column[at_a] == b->column[at_b]);
			HOLDS(ipckit_rows_count(a, at_a) == ipckit_rows_count(b, at_b));
		}
	}
}

static void check_same_names(const struct names *a, const struct names *b)
{
	HOLDS(a->count == b->count && a->size == b->size);
	HOLDS(!a->size || !memcmp(a->text, b->text, a->size));
}

static void check_same_models(const struct model *a, const struct model *b)
{
	const struct ipckit_system *x = &a->system, *y = &b->system;

	HOLDS(x->nprocesses == y->nprocesses && x->nresources == y->nresources && x->nends == y->nends);
	check_same_names(&a->processes, &b->processes);
	check_same_names(&a->resources, &b->resources);
	check_same_rows(&x->allocation, &y->allocation, x->nprocesses);
	check_same_rows(&x->request, &y->request, x->nprocesses);
	check_same_rows(&x->any, &y->any, x->nprocesses);
	HOLDS(!x->preemptible == !y->preemptible);
	for (uint32_t i = 0; i < x->nresources; i++) {
		HOLDS(x->existing[i] == y->existing[i] && x->available[i] == y->available[i]);
		HOLDS(!x->preemptible || x->preemptible[i] == y->preemptible[i]);
	}
	for (uint32_t i = 0; i < x->nends; i++)
		HOLDS(x->end_of[i] == y->end_of[i]);
}

static void check_same(const struct reading *a, const struct reading *b)
{
	HOLDS(a->r == b->r);
	if (!a->r) {
		check_same_models(&a->model, &b->model);
		return;
	}
	HOLDS(a->problem.place.line == b->problem.place.line);
	HOLDS(a->problem.place.column == b->problem.place.column);
	HOLDS(!strcmp(a->problem.text, b->problem.text));
}

/* ---- what is made of it ---- */

static void check_detection(const struct ipckit_system *system)
{
	struct ipckit_detection watch, classic;

	if (ipckit_deadlock_detect(system, IPCKIT_WATCH, &watch) ||
	    ipckit_deadlock_detect(system, IPCKIT_CLASSIC, &classic))
		exit(1);
	HOLDS(watch.deadlocked == classic.deadlocked && watch.norder == classic.norder);
	HOLDS(watch.ndead == classic.ndead && watch.nbehind == classic.nbehind);
	HOLDS(!watch.ndead || !memcmp(watch.dead, classic.dead, watch.ndead * sizeof(*watch.dead)));
	HOLDS(!watch.nbehind || !memcmp(watch.behind, classic.behind, watch.nbehind * sizeof(*watch.behind)));
	ipckit_detection_free(&watch);
	ipckit_detection_free(&classic);
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
	if (whole.r) {
		check_problem(&whole.problem);
	} else {
		check_model(&whole.model);
		check_detection(&whole.model.system);
	}
	model_free(&whole.model);
	return 0;
}
