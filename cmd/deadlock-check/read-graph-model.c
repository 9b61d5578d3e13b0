/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read-graph.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- nodes ---- */

enum class { WAITS, WAITS_ANY, HOLDS, CLASSES };

/* The cells of one matrix, in the order of the input. */
struct cells {
	struct ipckit_cell *cell;
	uint32_t *line;
	struct written_columns columns;
	int64_t *count; /* NULL: each is 1 */
	size_t size, filled;
	bool counted;   /* some are not 1 */
};

struct maker {
	struct written *graph;
	struct model *model;
	struct problem *problem;
	struct ipckit_cell *edges; /* the graph's; cells take their place */
	const uint32_t *lines;
	uint32_t *number; /* of each node: a process's, or the number of processes and a resource's on top */
	uint32_t nprocesses, nnamed;
	uint32_t *end;    /* by process: its end, numbered from 0; NULL: nobody waits for one */
	struct cells of[CLASSES];
};

/* An R and digits. */
static bool is_numbered_resource(const char *name)
{
	return name[0] == 'R' && name[1] && !name[1 + strspn(name + 1, "0123456789")];
}

static bool is_resource(const struct written *graph, uint32_t node)
{
	unsigned flags = written_flags(graph, node);

	if (flags & (GRAPH_RESOURCE | GRAPH_PROCESS))
		return flags & GRAPH_RESOURCE;
	return is_numbered_resource(names_get(&graph->nodes, node));
}

static int take_name(struct maker *maker, uint32_t node, bool resource)
{
	struct model *model = maker->model;
	const char *name = names_get(&maker->graph->nodes, node);

	return names_append(resource ? &model->resources : &model->processes, name, strlen(name));
}

/* Numbers processes and resources as they first appeared, and names them. */
static int number_nodes(struct maker *maker)
{
	struct written *graph = maker->graph;
	uint32_t count = graph->nodes.count, resources = 0, processes = 0;
	int r = 0;

	free(graph->nodes.slots);
	graph->nodes.slots = NULL;
	maker->number = malloc(count * sizeof(*maker->number));
	if (!maker->number)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		maker->number[i] = is_resource(graph, i);
		maker->nnamed += maker->number[i];
	}
	maker->nprocesses = count - maker->nnamed;
	for (uint32_t i = 0; !r && i < count; i++) {
		bool resource = maker->number[i];

		r = take_name(maker, i, resource);
		maker->number[i] = resource ? maker->nprocesses + resources++ : processes++;
	}
	names_free(&graph->nodes);
	return r;
}

static bool is_process(const struct maker *maker, uint32_t number)
{
	return number < maker->nprocesses;
}

static const char *name_of(const struct maker *maker, uint32_t number)
{
	const struct names *names = &maker->model->processes;
	const char *name;

	if (!is_process(maker, number)) {
		names = &maker->model->resources;
		number -= maker->nprocesses;
	}
	name = names_get(names, number);
	return quoted(name, strlen(name));
}

/* ---- edges ---- */

/* Goes along the edges: marks and columns are few, and in their order. */
struct walk {
	uint32_t edge, from, to, column;
	bool any;
	int64_t count;
	size_t next_mark, next_run;
};

#define WALK_START { .column = 1 }

static void look_at(const struct maker *maker, uint32_t edge, struct walk *walk)
{
	const struct written *graph = maker->graph;

	walk->edge = edge;
	walk->from = maker->edges[edge].row;
	walk->to = maker->edges[edge].column;
	walk->any = false;
	walk->count = 1;
	if (walk->next_mark < graph->nmarks && graph->marks[walk->next_mark].edge == edge) {
		walk->any = graph->marks[walk->next_mark].any;
		walk->count = graph->marks[walk->next_mark++].count;
	}
	if (walk->next_run < graph->columns.nruns && graph->columns.runs[walk->next_run].first == edge)
		walk->column = graph->columns.runs[walk->next_run++].column;
}

static struct place place_of_edge(const struct maker *maker, const struct walk *walk)
{
	return (struct place){ .line = maker->lines[walk->edge], .column = walk->column };
}

