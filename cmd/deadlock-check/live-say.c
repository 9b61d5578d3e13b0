/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live-answer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 3  /* holders in a cell */
#define RING 13  /* elements of a cycle in a line */

/* Bytes of the ends of a command line that is too long for a cell: what it works on is mostly its last word. */
#define HEAD 40
#define TAIL 20

static const char *s_of(int64_t count)
{
	return count == 1 ? "" : "s";
}

static const char *es_of(int64_t count)
{
	return count == 1 ? "" : "es";
}

/* ---- holders ---- */

static const char *say_names(struct dl_pool *pool, const struct dl_strings *names, bool any)
{
	size_t shown = names->count > SHOWN + 1 ? SHOWN : names->count;
	const char *text = NULL;

	for (size_t i = 0; names->list && i < shown; i++)
		text = text ? dl_pool_text(pool, "%s%s%s", text, any ? " or " : " and ", names->list[i]) :
			      names->list[i];
	if (shown == names->count)
		return text;
	return dl_pool_text(pool, "%s %s %zu more", text, any ? "or" : "and", names->count - shown);
}

const char *live_say_holders(struct dl_pool *pool, const struct live_wait_row *wait)
{
	size_t others = wait->holders.count - wait->owners.count;
	const char *owners;

	if (!wait->holders.count)
		return "nobody, for ever";
	if (!wait->owners.count || !others)
		return say_names(pool, &wait->holders, wait->any);
	owners = say_names(pool, &wait->owners, true);
	return owners ? dl_pool_text(pool, "%s (%zu more have it open)", owners, others) : NULL;
}

/* ---- doubts ---- */

static bool is_said(const struct live_answer *answer, size_t before)
{
	for (size_t i = 0; i < before; i++)
		if (answer->waits[i].reason && !strcmp(answer->waits[i].reason, answer->waits[before].reason))
			return true;
	return false;
}

const char *live_say_doubts(struct live_answer *answer)
{
	const char *text = NULL;

	for (size_t i = 0; i < answer->nknot; i++) {
		const char *reason = answer->waits[i].reason;

		if (!reason || is_said(answer, i))
			continue;
		text = text ? dl_pool_text(&answer->pool, "%s; %s", text, reason) : reason;
	}
	return text;
}

/* ---- commands ---- */

static bool is_within_character(char byte)
{
	return (byte & 0xc0) == 0x80;
}

const char *live_say_command(struct dl_pool *pool, const char *command)
{
	size_t length = command ? strlen(command) : 0, head = HEAD, tail = length - TAIL;

	if (length <= HEAD + TAIL)
		return command;
	while (head && is_within_character(command[head]))
		head--;
	while (tail < length && is_within_character(command[tail]))
		tail++;
	return dl_pool_text(pool, "%.*s...%s", (int)head, command, command + tail);
}

/* ---- the verdict ---- */

static const char *const sure[] = {
	[IPCKIT_LIVE_CERTAIN] = "DEADLOCK, certain",
	[IPCKIT_LIVE_TIMED] = "DEADLOCK, until a time limit ends a wait",
	[IPCKIT_LIVE_INFERRED] = "DEADLOCK, as far as can be seen",
};

static bool is_orphan(const struct ipckit_live *live, uint32_t node)
{
	size_t first, end = live_waits_of(live, node, &first);

	return first < end && !live->edges[first].nholders;
}

/* Threads of the first core, and their processes: nodes of one stand side by side. */
static void count_core(const struct ipckit_live *live, size_t *threads, size_t *processes)
{
	const struct ipckit_core *core = &live->core;
	pid_t last = 0;

	*threads = *processes = 0;
	for (size_t i = 0; i < core->start[1]; i++) {
		const struct ipckit_live_node *node = &live->nodes[core->processes[i]];

		*threads += node->tid != 0;
		*processes += node->pid != last;
		last = node->pid;
	}
}

static const char *core_words(struct live_answer *answer, const struct ipckit_live *live)
{
	const char *who = answer->core.count ? answer->core.list[0] : "";
	size_t threads, processes;

	count_core(live, &threads, &processes);
	if (threads == 1 && is_orphan(live, live->core.processes[0]))
		return dl_pool_text(&answer->pool, "%s waits for what nobody will ever give back", who);
	if (threads == 1)
		return dl_pool_text(&answer->pool, "%s waits for what it holds itself", who);
	if (processes == 1)
		return dl_pool_text(&answer->pool, "%zu threads of one process wait for each other", threads);
	return dl_pool_text(&answer->pool, "%zu threads of %zu processes wait for each other", threads, processes);
}

