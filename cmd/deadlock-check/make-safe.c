/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "make.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Systems that are safe, and deadlocked ones: the same with a ring. */

static uint32_t ring_process(const struct maker *maker, uint32_t place)
{
	return maker->order[maker->system->nprocesses - maker->nring + place % maker->nring];
}

/* With a single resource a ring of two is about its instances. */
static int choose_ring(struct maker *maker)
{
	uint32_t nprocesses = maker->system->nprocesses, nresources = maker->system->nresources;
	uint32_t size = 2 + below(maker, RING_MOST - 1);

	if (nprocesses < 2 || maker->degree == 0)
		return -EINVAL;
	size = size < nprocesses ? size : nprocesses;
	if (nresources == 1) {
		maker->nring = 2;
		return 0;
	}
	maker->nring = size < nresources ? size : nresources;
	pick(maker, maker->ring, maker->nring);
	return 0;
}

/* The order in which they finish shows nowhere. */
static int shuffle(struct maker *maker)
{
	uint32_t n = maker->system->nprocesses;
	uint32_t *order = maker->order = calloc(n ?: 1, sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t other = below(maker, i + 1);

		order[i] = order[other];
		order[other] = i;
	}
	return 0;
}

/* The row is met now. For the time being its cells begin at p * degree, and start[p+1] is their number. */
static void need_row(struct maker *maker, uint32_t p, uint32_t must)
{
	struct ipckit_rows *rows = &maker->system->request;
	size_t first = (size_t)p * maker->degree, n = first;

	if (must == IPCKIT_NONE)
		pick(maker, rows->column + first, maker->degree);
	else
		pick_with(maker, rows->column + first, maker->degree, must);
	for (size_t c = first; c < first + maker->degree; c++) {
		uint32_t column = rows->column[c];
		int64_t now = maker->now[column];

		if (now == 0 && column != must)
			continue;
		rows->column[n] = column;
		if (rows->count)
			rows->count[n] = now ? count_to(maker, least(now, maker->recipe->most)) : 1;
		n++;
	}
	rows->start[p + 1] = n - first;
}

/* More than there is when all who can have finished, not more than if the next in the ring had, too. */
static void ring_row(struct maker *maker, uint32_t place)
{
	struct ipckit_rows *rows = &maker->system->request;
	const struct ipckit_rows *held = &maker->system->allocation;
	uint32_t p = ring_process(maker, place), next = ring_process(maker, place + 1);
	uint32_t wanted = maker->ring[(place + 1) % maker->nring];
	size_t own = (size_t)p * maker->degree, of_next = held->start[next];

	need_row(maker, p, wanted);
	while (rows->column[own] != wanted)
		own++;
	while (held->column[of_next] != wanted)
		of_next++;
	rows->count[own] = maker->now[wanted] + count_to(maker, ipckit_rows_count(held, of_next));
}

static int make_need(struct maker *maker)
{
	uint32_t nprocesses = maker->system->nprocesses;
	int r = request_alloc(maker, maker->recipe->most > 1 || maker->nring);

	for (uint32_t i = 0; i < nprocesses - maker->nring && r == 0; i++) {
		need_row(maker, maker->order[i], IPCKIT_NONE);
		r = release(maker, maker->order[i]);
	}
	for (uint32_t place = 0; place < maker->nring && r == 0; place++)
		ring_row(maker, place);
	return r;
}

static void close_gaps(struct ipckit_rows *rows, uint32_t nrows, size_t degree)
{
	size_t n = 0;

	for (uint32_t p = 0; p < nrows; p++) {
		size_t first = p * degree, count = rows->start[p + 1];

		memmove(rows->column + n, rows->column + first, count * sizeof(*rows->column));
		if (rows->count)
			memmove(rows->count + n, rows->count + first, count * sizeof(*rows->count));
		n += count;
		rows->start[p + 1] = n;
	}
	rows_trim(rows, n);
}

/* Merges row p of two matrices; into no cells it only counts. */
static size_t add_rows(const struct ipckit_rows *a, const struct ipckit_rows *b, uint32_t p,
		       struct ipckit_rows *to, size_t n)
{
	size_t i, j, i_end = ipckit_rows_of(a, p, &i), j_end = ipckit_rows_of(b, p, &j);

	for (; i < i_end || j < j_end; n++) {
		uint32_t of_a = i < i_end ? a->column[i] : IPCKIT_NONE;
		uint32_t of_b = j < j_end ? b->column[j] : IPCKIT_NONE;
		int64_t count = 0;

		if (of_a <= of_b)
			count += ipckit_rows_count(a, i++);
		if (of_b <= of_a)
			count += ipckit_rows_count(b, j++);
		if (to) {
			to->column[n] = of_a < of_b ? of_a : of_b;
			to->count[n] = count;
		}
	}
	return n;
}

/* The claim is what is held and needed. */
static int make_claim(struct ipckit_system *system)
{
	size_t n = 0;
	int r;

	for (uint32_t p = 0; p < system->nprocesses; p++)
		n = add_rows(&system->allocation, &system->request, p, NULL, n);
	r = rows_alloc(system->nprocesses, n, true, &system->claim);
	n = 0;
	for (uint32_t p = 0; p < system->nprocesses && r == 0; p++)
		system->claim.start[p + 1] = n =
			add_rows(&system->allocation, &system->request, p, &system->claim, n);
	return r;
}

/* Of what a process needs it asks for some now; those in the ring ask for all. */
static void ask(struct maker *maker)
{
	struct ipckit_rows *rows = &maker->system->request;

	for (uint32_t p = 0; p < maker->system->nprocesses && rows->count; p++) {
		if (ring_resource_of(maker, p) != IPCKIT_NONE)
			continue;
		for (size_t c = rows->start[p]; c < rows->start[p + 1]; c++)
			rows->count[c] = count_to(maker, rows->count[c]);
	}
}

int make_safe(struct maker *maker)
{
	struct ipckit_system *system = maker->system;
	int r = shuffle(maker);

	if (r == 0 && maker->recipe->kind == KIND_DEADLOCKED)
		r = choose_ring(maker);
	if (r == 0)
		r = make_allocation(maker);
	for (uint32_t i = 0; i < system->nresources; i++)
		system->available[i] = count_to(maker, least(maker->recipe->most, INT64_MAX - 1) + 1) - 1;
	if (r == 0)
		r = add_up(maker);
	if (r == 0)
		r = make_need(maker);
	if (r)
		return r;
	close_gaps(&system->request, system->nprocesses, maker->degree);
	r = make_claim(system);
	if (r == 0)
		ask(maker);
	return r;
}
