/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wait-graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is held by others in no order is in no cache either: so many nodes are asked for at once. */
#define AHEAD 16

/* ---- strongly connected components ---- */

#define CLOSED UINT32_MAX

/*
 * Tarjan's algorithm with Pearce's one number for each node (D. J. Pearce, A
 * Space-Efficient Algorithm for Finding Strongly Connected Components, 2016): 0 for
 * a node not yet seen, CLOSED for one whose component is complete.
 */
struct frame {
	const uint32_t *next, *end; /* edges not yet followed */
	uint32_t node;
	bool root;   /* nothing older was reached from it */
	bool leaves; /* some edge leads to another component */
};

struct search {
	const struct wait_graph *graph;
	uint32_t nprocesses, counter;
	uint32_t *low;
	struct frame *frames; /* the path from the first node to the present one */
	size_t depth;
	uint32_t *open; /* nodes that were left, but whose component is not complete */
	size_t nopen;
};

static void enter(struct search *search, uint32_t node)
{
	struct frame *frame = &search->frames[search->depth++];

	search->low[node] = ++search->counter;
	*frame = (struct frame){ .node = node, .root = true };
	frame->next = wait_graph_edges(search->graph, node, &frame->end);
	for (size_t i = 0; i < AHEAD && frame->next + i < frame->end; i++)
		__builtin_prefetch(&search->low[frame->next[i]]);
}

static void add_member(const struct search *search, uint32_t node, bool keep, struct ipckit_core *out)
{
	search->low[node] = CLOSED;
	if (keep && node < search->nprocesses)
		out->processes[out->start[out->ncomponents + 1]++] = node;
}

static void close_component(struct search *search, const struct frame *root, struct ipckit_core *out)
{
	uint32_t low = search->low[root->node];
	bool keep = !root->leaves;

	if (keep)
		out->start[out->ncomponents + 1] = out->start[out->ncomponents];
	add_member(search, root->node, keep, out);
	while (search->nopen && search->low[search->open[search->nopen - 1]] >= low)
		add_member(search, search->open[--search->nopen], keep, out);
	/* No process is in it where nobody is known to hold what is wanted. */
	if (keep && out->start[out->ncomponents + 1] > out->start[out->ncomponents])
		out->ncomponents++;
}

static void leave(struct search *search, struct ipckit_core *out)
{
	struct frame *frame = &search->frames[--search->depth], *parent = frame - 1;

	if (frame->root) {
		close_component(search, frame, out);
		if (search->depth)
			parent->leaves = true;
		return;
	}
	search->open[search->nopen++] = frame->node;
	parent->leaves |= frame->leaves;
	if (search->low[frame->node] < search->low[parent->node]) {
		search->low[parent->node] = search->low[frame->node];
		parent->root = false;
	}
}

static void search_from(struct search *search, uint32_t process, struct ipckit_core *out)
{
	const bool *gone = search->graph->gone;
	uint32_t *low = search->low;

	enter(search, process);
	while (search->depth) {
		struct frame *frame = &search->frames[search->depth - 1];
		uint32_t next;

		if (frame->next == frame->end) {
			leave(search, out);
			continue;
		}
		next = *frame->next++;
		if (gone && next < search->nprocesses && gone[next])
			continue;
		if (!low[next]) {
			enter(search, next);
		} else if (low[next] == CLOSED) {
			frame->leaves = true;
		} else if (low[next] < low[frame->node]) {
			low[frame->node] = low[next];
			frame->root = false;
		}
	}
}

static void search_free(struct search *search)
{
	free(search->low);
	free(search->frames);
	free(search->open);
}

