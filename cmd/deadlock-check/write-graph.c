/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write.h"

#include <errno.h>

/* Claims have no edges, and nothing at all no lines. */
static bool graph_says_it(const struct model *model)
{
	return !model->has_claim && (model->system.nprocesses || model->system.nresources);
}

/* Where a cell of requests points to: a process if it is for that one's end. */
static uint32_t end_awaited(const struct model *model, uint32_t column)
{
	uint32_t named = named_resources(model);

	return column < named ? IPCKIT_NONE : model->system.end_of[column - named];
}

/* ---- JSON ---- */

/* Elements of an array, one a line. */
static void element(struct pen *pen, bool *first)
{
	pen_text(pen, *first ? "\n" : ",\n");
	*first = false;
}

static void json_pair(struct pen *pen, const char *a, const char *b)
{
	pen_byte(pen, '[');
	pen_json(pen, a);
	pen_byte(pen, ',');
	pen_json(pen, b);
}

static void json_count(struct pen *pen, int64_t count)
{
	if (count != 1) {
		pen_byte(pen, ',');
		pen_number(pen, count);
	}
	pen_byte(pen, ']');
}

static void json_resources(struct pen *pen, const struct model *model)
{
	bool first = true;

	pen_text(pen, "{\"resources\":{");
	for (uint32_t r = 0; r < named_resources(model); r++) {
		element(pen, &first);
		pen_json(pen, names_get(&model->resources, r));
		pen_byte(pen, ':');
		pen_number(pen, model->system.existing[r]);
	}
	pen_byte(pen, '}');
}

static void json_processes(struct pen *pen, const struct model *model)
{
	bool first = true;

	pen_text(pen, ",\n\"processes\":[");
	for (uint32_t p = 0; p < model->system.nprocesses; p++) {
		element(pen, &first);
		pen_json(pen, names_get(&model->processes, p));
	}
	pen_byte(pen, ']');
}

/* Holds, or waits for resources. */
static void json_edges(struct pen *pen, const char *key, const struct model *model,
		       const struct ipckit_rows *rows)
{
	bool first = true;

	pen_text(pen, key);
	for (uint32_t p = 0; p < model->system.nprocesses; p++) {
		size_t cell, end = ipckit_rows_of(rows, p, &cell);

		for (; cell < end && rows->column[cell] < named_resources(model); cell++) {
			element(pen, &first);
			json_pair(pen, names_get(&model->processes, p),
				  names_get(&model->resources, rows->column[cell]));
			json_count(pen, ipckit_rows_count(rows, cell));
		}
	}
	pen_byte(pen, ']');
}

static void json_alternatives(struct pen *pen, const struct model *model, size_t cell, size_t end)
{
	const struct ipckit_rows *any = &model->system.any;

	for (const char *separator = ",["; cell < end; cell++, separator = ",") {
		const char *name = names_get(&model->resources, any->column[cell]);
		int64_t count = ipckit_rows_count(any, cell);

		pen_text(pen, separator);
		if (count != 1)
			pen_byte(pen, '[');
		pen_json(pen, name);
		if (count != 1)
			json_count(pen, count);
	}
	pen_text(pen, "]]");
}

static void json_waits_any(struct pen *pen, const struct model *model)
{
	bool first = true;

	pen_text(pen, ",\n\"waits_any\":[");
	for (uint32_t p = 0; p < model->system.nprocesses; p++) {
		size_t cell, end = ipckit_rows_of(&model->system.any, p, &cell);

		if (cell == end)
			continue;
		element(pen, &first);
		pen_byte(pen, '[');
		pen_json(pen, names_get(&model->processes, p));
		json_alternatives(pen, model, cell, end);
	}
	pen_byte(pen, ']');
}

static void json_waits_end(struct pen *pen, const struct model *model)
{
	const struct ipckit_rows *request = &model->system.request;
	bool first = true;

	pen_text(pen, ",\n\"waits_end\":[");
	for (uint32_t p = 0; p < model->system.nprocesses; p++) {
		size_t cell, end = ipckit_rows_of(request, p, &cell);

		for (; cell < end; cell++) {
			uint32_t awaited = end_awaited(model, request->column[cell]);

			if (awaited == IPCKIT_NONE)
				continue;
			element(pen, &first);
			json_pair(pen, names_get(&model->processes, p),
				  names_get(&model->processes, awaited));
			pen_byte(pen, ']');
		}
	}
	pen_byte(pen, ']');
}

/* Among alternatives JSON has room for resources only. */
static bool json_says_it(const struct model *model)
{
	const struct ipckit_rows *any = &model->system.any;
	size_t ncells = any->start ? any->start[model->system.nprocesses] : 0;

	for (size_t cell = 0; cell < ncells; cell++)
		if (any->column[cell] >= named_resources(model))
			return false;
	return !model->has_claim && json_has_words(model);
}

int write_graph_json(FILE *stream, const struct model *model)
{
	struct pen pen = { .stream = stream };

	if (!json_says_it(model))
		return -EOPNOTSUPP;
	json_resources(&pen, model);
	if (any_preemptible(model)) {
		pen_text(&pen, ",\n");
		pen_json_preemptible(&pen, model);
	}
	json_processes(&pen, model);
	json_edges(&pen, ",\n\"holds\":[", model, &model->system.allocation);
	json_edges(&pen, ",\n\"waits\":[", model, &model->system.request);
	if (model->system.any.start)
		json_waits_any(&pen, model);
	if (model->system.nends)
		json_waits_end(&pen, model);
	pen_text(&pen, "}\n");
	pen_flush(&pen);
	return 0;
}

