/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Matrix Market exchange files, a matrix in each: coordinates (1-based), or
 * arrays column by column. R. F. Boisvert, R. Pozo, K. A. Remington, The Matrix
 * Market Exchange Formats: Initial Design, NISTIR 5935, 1996.
 */

#include "input.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST (IPCKIT_NONE - 1)
#define WINDOW INPUT_NAME_MAX /* bytes of a line that are looked at together */

/* Entries begin lines, with no gaps as a rule: where they do not, the line of the first after a gap. */
struct gap {
	size_t entry;
	uint64_t line;
};

struct mtx {
	struct source *source;
	struct problem *problem;
	bool array, pattern;
	uint64_t rows, columns, entries;
	struct ipckit_cell *cells;
	int64_t *counts; /* of each cell; NULL while all are 1 */
	size_t ncells, room;
	struct gap *gaps;
	size_t ngaps, gaps_room;
};

/* ---- bytes ---- */

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* To what is no blank, with a window of bytes after it. */
static inline const char *pass_blanks(struct source *source)
{
	do {
		while (is_blank(*source->next))
			source->next++;
		if (source->end - source->next >= WINDOW || source->ended)
			break;
		source_fill(source, WINDOW);
	} while (is_blank(*source->next));
	return source->next;
}

static int unexpected(const struct mtx *mtx, const char *expected)
{
	struct source *source = mtx->source;
	const char *at = source->next;
	struct place place = source_place(source, at);
	size_t length = 0;

	if (source->error)
		return source->error;
	if (at == source->end)
		return problem_at(mtx->problem, place, "expected %s, got the end of the file", expected);
	if (*at == '\n')
		return problem_at(mtx->problem, place, "expected %s, got the end of the line", expected);
	while (at + length < source->end && at[length] != '\n' && !is_blank(at[length]) && length < 64)
		length++;
	return problem_at(mtx->problem, place, "expected %s, got %s", expected, quoted(at, length));
}

/* Passes a number, which something else than a digit has to follow. */
static inline int read_number(struct mtx *mtx, uint64_t most, const char *expected, uint64_t *out)
{
	const char *start = pass_blanks(mtx->source), *at = start;
	uint64_t value = 0;

	for (; *at >= '0' && *at <= '9'; at++) {
		unsigned digit = *at - '0';

		if (value > (most - digit) / 10 || digit > most)
			return unexpected(mtx, expected);
		value = value * 10 + digit;
	}
	if (at == start || (*at != '\n' && !is_blank(*at) && at != mtx->source->end) ||
	    at - start >= WINDOW)
		return unexpected(mtx, expected);
	mtx->source->next = at;
	*out = value;
	return 0;
}

static inline int end_line(struct mtx *mtx)
{
	struct source *source = mtx->source;

	if (*source->next != '\n')
		pass_blanks(source);
	if (*source->next == '\n') {
		source_newline(source, source->next);
		source->next++;
		return 0;
	}
	return source->next == source->end ? source->error : unexpected(mtx, "the end of the line");
}

static int pass_empty_lines(struct mtx *mtx)
{
	int r = 0;

	while (!r && *pass_blanks(mtx->source) == '\n')
		r = end_line(mtx);
	return r;
}

/* ---- the head ---- */

/* Passes a word, in any case of letters. */
static bool read_word(struct source *source, const char *word)
{
	const char *at = pass_blanks(source);

	for (; *word; word++, at++) {
		char c = *at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at;

		if (c != *word)
			return false;
	}
	if (*at != '\n' && !is_blank(*at) && at != source->end)
		return false;
	source->next = at;
	return true;
}

static int read_banner(struct mtx *mtx)
{
	struct source *source = mtx->source;

	if (!read_word(source, "%%matrixmarket"))
		return unexpected(mtx, "%%MatrixMarket");
	if (!read_word(source, "matrix"))
		return unexpected(mtx, "matrix");
	mtx->array = read_word(source, "array");
	if (!mtx->array && !read_word(source, "coordinate"))
		return unexpected(mtx, "coordinate or array");
	mtx->pattern = !mtx->array && read_word(source, "pattern");
	if (!mtx->pattern && !read_word(source, "integer"))
		return unexpected(mtx, mtx->array ? "integer (counts are whole numbers)" :
						    "integer or pattern (counts are whole numbers)");
	if (!read_word(source, "general"))
		return unexpected(mtx, "general (rows are processes, columns resources: there is no symmetry)");
	return end_line(mtx);
}

static int read_head(struct mtx *mtx)
{
	int r = read_banner(mtx);

	while (!r && (*pass_blanks(mtx->source) == '%' || *mtx->source->next == '\n')) {
		source_pass_line(mtx->source);
		r = end_line(mtx);
	}
	if (!r)
		r = read_number(mtx, MOST, "the number of rows, up to 4294967294", &mtx->rows);
	if (!r)
		r = read_number(mtx, MOST, "the number of columns, up to 4294967294", &mtx->columns);
	if (mtx->array)
		mtx->entries = mtx->rows * mtx->columns;
	else if (!r)
		r = read_number(mtx, MOST, "the number of entries, up to 4294967294", &mtx->entries);
	return r ? r : end_line(mtx);
}