/* Puts numbers in place of nodes, which are all over the memory. */
static void number_edges(struct maker *maker)
{
	size_t count = maker->graph->nedges, ahead = 16;
	const uint32_t *number = maker->number;

	for (size_t i = 0; i < count; i++) {
		struct ipckit_cell *edge = &maker->edges[i];

		if (i + ahead < count) {
			__builtin_prefetch(&number[edge[ahead].row]);
			__builtin_prefetch(&number[edge[ahead].column]);
		}
		*edge = (struct ipckit_cell){ .row = number[edge->row], .column = number[edge->column] };
	}
}

static enum class class_of(const struct maker *maker, const struct walk *walk)
{
	if (!is_process(maker, walk->from))
		return HOLDS;
	return walk->any ? WAITS_ANY : WAITS;
}

static int check_edge(struct maker *maker, const struct walk *walk)
{
	struct problem *problem = maker->problem;
	struct place place = place_of_edge(maker, walk);
	bool from = is_process(maker, walk->from), to = is_process(maker, walk->to);

	if (!from && !to)
		return problem_at(problem, place, "expected a process at one end of an edge, got the resources %s and %s",
				  name_of(maker, walk->from), name_of(maker, walk->to));
	if (!from && walk->any)
		return problem_at(problem, place, "expected any on a wait, got it on what %s holds of %s",
				  name_of(maker, walk->to), name_of(maker, walk->from));
	if (from && to && walk->count != 1)
		return problem_at(problem, place, "expected no count on a wait for a process's end, got one on %s -> %s",
				  name_of(maker, walk->from), name_of(maker, walk->to));
	return 0;
}

/* Gives each process that others wait for an end. */
static int note_end(struct maker *maker, uint32_t process)
{
	struct ipckit_system *system = &maker->model->system;

	if (!maker->end) {
		maker->end = malloc(maker->nprocesses * sizeof(*maker->end));
		system->end_of = malloc(maker->nprocesses * sizeof(*system->end_of));
		if (!maker->end || !system->end_of)
			return -ENOMEM;
		memset(maker->end, 0xff, maker->nprocesses * sizeof(*maker->end));
	}
	if (maker->end[process] != IPCKIT_NONE)
		return 0;
	if (maker->nnamed + system->nends == IPCKIT_NONE - 1)
		return -ENOMEM;
	maker->end[process] = system->nends;
	system->end_of[system->nends++] = process;
	return 0;
}

/* Says what is wrong with the edges, and counts what will become of them. */
static int survey(struct maker *maker)
{
	struct walk walk = WALK_START;

	for (uint32_t i = 0; i < maker->graph->nedges; i++) {
		struct cells *cells;
		int r;

		look_at(maker, i, &walk);
		cells = &maker->of[class_of(maker, &walk)];
		cells->size++;
		cells->counted |= walk.count != 1;
		r = check_edge(maker, &walk);
		if (!r && is_process(maker, walk.from) && is_process(maker, walk.to))
			r = note_end(maker, walk.to);
		if (r)
			return r;
	}
	maker->of[HOLDS].size += maker->model->system.nends;
	return 0;
}

/* The largest class stays where the edges are: it is never ahead of those still to be looked at. */
static int make_room(struct maker *maker)
{
	struct written *graph = maker->graph;
	enum class largest = WAITS;

	for (enum class i = WAITS; i < CLASSES; i++)
		if (maker->of[i].size > maker->of[largest].size)
			largest = i;
	for (enum class i = WAITS; i < CLASSES; i++) {
		struct cells *cells = &maker->of[i];

		if (i == largest) {
			cells->cell = graph->edges;
			cells->line = graph->lines;
			graph->edges = NULL;
			graph->lines = NULL;
		} else if (cells->size) {
			cells->cell = reallocarray(NULL, cells->size, sizeof(*cells->cell));
			cells->line = reallocarray(NULL, cells->size, sizeof(*cells->line));
		}
		if (cells->counted)
			cells->count = reallocarray(NULL, cells->size, sizeof(*cells->count));
		if (cells->size && (!cells->cell || !cells->line || (cells->counted && !cells->count)))
			return -ENOMEM;
	}
	return 0;
}

