/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wait-graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Edges looked at before a search is cut short: so many, and as many as there are. */
#define CYCLE_WORK ((uint64_t)1 << 22)

/* Nodes in no order are in no cache either: what is queued this far behind is fetched. */
#define AHEAD 4

/* ---- edges in both directions ---- */

/* A node that cannot be on a cycle is taken out: its degrees are 0, and it is marked. */
struct digraph {
	const struct wait_graph *graph;
	uint32_t nprocesses, nnodes;
	struct wait_edges in;
	uint32_t *outdegree, *indegree;
	uint32_t *queue; /* of nodes, for whatever goes through them */
	uint32_t *mark;  /* by node: the last search that reached it */
	uint32_t *from;  /* by process: the one that it was reached from */
	uint64_t work;   /* edges that may still be looked at */
};

#define TAKEN_OUT UINT32_MAX

/* Searches are numbered by their first process, from 1. */
static uint32_t search_of(uint32_t first)
{
	return first + 1;
}

static void digraph_free(struct digraph *digraph)
{
	wait_edges_free(&digraph->in);
	free(digraph->outdegree);
	free(digraph->indegree);
	free(digraph->queue);
	free(digraph->mark);
	free(digraph->from);
}

/* A resource with one holder has no node: whoever wants it leads to that. */
static bool has_node(const struct wait_graph *graph, uint32_t resource)
{
	return graph->node[resource] == graph->system->nprocesses + resource;
}

static void count_degrees(struct digraph *digraph)
{
	const struct wait_graph *graph = digraph->graph;
	const struct wait_edges *holders = &graph->holders, *wants = &graph->wants, *in = &digraph->in;
	uint32_t nprocesses = digraph->nprocesses;

	for (uint32_t p = 0; p < nprocesses; p++)
		digraph->outdegree[p] = wants->start[(size_t)p + 1] - wants->start[p];
	for (uint32_t v = 0; v < digraph->nnodes; v++)
		digraph->indegree[v] = in->start[(size_t)v + 1] - in->start[v];
	for (uint32_t r = 0; r < graph->system->nresources; r++) {
		size_t i = holders->start[r], end = holders->start[(size_t)r + 1];

		if (!has_node(graph, r))
			continue;
		digraph->outdegree[nprocesses + r] = end - i;
		for (; i < end; i++)
			digraph->indegree[holders->to[i]]++;
	}
}

static int digraph_make(struct digraph *digraph, const struct wait_graph *graph)
{
	const struct wait_edges *wants = &graph->wants;
	size_t n = (size_t)graph->system->nprocesses + graph->system->nresources;

	digraph->graph = graph;
	digraph->nprocesses = graph->system->nprocesses;
	digraph->nnodes = n;
	digraph->work = CYCLE_WORK + wants->start[digraph->nprocesses];
	digraph->outdegree = calloc(n + 1, sizeof(*digraph->outdegree));
	digraph->indegree = calloc(n + 1, sizeof(*digraph->indegree));
	digraph->queue = reallocarray(NULL, n + 1, sizeof(*digraph->queue));
	digraph->mark = calloc(n + 1, sizeof(*digraph->mark));
	digraph->from = reallocarray(NULL, n + 1, sizeof(*digraph->from));
	if (!digraph->outdegree || !digraph->indegree || !digraph->queue || !digraph->mark ||
	    !digraph->from || wait_edges_turn(wants, digraph->nprocesses, NULL, n, &digraph->in))
		return -ENOMEM;
	count_degrees(digraph);
	return 0;
}

/* ---- what cannot be on a cycle ---- */

/* Takes one edge from a neighbour; if that was its last in this direction, it is queued. */
static size_t cut(const struct digraph *digraph, uint32_t node, uint32_t *degree, const uint32_t *other,
		  size_t tail)
{
	if (degree[node] && !--degree[node] && other[node])
		digraph->queue[tail++] = node;
	return tail;
}

/* The same from each neighbour that leads to a node. */
static size_t cut_before(const struct digraph *digraph, uint32_t node, size_t tail)
{
	const struct wait_graph *graph = digraph->graph;
	const struct ipckit_rows *held = &graph->system->allocation;
	uint32_t *in = digraph->indegree, *out = digraph->outdegree;
	size_t i = digraph->in.start[node], end = digraph->in.start[(size_t)node + 1];

	for (; i < end; i++)
		tail = cut(digraph, digraph->in.to[i], out, in, tail);
	if (node >= digraph->nprocesses)
		return tail;
	for (end = ipckit_rows_of(held, node, &i); i < end; i++) {
		if (has_node(graph, held->column[i]))
			tail = cut(digraph, graph->node[held->column[i]], out, in, tail);
	}
	return tail;
}

/*
 * Takes out the first `tail` nodes of the queue, and whatever is on no cycle then.
 * Each node comes into the queue once: when the first of its degrees gets 0.
 */
