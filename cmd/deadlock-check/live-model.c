/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live-model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (INPUT_NAME_MAX - 32) /* of a resource: a number may follow */

struct cells {
	struct ipckit_cell *list;
	int64_t *counts;
	size_t count;
};

/* A wait, its holders in the numbers of the model. */
struct wait {
	char *text;
	uint32_t *holders;
	size_t nholders;
	uint32_t edge, resource;
};

struct build {
	const struct ipckit_live *live;
	struct model model;
	uint32_t *number;   /* by node */
	uint32_t *node;     /* by number */
	struct wait *waits; /* by edge */
	struct wait **order;
	struct cells held, request, any;
	uint32_t *orphans;
	size_t norphans;
};

static void *array(size_t count, size_t size)
{
	return calloc(count + 1, size);
}

/* ---- nodes ---- */

/* The thread that stands for a process, or IPCKIT_NONE. */
static uint32_t only_thread(const struct ipckit_live *live, uint32_t node)
{
	size_t i, end;

	if (live->nodes[node].tid || live->nodes[node].acts)
		return IPCKIT_NONE;
	end = live_waits_of(live, node, &i);
	if (end != i + 1 || live->edges[i].kind || live->edges[i].nholders != 1)
		return IPCKIT_NONE;
	return live->edges[i].holders[0];
}

static int number_nodes(struct build *build)
{
	const struct ipckit_live *live = build->live;
	uint32_t count = 0;
	char name[LIVE_NAME];
	int r = 0;

	build->number = array(live->nnodes, sizeof(*build->number));
	build->node = array(live->nnodes, sizeof(*build->node));
	if (!build->number || !build->node)
		return -ENOMEM;
	for (uint32_t n = 0; !r && n < live->nnodes; n++) {
		if (only_thread(live, n) != IPCKIT_NONE)
			continue;
		build->number[n] = count;
		build->node[count++] = n;
		live_name(&live->nodes[n], name);
		r = names_add(&build->model.processes, name, strlen(name));
	}
	for (uint32_t n = 0; n < live->nnodes; n++) {
		uint32_t thread = only_thread(live, n);

		if (thread != IPCKIT_NONE)
			build->number[n] = build->number[thread];
	}
	build->model.system.nprocesses = count;
	return r;
}

/* ---- waits ---- */

int live_by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static char *text_of(const struct ipckit_live *live, const struct ipckit_live_edge *edge)
{
	char name[LIVE_NAME], *text;

	if (edge->kind)
		return strndup(edge->resource ?: ipckit_live_kind_name(edge->kind), TEXT_MAX);
	live_name(&live->nodes[edge->waiter], name);
	return asprintf(&text, "threads of %s", name) < 0 ? NULL : text;
}

/* A process and the thread that stands for it are one. */
static int make_wait(struct build *build, uint32_t e)
{
	const struct ipckit_live_edge *edge = &build->live->edges[e];
	struct wait *wait = &build->waits[e];
	size_t kept = 0;

	wait->edge = e;
	wait->resource = IPCKIT_NONE;
	wait->text = text_of(build->live, edge);
	wait->holders = array(edge->nholders, sizeof(*wait->holders));
	if (!wait->text || !wait->holders)
		return -ENOMEM;
	for (size_t h = 0; h < edge->nholders; h++)
		wait->holders[h] = build->number[edge->holders[h]];
	qsort(wait->holders, edge->nholders, sizeof(*wait->holders), live_by_number);
	for (size_t h = 0; h < edge->nholders; h++)
		if (!kept || wait->holders[kept - 1] != wait->holders[h])
			wait->holders[kept++] = wait->holders[h];
	wait->nholders = kept;
	return 0;
}

/* Of who is not left out for its thread. */
static bool is_told(const struct build *build, uint32_t e)
{
	uint32_t waiter = build->live->edges[e].waiter;

	return build->node[build->number[waiter]] == waiter;
}

static int make_waits(struct build *build)
{
	int r = 0;

	build->waits = array(build->live->nedges, sizeof(*build->waits));
	if (!build->waits)
		return -ENOMEM;
	for (uint32_t e = 0; !r && e < build->live->nedges; e++)
		r = make_wait(build, e);
	return r;
}

/* ---- resources ---- */

static int compare(const struct wait *a, const struct wait *b)
{
	int order = strcmp(a->text, b->text);

	if (order || a->nholders != b->nholders)
		return order ?: (a->nholders > b->nholders) - (a->nholders < b->nholders);
	return memcmp(a->holders, b->holders, a->nholders * sizeof(*a->holders));
}

