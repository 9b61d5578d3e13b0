/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What deadlock-check live makes of a result: the same deadlock in the tool's own form, and the fewest to end. */

#include "../../cmd/deadlock-check/live-model.h"
#include "../../cmd/deadlock-check/output.h"
#include "../../lib/live.h"
#include "systems.h"
#include "unit.h"

#include <stdlib.h>

#define PROCESSES 4
#define THREADS 3
#define NODES (PROCESSES * (THREADS + 1))

/* ---- results at random ---- */

static uint32_t nprocesses;
static char where[32]; /* in messages */

static void add_edge(struct ipckit_live *live, uint32_t waiter, enum ipckit_live_kind kind, const char *resource)
{
	live->edges = must(realloc(live->edges, (live->nedges + 1) * sizeof(*live->edges)));
	live->edges[live->nedges++] = (struct ipckit_live_edge){
		.waiter = waiter, .kind = kind, .resource = resource, .any = !kind || random_below(2),
		.level = random_below(8) ? IPCKIT_LIVE_CERTAIN : random_below(3),
		.holders = must(calloc(NODES, sizeof(uint32_t))),
	};
}

static void add_holder(struct ipckit_live *live, uint32_t node)
{
	struct ipckit_live_edge *edge = &live->edges[live->nedges - 1];

	for (size_t h = 0; h < edge->nholders; h++)
		if (edge->holders[h] == node)
			return;
	edge->holders[edge->nholders++] = node;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void add_waits(struct ipckit_live *live, uint32_t thread)
{
	static const char *const resources[] = { "mutex 0x10", "pipe:[7]", "a \"lock\" -> [any] # é\n", "A0:1/2" };
	uint32_t count = random_below(8) ? 1 : random_below(3);

	live->nodes[thread].acts = !count;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t holders = random_below(16) ? 1 + random_below(random_below(3) + 1) : 0;

		add_edge(live, thread, IPCKIT_LIVE_MUTEX, resources[random_below(4)]);
		for (uint32_t h = 0; h < holders; h++)
			add_holder(live, random_below((uint32_t)live->nnodes));
		qsort(live->edges[live->nedges - 1].holders, live->edges[live->nedges - 1].nholders,
		      sizeof(uint32_t), by_number);
	}
}

static void add_process(struct ipckit_live *live, uint32_t process)
{
	struct ipckit_live_node *nodes = live->nodes;
	bool all = true;

	for (uint32_t n = process + 1; n < live->nnodes && nodes[n].pid == nodes[process].pid; n++)
		all = all && !nodes[n].acts;
	nodes[process].acts = !all;
	if (!all)
		return;
	add_edge(live, process, IPCKIT_LIVE_MEMBERS, NULL);
	live->edges[live->nedges - 1].level = IPCKIT_LIVE_CERTAIN;
	for (uint32_t n = process + 1; n < live->nnodes && nodes[n].pid == nodes[process].pid; n++)
		add_holder(live, n);
}

static int by_waiter(const void *a, const void *b)
{
	const struct ipckit_live_edge *x = a, *y = b;

	return by_number(&x->waiter, &y->waiter);
}

static void make(struct ipckit_live *live)
{
	*live = (struct ipckit_live){ .nodes = must(calloc(NODES, sizeof(*live->nodes))), .edges = must(malloc(1)) };
	nprocesses = 1 + random_below(PROCESSES);
	for (uint32_t p = 0; p < nprocesses; p++) {
		uint32_t threads = 1 + random_below(THREADS);

		for (uint32_t t = 0; t <= threads; t++)
			live->nodes[live->nnodes++] = (struct ipckit_live_node){
				.pid = 1 + (pid_t)p * 10,
				.tid = t ? (pid_t)p * 10 + (pid_t)t : 0,
				.name = t ? "A\n\\\"# " : "A0",
			};
	}
	for (uint32_t n = 0; n < live->nnodes; n++)
		if (live->nodes[n].tid)
			add_waits(live, n);
	for (uint32_t n = 0; n < live->nnodes; n++)
		if (!live->nodes[n].tid)
			add_process(live, n);
	if (live->nedges)
		qsort(live->edges, live->nedges, sizeof(*live->edges), by_waiter);
	if (live_graph_judge(live))
		abort();
}

/* ---- the model ---- */

static bool is_named(const struct model *model, const struct ipckit_live_node *node, uint32_t *out)
{
	char name[LIVE_NAME];
	struct names *names = (struct names *)&model->processes;

	live_name(node, name);
	return !names_find(names, name, strlen(name), out) && *out != IPCKIT_NONE;
}

/* Whether nobody waits for a thread but its process, for which nobody waits. */
static bool is_own(const struct ipckit_live *live, uint32_t node)
{
	bool own = false, process = false;

	for (size_t e = 0; e < live->nedges; e++) {
		const struct ipckit_live_edge *edge = &live->edges[e];

		for (size_t h = 0; h < edge->nholders; h++) {
			if (edge->holders[h] == node && edge->kind)
				return false;
			own = own || edge->holders[h] == node;
			process = process || (live->nodes[edge->holders[h]].pid == live->nodes[node].pid &&
					      !live->nodes[edge->holders[h]].tid);
		}
	}
	return own && !process;
}