/* ---- edge lines ---- */

/* No character that begins something else: an edge, a comment, the keyword of a section. */
static bool bare(const char *name)
{
	static const char *const keywords[] = { "digraph", "graph", "node", "edge", "subgraph", "strict", NULL };
	const char *at = name;

	if (!is_plain(*name) || *name == '-')
		return false;
	for (; is_plain(*at); at++)
		if ((*at == '-' && strchr("->", at[1])) || (*at == '/' && at[1] == '/'))
			return false;
	return *at == '\0' && is_steady(name) && !one_of(name, keywords);
}

static void put_name(struct pen *pen, const char *name)
{
	if (bare(name))
		pen_text(pen, name);
	else
		pen_quoted(pen, name);
}

/* R1, R2 and so on are taken for resources wherever they are not declared. */
static bool like_resource(const char *name)
{
	return *name == 'R' && name[1] && name[1 + strspn(name + 1, "0123456789")] == '\0';
}

static void put_resources(struct pen *pen, const struct model *model)
{
	const bool *preemptible = model->system.preemptible;

	for (uint32_t r = 0; r < named_resources(model); r++) {
		put_name(pen, names_get(&model->resources, r));
		pen_byte(pen, '[');
		pen_number(pen, model->system.existing[r]);
		pen_text(pen, preemptible && preemptible[r] ? ",preemptible]\n" : "]\n");
	}
}

static void put_edge(struct pen *pen, const char *from, const char *to, int64_t count, bool any)
{
	put_name(pen, from);
	pen_text(pen, " -> ");
	put_name(pen, to);
	if (any)
		pen_text(pen, " [");
	if (any && count != 1) {
		pen_number(pen, count);
		pen_byte(pen, ',');
	}
	if (any) {
		pen_text(pen, "any]\n");
	} else if (count != 1) {
		pen_text(pen, " [");
		pen_number(pen, count);
		pen_text(pen, "]\n");
	} else {
		pen_byte(pen, '\n');
	}
}

static void put_waits(struct pen *pen, const struct model *model, const struct ipckit_rows *rows, uint32_t p,
		      bool any)
{
	size_t cell, end = ipckit_rows_of(rows, p, &cell);

	for (; cell < end; cell++) {
		uint32_t awaited = end_awaited(model, rows->column[cell]);

		put_edge(pen, names_get(&model->processes, p),
			 awaited == IPCKIT_NONE ? names_get(&model->resources, rows->column[cell])
						: names_get(&model->processes, awaited),
			 ipckit_rows_count(rows, cell), any);
	}
}

static void put_holds(struct pen *pen, const struct model *model, uint32_t p)
{
	const struct ipckit_rows *rows = &model->system.allocation;
	size_t cell, end = ipckit_rows_of(rows, p, &cell);

	for (; cell < end && rows->column[cell] < named_resources(model); cell++)
		put_edge(pen, names_get(&model->resources, rows->column[cell]), names_get(&model->processes, p),
			 ipckit_rows_count(rows, cell), false);
}

static bool has_edge(const struct model *model, uint32_t p)
{
	const struct ipckit_system *system = &model->system;
	size_t cell, any;
	size_t end = ipckit_rows_of(&system->request, p, &cell), any_end = ipckit_rows_of(&system->any, p, &any);

	if (cell < end || any < any_end)
		return true;
	end = ipckit_rows_of(&system->allocation, p, &cell);
	return cell < end && system->allocation.column[cell] < named_resources(model);
}

static void put_process(struct pen *pen, const struct model *model, uint32_t p)
{
	const char *name = names_get(&model->processes, p);

	if (model->system.nends == 0 && has_edge(model, p) && !like_resource(name))
		return;
	put_name(pen, name);
	pen_text(pen, " [shape=circle]\n");
}

/* Names that are both: 1, or 0, or -ENOMEM. */
static int ambiguous(const struct model *model)
{
	struct names seen = { 0 };
	uint32_t number = IPCKIT_NONE;
	int r = 0;

	for (uint32_t i = 0; i < named_resources(model) && r == 0; i++) {
		const char *name = names_get(&model->resources, i);

		r = names_add(&seen, name, strlen(name));
	}
	for (uint32_t p = 0; p < model->system.nprocesses && r == 0 && number == IPCKIT_NONE; p++) {
		const char *name = names_get(&model->processes, p);

		r = names_find(&seen, name, strlen(name), &number);
	}
	names_free(&seen);
	return r ?: number != IPCKIT_NONE;
}

int write_graph(FILE *stream, const struct model *model)
{
	const struct ipckit_system *system = &model->system;
	struct pen pen = { .stream = stream };
	int r = graph_says_it(model) ? ambiguous(model) : 1;

	if (r)
		return r < 0 ? r : -EOPNOTSUPP;
	put_resources(&pen, model);
	/* Processes are numbered by their first lines; one whose end is waited for would come too early. */
	for (uint32_t p = 0; p < system->nprocesses && system->nends; p++)
		put_process(&pen, model, p);
	for (uint32_t p = 0; p < system->nprocesses; p++) {
		if (!system->nends)
			put_process(&pen, model, p);
		put_holds(&pen, model, p);
		put_waits(&pen, model, &system->request, p, false);
		put_waits(&pen, model, &system->any, p, true);
	}
	pen_flush(&pen);
	return 0;
}
