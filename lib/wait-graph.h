/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_WAIT_GRAPH_H
#define LIB_WAIT_GRAPH_H

/*
 * The graph of who waits for whom: a process leads to what it wants. That is the
 * process that holds it, or where several do, the resource, which leads to them.
 * Process p is node p, resource r is node nprocesses+r.
 */

#include "rows.h"

struct wait_edges {
	size_t *start; /* of each one's edges, and one more */
	uint32_t *to;
};

struct wait_graph {
	/* What it is of, to be set. */
	const struct ipckit_system *system;
	const int64_t *available; /* wants up to this are none; NULL: whatever is asked for is wanted */
	const bool *members;      /* processes that it is of; NULL: all */
	bool single;              /* only wants of resources that exist once */
	const bool *gone;         /* members that are left out after all; NULL: none */
	/* What is made of it. */
	struct wait_edges holders;     /* by resource */
	uint32_t *node;           /* by resource: what who wants it leads to; IPCKIT_NONE: to nothing */
	struct wait_edges wants;       /* by process; none where it wants more than exists */
};

/* Makes holders and node. Returns 0 or -ENOMEM; in any case wait_graph_free() frees what there is. */
int wait_graph_hold(struct wait_graph *graph);
/* Makes wants, as wait_graph_hold() does; from then on node has what is wanted only. */
int wait_graph_want(struct wait_graph *graph);
void wait_graph_free(struct wait_graph *graph);

/* Makes edges from each target to the rows that lead to it, or to members (NULL: all) of them.
 * 0 or -ENOMEM; in any case wait_edges_free() frees what there is. */
int wait_edges_turn(const struct wait_edges *out, uint32_t nrows, const bool *members, size_t ntargets,
	       struct wait_edges *in);
void wait_edges_free(struct wait_edges *edges);

/* The edges of a node. */
static inline const uint32_t *wait_graph_edges(const struct wait_graph *graph, uint32_t node,
					       const uint32_t **end)
{
	const struct wait_edges *edges = &graph->wants;

	if (node >= graph->system->nprocesses) {
		node -= graph->system->nprocesses;
		edges = &graph->holders;
	}
	*end = edges->to + edges->start[(size_t)node + 1];
	return edges->to + edges->start[node];
}

/* Whether wants of a resource are in it, by the number that exists. */
bool wait_graph_passes(const struct wait_graph *graph, uint32_t resource);

/* The strongly connected components from which no edge leads, in the order they are found. 0 or -ENOMEM. */
int wait_graph_knots(const struct wait_graph *graph, struct ipckit_core *out);

/* A shortest cycle. The graph has nothing made yet. 0 or -ENOMEM. */
int wait_graph_cycle(struct wait_graph *graph, struct ipckit_cycle *out);

/* Whether one cell of the row of any can be had, by itself and besides what else the process requests. */
static inline bool any_fits(const struct ipckit_system *system, uint32_t process, size_t cell,
			    const int64_t *there)
{
	uint32_t resource = system->any.column[cell];
	int64_t own = rows_find(&system->request, process, resource);

	return ipckit_rows_count(&system->any, cell) <= there[resource] - own;
}

/* Whether the row of any is empty, or one of its cells can be had. */
bool any_row_fits(const struct ipckit_system *system, uint32_t process, const int64_t *there);
/* Whether the process wants more than exists, so that nobody's end would help it. */
bool wants_too_much(const struct ipckit_system *system, uint32_t process);

#endif
