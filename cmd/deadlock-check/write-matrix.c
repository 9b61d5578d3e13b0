/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write.h"

#include <errno.h>

/* How one form writes vectors and matrices. */
struct layout {
	const char *separator;            /* between two numbers */
	const char *zeros;                /* of a row: many zeros, each followed by the separator */
	const char *open, *close, *next;  /* of a row, and between two */
};

#define ZEROS_JSON "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
#define ZEROS_TEXT "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
#define ZEROS_SIZE (sizeof(ZEROS_JSON) - 1)

static const struct layout json_layout = { ",", ZEROS_JSON, "[", "]", ",\n" };
static const struct layout text_layout = { " ", ZEROS_TEXT, "", "", "\n" };

static bool matrices_say_it(const struct model *model)
{
	const struct ipckit_rows *any = &model->system.any;

	return model->system.nends == 0 && (!any->start || any->start[model->system.nprocesses] == 0);
}

static void put_vector(struct pen *pen, const struct layout *layout, const int64_t *vector, uint32_t size)
{
	pen_text(pen, layout->open);
	for (uint32_t i = 0; i < size; i++) {
		if (i)
			pen_byte(pen, *layout->separator);
		pen_number(pen, vector[i]);
	}
	pen_text(pen, layout->close);
}

/* Zeros, a separator after each. */
static void put_zeros(struct pen *pen, const struct layout *layout, uint32_t count)
{
	for (; count > ZEROS_SIZE / 2; count -= ZEROS_SIZE / 2)
		pen_bytes(pen, layout->zeros, ZEROS_SIZE);
	pen_bytes(pen, layout->zeros, 2 * (size_t)count);
}

static void put_row(struct pen *pen, const struct layout *layout, const struct ipckit_rows *rows, uint32_t p,
		    uint32_t size)
{
	size_t cell, end = ipckit_rows_of(rows, p, &cell);
	uint32_t column = 0;

	pen_text(pen, layout->open);
	for (; cell < end; cell++) {
		put_zeros(pen, layout, rows->column[cell] - column);
		pen_number(pen, ipckit_rows_count(rows, cell));
		column = rows->column[cell] + 1;
		if (column < size)
			pen_byte(pen, *layout->separator);
	}
	if (column < size) {
		put_zeros(pen, layout, size - column - 1);
		pen_byte(pen, '0');
	}
	pen_text(pen, layout->close);
}

static void put_matrix(struct pen *pen, const struct layout *layout, const struct ipckit_rows *rows,
		       const struct ipckit_system *system)
{
	for (uint32_t p = 0; p < system->nprocesses; p++) {
		if (p)
			pen_text(pen, layout->next);
		put_row(pen, layout, rows, p, system->nresources);
	}
}

static void json_vector(struct pen *pen, const char *key, const int64_t *vector, uint32_t size)
{
	pen_text(pen, key);
	put_vector(pen, &json_layout, vector, size);
}

static void json_matrix(struct pen *pen, const char *key, const struct ipckit_rows *rows,
			const struct ipckit_system *system)
{
	pen_text(pen, key);
	pen_text(pen, "[\n");
	put_matrix(pen, &json_layout, rows, system);
	pen_text(pen, "\n]");
}

int write_json(FILE *stream, const struct model *model)
{
	const struct ipckit_system *system = &model->system;
	struct pen pen = { .stream = stream };

	if (!matrices_say_it(model) || !json_has_words(model))
		return -EOPNOTSUPP;
	json_vector(&pen, "{\"existing\":", system->existing, system->nresources);
	json_vector(&pen, ",\n\"available\":", system->available, system->nresources);
	json_matrix(&pen, ",\n\"allocation\":", &system->allocation, system);
	if (model->has_request)
		json_matrix(&pen, ",\n\"request\":", &system->request, system);
	if (model->has_claim)
		json_matrix(&pen, ",\n\"claim\":", &system->claim, system);
	pen_text(&pen, ",\n\"processes\":");
	pen_json_names(&pen, &model->processes, system->nprocesses);
	pen_text(&pen, ",\n\"resources\":");
	pen_json_names(&pen, &model->resources, system->nresources);
	if (any_preemptible(model)) {
		pen_text(&pen, ",\n");
		pen_json_preemptible(&pen, model);
	}
	pen_text(&pen, "}\n");
	pen_flush(&pen);
	return 0;
}

/* ---- text ---- */

/* Whether a name is told from a number, a keyword and a row of dashes without quotes. */
static bool bare(const char *name)
{
	static const char *const keywords[] = { "existing", "available", "allocation", "request", "claim",
						"processes", "resources", "preemptible", NULL };
	const char *at = name;

	if (!is_plain(*name) || strchr("0123456789.+-", *name))
		return false;
	while (is_plain(*at))
		at++;
	return *at == '\0' && is_steady(name) && !one_of(name, keywords);
}

