/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Sections of numbers as textbooks and spreadsheets give them. What is said in
 * several places (how many processes and resources there are, and their names)
 * is taken from the first of them, and has to be the same in the others.
 */

#include "read-text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static enum section section_here(const struct text *text)
{
	const struct token *token = &text->token;

	return token->first && token->type == TOKEN_WORD ? section_of(token->text, token->length) : SECTIONS;
}

static const char *keyword(const struct text *text)
{
	return section_keywords[text->section];
}

/* ---- columns ---- */

static int too_many_columns(struct text *text)
{
	if (text->nresources == IPCKIT_NONE)
		return problem_at(text->problem, text_here(text), "more than %" PRIu32 " resources", MOST);
	return problem_at(text->problem, text_here(text), "expected a row of %" PRIu32 " numbers, as %s has, got more",
			  text->nresources, section_keywords[text->said_resources]);
}

/* A row has ended. */
static int set_columns(struct text *text, uint32_t count)
{
	if (text->nresources == IPCKIT_NONE) {
		text->nresources = count;
		text->said_resources = text->section;
	}
	if (count == text->nresources)
		return 0;
	return problem_at(text->problem, text_here(text),
			  "expected a row of %" PRIu32 " numbers, as %s has, got %" PRIu32, text->nresources,
			  section_keywords[text->said_resources], count);
}

static uint32_t most_columns(const struct text *text)
{
	return text->nresources == IPCKIT_NONE ? MOST : text->nresources;
}

/* ---- vectors ---- */

static int append(struct text *text, uint32_t count, int64_t number)
{
	if (count == text->vector_room) {
		size_t room = 2 * text->vector_room + 64;
		int64_t *vector = reallocarray(text->vector, room, sizeof(*vector));

		if (!vector)
			return -ENOMEM;
		text->vector = vector;
		text->vector_room = room;
	}
	text->vector[count] = number;
	return 0;
}

static int read_vector(struct text *text, int64_t **out)
{
	uint32_t count = 0;
	int r = text_read_heading(text);

	if (!r && text->heading.count && !token_ends_line(&text->token))
		return text_unexpected(text, "the end of the line of headings");
	if (!r)
		r = text_pass_newlines(text);
	while (!r && !text_section_ends(text)) {
		if (text->token.type != TOKEN_NUMBER)
			return text_unexpected(text, "a number");
		if (count == most_columns(text))
			return too_many_columns(text);
		r = append(text, count++, text->token.number);
		if (!r)
			r = text_advance(text);
		if (!r && text->token.type == TOKEN_NEWLINE)
			r = text_pass_newlines(text);
	}
	if (r)
		return r;
	if (!count)
		return text_unexpected(text, "numbers");
	r = set_columns(text, count);
	if (!r)
		r = text_take_heading(text, false);
	if (r)
		return r;
	*out = text->vector;
	text->vector = NULL;
	text->vector_room = 0;
	return 0;
}

/* ---- matrices ---- */

static int label_row(struct text *text, const char *name, size_t length, struct place place)
{
	struct names *processes = &text->model.processes;

	if (!text->rows.nrows) {
		text->labelled = true;
		text->naming = !processes->count;
	}
	if (!text->labelled)
		return problem_at(text->problem, place, "expected a number, as no row before has a label, got %s",
				  quoted(name, length));
	if (text->naming)
		return text_new_name(text, processes, name, length, place);
	return text_same_name(text, processes, text->rows.nrows, name, length, place);
}

/* passed: it is in the heading. */
static int read_label(struct text *text, bool passed)
{
	int r;

	if (passed) {
		const char *name = names_get(&text->heading, 0);

		r = label_row(text, name, strlen(name), text->heading_place);
		names_free(&text->heading);
		memset(&text->heading, 0, sizeof(text->heading));
	} else if (token_is_name(&text->token)) {
		r = label_row(text, text->token.text, text->token.length, text_here(text));
		if (!r)
			r = text_advance(text);
	} else {
		return text->labelled ? text_unexpected(text, "a label as the rows before have") : 0;
	}
	return r || text->token.type != TOKEN_COLON ? r : text_advance(text);
}

/* The numbers that follow one. */
static int read_run(struct text *text, uint32_t most, uint32_t *count)
{
	const char *at = text->source->next;
	uint32_t column = *count;
	int64_t number;
	int r = 0;

	for (; !r && column < most && token_pass_number(&at, &number); column++) {
		if (number)
			r = ipckit_rows_add(&text->rows, column, number);
	}
	text->source->next = at;
	*count = column;
	return r;
}

/* Up to what is neither a number nor a dash. */
static int read_cells(struct text *text, uint32_t *count, uint32_t *dashes)
{
	uint32_t most = most_columns(text);
	int r = 0;

	for (*count = *dashes = 0; !r;) {
		bool number = text->token.type == TOKEN_NUMBER && !*dashes;

		if (!number && (text->token.type != TOKEN_DASHES || *dashes != *count))
			return 0;
		if (*count == most)
			return too_many_columns(text);
		if (number && text->token.number)
			r = ipckit_rows_add(&text->rows, *count, text->token.number);
		*dashes += !number;
		++*count;
		if (!r && number)
			r = read_run(text, most, count);
		if (!r)
			r = text_advance(text);
	}
	return r;
}

static const char *plural(uint32_t count)
{
	return count == 1 ? "" : "s";
}