static int by_resource(const void *a, const void *b)
{
	const struct wait *x = *(struct wait *const *)a, *y = *(struct wait *const *)b;

	return compare(x, y) ?: (x->edge > y->edge) - (x->edge < y->edge);
}

/* What has the same text may be another: an address of another process, or other holders keep it from this waiter. */
static int add_name(struct build *build, const char *text, uint32_t *turn)
{
	char name[INPUT_NAME_MAX];

	for (;; ++*turn) {
		uint32_t process;
		int n = *turn > 1 ? snprintf(name, sizeof(name), "%s #%u", text, *turn) :
				    snprintf(name, sizeof(name), "%s", text);
		int r = names_find(&build->model.processes, name, (size_t)n, &process);

		if (!r && process == IPCKIT_NONE)
			r = names_add(&build->model.resources, name, (size_t)n);
		else if (!r)
			r = -EEXIST;
		if (r != -EEXIST)
			return r;
	}
}

static int add_resources(struct build *build)
{
	size_t count = 0;
	uint32_t turn = 1;
	int r = 0;

	build->order = array(build->live->nedges, sizeof(*build->order));
	if (!build->order)
		return -ENOMEM;
	for (uint32_t e = 0; e < build->live->nedges; e++)
		if (is_told(build, e))
			build->order[count++] = &build->waits[e];
	qsort(build->order, count, sizeof(*build->order), by_resource);
	for (size_t i = 0; !r && i < count; i++) {
		struct wait *wait = build->order[i], *before = i ? build->order[i - 1] : NULL;

		if (before && !compare(before, wait)) {
			wait->resource = before->resource;
			continue;
		}
		turn = before && !strcmp(before->text, wait->text) ? turn + 1 : 1;
		wait->resource = build->model.resources.count;
		r = add_name(build, wait->text, &turn);
	}
	return r;
}

/* ---- cells ---- */

static int add_cell(struct cells *cells, uint32_t row, uint32_t column, int64_t count)
{
	bool full = !(cells->count & (cells->count - 1));
	size_t room = cells->count ? cells->count * 2 : 1;
	struct ipckit_cell *list = full ? reallocarray(cells->list, room, sizeof(*list)) : cells->list;
	int64_t *counts;

	if (!list)
		return -ENOMEM;
	cells->list = list;
	counts = full ? reallocarray(cells->counts, room, sizeof(*counts)) : cells->counts;
	if (!counts)
		return -ENOMEM;
	cells->counts = counts;
	list[cells->count] = (struct ipckit_cell){ row, column };
	counts[cells->count++] = count;
	return 0;
}

static int add_holders(struct build *build)
{
	uint32_t done = IPCKIT_NONE;
	int r = 0;

	for (size_t i = 0; !r && build->order[i]; i++) {
		const struct wait *wait = build->order[i];

		if (wait->resource == done)
			continue;
		done = wait->resource;
		for (size_t h = 0; !r && h < wait->nholders; h++)
			r = add_cell(&build->held, wait->holders[h], done, 1);
	}
	return r;
}

/* Several waits are alternatives, and one that asks for all of its holders is taken for the lesser one then. */
static int add_waits(struct build *build, uint32_t p, size_t first, size_t end)
{
	const struct ipckit_live_edge *edges = build->live->edges;
	bool several = end - first > 1, orphan = true;
	int r = 0;

	for (size_t i = first; !r && i < end; i++) {
		const struct wait *wait = &build->waits[i];
		bool again = false;

		orphan = orphan && !wait->nholders;
		for (size_t j = first; j < i; j++)
			again = again || build->waits[j].resource == wait->resource;
		if (several && !again)
			r = add_cell(&build->any, p, wait->resource, 1);
		if (!several)
			r = add_cell(&build->request, p, wait->resource,
				     edges[i].any || !wait->nholders ? 1 : (int64_t)wait->nholders);
	}
	if (orphan)
		build->orphans[build->norphans++] = p;
	return r;
}

static int add_cells(struct build *build)
{
	const struct ipckit_live *live = build->live;
	int r = add_holders(build);

	build->orphans = array(build->model.system.nprocesses, sizeof(*build->orphans));
	if (!build->orphans)
		return -ENOMEM;
	for (uint32_t p = 0; !r && p < build->model.system.nprocesses; p++) {
		size_t first, end = live_waits_of(live, build->node[p], &first);

		if (first < end && !live->nodes[build->node[p]].acts)
			r = add_waits(build, p, first, end);
	}
	for (size_t i = 0; !r && i < build->norphans; i++) {
		uint32_t end = build->model.resources.count + (uint32_t)i;

		r = add_cell(&build->held, build->orphans[i], end, 1);
		if (!r)
			r = add_cell(&build->request, build->orphans[i], end, 1);
	}
	return r;
}

