/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Detection held against a search over every order: a set of processes can have finished
 * when it is empty, or when one of it could be the last. On all systems of 3 processes, 2
 * resources and values up to 2, and on random ones with alternatives, preemptible
 * resources and ends.
 */

#include "unit.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "detector.h"

/* Every 31st system under sanitizers, which meets each value at each place. */
#define STRIDE (UNIT_SANITIZED ? 31 : 1)
#define RANDOM (UNIT_SANITIZED ? 20000 : 100000)

#define PROCESSES_MAX 8
#define RESOURCES_MAX 10

/* ---- small systems, dense and as the library takes them, without allocations ---- */

typedef int64_t matrix[PROCESSES_MAX][RESOURCES_MAX];

struct cells {
	size_t start[PROCESSES_MAX + 1];
	uint32_t column[PROCESSES_MAX * RESOURCES_MAX];
	int64_t count[PROCESSES_MAX * RESOURCES_MAX];
};

struct small {
	uint32_t n, m; /* m: with the ends */
	matrix allocation, request, any;
	int64_t existing[RESOURCES_MAX], available[RESOURCES_MAX];
	bool preemptible[RESOURCES_MAX];
	uint32_t end_of[PROCESSES_MAX], nends;
	struct cells cells[3];
};

static struct ipckit_rows pack(const struct small *small, const matrix matrix, struct cells *cells)
{
	bool all_one = true;
	size_t n = 0;

	for (uint32_t p = 0; p < small->n; p++) {
		cells->start[p] = n;
		for (uint32_t r = 0; r < small->m; r++) {
			if (!matrix[p][r])
				continue;
			all_one = all_one && matrix[p][r] == 1;
			cells->column[n] = r;
			cells->count[n++] = matrix[p][r];
		}
	}
	cells->start[small->n] = n;
	return (struct ipckit_rows){ .start = n ? cells->start : NULL, .column = cells->column,
				     .count = all_one ? NULL : cells->count };
}

static void sum_existing(struct small *small)
{
	for (uint32_t r = 0; r < small->m; r++) {
		small->existing[r] = small->available[r];
		for (uint32_t p = 0; p < small->n; p++)
			small->existing[r] += small->allocation[p][r];
	}
}

static struct ipckit_system system_of(struct small *small)
{
	return (struct ipckit_system){
		.nprocesses = small->n, .nresources = small->m,
		.existing = small->existing, .available = small->available,
		.allocation = pack(small, small->allocation, &small->cells[0]),
		.request = pack(small, small->request, &small->cells[1]),
		.any = pack(small, small->any, &small->cells[2]),
		.preemptible = small->preemptible,
		.nends = small->nends, .end_of = small->end_of,
	};
}

/* ---- the search ---- */

static int64_t available_after(const struct small *small, unsigned gone, uint32_t r)
{
	int64_t available = small->preemptible[r] ? small->existing[r] : small->available[r];

	for (uint32_t p = 0; p < small->n && !small->preemptible[r]; p++)
		available += gone & 1u << p ? small->allocation[p][r] : 0;
	return available;
}

static bool can_finish(const struct small *small, unsigned gone, uint32_t p)
{
	bool wants_any = false, has_any = false;

	for (uint32_t r = 0; r < small->m; r++) {
		int64_t left = available_after(small, gone, r) - small->request[p][r];

		if (small->request[p][r] && left < 0)
			return false;
		wants_any = wants_any || small->any[p][r];
		has_any = has_any || (small->any[p][r] && left >= small->any[p][r]);
	}
	return has_any || !wants_any;
}

/* All that can have finished by any order that begins with those that are gone. */
static unsigned search(const struct small *small, unsigned gone)
{
	bool reached[1 << PROCESSES_MAX] = { false };
	unsigned all = 0;

	reached[gone] = true;
	for (unsigned set = gone; set < 1u << small->n; set++) {
		if (!reached[set])
			continue;
		all |= set;
		for (uint32_t p = 0; p < small->n; p++)
			if (!(set & 1u << p) && can_finish(small, set, p))
				reached[set | 1u << p] = true;
	}
	return all;
}

/* ---- comparing ---- */

/* Whether each of the order can finish at its turn; those that have are added to gone. */
static bool valid_order(const struct small *small, const uint32_t *order, size_t norder, unsigned *gone)
{
	for (size_t i = 0; i < norder; i++) {
		if (order[i] >= small->n || *gone & 1u << order[i] || !can_finish(small, *gone, order[i]))
			return false;
		*gone |= 1u << order[i];
	}
	return true;
}

