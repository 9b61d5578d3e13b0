/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live-answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT(member) .offset = offsetof(struct live_wait_row, member)
#define SCANNED(member) .offset = offsetof(struct live_scanned, member)
#define ANSWER(member) .offset = offsetof(struct live_answer, member)
#define STRINGS(member) .type = CLI_STRINGS, ANSWER(member.list), \
			.count_offset = offsetof(struct live_answer, member.count)

static const char *const levels[] = {
	[IPCKIT_LIVE_CERTAIN] = "certain",
	[IPCKIT_LIVE_TIMED] = "timed",
	[IPCKIT_LIVE_INFERRED] = "inferred",
};

/* ---- documents ---- */

static const struct cli_field wait_fields[] = {
	{ "process", .type = CLI_STRING, WAIT(process), .summary = "the thread that waits: COMM:PID/TID" },
	{ "pid", .type = CLI_INT, WAIT(pid), .summary = "its process" },
	{ "tid", .type = CLI_INT, WAIT(tid), .summary = "its id" },
	{ "thread", .type = CLI_STRING, WAIT(thread), .summary = "its name" },
	{ "command", .type = CLI_STRING, WAIT(command), .summary = "the command line of its process" },
	{ "kind", .type = CLI_STRING, WAIT(kind), .summary = "how it waits: mutex, join, flock, pipe-read ..." },
	{ "resource", .type = CLI_STRING, WAIT(resource), .summary = "what it waits for" },
	{ "mode", .type = CLI_STRING, WAIT(mode),
	  .summary = "read, write, exclusive or shared; null: there is but one" },
	{ "holders", .type = CLI_STRINGS, WAIT(holders.list),
	  .count_offset = offsetof(struct live_wait_row, holders.count),
	  .summary = "who holds it; none: nobody, for ever" },
	{ "owners", .type = CLI_STRINGS, WAIT(owners.list),
	  .count_offset = offsetof(struct live_wait_row, owners.count),
	  .summary = "those of any that are known to have it now" },
	{ "any", .type = CLI_BOOL, WAIT(any),
	  .summary = "whether any one of these could end the wait; else all have to" },
	{ "level", .type = CLI_WORD, WAIT(level), .words = levels, .summary = "certain, timed or inferred" },
	{ "reason", .type = CLI_STRING, WAIT(reason), .summary = "why it is not certain" },
	{ "waiting", .type = CLI_MAYBE, WAIT(waiting), .summary = "for how many seconds, about; null: unknown" },
	{ "core", .type = CLI_BOOL, WAIT(core), .summary = "whether it is in the core" },
	{ 0 },
};
static const struct cli_table wait_table = { wait_fields, sizeof(struct live_wait_row), "waits", NULL };

static const struct cli_field scanned_fields[] = {
	{ "processes", .type = CLI_INTEGER, SCANNED(processes), .summary = "processes that there are" },
	{ "threads", .type = CLI_INTEGER, SCANNED(threads), .summary = "their threads, as far as these are told" },
	{ "unreadable_processes", .type = CLI_MAYBE, SCANNED(unreadable),
	  .summary = "processes that may not be looked at, entirely or in part; null: some are hidden" },
	{ "other_pid_namespaces", .type = CLI_BOOL, SCANNED(other_pids),
	  .summary = "whether there may be processes in PID namespaces that are not seen" },
	{ 0 },
};
static const struct cli_table scanned_table = { scanned_fields, sizeof(struct live_scanned), NULL, NULL };

