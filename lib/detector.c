/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "detector.h"
#include "heaps.h"
#include "rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Inputs that resolve at once are done by passes over all processes, and need no heaps. Another
 * pass follows as long as the last one took out one of PASS_WORTH of those that it looked at. */
#define PASSES_MAX 3
#define PASS_WORTH 16

/*
 * A large sparse system waits for memory rather than for arithmetic. So many processes are
 * taken at once, in rounds: what the next round reads of each is asked for before it begins.
 */
#define BATCH 32

/*
 * Each resource has a heap of those that are watched there. Node p stands for process p at
 * the cell of its request that blocks it, node nprocesses+i for cell i of the rows of any.
 * What is gone stays in its heaps until it comes to the top.
 */
struct watch {
	uint32_t *met;  /* by process: the first cells of its request, found to be available */
	struct heaps heaps; /* by resource */
	size_t nnodes;
	bool passed, watched; /* the passes are done; the heaps are in use */
	uint32_t woken[BATCH], nwoken;
	uint32_t nkilled;     /* whose releases nobody was woken for yet: at the end of order, the last one first */
};

/* ---- rows ---- */

/* A row with a cell for each resource needs no look at its columns. */
static bool is_complete(const struct detector *detector, size_t ncells)
{
	return ncells == detector->system->nresources;
}

/* The first cell from `at` on of which there is not enough, or end. */
static size_t find_short(const struct detector *detector, size_t first, size_t at, size_t end)
{
	const int64_t *available = detector->available, *count = detector->request->count;
	const uint32_t *column = detector->request->column;

	if (!count)
		while (at < end && available[column[at]] >= 1)
			at++;
	else if (is_complete(detector, end - first))
		while (at < end && available[at - first] >= count[at])
			at++;
	else
		while (at < end && available[column[at]] >= count[at])
			at++;
	return at;
}

/* Whether the request is met; the scan goes on where it stopped, since what is met stays so. */
static bool request_met(struct detector *detector, uint32_t process)
{
	uint32_t *met = &detector->watch->met[process];
	size_t first, end = ipckit_rows_of(detector->request, process, &first);

	*met = find_short(detector, first, first + *met, end) - first;
	return first + *met == end;
}

/* What has to be available for an alternative, besides the request. False where no number is enough. */
static bool wanted_by(const struct detector *detector, uint32_t process, size_t cell, int64_t *out)
{
	int64_t requested = rows_find(detector->request, process, detector->any->column[cell]);

	return !__builtin_add_overflow(ipckit_rows_count(detector->any, cell), requested, out);
}

/* Whether one of the alternatives is there, or none is asked for. */
static bool any_met(const struct detector *detector, uint32_t process)
{
	size_t first, end = ipckit_rows_of(detector->any, process, &first);
	int64_t wanted;

	for (size_t i = first; i < end; i++)
		if (wanted_by(detector, process, i, &wanted) &&
		    detector->available[detector->any->column[i]] >= wanted)
			return true;
	return first == end;
}

/* Adds what a process holds to what is available. */
static void release(struct detector *detector, uint32_t process)
{
	const struct ipckit_rows *rows = &detector->system->allocation;
	const bool *preemptible = detector->system->preemptible;
	size_t first, end = ipckit_rows_of(rows, process, &first);
	int64_t *available = detector->available;

	if (!preemptible && rows->count && is_complete(detector, end - first)) {
		for (size_t i = first; i < end; i++)
			available[i - first] += rows->count[i];
		return;
	}
	for (size_t i = first; i < end; i++) {
		if (!preemptible || !preemptible[rows->column[i]])
			available[rows->column[i]] += ipckit_rows_count(rows, i);
		__builtin_prefetch(&detector->watch->heaps.heap[rows->column[i]]);
	}
}

static void finish(struct detector *detector, uint32_t process)
{
	const struct ipckit_rows *rows = &detector->system->allocation;
	size_t first, end = ipckit_rows_of(rows, process, &first);

	detector->gone[process] = true;
	detector->order[detector->norder++] = process;
	if (end > first) {
		__builtin_prefetch(&rows->column[first]);
		if (rows->count)
			__builtin_prefetch(&rows->count[first]);
	}
}

/* ---- watching ---- */

/* Once its request is met, a process is watched at all of its alternatives. */
static void watch_any(struct detector *detector, uint32_t process)
{
	size_t at, end = ipckit_rows_of(detector->any, process, &at);
	int64_t wanted;

	for (; at < end; at++)
		if (wanted_by(detector, process, at, &wanted))
			heaps_push(&detector->watch->heaps, detector->any->column[at],
				   detector->system->nprocesses + at, wanted);
}

/* Goes on with a process whose request may be met now: it finishes, or is watched at what blocks it. */
static void look_again(struct detector *detector, uint32_t process)
{
	const struct ipckit_rows *request = detector->request;
	size_t at, end;

	if (request_met(detector, process)) {
		if (any_met(detector, process))
			finish(detector, process);
		else
			watch_any(detector, process);
		return;
	}
	end = ipckit_rows_of(request, process, &at);
	at += detector->watch->met[process];
	if (at < end)
		heaps_push(&detector->watch->heaps, request->column[at], process,
			   ipckit_rows_count(request, at));
}

