/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read-json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD 512 /* bytes */

static const char *quoted_name(const struct names *names, uint32_t number)
{
	const char *name = names_get(names, number);

	return quoted(name, strlen(name));
}

/* ---- edges ---- */

static int reserve_edges(struct edges *edges, bool with_counts)
{
	bool full = edges->n == edges->room;
	size_t room = full ? edges->room * 2 + 64 : edges->room;

	if (full) {
		struct ipckit_cell *cells = reallocarray(edges->cells, room, sizeof(*cells));

		if (!cells)
			return -ENOMEM;
		edges->cells = cells;
	}
	if (edges->counts ? full : with_counts) {
		int64_t *counts = reallocarray(edges->counts, room, sizeof(*counts));

		if (!counts)
			return -ENOMEM;
		for (size_t i = 0; !edges->counts && i < edges->n; i++)
			counts[i] = 1;
		edges->counts = counts;
	}
	edges->room = room;
	return 0;
}

int json_edges_add(struct edges *edges, struct ipckit_cell cell, int64_t count)
{
	if (edges->n >= UINT32_MAX - 1 || reserve_edges(edges, count != 1))
		return -ENOMEM;
	if (edges->counts)
		edges->counts[edges->n] = count;
	edges->cells[edges->n++] = cell;
	return 0;
}

static int add_edge_at(struct edges *edges, struct ipckit_cell cell, int64_t count, struct place place)
{
	int r = json_edges_add(edges, cell, count);

	return r ? r : places_add(&edges->places, place);
}

void json_edges_free(struct edges *edges)
{
	free(edges->cells);
	free(edges->counts);
	places_free(&edges->places);
	*edges = (struct edges){ 0 };
}

/* ---- names ---- */

/* Reads a name that is used. */
static int read_use(struct json *json, struct naming *naming, const char *what, uint32_t *out)
{
	uint32_t before = naming->names.count;
	int r = json_name(json, what);

	if (r)
		return r;
	if (!naming->declared) {
		r = names_intern(&naming->names, json->text, json->length, out);
		return r || naming->names.count == before ? r : places_add(&naming->first, json->place);
	}
	r = names_find(&naming->names, json->text, json->length, out);
	if (!r && *out == IPCKIT_NONE)
		return problem_at(json->problem, json->place, "expected %s that is declared, got %s", what,
				  quoted(json->text, json->length));
	return r;
}

/* Where the names that were used stand among those declared; the caller frees the map. */
static int map_uses(struct json *json, struct naming *naming, struct names *declared, const char *what,
		    uint32_t **out)
{
	uint32_t count = naming->names.count;
	uint32_t *map = reallocarray(NULL, count + (size_t)1, sizeof(*map));
	int r = map ? 0 : -ENOMEM;

	for (uint32_t i = 0; !r && i < count; i++) {
		const char *name = names_get(&naming->names, i);

		r = names_find(declared, name, strlen(name), &map[i]);
		if (!r && map[i] == IPCKIT_NONE)
			r = problem_at(json->problem, places_get(&naming->first, i),
				       "expected %s that is declared, got %s", what, quoted(name, strlen(name)));
	}
	if (r)
		free(map);
	else
		*out = map;
	return r;
}

static void declare(struct naming *naming, struct names *declared)
{
	struct names used = naming->names;

	naming->names = *declared;
	naming->declared = true;
	*declared = used;
	places_free(&naming->first);
}

static void renumber(struct edges *edges, const uint32_t *rows, const uint32_t *columns)
{
	for (size_t i = 0; i < edges->n; i++) {
		struct ipckit_cell *cell = &edges->cells[i];

		cell->row = rows ? rows[cell->row] : cell->row;
		cell->column = columns ? columns[cell->column] : cell->column;
	}
}

int graph_declare_processes(struct json_reader *reader, struct names *names)
{
	struct graph *graph = &reader->graph;
	uint32_t *map;
	int r = map_uses(&reader->json, &reader->processes, names, "a process", &map);

	if (r)
		return r;
	renumber(&graph->holds, map, NULL);
	renumber(&graph->waits, map, NULL);
	renumber(&graph->any, map, NULL);
	renumber(&graph->groups, map, NULL);
	renumber(&graph->ends, map, map);
	declare(&reader->processes, names);
	free(map);
	return 0;
}

/* ---- resources ---- */

static int reserve_held(struct graph *graph, size_t count)
{
	size_t room = count < graph->nheld * 2 ? graph->nheld * 2 : count;
	int64_t *held;

	if (count <= graph->nheld)
		return 0;
	held = reallocarray(graph->held, room, sizeof(*held));
	if (!held)
		return -ENOMEM;
	memset(held + graph->nheld, 0, (room - graph->nheld) * sizeof(*held));
	graph->held = held;
	graph->nheld = room;
	return 0;
}