static int add_cell(struct cells *cells, uint32_t process, uint32_t resource, int64_t count, struct place place)
{
	size_t i = cells->filled++;

	cells->cell[i] = (struct ipckit_cell){ .row = process, .column = resource };
	cells->line[i] = place.line;
	if (cells->count)
		cells->count[i] = count;
	return written_columns_add(&cells->columns, i, place.column);
}

static int distribute(struct maker *maker)
{
	const struct ipckit_system *system = &maker->model->system;
	uint32_t nprocesses = maker->nprocesses;
	struct walk walk = WALK_START;

	int r = 0;

	for (uint32_t i = 0; !r && i < maker->graph->nedges; i++) {
		struct cells *cells;
		struct place place;

		look_at(maker, i, &walk);
		cells = &maker->of[class_of(maker, &walk)];
		place = place_of_edge(maker, &walk);
		if (!is_process(maker, walk.from))
			r = add_cell(cells, walk.to, walk.from - nprocesses, walk.count, place);
		else if (!is_process(maker, walk.to))
			r = add_cell(cells, walk.from, walk.to - nprocesses, walk.count, place);
		else
			r = add_cell(cells, walk.from, maker->nnamed + maker->end[walk.to], 1, place);
	}
	for (uint32_t i = 0; !r && i < system->nends; i++)
		r = add_cell(&maker->of[HOLDS], system->end_of[i], maker->nnamed + i, 1, (struct place){ .column = 1 });
	return r;
}

/* ---- resources ---- */

static int set_existing(struct maker *maker)
{
	struct ipckit_system *system = &maker->model->system;
	const struct written *graph = maker->graph;

	system->nprocesses = maker->nprocesses;
	system->nresources = maker->nnamed + system->nends;
	system->existing = malloc(((size_t)system->nresources ?: 1) * sizeof(*system->existing));
	if (!system->existing)
		return -ENOMEM;
	for (uint32_t i = 0; i < system->nresources; i++)
		system->existing[i] = 1;
	for (size_t i = 0; i < graph->ninstances; i++)
		system->existing[maker->number[graph->instances[i].resource] - maker->nprocesses] =
			graph->instances[i].count;
	return 0;
}

static int set_preemptible(struct maker *maker)
{
	struct ipckit_system *system = &maker->model->system;
	const struct written *graph = maker->graph;

	for (uint32_t i = 0; i < maker->nprocesses + maker->nnamed; i++) {
		if (!(written_flags(graph, i) & GRAPH_PREEMPTIBLE))
			continue;
		if (!system->preemptible)
			system->preemptible = calloc(system->nresources, sizeof(*system->preemptible));
		if (!system->preemptible)
			return -ENOMEM;
		system->preemptible[maker->number[i] - maker->nprocesses] = true;
	}
	return 0;
}

/* ---- the model ---- */

static void free_cells(struct cells *cells)
{
	free(cells->cell);
	free(cells->line);
	free(cells->columns.runs);
	free(cells->count);
	*cells = (struct cells){ 0 };
}

/* What the other classes took out of the largest one's arrays is given back. */
static void shrink(struct cells *cells)
{
	struct ipckit_cell *cell = reallocarray(cells->cell, cells->size, sizeof(*cell));
	uint32_t *line = reallocarray(cells->line, cells->size, sizeof(*line));

	cells->cell = cell ?: cells->cell;
	cells->line = line ?: cells->line;
}

/* From here on nothing goes by node or by edge any more. */
static int sort_edges(struct maker *maker)
{
	int r;

	number_edges(maker);
	r = survey(maker);
	r = r ?: set_existing(maker);
	r = r ?: set_preemptible(maker);
	r = r ?: make_room(maker);
	r = r ?: distribute(maker);
	for (enum class i = WAITS; !r && i < CLASSES; i++)
		if (maker->of[i].size)
			shrink(&maker->of[i]);
	free(maker->number);
	free(maker->end);
	maker->number = maker->end = NULL;
	return r;
}

static struct place place_of_cell(const struct cells *cells, size_t i)
{
	return (struct place){ .line = cells->line[i], .column = written_columns_get(&cells->columns, i) };
}

