/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Cores, cycles and conditions against their definitions, and on chains and rings of a million. */

#include "unit.h"

#include "systems.h"

#define PROCESSES 1000000

/* ---- the graph of processes, from the definition ---- */

struct plain_graph {
	bool edge[SMALL][SMALL];
	bool hopeless[SMALL]; /* wants more than exists */
};

static bool wants(const struct small *small, uint32_t p, uint32_t r, const int64_t *there)
{
	bool any = small->any[p][r] &&
		   small->any[p][r] + small->request[p][r] <= small->existing[r];

	for (uint32_t i = 0; any && i < small->nresources; i++) {
		if (small->any[p][i] && small->any[p][i] + small->request[p][i] <= there[i])
			any = false;
	}
	return any || small->request[p][r] > there[r];
}

static bool is_hopeless(const struct small *small, uint32_t p)
{
	return !small_met(small, p, small->existing);
}

static struct plain_graph blocked_graph(const struct small *small, unsigned stuck, const int64_t *there,
					bool single)
{
	struct plain_graph graph = { 0 };

	for (uint32_t p = 0; p < small->nprocesses; p++) {
		graph.hopeless[p] = is_hopeless(small, p);
		for (uint32_t r = 0; r < small->nresources; r++) {
			if (!(stuck >> p & 1) || graph.hopeless[p] || !wants(small, p, r, there) ||
			    (single && small->existing[r] != 1))
				continue;
			for (uint32_t q = 0; q < small->nprocesses; q++)
				graph.edge[p][q] |= (stuck >> q & 1) && small->held[q][r];
		}
	}
	return graph;
}

static struct plain_graph all_wants_graph(const struct small *small)
{
	struct plain_graph graph = { 0 };

	for (uint32_t p = 0; p < small->nprocesses; p++) {
		for (uint32_t r = 0; r < small->nresources; r++) {
			if (!small->request[p][r] && !small->any[p][r])
				continue;
			for (uint32_t q = 0; q < small->nprocesses; q++)
				graph.edge[p][q] |= small->held[q][r] != 0;
		}
	}
	return graph;
}

/* By Floyd and Warshall; [p][p] is the shortest cycle through p, 0 stands for no way. */
static void distances(const struct plain_graph *graph, unsigned members, unsigned out[SMALL][SMALL])
{
	for (uint32_t p = 0; p < SMALL; p++) {
		for (uint32_t q = 0; q < SMALL; q++)
			out[p][q] = (members >> p & members >> q & 1) && graph->edge[p][q];
	}
	for (uint32_t k = 0; k < SMALL; k++) {
		for (uint32_t p = 0; p < SMALL; p++) {
			for (uint32_t q = 0; q < SMALL; q++) {
				unsigned way = out[p][k] + out[k][q];

				if (out[p][k] && out[k][q] && (!out[p][q] || way < out[p][q]))
					out[p][q] = way;
			}
		}
	}
}

static unsigned shortest(const struct plain_graph *graph, unsigned members)
{
	unsigned way[SMALL][SMALL], least = 0;

	distances(graph, members, way);
	for (uint32_t p = 0; p < SMALL; p++) {
		if (way[p][p] && (!least || way[p][p] < least))
			least = way[p][p];
	}
	return least;
}

/* ---- small systems ---- */

/* A process is in the core if whoever it leads to leads back to it. */
static void check_core(const struct plain_graph *graph, unsigned stuck, const struct ipckit_core *core)
{
	unsigned way[SMALL][SMALL], seen = 0, k = 0;

	distances(graph, stuck, way);
	for (uint32_t p = 0; p < SMALL; p++) {
		unsigned knot = 1u << p, have = 0;
		bool bottom = stuck >> p & 1;

		for (uint32_t q = 0; q < SMALL; q++) {
			bottom = bottom && (!way[p][q] || way[q][p]);
			knot |= way[p][q] && way[q][p] ? 1u << q : 0;
		}
		if (!bottom || seen >> p & 1)
			continue;
		seen |= knot;
		if (!CHECK(k < core->ncomponents))
			return;
		for (size_t i = core->start[k]; i < core->start[k + 1]; i++) {
			have |= 1u << core->processes[i];
			CHECK(i == core->start[k] || core->processes[i] > core->processes[i - 1]);
		}
		CHECK_INT(have, knot);
		CHECK_INT(core->start[k + 1] - core->start[k], __builtin_popcount(knot));
		k++;
	}
	CHECK_INT(core->ncomponents, k);
}

