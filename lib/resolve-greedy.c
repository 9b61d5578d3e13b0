/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Steps of a walk, and places on its cycles that are looked at: each may miss every cache. */
#define GUESS_STEPS ((uint64_t)1 << 21)

/* Of a cycle so much is looked at in any case. */
#define LOOKED_AT 64

/*
 * From a stuck process on, who blocks it, who blocks that one, and so on, until one
 * comes up again: of those on this cycle one is ended, and the walk goes on from the
 * process before it.
 */
struct walk {
	struct solver *solver;
	struct detector state;
	bool weighed;     /* a process is worth its cost for each that waits for it */
	uint32_t *weight; /* by process: who waits for what it holds */
	uint32_t *path, *at; /* at: by process, its place in path, or IPCKIT_NONE */
	size_t length;
	size_t *cell;     /* by process: the first of its request that is not known to be met */
	uint32_t *blocker; /* by process: the only holder of what blocks it, or IPCKIT_NONE */
	size_t *holder;   /* by resource: its first holder that may not be gone */
	uint64_t steps;   /* that may still be made */
	uint64_t looks;   /* at cycles, that may still be made */
	struct victims victims;
};

/* How many wait for each resource, then for each process. Saturating is good enough. */
static int weigh(struct walk *walk)
{
	const struct ipckit_system *system = &walk->solver->part->system;
	const struct ipckit_rows *rows[] = { &system->request, &system->any };
	uint32_t *waiting = calloc((size_t)system->nresources + 1, sizeof(*waiting));

	if (!waiting)
		return -ENOMEM;
	for (size_t k = 0; k < 2; k++) {
		size_t ncells = rows[k]->start ? rows[k]->start[system->nprocesses] : 0;

		for (size_t i = 0; i < ncells; i++)
			waiting[rows[k]->column[i]]++;
	}
	for (uint32_t p = 0; p < system->nprocesses; p++) {
		size_t i, end = ipckit_rows_of(&system->allocation, p, &i);
		uint32_t *weight = &walk->weight[p];

		for (; i < end; i++) {
			if (__builtin_add_overflow(*weight, waiting[system->allocation.column[i]], weight))
				*weight = UINT32_MAX;
		}
	}
	free(waiting);
	return 0;
}

/* The resource that blocks a process: cells once met stay so. */
static uint32_t blocked_at(struct walk *walk, uint32_t process)
{
	const struct ipckit_system *system = &walk->solver->part->system;
	const struct ipckit_rows *request = &system->request;
	size_t *cell = &walk->cell[process], first;

	/* The end of a row is only asked for where something besides the request may block. */
	while (!system->any.start || *cell < ipckit_rows_of(request, process, &first)) {
		uint32_t resource = request->column[*cell];

		if (ipckit_rows_count(request, *cell) > walk->state.available[resource])
			return resource;
		++*cell;
	}
	ipckit_rows_of(&system->any, process, &first);
	return system->any.column[first];
}

static uint32_t holder_of(struct walk *walk, uint32_t resource)
{
	const struct wait_edges *holders = &walk->solver->graph.holders;
	size_t *at = &walk->holder[resource];

	while (walk->state.gone[holders->to[holders->start[resource] + *at]])
		++*at;
	return holders->to[holders->start[resource] + *at];
}

/* A process that holds what blocks another. An only holder blocks for as long as it is there. */
static uint32_t blocker_of(struct walk *walk, uint32_t process)
{
	const struct wait_graph *graph = &walk->solver->graph;
	uint32_t *blocker = &walk->blocker[process], resource;

	if (*blocker != IPCKIT_NONE && !walk->state.gone[*blocker])
		return *blocker;
	resource = blocked_at(walk, process);
	if (graph->node[resource] >= graph->system->nprocesses)
		return holder_of(walk, resource);
	*blocker = graph->node[resource];
	return *blocker;
}

static void push(struct walk *walk, uint32_t process)
{
	walk->at[process] = walk->length;
	walk->path[walk->length++] = process;
}

static void cut_to(struct walk *walk, size_t length)
{
	while (walk->length > length)
		walk->at[walk->path[--walk->length]] = IPCKIT_NONE;
}

static bool is_better(const struct walk *walk, uint32_t a, uint32_t b)
{
	const int64_t *cost = walk->solver->part->cost;
	__int128 left = cost[a], right = cost[b];

	if (walk->weighed) {
		left *= walk->weight[b];
		right *= walk->weight[a];
	}
	if (left != right)
		return left < right;
	if (walk->weight[a] != walk->weight[b])
		return walk->weight[a] > walk->weight[b];
	return a < b;
}

static void end_process(struct walk *walk, uint32_t process)
{
	walk->victims.processes[walk->victims.n++] = process;
	walk->victims.cost += walk->solver->part->cost[process];
	detector_kill(&walk->state, process);
	detector_run(&walk->state);
}