static bool same_available(const struct small *small, unsigned gone, const int64_t *available)
{
	for (uint32_t r = 0; r < small->m; r++)
		if (available[r] != available_after(small, gone, r))
			return false;
	return true;
}

static bool right(const struct small *small, const struct ipckit_detection *have, unsigned want)
{
	size_t ndead = 0, nbehind = 0;
	unsigned gone = 0;

	if (!valid_order(small, have->order, have->norder, &gone) || gone != want)
		return false;
	for (uint32_t p = 0; p < small->n; p++) {
		int64_t holds = 0;

		if (have->stuck[p] != !(want & 1u << p))
			return false;
		for (uint32_t r = 0; r < small->m; r++)
			holds |= small->allocation[p][r];
		if (have->stuck[p] && holds && (ndead == have->ndead || have->dead[ndead++] != p))
			return false;
		if (have->stuck[p] && !holds && (nbehind == have->nbehind || have->behind[nbehind++] != p))
			return false;
	}
	return ndead == have->ndead && nbehind == have->nbehind && have->deadlocked == (ndead > 0) &&
	       same_available(small, want, have->available);
}

static bool judged_right(struct small *small)
{
	static const enum ipckit_algorithm algorithms[] = { IPCKIT_WATCH, IPCKIT_CLASSIC };
	struct ipckit_system system = system_of(small);
	unsigned want = search(small, 0);

	for (size_t i = 0; i < 2; i++) {
		struct ipckit_detection have;
		bool good;

		if (ipckit_deadlock_detect(&system, algorithms[i], &have))
			return false;
		good = right(small, &have, want);
		ipckit_detection_free(&have);
		if (!good)
			return false;
	}
	return true;
}

static const char *describe(const struct small *small)
{
	static char text[2048];
	const matrix *matrices[] = { &small->allocation, &small->request, &small->any };
	int at = snprintf(text, sizeof(text), "available");

	for (uint32_t r = 0; r < small->m; r++)
		at += snprintf(text + at, sizeof(text) - at, " %d%s", (int)small->available[r],
			       small->preemptible[r] ? "p" : "");
	for (size_t i = 0; i < 3; i++)
		for (uint32_t p = 0; p < small->n; p++)
			for (uint32_t r = 0; r < small->m; r++)
				at += snprintf(text + at, sizeof(text) - at, "%s %d",
					       r ? "" : p ? " /" : "; ", (int)(*matrices[i])[p][r]);
	return text;
}

/* ---- all systems of 3 x 2 ---- */

static void spread(matrix matrix, unsigned code)
{
	for (unsigned i = 0; i < 6; i++, code /= 3)
		matrix[i / 2][i % 2] = code % 3;
}

static void test_all(void)
{
	static struct small small = { .n = 3, .m = 2 };
	const unsigned total = 729 * 729 * 9;
	unsigned judged = 0;

	for (unsigned code = 0; code < total; code += STRIDE, judged++) {
		small.available[0] = code % 3;
		small.available[1] = code / 3 % 3;
		spread(small.request, code / 9 % 729);
		spread(small.allocation, code / 9 / 729);
		sum_existing(&small);
		if (!judged_right(&small) && !CHECK_FOR(describe(&small), !"judged right"))
			return;
	}
	CHECK_INT(judged, (total + STRIDE - 1) / STRIDE);
}

/* ---- random ones ---- */

static uint64_t state = 20240229;

static unsigned dice(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % n;
}

static void fill(const struct small *small, matrix matrix, uint32_t columns, unsigned one_of, unsigned most)
{
	for (uint32_t p = 0; p < small->n; p++)
		for (uint32_t r = 0; r < columns; r++)
			matrix[p][r] = dice(one_of) ? 0 : 1 + dice(most);
}

static void add_ends(struct small *small)
{
	for (uint32_t p = 0; p < small->n && small->nends < 3; p++) {
		uint32_t r = small->m;

		if (dice(4))
			continue;
		small->end_of[small->nends++] = p;
		small->allocation[p][r] = 1;
		small->m++;
		for (uint32_t q = 0; q < small->n; q++)
			(dice(2) ? small->request : small->any)[q][r] = q != p && !dice(5);
	}
}

