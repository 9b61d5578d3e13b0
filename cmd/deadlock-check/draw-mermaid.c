/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "draw.h"

#include <errno.h>
#include <inttypes.h>

/* Labels are taken for HTML and Markdown: only letters and digits mean nothing there. */
static bool is_plain(unsigned char c)
{
	unsigned char letter = c | 0x20;

	return (c >= '0' && c <= '9') || (letter >= 'a' && letter <= 'z') || c >= 0x80;
}

/* Punctuation between letters (lock_a, v1.2) is no markup, so that ordinary names stay readable. */
static bool joins(const char *at, const char *first)
{
	return (*at == '_' || *at == '-' || *at == '.') && at > first && is_plain(at[-1]) && is_plain(at[1]);
}

static void put_name(FILE *stream, const char *name)
{
	const char *at = name;

	while (*at) {
		size_t length = draw_character(at, NULL);

		if (!length)
			fprintf(stream, "#92;x%02x", (unsigned char)*at);
		else if (length > 1 || is_plain(*at) || *at == ' ' || joins(at, name))
			fwrite(at, 1, length, stream);
		else if (*at == '"')
			fputs("#quot;", stream);
		else
			fprintf(stream, "#%d;", *at);
		at += length ? length : 1;
	}
}

static const char *class_of(unsigned mark)
{
	if (mark & DRAW_DEAD)
		return mark & DRAW_CORE ? ":::core" : ":::dead";
	if (mark & DRAW_BEHIND)
		return ":::behind";
	return "";
}

static void put_resource(FILE *stream, const struct model *model, uint32_t resource, unsigned mark)
{
	int64_t existing = model->system.existing[resource];
	bool preemptible = draw_preemptible(model, resource);

	fprintf(stream, "    r%" PRIu32 "%s\"", resource, preemptible ? "(" : "[");
	put_name(stream, names_get(&model->resources, resource));
	fputs("<br/>", stream);
	if (!draw_instances(stream, existing - model->system.available[resource], existing, false))
		fprintf(stream, "×%" PRId64, existing);
	fprintf(stream, "\"%s%s\n", preemptible ? ")" : "]", class_of(mark));
}

static void put_process(FILE *stream, const struct model *model, uint32_t process, unsigned mark)
{
	fprintf(stream, "    p%" PRIu32 "((\"", process);
	put_name(stream, names_get(&model->processes, process));
	fprintf(stream, "\"))%s\n", class_of(mark));
}

struct links {
	FILE *stream;
	const struct model *model;
	uint64_t number; /* of the next edge: styles refer to edges by their order */
	unsigned mark;   /* the edges looked for by put_number() */
	bool some;
};

static void put_edge(void *arg, const struct draw_edge *edge)
{
	const struct links *links = arg;
	uint32_t end_of = draw_end_of(links->model, edge->resource);
	bool holds = edge->kind == DRAW_HOLDS;

	fprintf(links->stream, "    %c%" PRIu32, holds ? 'r' : 'p', holds ? edge->resource : edge->process);
	fputs(edge->kind == DRAW_ANY ? " -.->" : " -->", links->stream);
	if (edge->count > 1)
		fprintf(links->stream, "|%" PRId64 "|", edge->count);
	if (holds)
		fprintf(links->stream, " p%" PRIu32 "\n", edge->process);
	else if (end_of != IPCKIT_NONE)
		fprintf(links->stream, " p%" PRIu32 "\n", end_of);
	else
		fprintf(links->stream, " r%" PRIu32 "\n", edge->resource);
}

static void put_number(void *arg, const struct draw_edge *edge)
{
	struct links *links = arg;
	uint64_t number = links->number++;

	if (edge->mark != links->mark)
		return;
	fprintf(links->stream, "%s%" PRIu64, links->some ? "," : "    linkStyle ", number);
	links->some = true;
}

static void put_link_style(FILE *stream, const struct picture *picture, const struct draw_marks *marks,
			   unsigned mark, const char *color)
{
	struct links links = { .stream = stream, .model = picture->model, .mark = mark };

	draw_edges(picture, marks, put_number, &links);
	if (links.some)
		fprintf(stream, " stroke:%s,stroke-width:2px\n", color);
}

int draw_mermaid(FILE *stream, const struct picture *picture)
{
	const struct model *model = picture->model;
	const struct ipckit_system *system = &model->system;
	struct links links = { .stream = stream, .model = model };
	struct draw_marks marks;
	int r = draw_marks_make(picture, &marks);

	if (r)
		return r;
	fputs("flowchart LR\n", stream);
	for (uint32_t resource = 0; resource < system->nresources - system->nends; resource++)
		put_resource(stream, model, resource, marks.resources[resource]);
	for (uint32_t process = 0; process < system->nprocesses; process++)
		put_process(stream, model, process, marks.processes[process]);
	draw_edges(picture, &marks, put_edge, &links);
	put_link_style(stream, picture, &marks, DRAW_DEAD, "red");
	put_link_style(stream, picture, &marks, DRAW_BEHIND, "orange");
	fputs("    classDef core fill:mistyrose,color:black,stroke:red,stroke-width:2px\n"
	      "    classDef dead stroke:red,stroke-width:2px\n"
	      "    classDef behind stroke:orange,stroke-width:2px\n",
	      stream);
	draw_marks_free(&marks);
	return 0;
}