/* Ends the best of the path from `first` on; where someone on it is gone, it is no cycle any more. */
static void break_cycle(struct walk *walk, size_t first)
{
	size_t best = walk->length - 1, n = walk->length - first;

	if (n > LOOKED_AT && n > walk->looks)
		n = LOOKED_AT;
	walk->looks -= n < walk->looks ? n : walk->looks;
	for (size_t i = walk->length; i-- > walk->length - n;) {
		uint32_t process = walk->path[i];

		if (walk->state.gone[process]) {
			cut_to(walk, i);
			return;
		}
		if (is_better(walk, process, walk->path[best]))
			best = i;
	}
	end_process(walk, walk->path[best]);
	cut_to(walk, best);
}

static void walk_from(struct walk *walk, uint32_t process)
{
	push(walk, process);
	while (walk->length) {
		uint32_t top = walk->path[walk->length - 1], next;

		if (walk->state.gone[top]) {
			cut_to(walk, walk->length - 1);
			continue;
		}
		next = blocker_of(walk, top);
		if (!walk->steps) {
			/* Cycles too long and too many to be gone round again. */
			end_process(walk, next);
			continue;
		}
		walk->steps--;
		if (walk->at[next] == IPCKIT_NONE)
			push(walk, next);
		else
			break_cycle(walk, walk->at[next]);
	}
}

static void walk_free(struct walk *walk)
{
	if (walk->state.watch)
		detector_end(&walk->state);
	free(walk->weight);
	free(walk->path);
	free(walk->at);
	free(walk->cell);
	free(walk->blocker);
	free(walk->holder);
	free(walk->victims.processes);
}

static int walk_make(struct walk *walk)
{
	const struct ipckit_system *system = &walk->solver->part->system;
	size_t n = (size_t)system->nprocesses + 1;
	int r = detector_copy(&walk->solver->base, &walk->state);

	if (r)
		return r;
	walk->weight = calloc(n, sizeof(*walk->weight));
	walk->path = calloc(n, sizeof(*walk->path));
	walk->at = calloc(n, sizeof(*walk->at));
	walk->cell = calloc(n, sizeof(*walk->cell));
	walk->blocker = calloc(n, sizeof(*walk->blocker));
	walk->holder = calloc((size_t)system->nresources + 1, sizeof(*walk->holder));
	walk->victims.processes = calloc(n, sizeof(*walk->victims.processes));
	if (!walk->weight || !walk->path || !walk->at || !walk->cell || !walk->blocker ||
	    !walk->holder || !walk->victims.processes)
		return -ENOMEM;
	memset(walk->at, 0xff, n * sizeof(*walk->at));
	memset(walk->blocker, 0xff, n * sizeof(*walk->blocker));
	if (system->request.start)
		memcpy(walk->cell, system->request.start, n * sizeof(*walk->cell));
	return weigh(walk);
}

static int guess(struct solver *solver, bool weighed)
{
	struct walk walk = { .solver = solver, .weighed = weighed };
	int r = walk_make(&walk);

	walk.steps = GUESS_STEPS + 4 * (uint64_t)solver->part->system.nprocesses;
	walk.looks = walk.steps;
	for (uint32_t p = 0; !r && p < solver->part->system.nprocesses; p++) {
		if (!walk.state.gone[p])
			walk_from(&walk, p);
	}
	if (!r && (!solver->best.processes || walk.victims.cost < solver->best.cost)) {
		free(solver->best.processes);
		solver->best = walk.victims;
		walk.victims.processes = NULL;
	}
	walk_free(&walk);
	return r;
}

/* ---- leaving out ---- */

/* Whether the set does without the one at `without`. */
static int does_without(const struct solver *solver, size_t without, bool *out)
{
	const struct victims *best = &solver->best;
	struct detector state;
	int r = detector_copy(&solver->base, &state);

	if (r)
		return r;
	for (size_t i = 0; i < best->n; i++) {
		if (i != without)
			detector_kill(&state, best->processes[i]);
	}
	detector_run(&state);
	*out = all_gone(&state, best->n - 1);
	detector_end(&state);
	return 0;
}

static int dearest_first(const void *a, const void *b, void *cost)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const int64_t *costs = cost;

	if (costs[x] != costs[y])
		return costs[x] > costs[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

int solver_prune(struct solver *solver)
{
	struct victims *best = &solver->best;
	const int64_t *cost = solver->part->cost;

	qsort_r(best->processes, best->n, sizeof(*best->processes), dearest_first, (void *)cost);
	for (size_t i = 0; i < best->n && spend(solver, solver->part->size);) {
		bool does;
		int r = does_without(solver, i, &does);

		if (r)
			return r;
		if (!does) {
			i++;
			continue;
		}
		best->cost -= cost[best->processes[i]];
		best->n--;
		memmove(best->processes + i, best->processes + i + 1,
			(best->n - i) * sizeof(*best->processes));
	}
	return 0;
}

int solver_guess(struct solver *solver)
{
	const struct part *part = solver->part;
	bool equal = true;
	int r;

	for (uint32_t p = 1; p < part->system.nprocesses; p++)
		equal = equal && part->cost[p] == part->cost[0];
	r = guess(solver, true);
	if (!r && !equal && 4 * (uint64_t)part->size <= solver->work)
		r = guess(solver, false);
	return r ? r : solver_prune(solver);
}
