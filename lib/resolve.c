/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Cells to be looked at in all, and by the guess alone: about half a second each at most. */
#define GUESS_WORK ((uint64_t)1 << 25)
#define SEARCH_WORK ((uint64_t)1 << 26)

/* What is larger than the caches takes that much longer. */
#define CACHED_SIZE ((size_t)1 << 18)
#define MISS_FACTOR 8

/* ---- the part that is stuck ---- */

/* A want is left out where it is met: what is available only grows. */
static int part_request(const struct detector *detector, uint32_t process,
			struct ipckit_rows_builder *out)
{
	const struct ipckit_rows *request = &detector->system->request;
	size_t i, end = ipckit_rows_of(request, process, &i);
	int r = 0;

	for (; !r && i < end; i++) {
		int64_t count = ipckit_rows_count(request, i);

		if (count > detector->available[request->column[i]])
			r = ipckit_rows_add(out, request->column[i], count);
	}
	return r ? r : ipckit_rows_end(out);
}

/* The process's own request comes on top of an alternative: here, if it is left out there. */
static int part_any(const struct detector *detector, uint32_t process, struct ipckit_rows_builder *out)
{
	const struct ipckit_system *system = detector->system;
	const int64_t *available = detector->available;
	size_t i, end = ipckit_rows_of(&system->any, process, &i);
	int r = 0;

	if (any_row_fits(system, process, available))
		end = i;
	for (; !r && i < end; i++) {
		uint32_t resource = system->any.column[i];
		int64_t own = rows_find(&system->request, process, resource);

		if (!any_fits(system, process, i, system->existing))
			continue;
		if (own > available[resource])
			own = 0;
		r = ipckit_rows_add(out, resource, ipckit_rows_count(&system->any, i) + own);
	}
	return r ? r : ipckit_rows_end(out);
}

static int part_allocation(const struct ipckit_system *system, uint32_t process, const uint32_t *renamed,
			   struct ipckit_rows_builder *out)
{
	const struct ipckit_rows *allocation = &system->allocation;
	size_t i, end = ipckit_rows_of(allocation, process, &i);
	int r = 0;

	for (; !r && i < end; i++) {
		if (renamed[allocation->column[i]] != IPCKIT_NONE)
			r = ipckit_rows_add(out, renamed[allocation->column[i]],
					    ipckit_rows_count(allocation, i));
	}
	return r ? r : ipckit_rows_end(out);
}

static void mark_columns(const struct ipckit_rows_builder *rows, uint32_t *renamed)
{
	for (size_t i = 0; i < rows->ncells; i++)
		renamed[rows->rows.column[i]] = 0;
}

static void rename_columns(struct ipckit_rows_builder *rows, const uint32_t *renamed)
{
	for (size_t i = 0; i < rows->ncells; i++)
		rows->rows.column[i] = renamed[rows->rows.column[i]];
}

struct part_builder {
	struct ipckit_rows_builder request, any, allocation;
	uint32_t *renamed; /* by resource of the whole: its number in the part, or IPCKIT_NONE */
};

static int part_wants(const struct detector *detector, struct part_builder *builder, struct part *part)
{
	const struct ipckit_system *whole = detector->system;
	uint32_t nresources = 0;
	int r = 0;

	for (uint32_t p = 0; !r && p < whole->nprocesses; p++) {
		if (detector->gone[p])
			continue;
		part->process[part->system.nprocesses++] = p;
		r = part_request(detector, p, &builder->request);
		if (!r)
			r = part_any(detector, p, &builder->any);
	}
	if (r)
		return r;
	memset(builder->renamed, 0xff, ((size_t)whole->nresources + 1) * sizeof(uint32_t));
	mark_columns(&builder->request, builder->renamed);
	mark_columns(&builder->any, builder->renamed);
	for (uint32_t i = 0; i < whole->nresources; i++) {
		if (builder->renamed[i] != IPCKIT_NONE)
			builder->renamed[i] = nresources++;
	}
	rename_columns(&builder->request, builder->renamed);
	rename_columns(&builder->any, builder->renamed);
	part->system.nresources = nresources;
	return 0;
}

static int part_holdings(const struct detector *detector, struct part_builder *builder,
			 struct part *part)
{
	const struct ipckit_system *whole = detector->system;
	struct ipckit_system *system = &part->system;
	int r = 0;

	for (uint32_t p = 0; !r && p < system->nprocesses; p++)
		r = part_allocation(whole, part->process[p], builder->renamed, &builder->allocation);
	system->available = calloc((size_t)system->nresources + 1, sizeof(*system->available));
	system->existing = calloc((size_t)system->nresources + 1, sizeof(*system->existing));
	if (r || !system->available || !system->existing)
		return -ENOMEM;
	for (uint32_t i = 0; i < whole->nresources; i++) {
		uint32_t renamed = builder->renamed[i];

		if (renamed == IPCKIT_NONE)
			continue;
		system->available[renamed] = detector->available[i];
		system->existing[renamed] = whole->existing[i];
	}
	return 0;
}

