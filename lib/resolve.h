/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_RESOLVE_H
#define LIB_RESOLVE_H

#include "wait-graph.h"
#include "detector.h"

/*
 * What is stuck in a system, as a system of its own: only wants that are not met, only
 * resources that such wants are for. Nobody in it wants more than exists.
 */
struct part {
	struct ipckit_system system;
	uint32_t *process; /* by process of the part: its number in the whole */
	int64_t *cost;
	size_t size;       /* what one look at all of it takes */
};

/* detector: of the whole, when it has been run. 0 or -ENOMEM. */
int part_make(const struct detector *detector, const int64_t *cost, struct part *out);
void part_free(struct part *part);

/* A set of processes to end. */
struct victims {
	uint32_t *processes;
	size_t n;
	int64_t cost;
};

struct solver {
	const struct part *part;
	struct wait_graph graph;
	struct detector base; /* of the part, run: nothing is gone */
	uint64_t work;        /* left to be spent, in cells looked at */
	struct victims best;
	bool proven;          /* no other set is cheaper */
};

/* Whether all are gone, of whom so many were ended. */
static inline bool all_gone(const struct detector *detector, size_t nkilled)
{
	return detector->norder + nkilled == detector->system->nprocesses;
}

/* Accounts for work: false where it cannot be afforded. */
static inline bool spend(struct solver *solver, uint64_t work)
{
	if (solver->work < work)
		return false;
	solver->work -= work;
	return true;
}

/* resolve-greedy.c: sets best to a set that does, from which single processes were left out as far
 * as work goes. 0 or -ENOMEM. */
int solver_guess(struct solver *solver);
int solver_prune(struct solver *solver);
/* resolve-search.c: makes best cheaper, as far as work goes, and sets proven. 0 or -ENOMEM. */
int solver_search(struct solver *solver);

#endif
