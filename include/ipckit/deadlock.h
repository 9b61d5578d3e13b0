/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_DEADLOCK_H
#define IPCKIT_DEADLOCK_H

/*
 * Deadlock among processes that hold and request resources: a system is plain
 * data, every call here is a pure function of it. Nothing blocks, does I/O or
 * keeps state; the only failure of a valid system is -ENOMEM. Results are plain
 * structs with arrays of their own, freed by exactly one _free(), which also
 * takes a struct that is all zero.
 *
 * Processes and resources are numbers from 0. Time: cells are the non-zero
 * entries of all matrices.
 *
 * E. G. Coffman, M. J. Elphick, A. Shoshani, System Deadlocks, Computing
 * Surveys 3 (2), 1971; R. C. Holt, Some Deadlock Properties of Computer
 * Systems, Computing Surveys 4 (3), 1972; A. S. Tanenbaum, Modern Operating
 * Systems, chapter 6.
 */

#include <ipckit/base.h>

/* ---- a system ---- */

#define IPCKIT_NONE UINT32_MAX /* no process, no resource: both number at most 2^32-2 */

/* A sparse matrix, a row for each process: columns ascend within a row, counts are at least 1. */
struct ipckit_rows {
	size_t *start;    /* one more than there are rows: row p is cells start[p] to start[p+1]-1; NULL: no cells */
	uint32_t *column; /* of each cell: its resource */
	int64_t *count;   /* of each cell; NULL: each is 1 */
};

/*
 * A process can finish as soon as available has every count of its row of
 * request, and besides one count of its row of any, if it has one. When it
 * finishes, its row of allocation becomes available.
 */
struct ipckit_system {
	uint32_t nprocesses, nresources;
	int64_t *existing;              /* by resource */
	int64_t *available;             /* by resource: existing less the column of allocation, preemptible or not */
	struct ipckit_rows allocation;  /* what processes hold */
	struct ipckit_rows request;     /* what they wait for: all of it */
	struct ipckit_rows any;         /* what they wait for besides: one cell of the row */
	struct ipckit_rows claim;       /* the most that they will hold at once: ipckit_banker_...() alone look at it */
	bool *preemptible;              /* by resource: whether it is taken from its holders where asked for; NULL: none is */
	/* The last nends resources stand for the end of a process, for which others wait: end_of[i]
	 * holds the one existing instance of resource nresources-nends+i. */
	uint32_t nends;
	uint32_t *end_of;
};

/* One entry of a matrix, for ipckit_rows_make(). */
struct ipckit_cell {
	uint32_t row, column;
};

/*
 * Makes rows of cells in any order.
 *
 * nrows: rows there are; every cell's row is below it. counts: of each cell, or
 * NULL for all 1; cells of count 0 are left out. ncells: below 2^32.
 * duplicate: where two cells have the same place, the index of the later one
 * (the least such index).
 * Returns 0 (out is freed with ipckit_rows_free()), -EEXIST, -ENOMEM. Time: O(ncells log d)
 * with rows of d cells.
 */
IPCKIT_CHECK int ipckit_rows_make(uint32_t nrows, const struct ipckit_cell *cells, const int64_t *counts,
				  size_t ncells, size_t *duplicate, struct ipckit_rows *out);
void ipckit_rows_free(struct ipckit_rows *rows);

/*
 * Adds a cell at the end of the last row: for matrices read row by row. The rows
 * grow by it; ipckit_rows_end() ends the row. Begin with a struct that is all zero.
 *
 * nrows: rows that were ended so far. count: at least 1. column: beyond the row's last one.
 * Returns 0 or -ENOMEM (the rows are as before).
 */
struct ipckit_rows_builder {
	struct ipckit_rows rows;
	uint32_t nrows;
	size_t ncells, cells_room, rows_room;
};
IPCKIT_CHECK int ipckit_rows_add(struct ipckit_rows_builder *builder, uint32_t column, int64_t count);
/* Adds n cells of one column after the other, from first on; those of count 0 are left out. Returns likewise. */
IPCKIT_CHECK int ipckit_rows_add_counts(struct ipckit_rows_builder *builder, uint32_t first,
					const int64_t *counts, size_t n);
IPCKIT_CHECK int ipckit_rows_end(struct ipckit_rows_builder *builder);

/* The number of cells; the cells of row p are those from *first up to the returned index. */
static inline size_t ipckit_rows_of(const struct ipckit_rows *rows, uint32_t p, size_t *first)
{
	*first = rows->start ? rows->start[p] : 0;
	return rows->start ? rows->start[p + 1] : 0;
}