/* The others, each as sure as the first one, or less. */
static const char *knots_words(struct live_answer *answer, const struct ipckit_live *live)
{
	size_t such = 0, others = 0;
	const char *text = "";

	for (size_t c = 1; c < live->core.ncomponents; c++)
		if (live->levels[c] == live->levels[0])
			such++;
		else
			others++;
	if (such)
		text = dl_pool_text(&answer->pool, "; %zu more such knot%s", such, s_of((int64_t)such));
	if (others && text)
		text = dl_pool_text(&answer->pool, "%s; %zu more that %s less sure", text, others,
				    others == 1 ? "is" : "are");
	return text;
}

static const char *no_deadlock(struct live_answer *answer, const struct ipckit_live *live)
{
	const char *seen = live_say_seen(answer, live);

	return seen ? dl_pool_text(&answer->pool, "no deadlock: looked at %s", seen) : NULL;
}

const char *live_say_verdict(struct live_answer *answer, const struct ipckit_live *live)
{
	size_t others = answer->processes.count + answer->behind.count - answer->core.count;
	const char *core, *more, *behind = "";

	if (!live->core.ncomponents)
		return no_deadlock(answer, live);
	core = core_words(answer, live);
	more = knots_words(answer, live);
	if (others)
		behind = dl_pool_text(&answer->pool, "; %zu more thread%s stuck behind", others,
				      s_of((int64_t)others));
	if (!core || !more || !behind)
		return NULL;
	return dl_pool_text(&answer->pool, "%s: %s%s%s", sure[live->levels[0]], core, more, behind);
}

/* ---- the cycle ---- */

const char *live_say_ring(struct live_answer *answer)
{
	const struct dl_strings *cycle = &answer->cycle;
	size_t shown = cycle->count > RING + 2 ? RING : cycle->count;
	const char *text = NULL;

	for (size_t i = 0; cycle->list && i < shown && (text || !i); i++)
		text = i ? dl_pool_text(&answer->pool, "%s -> %s", text, cycle->list[i]) : cycle->list[i];
	if (!text || shown == cycle->count)
		return text;
	return dl_pool_text(&answer->pool, "%s ... %zu more ... -> %s", text, cycle->count - shown - 1,
			    cycle->list[0]);
}

/* ---- what resolves it ---- */

const char *live_say_end(struct live_answer *answer, const struct ipckit_live *live,
			   const struct live_victims *victims)
{
	const char *who = dl_enumerate(&answer->pool, &answer->resolve), *pids = "";

	if (!victims->count || !who)
		return NULL;
	for (size_t i = 0; pids && i < victims->count && i < SHOWN * 2; i++)
		pids = dl_pool_text(&answer->pool, "%s %d", pids, (int)live->nodes[victims->nodes[i]].pid);
	return pids ? dl_pool_text(&answer->pool, "end %s (kill%s%s)", who, pids,
				   victims->count > SHOWN * 2 ? " ..." : "") : NULL;
}

/* ---- what was looked at ---- */

const char *live_say_gaps(struct dl_pool *pool, const struct ipckit_live *live)
{
	const struct ipckit_maybe *unreadable = &live->unreadable_processes;

	if (!unreadable->known)
		return "some processes are hidden (hidepid), and may be part of one: root sees them";
	if (unreadable->value)
		return dl_pool_text(pool, "%" PRId64 " process%s may not be looked at, and may be part of one: that "
				    "takes root, or CAP_SYS_PTRACE with CAP_DAC_READ_SEARCH",
				    unreadable->value, es_of(unreadable->value));
	if (live->other_pids)
		return "processes of other PID namespaces are not seen";
	return NULL;
}

const char *live_say_seen(struct live_answer *answer, const struct ipckit_live *live)
{
	const char *gaps = live_say_gaps(&answer->pool, live);

	return dl_pool_text(&answer->pool, "%" PRId64 " process%s with %" PRId64 " thread%s%s%s", live->processes,
			    es_of(live->processes), live->threads, s_of(live->threads), gaps ? "; " : "", gaps ?: "");
}
