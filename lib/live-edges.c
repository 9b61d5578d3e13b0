/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include "array.h"
#include "spots.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Most are short: they are formatted once. */
const char *live_text(struct live_scan *scan, const char *format, ...)
{
	char brief[128], *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(brief, sizeof(brief), format, args);
	va_end(args);
	if (n >= 0)
		text = malloc((size_t)n + 1);
	if (text && (size_t)n < sizeof(brief)) {
		memcpy(text, brief, (size_t)n + 1);
	} else if (text) {
		va_start(args, format);
		vsnprintf(text, (size_t)n + 1, format, args);
		va_end(args);
	}
	return !text || texts_take(&scan->texts, text) ? NULL : text;
}

/* ---- nodes ---- */

static int add_point(struct live_scan *scan, bool process, uint32_t index, uint32_t *node)
{
	struct live_point *larger;

	if (*node != IPCKIT_NONE)
		return 0;
	larger = array_room(scan->points, scan->npoints, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	scan->points = larger;
	*node = (uint32_t)scan->npoints;
	larger[scan->npoints++] = (struct live_point){ .process = process, .index = index };
	return 0;
}

int live_note(struct live_scan *scan, uint32_t node, const struct live_status *status)
{
	struct live_point *point = &scan->points[node];

	point->told = true;
	point->uid = status->uid;
	point->name = *status->name ? live_text(scan, "%s", status->name) : NULL;
	return *status->name && !point->name ? -ENOMEM : 0;
}

/* ---- edges ---- */

void live_edge_free(struct ipckit_live_edge *edge)
{
	free(edge->holders);
	free(edge->owners);
}

static int add_edge(struct live_scan *scan, const struct live_edge *edge)
{
	struct live_edge *larger = array_room(scan->edges, scan->nedges, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	scan->edges = larger;
	larger[scan->nedges++] = *edge;
	return 0;
}

int live_wait(struct live_scan *scan, uint32_t thread, const struct live_how *how)
{
	struct live_thread *waiter = &scan->threads[thread];
	struct live_edge edge = {
		.told = {
			.kind = how->kind,
			.resource = how->resource,
			.mode = how->mode,
			.any = how->any,
			.level = how->level,
			.reason = how->level == IPCKIT_LIVE_CERTAIN ? NULL : how->reason,
		},
		.deaf = how->deaf,
		.open = how->open,
	};
	int r = add_point(scan, false, thread, &waiter->node);

	if (r)
		return r;
	edge.told.waiter = waiter->node;
	r = add_edge(scan, &edge);
	if (r)
		return r;
	waiter->waits = true;
	if (how->open)
		live_weaken(scan, IPCKIT_LIVE_INFERRED, "others may come to it by its name");
	return 0;
}

static int add_number(uint32_t **list, size_t *count, uint32_t number)
{
	uint32_t *larger = array_room(*list, *count, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	*list = larger;
	larger[(*count)++] = number;
	return 0;
}

static int hold(struct live_scan *scan, uint32_t node)
{
	struct ipckit_live_edge *edge = &scan->edges[scan->nedges - 1].told;

	return add_number(&edge->holders, &edge->nholders, node);
}

int live_held_by_thread(struct live_scan *scan, uint32_t thread)
{
	int r = add_point(scan, false, thread, &scan->threads[thread].node);

	return r ? r : hold(scan, scan->threads[thread].node);
}

int live_held_by_process(struct live_scan *scan, uint32_t process)
{
	int r = add_point(scan, true, process, &scan->processes[process].node);

	return r ? r : hold(scan, scan->processes[process].node);
}

int live_owned_by_process(struct live_scan *scan, uint32_t process)
{
	struct ipckit_live_edge *edge = &scan->edges[scan->nedges - 1].told;
	int r = live_held_by_process(scan, process);

	return r ? r : add_number(&edge->owners, &edge->nowners, scan->processes[process].node);
}

void live_weaken(struct live_scan *scan, enum ipckit_live_level level, const char *reason)
{
	struct ipckit_live_edge *edge = &scan->edges[scan->nedges - 1].told;

	if (edge->level >= level)
		return;
	edge->level = level;
	edge->reason = reason;
}

/* ---- nodes that are processes ---- */

static bool all_wait(const struct live_scan *scan, const struct live_process *process)
{
	bool all = !process->hidden && process->nthreads;

	for (uint32_t t = process->first; all && t < process->first + process->nthreads; t++)
		all = scan->threads[t].waits;
	return all;
}

/* A process acts where one of its threads does, whatever that one is. */
static int add_threads(struct live_scan *scan, uint32_t node)
{
	const struct live_process *process = &scan->processes[scan->points[node].index];
	struct live_edge edge = { .told = { .waiter = node, .any = true }, .deaf = LIVE_DEAF_TO_ALL };
	int r;

	if (!all_wait(scan, process)) {
		scan->points[node].acts = true;
		return 0;
	}
	r = add_edge(scan, &edge);
	for (uint32_t t = process->first; !r && t < process->first + process->nthreads; t++)
		r = live_held_by_thread(scan, t);
	return r;
}

static void sort_holders(struct ipckit_live_edge *edge)
{
	edge->nholders = array_sort_numbers(edge->holders, edge->nholders);
	edge->nowners = array_sort_numbers(edge->owners, edge->nowners);
}

static int by_waiter(const void *a, const void *b)
{
	const struct live_edge *x = a, *y = b;

	return array_by_number(&x->told.waiter, &y->told.waiter);
}

static void sort_edges(struct live_scan *scan)
{
	if (scan->nedges)
		qsort(scan->edges, scan->nedges, sizeof(*scan->edges), by_waiter);
}

/* ---- idle workers ---- */

#define DEPTH_MAX 8 /* supervisors of supervisors */

/* Whether a thread waits for the same as an edge says. */
static bool waits_alike(const struct live_scan *scan, const struct live_thread *thread, const struct live_edge *edge)
{
	size_t i, end;

	if (!thread->waits)
		return false;
	end = live_edges_of(scan, thread->node, &i);
	for (; i < end; i++)
		if (scan->edges[i].open && scan->edges[i].told.kind == edge->told.kind &&
		    !strcmp(scan->edges[i].told.resource, edge->told.resource))
			return true;
	return false;
}

static bool all_wait_alike(const struct live_scan *scan, uint32_t node, const struct live_edge *edge, unsigned depth);

/* Whoever waits for the end of idle workers only looks after them. */
static bool looks_after(const struct live_scan *scan, const struct live_thread *thread, const struct live_edge *edge,
			unsigned depth)
{
	size_t i, end;

	if (!thread->waits || depth == DEPTH_MAX)
		return false;
	end = live_edges_of(scan, thread->node, &i);
	for (; i < end; i++) {
		const struct ipckit_live_edge *wait = &scan->edges[i].told;
		bool alike = wait->kind == IPCKIT_LIVE_CHILD || wait->kind == IPCKIT_LIVE_PIDFD ||
			     wait->kind == IPCKIT_LIVE_JOIN;

		for (size_t h = 0; alike && h < wait->nholders; h++)
			alike = all_wait_alike(scan, wait->holders[h], edge, depth + 1);
		if (!alike)
			return false;
	}
	return true;
}

static bool waits_so(const struct live_scan *scan, const struct live_thread *thread, const struct live_edge *edge,
		     unsigned depth)
{
	return waits_alike(scan, thread, edge) || looks_after(scan, thread, edge, depth);
}

static bool all_wait_alike(const struct live_scan *scan, uint32_t node, const struct live_edge *edge, unsigned depth)
{
	const struct live_point *point = &scan->points[node];
	const struct live_process *process = &scan->processes[point->index];
	bool alike = true;

	if (!point->process)
		return waits_so(scan, &scan->threads[point->index], edge, depth);
	for (uint32_t t = process->first; alike && t < process->first + process->nthreads; t++)
		alike = waits_so(scan, &scan->threads[t], edge, depth);
	return alike;
}

static bool is_idle(const struct live_scan *scan, const struct live_edge *edge)
{
	bool idle = edge->open;

	for (size_t i = 0; idle && i < edge->told.nholders; i++)
		idle = all_wait_alike(scan, edge->told.holders[i], edge, 0);
	return idle;
}

/* Whose wait may be ended by who is not there yet is not stuck, whatever else would end it. All are judged before the
 * first is taken away: each is what the others are compared with. */
static int drop_idle(struct live_scan *scan)
{
	bool *idle = calloc(scan->npoints + 1, sizeof(*idle));
	size_t kept = 0;

	if (!idle)
		return -ENOMEM;
	for (size_t i = 0; i < scan->nedges; i++)
		if (is_idle(scan, &scan->edges[i]))
			idle[scan->edges[i].told.waiter] = true;
	for (size_t i = 0; i < scan->nedges; i++) {
		struct live_edge *edge = &scan->edges[i];

		if (!idle[edge->told.waiter]) {
			scan->edges[kept++] = *edge;
			continue;
		}
		scan->threads[scan->points[edge->told.waiter].index].waits = false;
		live_edge_free(&edge->told);
	}
	scan->nedges = kept;
	free(idle);
	return 0;
}

/* ---- the end ---- */

int live_settle(struct live_scan *scan)
{
	int r;

	sort_edges(scan);
	r = drop_idle(scan);
	for (uint32_t node = 0; !r && node < scan->npoints; node++)
		if (scan->points[node].process)
			r = add_threads(scan, node);
	if (r)
		return r;
	for (size_t i = 0; i < scan->npoints; i++)
		if (!scan->points[i].process)
			scan->points[i].acts = !scan->threads[scan->points[i].index].waits;
	for (size_t i = 0; i < scan->nedges; i++)
		sort_holders(&scan->edges[i].told);
	sort_edges(scan);
	return 0;
}

size_t live_edges_of(const struct live_scan *scan, uint32_t node, size_t *first)
{
	size_t low = 0, high = scan->nedges, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (scan->edges[middle].told.waiter < node)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < scan->nedges && scan->edges[end].told.waiter == node; end++)
		;
	*first = low;
	return end;
}
