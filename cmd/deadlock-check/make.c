/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "make.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* G. L. Steele, D. Lea, C. H. Flood, Fast Splittable Pseudorandom Number Generators, 2014. */
static uint64_t next(struct maker *maker)
{
	uint64_t z = maker->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint32_t below(struct maker *maker, uint32_t bound)
{
	return (uint32_t)((next(maker) >> 32) * bound >> 32);
}

int64_t count_to(struct maker *maker, int64_t most)
{
	if (most == 1)
		return 1;
	if (most < UINT32_MAX)
		return 1 + (int64_t)below(maker, (uint32_t)most);
	return 1 + (int64_t)(next(maker) % (uint64_t)most);
}

/* ---- rows ---- */

int rows_alloc(uint32_t nrows, size_t room, bool counts, struct ipckit_rows *out)
{
	out->start = calloc((size_t)nrows + 1, sizeof(*out->start));
	out->column = reallocarray(NULL, room ?: 1, sizeof(*out->column));
	if (counts)
		out->count = reallocarray(NULL, room ?: 1, sizeof(*out->count));
	return out->start && out->column && (out->count || !counts) ? 0 : -ENOMEM;
}

void rows_trim(struct ipckit_rows *rows, size_t ncells)
{
	void *column = reallocarray(rows->column, ncells ?: 1, sizeof(*rows->column));
	void *count = rows->count ? reallocarray(rows->count, ncells ?: 1, sizeof(*rows->count)) : NULL;

	rows->column = column ?: rows->column;
	rows->count = count ?: rows->count;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void sort(uint32_t *columns, uint32_t count)
{
	if (count > 32) {
		qsort(columns, count, sizeof(*columns), compare);
		return;
	}
	for (uint32_t i = 1; i < count; i++) {
		uint32_t column = columns[i], j = i;

		for (; j > 0 && columns[j - 1] > column; j--)
			columns[j] = columns[j - 1];
		columns[j] = column;
	}
}

/* R. W. Floyd's way to a sample, in Bentley's Programming Pearls, CACM 30 (9), 1987. */
static void pick_few(struct maker *maker, uint32_t *columns, uint32_t count)
{
	uint32_t n = 0;

	for (uint32_t j = maker->system->nresources - count; n < count; j++) {
		uint32_t column = below(maker, j + 1);

		column = maker->taken[column] ? j : column;
		maker->taken[column] = true;
		columns[n++] = column;
	}
	for (uint32_t i = 0; i < count; i++)
		maker->taken[columns[i]] = false;
	sort(columns, count);
}

void pick(struct maker *maker, uint32_t *columns, uint32_t count)
{
	uint32_t nresources = maker->system->nresources, n = 0;

	if (count < nresources / 8) {
		pick_few(maker, columns, count);
		return;
	}
	for (uint32_t column = 0; n < count; column++)
		if (below(maker, nresources - column) < count - n)
			columns[n++] = column;
}

void pick_with(struct maker *maker, uint32_t *columns, uint32_t count, uint32_t must)
{
	pick(maker, columns, count);
	if (bsearch(&must, columns, count, sizeof(*columns), compare))
		return;
	columns[below(maker, count)] = must;
	sort(columns, count);
}

static void set_count(struct ipckit_rows *rows, size_t cell, int64_t count)
{
	if (rows->count)
		rows->count[cell] = count;
}

/* ---- what is held ---- */

uint32_t ring_resource_of(const struct maker *maker, uint32_t p)
{
	for (uint32_t j = 0; j < maker->nring; j++)
		if (maker->order[maker->system->nprocesses - maker->nring + j] == p)
			return maker->ring[j];
	return IPCKIT_NONE;
}

int make_allocation(struct maker *maker)
{
	struct ipckit_system *system = maker->system;
	struct ipckit_rows *rows = &system->allocation;
	size_t degree = maker->degree;
	int r = rows_alloc(system->nprocesses, degree * system->nprocesses, maker->recipe->most > 1, rows);

	if (r)
		return r;
	for (uint32_t p = 0; p < system->nprocesses; p++) {
		uint32_t must = ring_resource_of(maker, p);

		rows->start[p + 1] = rows->start[p] + degree;
		if (must == IPCKIT_NONE)
			pick(maker, rows->column + rows->start[p], degree);
		else
			pick_with(maker, rows->column + rows->start[p], degree, must);
		for (size_t cell = rows->start[p]; cell < rows->start[p + 1]; cell++)
			set_count(rows, cell, count_to(maker, maker->recipe->most));
	}
	return 0;
}

int release(struct maker *maker, uint32_t p)
{
	const struct ipckit_rows *rows = &maker->system->allocation;
	size_t cell, end = ipckit_rows_of(rows, p, &cell);

	for (; cell < end; cell++) {
		int64_t *now = &maker->now[rows->column[cell]];

		if (__builtin_add_overflow(*now, ipckit_rows_count(rows, cell), now))
			return -ERANGE;
	}
	return 0;
}

int add_up(struct maker *maker)
{
	struct ipckit_system *system = maker->system;
	size_t size = system->nresources * sizeof(*maker->now);
	int r = 0;

	memcpy(maker->now, system->available, size);
	for (uint32_t p = 0; p < system->nprocesses && r == 0; p++)
		r = release(maker, p);
	memcpy(system->existing, maker->now, size);
	memcpy(maker->now, system->available, size);
	return r;
}

int request_alloc(struct maker *maker, bool counts)
{
	uint32_t nprocesses = maker->system->nprocesses;

	return rows_alloc(nprocesses, (size_t)maker->degree * nprocesses, counts, &maker->system->request);
}

/* ---- a system ---- */

static int by_kind(struct maker *maker)
{
	switch (maker->recipe->kind) {
	case KIND_CHAIN:
		return make_chain(maker);
	case KIND_RANDOM:
		return make_random(maker);
	case KIND_SAFE:
	case KIND_DEADLOCKED:
		return make_safe(maker);
	}
	return -EINVAL;
}

static int make_system(const struct recipe *recipe, struct ipckit_system *system)
{
	uint32_t nresources = recipe->resources;
	struct maker maker = {
		.recipe = recipe,
		.system = system,
		.state = recipe->seed,
		.degree = recipe->degree < nresources ? recipe->degree : nresources,
		.taken = calloc(nresources ?: 1, sizeof(*maker.taken)),
		.now = calloc(nresources ?: 1, sizeof(*maker.now)),
	};
	int r = -ENOMEM;

	system->nprocesses = recipe->processes;
	system->nresources = nresources;
	system->existing = calloc(nresources ?: 1, sizeof(*system->existing));
	system->available = calloc(nresources ?: 1, sizeof(*system->available));
	if (system->existing && system->available && maker.taken && maker.now)
		r = by_kind(&maker);
	free(maker.taken);
	free(maker.now);
	free(maker.order);
	return r;
}

int make_model(const struct recipe *recipe, struct model *out)
{
	bool claim = recipe->kind == KIND_SAFE || recipe->kind == KIND_DEADLOCKED;
	struct model model = { .form = FORM_JSON, .has_request = true, .has_claim = claim };
	int r;

	if (recipe->most < 1)
		return -EINVAL;
	r = make_system(recipe, &model.system);
	if (r == 0)
		r = names_number(&model.processes, 'P', recipe->processes);
	if (r == 0)
		r = names_number(&model.resources, 'R', recipe->resources);
	if (r)
		model_free(&model);
	else
		*out = model;
	return r;
}
