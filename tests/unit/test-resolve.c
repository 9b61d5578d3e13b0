/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Resolution against trying all sets of processes, and on systems too large for that; and this,
 * cores, cycles and conditions with each allocation failing in turn (see test-alloc.c: skipped
 * where the allocator is another's).
 */

#include "unit.h"

#include <errno.h>

#include "failing.h"
#include "systems.h"

/* ---- the judge ---- */

/* The cost of the cheapest set that does, by trying all. */
static int64_t least_cost(const struct small *small, const int64_t *cost)
{
	int64_t there[SMALL], least = INT64_MAX;

	for (unsigned set = 0; set < 1u << small->nprocesses; set++) {
		int64_t sum = 0;

		for (uint32_t p = 0; p < small->nprocesses; p++)
			sum += set >> p & 1 ? cost[p] : 0;
		if (sum < least && !small_dead(small, set, there))
			least = sum;
	}
	return least;
}

static unsigned bits_of(const uint32_t *processes, size_t n)
{
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++)
		bits |= 1u << processes[i];
	return bits;
}

/* What is there as soon as those of the set are ended; then each of order has to be able to finish. */
static bool order_works(const struct small *small, const struct ipckit_resolution *have, unsigned set)
{
	int64_t there[SMALL];

	for (uint32_t r = 0; r < small->nresources; r++) {
		int64_t left = small->existing[r];

		for (uint32_t p = 0; p < small->nprocesses; p++)
			left -= set >> p & 1 ? 0 : small->held[p][r];
		if (have->available[r] != left)
			return false;
		there[r] = small->preemptible[r] ? small->existing[r] : left;
	}
	for (size_t i = 0; i < have->norder; i++) {
		uint32_t p = have->order[i];

		if (!small_met(small, p, there))
			return false;
		for (uint32_t r = 0; r < small->nresources; r++)
			there[r] += small->preemptible[r] ? 0 : small->held[p][r];
	}
	return true;
}

static void check_resolution(const char *what, const struct small *small, const int64_t *cost)
{
	struct ipckit_system system = system_of(small);
	struct ipckit_resolution have;
	int64_t there[SMALL], sum = 0;
	unsigned set, all = (1u << small->nprocesses) - 1;

	if (!CHECK_INT_FOR(what, ipckit_deadlock_resolve(&system, cost, &have), 0))
		return;
	set = bits_of(have.processes, have.nprocesses);
	for (size_t i = 0; i < have.nprocesses; i++) {
		sum += cost[have.processes[i]];
		CHECK_FOR(what, !i || have.processes[i] > have.processes[i - 1]);
		CHECK_FOR(what, small_dead(small, set & ~(1u << have.processes[i]), there));
	}
	CHECK_INT_FOR(what, have.cost, sum);
	CHECK_INT_FOR(what, have.cost, least_cost(small, cost));
	CHECK_FOR(what, have.least);
	CHECK_FOR(what, !small_dead(small, set, there));
	CHECK_INT_FOR(what, bits_of(have.order, have.norder), all & ~set & ~small_stuck(small, set, there));
	CHECK_FOR(what, order_works(small, &have, set));
	ipckit_resolution_free(&have);
	ipckit_system_free(&system);
}

/* ---- small systems ---- */

/* 3 processes, 2 resources, one available of each or none, cells of 0 to 2: a step through all of them. */
static void test_all_small(void)
{
	static const int64_t ones[SMALL] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	const uint32_t total = 531441 * 4, stride = UNIT_SANITIZED ? 1847 : 61;
	unsigned deadlocked = 0;

	for (uint32_t n = 0; n < total; n += stride) {
		struct small small = { .nprocesses = 3, .nresources = 2 };
		uint32_t code = n / 4;
		int64_t there[SMALL];

		small.existing[0] = n & 1;
		small.existing[1] = n >> 1 & 1;
		for (uint32_t i = 0; i < 6; i++, code /= 9) {
			small.held[i / 2][i % 2] = code % 3;
			small.existing[i % 2] += code % 3;
			small.request[i / 2][i % 2] = code / 3 % 3;
		}
		if (!small_stuck(&small, 0, there) && n % 16)
			continue;
		deadlocked++;
		check_resolution("all small", &small, ones);
	}
	CHECK(deadlocked > (UNIT_SANITIZED ? 150 : 5000));
}

static void test_random(void)
{
	for (unsigned i = 0; i < (UNIT_SANITIZED ? 1500 : 20000); i++) {
		struct small small;
		int64_t cost[SMALL], most = 1 + random_below(6);

		random_small(&small, 7);
		for (uint32_t p = 0; p < SMALL; p++)
			cost[p] = random_below(most + 1);
		check_resolution("random", &small, cost);
	}
}

/* ---- large systems ---- */

