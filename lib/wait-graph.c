/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wait-graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A node is a number below IPCKIT_NONE, and Tarjan's algorithm numbers them from 1. */
#define NODES_MAX (UINT32_MAX - 2)

/* Nodes in no order are in no cache either: so many are asked for at once. */
#define AHEAD 16

/* ---- what is wanted ---- */

bool any_row_fits(const struct ipckit_system *system, uint32_t process, const int64_t *there)
{
	size_t first, end = ipckit_rows_of(&system->any, process, &first);

	if (first == end)
		return true;
	for (size_t i = first; i < end; i++) {
		if (any_fits(system, process, i, there))
			return true;
	}
	return false;
}

static bool beyond(const struct ipckit_system *system, uint32_t process, uint32_t resource, int64_t requested,
		   struct ipckit_block *out)
{
	*out = (struct ipckit_block){ .process = process, .resource = resource, .requested = requested,
				      .available = system->existing[resource] };
	return true;
}

bool ipckit_deadlock_impossible(const struct ipckit_system *system, uint32_t process, struct ipckit_block *out)
{
	const struct ipckit_rows *request = &system->request;
	size_t i, end = ipckit_rows_of(request, process, &i);
	uint32_t resource;
	int64_t wanted;

	for (; i < end; i++) {
		if (ipckit_rows_count(request, i) > system->existing[request->column[i]])
			return beyond(system, process, request->column[i], ipckit_rows_count(request, i), out);
	}
	if (any_row_fits(system, process, system->existing))
		return false;
	ipckit_rows_of(&system->any, process, &i);
	resource = system->any.column[i];
	if (__builtin_add_overflow(ipckit_rows_count(&system->any, i), rows_find(request, process, resource), &wanted))
		wanted = INT64_MAX;
	return beyond(system, process, resource, wanted, out);
}

bool wants_too_much(const struct ipckit_system *system, uint32_t process)
{
	struct ipckit_block block;

	return ipckit_deadlock_impossible(system, process, &block);
}

/* ---- edges turned round ---- */

/* The edges of a row; none of one that is no member. */
static size_t row_of(const struct wait_edges *edges, const bool *members, uint32_t row, size_t *first)
{
	*first = edges->start ? edges->start[row] : 0;
	return edges->start && (!members || members[row]) ? edges->start[(size_t)row + 1] : *first;
}

static void count_edges(const struct wait_edges *out, uint32_t nrows, const bool *members, size_t *start)
{
	size_t total = out->start ? out->start[nrows] : 0, i, end;

	for (uint32_t row = 0; row < nrows; row++) {
		for (end = row_of(out, members, row, &i); i < end; i++) {
			if (i + AHEAD < total)
				__builtin_prefetch(&start[(size_t)out->to[i + AHEAD] + 2], 1);
			start[(size_t)out->to[i] + 2]++;
		}
	}
}

/* Moves each start to its end, which is where the next one starts. */
static void place_edges(const struct wait_edges *out, uint32_t nrows, const bool *members, struct wait_edges *in)
{
	size_t total = out->start ? out->start[nrows] : 0, *start = in->start + 1, i, end;

	for (uint32_t row = 0; row < nrows; row++) {
		for (end = row_of(out, members, row, &i); i < end; i++) {
			if (i + 2 * AHEAD < total)
				__builtin_prefetch(&start[out->to[i + 2 * AHEAD]], 1);
			if (i + AHEAD < total)
				__builtin_prefetch(&in->to[start[out->to[i + AHEAD]]], 1);
			in->to[start[out->to[i]]++] = row;
		}
	}
}

int wait_edges_turn(const struct wait_edges *out, uint32_t nrows, const bool *members, size_t ntargets,
	       struct wait_edges *in)
{
	size_t sum = 0;

	in->start = calloc(ntargets + 2, sizeof(*in->start));
	if (!in->start)
		return -ENOMEM;
	count_edges(out, nrows, members, in->start);
	for (size_t target = 2; target < ntargets + 2; target++)
		sum = in->start[target] += sum;
	in->to = reallocarray(NULL, sum + 1, sizeof(*in->to));
	if (!in->to)
		return -ENOMEM;
	place_edges(out, nrows, members, in);
	return 0;
}

void wait_edges_free(struct wait_edges *edges)
{
	free(edges->start);
	free(edges->to);
	*edges = (struct wait_edges){ 0 };
}

/* ---- holders ---- */

bool wait_graph_passes(const struct wait_graph *graph, uint32_t resource)
{
	return !graph->single || graph->system->existing[resource] == 1;
}

