/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "detector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How many are blocked before the first that is not, if one is not. */
static size_t count_blocked(const struct detector *detector, uint32_t *process)
{
	struct ipckit_block block;
	size_t n = 0;

	for (uint32_t p = 0; p < detector->system->nprocesses; p++) {
		if (detector->gone[p])
			continue;
		if (!detector_blocked(detector, p, &block)) {
			*process = p;
			return n;
		}
		n++;
	}
	*process = IPCKIT_NONE;
	return n;
}

/* One turn; whoever can finish is taken out. */
static int make_step(struct detector *detector, struct ipckit_step *step)
{
	uint32_t nresources = detector->system->nresources;
	size_t n = count_blocked(detector, &step->process);

	step->blocked = array_of(n, sizeof(*step->blocked));
	step->available_after = array_of(nresources, sizeof(*step->available_after));
	if (!step->blocked || !step->available_after)
		return -ENOMEM;
	for (uint32_t p = 0; step->nblocked < n; p++)
		if (!detector->gone[p])
			detector_blocked(detector, p, &step->blocked[step->nblocked++]);
	if (step->process != IPCKIT_NONE)
		detector_kill(detector, step->process);
	memcpy(step->available_after, detector->available, nresources * sizeof(*step->available_after));
	return 0;
}

static int make_steps(struct detector *detector, struct ipckit_trace *out)
{
	uint32_t left = detector->system->nprocesses;
	int r = 0;

	out->steps = calloc((size_t)left + 1, sizeof(*out->steps));
	if (!out->steps)
		return -ENOMEM;
	while (!r && left) {
		struct ipckit_step *step = &out->steps[out->nsteps++];

		r = make_step(detector, step);
		left = step->process == IPCKIT_NONE ? 0 : left - 1;
	}
	return r;
}

int ipckit_deadlock_trace(const struct ipckit_system *system, struct ipckit_trace *out)
{
	struct ipckit_trace trace = { 0 };
	struct detector detector;
	int r = detector_begin(&detector, system, &system->request, &system->any);

	if (r)
		return r;
	r = make_steps(&detector, &trace);
	detector_end(&detector);
	if (r)
		ipckit_trace_free(&trace);
	else
		*out = trace;
	return r;
}

void ipckit_trace_free(struct ipckit_trace *trace)
{
	for (size_t i = 0; i < trace->nsteps; i++) {
		free(trace->steps[i].blocked);
		free(trace->steps[i].available_after);
	}
	free(trace->steps);
	*trace = (struct ipckit_trace){ 0 };
}
