/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live-model.h"

#include <stdio.h>

const char *live_name(const struct ipckit_live_node *node, char name[LIVE_NAME])
{
	int n = snprintf(name, LIVE_NAME, "%.32s:%d", node->name ?: "?", (int)node->pid);

	if (node->tid)
		snprintf(name + n, LIVE_NAME - (size_t)n, "/%d", (int)node->tid);
	return name;
}

static size_t count_threads(const struct ipckit_live *live, const uint32_t *nodes, size_t count)
{
	size_t threads = 0;

	for (size_t i = 0; i < count; i++)
		threads += live->nodes[nodes[i]].tid != 0;
	return threads;
}

/* The component of the core that a node is in. */
static size_t component_of(const struct ipckit_core *core, uint32_t node)
{
	size_t c = 0, i = 0;

	while (core->processes[i] != node)
		i++;
	while (core->start[c + 1] <= i)
		c++;
	return c;
}

bool live_cycle_is_own(const struct ipckit_live *live)
{
	const struct ipckit_core *core = &live->core;
	const uint32_t *nodes = live->cycle.processes;
	size_t c;

	if (!live->cycle.length || count_threads(live, nodes, live->cycle.length) != 1)
		return false;
	c = component_of(core, nodes[0]);
	return count_threads(live, core->processes + core->start[c], core->start[c + 1] - core->start[c]) > 1;
}

size_t live_waits_of(const struct ipckit_live *live, uint32_t node, size_t *first)
{
	size_t low = 0, high = live->nedges, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (live->edges[middle].waiter < node)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < live->nedges && live->edges[end].waiter == node; end++)
		;
	*first = low;
	return end;
}
