/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live-model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * To end a process ends all of its threads. So besides the nodes, each of which holds its own end, there is a life
 * for each process: it holds a resource that any of its threads is content with instead of what it waits for, and
 * waits for the ends of its threads. Lives cost about the same, and all of them less than anything else does.
 *
 * Numbers of processes and of the resources that they hold: nodes, lives, and one for each thread that waits for
 * several at once, which takes that wait over.
 */
struct plan {
	const struct ipckit_live *live;
	uint32_t nnodes, nlives, nhelpers;
	uint32_t *life; /* by node */
	uint32_t *of;   /* by life: a node of it */
	struct ipckit_rows_builder held, request, any;
	uint32_t *row;  /* of one process */
	uint32_t *mark; /* by node: the last row that it is in, and 1 */
	int64_t *cost;
};

static bool leads(const struct ipckit_live_node *node, const struct ipckit_live_node *other)
{
	return (!node->tid && other->tid) || (node->tid == node->pid && other->tid && other->tid != other->pid);
}

/* Nodes of a process stand side by side. */
static int number_lives(struct plan *plan)
{
	const struct ipckit_live_node *nodes = plan->live->nodes;

	plan->life = calloc((size_t)plan->nnodes + 1, sizeof(*plan->life));
	plan->of = calloc((size_t)plan->nnodes + 1, sizeof(*plan->of));
	plan->row = calloc((size_t)plan->nnodes + 2, sizeof(*plan->row));
	plan->mark = calloc((size_t)plan->nnodes + 1, sizeof(*plan->mark));
	if (!plan->life || !plan->of || !plan->row || !plan->mark)
		return -ENOMEM;
	for (uint32_t n = 0; n < plan->nnodes; n++) {
		if (!n || nodes[n].pid != nodes[n - 1].pid)
			plan->of[plan->nlives++] = n;
		else if (leads(&nodes[n], &nodes[plan->of[plan->nlives - 1]]))
			plan->of[plan->nlives - 1] = n;
		plan->life[n] = plan->nlives - 1;
	}
	return 0;
}

/* ---- rows ---- */

static int add_row(struct ipckit_rows_builder *rows, uint32_t *list, size_t count)
{
	int r = 0;

	qsort(list, count, sizeof(*list), live_by_number);
	for (size_t i = 0; !r && i < count; i++)
		r = ipckit_rows_add(rows, list[i], 1);
	return r;
}

static int end_rows(struct plan *plan, uint32_t own)
{
	int r = ipckit_rows_add(&plan->held, own, 1);

	if (!r)
		r = ipckit_rows_end(&plan->held);
	if (!r)
		r = ipckit_rows_end(&plan->request);
	return r ?: ipckit_rows_end(&plan->any);
}

/* The holders in all waits of a node, each once. */
static size_t gather(struct plan *plan, uint32_t node, size_t first, size_t end)
{
	size_t count = 0;

	for (size_t i = first; i < end; i++) {
		const struct ipckit_live_edge *edge = &plan->live->edges[i];

		for (size_t h = 0; h < edge->nholders; h++) {
			if (plan->mark[edge->holders[h]] == node + 1)
				continue;
			plan->mark[edge->holders[h]] = node + 1;
			plan->row[count++] = edge->holders[h];
		}
	}
	return count;
}

static bool takes_all(const struct ipckit_live *live, size_t first, size_t end)
{
	return end == first + 1 && !live->edges[first].any && live->edges[first].nholders > 1;
}

static size_t end_of(const struct ipckit_live *live, uint32_t node, size_t first)
{
	while (first < live->nedges && live->edges[first].waiter == node)
		first++;
	return first;
}

static int add_node(struct plan *plan, uint32_t node, size_t first, size_t end)
{
	const struct ipckit_live_node *told = &plan->live->nodes[node];
	size_t count = 0;
	int r = 0;

	if (end > first && !told->acts) {
		if (takes_all(plan->live, first, end))
			plan->row[count++] = plan->nnodes + plan->nlives + plan->nhelpers++;
		else
			count = gather(plan, node, first, end);
		if (told->tid)
			plan->row[count++] = plan->nnodes + plan->life[node];
		r = add_row(&plan->any, plan->row, count);
	}
	return r ?: end_rows(plan, node);
}

static int add_nodes(struct plan *plan)
{
	size_t first = 0;
	int r = 0;

	for (uint32_t n = 0; !r && n < plan->nnodes; n++) {
		size_t end = end_of(plan->live, n, first);

		r = add_node(plan, n, first, end);
		first = end;
	}
	return r;
}