static inline int64_t ipckit_rows_count(const struct ipckit_rows *rows, size_t cell)
{
	return rows->count ? rows->count[cell] : 1;
}

/*
 * Fills in what existing, available and allocation say of each other: either
 * vector may be NULL and is then made (without both, all that exists is
 * allocated).
 *
 * wrong: the resource of which they disagree, or of which the sum passes 2^63-1.
 * Returns 0, -EINVAL (existing is not available plus allocated), -ERANGE (more
 * is allocated than exists, or than 2^63-1), -ENOMEM.
 */
IPCKIT_CHECK int ipckit_system_complete(struct ipckit_system *system, uint32_t *wrong);

void ipckit_system_free(struct ipckit_system *system);

/* ---- detection ---- */

enum ipckit_algorithm {
	IPCKIT_WATCH,   /* O(cells + moves log processes): each process is watched at one resource that blocks it */
	IPCKIT_CLASSIC, /* the textbook's loop, O(processes * cells): the oracle */
};

struct ipckit_detection {
	bool deadlocked;       /* ndead is not 0 */
	uint32_t *order;       /* the processes that can finish, one after the other */
	size_t norder;
	uint32_t *dead;        /* those that never can, and hold something; ascending */
	size_t ndead;
	uint32_t *behind;      /* those that never can, but hold nothing: blocked behind the dead; ascending */
	size_t nbehind;
	int64_t *available;    /* by resource, when all of order have finished */
	bool *stuck;           /* by process: in dead or in behind */
};

/* Finds the largest set of processes that can never finish. Returns 0 or -ENOMEM. */
IPCKIT_CHECK int ipckit_deadlock_detect(const struct ipckit_system *system, enum ipckit_algorithm algorithm,
					struct ipckit_detection *out);
void ipckit_detection_free(struct ipckit_detection *detection);

/* Why a process cannot go on: the first resource, in ascending order, of which it wants more than there is. */
struct ipckit_block {
	uint32_t process, resource;
	int64_t requested, available;
};

/*
 * Says whether a process wants more than exists: no other's end would help it.
 *
 * out: the first resource that shows it, of alternatives the first of them; available is what exists.
 */
bool ipckit_deadlock_impossible(const struct ipckit_system *system, uint32_t process, struct ipckit_block *out);

/* One turn of the textbook's loop: from the first process on, who is blocked and by what, and who is not. */
struct ipckit_step {
	uint32_t process;             /* the first that can finish; IPCKIT_NONE in the last step of a deadlock */
	struct ipckit_block *blocked; /* those looked at before it */
	size_t nblocked;
	int64_t *available_after;     /* by resource */
};

struct ipckit_trace {
	struct ipckit_step *steps;
	size_t nsteps;
};

/* Goes through the textbook's loop and keeps every step: memory in O(processes * (processes + resources)).
 * Returns 0 or -ENOMEM. */
IPCKIT_CHECK int ipckit_deadlock_trace(const struct ipckit_system *system, struct ipckit_trace *out);
void ipckit_trace_free(struct ipckit_trace *trace);

/*
 * The core of a deadlock: in the graph of stuck processes, the resources of which
 * they want more than is available, and the stuck holders of these, the strongly
 * connected components from which no edge leads out (R. E. Tarjan, Depth-First
 * Search and Linear Graph Algorithms, 1972). A component is a knot: whoever is in
 * it waits for others in it, and for nobody else. A process that wants more than
 * exists waits for nobody: it is a component by itself.
 */
struct ipckit_core {
	uint32_t *processes;  /* component after component, each ascending */
	size_t *start;        /* ncomponents + 1 of them, as of rows */
	size_t ncomponents;
};

/* detection: of the same system. Returns 0 or -ENOMEM. Time: O(cells). */
IPCKIT_CHECK int ipckit_deadlock_core(const struct ipckit_system *system,
				      const struct ipckit_detection *detection, struct ipckit_core *out);
void ipckit_core_free(struct ipckit_core *core);

/* processes[i] waits for resources[i], which processes[i+1] holds, and the last one's the first. */
struct ipckit_cycle {
	uint32_t *processes, *resources;
	size_t length;   /* 0: none that goes through resources of one instance each */
	bool shortest;   /* no other is shorter; false: the search was cut short in a core too large for it */
};

/* Finds a shortest cycle in the core through resources of which one instance exists. Returns 0 or -ENOMEM. */
IPCKIT_CHECK int ipckit_deadlock_cycle(const struct ipckit_system *system,
				       const struct ipckit_detection *detection,
				       const struct ipckit_core *core, struct ipckit_cycle *out);
