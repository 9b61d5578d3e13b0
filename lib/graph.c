/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ipckit/deadlock.h>

/* ---- rows of cells in any order ---- */

static int64_t count_of(const int64_t *counts, size_t i)
{
	return counts ? counts[i] : 1;
}

/* Sizes the arrays for the cells that are no zeros. */
static int make_room(uint32_t nrows, const int64_t *counts, size_t ncells, struct ipckit_rows *rows)
{
	size_t kept = 0;
	bool all_one = true;

	for (size_t i = 0; i < ncells; i++) {
		kept += count_of(counts, i) != 0;
		all_one = all_one && count_of(counts, i) <= 1;
	}
	if (!kept)
		return 0;
	rows->start = calloc((size_t)nrows + 1, sizeof(*rows->start));
	rows->column = reallocarray(NULL, kept, sizeof(*rows->column));
	if (!all_one)
		rows->count = reallocarray(NULL, kept, sizeof(*rows->count));
	return rows->start && rows->column && (all_one || rows->count) ? 0 : -ENOMEM;
}

/* Rows in no order are in no cache either: they are fetched while earlier cells are dealt with. */
#define AHEAD 16

/* A counting sort. While cells are placed, start[r] is where row r's next one goes. */
static void place_cells(uint32_t nrows, const struct ipckit_cell *cells, const int64_t *counts,
			size_t ncells, struct ipckit_rows *rows)
{
	size_t *start = rows->start, sum = 0;

	for (size_t i = 0; i < ncells; i++) {
		if (i + AHEAD < ncells)
			__builtin_prefetch(&start[cells[i + AHEAD].row], 1);
		start[cells[i].row] += count_of(counts, i) != 0;
	}
	for (size_t r = 0; r <= nrows; r++) {
		size_t here = start[r];

		start[r] = sum;
		sum += here;
	}
	for (size_t i = 0; i < ncells; i++) {
		size_t at;

		if (i + 2 * AHEAD < ncells)
			__builtin_prefetch(&start[cells[i + 2 * AHEAD].row], 1);
		if (i + AHEAD < ncells)
			__builtin_prefetch(&rows->column[start[cells[i + AHEAD].row]], 1);
		if (!count_of(counts, i))
			continue;
		at = start[cells[i].row]++;
		rows->column[at] = cells[i].column;
		if (rows->count)
			rows->count[at] = counts[i];
	}
	memmove(start + 1, start, nrows * sizeof(*start));
	start[0] = 0;
}

static void swap_cells(uint32_t *column, int64_t *count, size_t a, size_t b)
{
	uint32_t kept = column[a];

	column[a] = column[b];
	column[b] = kept;
	if (count) {
		int64_t kept_count = count[a];

		count[a] = count[b];
		count[b] = kept_count;
	}
}

static void sift_down(uint32_t *column, int64_t *count, size_t at, size_t n)
{
	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		child += child + 1 < n && column[child + 1] > column[child];
		if (column[child] <= column[at])
			return;
		swap_cells(column, count, at, child);
	}
}

static void insertion_sort(uint32_t *column, int64_t *count, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t at = i; at && column[at] < column[at - 1]; at--)
			swap_cells(column, count, at, at - 1);
}

/* Heapsort: in place, and no order of the input makes it slow. */
static void sort_row(uint32_t *column, int64_t *count, size_t n)
{
	size_t sorted = 1;

	while (sorted < n && column[sorted - 1] <= column[sorted])
		sorted++;
	if (sorted >= n)
		return;
	if (n <= 16) {
		insertion_sort(column, count, n);
		return;
	}
	for (size_t i = n / 2; i--;)
		sift_down(column, count, i, n);
	while (--n) {
		swap_cells(column, count, 0, n);
		sift_down(column, count, 0, n);
	}
}

/* Sorts each row. Returns whether a cell occurs twice. */
static bool sort_rows(uint32_t nrows, struct ipckit_rows *rows)
{
	bool twice = false;

	for (uint32_t r = 0; r < nrows; r++) {
		size_t first, end = ipckit_rows_of(rows, r, &first);

		if (end - first < 2)
			continue;
		sort_row(rows->column + first, rows->count ? rows->count + first : NULL, end - first);
		for (size_t i = first + 1; i < end; i++)
			twice = twice || rows->column[i] == rows->column[i - 1];
	}
	return twice;
}

