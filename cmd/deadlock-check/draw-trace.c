/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "draw.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- columns ---- */

int draw_close(FILE *stream, char **text)
{
	bool failed = ferror(stream);

	/* glibc's fclose() may succeed and yet leave no text. */
	if (!fclose(stream) && !failed && *text)
		return 0;
	free(*text);
	*text = NULL;
	return -ENOMEM;
}

int draw_cells_open(struct draw_cells *cells)
{
	*cells = (struct draw_cells){ 0 };
	cells->stream = open_memstream(&cells->text, &cells->size);
	return cells->stream ? 0 : -ENOMEM;
}

/* Among texts a cell wider than that pushes the rest of its own line, but not of the others. */
#define WIDEST 64

static size_t count_columns(const char *text)
{
	size_t most = 1;

	for (size_t n = 1; *text; text++) {
		n = *text == '\n' ? 1 : n + (*text == '\t');
		most = n > most ? n : most;
	}
	return most;
}

static void measure(const char *text, size_t *widths, size_t widest)
{
	for (size_t column = 0; *text;) {
		size_t length = strcspn(text, "\t\v\n"), width = draw_width(text, length);

		if (width > widths[column] && width <= widest)
			widths[column] = width;
		text += length;
		text += *text == '\v' ? strcspn(text, "\n") : 0;
		column = *text == '\t' ? column + 1 : 0;
		text += *text != '\0';
	}
}

static void put_blanks(FILE *stream, size_t count)
{
	if (count)
		fprintf(stream, "%*s", (int)count, "");
}

/* Blanks are owed until something follows them, so that no line ends with any. */
static const char *put_line(FILE *stream, const char *text, const size_t *widths, size_t gap, size_t period)
{
	size_t owed = 0;

	for (size_t column = 0;; column++) {
		size_t length = strcspn(text, "\t\v\n"), width = draw_width(text, length);
		size_t rest = width < widths[column] ? widths[column] - width : 0;
		bool right = column % period;

		if (length) {
			put_blanks(stream, owed + (right ? rest : 0));
			fwrite(text, 1, length, stream);
			owed = 0;
		}
		owed += gap + (length && right ? 0 : rest);
		text += length;
		if (*text != '\t')
			break;
		text++;
	}
	if (*text == '\v') {
		put_blanks(stream, owed);
		text++;
		owed = strcspn(text, "\n");
		fwrite(text, 1, owed, stream);
		text += owed;
	}
	putc('\n', stream);
	return text + (*text == '\n');
}

int draw_cells_end(struct draw_cells *cells, FILE *stream, size_t gap, size_t period)
{
	size_t *widths = NULL;

	if (!draw_close(cells->stream, &cells->text))
		widths = calloc(count_columns(cells->text), sizeof(*widths));
	if (widths) {
		measure(cells->text, widths, period > 1 ? SIZE_MAX : WIDEST);
		for (const char *text = cells->text; *text;)
			text = put_line(stream, text, widths, gap, period);
	}
	free(cells->text);
	free(widths);
	return widths ? 0 : -ENOMEM;
}

/* ---- the textbook's loop ---- */

struct sheet {
	FILE *stream;
	const struct model *model;
	int64_t *available; /* before the step that is next */
	bool *finished;
	bool any;           /* some process has alternatives */
};

static void put_process(FILE *stream, const struct sheet *sheet, uint32_t process)
{
	draw_safe(stream, names_get(&sheet->model->processes, process), false);
}

static void put_resource(FILE *stream, const struct sheet *sheet, uint32_t resource)
{
	uint32_t end_of = draw_end_of(sheet->model, resource);

	if (end_of == IPCKIT_NONE) {
		draw_safe(stream, names_get(&sheet->model->resources, resource), false);
		return;
	}
	fputs("end of ", stream);
	put_process(stream, sheet, end_of);
}

static void put_headings(FILE *stream, const struct sheet *sheet)
{
	for (uint32_t resource = 0; resource < sheet->model->system.nresources; resource++) {
		putc('\t', stream);
		put_resource(stream, sheet, resource);
	}
}

static void put_vector(FILE *stream, const char *before, const int64_t *vector, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		fprintf(stream, "%s%" PRId64, before, vector[i]);
}

/* The count of a resource in a sparse row, whose cells are looked at in order. */
static int64_t next_count(const struct ipckit_rows *rows, uint32_t resource, size_t *cell, size_t end)
{
	if (*cell == end || rows->column[*cell] != resource)
		return 0;
	return ipckit_rows_count(rows, (*cell)++);
}

static void put_allocation(FILE *stream, const struct sheet *sheet, uint32_t process)
{
	const struct ipckit_rows *rows = &sheet->model->system.allocation;
	size_t cell, end = ipckit_rows_of(rows, process, &cell);

	for (uint32_t resource = 0; resource < sheet->model->system.nresources; resource++)
		fprintf(stream, "\t%" PRId64, next_count(rows, resource, &cell, end));
}

