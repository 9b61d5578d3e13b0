/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read-json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORTION 512 /* numbers that are read at once */

/* ---- dimensions ---- */

static int wrong_count(struct json_reader *reader, const struct dimension *dimension, uint64_t got, bool closed,
		       bool is_row, const char *what)
{
	struct json *json = &reader->json;
	const char *by = reader->key;
	bool first = is_row && dimension->by == by;
	char more[24] = "more";

	if (closed)
		snprintf(more, sizeof(more), "%" PRIu64, got);
	return problem_at(json->problem, json->place, "expected %s%" PRIu32 " %s%s as %s%s, got %s",
			  is_row ? "a row of " : "", dimension->count, what, dimension->count == 1 ? "" : "s",
			  first ? "the first one" : "in ", first ? "" : dimension->by, more);
}

int matrices_check_count(struct json_reader *reader, struct dimension *dimension, uint64_t count, bool is_row,
		       const char *what)
{
	if (!dimension->by)
		*dimension = (struct dimension){ .by = reader->key, .count = count };
	if (dimension->count == count)
		return 0;
	return wrong_count(reader, dimension, count, true, is_row, what);
}

static uint64_t most_of(const struct dimension *dimension)
{
	return dimension->by ? dimension->count : IPCKIT_NONE - 1;
}

/* ---- vectors and matrices ---- */

/* Takes n numbers of a row, of which `at` came before. */
typedef int take_fn(void *sink, uint32_t at, const int64_t *counts, size_t n);

static int read_numbers(struct json_reader *reader, bool is_row, take_fn *take, void *sink)
{
	struct dimension *columns = &reader->matrices.columns;
	struct json *json = &reader->json;
	uint64_t most = most_of(columns), have = 0;
	int64_t counts[PORTION];
	struct json_list list;
	int r = json_begin(json, '[', is_row ? "[ (a row of numbers)" : "[ (numbers)", &list);

	while (!r && have < most) {
		size_t room = most - have < PORTION ? most - have : PORTION;
		ssize_t n = json_counts(json, &list, counts, room);

		if (n < 0)
			return n;
		r = take(sink, have, counts, n);
		have += n;
		if (!r && (size_t)n < room)
			return matrices_check_count(reader, columns, have, is_row, "number");
	}
	if (!r)
		r = json_next(json, &list);
	if (r > 0)
		return columns->by ? wrong_count(reader, columns, 0, false, is_row, "number") :
				     json_expected(json, "at most %" PRIu64 " numbers", most);
	return r ? r : matrices_check_count(reader, columns, have, is_row, "number");
}

static int take_vector(void *sink, uint32_t at, const int64_t *counts, size_t n)
{
	struct vector *vector = sink;

	(void)at;
	if (vector->room - vector->n < n) {
		size_t room = vector->room * 2 + PORTION;
		int64_t *more = reallocarray(vector->counts, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		vector->counts = more;
		vector->room = room;
	}
	memcpy(vector->counts + vector->n, counts, n * sizeof(*counts));
	vector->n += n;
	return 0;
}

static int take_row(void *sink, uint32_t at, const int64_t *counts, size_t n)
{
	return ipckit_rows_add_counts(sink, at, counts, n);
}

static int read_vector(struct json_reader *reader, struct vector *vector)
{
	json_peek(&reader->json);
	vector->place = reader->json.place;
	/* An empty one is there, too. */
	vector->counts = malloc(PORTION * sizeof(*vector->counts));
	vector->room = PORTION;
	return vector->counts ? read_numbers(reader, false, take_vector, vector) : -ENOMEM;
}

int matrices_read_existing(struct json_reader *reader)
{
	return read_vector(reader, &reader->matrices.existing);
}

int matrices_read_available(struct json_reader *reader)
{
	return read_vector(reader, &reader->matrices.available);
}

static int read_matrix(struct json_reader *reader, struct ipckit_rows_builder *builder)
{
	struct dimension *rows = &reader->matrices.rows;
	struct json *json = &reader->json;
	struct json_list list;
	int r = json_begin(json, '[', "[ (rows of numbers)", &list);

	if (r)
		return r;
	while ((r = json_next(json, &list)) > 0) {
		if (builder->nrows == most_of(rows))
			return rows->by ? wrong_count(reader, rows, 0, false, false, "row") :
					  json_expected(json, "at most %" PRIu32 " rows", IPCKIT_NONE - 1);
		r = read_numbers(reader, true, take_row, builder);
		if (!r)
			r = ipckit_rows_end(builder);
		if (r)
			return r;
	}
	return r ? r : matrices_check_count(reader, rows, builder->nrows, false, "row");
}

int matrices_read_allocation(struct json_reader *reader)
{
	return read_matrix(reader, &reader->matrices.allocation);
}

int matrices_read_request(struct json_reader *reader)
{
	return read_matrix(reader, &reader->matrices.request);
}

int matrices_read_claim(struct json_reader *reader)
{
	return read_matrix(reader, &reader->matrices.claim);
}

/* ---- the model ---- */

int matrices_finish(struct json_reader *reader, struct model *model)
{
	struct matrices *matrices = &reader->matrices;
	struct ipckit_system *system = &model->system;
	struct place place = matrices->existing.counts ? matrices->existing.place : matrices->available.place;

	model->form = FORM_JSON;
	system->nprocesses = matrices->rows.count;
	system->nresources = matrices->columns.count;
	system->existing = matrices->existing.counts;
	system->available = matrices->available.counts;
	system->allocation = matrices->allocation.rows;
	system->request = matrices->request.rows;
	system->claim = matrices->claim.rows;
	*matrices = (struct matrices){ 0 };
	model->processes = reader->processes.names;
	model->resources = reader->resources.names;
	reader->processes.names = reader->resources.names = (struct names){ 0 };
	return model_complete(model, place, reader->json.problem);
}

void matrices_free(struct matrices *matrices)
{
	free(matrices->existing.counts);
	free(matrices->available.counts);
	ipckit_rows_free(&matrices->allocation.rows);
	ipckit_rows_free(&matrices->request.rows);
	ipckit_rows_free(&matrices->claim.rows);
}
