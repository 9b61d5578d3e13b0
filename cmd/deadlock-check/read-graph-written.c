/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read-graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int grow(void *array, size_t *room, size_t need, size_t size)
{
	size_t wanted = *room ?: 64;
	void **at = array, *grown;

	if (need <= *room)
		return 0;
	while (wanted < need)
		wanted *= 2;
	grown = reallocarray(*at, wanted, size);
	if (!grown)
		return -ENOMEM;
	*at = grown;
	*room = wanted;
	return 0;
}

int written_declare(struct written *graph, uint32_t node, unsigned flags, int64_t instances)
{
	size_t had = graph->nflags;

	if (grow(&graph->flags, &graph->nflags, (size_t)node + 1, 1))
		return -ENOMEM;
	memset(graph->flags + had, 0, graph->nflags - had);
	graph->flags[node] = flags;
	if (instances == 1)
		return 0;
	if (grow(&graph->instances, &graph->instances_room, graph->ninstances + 1, sizeof(*graph->instances)))
		return -ENOMEM;
	graph->instances[graph->ninstances++] = (struct graph_instances){ node, instances };
	return 0;
}

int written_reserve_edges(struct written *graph, size_t count)
{
	size_t need = graph->nedges + count, room = graph->edges_room;

	if (need >= UINT32_MAX || grow(&graph->edges, &room, need, sizeof(*graph->edges)))
		return -ENOMEM;
	return grow(&graph->lines, &graph->edges_room, need, sizeof(*graph->lines));
}

int written_columns_begin(struct written_columns *columns, uint32_t first, uint32_t column)
{
	if (grow(&columns->runs, &columns->room, columns->nruns + 1, sizeof(*columns->runs)))
		return -ENOMEM;
	columns->runs[columns->nruns++] = (struct written_column){ .first = first, .column = column };
	columns->last = column - 1;
	return 0;
}

uint32_t written_columns_get(const struct written_columns *columns, uint32_t index)
{
	size_t low = 0, high = columns->nruns;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (columns->runs[middle].first <= index)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? columns->runs[low - 1].column : 1;
}

int written_mark(struct written *graph, uint32_t edge, bool any, int64_t count)
{
	if (grow(&graph->marks, &graph->marks_room, graph->nmarks + 1, sizeof(*graph->marks)))
		return -ENOMEM;
	graph->marks[graph->nmarks++] = (struct written_mark){ .edge = edge, .any = any, .count = count };
	return 0;
}

void written_free(struct written *graph)
{
	names_free(&graph->nodes);
	free(graph->flags);
	free(graph->instances);
	free(graph->edges);
	free(graph->lines);
	free(graph->columns.runs);
	free(graph->marks);
	*graph = (struct written){ 0 };
}
