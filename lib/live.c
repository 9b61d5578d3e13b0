/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include "array.h"
#include "live-maps.h"
#include "live-tell.h"
#include "spots.h"
#include "sys.h"

#include <string.h>

#define TRIES 3 /* pairs of scans */

/* A thread that was stuck in the first scan, and how often it had run by then. */
struct candidate {
	pid_t tid;
	struct live_runs runs;
};

struct passes {
	const live_collector *collectors;
	bool everything; /* waits of those who are not stuck are to be told, too */
	struct live_scan scan;
	bool *stuck; /* by node of the scan */
	bool any;    /* somebody is */
	struct candidate *candidates; /* by tid */
	size_t ncandidates;
};

/* ---- a scan ---- */

static int reduce(struct passes *passes)
{
	const struct live_scan *scan = &passes->scan;
	bool *acts = array_of(scan->npoints, sizeof(*acts));
	struct ipckit_live_edge *edges = array_of(scan->nedges, sizeof(*edges));
	struct live_graph graph = { (uint32_t)scan->npoints, acts, edges, scan->nedges };
	int r = acts && edges ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < scan->npoints; i++)
		acts[i] = scan->points[i].acts;
	for (size_t i = 0; !r && i < scan->nedges; i++)
		edges[i] = scan->edges[i].told;
	if (!r)
		r = live_graph_reduce(&graph, passes->stuck, &passes->any);
	free(acts);
	free(edges);
	return r;
}

static int by_tid(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return array_order(x->tid, y->tid);
}

static const struct candidate *find_candidate(const struct passes *passes, pid_t tid)
{
	const struct candidate key = { .tid = tid };

	if (!passes->ncandidates)
		return NULL;
	return bsearch(&key, passes->candidates, passes->ncandidates, sizeof(key), by_tid);
}

/* In the second scan who was no candidate in the first one acts, whatever it may wait for now: that is not asked. */
static void pass_over(struct passes *passes)
{
	struct live_scan *scan = &passes->scan;

	if (!passes->candidates || passes->everything)
		return;
	for (size_t t = 0; t < scan->nthreads; t++)
		if (!find_candidate(passes, scan->threads[t].tid))
			scan->threads[t].call = (struct proc_syscall){ .state = PROC_RUNNING };
}

static int begin(int root, struct passes *passes)
{
	int r = live_scan_begin(root, &passes->scan);

	passes->scan.other_pids = !proc_sees_all_pids();
	if (!r)
		pass_over(passes);
	for (size_t i = 0; !r && passes->collectors[i]; i++)
		r = passes->collectors[i](&passes->scan);
	if (!r)
		r = live_settle(&passes->scan);
	free(passes->stuck);
	passes->stuck = r ? NULL : array_of(passes->scan.npoints, sizeof(*passes->stuck));
	if (!r && !passes->stuck)
		return -ENOMEM;
	return r;
}

/* ---- who ran ---- */

static const struct live_thread *thread_of(const struct live_scan *scan, size_t node)
{
	return &scan->threads[scan->points[node].index];
}

static int read_runs(const struct live_scan *scan, const struct live_thread *thread, struct live_runs *out)
{
	return live_runs_read(scan->root, scan->processes[thread->process].pid, thread->tid, out);
}

/* One of which it is not told when it runs is no candidate. */
static int note_candidates(struct passes *passes)
{
	const struct live_scan *scan = &passes->scan;

	passes->candidates = array_of(scan->npoints, sizeof(*passes->candidates));
	if (!passes->candidates)
		return -ENOMEM;
	for (size_t i = 0; i < scan->npoints; i++) {
		struct candidate *candidate = &passes->candidates[passes->ncandidates];
		int r;

		if (!passes->stuck[i] || scan->points[i].process)
			continue;
		candidate->tid = thread_of(scan, i)->tid;
		r = read_runs(scan, thread_of(scan, i), &candidate->runs);
		if (sys_lacks_resources(r))
			return r;
		passes->ncandidates += !r;
	}
	if (passes->ncandidates)
		qsort(passes->candidates, passes->ncandidates, sizeof(*passes->candidates), by_tid);
	return 0;
}

