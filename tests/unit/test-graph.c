/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Rows made of cells, rows that grow, systems completed; and these and detection with each
 * allocation failing in turn (see test-alloc.c: skipped where the allocator is another's).
 */

#include "unit.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "detector.h"
#include "failing.h"

/* ---- rows ---- */

static uint64_t state = 7;

static unsigned dice(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % n;
}

/* The first cell that is no zero and has the place of one before it. */
static size_t first_duplicate(const struct ipckit_cell *cells, const int64_t *counts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i && counts[i]; j++)
			if (counts[j] && cells[i].row == cells[j].row && cells[i].column == cells[j].column)
				return i;
	return n;
}

static bool has_all(const struct ipckit_rows *rows, const struct ipckit_cell *cells, const int64_t *counts,
		    size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at, end = ipckit_rows_of(rows, cells[i].row, &at);

		while (at < end && rows->column[at] != cells[i].column)
			at++;
		if (counts[i] && (at == end || ipckit_rows_count(rows, at) != counts[i]))
			return false;
		kept += counts[i] != 0;
	}
	return !rows->start == !kept;
}

static bool ascending(const struct ipckit_rows *rows, uint32_t nrows)
{
	for (uint32_t p = 0; p < nrows; p++) {
		size_t first, end = ipckit_rows_of(rows, p, &first);

		for (size_t i = first + 1; i < end; i++)
			if (rows->column[i] <= rows->column[i - 1])
				return false;
	}
	return true;
}

static bool make_random(void)
{
	static struct ipckit_cell cells[300];
	static int64_t counts[300];
	size_t n = dice(dice(4) ? 30 : 300), want, duplicate = SIZE_MAX, cells_kept = 0;
	uint32_t nrows = 1 + dice(5), ncolumns = 1 + dice(dice(2) ? 100 : 100000);
	int64_t most = dice(3) ? 1 : 3, zero = dice(2);
	struct ipckit_rows rows;
	bool all_one = true, good;
	int r;

	for (size_t i = 0; i < n; i++) {
		cells[i] = (struct ipckit_cell){ dice(nrows), dice(ncolumns) };
		counts[i] = zero && !dice(4) ? 0 : 1 + dice(most);
		all_one = all_one && counts[i] <= 1;
		cells_kept += counts[i] != 0;
	}
	want = first_duplicate(cells, counts, n);
	r = ipckit_rows_make(nrows, cells, most == 1 && !zero ? NULL : counts, n, &duplicate, &rows);
	if (want < n)
		return r == -EEXIST && duplicate == want;
	good = r == 0 && !rows.count == (all_one || !cells_kept) && ascending(&rows, nrows) &&
	       has_all(&rows, cells, counts, n) &&
	       (!rows.start || rows.start[nrows] == cells_kept);
	ipckit_rows_free(&rows);
	return good;
}

static void test_make(void)
{
	bool good = true;

	for (int i = 0; i < 20000 && good; i++)
		good = make_random();
	CHECK(good);
}

static void test_builder(void)
{
	struct ipckit_rows_builder builder = { 0 };
	bool good = true;

	for (uint32_t p = 0; p < 100; p++) {
		for (uint32_t c = 0; c < p; c++)
			good = good && !ipckit_rows_add(&builder, 2 * c, p < 50 ? 1 : p);
		good = good && !ipckit_rows_end(&builder) && !builder.rows.count == (p < 50);
	}
	CHECK(good);
	for (uint32_t p = 0; p < 100; p++) {
		size_t first, end = ipckit_rows_of(&builder.rows, p, &first);

		good = good && end - first == p;
		for (size_t i = first; i < end; i++)
			good = good && builder.rows.column[i] == 2 * (i - first) &&
			       ipckit_rows_count(&builder.rows, i) == (p < 50 ? 1 : p);
	}
	CHECK(good);
	ipckit_rows_free(&builder.rows);
}

/* ---- systems ---- */

#define MAX INT64_MAX
#define NO -1 /* no such vector */

static int64_t *vector(const int64_t *from)
{
	int64_t *made = *from == NO ? NULL : malloc(2 * sizeof(*made));

	if (made)
		memcpy(made, from, 2 * sizeof(*made));
	return made;
}