static void randomise(struct small *small)
{
	unsigned most = 1 + dice(5), one_of = 1 + dice(4);

	memset(small, 0, sizeof(*small));
	small->n = 1 + dice(8);
	small->m = 1 + dice(6);
	for (uint32_t r = 0; r < small->m; r++) {
		small->available[r] = dice(most + 1);
		small->preemptible[r] = !dice(8);
	}
	fill(small, small->allocation, small->m, 1 + dice(4), most);
	fill(small, small->request, small->m, one_of, most);
	if (dice(2))
		fill(small, small->any, small->m, 2 + dice(4), most);
	if (!dice(3))
		add_ends(small);
	sum_existing(small);
}

/* The detector's state after some of the stuck were ended, one after the other or together, in a copy or not. */
static bool goes_on_right(struct small *small)
{
	struct ipckit_system system = system_of(small);
	struct detector detector, copy;
	bool good = true;
	unsigned gone;

	if (detector_begin(&detector, &system, &system.request, &system.any))
		return false;
	if (dice(4))
		detector_run(&detector);
	gone = dice(2) ? 0 : search(small, 0);
	for (unsigned turn = 0; turn < 4 && good; turn++) {
		unsigned want, killed = 0;
		struct ipckit_block block;

		for (uint32_t p = 0; p < small->n; p++) {
			if (detector.gone[p] || dice(3))
				continue;
			detector_kill(&detector, p);
			killed |= 1u << p;
		}
		if (dice(2)) {
			if (detector_copy(&detector, &copy))
				return false;
			detector_end(&detector);
			detector = copy;
		}
		detector_run(&detector);
		for (size_t i = 0; i < detector.norder; i++)
			gone |= 1u << detector.order[i];
		gone |= killed;
		want = search(small, gone);
		good = want == gone && same_available(small, gone, detector.available);
		for (uint32_t p = 0; p < small->n; p++)
			good = good && detector.gone[p] == !!(gone & 1u << p) &&
			       (detector.gone[p] || detector_blocked(&detector, p, &block));
	}
	detector_end(&detector);
	return good;
}

/* The trace takes the same way as the textbook's loop, and says of each turn what is true of it. */
static bool traced_right(struct small *small)
{
	struct ipckit_system system = system_of(small);
	struct ipckit_detection want;
	struct ipckit_trace trace;
	unsigned gone = 0;
	bool good;

	if (ipckit_deadlock_detect(&system, IPCKIT_CLASSIC, &want) || ipckit_deadlock_trace(&system, &trace))
		return false;
	good = trace.nsteps == want.norder + (want.norder < small->n);
	for (size_t i = 0; good && i < trace.nsteps; i++) {
		const struct ipckit_step *step = &trace.steps[i];
		uint32_t end = step->process == IPCKIT_NONE ? small->n : step->process, p = 0;

		good = step->process == (i < want.norder ? want.order[i] : IPCKIT_NONE);
		for (size_t b = 0; good && b < step->nblocked; b++, p++) {
			const struct ipckit_block *block = &step->blocked[b];

			while (p < end && gone & 1u << p)
				p++;
			good = p < end && block->process == p && !can_finish(small, gone, p) &&
			       block->available == available_after(small, gone, block->resource) &&
			       block->requested > block->available;
		}
		for (; good && p < end; p++)
			good = gone & 1u << p;
		gone |= step->process == IPCKIT_NONE ? 0 : 1u << step->process;
		good = good && same_available(small, gone, step->available_after);
	}
	ipckit_trace_free(&trace);
	ipckit_detection_free(&want);
	return good;
}

static void test_random(void)
{
	static struct small small;
	unsigned judged = 0;

	for (; judged < RANDOM; judged++) {
		randomise(&small);
		if (!judged_right(&small) && !CHECK_FOR(describe(&small), !"judged right"))
			return;
		if (judged % 4)
			continue;
		if (!goes_on_right(&small) && !CHECK_FOR(describe(&small), !"goes on right"))
			return;
		if (!traced_right(&small) && !CHECK_FOR(describe(&small), !"traced right"))
			return;
	}
	CHECK_INT(judged, RANDOM);
}

/* ---- larger ones: a chain of which only the last can finish, then the one before it ---- */

