/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include "array.h"

#include <errno.h>
#include <string.h>

/* ---- the system of a graph ---- */

/* The edges of a node, and how they are taken together. */
struct wait {
	const struct ipckit_live_edge *edges;
	size_t nedges;
	bool any;
	bool orphan; /* nobody holds what it waits for */
	enum ipckit_live_level level;
};

struct build {
	const struct live_graph *graph;
	enum ipckit_live_level weakest;
	struct ipckit_system system;
	struct ipckit_rows_builder held, request, any;
	uint32_t *end;  /* by node: the resource that is its end; IPCKIT_NONE: nobody waits for that */
	uint32_t *list; /* ends that one node waits for */
	uint32_t *mark; /* by node: the last one that waits for it, and 1 */
};

/* The wait of a node whose edges begin at `first`; *next: where those of the next node do. */
static struct wait read_wait(const struct live_graph *graph, uint32_t node, size_t first, size_t *next)
{
	struct wait wait = { .edges = graph->edges + first, .orphan = true };
	size_t i = first;

	for (; i < graph->nedges && graph->edges[i].waiter == node; i++) {
		const struct ipckit_live_edge *edge = &graph->edges[i];

		wait.orphan = wait.orphan && !edge->nholders;
		if (edge->level > wait.level)
			wait.level = edge->level;
	}
	*next = i;
	wait.nedges = i - first;
	wait.orphan = wait.orphan && wait.nedges;
	/* With alternatives to it, an edge that waits for several is taken for the lesser wait. */
	wait.any = wait.nedges > 1 || (wait.nedges && wait.edges->any);
	return wait;
}

static bool acts(const struct build *build, uint32_t node, const struct wait *wait)
{
	return build->graph->acts[node] || !wait->nedges || wait->level > build->weakest;
}

/* Whoever is waited for has an end. An orphan's waiter has one, too: it is more than blocked behind others. */
static void number_ends(struct build *build)
{
	const struct live_graph *graph = build->graph;
	struct ipckit_system *system = &build->system;
	size_t at = 0;

	memset(build->end, 0xff, ((size_t)graph->nnodes + 1) * sizeof(*build->end));
	for (uint32_t node = 0; node < graph->nnodes; node++) {
		struct wait wait = read_wait(graph, node, at, &at);

		if (wait.orphan) {
			build->end[node] = 0;
			system->nresources = 1;
		}
		for (size_t i = 0; i < wait.nedges; i++)
			for (size_t h = 0; h < wait.edges[i].nholders; h++)
				build->end[wait.edges[i].holders[h]] = 0;
	}
	for (uint32_t node = 0; node < graph->nnodes; node++) {
		if (build->end[node] == IPCKIT_NONE)
			continue;
		system->end_of[system->nends++] = node;
		build->end[node] = system->nresources++;
	}
}

/* The ends of all holders, each once. */
static size_t gather(struct build *build, uint32_t node, const struct wait *wait)
{
	size_t count = 0;

	for (size_t i = 0; i < wait->nedges; i++) {
		for (size_t h = 0; h < wait->edges[i].nholders; h++) {
			uint32_t holder = wait->edges[i].holders[h];

			if (build->mark[holder] == node + 1)
				continue;
			build->mark[holder] = node + 1;
			build->list[count++] = build->end[holder];
		}
	}
	return array_sort_numbers(build->list, count);
}

static int add_node(struct build *build, uint32_t node, const struct wait *wait)
{
	struct ipckit_rows_builder *rows = wait->any && !wait->orphan ? &build->any : &build->request;
	size_t count = 0;
	int r = 0;

	if (build->end[node] != IPCKIT_NONE)
		r = ipckit_rows_add(&build->held, build->end[node], 1);
	if (!acts(build, node, wait))
		count = gather(build, node, wait);
	/* Resource 0 is what does not exist. */
	if (!r && wait->orphan && !acts(build, node, wait))
		r = ipckit_rows_add(rows, 0, 1);
	for (size_t i = 0; !r && i < count; i++)
		r = ipckit_rows_add(rows, build->list[i], 1);
	if (!r)
		r = ipckit_rows_end(&build->held);
	if (!r)
		r = ipckit_rows_end(&build->request);
	return r ? r : ipckit_rows_end(&build->any);
}

static int fill(struct build *build)
{
	const struct live_graph *graph = build->graph;
	size_t n = (size_t)graph->nnodes + 1, at = 0;
	uint32_t wrong;
	int r = 0;

	build->system.nprocesses = graph->nnodes;
	build->system.end_of = array_of(n, sizeof(uint32_t));
	build->end = array_of(n, sizeof(uint32_t));
	build->list = array_of(n, sizeof(uint32_t));
	build->mark = calloc(n, sizeof(uint32_t));
	if (!build->system.end_of || !build->end || !build->list || !build->mark)
		return -ENOMEM;
	number_ends(build);
	for (uint32_t node = 0; !r && node < graph->nnodes; node++) {
		struct wait wait = read_wait(graph, node, at, &at);

		r = add_node(build, node, &wait);
	}
	build->system.allocation = build->held.rows;
	build->system.request = build->request.rows;
	build->system.any = build->any.rows;
	return r ? r : ipckit_system_complete(&build->system, &wrong);
}