/* The first cell of a place in rows that are sorted; it is there. */
static size_t find_cell(const struct ipckit_rows *rows, struct ipckit_cell cell)
{
	size_t low, high = ipckit_rows_of(rows, cell.row, &low);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rows->column[middle] < cell.column)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The index of the first cell whose place an earlier one has. */
static int find_duplicate(const struct ipckit_rows *rows, const struct ipckit_cell *cells,
			  const int64_t *counts, size_t ncells, size_t *duplicate)
{
	bool *seen = calloc(ncells, sizeof(*seen));
	size_t i;

	if (!seen)
		return -ENOMEM;
	for (i = 0; i < ncells; i++) {
		size_t at;

		if (!count_of(counts, i))
			continue;
		at = find_cell(rows, cells[i]);
		if (seen[at])
			break;
		seen[at] = true;
	}
	free(seen);
	*duplicate = i;
	return -EEXIST;
}

int ipckit_rows_make(uint32_t nrows, const struct ipckit_cell *cells, const int64_t *counts,
		     size_t ncells, size_t *duplicate, struct ipckit_rows *out)
{
	struct ipckit_rows rows = { 0 };
	int r = make_room(nrows, counts, ncells, &rows);

	if (!r && rows.start) {
		place_cells(nrows, cells, counts, ncells, &rows);
		if (sort_rows(nrows, &rows))
			r = find_duplicate(&rows, cells, counts, ncells, duplicate);
	}
	if (r)
		ipckit_rows_free(&rows);
	else
		*out = rows;
	return r;
}

void ipckit_rows_free(struct ipckit_rows *rows)
{
	free(rows->start);
	free(rows->column);
	free(rows->count);
	*rows = (struct ipckit_rows){ 0 };
}

/* ---- rows that grow cell by cell ---- */

/* Half as much again, so that adding stays linear. */
static size_t more_room(size_t room)
{
	return room + room / 2 + 16;
}

/* Makes room for n cells at least. */
static int grow_cells(struct ipckit_rows_builder *builder, size_t n)
{
	size_t room = more_room(builder->cells_room);
	uint32_t *column;
	int64_t *count;

	if (room - builder->ncells < n)
		room = builder->ncells + n;
	column = reallocarray(builder->rows.column, room, sizeof(*column));
	if (!column)
		return -ENOMEM;
	builder->rows.column = column;
	if (builder->rows.count) {
		count = reallocarray(builder->rows.count, room, sizeof(*count));
		if (!count)
			return -ENOMEM;
		builder->rows.count = count;
	}
	builder->cells_room = room;
	return 0;
}

/* From the first count other than 1 on there is one for each cell. */
static int begin_counts(struct ipckit_rows_builder *builder)
{
	int64_t *count = reallocarray(NULL, builder->cells_room, sizeof(*count));

	if (!count)
		return -ENOMEM;
	for (size_t i = 0; i < builder->ncells; i++)
		count[i] = 1;
	builder->rows.count = count;
	return 0;
}

int ipckit_rows_add(struct ipckit_rows_builder *builder, uint32_t column, int64_t count)
{
	int r = builder->ncells == builder->cells_room ? grow_cells(builder, 1) : 0;

	if (!r && count != 1 && !builder->rows.count)
		r = begin_counts(builder);
	if (r)
		return r;
	builder->rows.column[builder->ncells] = column;
	if (builder->rows.count)
		builder->rows.count[builder->ncells] = count;
	builder->ncells++;
	return 0;
}

static bool are_at_most_one(const int64_t *counts, size_t n)
{
	bool all = true;

	for (size_t i = 0; i < n; i++)
		all &= counts[i] <= 1;
	return all;
}