static void test_complete(void)
{
	static const struct {
		int64_t existing[2], available[2], held[3]; /* held: by each process, of resource 1 */
		int result;
		uint32_t wrong;
		int64_t want_existing, want_available;
	} rows[] = {
		{ { 5, 9 }, { NO }, { 3, 4 }, 0, 0, 9, 2 },
		{ { NO }, { 0, 2 }, { 3, 4 }, 0, 0, 9, 2 },
		{ { 1, 9 }, { 1, 2 }, { 3, 4 }, 0, 0, 9, 2 },
		{ { NO }, { NO }, { 3, 4 }, 0, 0, 7, 0 },
		{ { 0, 7 }, { NO }, { 3, 4 }, 0, 0, 7, 0 },
		{ { 0, 6 }, { NO }, { 3, 4 }, -ERANGE, 1, 0, 0 },
		{ { 0, 8 }, { 0, 2 }, { 3, 4 }, -EINVAL, 1, 0, 0 },
		{ { 1, 9 }, { 2, 2 }, { 3, 4 }, -EINVAL, 0, 0, 0 },
		{ { 0, MAX }, { NO }, { MAX, 1 }, -ERANGE, 1, 0, 0 },
		{ { 0, MAX }, { NO }, { MAX, 1, 1 }, -ERANGE, 1, 0, 0 },
		{ { 0, MAX }, { NO }, { MAX - 1, 1 }, 0, 0, MAX, 0 },
		{ { NO }, { 0, 1 }, { MAX - 1, 1 }, -ERANGE, 1, 0, 0 },
		{ { 0, MAX }, { 0, MAX }, { 1, 1 }, -EINVAL, 1, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		static const struct ipckit_cell cells[] = { { 0, 1 }, { 1, 1 }, { 2, 1 } };
		struct ipckit_system system = { .nprocesses = 3, .nresources = 2 };
		uint32_t wrong = 0;
		char row[20];
		size_t duplicate;

		snprintf(row, sizeof(row), "row %zu", i);
		system.existing = vector(rows[i].existing);
		system.available = vector(rows[i].available);
		CHECK_INT(ipckit_rows_make(3, cells, rows[i].held, 3, &duplicate, &system.allocation), 0);
		CHECK_INT_FOR(row, ipckit_system_complete(&system, &wrong), rows[i].result);
		CHECK_INT_FOR(row, wrong, rows[i].wrong);
		if (!rows[i].result) {
			CHECK_INT_FOR(row, system.existing[1], rows[i].want_existing);
			CHECK_INT_FOR(row, system.available[1], rows[i].want_available);
		}
		ipckit_system_free(&system);
	}
}

/* ---- each allocation failing in turn ---- */

static struct ipckit_system *given; /* made beforehand: two blocked for ever, one that can finish */

static const struct ipckit_cell some[] = { { 0, 0 }, { 1, 1 }, { 2, 0 } };
static const struct ipckit_cell others[] = { { 1, 0 }, { 0, 1 } };
static const int64_t twos[] = { 2, 2, 2 };

static int call_make(void)
{
	struct ipckit_rows rows;
	size_t duplicate;
	int r = ipckit_rows_make(3, some, twos, 3, &duplicate, &rows);

	if (!r)
		ipckit_rows_free(&rows);
	return r;
}

static int call_make_twice(void)
{
	static const struct ipckit_cell same[] = { { 0, 1 }, { 0, 1 } };
	struct ipckit_rows rows;
	size_t duplicate;
	int r = ipckit_rows_make(1, same, NULL, 2, &duplicate, &rows);

	return r == -EEXIST ? 0 : r;
}

static int call_builder(void)
{
	struct ipckit_rows_builder builder = { 0 };
	int r = 0;

	for (uint32_t p = 0; p < 40 && !r; p++) {
		r = ipckit_rows_add(&builder, 5, 1 + (p > 20));
		if (!r)
			r = ipckit_rows_end(&builder);
	}
	ipckit_rows_free(&builder.rows);
	return r;
}

static int call_complete(void)
{
	struct ipckit_system system = *given;
	uint32_t wrong;
	int r;

	system.existing = system.available = NULL;
	r = ipckit_system_complete(&system, &wrong);
	free(system.existing);
	free(system.available);
	return r;
}

static int call_watch(void)
{
	struct ipckit_detection detection;
	int r = ipckit_deadlock_detect(given, IPCKIT_WATCH, &detection);

	if (!r)
		ipckit_detection_free(&detection);
	return r;
}

static int call_classic(void)
{
	struct ipckit_detection detection;
	int r = ipckit_deadlock_detect(given, IPCKIT_CLASSIC, &detection);

	if (!r)
		ipckit_detection_free(&detection);
	return r;
}

static int call_trace(void)
{
	struct ipckit_trace trace;
	int r = ipckit_deadlock_trace(given, &trace);

	if (!r)
		ipckit_trace_free(&trace);
	return r;
}

static int call_copy(void)
{
	struct detector detector, copy;
	int r = detector_begin(&detector, given, &given->request, &given->any);

	if (r)
		return r;
	r = detector_copy(&detector, &copy);
	if (!r) {
		long before = allocations;

		detector_run(&copy);
		detector_kill(&copy, 0);
		detector_run(&copy);
		CHECK(copy.norder == 2 && allocations == before);
		detector_end(&copy);
	}
	detector_end(&detector);
	return r;
}

static void test_allocations(void)
{
	struct ipckit_system system = { .nprocesses = 3, .nresources = 2 };
	uint32_t wrong;
	size_t duplicate;

	CHECK_INT(ipckit_rows_make(3, some, NULL, 3, &duplicate, &system.allocation), 0);
	CHECK_INT(ipckit_rows_make(3, others, NULL, 2, &duplicate, &system.request), 0);
	CHECK_INT(ipckit_rows_make(3, others, NULL, 1, &duplicate, &system.any), 0);
	CHECK_INT(ipckit_system_complete(&system, &wrong), 0);
	given = &system;
	check_failing("rows", call_make);
	check_failing("duplicate", call_make_twice);
	check_failing("builder", call_builder);
	check_failing("complete", call_complete);
	check_failing("watch", call_watch);
	check_failing("classic", call_classic);
	check_failing("trace", call_trace);
	check_failing("copy", call_copy);
	ipckit_system_free(&system);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	test_make();
	test_builder();
	test_complete();
	test_allocations();
	return unit_done("graph");
}