static void peel(struct digraph *digraph, size_t tail)
{
	uint32_t *in = digraph->indegree, *out = digraph->outdegree;

	for (size_t head = 0; head < tail; head++) {
		uint32_t node = digraph->queue[head];
		const uint32_t *end, *to = wait_graph_edges(digraph->graph, node, &end);

		digraph->mark[node] = TAKEN_OUT;
		out[node] = 0;
		in[node] = 0;
		for (; to < end; to++)
			tail = cut(digraph, *to, in, out, tail);
		tail = cut_before(digraph, node, tail);
	}
}

static void peel_all(struct digraph *digraph)
{
	size_t tail = 0;

	for (uint32_t v = 0; v < digraph->nnodes; v++) {
		if (!digraph->outdegree[v] != !digraph->indegree[v])
			digraph->queue[tail++] = v;
		else if (!digraph->outdegree[v])
			digraph->mark[v] = TAKEN_OUT;
	}
	peel(digraph, tail);
}

static void take_out(struct digraph *digraph, uint32_t node)
{
	digraph->queue[0] = node;
	digraph->outdegree[node] = 0;
	digraph->indegree[node] = 0;
	peel(digraph, 1);
}

/* ---- searches ---- */

/* Whether a process that does not want too much wants this resource. */
static bool wants_resource(const struct wait_graph *graph, uint32_t process, uint32_t resource)
{
	const struct ipckit_system *system = graph->system;
	int64_t requested = rows_find(&system->request, process, resource);
	int64_t any = rows_find(&system->any, process, resource);

	if (!graph->available)
		return requested || any;
	if (requested > graph->available[resource])
		return true;
	return any && any <= system->existing[resource] - requested &&
	       !any_row_fits(system, process, graph->available);
}

/* The resource for which one process waits for another. */
static uint32_t resource_between(const struct wait_graph *graph, uint32_t process, uint32_t holder)
{
	const struct ipckit_rows *held = &graph->system->allocation;
	size_t i, end = ipckit_rows_of(held, holder, &i);

	while (i < end - 1 && !(wait_graph_passes(graph, held->column[i]) &&
				wants_resource(graph, process, held->column[i])))
		i++;
	return held->column[i];
}

/* Keeps the cycle that from[] leads round, beginning at a process and ending at `last`. */
static int keep_cycle(const struct digraph *digraph, uint32_t first, uint32_t last,
		      struct ipckit_cycle *out)
{
	struct ipckit_cycle cycle = { .shortest = out->shortest };
	uint32_t next = first;

	cycle.length = 1;
	for (uint32_t p = last; p != first; p = digraph->from[p])
		cycle.length++;
	cycle.processes = reallocarray(NULL, cycle.length, sizeof(*cycle.processes));
	cycle.resources = reallocarray(NULL, cycle.length, sizeof(*cycle.resources));
	if (!cycle.processes || !cycle.resources) {
		ipckit_cycle_free(&cycle);
		return -ENOMEM;
	}
	for (size_t i = cycle.length; i--;) {
		cycle.processes[i] = last;
		cycle.resources[i] = resource_between(digraph->graph, last, next);
		next = last;
		last = i ? digraph->from[last] : first;
	}
	ipckit_cycle_free(out);
	*out = cycle;
	return 0;
}

enum found { FOUND_NONE, FOUND_CYCLE, FOUND_CUT };

struct walk {
	struct digraph *digraph;
	uint32_t first;
	size_t tail;
	bool last_level; /* nobody is queued any more */
};

/* Queues a process that leads on from `node`; true if that is where the walk began. */
static bool reach(struct walk *walk, uint32_t node, uint32_t next)
{
	struct digraph *digraph = walk->digraph;

	if (next == walk->first)
		return true;
	if (!walk->last_level && digraph->mark[next] < search_of(walk->first)) {
		digraph->mark[next] = search_of(walk->first);
		digraph->from[next] = node;
		digraph->queue[walk->tail++] = next;
	}
	return false;
}

static void spend(struct digraph *digraph, uint64_t work)
{
	digraph->work -= work < digraph->work ? work : digraph->work;
}

/* Queues whom a process waits for; true if one of them is where the walk began. */
static bool reach_all(struct walk *walk, uint32_t process)
{
	struct digraph *digraph = walk->digraph;
	const uint32_t *end, *to = wait_graph_edges(digraph->graph, process, &end);

	spend(digraph, end - to);
	for (; to < end; to++) {
		const uint32_t *holder = to, *holders_end = to + 1;

		if (*to >= digraph->nprocesses) {
			if (digraph->mark[*to] >= search_of(walk->first))
				continue;
			digraph->mark[*to] = search_of(walk->first);
			holder = wait_graph_edges(digraph->graph, *to, &holders_end);
			spend(digraph, holders_end - holder);
		}
		for (; holder < holders_end; holder++) {
			if (reach(walk, process, *holder))
				return true;
		}
	}
	return false;
}

static void fetch_queued(const struct walk *walk, size_t head)
{
	const struct wait_edges *wants = &walk->digraph->graph->wants;
	const uint32_t *queue = walk->digraph->queue;

	if (head + 2 * AHEAD < walk->tail)
		__builtin_prefetch(&wants->start[queue[head + 2 * AHEAD]]);
	if (head + AHEAD < walk->tail)
		__builtin_prefetch(&wants->to[wants->start[queue[head + AHEAD]]]);
}

