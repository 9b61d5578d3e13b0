/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read-json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *quoted_name(const struct names *names, uint32_t number)
{
	const char *name = names_get(names, number);

	return quoted(name, strlen(name));
}

static int add_edge(struct edges *edges, uint32_t row, uint32_t column)
{
	return json_edges_add(edges, (struct ipckit_cell){ .row = row, .column = column }, 1);
}

/* ---- ends of processes ---- */

/* Gives each process that is waited for a number among the ends, in the order of the first waits. */
static int number_ends(const struct edges *ends, struct ipckit_system *system, uint32_t *numbers)
{
	for (size_t i = 0; i < ends->n; i++) {
		uint32_t process = ends->cells[i].column;

		if (numbers[process] == IPCKIT_NONE) {
			if (system->nresources == IPCKIT_NONE - 1)
				return -ENOMEM;
			numbers[process] = system->nresources++;
			system->end_of[system->nends++] = process;
		}
		ends->cells[i].column = numbers[process];
	}
	return 0;
}

/* Turns waits for the end of a process into waits for a resource that it holds. */
static int make_ends(struct graph *graph, struct ipckit_system *system)
{
	uint32_t named = system->nresources, nprocesses = system->nprocesses, *numbers;
	struct edges *ends = &graph->ends;
	int64_t *existing;
	int r;

	if (!ends->n)
		return 0;
	numbers = reallocarray(NULL, nprocesses, sizeof(*numbers));
	system->end_of = reallocarray(NULL, nprocesses, sizeof(*system->end_of));
	r = numbers && system->end_of ? 0 : -ENOMEM;
	if (!r) {
		memset(numbers, 0xff, nprocesses * sizeof(*numbers));
		r = number_ends(ends, system, numbers);
	}
	free(numbers);
	if (r)
		return r;
	existing = reallocarray(graph->existing, system->nresources, sizeof(*existing));
	if (!existing)
		return -ENOMEM;
	graph->existing = existing;
	for (uint32_t i = 0; !r && i < system->nends; i++) {
		existing[named + i] = 1;
		r = add_edge(&graph->holds, system->end_of[i], named + i);
	}
	for (size_t i = 0; !r && i < ends->n; i++)
		r = add_edge(&graph->waits, ends->cells[i].row, ends->cells[i].column);
	return r;
}

/* ---- what stands twice ---- */

static int say_twice(struct json_reader *reader, const struct edges *edges, size_t index)
{
	struct graph *graph = &reader->graph;
	const struct ipckit_cell *cell = &edges->cells[index];
	uint32_t named = reader->resources.names.count;
	struct problem *problem = reader->json.problem;
	const char *process = quoted_name(&reader->processes.names, cell->row);

	if (edges == &graph->waits && cell->column >= named)
		return problem_at(problem, places_get(&graph->ends.places, index - (graph->waits.n - graph->ends.n)),
				  "expected each pair once, got %s waiting for that end again", process);
	return problem_at(problem, places_get(&edges->places, index),
			  "expected each pair once, got %s and %s again: write it once, and a count", process,
			  quoted_name(&reader->resources.names, cell->column));
}

static int make_rows(struct json_reader *reader, struct edges *edges, struct ipckit_rows *out)
{
	size_t duplicate;
	int r = ipckit_rows_make(reader->processes.names.count, edges->cells, edges->counts, edges->n, &duplicate,
				 out);

	if (r == -EEXIST)
		return say_twice(reader, edges, duplicate);
	json_edges_free(edges);
	return r;
}

static int check_groups(struct json_reader *reader)
{
	const struct edges *groups = &reader->graph.groups;
	bool *seen = calloc(reader->processes.names.count + (size_t)1, sizeof(*seen));
	int r = seen ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < groups->n; i++) {
		uint32_t process = groups->cells[i].row;

		if (seen[process])
			r = problem_at(reader->json.problem, places_get(&groups->places, i),
				       "expected each process once in waits_any, got %s again",
				       quoted_name(&reader->processes.names, process));
		seen[process] = true;
	}
	free(seen);
	return r;
}

/* ---- the model ---- */

static int make_system(struct json_reader *reader, struct ipckit_system *system)
{
	struct graph *graph = &reader->graph;
	int r;

	system->nprocesses = reader->processes.names.count;
	system->nresources = reader->resources.names.count;
	r = check_groups(reader);
	if (!r)
		r = make_ends(graph, system);
	if (!r)
		r = make_rows(reader, &graph->holds, &system->allocation);
	if (!r)
		r = make_rows(reader, &graph->waits, &system->request);
	if (!r)
		r = make_rows(reader, &graph->any, &system->any);
	return r;
}

int graph_finish(struct json_reader *reader, struct model *model)
{
	int r = make_system(reader, &model->system);

	if (r)
		return r;
	model->form = FORM_GRAPH_JSON;
	model->has_request = true;
	model->system.existing = reader->graph.existing;
	reader->graph.existing = NULL;
	model->processes = reader->processes.names;
	model->resources = reader->resources.names;
	reader->processes.names = reader->resources.names = (struct names){ 0 };
	return model_complete(model, reader->graph.resources_at, reader->json.problem);
}

void graph_free(struct graph *graph)
{
	json_edges_free(&graph->holds);
	json_edges_free(&graph->waits);
	json_edges_free(&graph->any);
	json_edges_free(&graph->ends);
	json_edges_free(&graph->groups);
	free(graph->existing);
	free(graph->held);
}