/* ---- the model ---- */

static int make_rows(struct build *build)
{
	struct ipckit_system *system = &build->model.system;
	struct problem problem;
	size_t same;
	int r;

	system->nends = (uint32_t)build->norphans;
	system->nresources = build->model.resources.count + system->nends;
	system->end_of = build->orphans;
	build->orphans = NULL;
	r = ipckit_rows_make(system->nprocesses, build->held.list, build->held.counts, build->held.count, &same,
			     &system->allocation);
	if (!r)
		r = ipckit_rows_make(system->nprocesses, build->request.list, build->request.counts,
				     build->request.count, &same, &system->request);
	if (!r && build->any.count)
		r = ipckit_rows_make(system->nprocesses, build->any.list, build->any.counts, build->any.count,
				     &same, &system->any);
	return r ?: model_complete(&build->model, (struct place){ 0 }, &problem);
}

/* ---- core and cycle ---- */

static int make_core(const struct build *build, struct ipckit_core *out)
{
	const struct ipckit_core *from = &build->live->core;
	size_t n = from->ncomponents ? from->start[from->ncomponents] : 0, at = 0;

	out->processes = array(n, sizeof(*out->processes));
	out->start = array(from->ncomponents, sizeof(*out->start));
	if (!out->processes || !out->start)
		return -ENOMEM;
	out->ncomponents = from->ncomponents;
	for (size_t c = 0; c < from->ncomponents; c++) {
		for (size_t i = from->start[c]; i < from->start[c + 1]; i++) {
			uint32_t node = from->processes[i], p = build->number[node];

			if (build->node[p] == node)
				out->processes[at++] = p;
		}
		out->start[c + 1] = at;
	}
	return 0;
}

static bool is_held_by(const struct wait *wait, uint32_t p)
{
	for (size_t h = 0; h < wait->nholders; h++)
		if (wait->holders[h] == p)
			return true;
	return false;
}

static uint32_t resource_between(const struct build *build, uint32_t p, uint32_t next)
{
	size_t i, end = live_waits_of(build->live, build->node[p], &i);

	for (; i < end; i++)
		if (is_held_by(&build->waits[i], next))
			return build->waits[i].resource;
	return IPCKIT_NONE;
}

static int make_cycle(const struct build *build, struct ipckit_cycle *out)
{
	const struct ipckit_cycle *from = &build->live->cycle;

	out->shortest = from->shortest;
	out->processes = array(from->length, sizeof(*out->processes));
	out->resources = array(from->length, sizeof(*out->resources));
	if (!out->processes || !out->resources)
		return -ENOMEM;
	for (size_t i = 0; i < from->length && !live_cycle_is_own(build->live); i++) {
		uint32_t p = build->number[from->processes[i]];

		if (build->node[p] == from->processes[i])
			out->processes[out->length++] = p;
	}
	for (size_t i = 0; i < out->length; i++) {
		out->resources[i] = resource_between(build, out->processes[i], out->processes[(i + 1) % out->length]);
		/* A cycle through what is drawn alone. */
		if (out->resources[i] == IPCKIT_NONE)
			out->length = 0;
	}
	return 0;
}

/* ---- all ---- */

static void cells_free(struct cells *cells)
{
	free(cells->list);
	free(cells->counts);
}

static void build_free(struct build *build)
{
	for (size_t e = 0; build->waits && e < build->live->nedges; e++) {
		free(build->waits[e].text);
		free(build->waits[e].holders);
	}
	free(build->number);
	free(build->node);
	free(build->waits);
	free(build->order);
	free(build->orphans);
	cells_free(&build->held);
	cells_free(&build->request);
	cells_free(&build->any);
}

int live_model_make(const struct ipckit_live *live, struct live_model *out)
{
	struct build build = { .live = live, .model = { .form = FORM_GRAPH, .has_request = true } };
	struct live_model model = { 0 };
	int r = number_nodes(&build);

	if (!r)
		r = make_waits(&build);
	if (!r)
		r = add_resources(&build);
	if (!r)
		r = add_cells(&build);
	if (!r)
		r = make_rows(&build);
	if (!r)
		r = make_core(&build, &model.core);
	if (!r)
		r = make_cycle(&build, &model.cycle);
	model.model = build.model;
	build_free(&build);
	if (r)
		live_model_free(&model);
	else
		*out = model;
	return r;
}

void live_model_free(struct live_model *model)
{
	model_free(&model->model);
	ipckit_core_free(&model->core);
	ipckit_cycle_free(&model->cycle);
}
