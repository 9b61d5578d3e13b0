/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "detector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The resources that the banker lends: the ends of processes are none of his. */
static uint32_t lent(const struct ipckit_system *system)
{
	return system->nresources - system->nends;
}

static size_t cells_of(const struct ipckit_rows *rows, uint32_t nrows)
{
	return rows->start ? rows->start[nrows] : 0;
}

static int rows_alloc(uint32_t nrows, size_t ncells, struct ipckit_rows *out)
{
	struct ipckit_rows rows = {
		.start = calloc((size_t)nrows + 1, sizeof(*rows.start)),
		.column = calloc(ncells ?: 1, sizeof(*rows.column)),
		.count = calloc(ncells ?: 1, sizeof(*rows.count)),
	};

	if (!rows.start || !rows.column || !rows.count) {
		ipckit_rows_free(&rows);
		return -ENOMEM;
	}
	*out = rows;
	return 0;
}

static void append(struct ipckit_rows *rows, size_t *n, uint32_t column, int64_t count)
{
	if (count == 0)
		return;
	rows->column[*n] = column;
	rows->count[(*n)++] = count;
}

static int refuse(int error, struct ipckit_block block, struct ipckit_block *wrong)
{
	*wrong = block;
	return error;
}

/* Appends what a process may still ask for. */
static int need_of(const struct ipckit_system *system, uint32_t p, struct ipckit_rows *need, size_t *n,
		   struct ipckit_block *wrong)
{
	const struct ipckit_rows *allocation = &system->allocation, *claim = &system->claim;
	size_t a, c, a_end = ipckit_rows_of(allocation, p, &a), c_end = ipckit_rows_of(claim, p, &c);

	for (; c < c_end && claim->column[c] < lent(system); c++) {
		uint32_t r = claim->column[c];
		int64_t most = ipckit_rows_count(claim, c), held = 0;

		if (a < a_end && allocation->column[a] < r)
			break;
		if (a < a_end && allocation->column[a] == r)
			held = ipckit_rows_count(allocation, a++);
		if (held > most)
			return refuse(-EINVAL, (struct ipckit_block){ p, r, held, most }, wrong);
		if (most > system->existing[r])
			return refuse(-ERANGE, (struct ipckit_block){ p, r, most, system->existing[r] }, wrong);
		append(need, n, r, most - held);
	}
	if (a < a_end && allocation->column[a] < lent(system))
		return refuse(-EINVAL,
			      (struct ipckit_block){ p, allocation->column[a],
						     ipckit_rows_count(allocation, a), 0 },
			      wrong);
	return 0;
}

static int make_need(const struct ipckit_system *system, struct ipckit_rows *out, struct ipckit_block *wrong)
{
	struct ipckit_rows need;
	size_t n = 0;
	int r = rows_alloc(system->nprocesses, cells_of(&system->claim, system->nprocesses), &need);

	if (r)
		return r;
	for (uint32_t p = 0; p < system->nprocesses && r == 0; p++) {
		r = need_of(system, p, &need, &n, wrong);
		need.start[p + 1] = n;
	}
	if (r)
		ipckit_rows_free(&need);
	else
		*out = need;
	return r;
}

/* The system as the banker sees it: he knows claims and allocation only. */
static struct ipckit_system books(const struct ipckit_system *system)
{
	struct ipckit_system copy = *system;

	copy.request = copy.any = (struct ipckit_rows){ 0 };
	copy.preemptible = NULL;
	copy.end_of = NULL;
	copy.nends = 0;
	return copy;
}

static int list_unfinished(const struct detector *detector, struct ipckit_safety *out)
{
	uint32_t nprocesses = detector->system->nprocesses;

	out->unfinished = calloc((nprocesses - detector->norder) ?: 1, sizeof(*out->unfinished));
	if (!out->unfinished)
		return -ENOMEM;
	for (uint32_t p = 0; p < nprocesses; p++)
		if (!detector->gone[p])
			out->unfinished[out->nunfinished++] = p;
	out->safe = out->nunfinished == 0;
	return 0;
}

static void *copy_of(const void *array, size_t count, size_t size)
{
	void *copy = calloc(count ?: 1, size);

	if (copy && count)
		memcpy(copy, array, count * size);
	return copy;
}

static int report(const struct detector *detector, struct ipckit_safety *out)
{
	struct ipckit_safety safety = {
		.sequence = copy_of(detector->order, detector->norder, sizeof(*safety.sequence)),
		.nsequence = detector->norder,
		.available = copy_of(detector->available, detector->system->nresources,
				     sizeof(*safety.available)),
	};
	int r = -ENOMEM;

	if (safety.sequence && safety.available)
		r = list_unfinished(detector, &safety);
	if (r)
		ipckit_safety_free(&safety);
	else
		*out = safety;
	return r;
}

/* Lets every process ask for all its need at once: whoever can finish so can finish in any way. */
static int judge(const struct ipckit_system *system, const struct ipckit_rows *need,
		 struct ipckit_safety *out)
{
	static const struct ipckit_rows nothing;
	struct detector detector;
	int r = detector_begin(&detector, system, need, &nothing);

