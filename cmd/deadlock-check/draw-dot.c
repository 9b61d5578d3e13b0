/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "draw.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* ---- names and numbers ---- */

size_t draw_character(const char *text, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)text;
	size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t code = length == 1 ? s[0] : s[0] & (0x7fu >> length);

	if (!length || s[0] >= 0xf8)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	/* Terminals obey what is from 0x80 to 0x9f, too. */
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return 0;
	if (out)
		*out = code;
	return length;
}

size_t draw_width(const char *text, size_t length)
{
	size_t width = 0;

	for (size_t i = 0, bytes; i < length; i += bytes ? bytes : 1) {
		uint32_t code = 0;
		int columns;

		bytes = draw_character(text + i, &code);
		columns = wcwidth((wchar_t)code);
		width += bytes && columns >= 0 ? (size_t)columns : 1;
	}
	return width;
}

void draw_safe(FILE *stream, const char *text, bool ascii)
{
	while (*text) {
		size_t length = draw_character(text, NULL);

		if (length == 1 || (length && !ascii))
			fwrite(text, 1, length, stream);
		else
			fprintf(stream, "\\x%02x", (unsigned char)*text);
		text += length && !ascii ? length : 1;
	}
}

#define DOTS 12

bool draw_instances(FILE *stream, int64_t allocated, int64_t existing, bool ascii)
{
	if (!existing || existing > DOTS)
		return false;
	for (int64_t i = 0; i < existing; i++) {
		if (ascii)
			putc(i < allocated ? '*' : '.', stream);
		else
			fputs(i < allocated ? "●" : "○", stream);
	}
	return true;
}

/* ---- the deadlocked part ---- */

/* Whether more is wanted than there is when all that can finish have finished. */
static bool lacks(const struct picture *picture, uint32_t resource, int64_t count)
{
	const struct ipckit_system *system = &picture->model->system;

	if (draw_preemptible(picture->model, resource))
		return count > system->existing[resource];
	return count > picture->detection->available[resource];
}

/* Whether none of the alternatives can be had. */
static bool lacks_any(const struct picture *picture, uint32_t process)
{
	const struct ipckit_rows *any = &picture->model->system.any;
	size_t cell, end = ipckit_rows_of(any, process, &cell);

	for (; cell < end; cell++) {
		if (!lacks(picture, any->column[cell], ipckit_rows_count(any, cell)))
			return false;
	}
	return true;
}

static void mark_resources(const struct picture *picture, uint32_t process, struct draw_marks *marks)
{
	const struct ipckit_system *system = &picture->model->system;
	unsigned char mark = marks->processes[process] & (DRAW_DEAD | DRAW_CORE);
	size_t cell, end = ipckit_rows_of(&system->request, process, &cell);

	for (; cell < end; cell++) {
		uint32_t resource = system->request.column[cell];

		if (lacks(picture, resource, ipckit_rows_count(&system->request, cell)))
			marks->resources[resource] |= mark;
	}
	if (!lacks_any(picture, process))
		return;
	end = ipckit_rows_of(&system->any, process, &cell);
	for (; cell < end; cell++)
		marks->resources[system->any.column[cell]] |= mark;
}

int draw_marks_make(const struct picture *picture, struct draw_marks *out)
{
	const struct ipckit_system *system = &picture->model->system;
	const struct ipckit_detection *detection = picture->detection;
	const struct ipckit_core *core = picture->core;
	size_t ncore = core->ncomponents ? core->start[core->ncomponents] : 0;
	struct draw_marks marks = { calloc(system->nprocesses + (size_t)1, 1),
				    calloc(system->nresources + (size_t)1, 1) };

	if (!marks.processes || !marks.resources) {
		draw_marks_free(&marks);
		return -ENOMEM;
	}
	for (size_t i = 0; i < detection->nbehind; i++)
		marks.processes[detection->behind[i]] = DRAW_BEHIND;
	for (size_t i = 0; i < detection->ndead; i++)
		marks.processes[detection->dead[i]] = DRAW_DEAD;
	for (size_t i = 0; i < ncore; i++)
		marks.processes[core->processes[i]] |= DRAW_CORE;
	for (size_t i = 0; i < detection->ndead; i++)
		mark_resources(picture, detection->dead[i], &marks);
	*out = marks;
	return 0;
}