static int read_row(struct text *text, bool label_passed)
{
	uint32_t count, dashes;
	int r;

	if (text->rows.nrows == text->nprocesses)
		return problem_at(text->problem, text_here(text), "expected %" PRIu32 " row%s in %s, as %s has, got more",
				  text->nprocesses, plural(text->nprocesses), keyword(text),
				  section_keywords[text->said_processes]);
	if (text->rows.nrows == MOST)
		return problem_at(text->problem, text_here(text), "more than %" PRIu32 " rows", MOST);
	r = read_label(text, label_passed);
	if (!r)
		r = read_cells(text, &count, &dashes);
	if (r)
		return r;
	if (!count || !token_ends_line(&text->token))
		return text_unexpected(text, dashes ? "a dash" : "a number");
	/* One run of dashes stands for a whole row, of whatever width. */
	if (count != 1 || !dashes) {
		r = set_columns(text, count);
		if (!r)
			r = text_take_heading(text, text->labelled && text->heading.count == count + 1);
	}
	return r ? r : ipckit_rows_end(&text->rows);
}

static int read_matrix(struct text *text, struct ipckit_rows *out)
{
	int r = text_read_heading(text);

	/* A heading of one word is a label where a number follows it in its line. */
	if (!r && text->heading.count && !token_ends_line(&text->token))
		r = read_row(text, true);
	if (!r)
		r = text_pass_newlines(text);
	while (!r && !text_section_ends(text)) {
		r = read_row(text, false);
		if (!r)
			r = text_pass_newlines(text);
	}
	if (r)
		return r;
	if (!text->rows.nrows)
		return text_unexpected(text, "rows of numbers");
	if (text->nprocesses == IPCKIT_NONE) {
		text->nprocesses = text->rows.nrows;
		text->said_processes = text->section;
	}
	if (text->rows.nrows != text->nprocesses)
		return problem_at(text->problem, text_here(text),
				  "expected %" PRIu32 " row%s in %s, as %s has, got %" PRIu32, text->nprocesses,
				  plural(text->nprocesses), keyword(text), section_keywords[text->said_processes],
				  text->rows.nrows);
	r = text_take_heading_of_dashes(text);
	if (r)
		return r;
	*out = text->rows.rows;
	memset(&text->rows, 0, sizeof(text->rows));
	return 0;
}

/* ---- sections ---- */

static int read_section(struct text *text)
{
	struct ipckit_system *system = &text->model.system;

	switch (text->section) {
	case SECTION_EXISTING:
		return read_vector(text, &system->existing);
	case SECTION_AVAILABLE:
		return read_vector(text, &system->available);
	case SECTION_ALLOCATION:
		return read_matrix(text, &system->allocation);
	case SECTION_REQUEST:
		return read_matrix(text, &system->request);
	case SECTION_CLAIM:
		return read_matrix(text, &system->claim);
	case SECTION_PROCESSES:
		return text_read_names(text, &text->model.processes, &text->nprocesses, &text->said_processes);
	case SECTION_RESOURCES:
		return text_read_names(text, &text->model.resources, &text->nresources, &text->said_resources);
	default:
		return text_read_preemptible(text);
	}
}

/* The keyword, and the colon or comma after it, or both. */
static int begin_section(struct text *text)
{
	enum section section = section_here(text);
	int r;

	if (section == SECTIONS)
		return text_unexpected(text, "a section (existing, available, allocation, request, claim, processes, "
					"resources or preemptible)");
	if (text->places[section].line)
		return problem_at(text->problem, text_here(text), "the section %s is there twice",
				  section_keywords[section]);
	text->section = section;
	text->places[section] = text_here(text);
	text->labelled = text->naming = false;
	r = text_advance(text);
	return r || text->token.type != TOKEN_COLON ? r : text_advance(text);
}

static bool has(const struct text *text, enum section section)
{
	return text->places[section].line;
}

static int complete(struct text *text)
{
	struct model *model = &text->model;
	enum section vector = has(text, SECTION_EXISTING) ? SECTION_EXISTING : SECTION_AVAILABLE;
	int r;

	if (!has(text, SECTION_ALLOCATION))
		return text_unexpected(text, "a section allocation");
	if (!has(text, SECTION_REQUEST) && !has(text, SECTION_CLAIM))
		return text_unexpected(text, "a section request (or claim)");
	if (!has(text, vector))
		return text_unexpected(text, "a section existing (or available)");
	model->form = FORM_TEXT;
	model->has_request = has(text, SECTION_REQUEST);
	model->has_claim = has(text, SECTION_CLAIM);
	model->system.nprocesses = text->nprocesses;
	model->system.nresources = text->nresources;
	r = model_complete(model, text->places[vector], text->problem);
	return r ? r : text_mark_preemptible(text);
}

static int read_all(struct text *text)
{
	int r = text_next(text);

	if (!r)
		r = text_pass_newlines(text);
	while (!r && text->token.type != TOKEN_END) {
		r = begin_section(text);
		if (!r)
			r = read_section(text);
		if (!r)
			r = text_pass_newlines(text);
	}
	return r ? r : complete(text);
}

int read_text(struct source *source, struct model *out, struct problem *problem)
{
	struct text text = {
		.source = source, .problem = problem, .nprocesses = IPCKIT_NONE, .nresources = IPCKIT_NONE,
	};
	int r = read_all(&text);

	if (r)
		model_free(&text.model);
	else
		*out = text.model;
	ipckit_rows_free(&text.rows.rows);
	names_free(&text.heading);
	names_free(&text.preemptible);
	free(text.preemptible_places);
	free(text.vector);
	return r;
}
