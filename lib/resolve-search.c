/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A certificate is a set of stuck processes each of which is blocked by a resource
 * that nobody stuck but the set holds: at least one of them has to be ended.
 * Certificates that have no process in common bound the cost from below by the sum
 * of their cheapest members, and to search is to try each member of one of them.
 */

/* Cells that the states along one branch may take in all. */
#define BRANCH_SIZE ((uint64_t)1 << 23)
/* What making and freeing a state takes, in cells. */
#define OVERHEAD 256

struct bound {
	int64_t cost;      /* at least this has to be spent */
	bool impossible;   /* all of a certificate were excluded */
	uint32_t *members; /* of the smallest certificate, without the excluded; cheapest first */
	size_t nmembers;
};

struct branch {
	struct detector state;
	uint32_t *members; /* who may be ended next; those before `next` were, and are excluded now */
	size_t nmembers, next;
	int64_t cost;      /* of those that were ended so far */
};

struct tree {
	struct solver *solver;
	struct branch *branches;
	size_t depth, room;
	bool *excluded;    /* by process: sets with it were tried */
	struct wait_edges wants; /* by process: what is said to block it */
	int64_t least;     /* no set is cheaper */
	bool cut;          /* the work ran out */
};

static int cheapest_first(const void *a, const void *b, void *cost)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const int64_t *costs = cost;

	if (costs[x] != costs[y])
		return costs[x] < costs[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* The resource that is said to block a process: one with few holders makes small certificates.
 * IPCKIT_NONE where only its row of any does. */
static uint32_t choose_block(const struct solver *solver, const struct detector *state, uint32_t process)
{
	const struct ipckit_rows *request = &solver->part->system.request;
	const size_t *start = solver->graph.holders.start;
	size_t i, end = ipckit_rows_of(request, process, &i), fewest = SIZE_MAX;
	uint32_t chosen = IPCKIT_NONE;

	for (; i < end; i++) {
		uint32_t r = request->column[i];

		if (ipckit_rows_count(request, i) <= state->available[r] ||
		    start[r + 1] - start[r] >= fewest)
			continue;
		fewest = start[r + 1] - start[r];
		chosen = r;
	}
	return chosen;
}

static void choose_blocks(struct tree *tree, const struct detector *state)
{
	const struct ipckit_rows *any = &tree->solver->part->system.any;
	const uint32_t *node = tree->solver->graph.node;
	size_t at = 0;

	for (uint32_t p = 0; p < state->system->nprocesses; p++) {
		size_t i, end = ipckit_rows_of(any, p, &i);
		uint32_t r;

		tree->wants.start[p] = at;
		if (state->gone[p])
			continue;
		r = choose_block(tree->solver, state, p);
		if (r != IPCKIT_NONE) {
			tree->wants.to[at++] = node[r];
			continue;
		}
		for (; i < end; i++)
			tree->wants.to[at++] = node[any->column[i]];
	}
	tree->wants.start[state->system->nprocesses] = at;
}

/* Takes a certificate into account. */
static int add_certificate(const struct tree *tree, const uint32_t *members, size_t n,
			   struct bound *bound)
{
	const int64_t *cost = tree->solver->part->cost;
	int64_t least = INT64_MAX;
	size_t usable = 0;

	for (size_t i = 0; i < n; i++) {
		if (tree->excluded[members[i]])
			continue;
		usable++;
		least = cost[members[i]] < least ? cost[members[i]] : least;
	}
	if (!usable) {
		bound->impossible = true;
		return 0;
	}
	bound->cost += least;
	if (bound->nmembers && bound->nmembers <= usable)
		return 0;
	free(bound->members);
	bound->members = reallocarray(NULL, usable, sizeof(*members));
	bound->nmembers = 0;
	if (!bound->members)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (!tree->excluded[members[i]])
			bound->members[bound->nmembers++] = members[i];
	}
	return 0;
}

/* The certificates of a state, whose members are ended then: what is still stuck has others. */
static int bound_once(struct tree *tree, struct detector *state, size_t *nkilled, struct bound *bound)
{
	struct wait_graph graph = tree->solver->graph;
	struct ipckit_core knots = { 0 };
	int r;

	choose_blocks(tree, state);
	graph.gone = state->gone;
	graph.wants = tree->wants;
	r = wait_graph_knots(&graph, &knots);
	for (size_t k = 0; !r && k < knots.ncomponents; k++)
		r = add_certificate(tree, knots.processes + knots.start[k],
				    knots.start[k + 1] - knots.start[k], bound);
	for (size_t i = 0; !r && i < knots.start[knots.ncomponents]; i++) {
		detector_kill(state, knots.processes[i]);
		++*nkilled;
	}
	ipckit_core_free(&knots);
	return r;
}

/* Bounds what a state costs from below, until that is `enough`. nkilled: so many were ended in it. */
static int bound_make(struct tree *tree, const struct detector *from, size_t nkilled, int64_t enough,
		      struct bound *bound)
{
	struct solver *solver = tree->solver;
	struct detector state;
	int r = detector_copy(from, &state);