static void test_chain(uint32_t n)
{
	struct ipckit_rows_builder holds = { 0 }, wants = { 0 };
	struct ipckit_system system = { .nprocesses = n, .nresources = n + 1 };
	struct ipckit_detection have;
	uint32_t wrong;

	for (uint32_t p = 0; p < n; p++) {
		CHECK_INT(ipckit_rows_add(&holds, p, 2), 0);
		CHECK_INT(ipckit_rows_add(&wants, p + 1, 1 + p % 2), 0);
		CHECK_INT(ipckit_rows_end(&holds) | ipckit_rows_end(&wants), 0);
	}
	system.allocation = holds.rows;
	system.request = wants.rows;
	CHECK_INT(ipckit_system_complete(&system, &wrong), 0);
	if (CHECK_INT(ipckit_deadlock_detect(&system, IPCKIT_WATCH, &have), 0)) {
		CHECK_INT(have.ndead, n);
		ipckit_detection_free(&have);
	}
	system.available[n] = system.existing[n] = 2;
	if (CHECK_INT(ipckit_deadlock_detect(&system, IPCKIT_WATCH, &have), 0)) {
		CHECK(!have.deadlocked && have.norder == n && have.order[0] == n - 1 && !have.order[n - 1]);
		ipckit_detection_free(&have);
	}
	ipckit_system_free(&system);
}

/* Sums beyond 2^63-1 of a request and an alternative are never there. */
static void test_largest(void)
{
	static struct small small = { .n = 2, .m = 2, .request = { { INT64_MAX, 0 }, { 0, INT64_MAX } },
				      .any = { { 1, 0 }, { 0, 0 } },
				      .available = { INT64_MAX, INT64_MAX - 1 } };
	struct ipckit_system system;
	struct ipckit_detection have;

	sum_existing(&small);
	system = system_of(&small);
	for (int i = 0; i < 2; i++) {
		CHECK_INT(ipckit_deadlock_detect(&system, i ? IPCKIT_CLASSIC : IPCKIT_WATCH, &have), 0);
		CHECK(!have.deadlocked && have.nbehind == 2 && have.norder == 0);
		ipckit_detection_free(&have);
	}
}

static void test_empty(void)
{
	struct ipckit_system system = { 0 };
	struct ipckit_detection have;
	struct ipckit_trace trace;
	uint32_t wrong;

	CHECK_INT(ipckit_system_complete(&system, &wrong), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_INT(ipckit_deadlock_detect(&system, i ? IPCKIT_CLASSIC : IPCKIT_WATCH, &have), 0);
		CHECK(!have.deadlocked && !have.norder && !have.nbehind);
		ipckit_detection_free(&have);
		ipckit_detection_free(&have);
	}
	CHECK_INT(ipckit_deadlock_trace(&system, &trace), 0);
	CHECK_INT(trace.nsteps, 0);
	ipckit_trace_free(&trace);
	ipckit_system_free(&system);
}

/* ---- the textbook's example ---- */

static void test_textbook(void)
{
	static struct small small = {
		.n = 3, .m = 4, .available = { 2, 1, 0, 0 },
		.allocation = { { 0, 0, 1, 0 }, { 2, 0, 0, 1 }, { 0, 1, 2, 0 } },
		.request = { { 2, 0, 0, 1 }, { 1, 0, 1, 0 }, { 2, 1, 0, 0 } },
	};
	static const struct {
		uint32_t process;
		size_t nblocked;
		struct ipckit_block blocked[2];
		int64_t after[4];
	} steps[] = {
		{ 2, 2, { { 0, 3, 1, 0 }, { 1, 2, 1, 0 } }, { 2, 2, 2, 0 } },
		{ 1, 1, { { 0, 3, 1, 0 } }, { 4, 2, 2, 1 } },
		{ 0, 0, { { 0 } }, { 4, 2, 3, 1 } },
	};
	struct ipckit_system system;
	struct ipckit_trace trace;

	sum_existing(&small);
	system = system_of(&small);
	CHECK_INT(ipckit_deadlock_trace(&system, &trace), 0);
	if (!CHECK_INT(trace.nsteps, 3))
		return;
	for (size_t i = 0; i < 3; i++) {
		CHECK_INT(trace.steps[i].process, steps[i].process);
		CHECK(!memcmp(trace.steps[i].available_after, steps[i].after, sizeof(steps[i].after)));
		if (!CHECK_INT(trace.steps[i].nblocked, steps[i].nblocked))
			continue;
		for (size_t b = 0; b < steps[i].nblocked; b++) {
			const struct ipckit_block *have = &trace.steps[i].blocked[b];
			const struct ipckit_block *want = &steps[i].blocked[b];

			CHECK_INT(have->process, want->process);
			CHECK_INT(have->resource, want->resource);
			CHECK_INT(have->requested, want->requested);
			CHECK_INT(have->available, want->available);
		}
	}
	ipckit_trace_free(&trace);
}

int main(void)
{
	test_textbook();
	test_empty();
	test_largest();
	test_chain(1);
	test_chain(100);
	test_chain(100000);
	test_random();
	test_all();
	return unit_done("detect");
}
