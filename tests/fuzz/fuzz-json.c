/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Systems in JSON: read whole, and in pieces of 1 and 7 bytes; what is read is judged both ways. */

#include "../../cmd/deadlock-check/input.h"
#include "fuzz.h"

#include <errno.h>

#include <jansson.h>

static int read_in_steps(const uint8_t *data, size_t size, size_t step, struct model *model,
			 struct problem *problem)
{
	struct source source;
	int r;

	memset(problem, 0, sizeof(*problem));
	if (source_open_memory(&source, (const char *)data, size, step))
		exit(1);
	r = read_json(&source, model, problem);
	source_close(&source);
	HOLDS(r == 0 || r == -EBADMSG);
	HOLDS(!r || (problem->place.line && problem->place.column && *problem->text));
	HOLDS(strspn(problem->text, "\n\t\033") == 0 && strlen(problem->text) < sizeof(problem->text) - 1);
	return r;
}

/* ---- the same ---- */

static bool same_bytes(const void *a, const void *b, size_t size)
{
	return !a || !b ? a == b : !memcmp(a, b, size);
}

static bool same_rows(const struct ipckit_rows *a, const struct ipckit_rows *b, uint32_t nrows)
{
	size_t ncells = a->start ? a->start[nrows] : 0;

	if (!same_bytes(a->start, b->start, (nrows + (size_t)1) * sizeof(*a->start)))
		return false;
	for (size_t i = 0; i < ncells; i++) {
		if (a->column[i] != b->column[i] || ipckit_rows_count(a, i) != ipckit_rows_count(b, i))
			return false;
	}
	return true;
}

static bool same_names(const struct names *a, const struct names *b)
{
	return a->count == b->count && a->size == b->size && (!a->size || !memcmp(a->text, b->text, a->size));
}

static void check_same(const struct model *a, const struct model *b)
{
	const struct ipckit_system *s = &a->system, *t = &b->system;

	HOLDS(a->form == b->form && a->has_request == b->has_request && a->has_claim == b->has_claim);
	HOLDS(same_names(&a->processes, &b->processes) && same_names(&a->resources, &b->resources));
	HOLDS(s->nprocesses == t->nprocesses && s->nresources == t->nresources && s->nends == t->nends);
	HOLDS(same_bytes(s->existing, t->existing, s->nresources * sizeof(*s->existing)));
	HOLDS(same_bytes(s->available, t->available, s->nresources * sizeof(*s->available)));
	HOLDS(same_bytes(s->preemptible, t->preemptible, s->nresources * sizeof(*s->preemptible)));
	HOLDS(same_bytes(s->end_of, t->end_of, s->nends * sizeof(*s->end_of)));
	HOLDS(same_rows(&s->allocation, &t->allocation, s->nprocesses));
	HOLDS(same_rows(&s->request, &t->request, s->nprocesses));
	HOLDS(same_rows(&s->any, &t->any, s->nprocesses));
	HOLDS(same_rows(&s->claim, &t->claim, s->nprocesses));
}

/* ---- what was read ---- */

static void check_rows(const struct ipckit_rows *rows, const struct ipckit_system *system)
{
	for (uint32_t p = 0; p < system->nprocesses; p++) {
		size_t cell, end = ipckit_rows_of(rows, p, &cell);

		HOLDS(cell <= end);
		for (size_t first = cell; cell < end; cell++) {
			HOLDS(rows->column[cell] < system->nresources && ipckit_rows_count(rows, cell) > 0);
			HOLDS(cell == first || rows->column[cell] > rows->column[cell - 1]);
		}
	}
}

static void check_model(const struct model *model)
{
	const struct ipckit_system *system = &model->system;

	HOLDS(model->form == FORM_JSON || model->form == FORM_GRAPH_JSON);
	HOLDS(model->has_request || model->has_claim);
	HOLDS(model->processes.count == system->nprocesses);
	HOLDS(model->resources.count == system->nresources - system->nends);
	HOLDS(system->existing && system->available);
	for (uint32_t r = 0; r < system->nresources; r++)
		HOLDS(system->available[r] >= 0 && system->available[r] <= system->existing[r]);
	check_rows(&system->allocation, system);
	check_rows(&system->request, system);
	check_rows(&system->any, system);
	check_rows(&system->claim, system);
}

static void check_judged(const struct ipckit_system *system)
{
	struct ipckit_detection a, b;

	if (ipckit_deadlock_detect(system, IPCKIT_WATCH, &a) ||
	    ipckit_deadlock_detect(system, IPCKIT_CLASSIC, &b))
		exit(1);
	HOLDS(a.deadlocked == b.deadlocked && a.ndead == b.ndead && a.nbehind == b.nbehind);
	HOLDS(!a.ndead || !memcmp(a.dead, b.dead, a.ndead * sizeof(*a.dead)));
	HOLDS(!a.nbehind || !memcmp(a.behind, b.behind, a.nbehind * sizeof(*a.behind)));
	HOLDS(a.norder == b.norder && a.norder + a.ndead + a.nbehind == system->nprocesses);
	ipckit_detection_free(&a);
	ipckit_detection_free(&b);
}

/* The scanner alone takes nothing for JSON that is none: in pieces jansson is not asked. */
static void check_json(const uint8_t *data, size_t size)
{
	json_t *document = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

	HOLDS(document);
	json_decref(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 1, 7 };
	struct problem problem, again;
	struct model model, other;
	int r;

	memset(&model, 0x5a, sizeof(model));
	other = model;
	json_object_seed(1);
	r = read_in_steps(data, size, 0, &model, &problem);
	HOLDS(!r || !memcmp(&model, &other, sizeof(model)));
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		HOLDS(read_in_steps(data, size, steps[i], &other, &again) == r);
		if (!r) {
			check_json(data, size);
			check_same(&model, &other);
			model_free(&other);
			continue;
		}
		HOLDS(again.place.line == problem.place.line && again.place.column == problem.place.column);
		HOLDS(!strcmp(again.text, problem.text));
	}
	if (!r) {
		check_model(&model);
		check_judged(&model.system);
		model_free(&model);
	}
	return 0;
}