static const struct cli_field fields[] = {
	{ "deadlocked", .type = CLI_BOOL, ANSWER(deadlocked), .summary = "whether any thread is" },
	{ "level", .type = CLI_STRING, ANSWER(level), .summary = "certain, timed or inferred: of the surest core" },
	{ "processes", STRINGS(processes), .summary = "threads that never go on, and for which others wait" },
	{ "core", STRINGS(core), .summary = "those of them that wait for each other and for nobody else" },
	{ "blocked_behind", STRINGS(behind), .summary = "threads that never go on, but for which nobody waits" },
	{ "cycle", STRINGS(cycle), .summary = "a shortest cycle in the core: threads and what they wait for, in turn" },
	{ "waits", .type = CLI_ROWS, ANSWER(waits), .count_offset = offsetof(struct live_answer, nwaits),
	  .rows = &wait_table, .summary = "who waits for what, held by whom; the core first" },
	{ "resolve", STRINGS(resolve), .summary = "the processes to end, so that all others go on" },
	{ "scanned", .type = CLI_RECORD, ANSWER(scanned), .rows = &scanned_table, .flags = CLI_WIDE,
	  .summary = "what was looked at" },
	{ 0 },
};
const struct cli_table live_table = { fields, sizeof(struct live_answer), NULL, NULL };

/* ---- tables for people: what matters most comes first ---- */

enum { STUCK = 1, FREE = 2, RING = 4, DOUBTS = 8, OTHERS = 16 };

static unsigned kind_of(const void *row)
{
	const struct live_answer *answer = row;

	return (answer->nwaits ? STUCK : FREE) | (answer->ring ? RING : 0) | (answer->doubts ? DOUBTS : 0) |
	       (answer->nothers ? OTHERS : 0);
}

static const struct cli_field people_wait_fields[] = {
	{ "process", "WAITING", .type = CLI_STRING, WAIT(process) },
	{ "what", "FOR", .type = CLI_STRING, WAIT(what) },
	{ "held", "HELD BY", .type = CLI_STRING, WAIT(held) },
	{ "since", .type = CLI_TIME, WAIT(since) },
	{ "level", "SURE", .type = CLI_WORD, WAIT(level), .words = levels },
	{ "line", "COMMAND", .type = CLI_STRING, WAIT(line) },
	{ 0 },
};
static const struct cli_table people_wait_table = { people_wait_fields, sizeof(struct live_wait_row), NULL, NULL };

#define PEOPLE_FIELDS \
	{ "verdict", .type = CLI_STRING, ANSWER(verdict) }, \
	{ "cycle", .type = CLI_STRING, ANSWER(ring), .kinds = RING }, \
	{ "resolve", .type = CLI_STRING, ANSWER(end), .kinds = STUCK }

static const struct cli_field people_fields[] = {
	PEOPLE_FIELDS,
	{ "not_certain", .type = CLI_STRING, ANSWER(doubts), .kinds = DOUBTS },
	{ "looked_at", .type = CLI_STRING, ANSWER(seen), .kinds = STUCK },
	{ "knot", .type = CLI_ROWS, ANSWER(waits), .count_offset = offsetof(struct live_answer, nknot),
	  .rows = &people_wait_table, .kinds = STUCK },
	{ "stuck_behind", .type = CLI_ROWS, ANSWER(others), .count_offset = offsetof(struct live_answer, nothers),
	  .rows = &people_wait_table, .kinds = OTHERS },
	{ 0 },
};
const struct cli_table live_people_table = { people_fields, sizeof(struct live_answer), NULL, kind_of };

static const struct cli_field line_fields[] = { PEOPLE_FIELDS, { 0 } };
const struct cli_table live_line_table = { line_fields, sizeof(struct live_answer), NULL, kind_of };

/* ---- lists of names ---- */

struct maker {
	struct live_answer *answer;
	const struct ipckit_live *live;
	const char **names; /* by node */
	bool *core;
};

static int maker_begin(struct live_answer *answer, const struct ipckit_live *live, struct maker *out)
{
	const struct ipckit_core *core = &live->core;
	size_t n = core->ncomponents ? core->start[core->ncomponents] : 0;
	char name[LIVE_NAME];

	*out = (struct maker){
		.answer = answer,
		.live = live,
		.names = dl_pool_alloc(&answer->pool, live->nnodes, sizeof(*out->names)),
		.core = dl_pool_alloc(&answer->pool, live->nnodes, sizeof(*out->core)),
	};
	if (answer->pool.failed)
		return -ENOMEM;
	for (size_t i = 0; i < live->nnodes; i++)
		out->names[i] = dl_pool_text(&answer->pool, "%s", live_name(&live->nodes[i], name));
	for (size_t i = 0; i < n; i++)
		out->core[core->processes[i]] = true;
	return answer->pool.failed ? -ENOMEM : 0;
}