/*
 * Breadth first from a process until it is met again, over fewer than limit (0: any
 * number of) processes. *last: from which it was met.
 */
static enum found find_back(struct digraph *digraph, uint32_t first, size_t limit, uint32_t *last)
{
	struct walk walk = { .digraph = digraph, .first = first, .tail = 1 };
	size_t level_end = 1, length = 1;

	digraph->queue[0] = first;
	for (size_t head = 0; head < walk.tail; head++) {
		if (head == level_end) {
			level_end = walk.tail;
			length++;
		}
		if (limit && length >= limit)
			return FOUND_NONE;
		if (!digraph->work)
			return FOUND_CUT;
		walk.last_level = length + 1 == limit;
		fetch_queued(&walk, head);
		*last = digraph->queue[head];
		if (reach_all(&walk, *last))
			return FOUND_CYCLE;
	}
	return FOUND_NONE;
}

/* Some cycle of what is left, where all nodes have edges both ways: a walk has to come back to itself. */
static int walk_round(struct digraph *digraph, uint32_t node, struct ipckit_cycle *out)
{
	uint32_t *next = digraph->queue, least = IPCKIT_NONE, process;

	memset(next, 0xff, digraph->nnodes * sizeof(*next));
	while (next[node] == IPCKIT_NONE) {
		const uint32_t *end, *to = wait_graph_edges(digraph->graph, node, &end);

		while (digraph->mark[*to] == TAKEN_OUT)
			to++;
		next[node] = *to;
		node = *to;
	}
	/* It is not known yet whether this node is a process. */
	for (uint32_t v = node; least == IPCKIT_NONE || v != node; v = next[v])
		least = v < least ? v : least;
	process = least;
	for (uint32_t v = next[least]; v != least; v = next[v]) {
		if (v >= digraph->nprocesses)
			continue;
		digraph->from[v] = process;
		process = v;
	}
	return keep_cycle(digraph, least, process, out);
}

static int search_cycles(struct digraph *digraph, struct ipckit_cycle *out)
{
	uint32_t last;
	int r = 0;

	/* A cycle of 2 is as short as any that are left. */
	for (uint32_t p = 0; !r && p < digraph->nprocesses && out->length != 2; p++) {
		enum found found;

		if (digraph->mark[p] == TAKEN_OUT)
			continue;
		found = find_back(digraph, p, out->length, &last);
		if (found == FOUND_CUT) {
			out->shortest = false;
			return out->length ? 0 : walk_round(digraph, p, out);
		}
		if (found == FOUND_CYCLE)
			r = keep_cycle(digraph, p, last, out);
		take_out(digraph, p);
	}
	return r;
}

/* Whether one of the edges of a process leads back to it at once. */
static bool waits_for_itself(const struct wait_graph *graph, uint32_t process)
{
	const struct ipckit_system *system = graph->system;
	const uint32_t *end, *to = wait_graph_edges(graph, process, &end);

	for (; to < end; to++) {
		if (*to == process)
			return true;
		if (*to >= system->nprocesses &&
		    rows_find(&system->allocation, process, *to - system->nprocesses))
			return true;
	}
	return false;
}

static int find_cycle(struct digraph *digraph, const struct wait_graph *graph, struct ipckit_cycle *out)
{
	int r;

	digraph->graph = graph;
	for (uint32_t p = 0; p < graph->system->nprocesses; p++) {
		if (waits_for_itself(graph, p))
			return keep_cycle(digraph, p, p, out);
	}
	r = digraph_make(digraph, graph);
	if (r)
		return r;
	peel_all(digraph);
	return search_cycles(digraph, out);
}

int wait_graph_cycle(struct wait_graph *graph, struct ipckit_cycle *out)
{
	struct ipckit_cycle cycle = { .shortest = true };
	struct digraph digraph = { 0 };
	int r = wait_graph_hold(graph);

	if (!r)
		r = wait_graph_want(graph);
	if (!r)
		r = find_cycle(&digraph, graph, &cycle);
	digraph_free(&digraph);
	wait_graph_free(graph);
	if (r) {
		ipckit_cycle_free(&cycle);
		return r;
	}
	*out = cycle;
	return 0;
}

int ipckit_deadlock_cycle(const struct ipckit_system *system, const struct ipckit_detection *detection,
			  const struct ipckit_core *core, struct ipckit_cycle *out)
{
	size_t nmembers = core->ncomponents ? core->start[core->ncomponents] : 0;
	bool *members = calloc((size_t)system->nprocesses + 1, sizeof(*members));
	struct wait_graph graph = { .system = system, .available = detection->available,
				    .members = members, .single = true };
	int r;

	if (!members)
		return -ENOMEM;
	for (size_t i = 0; i < nmembers; i++)
		members[core->processes[i]] = true;
	r = wait_graph_cycle(&graph, out);
	free(members);
	return r;
}

void ipckit_cycle_free(struct ipckit_cycle *cycle)
{
	free(cycle->processes);
	free(cycle->resources);
	*cycle = (struct ipckit_cycle){ 0 };
}
