/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "draw.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINES 200 /* of processes, and of resources, at most */
#define LIST 6    /* names in one cell, at most */

struct board {
	FILE *stream;
	const struct picture *picture;
	const struct model *model;
	bool ascii;
	struct draw_marks marks;
	struct ipckit_rows holders, waiters, choosers; /* allocation, request and any, a row for each resource */
};

static void put_process(FILE *stream, const struct board *board, uint32_t process)
{
	draw_safe(stream, names_get(&board->model->processes, process), board->ascii);
}

static void put_resource(FILE *stream, const struct board *board, uint32_t resource)
{
	draw_safe(stream, names_get(&board->model->resources, resource), board->ascii);
}

/* [R1 ●●○] */
static void put_box(FILE *stream, const struct board *board, uint32_t resource)
{
	int64_t existing = board->model->system.existing[resource];
	int64_t allocated = existing - board->model->system.available[resource];

	putc('[', stream);
	put_resource(stream, board, resource);
	putc(' ', stream);
	if (!draw_instances(stream, allocated, existing, board->ascii))
		fprintf(stream, "%" PRId64 " of %" PRId64, allocated, existing);
	putc(']', stream);
}

/* ---- the ring ---- */

struct lines {
	const char *arrow, *open, *side, *close, *bottom, *dash, *end;
};

static const struct lines *lines_of(const struct board *board)
{
	static const struct lines unicode = { "──> ", "   ┌─> ", "   │   ", " ─┐", "   └", "─", "┘" };
	static const struct lines ascii = { "--> ", "   +-> ", "   |   ", " -+", "   +", "-", "+" };

	return board->ascii ? &ascii : &unicode;
}

/* Elements: process, resource, process and so on; but the end of a process is none. */
static bool is_element(const struct board *board, size_t i)
{
	const uint32_t *resources = board->picture->cycle->resources;

	return i % 2 == 0 || draw_end_of(board->model, resources[i / 2]) == IPCKIT_NONE;
}

static void put_element(FILE *stream, const struct board *board, size_t i)
{
	if (i)
		fputs(lines_of(board)->arrow, stream);
	if (i % 2) {
		put_box(stream, board, board->picture->cycle->resources[i / 2]);
		return;
	}
	putc('(', stream);
	put_process(stream, board, board->picture->cycle->processes[i / 2]);
	putc(')', stream);
}

/* Elements from first up to end, in one line. */
static char *ring_part(const struct board *board, size_t first, size_t end)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	for (size_t i = first; i < end; i++) {
		if (!is_element(board, i))
			continue;
		if (i > first)
			putc(' ', stream);
		put_element(stream, board, i);
	}
	return draw_close(stream, &text) ? NULL : text;
}

/* The line that leads back; text is what stands last in the line above it. */
static void close_ring(const struct board *board, const char *text)
{
	const struct lines *lines = lines_of(board);
	size_t width = draw_width(text, strlen(text)) + 5;

	fprintf(board->stream, "%s%s\n%s", text, lines->close, lines->bottom);
	for (size_t i = 0; i < width; i++)
		fputs(lines->dash, board->stream);
	fprintf(board->stream, "%s\n\n", lines->end);
}

/* Leaves out the elements from first up to end, and returns the last of them. */
static size_t skip_elements(const struct board *board, size_t first, size_t end)
{
	size_t count = 0;

	for (size_t i = first; i < end; i++)
		count += is_element(board, i);
	fprintf(board->stream, "... %zu more\n", count);
	return end - 1;
}

/* Element below element; of a ring too long, its beginning and its end. */
static int put_tall_ring(const struct board *board)
{
	size_t total = board->picture->cycle->length * 2;
	size_t last = total - (is_element(board, total - 1) ? 1 : 2);

	for (size_t i = 0; i <= last; i++) {
		char *text;

		if (!is_element(board, i))
			continue;
		fputs(i ? lines_of(board)->side : lines_of(board)->open, board->stream);
		if (total > LINES && i == LINES / 2) {
			i = skip_elements(board, i, total - LINES / 2);
			continue;
		}
		text = ring_part(board, i, i + 1);
		if (!text)
			return -ENOMEM;
		if (i == last)
			close_ring(board, text);
		else
			fprintf(board->stream, "%s\n", text);
		free(text);
	}
	return 0;
}

/* The least columns that a process and what leads to it take: "──> (P) ". */
#define ELEMENT 8
#define FRAME 10 /* what stands about the ring in its line */

static int put_ring(const struct board *board)
{
	size_t length = board->picture->cycle->length;
	char *text;

	if (!length)
		return 0;
	if (length > DRAW_COLUMNS / ELEMENT)
		return put_tall_ring(board);
	text = ring_part(board, 0, length * 2);
	if (!text)
		return -ENOMEM;
	if (draw_width(text, strlen(text)) + FRAME > DRAW_COLUMNS) {
		free(text);
		return put_tall_ring(board);
	}
	fputs(lines_of(board)->open, board->stream);
	close_ring(board, text);
	free(text);
	return 0;
}