static int add_lives(struct plan *plan)
{
	uint32_t n = 0;
	int r = 0;

	for (uint32_t life = 0; !r && life < plan->nlives; life++) {
		for (; !r && n < plan->nnodes && plan->life[n] == life; n++)
			if (plan->live->nodes[n].tid)
				r = ipckit_rows_add(&plan->request, n, 1);
		if (!r)
			r = end_rows(plan, plan->nnodes + life);
	}
	return r;
}

static int add_helpers(struct plan *plan)
{
	uint32_t own = plan->nnodes + plan->nlives;
	size_t first = 0;
	int r = 0;

	for (uint32_t n = 0; !r && n < plan->nnodes; n++) {
		size_t end = end_of(plan->live, n, first);

		if (takes_all(plan->live, first, end) && !plan->live->nodes[n].acts) {
			r = add_row(&plan->request, plan->row, gather(plan, n, first, end));
			if (!r)
				r = end_rows(plan, own++);
		}
		first = end;
	}
	return r;
}

/* ---- the set ---- */

/* Whose end would leave a child behind, with what that has inherited: its parent is told when the child is ended. */
static bool is_parent(const struct ipckit_live_edge *edge)
{
	return edge->kind == IPCKIT_LIVE_CHILD || edge->kind == IPCKIT_LIVE_PIDFD;
}

/* As few as possible, and of as many sets the one with the fewest parents. */
static int set_costs(struct plan *plan, uint32_t count)
{
	int64_t one = (int64_t)plan->nlives + 1;

	plan->cost = calloc((size_t)count + 1, sizeof(*plan->cost));
	if (!plan->cost)
		return -ENOMEM;
	for (uint32_t p = 0; p < count; p++)
		plan->cost[p] = one * (one + 1);
	for (uint32_t life = 0; life < plan->nlives; life++)
		plan->cost[plan->nnodes + life] = one;
	for (size_t i = 0; i < plan->live->nedges; i++) {
		const struct ipckit_live_edge *edge = &plan->live->edges[i];

		if (is_parent(edge))
			plan->cost[plan->nnodes + plan->life[edge->waiter]] = one + 1;
	}
	return 0;
}

/* Where a thread was to be ended its process is: that ends it, too. A helper is content without. */
static int take_lives(const struct plan *plan, const struct ipckit_resolution *from, struct live_victims *out)
{
	bool *ended = calloc((size_t)plan->nlives + 1, sizeof(*ended));

	out->nodes = calloc((size_t)plan->nlives + 1, sizeof(*out->nodes));
	if (!ended || !out->nodes) {
		free(ended);
		return -ENOMEM;
	}
	for (size_t i = 0; i < from->nprocesses; i++) {
		uint32_t p = from->processes[i];

		if (p < plan->nnodes)
			ended[plan->life[p]] = true;
		else if (p < plan->nnodes + plan->nlives)
			ended[p - plan->nnodes] = true;
	}
	for (uint32_t life = 0; life < plan->nlives; life++)
		if (ended[life])
			out->nodes[out->count++] = plan->of[life];
	free(ended);
	return 0;
}

static int solve(struct plan *plan, struct live_victims *out)
{
	uint32_t count = plan->nnodes + plan->nlives + plan->nhelpers, wrong;
	struct ipckit_system system = {
		.nprocesses = count,
		.nresources = count,
		.allocation = plan->held.rows,
		.request = plan->request.rows,
		.any = plan->any.rows,
	};
	struct ipckit_resolution resolution;
	int r = ipckit_system_complete(&system, &wrong);

	if (!r)
		r = ipckit_deadlock_resolve(&system, plan->cost, &resolution);
	if (!r) {
		r = take_lives(plan, &resolution, out);
		ipckit_resolution_free(&resolution);
	}
	free(system.existing);
	free(system.available);
	return r;
}

int live_resolve(const struct ipckit_live *live, struct live_victims *out)
{
	struct plan plan = { .live = live, .nnodes = (uint32_t)live->nnodes };
	int r = number_lives(&plan);

	*out = (struct live_victims){ 0 };
	if (!r)
		r = add_nodes(&plan);
	if (!r)
		r = add_lives(&plan);
	if (!r)
		r = add_helpers(&plan);
	if (!r)
		r = set_costs(&plan, plan.nnodes + plan.nlives + plan.nhelpers);
	if (!r)
		r = solve(&plan, out);
	ipckit_rows_free(&plan.held.rows);
	ipckit_rows_free(&plan.request.rows);
	ipckit_rows_free(&plan.any.rows);
	free(plan.life);
	free(plan.of);
	free(plan.row);
	free(plan.mark);
	free(plan.cost);
	if (r) {
		free(out->nodes);
		*out = (struct live_victims){ 0 };
	}
	return r;
}