int live_graph_system(const struct live_graph *graph, enum ipckit_live_level weakest, struct ipckit_system *out)
{
	struct build build = { .graph = graph, .weakest = weakest };
	int r = fill(&build);

	free(build.end);
	free(build.list);
	free(build.mark);
	if (r)
		ipckit_system_free(&build.system);
	else
		*out = build.system;
	return r;
}

int live_graph_reduce(const struct live_graph *graph, bool *stuck, bool *any)
{
	struct ipckit_detection detection = { 0 };
	struct ipckit_system system = { 0 };
	int r = live_graph_system(graph, IPCKIT_LIVE_INFERRED, &system);

	if (!r)
		r = ipckit_deadlock_detect(&system, IPCKIT_WATCH, &detection);
	if (!r) {
		memcpy(stuck, detection.stuck, graph->nnodes * sizeof(*stuck));
		*any = detection.ndead || detection.nbehind;
	}
	ipckit_detection_free(&detection);
	ipckit_system_free(&system);
	return r;
}

/* ---- judgement ---- */

/* Room for as many components as there are nodes. */
static int make_core(struct ipckit_live *live)
{
	size_t n = live->nnodes + 1;

	live->core.processes = array_of(n, sizeof(*live->core.processes));
	live->core.start = array_of(n, sizeof(*live->core.start));
	live->levels = array_of(n, sizeof(*live->levels));
	if (!live->core.processes || !live->core.start || !live->levels)
		return -ENOMEM;
	live->core.start[0] = 0;
	return 0;
}

/* Adds those knots that have no node of a surer one. */
static void add_knots(struct ipckit_live *live, const struct ipckit_core *from, enum ipckit_live_level level,
		      bool *taken)
{
	struct ipckit_core *core = &live->core;

	for (size_t c = 0; c < from->ncomponents; c++) {
		size_t end = core->start[core->ncomponents];
		bool known = false;

		for (size_t i = from->start[c]; i < from->start[c + 1]; i++)
			known = known || taken[from->processes[i]];
		if (known)
			continue;
		for (size_t i = from->start[c]; i < from->start[c + 1]; i++) {
			taken[from->processes[i]] = true;
			core->processes[end++] = from->processes[i];
		}
		live->levels[core->ncomponents++] = level;
		core->start[core->ncomponents] = end;
	}
}

/* The knots that are there when only waits up to a level count. */
static int judge_level(struct ipckit_live *live, const struct live_graph *graph, enum ipckit_live_level level,
		       bool *taken)
{
	struct ipckit_detection detection = { 0 };
	struct ipckit_system system = { 0 };
	struct ipckit_core core = { 0 };
	int r = live_graph_system(graph, level, &system);

	if (!r)
		r = ipckit_deadlock_detect(&system, IPCKIT_WATCH, &detection);
	if (!r)
		r = ipckit_deadlock_core(&system, &detection, &core);
	if (!r)
		add_knots(live, &core, level, taken);
	ipckit_core_free(&core);
	ipckit_detection_free(&detection);
	ipckit_system_free(&system);
	return r;
}

/* ---- the cycle that is shown ---- */

struct telling {
	const struct ipckit_live *live;
	size_t *first; /* by node: its first edge; one more at the end */
	struct ipckit_live_edge *edges;
	size_t made;
};

static bool waits_alike(const struct telling *telling, uint32_t node, const struct ipckit_live_edge *edge)
{
	const struct ipckit_live_edge *edges = telling->live->edges;

	for (size_t i = telling->first[node]; i < telling->first[node + 1]; i++)
		if (edges[i].kind && edges[i].kind == edge->kind && !strcmp(edges[i].resource, edge->resource))
			return true;
	return false;
}

/* Nodes of a process stand side by side. */
static bool process_waits_alike(const struct telling *telling, uint32_t node, const struct ipckit_live_edge *edge)
{
	const struct ipckit_live_node *nodes = telling->live->nodes;
	uint32_t n = node;

	while (n && nodes[n - 1].pid == nodes[node].pid)
		n--;
	for (; n < telling->live->nnodes && nodes[n].pid == nodes[node].pid; n++)
		if (waits_alike(telling, n, edge))
			return true;
	return false;
}