/* ---- processes ---- */

static void put_times(FILE *stream, int64_t count)
{
	if (count > 1)
		fprintf(stream, " x%" PRId64, count);
}

/* The processes in a resource's row. */
static void put_who(FILE *stream, const struct board *board, const struct ipckit_rows *rows,
		    uint32_t resource, const char *separator)
{
	size_t first, end = ipckit_rows_of(rows, resource, &first), cell = first;

	for (; cell < end && cell - first < LIST; cell++) {
		fputs(cell > first ? ", " : separator, stream);
		put_process(stream, board, rows->column[cell]);
		put_times(stream, ipckit_rows_count(rows, cell));
	}
	if (cell < end)
		fprintf(stream, " and %zu more", end - cell);
}

static void put_holds(FILE *stream, const struct board *board, uint32_t process)
{
	const struct ipckit_rows *rows = &board->model->system.allocation;
	size_t cell, end = ipckit_rows_of(rows, process, &cell), count = 0;

	/* Ends come last in a row: what they leave are the resources proper. */
	while (end > cell && draw_end_of(board->model, rows->column[end - 1]) != IPCKIT_NONE)
		end--;
	for (; cell < end && count < LIST; cell++, count++) {
		fputs(count ? ", " : "holds ", stream);
		put_resource(stream, board, rows->column[cell]);
		put_times(stream, ipckit_rows_count(rows, cell));
	}
	if (cell < end)
		fprintf(stream, " and %zu more", end - cell);
}

/* Why it is not there to be taken, or that it is. */
static void put_hindrance(FILE *stream, const struct board *board, uint32_t resource, int64_t count)
{
	const struct ipckit_system *system = &board->model->system;

	if (!system->existing[resource])
		fputs(" (none exists)", stream);
	else if (count > system->existing[resource])
		fprintf(stream, " (only %" PRId64 " exist%s)", system->existing[resource],
			system->existing[resource] == 1 ? "s" : "");
	else if (count <= system->available[resource])
		fputs(" (free)", stream);
	else if (draw_preemptible(board->model, resource))
		fputs(" (preemptible)", stream);
	else {
		fputs(" (held by", stream);
		put_who(stream, board, &board->holders, resource, " ");
		putc(')', stream);
	}
}

static void put_wanted(FILE *stream, const struct board *board, const struct ipckit_rows *rows,
		       uint32_t process, const char *separator)
{
	size_t first, end = ipckit_rows_of(rows, process, &first), cell = first;

	for (; cell < end && cell - first < LIST; cell++) {
		uint32_t resource = rows->column[cell], end_of = draw_end_of(board->model, resource);
		int64_t count = ipckit_rows_count(rows, cell);

		fputs(cell > first ? separator : "", stream);
		if (end_of != IPCKIT_NONE) {
			fputs("the end of ", stream);
			put_process(stream, board, end_of);
			continue;
		}
		put_resource(stream, board, resource);
		put_times(stream, count);
		put_hindrance(stream, board, resource, count);
	}
	if (cell < end)
		fprintf(stream, "%s%zu more", separator, end - cell);
}

static void put_waits(FILE *stream, const struct board *board, uint32_t process)
{
	const struct ipckit_system *system = &board->model->system;
	size_t first, requests = ipckit_rows_of(&system->request, process, &first) - first;
	size_t anys = ipckit_rows_of(&system->any, process, &first) - first;

	if (requests || anys)
		fputs("waits for ", stream);
	put_wanted(stream, board, &system->request, process, " and ");
	if (requests && anys)
		fputs(" and ", stream);
	if (anys > 1)
		fputs("any of ", stream);
	put_wanted(stream, board, &system->any, process, ", ");
}

/* How processes stand, the worst first. */
enum { DEADLOCKED, BLOCKED, NEVER, FINISHES, STANDINGS };
static const char *const standings[] = { "deadlocked", "blocked behind", "can never finish", "can finish" };

static unsigned standing_of(const struct board *board, uint32_t process)
{
	unsigned mark = board->marks.processes[process];
	struct ipckit_block block;

	if (mark & DRAW_DEAD)
		return DEADLOCKED;
	if (!(mark & DRAW_BEHIND))
		return FINISHES;
	return ipckit_deadlock_impossible(&board->model->system, process, &block) ? NEVER : BLOCKED;
}

static void put_process_line(FILE *stream, const struct board *board, uint32_t process)
{
	putc('(', stream);
	put_process(stream, board, process);
	fputs(")\t", stream);
	put_holds(stream, board, process);
	putc('\t', stream);
	put_waits(stream, board, process);
	fprintf(stream, "\t%s\n", standings[standing_of(board, process)]);
}