void ipckit_cycle_free(struct ipckit_cycle *cycle);

/* ---- resolution ---- */

struct ipckit_resolution {
	uint32_t *processes;  /* those to end, ascending; none where there is no deadlock */
	size_t nprocesses;
	int64_t cost;         /* the sum of theirs */
	bool least;           /* proven: no other set is cheaper */
	uint32_t *order;      /* how the others finish then */
	size_t norder;
	int64_t *available;   /* by resource, as soon as those are ended: existing less what is still
	                         allocated, preemptible or not */
};

/*
 * Finds a set of processes after whose end (what they hold becomes available,
 * what they want is not wanted any more) nobody is deadlocked. Processes that hold
 * nothing are never among them: all others can finish then, but those that want
 * more than exists. To find the cheapest is as hard as the feedback vertex set (R. M. Karp,
 * 1972): it is searched for by branch and bound within a fixed amount of work,
 * after which the best set found is given. None can be left out from it as far as
 * that work allowed to try: in a large system some of it may be ended in vain.
 *
 * cost: by process, 0 or more, their sum at most 2^63-1; NULL: 1 each.
 * Returns 0 or -ENOMEM.
 */
IPCKIT_CHECK int ipckit_deadlock_resolve(const struct ipckit_system *system, const int64_t *cost,
					 struct ipckit_resolution *out);
void ipckit_resolution_free(struct ipckit_resolution *resolution);

/* ---- the Banker's algorithm ---- */

/* E. W. Dijkstra, Een algorithme ter voorkoming van de dodelijke omarming (EWD 108), 1965. */
struct ipckit_safety {
	bool safe;
	uint32_t *sequence;   /* a safe sequence, or as far as one goes */
	size_t nsequence;
	uint32_t *unfinished; /* those that may not be able to finish; ascending */
	size_t nunfinished;
	int64_t *available;   /* by resource, after the sequence */
};

/*
 * Says whether all processes can finish even if each asks for its whole claim.
 *
 * Returns 0; -EINVAL (a process holds more than its claim), -ERANGE (a claim is beyond what exists),
 * both with the process and the resource in wrong; -ENOMEM.
 */
IPCKIT_CHECK int ipckit_banker_safe(const struct ipckit_system *system, struct ipckit_block *wrong,
				    struct ipckit_safety *out);
void ipckit_safety_free(struct ipckit_safety *safety);

enum ipckit_verdict {
	IPCKIT_GRANTED,      /* the state after it is safe */
	IPCKIT_UNAVAILABLE,  /* must wait: not enough is available */
	IPCKIT_UNSAFE,       /* must wait: the state after it would not be safe */
	IPCKIT_BEYOND_CLAIM, /* the process claimed less */
};

struct ipckit_grant {
	enum ipckit_verdict verdict;
	struct ipckit_block block;   /* IPCKIT_UNAVAILABLE, IPCKIT_BEYOND_CLAIM: the first resource that shows it;
	                                available is what is left of the claim for the latter */
	struct ipckit_safety after;  /* IPCKIT_GRANTED, IPCKIT_UNSAFE: of the state after it */
};

/*
 * Says what the banker answers when process asks for vector, by resource, each 0 or more.
 *
 * Returns as ipckit_banker_safe() does.
 */
IPCKIT_CHECK int ipckit_banker_request(const struct ipckit_system *system, uint32_t process,
				       const int64_t *vector, struct ipckit_block *wrong,
				       struct ipckit_grant *out);
void ipckit_grant_free(struct ipckit_grant *grant);

/* ---- the four conditions of Coffman, Elphick and Shoshani ---- */

struct ipckit_condition {
	bool held;
	uint32_t *processes, *resources; /* what shows it, ascending, of a cycle in its order; empty where not held */
	size_t nprocesses, nresources;
};

/* Each is judged by itself, on the graph of all that is held and requested. */
struct ipckit_conditions {
	struct ipckit_condition mutual_exclusion; /* resources that others hold, wanted beyond what is available */
	struct ipckit_condition hold_and_wait;    /* processes that hold something and want something */
	struct ipckit_condition no_preemption;    /* resources that are held and wanted, and not preemptible */
	struct ipckit_condition circular_wait;    /* a shortest cycle of wants and holdings, available or not */
};

/* Where some process is deadlocked all four hold, unless it wants more than exists. Returns 0 or -ENOMEM. */
IPCKIT_CHECK int ipckit_deadlock_explain(const struct ipckit_system *system, struct ipckit_conditions *out);
void ipckit_conditions_free(struct ipckit_conditions *conditions);

#endif