static bool is_of_process(const struct live_scan *scan, uint32_t node, uint32_t process)
{
	const struct live_point *point = &scan->points[node];

	return (point->process ? point->index : scan->threads[point->index].process) == process;
}

/* Whether only who waits, and other threads of its process, could end a wait. */
static bool is_own(const struct live_scan *scan, const struct ipckit_live_edge *edge)
{
	uint32_t process = thread_of(scan, edge->waiter)->process;
	bool own = edge->any && edge->nholders;

	for (size_t i = 0; own && i < edge->nholders; i++)
		own = is_of_process(scan, edge->holders[i], process);
	return own;
}

/*
 * An edge that a signal handler may end is no more than inferred where the process has one. Where nobody outside of
 * it could end the wait, and a signal that is not but a user's interrupt can, that is what it waits for: returns true.
 */
static bool waits_for_signal(struct live_scan *scan, uint32_t node, uint64_t caught)
{
	size_t i, end = live_edges_of(scan, node, &i);

	for (; i < end; i++) {
		struct live_edge *edge = &scan->edges[i];

		if (!live_catches(caught & ~edge->deaf))
			continue;
		if (live_awaits(caught & ~edge->deaf) && is_own(scan, &edge->told) && !live_kind_is_lock(edge->told.kind))
			return true;
		if (edge->told.level == IPCKIT_LIVE_INFERRED)
			continue;
		edge->told.level = IPCKIT_LIVE_INFERRED;
		edge->told.reason = "a signal handler of it may end the wait";
	}
	return false;
}

/* Whether a stuck thread has not run since the first scan, and is nobody's to move. */
static int verify_thread(struct passes *passes, uint32_t node, const struct candidate *before)
{
	struct live_scan *scan = &passes->scan;
	const struct live_thread *thread = thread_of(scan, node);
	struct live_status status;
	struct live_runs runs;
	int r = before ? read_runs(scan, thread, &runs) : -ESRCH;

	if (!r && (runs.time != before->runs.time || runs.slices != before->runs.slices))
		r = -ESRCH;
	if (!r)
		r = live_status_read(scan->root, scan->processes[thread->process].pid, thread->tid, &status);
	if (sys_lacks_resources(r))
		return r;
	scan->points[node].acts = r || status.tracer || status.state == 't' || status.state == 'R';
	if (!r && waits_for_signal(scan, node, status.caught))
		scan->points[node].acts = true;
	return r ? 0 : live_note(scan, node, &status);
}

/* Threads that the walk has missed would be seen in their number; a first one that has ended counts in it. */
static int verify_process(struct passes *passes, uint32_t node)
{
	struct live_scan *scan = &passes->scan;
	const struct live_process *process = &scan->processes[scan->points[node].index];
	bool first = live_find_thread(scan, process->pid) != IPCKIT_NONE;
	struct live_status status;
	bool shared;
	int r = live_status_read(scan->root, process->pid, process->pid, &status);

	scan->points[node].acts = r || status.threads != process->nthreads + !first;
	if (!r)
		r = live_maps_are_shared(scan, scan->points[node].index, &shared);
	if (r)
		return sys_own_trouble(r);
	scan->points[node].acts |= shared;
	return live_note(scan, node, &status);
}

static int verify(struct passes *passes)
{
	struct live_scan *scan = &passes->scan;
	int r = 0;

	for (uint32_t node = 0; node < scan->npoints; node++)
		if (!scan->points[node].process && !find_candidate(passes, thread_of(scan, node)->tid))
			scan->points[node].acts = true;
	r = reduce(passes);
	for (uint32_t node = 0; !r && node < scan->npoints; node++) {
		if (!passes->stuck[node])
			continue;
		r = scan->points[node].process ?
		    verify_process(passes, node) :
		    verify_thread(passes, node, find_candidate(passes, thread_of(scan, node)->tid));
	}
	return r ? r : reduce(passes);
}