/* Zeros are passed over without a branch, which would be mispredicted in most rows. */
static size_t put_counts(struct ipckit_rows *rows, size_t cell, uint32_t first, const int64_t *counts, size_t n)
{
	uint32_t *column = rows->column;
	int64_t *count = rows->count;

	for (size_t i = 0; !count && i < n; i++) {
		column[cell] = first + i;
		cell += counts[i] != 0;
	}
	for (size_t i = 0; count && i < n; i++) {
		column[cell] = first + i;
		count[cell] = counts[i];
		cell += counts[i] != 0;
	}
	return cell;
}

int ipckit_rows_add_counts(struct ipckit_rows_builder *builder, uint32_t first, const int64_t *counts, size_t n)
{
	int r = builder->cells_room - builder->ncells < n ? grow_cells(builder, n) : 0;

	if (!r && !builder->rows.count && !are_at_most_one(counts, n))
		r = begin_counts(builder);
	if (r)
		return r;
	builder->ncells = put_counts(&builder->rows, builder->ncells, first, counts, n);
	return 0;
}

int ipckit_rows_end(struct ipckit_rows_builder *builder)
{
	if ((size_t)builder->nrows + 2 > builder->rows_room) {
		size_t room = more_room(builder->rows_room);
		size_t *start = reallocarray(builder->rows.start, room, sizeof(*start));

		if (!start)
			return -ENOMEM;
		builder->rows.start = start;
		builder->rows_room = room;
	}
	builder->rows.start[0] = 0;
	builder->rows.start[++builder->nrows] = builder->ncells;
	return 0;
}

/* ---- systems ---- */

/* What is held of each resource; -1 where that is beyond 2^63-1. */
static int64_t *sum_allocation(const struct ipckit_system *system)
{
	int64_t *held = calloc((size_t)system->nresources + 1, sizeof(*held));
	const struct ipckit_rows *rows = &system->allocation;
	size_t ncells = rows->start ? rows->start[system->nprocesses] : 0;

	if (!held)
		return NULL;
	for (size_t i = 0; i < ncells; i++) {
		int64_t *sum = &held[rows->column[i]];

		if (*sum < 0 || __builtin_add_overflow(*sum, ipckit_rows_count(rows, i), sum))
			*sum = -1;
	}
	return held;
}

static int check_resource(const struct ipckit_system *system, const int64_t *held, uint32_t r)
{
	int64_t sum;

	if (held[r] < 0)
		return -ERANGE;
	if (system->existing && held[r] > system->existing[r])
		return -ERANGE;
	if (!system->available)
		return 0;
	if (__builtin_add_overflow(system->available[r], held[r], &sum))
		return system->existing ? -EINVAL : -ERANGE;
	return system->existing && sum != system->existing[r] ? -EINVAL : 0;
}

/* Makes the vectors that are missing; held becomes one of them, or is freed. */
static int make_vectors(struct ipckit_system *system, int64_t *held)
{
	if (!system->existing && !system->available) {
		system->available = calloc((size_t)system->nresources + 1, sizeof(*held));
		if (!system->available) {
			free(held);
			return -ENOMEM;
		}
		system->existing = held;
	} else if (!system->existing) {
		for (uint32_t r = 0; r < system->nresources; r++)
			held[r] += system->available[r];
		system->existing = held;
	} else if (!system->available) {
		for (uint32_t r = 0; r < system->nresources; r++)
			held[r] = system->existing[r] - held[r];
		system->available = held;
	} else {
		free(held);
	}
	return 0;
}

int ipckit_system_complete(struct ipckit_system *system, uint32_t *wrong)
{
	int64_t *held = sum_allocation(system);

	if (!held)
		return -ENOMEM;
	for (uint32_t r = 0; r < system->nresources; r++) {
		int error = check_resource(system, held, r);

		if (error) {
			free(held);
			*wrong = r;
			return error;
		}
	}
	return make_vectors(system, held);
}

void ipckit_system_free(struct ipckit_system *system)
{
	free(system->existing);
	free(system->available);
	ipckit_rows_free(&system->allocation);
	ipckit_rows_free(&system->request);
	ipckit_rows_free(&system->any);
	ipckit_rows_free(&system->claim);
	free(system->preemptible);
	free(system->end_of);
	*system = (struct ipckit_system){ 0 };
}