static void put_request(FILE *stream, const struct sheet *sheet, uint32_t process)
{
	const struct ipckit_system *system = &sheet->model->system;
	size_t all, all_end = ipckit_rows_of(&system->request, process, &all);
	size_t any, any_end = ipckit_rows_of(&system->any, process, &any);

	for (uint32_t resource = 0; resource < system->nresources; resource++) {
		int64_t count = next_count(&system->request, resource, &all, all_end);
		int64_t alternative = next_count(&system->any, resource, &any, any_end);

		putc('\t', stream);
		if (count || !alternative)
			fprintf(stream, "%" PRId64, count);
		if (alternative)
			fprintf(stream, "|%" PRId64, alternative);
	}
}

/* ---- the state before the first step ---- */

enum part { ALLOCATION = 1, REQUEST = 2 };

static void put_left_tail(FILE *stream, const struct sheet *sheet)
{
	const struct ipckit_system *system = &sheet->model->system;

	fputs("existing", stream);
	put_vector(stream, "\t", system->existing, system->nresources);
	fputs("\navailable", stream);
	put_vector(stream, "\t", sheet->available, system->nresources);
	putc('\n', stream);
}

/* One matrix, or both beside each other. */
static int put_matrices(FILE *stream, const struct sheet *sheet, unsigned parts)
{
	const char *between = parts & ALLOCATION ? "\t   " : "";
	uint32_t nresources = sheet->model->system.nresources;
	struct draw_cells cells;

	if (draw_cells_open(&cells))
		return -ENOMEM;
	if (parts & ALLOCATION) {
		fputs("allocation", cells.stream);
		put_headings(cells.stream, sheet);
	}
	if (parts & REQUEST) {
		fprintf(cells.stream, "%srequest", between);
		put_headings(cells.stream, sheet);
	}
	putc('\n', cells.stream);
	for (uint32_t process = 0; process < sheet->model->system.nprocesses; process++) {
		if (parts & ALLOCATION) {
			put_process(cells.stream, sheet, process);
			put_allocation(cells.stream, sheet, process);
		}
		if (parts & REQUEST) {
			fputs(between, cells.stream);
			put_process(cells.stream, sheet, process);
			put_request(cells.stream, sheet, process);
		}
		putc('\n', cells.stream);
	}
	if (parts & ALLOCATION)
		put_left_tail(cells.stream, sheet);
	return draw_cells_end(&cells, stream, 1, (size_t)nresources + 1);
}

static bool fits(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		if (draw_width(text, length) > DRAW_COLUMNS)
			return false;
		text += length + (text[length] == '\n');
	}
	return true;
}

/* Both matrices beside each other; NULL in out where they are too wide for that. */
static int side_by_side(const struct sheet *sheet, char **out)
{
	char *text = NULL;
	size_t size;
	FILE *stream;
	int r;

	*out = NULL;
	/* Each of their columns takes two at least. */
	if (sheet->model->system.nresources > DRAW_COLUMNS / 4)
		return 0;
	stream = open_memstream(&text, &size);
	if (!stream)
		return -ENOMEM;
	r = put_matrices(stream, sheet, ALLOCATION | REQUEST);
	if (draw_close(stream, &text))
		r = -ENOMEM;
	if (!r && fits(text))
		*out = text;
	else
		free(text);
	return r;
}

static int put_state(const struct sheet *sheet)
{
	char *both;
	int r = side_by_side(sheet, &both);

	if (r)
		return r;
	if (both) {
		fputs(both, sheet->stream);
		free(both);
	} else {
		r = put_matrices(sheet->stream, sheet, ALLOCATION);
		if (r)
			return r;
		putc('\n', sheet->stream);
		r = put_matrices(sheet->stream, sheet, REQUEST);
	}
	if (!r && sheet->any)
		fputs("|N: an alternative, one in its row is enough\n", sheet->stream);
	return r;
}

/* ---- steps ---- */

static void put_block(FILE *stream, const struct sheet *sheet, const struct ipckit_block *block)
{
	fputs("\v  blocked by ", stream);
	put_resource(stream, sheet, block->resource);
	fprintf(stream, ": wants %" PRId64 ", %" PRId64 " available", block->requested, block->available);
}

static void put_struck(FILE *stream, uint32_t nresources)
{
	for (uint32_t resource = 0; resource < nresources; resource++)
		fputs("\t-", stream);
}

