/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The judgement of waits against its definition: all graphs of three nodes, and many of six with several waits each. */

#include "failing.h"

#include "../../lib/live.h"

#define NODES 6
#define LEVELS 3

/* The waits of one node: sets of holders as bits. */
struct plain {
	unsigned nnodes;
	struct {
		unsigned nwaits;
		struct {
			bool any;
			unsigned holders;
			enum ipckit_live_level level;
		} waits[2];
		bool acts;
	} nodes[NODES];
};

static uint64_t random_state = 88172645463325252u;

static unsigned random_below(unsigned n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (unsigned)((random_state * 2685821657736338717u) >> 33) % n;
}

/* ---- the definition ---- */

static unsigned holders_of(const struct plain *plain, unsigned node)
{
	unsigned holders = 0;

	for (unsigned i = 0; i < plain->nodes[node].nwaits; i++)
		holders |= plain->nodes[node].waits[i].holders;
	return holders;
}

/* Whether a set blocks a node, at a level: it is all that could let it go, or has one of those that all have to. */
static bool blocks(const struct plain *plain, unsigned node, unsigned set, enum ipckit_live_level level)
{
	unsigned holders = holders_of(plain, node);

	if (plain->nodes[node].acts || !plain->nodes[node].nwaits)
		return false;
	for (unsigned i = 0; i < plain->nodes[node].nwaits; i++)
		if (plain->nodes[node].waits[i].level > level)
			return false;
	if (!holders)
		return true;
	if (plain->nodes[node].nwaits > 1 || plain->nodes[node].waits[0].any)
		return !(holders & ~set);
	return holders & set;
}

/* The union of all sets that block each of their members. */
static unsigned stuck_at(const struct plain *plain, enum ipckit_live_level level)
{
	unsigned stuck = 0;

	for (unsigned set = 1; set < 1u << plain->nnodes; set++) {
		bool all = true;

		for (unsigned node = 0; all && node < plain->nnodes; node++)
			all = !(set >> node & 1) || blocks(plain, node, set, level);
		stuck |= all ? set : 0;
	}
	return stuck;
}

/* Whom a node leads to, directly or not, among the stuck. */
static unsigned reached(const struct plain *plain, unsigned node, unsigned stuck)
{
	unsigned set = holders_of(plain, node) & stuck, before;

	do {
		before = set;
		for (unsigned next = 0; next < plain->nnodes; next++)
			set |= before >> next & 1 ? holders_of(plain, next) & stuck : 0;
	} while (set != before);
	return set;
}

/* The knots by level, of each node the one it is in (0: none). */
static void find_knots(const struct plain *plain, unsigned knots[NODES], enum ipckit_live_level levels[NODES])
{
	unsigned taken = 0;

	memset(knots, 0, NODES * sizeof(*knots));
	for (enum ipckit_live_level level = 0; level < LEVELS; level++) {
		unsigned stuck = stuck_at(plain, level), found = 0;

		for (unsigned node = 0; node < plain->nnodes; node++) {
			unsigned way = reached(plain, node, stuck) | 1u << node;
			bool knot = stuck >> node & 1;

			for (unsigned next = 0; next < plain->nnodes; next++)
				knot = knot && (!(way >> next & 1) || next == node ||
						reached(plain, next, stuck) >> node & 1);
			if (!knot || way & taken)
				continue;
			knots[node] = way;
			levels[node] = level;
			found |= way;
		}
		taken |= found;
	}
}

/* The shortest way from a node back to itself among members; 0: none. */
static unsigned shortest(const struct plain *plain, unsigned members)
{
	unsigned least = 0;

	for (unsigned node = 0; node < plain->nnodes; node++) {
		unsigned set = 1u << node & members, length = 0;

		while (set && length < plain->nnodes) {
			unsigned next = 0;

			for (unsigned from = 0; from < plain->nnodes; from++)
				next |= set >> from & 1 ? holders_of(plain, from) & members : 0;
			set = next;
			length++;
			if (set >> node & 1 && (!least || length < least))
				least = length;
		}
	}
	return least;
}

/* ---- the library ---- */