static unsigned core_bits(const struct ipckit_core *core)
{
	unsigned bits = 0;

	for (size_t i = 0; core->ncomponents && i < core->start[core->ncomponents]; i++)
		bits |= 1u << core->processes[i];
	return bits;
}

static void check_cycle(const struct small *small, const struct plain_graph *graph, unsigned members,
			const struct ipckit_cycle *cycle, const int64_t *there)
{
	unsigned seen = 0;

	CHECK_INT(cycle->length, shortest(graph, members));
	CHECK(cycle->shortest);
	for (size_t i = 0; i < cycle->length; i++) {
		uint32_t p = cycle->processes[i], r = cycle->resources[i];
		uint32_t next = cycle->processes[(i + 1) % cycle->length];

		CHECK(members >> p & 1);
		CHECK(!(seen >> p & 1));
		CHECK(there ? wants(small, p, r, there) : small->request[p][r] || small->any[p][r]);
		CHECK(!there || small->existing[r] == 1);
		CHECK(small->held[next][r]);
		CHECK(p >= cycle->processes[0]);
		seen |= 1u << p;
	}
}

static unsigned knots; /* systems with a core that is more than hopeless processes */

static void check_explained(const struct small *small, bool knot, const struct ipckit_system *system)
{
	struct plain_graph graph = all_wants_graph(small);
	struct ipckit_conditions have;
	struct ipckit_cycle cycle = { .shortest = true };

	if (!CHECK_INT(ipckit_deadlock_explain(system, &have), 0))
		return;
	if (knot) {
		CHECK(have.mutual_exclusion.held && have.hold_and_wait.held &&
		      have.no_preemption.held && have.circular_wait.held);
		knots++;
	}
	CHECK(have.mutual_exclusion.held == (have.mutual_exclusion.nprocesses > 0));
	CHECK(have.hold_and_wait.held == (have.hold_and_wait.nprocesses > 0));
	CHECK(have.no_preemption.held == (have.no_preemption.nresources > 0));
	CHECK(have.circular_wait.held == (have.circular_wait.nprocesses > 0));
	cycle.processes = have.circular_wait.processes;
	cycle.resources = have.circular_wait.resources;
	cycle.length = have.circular_wait.nprocesses;
	check_cycle(small, &graph, (1u << small->nprocesses) - 1, &cycle, NULL);
	ipckit_conditions_free(&have);
}

static void check_small(const struct small *small)
{
	struct ipckit_system system = system_of(small);
	struct ipckit_detection detection;
	struct plain_graph graph;
	struct ipckit_core core;
	struct ipckit_cycle cycle;
	int64_t there[SMALL];
	unsigned stuck = small_dead(small, 0, there);
	bool knot = false;

	if (!CHECK_INT(ipckit_deadlock_detect(&system, IPCKIT_WATCH, &detection), 0))
		return;
	graph = blocked_graph(small, stuck, there, false);
	CHECK_INT(ipckit_deadlock_core(&system, &detection, &core), 0);
	check_core(&graph, stuck, &core);
	for (uint32_t p = 0; p < small->nprocesses; p++) {
		if (stuck >> p & 1 && graph.hopeless[p])
			CHECK(core_bits(&core) >> p & 1);
		knot = knot || (core_bits(&core) >> p & 1 && !graph.hopeless[p]);
	}
	CHECK_INT(ipckit_deadlock_cycle(&system, &detection, &core, &cycle), 0);
	graph = blocked_graph(small, stuck, there, true);
	check_cycle(small, &graph, core_bits(&core), &cycle, there);
	check_explained(small, knot, &system);
	ipckit_cycle_free(&cycle);
	ipckit_core_free(&core);
	ipckit_detection_free(&detection);
	ipckit_system_free(&system);
}