/* n processes, each of which holds one resource and wants the next one's; loops of `length` of them. */
static struct ipckit_system loops(uint32_t n, uint32_t length)
{
	struct ipckit_system system = { .nprocesses = n, .nresources = n };
	struct ipckit_rows *rows[] = { &system.allocation, &system.request };
	uint32_t wrong;

	for (size_t k = 0; k < 2; k++) {
		rows[k]->start = must(calloc((size_t)n + 1, sizeof(size_t)));
		rows[k]->column = must(calloc(n, sizeof(uint32_t)));
		for (uint32_t p = 0; p < n; p++) {
			uint32_t first = p - p % length;

			rows[k]->start[p + 1] = p + 1;
			rows[k]->column[p] = first + (p - first + k) % length;
		}
	}
	if (ipckit_system_complete(&system, &wrong))
		abort();
	return system;
}

static void test_loops(uint32_t n, uint32_t length)
{
	struct ipckit_system system = loops(n, length);
	struct ipckit_resolution have;
	int64_t *cost = must(calloc(n, sizeof(*cost)));

	CHECK_INT(ipckit_deadlock_resolve(&system, NULL, &have), 0);
	CHECK_INT(have.nprocesses, n / length);
	CHECK_INT(have.norder, n - n / length);
	CHECK_INT(have.cost, n / length);
	CHECK(have.least);
	ipckit_resolution_free(&have);

	/* The cheapest of a loop is its third. */
	for (uint32_t p = 0; p < n; p++)
		cost[p] = p % length == 2 ? 3 : 5 + p % 7;
	CHECK_INT(ipckit_deadlock_resolve(&system, cost, &have), 0);
	CHECK_INT(have.cost, 3 * (int64_t)(n / length));
	CHECK_INT(have.processes[0], 2);
	CHECK(have.least);
	ipckit_resolution_free(&have);
	ipckit_system_free(&system);
	free(cost);
}

static void test_nothing(void)
{
	struct ipckit_system none = { 0 };
	struct ipckit_resolution have;

	CHECK_INT(ipckit_deadlock_resolve(&none, NULL, &have), 0);
	CHECK_INT(have.nprocesses, 0);
	CHECK_INT(have.norder, 0);
	CHECK_INT(have.cost, 0);
	CHECK(have.least);
	ipckit_resolution_free(&have);
	ipckit_resolution_free(&have);
}

/* Costs whose sum is as large as it may be. */
static void test_large_costs(void)
{
	struct ipckit_system system = loops(3, 3);
	int64_t cost[] = { INT64_MAX - 2, 1, 1 };
	struct ipckit_resolution have;

	CHECK_INT(ipckit_deadlock_resolve(&system, cost, &have), 0);
	CHECK_INT(have.nprocesses, 1);
	CHECK_INT(have.processes[0], 1);
	CHECK_INT(have.cost, 1);
	CHECK(have.least);
	ipckit_resolution_free(&have);
	ipckit_system_free(&system);
}

/* ---- each allocation failing in turn ---- */

static struct {
	struct ipckit_system system;
	struct ipckit_detection detection;
	struct ipckit_core core;
} given;

static int call_core(void)
{
	struct ipckit_core core;
	int r = ipckit_deadlock_core(&given.system, &given.detection, &core);

	if (!r)
		ipckit_core_free(&core);
	return r;
}

static int call_cycle(void)
{
	struct ipckit_cycle cycle;
	int r = ipckit_deadlock_cycle(&given.system, &given.detection, &given.core, &cycle);

	if (!r)
		ipckit_cycle_free(&cycle);
	return r;
}

static int call_explain(void)
{
	struct ipckit_conditions conditions;
	int r = ipckit_deadlock_explain(&given.system, &conditions);

	if (!r)
		ipckit_conditions_free(&conditions);
	return r;
}

static int call_resolve(void)
{
	static const int64_t cost[SMALL] = { 3, 1, 0, 2, 1, 1, 0, 2 };
	struct ipckit_resolution resolution;
	int r = ipckit_deadlock_resolve(&given.system, cost, &resolution);

	if (!r)
		ipckit_resolution_free(&resolution);
	return r;
}

static void test_allocations(void)
{
	for (unsigned i = 0; i < 300; i++) {
		struct small small;

		random_small(&small, SMALL - 1);
		given.system = system_of(&small);
		if (ipckit_deadlock_detect(&given.system, IPCKIT_WATCH, &given.detection) ||
		    ipckit_deadlock_core(&given.system, &given.detection, &given.core))
			abort();
		check_failing("core", call_core);
		check_failing("cycle", call_cycle);
		check_failing("explain", call_explain);
		check_failing("resolve", call_resolve);
		ipckit_core_free(&given.core);
		ipckit_detection_free(&given.detection);
		ipckit_system_free(&given.system);
	}
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	test_nothing();
	test_large_costs();
	test_all_small();
	test_random();
	test_allocations();
	test_loops(1000, 5);
	test_loops(1000000, 1000000);
	test_loops(1000000, 4);
	return unit_done("resolve");
}