/* Whether a holder tells more of an edge than that somebody might end the wait. */
static bool is_telling(const struct telling *telling, const struct ipckit_live_edge *edge, uint32_t holder)
{
	const struct ipckit_live_node *nodes = telling->live->nodes;

	for (size_t i = 0; i < edge->nowners; i++)
		if (edge->owners[i] == holder)
			return true;
	return !edge->nowners && nodes[holder].pid != nodes[edge->waiter].pid &&
	       !process_waits_alike(telling, holder, edge);
}

/* An edge with those of its holders alone, where it has some. */
static int tell_holders(const struct telling *telling, struct ipckit_live_edge *edge)
{
	uint32_t *kept = array_of(edge->nholders, sizeof(*kept));
	size_t count = 0;

	if (!kept)
		return -ENOMEM;
	for (size_t i = 0; edge->kind && edge->any && i < edge->nholders; i++)
		if (is_telling(telling, edge, edge->holders[i]))
			kept[count++] = edge->holders[i];
	if (!count) {
		count = edge->nholders;
		memcpy(kept, edge->holders, count * sizeof(*kept));
	}
	edge->holders = kept;
	edge->nholders = count;
	return 0;
}

static int tell_all(struct telling *telling)
{
	const struct ipckit_live *live = telling->live;
	size_t e = 0;
	int r = 0;

	telling->edges = array_of(live->nedges, sizeof(*telling->edges));
	telling->first = array_of(live->nnodes + 1, sizeof(*telling->first));
	if (!telling->edges || !telling->first)
		return -ENOMEM;
	for (uint32_t n = 0; n <= live->nnodes; n++) {
		telling->first[n] = e;
		while (e < live->nedges && live->edges[e].waiter == n)
			e++;
	}
	for (; !r && telling->made < live->nedges; telling->made += !r) {
		telling->edges[telling->made] = live->edges[telling->made];
		r = tell_holders(telling, &telling->edges[telling->made]);
	}
	return r;
}

static void telling_free(struct telling *telling)
{
	for (size_t i = 0; i < telling->made; i++)
		free(telling->edges[i].holders);
	free(telling->edges);
	free(telling->first);
}

/* In the system of the result resource i is the end of who is waited for there. */
static void name_ends(struct ipckit_live *live)
{
	const struct ipckit_system *system = &live->system;
	struct ipckit_cycle *cycle = &live->cycle;

	for (size_t i = 0; i < cycle->length; i++) {
		uint32_t next = cycle->processes[(i + 1) % cycle->length];

		for (uint32_t e = 0; e < system->nends; e++)
			if (system->end_of[e] == next)
				cycle->resources[i] = system->nresources - system->nends + e;
	}
}

static int find_cycle_in(struct ipckit_live *live, const struct live_graph *graph)
{
	struct ipckit_detection detection = { 0 };
	struct ipckit_core surest = live->core;
	struct ipckit_system system = { 0 };
	int r = live_graph_system(graph, IPCKIT_LIVE_INFERRED, &system);

	while (surest.ncomponents && live->levels[surest.ncomponents - 1] > live->levels[0])
		surest.ncomponents--;
	if (!r)
		r = ipckit_deadlock_detect(&system, IPCKIT_WATCH, &detection);
	if (!r)
		r = ipckit_deadlock_cycle(&system, &detection, &surest, &live->cycle);
	if (!r)
		name_ends(live);
	ipckit_detection_free(&detection);
	ipckit_system_free(&system);
	return r;
}

/* Through those who have what is waited for, rather than through who might end a wait. */
static int find_cycle(struct ipckit_live *live, const struct live_graph *graph)
{
	struct telling telling = { .live = live };
	int r = tell_all(&telling);

	if (!r) {
		const struct live_graph told = { graph->nnodes, graph->acts, telling.edges, live->nedges };

		r = find_cycle_in(live, &told);
	}
	telling_free(&telling);
	return r;
}

static int judge(struct ipckit_live *live, const struct live_graph *graph, bool *taken)
{
	int r = live_graph_system(graph, IPCKIT_LIVE_INFERRED, &live->system);

	if (!r)
		r = ipckit_deadlock_detect(&live->system, IPCKIT_WATCH, &live->detection);
	if (!r)
		r = make_core(live);
	if (r || !live->detection.ndead)
		return r;
	for (enum ipckit_live_level level = 0; !r && level <= IPCKIT_LIVE_INFERRED; level++)
		r = judge_level(live, graph, level, taken);
	return r ? r : find_cycle(live, graph);
}

int live_graph_judge(struct ipckit_live *live)
{
	bool *acting = calloc(live->nnodes + 1, sizeof(*acting));
	bool *taken = calloc(live->nnodes + 1, sizeof(*taken));
	struct live_graph graph = { (uint32_t)live->nnodes, acting, live->edges, live->nedges };
	int r = acting && taken ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < live->nnodes; i++)
		acting[i] = live->nodes[i].acts;
	if (!r)
		r = judge(live, &graph, taken);
	free(acting);
	free(taken);
	return r;
}