static bool is_end(const struct maker *maker, uint32_t resource)
{
	return resource >= maker->nnamed;
}

static int problem_twice(struct maker *maker, struct place place, const struct ipckit_cell *cell)
{
	const char *process = name_of(maker, cell->row);

	if (is_end(maker, cell->column))
		return problem_at(maker->problem, place,
				  "expected one wait of %s for the end of %s, got another", process,
				  name_of(maker, maker->model->system.end_of[cell->column - maker->nnamed]));
	return problem_at(maker->problem, place,
			  "expected each edge once, got that between %s and %s again (a count says how many)",
			  process, name_of(maker, maker->nprocesses + cell->column));
}

static int make_rows(struct maker *maker, struct cells *cells, struct ipckit_rows *out)
{
	size_t duplicate;
	int r = ipckit_rows_make(maker->nprocesses, cells->cell, cells->count, cells->size, &duplicate, out);

	if (r != -EEXIST)
		return r;
	return problem_twice(maker, place_of_cell(cells, duplicate), &cells->cell[duplicate]);
}

static bool is_requested(const struct ipckit_system *system, const struct ipckit_cell *cell)
{
	size_t low, high = ipckit_rows_of(&system->request, cell->row, &low);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (system->request.column[middle] == cell->column)
			return true;
		if (system->request.column[middle] < cell->column)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static struct place later_of(struct place a, struct place b)
{
	return a.line > b.line || (a.line == b.line && a.column > b.column) ? a : b;
}

/* The same end among what a process waits for all of and what it waits for any of: there is no second one to get. */
static int check_ends(struct maker *maker)
{
	const struct cells *any = &maker->of[WAITS_ANY], *waits = &maker->of[WAITS];

	for (size_t i = 0; i < any->size; i++) {
		const struct ipckit_cell *cell = &any->cell[i];
		size_t other = 0;

		if (!is_end(maker, cell->column) || !is_requested(&maker->model->system, cell))
			continue;
		while (waits->cell[other].row != cell->row || waits->cell[other].column != cell->column)
			other++;
		return problem_twice(maker, later_of(place_of_cell(any, i), place_of_cell(waits, other)), cell);
	}
	return 0;
}

/* The edge at which more is held than exists. */
static int find_excess(struct maker *maker, const struct cells *holds)
{
	struct ipckit_system *system = &maker->model->system;

	for (size_t i = 0; i < holds->size; i++) {
		uint32_t resource = holds->cell[i].column;
		int64_t count = holds->count ? holds->count[i] : 1;

		if (count > system->existing[resource])
			return problem_at(maker->problem, place_of_cell(holds, i),
					  "expected no more of %s to be held than exists, got %" PRId64
					  " for %s where %" PRId64 " is left",
					  name_of(maker, maker->nprocesses + resource), count,
					  name_of(maker, holds->cell[i].row), system->existing[resource]);
		system->existing[resource] -= count;
	}
	return -EBADMSG;
}

static int make_system(struct maker *maker, struct place place)
{
	struct ipckit_system *system = &maker->model->system;
	struct cells *of = maker->of;
	int r = make_rows(maker, &of[WAITS], &system->request);

	r = r ?: check_ends(maker);
	if (r)
		return r;
	free_cells(&of[WAITS]);
	r = make_rows(maker, &of[WAITS_ANY], &system->any);
	r = r ?: make_rows(maker, &of[HOLDS], &system->allocation);
	if (r)
		return r;
	r = model_complete(maker->model, place, maker->problem);
	return r == -EBADMSG ? find_excess(maker, &of[HOLDS]) : r;
}

int written_model(struct written *graph, struct place place, struct model *out, struct problem *problem)
{
	struct maker maker = { .graph = graph, .model = out, .problem = problem,
			       .edges = graph->edges, .lines = graph->lines };
	int r = number_nodes(&maker);

	r = r ?: sort_edges(&maker);
	r = r ?: make_system(&maker, place);
	for (enum class i = WAITS; i < CLASSES; i++)
		free_cells(&maker.of[i]);
	free(maker.number);
	free(maker.end);
	return r;
}