/* ---- entries ---- */

static int grow(struct mtx *mtx)
{
	size_t room = mtx->room + mtx->room / 2 + 1024;
	struct ipckit_cell *cells;

	if (room > mtx->entries)
		room = mtx->entries;
	cells = reallocarray(mtx->cells, room, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	mtx->cells = cells;
	if (mtx->counts) {
		int64_t *counts = reallocarray(mtx->counts, room, sizeof(*counts));

		if (!counts)
			return -ENOMEM;
		mtx->counts = counts;
	}
	mtx->room = room;
	return 0;
}

static int begin_counts(struct mtx *mtx)
{
	mtx->counts = reallocarray(NULL, mtx->room, sizeof(*mtx->counts));
	if (!mtx->counts)
		return -ENOMEM;
	for (size_t i = 0; i < mtx->ncells; i++)
		mtx->counts[i] = 1;
	return 0;
}

static inline int append(struct mtx *mtx, uint32_t row, uint32_t column, uint64_t count)
{
	int r = mtx->ncells == mtx->room ? grow(mtx) : 0;

	if (!r && count != 1 && !mtx->counts)
		r = begin_counts(mtx);
	if (r)
		return r;
	mtx->cells[mtx->ncells] = (struct ipckit_cell){ .row = row, .column = column };
	if (mtx->counts)
		mtx->counts[mtx->ncells] = count;
	mtx->ncells++;
	return 0;
}

/* entry is in the line of now. */
static int note_line(struct mtx *mtx, size_t entry)
{
	uint64_t line = mtx->source->lines + 1;
	const struct gap *last = mtx->ngaps ? &mtx->gaps[mtx->ngaps - 1] : NULL;

	if (last && line - last->line == entry - last->entry)
		return 0;
	if (mtx->ngaps == mtx->gaps_room) {
		size_t room = 2 * mtx->gaps_room + 4;
		struct gap *gaps = reallocarray(mtx->gaps, room, sizeof(*gaps));

		if (!gaps)
			return -ENOMEM;
		mtx->gaps = gaps;
		mtx->gaps_room = room;
	}
	mtx->gaps[mtx->ngaps++] = (struct gap){ .entry = entry, .line = line };
	return 0;
}

static uint64_t line_of(const struct mtx *mtx, size_t entry)
{
	size_t i = mtx->ngaps;

	while (i > 1 && mtx->gaps[i - 1].entry > entry)
		i--;
	return mtx->gaps[i - 1].line + (entry - mtx->gaps[i - 1].entry);
}

#define COUNT "a count, a whole number up to 9223372036854775807"

static inline int read_coordinate(struct mtx *mtx)
{
	uint64_t row, column, count = 1;
	int r = read_number(mtx, mtx->rows, "the number of a row, within the size", &row);

	if (!r && !row)
		return problem_at(mtx->problem, source_place(mtx->source, mtx->source->next - 1),
				  "rows are numbered from 1");
	if (!r)
		r = read_number(mtx, mtx->columns, "the number of a column, within the size", &column);
	if (!r && !column)
		return problem_at(mtx->problem, source_place(mtx->source, mtx->source->next - 1),
				  "columns are numbered from 1");
	if (!r && !mtx->pattern)
		r = read_number(mtx, INT64_MAX, COUNT, &count);
	return r ? r : append(mtx, row - 1, column - 1, count);
}

static int read_coordinates(struct mtx *mtx)
{
	for (uint64_t i = 0; i < mtx->entries; i++) {
		int r = pass_empty_lines(mtx);

		if (!r)
			r = note_line(mtx, i);
		if (!r && mtx->source->next == mtx->source->end)
			r = mtx->source->error ? mtx->source->error :
						 problem_at(mtx->problem,
							    source_place(mtx->source, mtx->source->next),
							    "expected %" PRIu64 " entries, got %" PRIu64,
							    mtx->entries, i);
		if (!r)
			r = read_coordinate(mtx);
		if (!r)
			r = end_line(mtx);
		if (r)
			return r;
	}
	return 0;
}

static int read_array(struct mtx *mtx)
{
	for (uint64_t column = 0; mtx->rows && column < mtx->columns; column++) {
		for (uint64_t row = 0; row < mtx->rows; row++) {
			uint64_t count;
			int r = pass_empty_lines(mtx);

			if (!r)
				r = read_number(mtx, INT64_MAX, COUNT, &count);
			if (!r && count)
				r = append(mtx, row, column, count);
			if (!r)
				r = end_line(mtx);
			if (r)
				return r;
		}
	}
	return 0;
}

static void mtx_free(struct mtx *mtx)
{
	free(mtx->cells);
	free(mtx->counts);
	free(mtx->gaps);
}

static int read_entries(struct mtx *mtx)
{
	int r = mtx->array ? read_array(mtx) : read_coordinates(mtx);

	if (!r)
		r = pass_empty_lines(mtx);
	if (r)
		return r;
	if (mtx->source->next != mtx->source->end)
		return unexpected(mtx, "the end of the file after all entries");
	return mtx->source->error;
}

/* ---- matrices and vectors ---- */

static int make_rows(struct mtx *mtx, uint32_t nrows, struct ipckit_rows *out)
{
	size_t duplicate;
	int r;

	if (mtx->ncells > MOST)
		return -ENOMEM;
	r = ipckit_rows_make(nrows, mtx->cells, mtx->counts, mtx->ncells, &duplicate, out);
	if (r != -EEXIST)
		return r;
	return problem_at(mtx->problem, (struct place){ .line = line_of(mtx, duplicate), .column = 1 },
			  "the entry (%" PRIu32 ", %" PRIu32 ") is there twice", mtx->cells[duplicate].row + 1,
			  mtx->cells[duplicate].column + 1);
}

static int read_matrix_entries(struct mtx *mtx, struct ipckit_system *system, struct ipckit_rows *out)
{
	bool first = out == &system->allocation;
	int r;

	if (!first && (mtx->rows != system->nprocesses || mtx->columns != system->nresources))
		return problem_at(mtx->problem, source_place(mtx->source, mtx->source->next),
				  "the matrix is %" PRIu64 " x %" PRIu64 ", but allocation %" PRIu32 " x %" PRIu32,
				  mtx->rows, mtx->columns, system->nprocesses, system->nresources);
	r = read_entries(mtx);
	if (!r)
		r = make_rows(mtx, mtx->rows, out);
	if (!r && first) {
		system->nprocesses = mtx->rows;
		system->nresources = mtx->columns;
	}
	return r;
}

static int read_matrix(struct source *source, const char *name, struct ipckit_system *system,
		       struct ipckit_rows *out, struct problem *problem)
{
	struct mtx mtx = { .source = source, .problem = problem };
	int r = read_head(&mtx);

	if (!r)
		r = read_matrix_entries(&mtx, system, out);
	mtx_free(&mtx);
	if (r == -EBADMSG)
		problem->input = name;
	return r;
}

static int make_vector(struct mtx *mtx, uint32_t nresources, int64_t **out)
{
	struct ipckit_rows seen = { 0 };
	int64_t *vector;
	int r = make_rows(mtx, mtx->rows, &seen); /* for the duplicates */

	ipckit_rows_free(&seen);
	if (r)
		return r;
	vector = calloc((size_t)nresources + 1, sizeof(*vector));
	if (!vector)
		return -ENOMEM;
	for (size_t i = 0; i < mtx->ncells; i++)
		vector[mtx->cells[i].row + mtx->cells[i].column] = mtx->counts ? mtx->counts[i] : 1;
	*out = vector;
	return 0;
}

static int read_vector(struct source *source, const char *name, uint32_t nresources, int64_t **out,
		       struct problem *problem)
{
	struct mtx mtx = { .source = source, .problem = problem };
	int r = read_head(&mtx);

	if (!r && !(mtx.rows == 1 && mtx.columns == nresources) &&
	    !(mtx.rows == nresources && mtx.columns == 1))
		r = problem_at(problem, source_place(source, source->next),
			       "expected a vector of %" PRIu32 ", as allocation has columns, got %" PRIu64
			       " x %" PRIu64, nresources, mtx.rows, mtx.columns);
	if (!r)
		r = read_entries(&mtx);
	if (!r)
		r = make_vector(&mtx, nresources, out);
	mtx_free(&mtx);
	if (r == -EBADMSG)
		problem->input = name;
	return r;
}

static int read_all(const struct mtx_sources *from, struct model *model, struct problem *problem)
{
	struct ipckit_system *system = &model->system;
	int r = read_matrix(from->allocation, from->allocation_name, system, &system->allocation, problem);

	if (!r && from->request)
		r = read_matrix(from->request, from->request_name, system, &system->request, problem);
	if (!r && from->claim)
		r = read_matrix(from->claim, from->claim_name, system, &system->claim, problem);
	if (!r && from->existing)
		r = read_vector(from->existing, from->existing_name, system->nresources, &system->existing,
				problem);
	if (!r && from->available)
		r = read_vector(from->available, from->available_name, system->nresources, &system->available,
				problem);
	if (r)
		return r;
	r = model_complete(model, (struct place){ 0 }, problem);
	if (r == -EBADMSG)
		problem->input = from->existing ? from->existing_name : from->available_name;
	return r;
}

int read_mtx(const struct mtx_sources *sources, struct model *out, struct problem *problem)
{
	struct model model = { .form = FORM_MTX };
	struct place nowhere = { 0 };
	int r;

	problem->input = NULL;
	if (!sources->allocation)
		return problem_at(problem, nowhere, "expected a matrix of what is allocated: --allocation");
	if (!sources->request && !sources->claim)
		return problem_at(problem, nowhere, "expected a matrix of requests: --request (or --claim)");
	if (!sources->existing && !sources->available)
		return problem_at(problem, nowhere, "expected what exists: --existing (or --available)");
	model.has_request = sources->request;
	model.has_claim = sources->claim;
	r = read_all(sources, &model, problem);
	if (r)
		model_free(&model);
	else
		*out = model;
	return r;
}
