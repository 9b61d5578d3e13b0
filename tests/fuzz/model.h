/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

/* What has to hold of every model that was read, and of reading it a second time. */

#include "fuzz.h"

#include <errno.h>

#include "../../cmd/deadlock-check/input.h"

static inline void check_same_problem(const struct problem *a, const struct problem *b)
{
	HOLDS(a->place.line == b->place.line && a->place.column == b->place.column);
	HOLDS(!strcmp(a->text, b->text));
	HOLDS(a->input == b->input || (a->input && b->input && !strcmp(a->input, b->input)));
}

static inline void check_same_rows(const struct ipckit_rows *a, const struct ipckit_rows *b, uint32_t nrows)
{
	HOLDS(!a->start == !b->start);
	for (uint32_t p = 0; p < nrows; p++) {
		size_t i, j, end = ipckit_rows_of(a, p, &i), other = ipckit_rows_of(b, p, &j);

		HOLDS(end - i == other - j);
		for (; i < end; i++, j++) {
			HOLDS(a->column[i] == b->column[j]);
			HOLDS(ipckit_rows_count(a, i) == ipckit_rows_count(b, j));
		}
	}
}

static inline void check_same_names(const struct names *a, const struct names *b)
{
	HOLDS(a->count == b->count && a->size == b->size);
	HOLDS(!a->size || !memcmp(a->text, b->text, a->size));
}

static inline void check_same_model(const struct model *a, const struct model *b)
{
	const struct ipckit_system *s = &a->system, *t = &b->system;

	HOLDS(a->form == b->form && a->has_request == b->has_request && a->has_claim == b->has_claim);
	HOLDS(s->nprocesses == t->nprocesses && s->nresources == t->nresources && s->nends == t->nends);
	for (uint32_t r = 0; r < s->nresources; r++)
		HOLDS(s->existing[r] == t->existing[r] && s->available[r] == t->available[r]);
	check_same_rows(&s->allocation, &t->allocation, s->nprocesses);
	check_same_rows(&s->request, &t->request, s->nprocesses);
	check_same_rows(&s->any, &t->any, s->nprocesses);
	check_same_rows(&s->claim, &t->claim, s->nprocesses);
	check_same_names(&a->processes, &b->processes);
	check_same_names(&a->resources, &b->resources);
	HOLDS(!s->preemptible == !t->preemptible);
	for (uint32_t r = 0; s->preemptible && r < s->nresources; r++)
		HOLDS(s->preemptible[r] == t->preemptible[r]);
	for (uint32_t i = 0; i < s->nends; i++)
		HOLDS(s->end_of[i] == t->end_of[i]);
}

static inline void check_rows(const struct ipckit_rows *rows, uint32_t nrows, uint32_t ncolumns)
{
	for (uint32_t p = 0; p < nrows; p++) {
		size_t first, end = ipckit_rows_of(rows, p, &first);

		HOLDS(first <= end);
		for (size_t i = first; i < end; i++) {
			HOLDS(rows->column[i] < ncolumns && ipckit_rows_count(rows, i) > 0);
			HOLDS(i == first || rows->column[i - 1] < rows->column[i]);
		}
	}
}

static inline void check_detection(const struct ipckit_system *system)
{
	struct ipckit_detection watch, classic;

	if (ipckit_deadlock_detect(system, IPCKIT_WATCH, &watch) ||
	    ipckit_deadlock_detect(system, IPCKIT_CLASSIC, &classic))
		exit(1);
	HOLDS(watch.deadlocked == classic.deadlocked && watch.norder == classic.norder);
	HOLDS(watch.ndead == classic.ndead && watch.nbehind == classic.nbehind);
	HOLDS(watch.norder + watch.ndead + watch.nbehind == system->nprocesses);
	HOLDS(!watch.ndead || !memcmp(watch.dead, classic.dead, watch.ndead * sizeof(*watch.dead)));
	HOLDS(!watch.nbehind || !memcmp(watch.behind, classic.behind, watch.nbehind * sizeof(*watch.behind)));
	for (uint32_t p = 0; p < system->nprocesses; p++)
		HOLDS(watch.stuck[p] == classic.stuck[p]);
	ipckit_detection_free(&watch);
	ipckit_detection_free(&classic);
}

/* A model that was read is complete, and both algorithms judge it alike. */
static inline void check_model(const struct model *model)
{
	const struct ipckit_system *system = &model->system;

	HOLDS(model->processes.count == system->nprocesses);
	HOLDS(model->resources.count == system->nresources - system->nends);
	HOLDS(model->has_request || model->has_claim);
	HOLDS(system->existing && system->available);
	for (uint32_t i = 0; i < system->nends; i++) {
		HOLDS(system->end_of[i] < system->nprocesses);
		HOLDS(system->existing[system->nresources - system->nends + i] == 1);
	}
	for (uint32_t r = 0; r < system->nresources; r++)
		HOLDS(0 <= system->available[r] && system->available[r] <= system->existing[r]);
	check_rows(&system->allocation, system->nprocesses, system->nresources);
	check_rows(&system->request, system->nprocesses, system->nresources);
	check_rows(&system->any, system->nprocesses, system->nresources);
	check_rows(&system->claim, system->nprocesses, system->nresources);
	check_detection(system);
}

#endif