/* ---- the two passes ---- */

/* A zombie is none; of several processes some may have ended meanwhile. */
static bool is_there(const struct live_scan *scan, pid_t pid)
{
	uint32_t process = live_find_process(scan, pid);

	return process != IPCKIT_NONE && (scan->processes[process].nthreads || scan->processes[process].hidden);
}

static int check_pids(const struct live_scan *scan, const struct ipckit_live_options *options)
{
	for (size_t i = 0; options->pids && i < options->npids; i++)
		if (is_there(scan, options->pids[i]))
			return 0;
	return options->pids ? -ESRCH : 0;
}

static int pass_again(int root, struct passes *passes)
{
	int r = note_candidates(passes);

	if (r)
		return r;
	live_scan_end(&passes->scan);
	r = begin(root, passes);
	return r ? r : verify(passes);
}

static int look_once(int root, struct passes *passes)
{
	int r;

	free(passes->candidates);
	passes->candidates = NULL;
	passes->ncandidates = 0;
	r = begin(root, passes);
	if (!r)
		r = reduce(passes);
	return r || !passes->any ? r : pass_again(root, passes);
}

/* Who wakes up now and then to look about may do so just between the two scans: then it is looked once more. */
static int look(int root, struct passes *passes)
{
	int r = look_once(root, passes);

	for (int tries = 1; !r && passes->candidates && !passes->any && tries < TRIES; tries++) {
		live_scan_end(&passes->scan);
		r = look_once(root, passes);
	}
	return r;
}

int live_look(int root, const struct ipckit_live_options *options, const live_collector *collectors,
	      struct ipckit_live *out)
{
	static const struct ipckit_live_options none;
	struct passes passes = { .collectors = collectors };
	struct ipckit_live live = { 0 };
	int r;

	options = options ? options : &none;
	passes.everything = options->everything;
	r = look(root, &passes);
	if (!r)
		r = check_pids(&passes.scan, options);
	if (!r)
		r = live_tell(&passes.scan, passes.stuck, options, &live);
	if (!r && live.nnodes)
		r = live_graph_judge(&live);
	live_scan_end(&passes.scan);
	free(passes.stuck);
	free(passes.candidates);
	if (r)
		ipckit_live_free(&live);
	else
		*out = live;
	return r;
}

static const live_collector collectors[] = {
	live_collect_futex, live_collect_lock, live_collect_child, live_collect_transfer,
	live_collect_poll, live_collect_sysv, live_collect_mq, NULL
};

/* Without these nobody would be seen to be stuck, which is not to say that nobody is. */
static int check_proc(int root)
{
	struct live_runs runs;
	int r = sys_result(faccessat(root, "self/syscall", F_OK, 0));

	if (r)
		return r;
	r = live_runs_read(root, getpid(), getpid(), &runs);
	return r == -EBADMSG || r == -ENOENT ? -EOPNOTSUPP : r;
}

int ipckit_live_scan(const struct ipckit_live_options *options, struct ipckit_live *out)
{
	int root, r = proc_open("/proc", &root);

	if (r)
		return r;
	r = check_proc(root);
	if (!r)
		r = live_look(root, options, collectors, out);
	close(root);
	return r;
}

void ipckit_live_free(struct ipckit_live *live)
{
	for (size_t i = 0; i < live->nedges; i++)
		live_edge_free(&live->edges[i]);
	free(live->nodes);
	free(live->edges);
	free(live->levels);
	ipckit_system_free(&live->system);
	ipckit_detection_free(&live->detection);
	ipckit_core_free(&live->core);
	ipckit_cycle_free(&live->cycle);
	texts_free(&live->texts);
	*live = (struct ipckit_live){ 0 };
}
