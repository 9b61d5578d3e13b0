/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-tell.h"
#include "proc-scan.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/*
 * The scheduler notes when a thread last ran, by a clock that each processor has for itself: they are far apart where
 * some had more interrupts, or were lent to others. What time it is by that of the thread's processor is seen from
 * there, so this thread goes to it for a moment.
 */
#define TIMED_MAX 256 /* nodes: it is dear to read, and nobody looks at that many */
#define CPUS_MAX 64   /* that are gone to */

struct clocks {
	int root;
	struct {
		int cpu;
		uint64_t now; /* ms; 0: not told */
	} list[CPUS_MAX];
	size_t count;
};

/* ms; 0: not told. thread: "PID/task/TID". */
static uint64_t last_run(int root, const char *thread)
{
	static const char key[] = "se.exec_start";
	char path[48], text[1024];
	const char *at;
	uint64_t ms;

	snprintf(path, sizeof(path), "%s/sched", thread);
	if (proc_read_into(root, path, text, sizeof(text)) < 0)
		return 0;
	at = strstr(text, key);
	at = at ? strchr(at, ':') : NULL;
	if (!at)
		return 0;
	at++;
	scan_blanks(&at);
	return scan_number(&at, 10, &ms) ? ms : 0;
}

/* Field 39 of its stat, of which 3 follows the name; -1: not told. */
static int processor_of(int root, const char *thread)
{
	char path[48], text[1024];
	const char *at;
	uint64_t cpu;

	snprintf(path, sizeof(path), "%s/stat", thread);
	if (proc_read_into(root, path, text, sizeof(text)) < 0)
		return -1;
	at = strrchr(text, ')');
	for (int field = 2; at && field < 39; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -1;
	at++;
	return scan_below(&at, 10, CPU_SETSIZE - 1, &cpu) ? (int)cpu : -1;
}

/* What time it is by the clock of a processor; 0 where this thread may not go there. */
static uint64_t time_at(struct clocks *clocks, int cpu)
{
	cpu_set_t there;
	uint64_t now = 0;

	for (size_t i = 0; i < clocks->count; i++)
		if (clocks->list[i].cpu == cpu)
			return clocks->list[i].now;
	if (cpu < 0 || clocks->count == CPUS_MAX)
		return 0;
	CPU_ZERO(&there);
	CPU_SET(cpu, &there);
	if (!sched_setaffinity(0, sizeof(there), &there))
		now = last_run(clocks->root, "thread-self");
	clocks->list[clocks->count].cpu = cpu;
	clocks->list[clocks->count++].now = now;
	return now;
}

static struct ipckit_maybe tell_since(struct clocks *clocks, const struct ipckit_live_node *node)
{
	uint64_t then, now;
	char thread[32];

	if (!node->tid)
		return ipckit_unknown();
	snprintf(thread, sizeof(thread), "%d/task/%d", (int)node->pid, (int)node->tid);
	then = last_run(clocks->root, thread);
	now = then ? time_at(clocks, processor_of(clocks->root, thread)) : 0;
	if (!now)
		return ipckit_unknown();
	return ipckit_known(time(NULL) - (int64_t)(then < now ? (now - then) / 1000 : 0));
}

void live_tell_since(int root, struct ipckit_live_node *nodes, size_t count)
{
	struct clocks clocks = { .root = root };
	cpu_set_t here;

	if (!count || sched_getaffinity(0, sizeof(here), &here))
		return;
	for (size_t i = 0; i < count && i < TIMED_MAX; i++)
		nodes[i].since = tell_since(&clocks, &nodes[i]);
	(void)!sched_setaffinity(0, sizeof(here), &here);
}