static struct dl_strings strings(const struct maker *maker, size_t count)
{
	return (struct dl_strings){ dl_pool_alloc(&maker->answer->pool, count, sizeof(const char *)), 0 };
}

/* Processes themselves are left out: each is what its threads are. */
static struct dl_strings threads_of(const struct maker *maker, const uint32_t *nodes, size_t count)
{
	struct dl_strings out = strings(maker, count);

	for (size_t i = 0; out.list && i < count; i++)
		if (maker->live->nodes[nodes[i]].tid)
			out.list[out.count++] = maker->names[nodes[i]];
	return out;
}

static bool is_among(uint32_t node, const uint32_t *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == node)
			return true;
	return false;
}

/* What a thread waits for on its way to the next node. */
static const char *resource_between(const struct ipckit_live *live, uint32_t thread, uint32_t next)
{
	size_t i, end = live_waits_of(live, thread, &i);

	for (; i < end; i++)
		if (is_among(next, live->edges[i].holders, live->edges[i].nholders))
			return live->edges[i].resource;
	return "";
}

static struct dl_strings cycle_of(const struct maker *maker)
{
	const struct ipckit_cycle *cycle = &maker->live->cycle;
	struct dl_strings out = strings(maker, 2 * cycle->length + 1);

	for (size_t i = 0; out.list && i < cycle->length; i++) {
		uint32_t node = cycle->processes[i], next = cycle->processes[(i + 1) % cycle->length];

		if (!maker->live->nodes[node].tid)
			continue;
		out.list[out.count++] = maker->names[node];
		out.list[out.count++] = resource_between(maker->live, node, next);
	}
	if (live_cycle_is_own(maker->live))
		out.count = 0;
	if (out.count)
		out.list[out.count++] = out.list[0];
	return out;
}

/* ---- waits ---- */

static struct dl_strings names_of(const struct maker *maker, const uint32_t *nodes, size_t count)
{
	struct dl_strings out = strings(maker, count);

	for (size_t i = 0; out.list && i < count; i++)
		out.list[out.count++] = maker->names[nodes[i]];
	return out;
}

/* "mutex 0x7f1c" says what it is, "pipe:[4711]" does not say how. */
static const char *what_of(struct dl_pool *pool, const struct ipckit_live_edge *edge)
{
	const char *resource = edge->resource ?: "", *kind = ipckit_live_kind_name(edge->kind);

	if (!strncmp(resource, kind, strlen(kind)))
		return resource;
	return dl_pool_text(pool, "%s %s", kind, resource);
}

/* Its own process holds what any of the threads there could let it go from. */
static const char *held_of(const struct maker *maker, const struct ipckit_live_edge *edge,
			   const struct live_wait_row *wait)
{
	const struct ipckit_live_node *nodes = maker->live->nodes;
	uint32_t first = edge->nholders == 1 ? edge->holders[0] : edge->waiter;

	if (!nodes[first].tid && nodes[first].pid == nodes[edge->waiter].pid)
		return dl_pool_text(&maker->answer->pool, "any thread of %s", maker->names[first]);
	return live_say_holders(&maker->answer->pool, wait);
}

static void put_wait(const struct maker *maker, const struct ipckit_live_edge *edge, struct live_wait_row *out)
{
	const struct ipckit_live_node *node = &maker->live->nodes[edge->waiter];
	struct dl_pool *pool = &maker->answer->pool;

	*out = (struct live_wait_row){
		.process = maker->names[edge->waiter],
		.pid = node->pid,
		.tid = node->tid,
		.thread = node->name,
		.command = node->command,
		.kind = ipckit_live_kind_name(edge->kind),
		.resource = edge->resource,
		.mode = edge->mode,
		.holders = names_of(maker, edge->holders, edge->nholders),
		.owners = names_of(maker, edge->owners, edge->nowners),
		.any = edge->any,
		.level = edge->level,
		.reason = edge->reason,
		.since = node->since,
		.core = maker->core[edge->waiter],
		.what = what_of(pool, edge),
		.line = live_say_command(pool, node->command),
	};
	if (node->since.known)
		out->waiting = ipckit_known(time(NULL) - node->since.value);
	out->held = held_of(maker, edge, out);
}

