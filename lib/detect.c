/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "detector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the textbook's loop by itself: what the detector is held against shares nothing with it ---- */

static bool classic_can_finish(const struct ipckit_system *system, const int64_t *available, uint32_t p)
{
	size_t first, end = ipckit_rows_of(&system->request, p, &first), any, any_end;

	for (size_t i = first; i < end; i++)
		if (ipckit_rows_count(&system->request, i) > available[system->request.column[i]])
			return false;
	any_end = ipckit_rows_of(&system->any, p, &any);
	if (any == any_end)
		return true;
	for (; any < any_end; any++) {
		uint32_t resource = system->any.column[any];
		int64_t left = available[resource];

		for (size_t i = first; i < end; i++)
			if (system->request.column[i] == resource)
				left -= ipckit_rows_count(&system->request, i);
		if (left >= ipckit_rows_count(&system->any, any))
			return true;
	}
	return false;
}

static void classic_finish(const struct ipckit_system *system, uint32_t p, struct ipckit_detection *out)
{
	size_t i, end = ipckit_rows_of(&system->allocation, p, &i);

	for (; i < end; i++) {
		uint32_t resource = system->allocation.column[i];

		if (!system->preemptible || !system->preemptible[resource])
			out->available[resource] += ipckit_rows_count(&system->allocation, i);
	}
	out->stuck[p] = false;
	out->order[out->norder++] = p;
}

static int detect_classic(const struct ipckit_system *system, struct ipckit_detection *out)
{
	uint32_t p = 0;

	out->available = array_of(system->nresources, sizeof(*out->available));
	out->stuck = array_of(system->nprocesses, sizeof(*out->stuck));
	out->order = array_of(system->nprocesses, sizeof(*out->order));
	if (!out->available || !out->stuck || !out->order)
		return -ENOMEM;
	for (uint32_t r = 0; r < system->nresources; r++)
		out->available[r] = system->preemptible && system->preemptible[r] ?
				    system->existing[r] : system->available[r];
	memset(out->stuck, true, system->nprocesses);
	while (p < system->nprocesses) {
		if (out->stuck[p] && classic_can_finish(system, out->available, p)) {
			classic_finish(system, p, out);
			p = 0;
		} else {
			p++;
		}
	}
	return 0;
}

/* ---- detection ---- */

/* The detector's arrays become the answer's. */
static int detect_watch(const struct ipckit_system *system, struct ipckit_detection *out)
{
	struct detector detector;
	int r = detector_begin(&detector, system, &system->request, &system->any);

	if (r)
		return r;
	detector_run(&detector);
	out->available = detector.available;
	out->order = detector.order;
	out->norder = detector.norder;
	out->stuck = detector.gone;
	for (uint32_t p = 0; p < system->nprocesses; p++)
		out->stuck[p] = !out->stuck[p];
	detector.available = NULL;
	detector.order = NULL;
	detector.gone = NULL;
	detector_end(&detector);
	return 0;
}

/* Parts the stuck into those that hold something and those that do not. */
static int divide(const struct ipckit_system *system, struct ipckit_detection *out)
{
	size_t nstuck = system->nprocesses - out->norder, first;

	for (uint32_t p = 0; p < system->nprocesses; p++)
		out->ndead += out->stuck[p] && ipckit_rows_of(&system->allocation, p, &first) > first;
	out->dead = array_of(out->ndead, sizeof(*out->dead));
	out->behind = array_of(nstuck - out->ndead, sizeof(*out->behind));
	if (!out->dead || !out->behind)
		return -ENOMEM;
	out->deadlocked = out->ndead > 0;
	out->ndead = 0;
	for (uint32_t p = 0; p < system->nprocesses; p++) {
		if (!out->stuck[p])
			continue;
		if (ipckit_rows_of(&system->allocation, p, &first) > first)
			out->dead[out->ndead++] = p;
		else
			out->behind[out->nbehind++] = p;
	}
	return 0;
}

int ipckit_deadlock_detect(const struct ipckit_system *system, enum ipckit_algorithm algorithm,
			   struct ipckit_detection *out)
{
	struct ipckit_detection detection = { 0 };
	int r = algorithm == IPCKIT_CLASSIC ? detect_classic(system, &detection)
					    : detect_watch(system, &detection);

	if (!r)
		r = divide(system, &detection);
	if (r)
		ipckit_detection_free(&detection);
	else
		*out = detection;
	return r;
}

void ipckit_detection_free(struct ipckit_detection *detection)
{
	free(detection->order);
	free(detection->dead);
	free(detection->behind);
	free(detection->available);
	free(detection->stuck);
	*detection = (struct ipckit_detection){ 0 };
}
