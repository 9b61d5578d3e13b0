/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ONE_CPU_H
#define ONE_CPU_H

#include "unit.h"

#include <sched.h>

/* This thread, and what it starts, stays on its processor: two that step each other take turns there in any case. */
static void stay_here(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	CHECK_INT(sched_setaffinity(0, sizeof(set), &set), 0);
}

#endif