static int declare_resources(struct json_reader *reader, struct names *names)
{
	struct graph *graph = &reader->graph;
	uint32_t *map, used = reader->resources.names.count;
	int64_t *held = calloc(names->count + (size_t)1, sizeof(*held));
	int r = held ? map_uses(&reader->json, &reader->resources, names, "a resource", &map) : -ENOMEM;

	if (r) {
		free(held);
		return r;
	}
	renumber(&graph->holds, NULL, map);
	renumber(&graph->waits, NULL, map);
	renumber(&graph->any, NULL, map);
	for (uint32_t i = 0; i < used && i < graph->nheld; i++)
		held[map[i]] = graph->held[i];
	free(graph->held);
	graph->held = held;
	graph->nheld = names->count;
	declare(&reader->resources, names);
	free(map);
	return 0;
}

/* What is held before it is known how much there is. */
static int64_t held_so_far(struct json_reader *reader, struct names *names, uint32_t resource, int *error)
{
	const char *name = names_get(names, resource);
	uint32_t used;

	*error = names_find(&reader->resources.names, name, strlen(name), &used);
	return *error || used == IPCKIT_NONE || used >= reader->graph.nheld ? 0 : reader->graph.held[used];
}

/* "NAME": COUNT */
static int read_resource(struct json_reader *reader, struct names *names, size_t *room)
{
	struct graph *graph = &reader->graph;
	struct json *json = &reader->json;
	int r = json_name(json, "a name of a resource in quotes");
	int64_t count, held;

	if (r)
		return r;
	r = json_add_name(json, names);
	if (!r)
		r = json_expect(json, ':', ": and how many there are");
	if (!r)
		r = json_count(json, &count);
	if (r)
		return r;
	held = held_so_far(reader, names, names->count - 1, &r);
	if (!r && held > count)
		return problem_at(json->problem, json->place,
				  "expected at least %" PRId64 ", which are held of it, got %" PRId64, held, count);
	if (!r && names->count > *room) {
		int64_t *existing = reallocarray(graph->existing, *room * 2, sizeof(*existing));

		if (!existing)
			return -ENOMEM;
		graph->existing = existing;
		*room *= 2;
	}
	if (!r)
		graph->existing[names->count - 1] = count;
	return r;
}

int graph_read_resources(struct json_reader *reader)
{
	struct names names = { 0 };
	struct json_list list;
	size_t room = 64;
	int r;

	reader->graph.existing = malloc(room * sizeof(*reader->graph.existing));
	if (!reader->graph.existing)
		return -ENOMEM;
	r = json_begin(&reader->json, '{', "{", &list);
	reader->graph.resources_at = reader->json.place;
	while (!r && (r = json_next(&reader->json, &list)) > 0)
		r = read_resource(reader, &names, &room);
	if (!r)
		r = declare_resources(reader, &names);
	names_free(&names);
	return r;
}

/* ---- values ---- */

static int check_held(struct json_reader *reader, uint32_t resource, int64_t count, struct place place)
{
	struct graph *graph = &reader->graph;
	struct naming *resources = &reader->resources;
	struct json *json = &reader->json;
	int64_t most = resources->declared ? graph->existing[resource] : INT64_MAX;
	int r = reserve_held(graph, resource + (size_t)1);

	if (r)
		return r;
	if (count > most - graph->held[resource])
		return problem_at(json->problem, place,
				  "expected at most %" PRId64 " of %s to be held, got %" PRId64 " besides the %" PRId64 " before",
				  most, quoted_name(&resources->names, resource), count, graph->held[resource]);
	graph->held[resource] += count;
	return 0;
}

/* The rest of [..., R] or [..., R, COUNT]. */
static int read_counted(struct json_reader *reader, struct json_list *list, uint32_t *resource, int64_t *count)
{
	struct json *json = &reader->json;
	int r = json_element(json, list, "a resource");

	*count = 1;
	if (!r)
		r = read_use(json, &reader->resources, "a resource", resource);
	if (!r)
		r = json_next(json, list);
	if (r <= 0)
		return r;
	r = json_count(json, count);
	if (!r && !*count)
		return problem_at(json->problem, json->place, "expected a count of at least 1, got 0");
	return r ? r : json_close(json, list);
}

static int read_process(struct json_reader *reader, struct json_list *list, uint32_t *out)
{
	int r = json_element(&reader->json, list, "a process");

	return r ? r : read_use(&reader->json, &reader->processes, "a process", out);
}