	if (r)
		return r;
	while (!r && !bound->impossible && bound->cost < enough && !all_gone(&state, nkilled)) {
		if (!spend(solver, solver->part->size + OVERHEAD)) {
			tree->cut = true;
			break;
		}
		r = bound_once(tree, &state, &nkilled, bound);
		detector_run(&state);
	}
	detector_end(&state);
	if (!r && bound->nmembers)
		qsort_r(bound->members, bound->nmembers, sizeof(*bound->members), cheapest_first,
			solver->part->cost);
	return r;
}

/* ---- the tree ---- */

/* The set that the branches stand for is the best so far. */
static void keep(struct tree *tree, int64_t cost)
{
	struct victims *best = &tree->solver->best;

	best->n = 0;
	best->cost = cost;
	for (size_t i = 0; i < tree->depth; i++) {
		const struct branch *branch = &tree->branches[i];

		best->processes[best->n++] = branch->members[branch->next - 1];
	}
}

static void pop(struct tree *tree)
{
	struct branch *branch = &tree->branches[--tree->depth];

	for (size_t i = 0; i < branch->nmembers; i++)
		tree->excluded[branch->members[i]] = false;
	detector_end(&branch->state);
	free(branch->members);
}

/* Goes on from a state with a branch of its own if it may lead to something cheaper. Takes the state over. */
static int push(struct tree *tree, struct detector *state, int64_t cost)
{
	struct solver *solver = tree->solver;
	struct bound bound = { 0 };
	int r;

	if ((tree->depth + 1) * (uint64_t)solver->part->size > BRANCH_SIZE && tree->depth)
		tree->cut = true;
	r = bound_make(tree, state, tree->depth, solver->best.cost - cost, &bound);
	if (!r && !tree->cut && tree->depth == tree->room) {
		size_t room = tree->room * 2 + 8;
		struct branch *branches = reallocarray(tree->branches, room, sizeof(*branches));

		r = branches ? 0 : -ENOMEM;
		tree->branches = branches ?: tree->branches;
		tree->room = branches ? room : tree->room;
	}
	if (!tree->depth && !bound.impossible)
		tree->least = bound.cost;
	if (r || tree->cut || bound.impossible || bound.cost >= solver->best.cost - cost) {
		free(bound.members);
		detector_end(state);
		return r;
	}
	tree->branches[tree->depth++] = (struct branch){ .state = *state, .members = bound.members,
							 .nmembers = bound.nmembers, .cost = cost };
	return 0;
}

/* Ends the next member of the last branch. */
static int try_next(struct tree *tree)
{
	struct solver *solver = tree->solver;
	struct branch *branch = &tree->branches[tree->depth - 1];
	struct detector state;
	uint32_t process;
	int64_t cost;
	int r;

	if (branch->next)
		tree->excluded[branch->members[branch->next - 1]] = true;
	if (branch->next == branch->nmembers) {
		pop(tree);
		return 0;
	}
	process = branch->members[branch->next++];
	cost = branch->cost + solver->part->cost[process];
	if (cost >= solver->best.cost)
		return 0;
	if (!spend(solver, solver->part->size + OVERHEAD)) {
		tree->cut = true;
		return 0;
	}
	r = detector_copy(&branch->state, &state);
	if (r)
		return r;
	detector_kill(&state, process);
	detector_run(&state);
	if (!all_gone(&state, tree->depth))
		return push(tree, &state, cost);
	detector_end(&state);
	keep(tree, cost);
	return 0;
}

static int search(struct tree *tree)
{
	struct solver *solver = tree->solver;
	struct detector state;
	int r = detector_copy(&solver->base, &state);

	if (!r)
		r = push(tree, &state, 0);
	while (!r && tree->depth && !tree->cut && solver->best.cost > tree->least)
		r = try_next(tree);
	while (tree->depth)
		pop(tree);
	solver->proven = !r && (!tree->cut || solver->best.cost == tree->least);
	return r;
}

int solver_search(struct solver *solver)
{
	const struct ipckit_system *system = &solver->part->system;
	size_t n = (size_t)system->nprocesses + 1;
	size_t nany = system->any.start ? system->any.start[system->nprocesses] : 0;
	struct tree tree = { .solver = solver };
	int64_t before = solver->best.cost;
	int r = -ENOMEM;

	tree.excluded = calloc(n, sizeof(*tree.excluded));
	tree.wants.start = reallocarray(NULL, n, sizeof(*tree.wants.start));
	tree.wants.to = reallocarray(NULL, n + nany, sizeof(*tree.wants.to));
	if (tree.excluded && tree.wants.start && tree.wants.to)
		r = search(&tree);
	free(tree.branches);
	free(tree.excluded);
	wait_edges_free(&tree.wants);
	/* Those that cost nothing may have been taken in vain. */
	return r || solver->best.cost == before ? r : solver_prune(solver);
}