static void put_waits_of(const struct maker *maker, uint32_t node)
{
	const struct ipckit_live *live = maker->live;
	struct live_answer *answer = maker->answer;
	size_t i, end = live_waits_of(live, node, &i);

	for (; i < end; i++)
		if (live->edges[i].kind)
			put_wait(maker, &live->edges[i], &answer->waits[answer->nwaits++]);
}

/* Knot by knot. */
static void put_waits(const struct maker *maker)
{
	const struct ipckit_live *live = maker->live;
	const struct ipckit_core *core = &live->core;
	struct live_answer *answer = maker->answer;
	size_t n = core->ncomponents ? core->start[core->ncomponents] : 0;

	answer->waits = dl_pool_alloc(&answer->pool, live->nedges, sizeof(*answer->waits));
	if (!answer->waits)
		return;
	for (size_t i = 0; i < n; i++)
		put_waits_of(maker, core->processes[i]);
	answer->nknot = answer->nwaits;
	for (uint32_t node = 0; node < live->nnodes; node++)
		if (!maker->core[node])
			put_waits_of(maker, node);
	answer->others = answer->waits + answer->nknot;
	answer->nothers = answer->nwaits - answer->nknot;
}

/* ---- all ---- */

static struct dl_strings victims_of(const struct maker *maker, const struct live_victims *victims)
{
	struct dl_strings out = strings(maker, victims->count);

	for (size_t i = 0; out.list && i < victims->count; i++) {
		struct ipckit_live_node node = maker->live->nodes[victims->nodes[i]];
		char name[LIVE_NAME];

		node.tid = 0;
		out.list[out.count++] = dl_pool_text(&maker->answer->pool, "%s", live_name(&node, name));
	}
	return out;
}

static void put_lists(const struct maker *maker)
{
	const struct ipckit_live *live = maker->live;
	const struct ipckit_detection *detection = &live->detection;
	const struct ipckit_core *core = &live->core;
	struct live_answer *answer = maker->answer;
	size_t ncore = core->ncomponents ? core->start[core->ncomponents] : 0;

	answer->deadlocked = detection->deadlocked;
	answer->level = core->ncomponents ? levels[live->levels[0]] : NULL;
	answer->processes = threads_of(maker, detection->dead, detection->ndead);
	answer->core = threads_of(maker, core->processes, ncore);
	answer->behind = threads_of(maker, detection->behind, detection->nbehind);
	answer->cycle = cycle_of(maker);
	answer->scanned = (struct live_scanned){ live->processes, live->threads, live->unreadable_processes,
						 live->other_pids };
}

static void put_words(struct live_answer *answer, const struct ipckit_live *live, const struct live_victims *victims)
{
	answer->verdict = live_say_verdict(answer, live);
	answer->ring = live_say_ring(answer);
	answer->end = live_say_end(answer, live, victims);
	answer->seen = live_say_seen(answer, live);
	answer->doubts = live_say_doubts(answer);
}

int live_answer_make(const struct ipckit_live *live, struct live_answer *out)
{
	struct live_victims victims = { 0 };
	struct maker maker;
	int r;

	*out = (struct live_answer){ 0 };
	r = maker_begin(out, live, &maker);
	if (!r && live->nnodes)
		r = live_resolve(live, &victims);
	if (!r) {
		put_lists(&maker);
		put_waits(&maker);
		out->resolve = victims_of(&maker, &victims);
		put_words(out, live, &victims);
		r = out->pool.failed ? -ENOMEM : 0;
	}
	free(victims.nodes);
	if (r)
		live_answer_free(out);
	return r;
}

void live_answer_free(struct live_answer *answer)
{
	dl_pool_free(&answer->pool);
	*answer = (struct live_answer){ 0 };
}