/* The process of a cell of any: the row that it is in. */
static uint32_t row_of(const struct detector *detector, size_t cell)
{
	const size_t *start = detector->any->start;
	uint32_t low = 0, high = detector->system->nprocesses;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (start[middle] <= cell)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The tops of the heaps that wake_for() will look at. */
static void fetch_tops(const struct detector *detector, uint32_t process)
{
	const struct ipckit_rows *rows = &detector->system->allocation;
	size_t at, end = ipckit_rows_of(rows, process, &at);

	if (end - at > BATCH)
		return;
	for (; at < end; at++)
		heaps_prefetch(&detector->watch->heaps, rows->column[at],
			       detector->available[rows->column[at]]);
}

static void look_at_woken(struct detector *detector)
{
	const struct ipckit_rows *request = detector->request;
	struct watch *watch = detector->watch;
	uint32_t n = watch->nwoken;

	watch->nwoken = 0;
	for (uint32_t i = 0; request->start && request->column && i < n; i++) {
		size_t at = request->start[watch->woken[i]] + watch->met[watch->woken[i]];

		__builtin_prefetch(&request->column[at]);
		if (request->count)
			__builtin_prefetch(&request->count[at]);
	}
	for (uint32_t i = 0; request->start && i < n; i++) {
		size_t first, end = ipckit_rows_of(request, watch->woken[i], &first);

		for (size_t at = first + watch->met[watch->woken[i]], j = 0; at < end && j < 4; j++, at++) {
			__builtin_prefetch(&detector->available[request->column[at]]);
			__builtin_prefetch(&watch->heaps.heap[request->column[at]]);
		}
	}
	for (uint32_t i = 0; i < n; i++)
		look_again(detector, watch->woken[i]);
}

/* A process to look at again, as soon as there are enough of them. */
static void wake(struct detector *detector, uint32_t process)
{
	struct watch *watch = detector->watch;

	if (watch->nwoken == BATCH)
		look_at_woken(detector);
	watch->woken[watch->nwoken++] = process;
	__builtin_prefetch(&watch->met[process]);
	if (detector->request->start)
		__builtin_prefetch(&detector->request->start[process]);
}

/* An alternative is only watched when the rest is met: whoever has it can finish. */
static void reached(struct detector *detector, uint32_t n)
{
	uint32_t nprocesses = detector->system->nprocesses;
	uint32_t process = n < nprocesses ? n : row_of(detector, n - nprocesses);

	if (detector->gone[process])
		return;
	if (n < nprocesses)
		wake(detector, process);
	else
		finish(detector, process);
}

/* Looks at those for whom there is enough now of what a process has released. */
static void wake_for(struct detector *detector, uint32_t process)
{
	const struct ipckit_rows *rows = &detector->system->allocation;
	size_t at, end = ipckit_rows_of(rows, process, &at);
	uint32_t n;

	for (; at < end; at++) {
		uint32_t resource = rows->column[at];

		while (heaps_pop(&detector->watch->heaps, resource, detector->available[resource], &n))
			reached(detector, n);
	}
}

/* Releases what those have who finished since, and looks at all who may go on by it. */
static size_t release_batch(struct detector *detector, size_t released)
{
	const uint32_t *order = detector->order + released;
	size_t n = detector->norder - released;

	if (n > BATCH)
		n = BATCH;
	for (size_t i = 0; i < n; i++)
		release(detector, order[i]);
	for (size_t i = 0; i < n; i++)
		fetch_tops(detector, order[i]);
	for (size_t i = 0; i < n; i++)
		wake_for(detector, order[i]);
	look_at_woken(detector);
	return n;
}

static void watch_all(struct detector *detector)
{
	struct watch *watch = detector->watch;

	watch->watched = true;
	watch->nkilled = 0;
	heaps_clear(&watch->heaps);
	for (uint32_t p = 0; p < detector->system->nprocesses; p++)
		if (!detector->gone[p])
			wake(detector, p);
	look_at_woken(detector);
}

static void wake_killed(struct detector *detector)
{
	uint32_t at = detector->system->nprocesses - detector->watch->nkilled;

	detector->watch->nkilled = 0;
	for (; at < detector->system->nprocesses; at++)
		wake_for(detector, detector->order[at]);
	look_at_woken(detector);
}

/* Looks at each process once. Returns how many are left. */
static size_t pass(struct detector *detector)
{
	size_t left = 0;

	for (uint32_t p = 0; p < detector->system->nprocesses; p++) {
		if (detector->gone[p])
			continue;
		if (request_met(detector, p) && any_met(detector, p)) {
			finish(detector, p);
			release(detector, p);
		} else {
			left++;
		}
	}
	return left;
}

/* Returns whether somebody may still be able to finish. */
static bool make_passes(struct detector *detector)
{
	for (unsigned i = 0; i < PASSES_MAX; i++) {
		size_t before = detector->norder, left = pass(detector), finished = detector->norder - before;

		if (!left || !finished)
			return false;
		if (finished < left / PASS_WORTH)
			break;
	}
	return true;
}

void detector_run(struct detector *detector)
{
	struct watch *watch = detector->watch;
	size_t released;

	if (!watch->passed) {
		watch->passed = true;
		if (!make_passes(detector)) {
			watch->nkilled = 0;
			return;
		}
	}
	released = detector->norder;
	if (watch->watched)
		wake_killed(detector);
	else
		watch_all(detector);
	while (released < detector->norder)
		released += release_batch(detector, released);
}

void detector_kill(struct detector *detector, uint32_t process)
{
	struct watch *watch = detector->watch;

	detector->gone[process] = true;
	release(detector, process);
	watch->nkilled++;
	detector->order[detector->system->nprocesses - watch->nkilled] = process;
}

/* ---- questions ---- */

static bool blocked_by(const struct detector *detector, uint32_t process, uint32_t resource,
		       int64_t requested, struct ipckit_block *out)
{
	*out = (struct ipckit_block){ .process = process, .resource = resource, .requested = requested,
				      .available = detector->available[resource] };
	return true;
}

bool detector_blocked(const struct detector *detector, uint32_t process, struct ipckit_block *out)
{
	size_t first, end = ipckit_rows_of(detector->request, process, &first);
	size_t at = find_short(detector, first, first, end);
	int64_t wanted;

	if (at < end)
		return blocked_by(detector, process, detector->request->column[at],
				  ipckit_rows_count(detector->request, at), out);
	if (any_met(detector, process))
		return false;
	ipckit_rows_of(detector->any, process, &at);
	if (!wanted_by(detector, process, at, &wanted))
		wanted = INT64_MAX;
	return blocked_by(detector, process, detector->any->column[at], wanted, out);
}

/* ---- making and freeing ---- */

static int make_arrays(struct detector *detector, size_t nnodes)
{
	uint32_t nprocesses = detector->system->nprocesses, nresources = detector->system->nresources;
	struct watch *watch = calloc(1, sizeof(*watch));

	detector->watch = watch;
	if (!watch)
		return -ENOMEM;
	detector->available = array_of(nresources, sizeof(*detector->available));
	detector->gone = calloc((size_t)nprocesses + 1, sizeof(*detector->gone));
	detector->order = array_of(nprocesses, sizeof(*detector->order));
	watch->met = calloc((size_t)nprocesses + 1, sizeof(*watch->met));
	watch->nnodes = nnodes;
	if (heaps_alloc(&watch->heaps, nresources, nnodes))
		return -ENOMEM;
	return detector->available && detector->gone && detector->order && watch->met ? 0 : -ENOMEM;
}

static int64_t available_at_first(const struct ipckit_system *system, uint32_t r)
{
	return system->preemptible && system->preemptible[r] ? system->existing[r] : system->available[r];
}

int detector_begin(struct detector *detector, const struct ipckit_system *system,
		   const struct ipckit_rows *request, const struct ipckit_rows *any)
{
	struct detector made = { .system = system, .request = request, .any = any };
	size_t nnodes = system->nprocesses + (any->start ? any->start[system->nprocesses] : 0);
	int r = nnodes < IPCKIT_NONE ? make_arrays(&made, nnodes) : -ENOMEM;

	if (r) {
		detector_end(&made);
		return r;
	}
	for (uint32_t i = 0; i < system->nresources; i++)
		made.available[i] = available_at_first(system, i);
	*detector = made;
	return 0;
}

int detector_copy(const struct detector *from, struct detector *to)
{
	uint32_t nprocesses = from->system->nprocesses, nresources = from->system->nresources;
	struct detector made = { .system = from->system, .request = from->request, .any = from->any };
	int r = make_arrays(&made, from->watch->nnodes);

	if (r) {
		detector_end(&made);
		return r;
	}
	made.norder = from->norder;
	memcpy(made.available, from->available, nresources * sizeof(*made.available));
	memcpy(made.gone, from->gone, nprocesses * sizeof(*made.gone));
	memcpy(made.watch->met, from->watch->met, nprocesses * sizeof(*made.watch->met));
	made.watch->passed = from->watch->passed;
	made.watch->watched = from->watch->watched;
	made.watch->nkilled = from->watch->nkilled;
	memcpy(made.order, from->order, nprocesses * sizeof(*made.order));
	if (from->watch->watched)
		heaps_copy(&from->watch->heaps, &made.watch->heaps);
	*to = made;
	return 0;
}

void detector_end(struct detector *detector)
{
	free(detector->available);
	free(detector->gone);
	free(detector->order);
	if (detector->watch) {
		free(detector->watch->met);
		heaps_free(&detector->watch->heaps);
		free(detector->watch);
	}
	*detector = (struct detector){ 0 };
}
