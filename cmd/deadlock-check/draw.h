/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_DRAW_H
#define DEADLOCK_DRAW_H

/* What the pictures share. */

#include "output.h"

/* The process for whose end this resource stands, or IPCKIT_NONE. */
static inline uint32_t draw_end_of(const struct model *model, uint32_t resource)
{
	uint32_t named = model->system.nresources - model->system.nends;

	return resource < named ? IPCKIT_NONE : model->system.end_of[resource - named];
}

static inline bool draw_preemptible(const struct model *model, uint32_t resource)
{
	return model->system.preemptible && model->system.preemptible[resource];
}

/* ---- draw-dot.c: names and numbers ---- */

/* The bytes of the first character, where it is valid UTF-8 and no control character, else 0. */
size_t draw_character(const char *text, uint32_t *out);

/* Columns that text takes, as wcwidth(3) says in the present locale; 1 for each character unknown to it. */
size_t draw_width(const char *text, size_t length);

/* Prints text; \xNN for each byte that is no part of a printable character, or not ASCII where it has to be. */
void draw_safe(FILE *stream, const char *text, bool ascii);

/* A dot for each instance, filled where it is allocated. False, and nothing is printed: none or too many. */
bool draw_instances(FILE *stream, int64_t allocated, int64_t existing, bool ascii);

/* ---- draw-dot.c: the graph, and which part of it is deadlocked ---- */

enum draw_mark {
	DRAW_BEHIND = 1, /* can never finish, but holds nothing */
	DRAW_DEAD = 2,   /* deadlocked; of a resource: blocks one that is */
	DRAW_CORE = 4,   /* besides: in the core */
};

struct draw_marks {
	unsigned char *processes, *resources;
};

int draw_marks_make(const struct picture *picture, struct draw_marks *out);
void draw_marks_free(struct draw_marks *marks);

enum draw_kind { DRAW_HOLDS, DRAW_WAITS, DRAW_ANY };

struct draw_edge {
	enum draw_kind kind;
	uint32_t process, resource;
	int64_t count;
	unsigned mark; /* DRAW_DEAD, DRAW_BEHIND or 0 */
};

/* Process by process; who holds its own end is not drawn. */
void draw_edges(const struct picture *picture, const struct draw_marks *marks,
		void (*draw)(void *arg, const struct draw_edge *edge), void *arg);

/* ---- draw-trace.c: columns ---- */

/* Closes what open_memstream(3) gave. Returns 0, or -ENOMEM and text is freed. */
int draw_close(FILE *stream, char **text);

/*
 * Lines to be aligned: write cells to stream, TAB between them, newline after the
 * last; what follows a \v goes to the end of its line as it is.
 */
struct draw_cells {
	FILE *stream;
	char *text;
	size_t size;
};

int draw_cells_open(struct draw_cells *cells);

/*
 * Prints the cells in columns, gap blanks between them, and frees them, also on
 * failure. Columns 0, period, 2 * period and so on are aligned left, the others right.
 */
int draw_cells_end(struct draw_cells *cells, FILE *stream, size_t gap, size_t period);

#define DRAW_COLUMNS 100 /* what a line should fit */

#endif
