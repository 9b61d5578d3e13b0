/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wait-graph.h"

#include <errno.h>
#include <stdlib.h>

/* What shows a condition, while it is looked for. */
struct marks {
	bool *processes, *resources;
};

static int marks_make(struct marks *marks, const struct ipckit_system *system)
{
	marks->processes = calloc((size_t)system->nprocesses + 1, sizeof(bool));
	marks->resources = calloc((size_t)system->nresources + 1, sizeof(bool));
	return marks->processes && marks->resources ? 0 : -ENOMEM;
}

static void marks_free(struct marks *marks)
{
	free(marks->processes);
	free(marks->resources);
}

static int list(const bool *marked, uint32_t n, uint32_t **out, size_t *length)
{
	size_t count = 0;

	for (uint32_t i = 0; i < n; i++)
		count += marked[i];
	*out = reallocarray(NULL, count + 1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		if (marked[i])
			(*out)[(*length)++] = i;
	}
	return 0;
}

static void condition_free(struct ipckit_condition *condition)
{
	free(condition->processes);
	free(condition->resources);
	*condition = (struct ipckit_condition){ 0 };
}

/* Finds one condition by marking what shows it. */
static int judge(const struct ipckit_system *system, const bool *held,
		 void (*mark)(const struct ipckit_system *system, const bool *held, struct marks *marks),
		 struct ipckit_condition *out)
{
	struct marks marks = { 0 };
	int r = marks_make(&marks, system);

	if (!r) {
		mark(system, held, &marks);
		r = list(marks.processes, system->nprocesses, &out->processes, &out->nprocesses);
	}
	if (!r)
		r = list(marks.resources, system->nresources, &out->resources, &out->nresources);
	if (!r)
		out->held = out->nprocesses && out->nresources;
	marks_free(&marks);
	return r;
}

static void mark_exclusion(const bool *held, uint32_t process, uint32_t resource, struct marks *marks)
{
	if (!held[resource])
		return;
	marks->processes[process] = true;
	marks->resources[resource] = true;
}

/* The processes are those that are kept out. */
static void mark_mutual_exclusion(const struct ipckit_system *system, const bool *held,
				  struct marks *marks)
{
	const struct ipckit_rows *request = &system->request, *any = &system->any;

	for (uint32_t p = 0; p < system->nprocesses; p++) {
		size_t i, end = ipckit_rows_of(request, p, &i);

		for (; i < end; i++) {
			if (ipckit_rows_count(request, i) > system->available[request->column[i]])
				mark_exclusion(held, p, request->column[i], marks);
		}
		end = any_row_fits(system, p, system->available) ? 0 : ipckit_rows_of(any, p, &i);
		for (; i < end; i++)
			mark_exclusion(held, p, any->column[i], marks);
	}
}

static bool has_row(const struct ipckit_rows *rows, uint32_t process)
{
	size_t first;

	return ipckit_rows_of(rows, process, &first) > first;
}

/* The resources are what such processes hold. */
static void mark_hold_and_wait(const struct ipckit_system *system, const bool *held, struct marks *marks)
{
	const struct ipckit_rows *allocation = &system->allocation;

	(void)held;
	for (uint32_t p = 0; p < system->nprocesses; p++) {
		size_t i, end = ipckit_rows_of(allocation, p, &i);

		if (i == end || !(has_row(&system->request, p) || has_row(&system->any, p)))
			continue;
		marks->processes[p] = true;
		for (; i < end; i++)
			marks->resources[allocation->column[i]] = true;
	}
}

static void mark_wanted(const struct ipckit_system *system, const bool *held,
			const struct ipckit_rows *rows, bool *wanted)
{
	size_t ncells = rows->start ? rows->start[system->nprocesses] : 0;

	for (size_t i = 0; i < ncells; i++) {
		uint32_t resource = rows->column[i];

		if (held[resource] && !(system->preemptible && system->preemptible[resource]))
			wanted[resource] = true;
	}
}

/* The processes are the holders. */
static void mark_no_preemption(const struct ipckit_system *system, const bool *held, struct marks *marks)
{
	const struct ipckit_rows *allocation = &system->allocation;

	mark_wanted(system, held, &system->request, marks->resources);
	mark_wanted(system, held, &system->any, marks->resources);
	for (uint32_t p = 0; p < system->nprocesses; p++) {
		size_t i, end = ipckit_rows_of(allocation, p, &i);

		for (; i < end; i++)
			marks->processes[p] |= marks->resources[allocation->column[i]];
	}
}

static int find_circular_wait(const struct ipckit_system *system, struct ipckit_condition *out)
{
	struct wait_graph graph = { .system = system };
	struct ipckit_cycle cycle = { 0 };
	int r = wait_graph_cycle(&graph, &cycle);

	if (r)
		return r;
	*out = (struct ipckit_condition){
		.held = cycle.length,
		.processes = cycle.processes,
		.resources = cycle.resources,
		.nprocesses = cycle.length,
		.nresources = cycle.length,
	};
	return 0;
}

static bool *find_held(const struct ipckit_system *system)
{
	const struct ipckit_rows *allocation = &system->allocation;
	size_t ncells = allocation->start ? allocation->start[system->nprocesses] : 0;
	bool *held = calloc((size_t)system->nresources + 1, sizeof(*held));

	for (size_t i = 0; held && i < ncells; i++)
		held[allocation->column[i]] = true;
	return held;
}

int ipckit_deadlock_explain(const struct ipckit_system *system, struct ipckit_conditions *out)
{
	struct ipckit_conditions found = { 0 };
	bool *held = find_held(system);
	int r = -ENOMEM;

	if (!held)
		return r;
	r = judge(system, held, mark_mutual_exclusion, &found.mutual_exclusion);
	if (!r)
		r = judge(system, held, mark_hold_and_wait, &found.hold_and_wait);
	if (!r)
		r = judge(system, held, mark_no_preemption, &found.no_preemption);
	if (!r)
		r = find_circular_wait(system, &found.circular_wait);
	free(held);
	if (r) {
		ipckit_conditions_free(&found);
		return r;
	}
	*out = found;
	return 0;
}

void ipckit_conditions_free(struct ipckit_conditions *conditions)
{
	condition_free(&conditions->mutual_exclusion);
	condition_free(&conditions->hold_and_wait);
	condition_free(&conditions->no_preemption);
	condition_free(&conditions->circular_wait);
}
