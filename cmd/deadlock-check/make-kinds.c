/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "make.h"

#include <errno.h>
#include <stdlib.h>

/* ---- chain: the last process can finish, then the one before it ---- */

/*
 * The row is met now, but for what the process after it holds: of one resource
 * it wants more than there is without that. It stands near the end of what that
 * one holds, so that a loop that looks for it goes through most of the row.
 */
static void chain_row(struct maker *maker, uint32_t p)
{
	const struct ipckit_rows *held = &maker->system->allocation;
	struct ipckit_rows *rows = &maker->system->request;
	uint32_t degree = maker->degree, back = below(maker, (degree + 7) / 8), resource;
	size_t cell = held->start[p + 1] + degree - 1 - back;
	int64_t of_next = ipckit_rows_count(held, cell);

	resource = held->column[cell];
	pick_with(maker, rows->column + rows->start[p], degree, resource);
	for (size_t c = rows->start[p]; c < rows->start[p + 1]; c++) {
		int64_t now = maker->now[rows->column[c]];

		rows->count[c] = rows->column[c] == resource ? now - of_next + count_to(maker, of_next)
							     : count_to(maker, least(now, maker->recipe->most));
	}
}

static void chain_last_row(struct maker *maker, uint32_t p)
{
	struct ipckit_rows *rows = &maker->system->request;

	pick(maker, rows->column + rows->start[p], maker->degree);
	for (size_t c = rows->start[p]; c < rows->start[p + 1]; c++)
		rows->count[c] = count_to(maker, maker->now[rows->column[c]]);
}

int make_chain(struct maker *maker)
{
	struct ipckit_system *system = maker->system;
	int r = make_allocation(maker);

	for (uint32_t i = 0; i < system->nresources; i++)
		system->available[i] = count_to(maker, maker->recipe->most);
	if (r == 0)
		r = add_up(maker);
	if (r == 0)
		r = request_alloc(maker, true);
	if (r || maker->degree == 0)
		return r;
	for (uint32_t p = 0; p < system->nprocesses; p++)
		system->request.start[p + 1] = system->request.start[p] + maker->degree;
	for (uint32_t p = system->nprocesses; p-- > 0 && r == 0;) {
		if (p + 1 == system->nprocesses) {
			chain_last_row(maker, p);
			continue;
		}
		r = release(maker, p + 1);
		if (r == 0)
			chain_row(maker, p);
	}
	return r;
}

/* ---- random ---- */

/* From the last resource down, rows fill from their ends. */
static void list_holders(struct ipckit_rows *rows, const uint32_t *holder, uint32_t nprocesses,
			 uint32_t nresources)
{
	size_t n = 0;

	for (uint32_t i = 0; i < nresources; i++)
		if (holder[i] != IPCKIT_NONE)
			rows->start[holder[i]]++;
	for (uint32_t p = 0; p < nprocesses; p++)
		rows->start[p] = n += rows->start[p];
	rows->start[nprocesses] = n;
	for (uint32_t i = nresources; i-- > 0;)
		if (holder[i] != IPCKIT_NONE)
			rows->column[--rows->start[holder[i]]] = i;
}

/* One instance of each resource, which one process holds or none: a graph of locks. */
static int hold_singly(struct maker *maker)
{
	struct ipckit_system *system = maker->system;
	uint32_t nresources = system->nresources, nprocesses = system->nprocesses;
	uint32_t *holder = calloc(nresources ?: 1, sizeof(*holder));
	int r = rows_alloc(nprocesses, nresources, false, &system->allocation);

	if (r || !holder) {
		free(holder);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < nresources; i++) {
		bool idle = nprocesses == 0 || below(maker, 8) == 0;

		holder[i] = idle ? IPCKIT_NONE : below(maker, nprocesses);
		system->available[i] = idle;
	}
	list_holders(&system->allocation, holder, nprocesses, nresources);
	rows_trim(&system->allocation, system->allocation.start[nprocesses]);
	free(holder);
	return 0;
}

/* What exists at all, and of single instances not what the process itself holds. */
static void random_row(struct maker *maker, uint32_t p, bool single, size_t *n)
{
	const struct ipckit_system *system = maker->system;
	const struct ipckit_rows *held = &system->allocation;
	const struct ipckit_rows *rows = &system->request;
	size_t first = *n, own, own_end = ipckit_rows_of(held, p, &own);

	pick(maker, rows->column + first, maker->degree);
	for (size_t c = first; c < first + maker->degree; c++) {
		uint32_t column = rows->column[c];

		while (own < own_end && held->column[own] < column)
			own++;
		if (system->existing[column] == 0)
			continue;
		if (single && own < own_end && held->column[own] == column)
			continue;
		if (rows->count)
			rows->count[*n] = count_to(maker, least(maker->recipe->most, system->existing[column]));
		rows->column[(*n)++] = column;
	}
}

int make_random(struct maker *maker)
{
	struct ipckit_system *system = maker->system;
	bool single = maker->recipe->most == 1;
	size_t n = 0;
	int r = single ? hold_singly(maker) : make_allocation(maker);

	for (uint32_t i = 0; i < system->nresources && !single; i++)
		system->available[i] = count_to(maker, maker->recipe->most) - 1;
	if (r == 0)
		r = add_up(maker);
	if (r == 0)
		r = request_alloc(maker, !single);
	if (r)
		return r;
	for (uint32_t p = 0; p < system->nprocesses; p++) {
		random_row(maker, p, single, &n);
		system->request.start[p + 1] = n;
	}
	rows_trim(&system->request, n);
	return 0;
}