static void put_rest(FILE *stream, const size_t *left)
{
	static const char *const words[] = { "deadlocked", "blocked behind", "that can never finish",
					     "that can finish" };
	const char *separator = ":";
	size_t sum = 0;

	for (unsigned i = 0; i < STANDINGS; i++)
		sum += left[i];
	fprintf(stream, "... and %zu more process%s", sum, sum == 1 ? "" : "es");
	for (unsigned i = 0; i < STANDINGS; i++) {
		if (!left[i])
			continue;
		fprintf(stream, "%s %zu %s", separator, left[i], words[i]);
		separator = ",";
	}
	putc('\n', stream);
}

/* All in order; of too many, the deadlocked first. */
static int put_processes(const struct board *board)
{
	uint32_t nprocesses = board->model->system.nprocesses;
	bool cut = nprocesses > LINES;
	size_t left[STANDINGS] = { 0 }, lines = 0;
	struct draw_cells cells;
	int r;

	if (draw_cells_open(&cells))
		return -ENOMEM;
	for (unsigned standing = 0; standing < (cut ? STANDINGS : 1); standing++) {
		for (uint32_t process = 0; process < nprocesses; process++) {
			if (cut && standing_of(board, process) != standing)
				continue;
			if (lines++ < LINES)
				put_process_line(cells.stream, board, process);
			else
				left[standing]++;
		}
	}
	r = draw_cells_end(&cells, board->stream, 2, 1);
	if (!r && cut)
		put_rest(board->stream, left);
	return r;
}

/* ---- resources ---- */

static void put_resource_line(FILE *stream, const struct board *board, uint32_t resource)
{
	size_t first, waiters = ipckit_rows_of(&board->waiters, resource, &first) - first;

	put_box(stream, board, resource);
	putc('\t', stream);
	put_who(stream, board, &board->holders, resource, "held by ");
	putc('\t', stream);
	put_who(stream, board, &board->waiters, resource, "wanted by ");
	put_who(stream, board, &board->choosers, resource,
		waiters ? ", as one of several by " : "wanted as one of several by ");
	fputs(draw_preemptible(board->model, resource) ? "\tpreemptible\n" : "\n", stream);
}

static int put_resources(const struct board *board)
{
	uint32_t named = board->model->system.nresources - board->model->system.nends;
	bool cut = named > LINES;
	struct draw_cells cells;
	size_t lines = 0;
	int r;

	if (!named)
		return 0;
	if (draw_cells_open(&cells))
		return -ENOMEM;
	for (unsigned pass = 0; pass < (cut ? 2 : 1); pass++) {
		for (uint32_t resource = 0; resource < named && lines < LINES; resource++) {
			if (cut && (board->marks.resources[resource] == 0) != pass)
				continue;
			put_resource_line(cells.stream, board, resource);
			lines++;
		}
	}
	if (board->model->system.nprocesses)
		putc('\n', board->stream);
	r = draw_cells_end(&cells, board->stream, 2, 1);
	if (!r && cut)
		fprintf(board->stream, "... and %zu more resource%s\n", named - lines,
			named - lines == 1 ? "" : "s");
	return r;
}

/* ---- who holds and wants a resource ---- */

static int transpose(const struct ipckit_system *system, const struct ipckit_rows *rows,
		     struct ipckit_rows *out)
{
	size_t ncells = rows->start ? rows->start[system->nprocesses] : 0, duplicate, cell = 0;
	struct ipckit_cell *cells;
	int r;

	if (!ncells)
		return 0;
	cells = reallocarray(NULL, ncells, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	for (uint32_t process = 0; process < system->nprocesses; process++) {
		for (; cell < rows->start[process + 1]; cell++)
			cells[cell] = (struct ipckit_cell){ rows->column[cell], process };
	}
	r = ipckit_rows_make(system->nresources, cells, rows->count, ncells, &duplicate, out);
	free(cells);
	return r;
}

int draw_text(FILE *stream, const struct picture *picture)
{
	const struct ipckit_system *system = &picture->model->system;
	struct board board = { .stream = stream, .picture = picture, .model = picture->model,
			       .ascii = picture->ascii };
	int r = draw_marks_make(picture, &board.marks);

	if (!r)
		r = transpose(system, &system->allocation, &board.holders);
	if (!r)
		r = transpose(system, &system->request, &board.waiters);
	if (!r)
		r = transpose(system, &system->any, &board.choosers);
	if (!r)
		r = put_ring(&board);
	if (!r)
		r = put_processes(&board);
	if (!r)
		r = put_resources(&board);
	draw_marks_free(&board.marks);
	ipckit_rows_free(&board.holders);
	ipckit_rows_free(&board.waiters);
	ipckit_rows_free(&board.choosers);
	return r;
}