/* Names in lines of some width. */
static void text_names(struct pen *pen, const struct names *names, uint32_t count, const bool *which)
{
	size_t width = 0;

	for (uint32_t i = 0; i < count; i++) {
		const char *name = names_get(names, i);

		if (which && !which[i])
			continue;
		if (width)
			pen_byte(pen, width > 80 ? '\n' : ' ');
		width = (width > 80 ? 0 : width) + strlen(name) + 1;
		if (bare(name))
			pen_text(pen, name);
		else
			pen_quoted(pen, name);
	}
	pen_byte(pen, '\n');
}

static void text_vector(struct pen *pen, const char *section, const int64_t *vector, uint32_t size)
{
	pen_text(pen, section);
	put_vector(pen, &text_layout, vector, size);
	pen_byte(pen, '\n');
}

static void text_matrix(struct pen *pen, const char *section, const struct ipckit_rows *rows,
			const struct ipckit_system *system)
{
	pen_text(pen, section);
	put_matrix(pen, &text_layout, rows, system);
	pen_byte(pen, '\n');
}

int write_text(FILE *stream, const struct model *model)
{
	const struct ipckit_system *system = &model->system;
	struct pen pen = { .stream = stream };

	/* A row of no numbers and a section of no rows are none. */
	if (!matrices_say_it(model) || !system->nprocesses || !system->nresources)
		return -EOPNOTSUPP;
	pen_text(&pen, "processes\n");
	text_names(&pen, &model->processes, system->nprocesses, NULL);
	pen_text(&pen, "\nresources\n");
	text_names(&pen, &model->resources, system->nresources, NULL);
	if (any_preemptible(model)) {
		pen_text(&pen, "\npreemptible\n");
		text_names(&pen, &model->resources, system->nresources, system->preemptible);
	}
	text_vector(&pen, "\nexisting\n", system->existing, system->nresources);
	text_vector(&pen, "\navailable\n", system->available, system->nresources);
	text_matrix(&pen, "\nallocation\n", &system->allocation, system);
	if (model->has_request)
		text_matrix(&pen, "\nrequest\n", &system->request, system);
	if (model->has_claim)
		text_matrix(&pen, "\nclaim\n", &system->claim, system);
	pen_flush(&pen);
	return 0;
}

/* ---- Matrix Market ---- */

static void mtx_cell(struct pen *pen, uint32_t row, uint32_t column, int64_t count)
{
	pen_number(pen, row + INT64_C(1));
	pen_byte(pen, ' ');
	pen_number(pen, column + INT64_C(1));
	pen_byte(pen, ' ');
	pen_number(pen, count);
	pen_byte(pen, '\n');
}

static void mtx_size(struct pen *pen, uint32_t nrows, uint32_t ncolumns, size_t ncells)
{
	pen_text(pen, "%%MatrixMarket matrix coordinate integer general\n");
	pen_number(pen, nrows);
	pen_byte(pen, ' ');
	pen_number(pen, ncolumns);
	pen_byte(pen, ' ');
	pen_number(pen, (int64_t)ncells);
	pen_byte(pen, '\n');
}

static void mtx_rows(struct pen *pen, const struct ipckit_rows *rows, const struct ipckit_system *system)
{
	mtx_size(pen, system->nprocesses, system->nresources, rows->start ? rows->start[system->nprocesses] : 0);
	for (uint32_t p = 0; p < system->nprocesses; p++) {
		size_t cell, end = ipckit_rows_of(rows, p, &cell);

		for (; cell < end; cell++)
			mtx_cell(pen, p, rows->column[cell], ipckit_rows_count(rows, cell));
	}
}

static void mtx_vector(struct pen *pen, const int64_t *vector, uint32_t size)
{
	size_t ncells = 0;

	for (uint32_t i = 0; i < size; i++)
		ncells += vector[i] != 0;
	mtx_size(pen, 1, size, ncells);
	for (uint32_t i = 0; i < size; i++)
		if (vector[i])
			mtx_cell(pen, 0, i, vector[i]);
}

int write_mtx(FILE *stream, const struct model *model, const char *which)
{
	const struct ipckit_system *system = &model->system;
	struct pen pen = { .stream = stream };

	if (!matrices_say_it(model) || any_preemptible(model))
		return -EOPNOTSUPP;
	if (!strcmp(which, "allocation"))
		mtx_rows(&pen, &system->allocation, system);
	else if (!strcmp(which, "request") && model->has_request)
		mtx_rows(&pen, &system->request, system);
	else if (!strcmp(which, "claim") && model->has_claim)
		mtx_rows(&pen, &system->claim, system);
	else if (!strcmp(which, "existing"))
		mtx_vector(&pen, system->existing, system->nresources);
	else if (!strcmp(which, "available"))
		mtx_vector(&pen, system->available, system->nresources);
	else
		return -EINVAL;
	pen_flush(&pen);
	return 0;
}
