/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_LIVE_MODEL_H
#define DEADLOCK_LIVE_MODEL_H

/* What was found among running processes, as data: names, a model, whom to end. Calls return 0 or -ENOMEM. */

#include "input.h"

#include <ipckit/live.h>

#define LIVE_NAME 64

int live_by_number(const void *a, const void *b); /* of uint32_t, for qsort(3) */

/* "COMM:PID" of a process, "COMM:PID/TID" of a thread. Returns name. */
const char *live_name(const struct ipckit_live_node *node, char name[LIVE_NAME]);

/* The waits of a node: edges from *first up to what is returned. */
size_t live_waits_of(const struct ipckit_live *live, uint32_t node, size_t *first);

/* Whether the cycle has but one thread, of a core of several: it waits for any in its own process, and that shows
 * nothing. */
bool live_cycle_is_own(const struct ipckit_live *live);

/*
 * Processes are the threads and, where it has several, a process that others wait for; it waits for any of its
 * threads. A resource is what is waited for, with an instance for each of its holders: all of them are requested, or
 * one. Who waits for what nobody holds wants more than exists, and waits for its own end besides, so that it is
 * deadlocked and not blocked. core and cycle are those of what was found, in the numbers of the model.
 */
struct live_model {
	struct model model;
	struct ipckit_core core;
	struct ipckit_cycle cycle;
};
int live_model_make(const struct ipckit_live *live, struct live_model *out);
void live_model_free(struct live_model *model);

/* The fewest processes, as far as they could be searched for, whose end leaves nobody stuck: one node of each, the
 * process itself or its first thread where that is stuck. nodes: freed by the caller. */
struct live_victims {
	uint32_t *nodes;
	size_t count;
};
int live_resolve(const struct ipckit_live *live, struct live_victims *out);

#endif