/* Each thread, and each process that is told, is as stuck, and as dead, as it was. */
static void compare(const struct ipckit_live *live, const struct model *model)
{
	struct ipckit_detection found;
	bool dead[NODES] = { false }, was[NODES] = { false };

	if (ipckit_deadlock_detect(&model->system, IPCKIT_CLASSIC, &found))
		abort();
	CHECK_FOR(where, found.deadlocked == live->detection.deadlocked);
	for (size_t i = 0; i < found.ndead; i++)
		dead[found.dead[i]] = true;
	for (size_t i = 0; i < live->detection.ndead; i++)
		was[live->detection.dead[i]] = true;
	for (uint32_t n = 0; n < live->nnodes; n++) {
		uint32_t number;

		if (!is_named(model, &live->nodes[n], &number)) {
			CHECK_FOR(where, !live->nodes[n].tid);
			continue;
		}
		CHECK_FOR(where, found.stuck[number] == live->detection.stuck[n]);
		/* The one thread of a process stands for it: who waits for the process waits for that. */
		CHECK_FOR(where, dead[number] >= (was[n] && !is_own(live, n)));
	}
	ipckit_detection_free(&found);
}

static void check_written(const struct ipckit_live *live, const struct model *model,
			  int (*write)(FILE *stream, const struct model *model))
{
	struct problem problem = { 0 };
	struct source source;
	struct model read;
	char *text = NULL;
	size_t size;
	FILE *stream = must(open_memstream(&text, &size));
	int r = write(stream, model);

	fclose(stream);
	CHECK_FOR(where, !r);
	if (source_open_memory(&source, text, size, size))
		abort();
	r = read_model(&source, NULL, &read, &problem);
	CHECK_FOR(where, !r);
	if (!r) {
		compare(live, &read);
		model_free(&read);
	}
	source_close(&source);
	free(text);
}

static void check_places(const struct ipckit_live *live, const struct live_model *model)
{
	const struct ipckit_system *system = &model->model.system;
	size_t n = model->core.ncomponents ? model->core.start[model->core.ncomponents] : 0;

	CHECK_FOR(where, model->core.ncomponents == live->core.ncomponents);
	CHECK_FOR(where, !!model->cycle.length == (live->cycle.length && !live_cycle_is_own(live)));
	for (size_t i = 0; i < n; i++)
		CHECK_FOR(where, model->core.processes[i] < system->nprocesses);
	for (size_t i = 0; i < model->cycle.length; i++) {
		CHECK_FOR(where, model->cycle.processes[i] < system->nprocesses);
		CHECK_FOR(where, model->cycle.resources[i] < system->nresources - system->nends);
	}
}

/* ---- whom to end ---- */

static bool leaves_stuck(const struct ipckit_live *live, unsigned ended)
{
	bool acts[NODES], stuck[NODES], any = false;
	struct live_graph graph = { (uint32_t)live->nnodes, acts, live->edges, live->nedges };

	for (size_t n = 0; n < live->nnodes; n++)
		acts[n] = live->nodes[n].acts || ended >> (live->nodes[n].pid / 10) & 1;
	if (live_graph_reduce(&graph, stuck, &any))
		abort();
	return any;
}

static void check_victims(const struct ipckit_live *live)
{
	struct live_victims victims;
	unsigned ended = 0;
	size_t least = PROCESSES;

	if (live_resolve(live, &victims))
		abort();
	for (size_t i = 0; i < victims.count; i++)
		ended |= 1u << (live->nodes[victims.nodes[i]].pid / 10);
	CHECK_FOR(where, !leaves_stuck(live, ended));
	for (unsigned set = 0; set < 1u << nprocesses; set++)
		if ((size_t)__builtin_popcount(set) < least && !leaves_stuck(live, set))
			least = (size_t)__builtin_popcount(set);
	CHECK_FOR(where, victims.count == least);
	for (size_t i = 0; i < victims.count; i++)
		CHECK_FOR(where, !live->nodes[victims.nodes[i]].tid);
	free(victims.nodes);
}

/* ---- all ---- */

static void test_rounds(int rounds)
{
	for (int round = 0; round < rounds; round++) {
		struct live_model model;
		struct ipckit_live live;

		snprintf(where, sizeof(where), "round %d", round);
		make(&live);
		if (live_model_make(&live, &model))
			abort();
		compare(&live, &model.model);
		check_written(&live, &model.model, write_graph);
		check_written(&live, &model.model, write_graph_json);
		check_places(&live, &model);
		check_victims(&live);
		live_model_free(&model);
		ipckit_live_free(&live);
	}
}

static void test_names(void)
{
	char name[LIVE_NAME];

	CHECK(!strcmp(live_name(&(struct ipckit_live_node){ .pid = 7, .name = "one" }, name), "one:7"));
	CHECK(!strcmp(live_name(&(struct ipckit_live_node){ .pid = 7, .tid = 8, .name = "one" }, name), "one:7/8"));
	CHECK(!strcmp(live_name(&(struct ipckit_live_node){ .pid = INT32_MAX, .tid = INT32_MAX }, name),
		      "?:2147483647/2147483647"));
}

int main(void)
{
	test_names();
	test_rounds(UNIT_SANITIZED ? 2000 : 20000);
	return unit_done("live-model");
}