static int read_edge(struct json_reader *reader, struct edges *edges, bool held)
{
	struct json *json = &reader->json;
	struct ipckit_cell cell;
	struct json_list list;
	struct place place;
	int64_t count;
	int r = json_begin(json, '[', "[ (a process and a resource)", &list);

	place = json->place;
	if (!r)
		r = read_process(reader, &list, &cell.row);
	if (!r)
		r = read_counted(reader, &list, &cell.column, &count);
	if (!r && held)
		r = check_held(reader, cell.column, count, place);
	return r ? r : add_edge_at(edges, cell, count, place);
}

/*
 * Guesses which names come next, up to AHEAD bytes further on, and has their slots fetched: to
 * look up names one by one is to wait for memory most of the time. ahead: how far that was done,
 * as an offset in the input.
 */
static void fetch_names(const struct json_reader *reader, int64_t *ahead)
{
	const struct source *source = reader->json.source;
	int64_t now = source->offset + (source->next - source->buffer);
	const char *p = source->next, *end = source->end;

	if (*ahead > now)
		p += *ahead - now;
	if (end - source->next > AHEAD)
		end = source->next + AHEAD;
	while (p < end && (p = memchr(p, '"', end - p))) {
		const char *close = memchr(p + 1, '"', end - p - 1);

		if (!close)
			break;
		names_prefetch(p > source->next && p[-1] == '[' ? &reader->processes.names : &reader->resources.names,
			       p + 1, close - p - 1);
		p = close + 1;
		*ahead = now + (p - source->next);
	}
}

static int read_edges(struct json_reader *reader, struct edges *edges, bool held)
{
	struct json_list list;
	int64_t ahead = 0;
	int r = json_begin(&reader->json, '[', "[ (pairs of a process and a resource)", &list);

	while (!r && (r = json_next(&reader->json, &list)) > 0) {
		fetch_names(reader, &ahead);
		r = read_edge(reader, edges, held);
	}
	return r;
}

int graph_read_holds(struct json_reader *reader)
{
	return read_edges(reader, &reader->graph.holds, true);
}

int graph_read_waits(struct json_reader *reader)
{
	return read_edges(reader, &reader->graph.waits, false);
}

/* R or [R, COUNT] */
static int read_choice(struct json_reader *reader, uint32_t process)
{
	struct json *json = &reader->json;
	struct ipckit_cell cell = { .row = process };
	struct json_list list;
	struct place place;
	int64_t count = 1;
	int r = 0, c = json_peek(json);

	place = json->place;
	if (c != '[') {
		r = read_use(json, &reader->resources, "a resource", &cell.column);
	} else {
		r = json_begin(json, '[', "[", &list);
		if (!r)
			r = read_counted(reader, &list, &cell.column, &count);
	}
	return r ? r : add_edge_at(&reader->graph.any, cell, count, place);
}

/* [P, [R or [R, COUNT], ...]] */
static int read_group(struct json_reader *reader)
{
	struct json *json = &reader->json;
	struct ipckit_cell cell = { 0 };
	struct json_list list, choices;
	struct place place;
	int r = json_begin(json, '[', "[ (a process and a list of resources)", &list);

	place = json->place;
	if (!r)
		r = read_process(reader, &list, &cell.row);
	if (!r)
		r = add_edge_at(&reader->graph.groups, cell, 1, place);
	if (!r)
		r = json_element(json, &list, "a list of resources");
	if (!r)
		r = json_begin(json, '[', "[ (resources)", &choices);
	if (!r)
		r = json_element(json, &choices, "a resource");
	if (r)
		return r;
	do {
		r = read_choice(reader, cell.row);
	} while (!r && (r = json_next(json, &choices)) > 0);
	return r ? r : json_close(json, &list);
}

int graph_read_any(struct json_reader *reader)
{
	struct json_list list;
	int r = json_begin(&reader->json, '[', "[ (processes with lists of resources)", &list);

	while (!r && (r = json_next(&reader->json, &list)) > 0)
		r = read_group(reader);
	return r;
}

/* [P, Q] */
static int read_end(struct json_reader *reader)
{
	struct json *json = &reader->json;
	struct ipckit_cell cell;
	struct json_list list;
	struct place place;
	int r = json_begin(json, '[', "[ (two processes)", &list);

	place = json->place;
	if (!r)
		r = read_process(reader, &list, &cell.row);
	if (!r)
		r = read_process(reader, &list, &cell.column);
	if (!r)
		r = json_close(json, &list);
	return r ? r : add_edge_at(&reader->graph.ends, cell, 1, place);
}

int graph_read_ends(struct json_reader *reader)
{
	struct json_list list;
	int r = json_begin(&reader->json, '[', "[ (pairs of processes)", &list);

	while (!r && (r = json_next(&reader->json, &list)) > 0)
		r = read_end(reader);
	return r;
}