static int make(const struct plain *plain, struct ipckit_live *live)
{
	*live = (struct ipckit_live){ .nnodes = plain->nnodes };
	live->nodes = calloc(NODES, sizeof(*live->nodes));
	live->edges = calloc(2 * NODES, sizeof(*live->edges));
	if (!live->nodes || !live->edges)
		return -ENOMEM;
	for (unsigned node = 0; node < plain->nnodes; node++) {
		live->nodes[node].acts = plain->nodes[node].acts;
		for (unsigned i = 0; i < plain->nodes[node].nwaits; i++) {
			struct ipckit_live_edge *edge = &live->edges[live->nedges];

			edge->waiter = node;
			edge->any = plain->nodes[node].waits[i].any;
			edge->level = plain->nodes[node].waits[i].level;
			edge->holders = malloc(NODES * sizeof(*edge->holders));
			if (!edge->holders)
				return -ENOMEM;
			live->nedges++;
			for (uint32_t holder = 0; holder < plain->nnodes; holder++)
				if (plain->nodes[node].waits[i].holders >> holder & 1)
					edge->holders[edge->nholders++] = holder;
		}
	}
	return 0;
}

static void check_reduced(const struct plain *plain, const struct ipckit_live *live)
{
	unsigned stuck = stuck_at(plain, IPCKIT_LIVE_INFERRED), have = 0;
	bool acting[NODES], list[NODES], any = false;
	struct live_graph graph = { plain->nnodes, acting, live->edges, live->nedges };

	for (unsigned node = 0; node < plain->nnodes; node++)
		acting[node] = plain->nodes[node].acts;
	CHECK_INT(live_graph_reduce(&graph, list, &any), 0);
	for (unsigned node = 0; node < plain->nnodes; node++)
		have |= list[node] ? 1u << node : 0;
	CHECK_INT(have, stuck);
	CHECK_INT(any, stuck != 0);
}

static void check_core(const struct plain *plain, const struct ipckit_live *live)
{
	unsigned knots[NODES], seen = 0, all = 0;
	enum ipckit_live_level levels[NODES];

	find_knots(plain, knots, levels);
	for (size_t c = 0; c < live->core.ncomponents; c++) {
		unsigned have = 0;

		for (size_t i = live->core.start[c]; i < live->core.start[c + 1]; i++)
			have |= 1u << live->core.processes[i];
		CHECK_INT(have, knots[live->core.processes[live->core.start[c]]]);
		CHECK_INT(live->levels[c], levels[live->core.processes[live->core.start[c]]]);
		CHECK(!c || live->levels[c] >= live->levels[c - 1]);
		seen |= have;
	}
	for (unsigned node = 0; node < plain->nnodes; node++)
		all |= knots[node];
	CHECK_INT(seen, all);
}

static void check_cycle(const struct plain *plain, const struct ipckit_live *live)
{
	const struct ipckit_cycle *cycle = &live->cycle;
	unsigned members = 0;

	for (size_t c = 0; c < live->core.ncomponents; c++)
		for (size_t i = live->core.start[c]; i < live->core.start[c + 1]; i++)
			members |= live->levels[c] == live->levels[0] ? 1u << live->core.processes[i] : 0;
	CHECK_INT(cycle->length, shortest(plain, members));
	for (size_t i = 0; i < cycle->length; i++) {
		uint32_t next = cycle->processes[(i + 1) % cycle->length];

		CHECK(members >> cycle->processes[i] & 1);
		CHECK(holders_of(plain, cycle->processes[i]) >> next & 1);
	}
}

static unsigned deadlocks;

static void check(const struct plain *plain)
{
	struct ipckit_live live;
	bool made = CHECK_INT(make(plain, &live), 0);

	if (made) {
		check_reduced(plain, &live);
		CHECK_INT(live_graph_judge(&live), 0);
		CHECK_INT(live.detection.ndead + live.detection.nbehind,
			  __builtin_popcount(stuck_at(plain, IPCKIT_LIVE_INFERRED)));
		check_core(plain, &live);
		check_cycle(plain, &live);
		deadlocks += live.core.ncomponents > 0;
	}
	ipckit_live_free(&live);
}