void draw_marks_free(struct draw_marks *marks)
{
	free(marks->processes);
	free(marks->resources);
}

/* ---- edges ---- */

struct walk {
	const struct picture *picture;
	const struct draw_marks *marks;
	void (*draw)(void *arg, const struct draw_edge *edge);
	void *arg;
};

static unsigned mark_of(const struct walk *walk, const struct draw_edge *edge, bool lacks_all)
{
	unsigned mark = walk->marks->processes[edge->process];

	if (edge->kind == DRAW_HOLDS)
		return mark & walk->marks->resources[edge->resource] & DRAW_DEAD;
	if (edge->kind == DRAW_ANY ? !lacks_all : !lacks(walk->picture, edge->resource, edge->count))
		return 0;
	return mark & (DRAW_DEAD | DRAW_BEHIND);
}

static void draw_row(const struct walk *walk, const struct ipckit_rows *rows, uint32_t process,
		     enum draw_kind kind)
{
	bool lacks_all = kind == DRAW_ANY && lacks_any(walk->picture, process);
	size_t cell, end = ipckit_rows_of(rows, process, &cell);

	for (; cell < end; cell++) {
		struct draw_edge edge = { .kind = kind,
					  .process = process,
					  .resource = rows->column[cell],
					  .count = ipckit_rows_count(rows, cell) };

		if (kind == DRAW_HOLDS && draw_end_of(walk->picture->model, edge.resource) != IPCKIT_NONE)
			continue;
		edge.mark = mark_of(walk, &edge, lacks_all);
		walk->draw(walk->arg, &edge);
	}
}

void draw_edges(const struct picture *picture, const struct draw_marks *marks,
		void (*draw)(void *arg, const struct draw_edge *edge), void *arg)
{
	const struct ipckit_system *system = &picture->model->system;
	struct walk walk = { picture, marks, draw, arg };

	for (uint32_t process = 0; process < system->nprocesses; process++) {
		draw_row(&walk, &system->allocation, process, DRAW_HOLDS);
		draw_row(&walk, &system->request, process, DRAW_WAITS);
		draw_row(&walk, &system->any, process, DRAW_ANY);
	}
}

/* ---- dot ---- */

struct dot {
	FILE *stream;
	const struct model *model;
};

/*
 * A name within quotes. As an identifier it is what our reader takes; as a label
 * \x is no escape, so that the backslash is doubled, and & would begin an entity.
 */
static void put_quoted(FILE *stream, const char *name, bool label)
{
	while (*name) {
		size_t length = draw_character(name, NULL);

		if (!length)
			fprintf(stream, label ? "\\\\x%02x" : "\\x%02x", (unsigned char)*name);
		else if (*name == '"' || *name == '\\')
			fprintf(stream, "\\%c", *name);
		else if (label && *name == '&')
			fputs("&amp;", stream);
		else
			fwrite(name, 1, length, stream);
		name += length ? length : 1;
	}
}

static void put_node(FILE *stream, const char *name)
{
	putc('"', stream);
	put_quoted(stream, name, false);
	putc('"', stream);
}

/* Whether dot would show the name as something else than what it is. */
static bool needs_label(const char *name)
{
	for (size_t length; *name; name += length) {
		length = draw_character(name, NULL);
		if (!length || *name == '&' || *name == '\\')
			return true;
	}
	return false;
}

static void put_marks(FILE *stream, unsigned mark)
{
	if (mark & DRAW_DEAD)
		fputs(", color=red, penwidth=2", stream);
	else if (mark & DRAW_BEHIND)
		fputs(", color=orange, penwidth=2", stream);
}

static void put_style(FILE *stream, unsigned mark, bool rounded)
{
	if (mark & DRAW_CORE)
		fprintf(stream, ", style=\"%s\", fillcolor=mistyrose", rounded ? "filled,rounded" : "filled");
	else if (rounded)
		fputs(", style=rounded", stream);
}