static int put_step_matrix(const struct sheet *sheet, const struct ipckit_step *step, size_t number)
{
	const struct ipckit_system *system = &sheet->model->system;
	struct draw_cells cells;
	size_t blocked = 0;

	if (draw_cells_open(&cells))
		return -ENOMEM;
	fprintf(cells.stream, "step %zu", number);
	put_headings(cells.stream, sheet);
	fputs("\navailable", cells.stream);
	put_vector(cells.stream, "\t", sheet->available, system->nresources);
	putc('\n', cells.stream);
	for (uint32_t process = 0; process < system->nprocesses; process++) {
		put_process(cells.stream, sheet, process);
		if (sheet->finished[process])
			put_struck(cells.stream, system->nresources);
		else
			put_request(cells.stream, sheet, process);
		if (process == step->process)
			fputs("\v  not blocked", cells.stream);
		else if (blocked < step->nblocked && step->blocked[blocked].process == process)
			put_block(cells.stream, sheet, &step->blocked[blocked++]);
		putc('\n', cells.stream);
	}
	return draw_cells_end(&cells, sheet->stream, 1, (size_t)system->nresources + 1);
}

static int put_step(struct sheet *sheet, const struct ipckit_step *step, size_t number)
{
	uint32_t nresources = sheet->model->system.nresources;
	int r;

	putc('\n', sheet->stream);
	r = put_step_matrix(sheet, step, number);
	if (r || step->process == IPCKIT_NONE)
		return r;
	put_process(sheet->stream, sheet, step->process);
	fputs(" can finish, and gives back", sheet->stream);
	/* What was taken from its holder is available already, so the difference tells, not the row. */
	for (uint32_t resource = 0; resource < nresources; resource++)
		fprintf(sheet->stream, " %" PRId64,
			step->available_after[resource] - sheet->available[resource]);
	fputs(" -> available", sheet->stream);
	put_vector(sheet->stream, " ", step->available_after, nresources);
	putc('\n', sheet->stream);
	memcpy(sheet->available, step->available_after, nresources * sizeof(*sheet->available));
	sheet->finished[step->process] = true;
	return 0;
}

/* ---- the end ---- */

/* Whether a process is deadlocked (it holds something), or only blocked. */
static bool is_left(const struct sheet *sheet, uint32_t process, bool deadlocked)
{
	size_t first;

	if (sheet->finished[process])
		return false;
	return deadlocked == (ipckit_rows_of(&sheet->model->system.allocation, process, &first) > first);
}

/* "P1, P2 and P3". Returns how many there are. */
static size_t put_left(const struct sheet *sheet, bool deadlocked)
{
	uint32_t last = IPCKIT_NONE;
	size_t count = 0;

	/* Each is printed when the next one is known: only then is it clear what stands before it. */
	for (uint32_t process = 0; process < sheet->model->system.nprocesses; process++) {
		if (!is_left(sheet, process, deadlocked))
			continue;
		if (count > 1)
			fputs(", ", sheet->stream);
		if (count++)
			put_process(sheet->stream, sheet, last);
		last = process;
	}
	if (count > 1)
		fputs(" and ", sheet->stream);
	if (count)
		put_process(sheet->stream, sheet, last);
	return count;
}

static void put_verdict(const struct sheet *sheet)
{
	size_t dead, behind;

	putc('\n', sheet->stream);
	dead = put_left(sheet, true);
	if (dead)
		fputs(" can never finish: deadlock\n", sheet->stream);
	behind = put_left(sheet, false);
	if (behind && dead)
		fprintf(sheet->stream, " %s nothing, and can never finish either\n",
			behind == 1 ? "holds" : "hold");
	else if (behind)
		fprintf(sheet->stream, " can never finish, but %s nothing: no deadlock\n",
			behind == 1 ? "holds" : "hold");
	else if (!dead)
		fputs("all can finish: no deadlock\n", sheet->stream);
}

static int begin(struct sheet *sheet)
{
	const struct ipckit_system *system = &sheet->model->system;

	sheet->available = calloc(system->nresources + (size_t)1, sizeof(*sheet->available));
	sheet->finished = calloc(system->nprocesses + (size_t)1, sizeof(*sheet->finished));
	if (!sheet->available || !sheet->finished)
		return -ENOMEM;
	for (uint32_t resource = 0; resource < system->nresources; resource++)
		sheet->available[resource] = draw_preemptible(sheet->model, resource)
						     ? system->existing[resource]
						     : system->available[resource];
	sheet->any = system->any.start && system->any.start[system->nprocesses];
	return 0;
}

int draw_trace(FILE *stream, const struct model *model, const struct ipckit_trace *trace)
{
	struct sheet sheet = { .stream = stream, .model = model };
	int r = begin(&sheet);

	if (!r)
		r = put_state(&sheet);
	for (size_t i = 0; !r && i < trace->nsteps; i++)
		r = put_step(&sheet, &trace->steps[i], i + 1);
	if (!r)
		put_verdict(&sheet);
	free(sheet.available);
	free(sheet.finished);
	return r;
}
