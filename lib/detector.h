/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_DETECTOR_H
#define LIB_DETECTOR_H

/*
 * The reduction of a system as a state that can be gone on with: processes that
 * can finish are taken out, what they hold becomes available, until nobody else
 * can finish. Availability only grows, so a process that is blocked is watched at
 * one resource that blocks it, and looked at again when that has enough.
 */

#include <ipckit/deadlock.h>

struct watch;

struct detector {
	const struct ipckit_system *system;
	const struct ipckit_rows *request, *any; /* the system's, or the banker's need and no rows */
	int64_t *available; /* by resource; of one that is preemptible it is what exists */
	bool *gone;         /* by process: finished, or ended by detector_kill() */
	uint32_t *order;    /* those that finished, in order; the killed are not among them */
	size_t norder;
	struct watch *watch; /* detector.c's */
};

/* any: may have no cells. Returns 0 or -ENOMEM; with 0 detector_end() frees what it has. */
int detector_begin(struct detector *detector, const struct ipckit_system *system,
		   const struct ipckit_rows *request, const struct ipckit_rows *any);
/* An equal state of its own. 0 or -ENOMEM. */
int detector_copy(const struct detector *from, struct detector *to);
void detector_end(struct detector *detector);

/* Takes out all that can finish. Cannot fail: all the memory it needs is there since begin. */
void detector_run(struct detector *detector);
/* Ends a process that is not gone; detector_run() then tells who can go on. */
void detector_kill(struct detector *detector, uint32_t process);

/* The first resource of which the process wants more than is available; false where it is not blocked.
 * Of a process that waits for any of several, the first of these. */
bool detector_blocked(const struct detector *detector, uint32_t process, struct ipckit_block *out);

#endif