	if (r)
		return r;
	detector_run(&detector);
	r = report(&detector, out);
	detector_end(&detector);
	return r;
}

int ipckit_banker_safe(const struct ipckit_system *system, struct ipckit_block *wrong,
		       struct ipckit_safety *out)
{
	struct ipckit_system state = books(system);
	struct ipckit_rows need;
	int r = make_need(system, &need, wrong);

	if (r)
		return r;
	r = judge(&state, &need, out);
	ipckit_rows_free(&need);
	return r;
}

void ipckit_safety_free(struct ipckit_safety *safety)
{
	free(safety->sequence);
	free(safety->unfinished);
	free(safety->available);
	memset(safety, 0, sizeof(*safety));
}

static bool beyond_claim(const struct ipckit_system *system, const struct ipckit_rows *need, uint32_t p,
			 const int64_t *vector, struct ipckit_block *block)
{
	size_t cell, end = ipckit_rows_of(need, p, &cell);

	for (uint32_t r = 0; r < system->nresources; r++) {
		bool needed = cell < end && need->column[cell] == r;
		int64_t left = needed ? need->count[cell++] : 0;

		if (vector[r] > left) {
			*block = (struct ipckit_block){ p, r, vector[r], left };
			return true;
		}
	}
	return false;
}

static bool unavailable(const struct ipckit_system *system, uint32_t p, const int64_t *vector,
			struct ipckit_block *block)
{
	for (uint32_t r = 0; r < system->nresources; r++)
		if (vector[r] > system->available[r]) {
			*block = (struct ipckit_block){ p, r, vector[r], system->available[r] };
			return true;
		}
	return false;
}

/* Appends row p of rows, with vector added. */
static void raise_row(const struct ipckit_rows *rows, uint32_t p, const int64_t *vector,
		      uint32_t nresources, struct ipckit_rows *to, size_t *n)
{
	size_t cell, end = ipckit_rows_of(rows, p, &cell);

	for (uint32_t r = 0; r < nresources; r++) {
		bool here = cell < end && rows->column[cell] == r;

		append(to, n, r, vector[r] + (here ? ipckit_rows_count(rows, cell++) : 0));
	}
}

static int raise_allocation(const struct ipckit_system *system, uint32_t process, const int64_t *vector,
			    struct ipckit_rows *out)
{
	const struct ipckit_rows *from = &system->allocation;
	size_t n = 0;
	int r = rows_alloc(system->nprocesses,
			   cells_of(from, system->nprocesses) + system->nresources, out);

	if (r)
		return r;
	for (uint32_t p = 0; p < system->nprocesses; p++) {
		size_t cell, end = ipckit_rows_of(from, p, &cell);

		if (p == process)
			raise_row(from, p, vector, system->nresources, out, &n);
		else
			for (; cell < end; cell++)
				append(out, &n, from->column[cell], ipckit_rows_count(from, cell));
		out->start[p + 1] = n;
	}
	return 0;
}

/* The cells of a need may fall to 0: nobody is blocked by these. */
static void lower_need(struct ipckit_rows *need, uint32_t p, const int64_t *vector)
{
	for (size_t cell = need->start[p]; cell < need->start[p + 1]; cell++)
		need->count[cell] -= vector[need->column[cell]];
}

/* Judges the state in which process has what it asks for. */
static int judge_after(const struct ipckit_system *system, struct ipckit_rows *need, uint32_t process,
		       const int64_t *vector, struct ipckit_safety *out)
{
	struct ipckit_system state = books(system);
	int r = raise_allocation(system, process, vector, &state.allocation);

	if (r)
		return r;
	lower_need(need, process, vector);
	state.available = copy_of(system->available, system->nresources, sizeof(*state.available));
	if (!state.available)
		r = -ENOMEM;
	for (uint32_t i = 0; i < system->nresources && r == 0; i++)
		state.available[i] -= vector[i];
	if (r == 0)
		r = judge(&state, need, out);
	free(state.available);
	ipckit_rows_free(&state.allocation);
	return r;
}

int ipckit_banker_request(const struct ipckit_system *system, uint32_t process, const int64_t *vector,
			  struct ipckit_block *wrong, struct ipckit_grant *out)
{
	struct ipckit_grant grant = { .verdict = IPCKIT_GRANTED };
	struct ipckit_rows need;
	int r = make_need(system, &need, wrong);

	if (r)
		return r;
	if (beyond_claim(system, &need, process, vector, &grant.block))
		grant.verdict = IPCKIT_BEYOND_CLAIM;
	else if (unavailable(system, process, vector, &grant.block))
		grant.verdict = IPCKIT_UNAVAILABLE;
	else
		r = judge_after(system, &need, process, vector, &grant.after);
	if (grant.verdict == IPCKIT_GRANTED && !grant.after.safe)
		grant.verdict = IPCKIT_UNSAFE;
	ipckit_rows_free(&need);
	if (r == 0)
		*out = grant;
	return r;
}

void ipckit_grant_free(struct ipckit_grant *grant)
{
	ipckit_safety_free(&grant->after);
	memset(grant, 0, sizeof(*grant));
}
