/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

/* Points in time, as ns of CLOCK_MONOTONIC; IPCKIT_FOREVER is one that never comes. */

#include <ipckit/deadline.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MS INT64_C(1000000)

static inline int64_t clock_read(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * CLOCK_SECOND + at.tv_nsec;
}

/* ns: from 0 to IPCKIT_FOREVER. */
static inline int64_t clock_after(int64_t at, int64_t ns)
{
	int64_t then;

	return ns == IPCKIT_FOREVER || __builtin_add_overflow(at, ns, &then) ? IPCKIT_FOREVER : then;
}

#endif