/* ---- all of three nodes ---- */

#define KINDS (1 + 2 * 8) /* waits for nothing; for all, for any of each set */

static void set_wait(struct plain *plain, unsigned node, unsigned kind, enum ipckit_live_level level)
{
	plain->nodes[node].nwaits = kind > 0;
	plain->nodes[node].waits[0].any = kind > 8;
	plain->nodes[node].waits[0].holders = kind ? (kind - 1) % 8 : 0;
	plain->nodes[node].waits[0].level = level;
}

static void test_all(void)
{
	for (unsigned kinds = 0; kinds < KINDS * KINDS * KINDS; kinds++) {
		for (unsigned levels = 0; levels < LEVELS * LEVELS * LEVELS; levels += UNIT_SANITIZED ? 5 : 1) {
			struct plain plain = { .nnodes = 3 };

			set_wait(&plain, 0, kinds % KINDS, levels % LEVELS);
			set_wait(&plain, 1, kinds / KINDS % KINDS, levels / LEVELS % LEVELS);
			set_wait(&plain, 2, kinds / KINDS / KINDS, levels / LEVELS / LEVELS);
			check(&plain);
		}
	}
}

/* ---- many of six, with alternatives ---- */

static void test_many(void)
{
	unsigned before = deadlocks, n = UNIT_SANITIZED ? 5000 : 40000;

	for (unsigned i = 0; i < n; i++) {
		struct plain plain = { .nnodes = 1 + random_below(NODES) };

		for (unsigned node = 0; node < plain.nnodes; node++) {
			plain.nodes[node].acts = !random_below(10);
			plain.nodes[node].nwaits = (random_below(8) > 0) + !random_below(4);
			for (unsigned w = 0; w < plain.nodes[node].nwaits; w++) {
				unsigned set = random_below(1u << plain.nnodes);

				plain.nodes[node].waits[w].any = random_below(2);
				plain.nodes[node].waits[w].holders = set & random_below(1u << plain.nnodes);
				plain.nodes[node].waits[w].level = random_below(3) ? 0 : random_below(LEVELS);
			}
		}
		check(&plain);
	}
	CHECK(deadlocks - before > n / 4);
}

/* ---- examples ---- */

/* A certain pair, one of which waits also for a pair that is only inferred: both are told. */
static void test_levels(void)
{
	const struct plain plain = { 4, {
		{ 1, { { false, 1 << 1, IPCKIT_LIVE_CERTAIN } }, false },
		{ 1, { { false, 1 << 0 | 1 << 2, IPCKIT_LIVE_CERTAIN } }, false },
		{ 1, { { true, 1 << 3, IPCKIT_LIVE_INFERRED } }, false },
		{ 1, { { false, 1 << 2, IPCKIT_LIVE_TIMED } }, false },
	} };
	struct ipckit_live live;

	check(&plain);
	if (!CHECK_INT(make(&plain, &live), 0) || !CHECK_INT(live_graph_judge(&live), 0))
		return;
	CHECK_INT(live.core.ncomponents, 2);
	CHECK_INT(live.levels[0], IPCKIT_LIVE_CERTAIN);
	CHECK_INT(live.levels[1], IPCKIT_LIVE_INFERRED);
	CHECK_INT(live.cycle.length, 2);
	CHECK_INT(live.cycle.processes[0], 0);
	ipckit_live_free(&live);
}

static int judge_orphan(void)
{
	const struct plain plain = { 3, {
		{ 1, { { false, 0, IPCKIT_LIVE_CERTAIN } }, false },
		{ 1, { { true, 1 << 0 | 1 << 2, IPCKIT_LIVE_TIMED } }, false },
		{ 1, { { false, 1 << 1, IPCKIT_LIVE_TIMED } }, false },
	} };
	struct ipckit_live live;
	int r = make(&plain, &live);

	if (!r)
		r = live_graph_judge(&live);
	ipckit_live_free(&live);
	return r;
}

int main(void)
{
	test_levels();
	test_all();
	test_many();
	check_failing("a judgement", judge_orphan);
	return unit_done("live graph");
}