int part_make(const struct detector *detector, const int64_t *cost, struct part *out)
{
	const struct ipckit_system *whole = detector->system;
	struct part_builder builder = { 0 };
	struct part part = { 0 };
	int r = -ENOMEM;

	part.process = reallocarray(NULL, (size_t)whole->nprocesses + 1, sizeof(*part.process));
	builder.renamed = reallocarray(NULL, (size_t)whole->nresources + 1, sizeof(uint32_t));
	if (part.process && builder.renamed)
		r = part_wants(detector, &builder, &part);
	if (!r)
		r = part_holdings(detector, &builder, &part);
	if (!r) {
		part.cost = reallocarray(NULL, (size_t)part.system.nprocesses + 1, sizeof(int64_t));
		r = part.cost ? 0 : -ENOMEM;
	}
	for (uint32_t p = 0; !r && p < part.system.nprocesses; p++)
		part.cost[p] = cost ? cost[part.process[p]] : 1;
	if (!builder.request.ncells)
		ipckit_rows_free(&builder.request.rows);
	if (!builder.any.ncells)
		ipckit_rows_free(&builder.any.rows);
	part.system.request = builder.request.rows;
	part.system.any = builder.any.rows;
	part.system.allocation = builder.allocation.rows;
	part.size = builder.request.ncells + builder.any.ncells + builder.allocation.ncells +
		    part.system.nprocesses + part.system.nresources;
	if (part.size > CACHED_SIZE)
		part.size *= MISS_FACTOR;
	free(builder.renamed);
	if (r) {
		part_free(&part);
		return r;
	}
	*out = part;
	return 0;
}

void part_free(struct part *part)
{
	ipckit_system_free(&part->system);
	free(part->process);
	free(part->cost);
	*part = (struct part){ 0 };
}

/* ---- resolution ---- */

/* Ends those that nobody's end would help, before anything else is looked for. Those of them that hold
 * nothing are in nobody's way, and only left out of what follows. */
static size_t end_hopeless(struct detector *detector, uint32_t *ended)
{
	const struct ipckit_system *system = detector->system;
	size_t n = 0, first;

	for (uint32_t p = 0; p < system->nprocesses; p++) {
		if (detector->gone[p] || !wants_too_much(system, p))
			continue;
		if (ipckit_rows_of(&system->allocation, p, &first) > first)
			ended[n++] = p;
		detector_kill(detector, p);
	}
	if (n)
		detector_run(detector);
	return n;
}

static int solve(struct solver *solver)
{
	const struct ipckit_system *system = &solver->part->system;
	int r = detector_begin(&solver->base, system, &system->request, &system->any);

	if (r)
		return r;
	detector_run(&solver->base);
	r = wait_graph_hold(&solver->graph);
	if (!r)
		r = solver_guess(solver);
	solver->work = SEARCH_WORK;
	if (!r)
		r = solver_search(solver);
	return r;
}

/* Solves the part that is stuck, and adds whom to end to `ended`. */
static int resolve_part(const struct detector *detector, const int64_t *cost, uint32_t *ended,
			size_t *nended, bool *least)
{
	struct part part;
	struct solver solver = { .part = &part, .work = GUESS_WORK };
	int r;

	r = part_make(detector, cost, &part);
	if (r)
		return r;
	solver.graph.system = &part.system;
	solver.proven = !part.system.nprocesses;
	if (!solver.proven)
		r = solve(&solver);
	for (size_t i = 0; !r && i < solver.best.n; i++)
		ended[(*nended)++] = part.process[solver.best.processes[i]];
	*least = solver.proven;
	free(solver.best.processes);
	wait_graph_free(&solver.graph);
	if (solver.base.watch)
		detector_end(&solver.base);
	part_free(&part);
	return r;
}

static int choose(const struct ipckit_system *system, const int64_t *cost,
		  struct ipckit_resolution *resolution)
{
	struct detector detector;
	int r = detector_begin(&detector, system, &system->request, &system->any);

	if (r)
		return r;
	detector_run(&detector);
	resolution->nprocesses = end_hopeless(&detector, resolution->processes);
	r = resolve_part(&detector, cost, resolution->processes, &resolution->nprocesses,
			 &resolution->least);
	detector_end(&detector);
	return r;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* How the others finish, from the beginning. */
static int follow(const struct ipckit_system *system, const int64_t *cost,
		  struct ipckit_resolution *resolution)
{
	const struct ipckit_rows *held = &system->allocation;
	struct detector detector;
	int r = detector_begin(&detector, system, &system->request, &system->any);

	if (r)
		return r;
	for (size_t n = 0; n < resolution->nprocesses; n++) {
		uint32_t process = resolution->processes[n];
		size_t i, end = ipckit_rows_of(held, process, &i);

		resolution->cost += cost ? cost[process] : 1;
		for (; i < end; i++)
			resolution->available[held->column[i]] += ipckit_rows_count(held, i);
		detector_kill(&detector, process);
	}
	detector_run(&detector);
	resolution->norder = detector.norder;
	memcpy(resolution->order, detector.order, detector.norder * sizeof(*detector.order));
	detector_end(&detector);
	return 0;
}

int ipckit_deadlock_resolve(const struct ipckit_system *system, const int64_t *cost,
			    struct ipckit_resolution *out)
{
	struct ipckit_resolution made = { 0 };
	size_t nresources = system->nresources;
	int r = -ENOMEM;

	made.processes = reallocarray(NULL, (size_t)system->nprocesses + 1, sizeof(uint32_t));
	made.order = reallocarray(NULL, (size_t)system->nprocesses + 1, sizeof(uint32_t));
	made.available = reallocarray(NULL, nresources + 1, sizeof(int64_t));
	if (made.processes && made.order && made.available)
		r = choose(system, cost, &made);
	if (!r) {
		qsort(made.processes, made.nprocesses, sizeof(*made.processes), ascending);
		if (nresources)
			memcpy(made.available, system->available, nresources * sizeof(int64_t));
		r = follow(system, cost, &made);
	}
	if (r) {
		ipckit_resolution_free(&made);
		return r;
	}
	*out = made;
	return 0;
}

void ipckit_resolution_free(struct ipckit_resolution *resolution)
{
	free(resolution->processes);
	free(resolution->order);
	free(resolution->available);
	*resolution = (struct ipckit_resolution){ 0 };
}