static void put_resource(FILE *stream, const struct model *model, uint32_t resource, unsigned mark)
{
	const char *name = names_get(&model->resources, resource);
	int64_t existing = model->system.existing[resource];
	bool preemptible = draw_preemptible(model, resource);

	putc('\t', stream);
	put_node(stream, name);
	fprintf(stream, " [shape=box, instances=%" PRId64, existing);
	if (preemptible)
		fputs(", preemptible=true", stream);
	fputs(", label=\"", stream);
	put_quoted(stream, name, true);
	fputs("\\n", stream);
	if (!draw_instances(stream, existing - model->system.available[resource], existing, false))
		fprintf(stream, "×%" PRId64, existing);
	putc('"', stream);
	put_style(stream, mark, preemptible);
	put_marks(stream, mark);
	fputs("];\n", stream);
}

static void put_process(FILE *stream, const char *name, unsigned mark)
{
	putc('\t', stream);
	put_node(stream, name);
	fputs(" [shape=circle", stream);
	if (needs_label(name)) {
		fputs(", label=\"", stream);
		put_quoted(stream, name, true);
		putc('"', stream);
	}
	put_style(stream, mark, false);
	put_marks(stream, mark);
	fputs("];\n", stream);
}

static void put_attributes(FILE *stream, const struct draw_edge *edge)
{
	if (edge->count == 1 && edge->kind != DRAW_ANY && !edge->mark)
		return;
	/* First one that changes nothing, so that the others all begin with a comma. */
	fprintf(stream, " [count=%" PRId64, edge->count);
	if (edge->count > 1)
		fprintf(stream, ", label=\"%" PRId64 "\"", edge->count);
	if (edge->kind == DRAW_ANY)
		fputs(", any=true, style=dashed", stream);
	put_marks(stream, edge->mark);
	putc(']', stream);
}

static void put_edge(void *arg, const struct draw_edge *edge)
{
	const struct dot *dot = arg;
	uint32_t end_of = draw_end_of(dot->model, edge->resource);
	const char *process = names_get(&dot->model->processes, edge->process);
	const char *other = end_of == IPCKIT_NONE ? names_get(&dot->model->resources, edge->resource)
						  : names_get(&dot->model->processes, end_of);
	bool holds = edge->kind == DRAW_HOLDS;

	putc('\t', dot->stream);
	put_node(dot->stream, holds ? other : process);
	fputs(" -> ", dot->stream);
	put_node(dot->stream, holds ? process : other);
	put_attributes(dot->stream, edge);
	fputs(";\n", dot->stream);
}

/* In dot a name is a node: a process and a resource cannot share one. */
static int check_names(const struct model *model)
{
	struct names names = { 0 };
	int r = 0;

	for (uint32_t i = 0; !r && i < model->processes.count; i++) {
		const char *name = names_get(&model->processes, i);

		r = names_add(&names, name, strlen(name));
	}
	for (uint32_t i = 0; !r && i < model->resources.count; i++) {
		const char *name = names_get(&model->resources, i);
		uint32_t same;

		r = names_find(&names, name, strlen(name), &same);
		if (!r && same != IPCKIT_NONE)
			r = -EOPNOTSUPP;
	}
	names_free(&names);
	return r;
}

int draw_dot(FILE *stream, const struct picture *picture)
{
	const struct model *model = picture->model;
	const struct ipckit_system *system = &model->system;
	struct dot dot = { stream, model };
	struct draw_marks marks;
	int r = check_names(model);

	if (!r)
		r = draw_marks_make(picture, &marks);
	if (r)
		return r;
	fputs("digraph resources {\n\trankdir=LR;\n", stream);
	for (uint32_t resource = 0; resource < system->nresources - system->nends; resource++)
		put_resource(stream, model, resource, marks.resources[resource]);
	for (uint32_t process = 0; process < system->nprocesses; process++)
		put_process(stream, names_get(&model->processes, process), marks.processes[process]);
	draw_edges(picture, &marks, put_edge, &dot);
	fputs("}\n", stream);
	draw_marks_free(&marks);
	return 0;
}