static void find_nodes(struct wait_graph *graph)
{
	const struct wait_edges *holders = &graph->holders;

	for (uint32_t r = 0; r < graph->system->nresources; r++) {
		size_t first = holders->start[r], n = holders->start[(size_t)r + 1] - first;

		if (!n || !wait_graph_passes(graph, r))
			graph->node[r] = IPCKIT_NONE;
		else
			graph->node[r] = n == 1 ? holders->to[first] : graph->system->nprocesses + r;
	}
}

int wait_graph_hold(struct wait_graph *graph)
{
	const struct ipckit_system *system = graph->system;
	const struct wait_edges held = { system->allocation.start, system->allocation.column };

	graph->node = reallocarray(NULL, (size_t)system->nresources + 1, sizeof(*graph->node));
	if (!graph->node || system->nresources >= NODES_MAX - system->nprocesses ||
	    wait_edges_turn(&held, system->nprocesses, graph->members, system->nresources, &graph->holders))
		return -ENOMEM;
	find_nodes(graph);
	return 0;
}

/* ---- wants ---- */

/* In place of a node: of such a resource there is not even one. */
#define TOO_MUCH (IPCKIT_NONE - 1)

/* Where single instances are requested, node[] alone says what is wanted, which is half the misses. */
static bool asks_for_single(const struct wait_graph *graph)
{
	return !graph->system->request.count && !graph->system->any.start && graph->available;
}

static void forget_met(struct wait_graph *graph)
{
	for (uint32_t r = 0; r < graph->system->nresources; r++) {
		if (!graph->system->existing[r])
			graph->node[r] = TOO_MUCH;
		else if (graph->available[r])
			graph->node[r] = IPCKIT_NONE;
	}
}

static void add_want(struct wait_graph *graph, uint32_t node, size_t *at)
{
	graph->wants.to[*at] = node;
	*at += node != IPCKIT_NONE;
}

/* Adds the edges of what a process requests; false if it wants more than exists. */
static bool add_request(struct wait_graph *graph, uint32_t process, bool judge, size_t *at)
{
	const struct ipckit_system *system = graph->system;
	const struct ipckit_rows *request = &system->request;
	size_t i, end = ipckit_rows_of(request, process, &i);

	for (; i < end; i++) {
		uint32_t resource = request->column[i], node = graph->node[resource];

		if (judge && ipckit_rows_count(request, i) <= graph->available[resource])
			continue;
		if (node == TOO_MUCH ||
		    (judge && ipckit_rows_count(request, i) > system->existing[resource]))
			return false;
		add_want(graph, node, at);
	}
	return true;
}

static bool add_any(struct wait_graph *graph, uint32_t process, size_t *at)
{
	const struct ipckit_system *system = graph->system;
	size_t i, end = ipckit_rows_of(&system->any, process, &i);

	if (i == end || (graph->available && any_row_fits(system, process, graph->available)))
		return true;
	if (graph->available && !any_row_fits(system, process, system->existing))
		return false;
	for (; i < end; i++) {
		if (!graph->available || any_fits(system, process, i, system->existing))
			add_want(graph, graph->node[system->any.column[i]], at);
	}
	return true;
}

static size_t cells_of(const struct ipckit_rows *rows, uint32_t nrows)
{
	return rows->start ? rows->start[nrows] : 0;
}

int wait_graph_want(struct wait_graph *graph)
{
	const struct ipckit_system *system = graph->system;
	uint32_t n = system->nprocesses;
	size_t most = cells_of(&system->request, n) + cells_of(&system->any, n), at = 0;
	bool single = asks_for_single(graph), judge = graph->available && !single;

	graph->wants.start = reallocarray(NULL, (size_t)n + 1, sizeof(size_t));
	graph->wants.to = reallocarray(NULL, most + 1, sizeof(uint32_t));
	if (!graph->wants.start || !graph->wants.to)
		return -ENOMEM;
	if (single)
		forget_met(graph);
	for (uint32_t p = 0; p < n; p++) {
		graph->wants.start[p] = at;
		if (graph->members && !graph->members[p])
			continue;
		if (!add_request(graph, p, judge, &at) || !add_any(graph, p, &at))
			at = graph->wants.start[p];
	}
	graph->wants.start[n] = at;
	return 0;
}

void wait_graph_free(struct wait_graph *graph)
{
	wait_edges_free(&graph->holders);
	wait_edges_free(&graph->wants);
	free(graph->node);
	graph->node = NULL;
}
