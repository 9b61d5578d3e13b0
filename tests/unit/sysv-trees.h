/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYSV_TREES_H
#define SYSV_TREES_H

/*
 * Real processes that use objects of System V, and trees in which they stand, since nothing but the kernel tells of
 * the objects: for one source file of a program.
 */

#include "../../lib/live.h"
#include "../../lib/sys.h"
#include "trees.h"

#include <sys/prctl.h>
#include <sys/wait.h>

/* ---- real processes ---- */

static pid_t children[16];
static size_t nchildren;

static void keep(pid_t pid)
{
	if (pid < 0 || nchildren == sizeof(children) / sizeof(*children))
		abort();
	children[nchildren++] = pid;
}

static void end_child(size_t i)
{
	kill(children[i], SIGKILL);
	waitpid(children[i], NULL, 0);
}

/* ---- trees ---- */

static char own_namespace[64];

static void put_link(const char *path, const char *target)
{
	unlinkat(tree, path, 0);
	CHECK_INT(symlinkat(target, tree, path), 0);
}

static void begin(void)
{
	tree_begin();
	tree_mkdir("self");
	tree_mkdir("self/ns");
	put_link("self/ns/ipc", own_namespace);
	tree_put("stat", "cpu 1\nbtime 1000\n");
}

static void end(void)
{
	for (size_t i = 0; i < nchildren; i++)
		end_child(i);
	nchildren = 0;
	tree_end();
}

static void put_start(pid_t pid, unsigned long long ticks)
{
	char text[160];

	snprintf(text, sizeof(text), "%d (one) S 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 %llu 0\n", (int)pid,
		 ticks);
	tree_put(tree_name("%d/stat", (int)pid), text);
}

static void put(pid_t pid, const char *call)
{
	tree_thread(&(struct tree_thread){ .pid = pid, .tid = pid, .call = call, .parent = 1 });
	put_start(pid, 5);
	if (mkdirat(tree, tree_name("%d/ns", (int)pid), 0700) && errno != EEXIST)
		abort();
	put_link(tree_name("%d/ns/ipc", (int)pid), own_namespace);
}

static const char *in(long number, unsigned a, unsigned b, unsigned c, unsigned d, unsigned e, unsigned f)
{
	static char text[160];

	snprintf(text, sizeof(text), "%ld 0x%x 0x%x 0x%x 0x%x 0x%x 0x%x 0x7ffe00 0x7fff00\n", number, a, b, c, d,
		 e, f);
	return text;
}

static void put_running(pid_t pid)
{
	put(pid, "running\n");
}

static int by_number(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

/* "sysv-semaphore inferred: 7 8" */
static void describe(const struct live_scan *scan, const struct live_edge *edge, char text[160])
{
	static const char *const levels[] = { "certain", "timed", "inferred" };
	const struct ipckit_live_edge *told = &edge->told;
	size_t length = (size_t)snprintf(text, 160, "%s %s %s:", ipckit_live_kind_name(told->kind),
					 told->resource, levels[told->level]);
	pid_t pids[8];

	CHECK(told->any && edge->open && told->nholders <= 8);
	for (size_t i = 0; i < told->nholders; i++)
		pids[i] = scan->processes[scan->points[told->holders[i]].index].pid;
	qsort(pids, told->nholders, sizeof(*pids), by_number);
	for (size_t i = 0; i < told->nholders; i++)
		length += (size_t)snprintf(text + length, 160 - length, " %d", (int)pids[i]);
}

/* What is told of a thread; "": it does not wait. */
static void expect(const char *what, pid_t tid, const char *format, ...)
{
	char text[160] = "", wanted[160];
	struct live_scan scan;
	uint32_t thread;
	va_list args;
	size_t first;

	va_start(args, format);
	vsnprintf(wanted, sizeof(wanted), format, args);
	va_end(args);
	CHECK_INT_FOR(what, live_scan_begin(tree, &scan), 0);
	CHECK_INT_FOR(what, live_collect_sysv(&scan), 0);
	CHECK_INT_FOR(what, live_settle(&scan), 0);
	thread = live_find_thread(&scan, tid);
	if (CHECK_FOR(what, thread != IPCKIT_NONE) && scan.threads[thread].waits) {
		CHECK_INT_FOR(what, live_edges_of(&scan, scan.threads[thread].node, &first) - first, 1);
		describe(&scan, &scan.edges[first], text);
	}
	live_scan_end(&scan);
	CHECK_STR_FOR(what, text, wanted);
}

/* False: there is no namespace whose objects could be told. */
static bool find_own_namespace(void)
{
	return readlink("/proc/self/ns/ipc", own_namespace, sizeof(own_namespace) - 1) > 0;
}

#endif