static void test_random(void)
{
	for (unsigned i = 0; i < (UNIT_SANITIZED ? 8000 : 40000); i++) {
		struct small small;

		random_small(&small, SMALL - 1);
		check_small(&small);
	}
	CHECK(knots > (UNIT_SANITIZED ? 2000 : 10000));
}

/* ---- each condition missing ---- */

static void test_conditions(void)
{
	static const struct {
		const char *what;
		struct small small;
		bool exclusion, hold, no_preemption, circular;
	} rows[] = {
		{ "deadlock",
		  { 2, 2, 0, { 1, 1 }, { { 1, 0 }, { 0, 1 } }, { { 0, 1 }, { 1, 0 } }, {}, {}, {} },
		  true, true, true, true },
		{ "enough for all",
		  { 2, 2, 0, { 2, 2 }, { { 1, 0 }, { 0, 1 } }, { { 0, 1 }, { 1, 0 } }, {}, {}, {} },
		  false, true, true, true },
		{ "one alternative is there",
		  { 2, 2, 0, { 1, 2 }, { { 1, 0 }, { 0, 1 } }, {}, { { 0, 1 }, { 1, 1 } }, {}, {} },
		  false, true, true, true },
		{ "who waits holds nothing",
		  { 2, 1, 0, { 1 }, { { 1 } }, { { 0 }, { 1 } }, {}, {}, {} },
		  true, false, true, false },
		{ "preemptible",
		  { 2, 2, 0, { 1, 1 }, { { 1, 0 }, { 0, 1 } }, { { 0, 1 }, { 1, 0 } }, {}, { true, true }, {} },
		  true, true, false, true },
		{ "in order",
		  { 2, 2, 0, { 1, 1 }, { { 1, 0 }, { 0, 1 } }, { { 0, 1 }, { 0, 0 } }, {}, {}, {} },
		  true, true, true, false },
		{ "waits for itself",
		  { 1, 1, 0, { 1 }, { { 1 } }, { { 1 } }, {}, {}, {} },
		  true, true, true, true },
		{ "more than exists",
		  { 1, 1, 0, { 1 }, {}, { { 2 } }, {}, {}, {} },
		  false, false, false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_system system = system_of(&rows[i].small);
		struct ipckit_conditions have;

		CHECK_INT_FOR(rows[i].what, ipckit_deadlock_explain(&system, &have), 0);
		CHECK_INT_FOR(rows[i].what, have.mutual_exclusion.held, rows[i].exclusion);
		CHECK_INT_FOR(rows[i].what, have.hold_and_wait.held, rows[i].hold);
		CHECK_INT_FOR(rows[i].what, have.no_preemption.held, rows[i].no_preemption);
		CHECK_INT_FOR(rows[i].what, have.circular_wait.held, rows[i].circular);
		ipckit_conditions_free(&have);
		ipckit_conditions_free(&have);
		ipckit_system_free(&system);
	}
}

/* ---- large systems ---- */

/* Each process holds its resource and wants the next one's; the last the first one's, or in a chain
 * its own a second time. */
static struct ipckit_system ring(bool chain)
{
	struct ipckit_system system = { .nprocesses = PROCESSES, .nresources = PROCESSES };
	struct ipckit_rows *rows[] = { &system.allocation, &system.request };
	uint32_t wrong;

	for (size_t k = 0; k < 2; k++) {
		rows[k]->start = must(calloc(PROCESSES + 1, sizeof(size_t)));
		rows[k]->column = must(calloc(PROCESSES, sizeof(uint32_t)));
		for (uint32_t p = 0; p < PROCESSES; p++) {
			rows[k]->start[p + 1] = p + 1;
			rows[k]->column[p] = (p + k) % PROCESSES;
		}
	}
	if (chain)
		system.request.column[PROCESSES - 1] = PROCESSES - 1;
	if (ipckit_system_complete(&system, &wrong))
		abort();
	return system;
}

static void test_long(bool chain)
{
	struct ipckit_system system = ring(chain);
	size_t length = chain ? 1 : PROCESSES;
	struct ipckit_detection detection;
	struct ipckit_conditions conditions;
	struct ipckit_core core;
	struct ipckit_cycle cycle;

	CHECK_INT(ipckit_deadlock_detect(&system, IPCKIT_WATCH, &detection), 0);
	CHECK_INT(detection.ndead, PROCESSES);
	CHECK_INT(ipckit_deadlock_core(&system, &detection, &core), 0);
	CHECK_INT(core.ncomponents, 1);
	CHECK_INT(core.start[1], length);
	CHECK_INT(core.processes[0], chain ? PROCESSES - 1 : 0);
	CHECK_INT(ipckit_deadlock_cycle(&system, &detection, &core, &cycle), 0);
	CHECK_INT(cycle.length, length);
	CHECK(cycle.shortest);
	CHECK_INT(cycle.processes[length - 1], PROCESSES - 1);
	CHECK_INT(ipckit_deadlock_explain(&system, &conditions), 0);
	CHECK_INT(conditions.circular_wait.nprocesses, length);
	CHECK_INT(conditions.hold_and_wait.nprocesses, PROCESSES);
	ipckit_conditions_free(&conditions);
	ipckit_cycle_free(&cycle);
	ipckit_core_free(&core);
	ipckit_detection_free(&detection);
	ipckit_system_free(&system);
}

static void test_nothing(void)
{
	struct ipckit_system none = { 0 };
	struct ipckit_detection detection;
	struct ipckit_core core;
	struct ipckit_cycle cycle;

	CHECK_INT(ipckit_deadlock_detect(&none, IPCKIT_WATCH, &detection), 0);
	CHECK_INT(ipckit_deadlock_core(&none, &detection, &core), 0);
	CHECK_INT(core.ncomponents, 0);
	CHECK_INT(ipckit_deadlock_cycle(&none, &detection, &core, &cycle), 0);
	CHECK_INT(cycle.length, 0);
	CHECK(cycle.shortest);
	ipckit_cycle_free(&cycle);
	ipckit_cycle_free(&cycle);
	ipckit_core_free(&core);
	ipckit_core_free(&core);
	ipckit_detection_free(&detection);
}

/* ---- searches that are cut short ---- */

#define BRIDGES 3000

/*
 * Two processes that wait for each other, one of them also for each of the bridges, and these
 * for a ring as long as they are many: from each bridge all of the ring is searched in vain.
 */
static struct ipckit_system bridges(void)
{
	uint32_t ring = BRIDGES, pair = 2 * BRIDGES, n = pair + 2, wrong;
	struct ipckit_system system = { .nprocesses = n, .nresources = n };
	struct ipckit_rows_builder held = { 0 }, request = { 0 };
	int failed = 0;

	for (uint32_t p = 0; p < n; p++) {
		failed |= ipckit_rows_add(&held, p, 1) | ipckit_rows_end(&held);
		if (p < ring)
			failed |= ipckit_rows_add(&request, ring, 1);
		else if (p < pair)
			failed |= ipckit_rows_add(&request, p + 1 < pair ? p + 1 : ring, 1);
		for (uint32_t bridge = 0; p == pair && bridge < ring; bridge++)
			failed |= ipckit_rows_add(&request, bridge, 1);
		if (p >= pair)
			failed |= ipckit_rows_add(&request, p == pair ? pair + 1 : pair, 1);
		failed |= ipckit_rows_end(&request);
	}
	system.allocation = held.rows;
	system.request = request.rows;
	if (failed || ipckit_system_complete(&system, &wrong))
		abort();
	return system;
}

/* Some cycle is found even if the shortest is not. */
static void test_cut(void)
{
	struct ipckit_system system = bridges();
	struct ipckit_conditions conditions;
	struct ipckit_condition *wait = &conditions.circular_wait;

	CHECK_INT(ipckit_deadlock_explain(&system, &conditions), 0);
	CHECK_INT(wait->nprocesses, BRIDGES);
	for (size_t i = 0; i < wait->nprocesses; i++) {
		CHECK_INT(wait->processes[i], BRIDGES + i);
		CHECK_INT(wait->resources[i], wait->processes[(i + 1) % wait->nprocesses]);
	}
	ipckit_conditions_free(&conditions);
	ipckit_system_free(&system);
}

int main(void)
{
	test_nothing();
	test_conditions();
	test_random();
	test_cut();
	test_long(false);
	test_long(true);
	return unit_done("core");
}