int wait_graph_knots(const struct wait_graph *graph, struct ipckit_core *out)
{
	uint32_t nprocesses = graph->system->nprocesses;
	struct search search = { .graph = graph, .nprocesses = nprocesses };
	size_t nnodes = (size_t)nprocesses + graph->system->nresources + 1;
	struct ipckit_core core = { 0 };

	search.low = calloc(nnodes, sizeof(*search.low));
	search.frames = reallocarray(NULL, nnodes, sizeof(*search.frames));
	search.open = reallocarray(NULL, nnodes, sizeof(*search.open));
	core.processes = reallocarray(NULL, (size_t)nprocesses + 1, sizeof(*core.processes));
	core.start = reallocarray(NULL, (size_t)nprocesses + 2, sizeof(*core.start));
	if (!search.low || !search.frames || !search.open || !core.processes || !core.start) {
		search_free(&search);
		ipckit_core_free(&core);
		return -ENOMEM;
	}
	core.start[0] = 0;
	for (uint32_t p = 0; p < nprocesses; p++) {
		if ((!graph->members || graph->members[p]) && !(graph->gone && graph->gone[p]) &&
		    !search.low[p])
			search_from(&search, p, &core);
	}
	search_free(&search);
	*out = core;
	return 0;
}

/* ---- the core ---- */

/* Puts components in the order of their first processes, and each in ascending order. */
static int sort_core(struct ipckit_core *core, uint32_t nprocesses)
{
	uint32_t *label = reallocarray(NULL, (size_t)nprocesses + 1, sizeof(*label));
	uint32_t *renamed = reallocarray(NULL, core->ncomponents + 1, sizeof(*renamed));
	size_t *old = reallocarray(NULL, core->ncomponents + 1, sizeof(*old)), next = 0, k = 0;
	int r = label && renamed && old ? 0 : -ENOMEM;

	if (r)
		goto out;
	memset(label, 0xff, ((size_t)nprocesses + 1) * sizeof(*label));
	for (size_t c = 0; c < core->ncomponents; c++) {
		old[c] = core->start[c + 1] - core->start[c];
		renamed[c] = IPCKIT_NONE;
		for (size_t i = core->start[c]; i < core->start[c + 1]; i++)
			label[core->processes[i]] = c;
	}
	/* start[] of a component is where its next process goes, while they come by. */
	for (uint32_t p = 0; p < nprocesses; p++) {
		uint32_t c = label[p];

		if (c == IPCKIT_NONE)
			continue;
		if (renamed[c] == IPCKIT_NONE) {
			renamed[c] = k;
			core->start[k++] = next;
			next += old[c];
		}
		core->processes[core->start[renamed[c]]++] = p;
	}
	memmove(core->start + 1, core->start, core->ncomponents * sizeof(*core->start));
	core->start[0] = 0;
out:
	free(label);
	free(renamed);
	free(old);
	return r;
}

/* Nobody waits for those that hold nothing: without them the graph has the same components. */
static bool *mark_dead(const struct ipckit_system *system, const struct ipckit_detection *detection)
{
	bool *dead = calloc((size_t)system->nprocesses + 1, sizeof(*dead));

	for (size_t i = 0; dead && i < detection->ndead; i++)
		dead[detection->dead[i]] = true;
	return dead;
}

int ipckit_deadlock_core(const struct ipckit_system *system, const struct ipckit_detection *detection,
			 struct ipckit_core *out)
{
	bool *dead = mark_dead(system, detection);
	struct wait_graph graph = { .system = system, .available = detection->available, .members = dead };
	struct ipckit_core core = { 0 };
	int r = dead ? wait_graph_hold(&graph) : -ENOMEM;

	if (!r)
		r = wait_graph_want(&graph);
	if (!r)
		r = wait_graph_knots(&graph, &core);
	wait_graph_free(&graph);
	free(dead);
	if (!r)
		r = sort_core(&core, system->nprocesses);
	if (r) {
		ipckit_core_free(&core);
		return r;
	}
	*out = core;
	return 0;
}

void ipckit_core_free(struct ipckit_core *core)
{
	free(core->processes);
	free(core->start);
	*core = (struct ipckit_core){ 0 };
}
