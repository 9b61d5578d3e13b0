/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The names of a system as sections of text give them: in lists, in headings, before rows. */

#include "read-text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- cells and lines ---- */

/* Commas that nothing follows pad the line, as spreadsheets do. */
static int pass_padding(struct text *text)
{
	struct place place = text_here(text);
	char comma = *text->token.text;
	int r = 0;

	while (!r && text->token.type == TOKEN_COMMA)
		r = text_next(text);
	if (r || token_ends_line(&text->token))
		return r;
	return problem_at(text->problem, place, "expected a value after the comma, got %s", quoted(&comma, 1));
}

static int pass_comma(struct text *text)
{
	int r = text_next(text);

	return r || text->token.type != TOKEN_COMMA ? r : pass_padding(text);
}

int text_advance(struct text *text)
{
	int r = text_next(text);

	return r || text->token.type != TOKEN_COMMA ? r : pass_comma(text);
}

/* corner: the place of a comma before the first value of a line; line 0: there is none. */
static int pass_empty_lines(struct text *text, struct place *corner)
{
	const struct token *token = &text->token;
	bool comma = false;
	int r = 0;

	while (!r && (token->type == TOKEN_NEWLINE || (token->type == TOKEN_COMMA && token->first))) {
		comma = token->type == TOKEN_COMMA;
		*corner = text_here(text);
		r = comma ? pass_comma(text) : text_next(text);
	}
	if (!comma || token->type == TOKEN_END)
		corner->line = 0;
	return r;
}

int text_pass_newlines(struct text *text)
{
	struct place corner;
	int r = pass_empty_lines(text, &corner);

	return r || !corner.line ? r : problem_at(text->problem, corner, "expected a value before the comma");
}

/* ---- names ---- */

int text_same_name(struct text *text, const struct names *names, uint32_t number, const char *name,
		   size_t length, struct place place)
{
	const char *known = names_get(names, number);

	if (strlen(known) == length && !memcmp(known, name, length))
		return 0;
	return problem_at(text->problem, place, "expected %s as before, got %s",
			  quoted(known, strlen(known)), quoted(name, length));
}

int text_new_name(struct text *text, struct names *names, const char *name, size_t length,
		  struct place place)
{
	int r;

	if (!length)
		return problem_at(text->problem, place, "expected a name, got an empty one");
	if (names->count == MOST)
		return problem_at(text->problem, place, "more than %" PRIu32 " names", MOST);
	r = names_add(names, name, length);
	if (r != -EEXIST)
		return r;
	return problem_at(text->problem, place, "the name %s is there twice", quoted(name, length));
}

static int name_one(struct text *text, struct names *names, bool naming, uint32_t number)
{
	const struct token *token = &text->token;

	if (!token_is_name(token))
		return text_unexpected(text, "a name");
	if (naming)
		return text_new_name(text, names, token->text, token->length, text_here(text));
	return text_same_name(text, names, number, token->text, token->length, text_here(text));
}

int text_read_names(struct text *text, struct names *names, uint32_t *known, enum section *said)
{
	bool naming = !names->count;
	uint32_t count = 0;
	int r = text_pass_newlines(text);

	for (; !r && !text_section_ends(text); count++) {
		if (count == *known)
			return problem_at(text->problem, text_here(text), "expected %" PRIu32 " %s, as %s has",
					  *known, section_keywords[text->section], section_keywords[*said]);
		r = name_one(text, names, naming, count);
		if (!r)
			r = text_advance(text);
		if (!r)
			r = text_pass_newlines(text);
	}
	if (r)
		return r;
	if (!count)
		return text_unexpected(text, "names");
	if (*known != IPCKIT_NONE && count < *known)
		return problem_at(text->problem, text_here(text),
				  "expected %" PRIu32 " %s, as %s has, got %" PRIu32, *known,
				  section_keywords[text->section], section_keywords[*said], count);
	if (*known == IPCKIT_NONE)
		*said = text->section;
	*known = count;
	return 0;
}

int text_read_preemptible(struct text *text)
{
	int r = text_pass_newlines(text);

	while (!r && !text_section_ends(text)) {
		struct place place = text_here(text);

		r = name_one(text, &text->preemptible, true, 0);
		if (r)
			return r;
		if (text->preemptible.count > text->preemptible_room) {
			size_t room = 2 * text->preemptible_room + 16;
			struct place *places = reallocarray(text->preemptible_places, room, sizeof(*places));

			if (!places)
				return -ENOMEM;
			text->preemptible_places = places;
			text->preemptible_room = room;
		}
		text->preemptible_places[text->preemptible.count - 1] = place;
		r = text_advance(text);
		if (!r)
			r = text_pass_newlines(text);
	}
	return r;
}

int text_mark_preemptible(struct text *text)
{
	struct ipckit_system *system = &text->model.system;
	const struct names *names = &text->preemptible;

	if (!names->count)
		return 0;
	system->preemptible = calloc(system->nresources, sizeof(*system->preemptible));
	if (!system->preemptible)
		return -ENOMEM;
	for (uint32_t i = 0; i < names->count; i++) {
		const char *name = names_get(names, i);
		uint32_t resource;
		int r = names_find(&text->model.resources, name, strlen(name), &resource);

		if (r)
			return r;
		if (resource == IPCKIT_NONE)
			return problem_at(text->problem, text->preemptible_places[i],
					  "there is no resource %s", quoted(name, strlen(name)));
		system->preemptible[resource] = true;
	}
	return 0;
}

/* ---- columns ---- */

int text_read_heading(struct text *text)
{
	struct place corner;
	int r = pass_empty_lines(text, &corner);

	if (r)
		return r;
	text->heading_place = corner.line ? corner : text_here(text);
	/* A spreadsheet's corner may be empty. */
	if (corner.line) {
		r = names_add(&text->heading, "", 0);
		if (!r && !token_is_name(&text->token))
			return text_unexpected(text, "a heading after the empty corner");
	}
	if (r || text_section_ends(text))
		return r;
	while (!r && token_is_name(&text->token)) {
		const struct token *token = &text->token;

		r = names_add(&text->heading, token->text, token->length);
		if (r == -EEXIST)
			return problem_at(text->problem, text_here(text), "the name %s is there twice",
					  quoted(token->text, token->length));
		if (!r)
			r = text_advance(text);
	}
	if (r || text->heading.count < 2 || token_ends_line(&text->token))
		return r;
	return text_unexpected(text, "a name like those before it in this line");
}

int text_take_heading(struct text *text, bool corner)
{
	const struct names *heading = &text->heading;
	struct names *resources = &text->model.resources;
	bool naming = !resources->count;
	int r = 0;

	if (!heading->count)
		return 0;
	if (heading->count - corner != text->nresources)
		return problem_at(text->problem, text->heading_place,
				  "expected %" PRIu32 " headings, as there are resources, got %" PRIu32,
				  text->nresources, heading->count - corner);
	for (uint32_t i = 0; !r && i < text->nresources; i++) {
		const char *name = names_get(heading, i + corner);
		size_t length = strlen(name);

		r = naming ? text_new_name(text, resources, name, length, text->heading_place) :
			     text_same_name(text, resources, i, name, length, text->heading_place);
	}
	names_free(&text->heading);
	memset(&text->heading, 0, sizeof(text->heading));
	return r;
}

int text_take_heading_of_dashes(struct text *text)
{
	uint32_t count = text->heading.count;
	/* Over labels there is a corner, and the keyword is in it if the headings are in its line. */
	bool corner = text->labelled && count > 1 &&
		      text->heading_place.line != text->places[text->section].line;

	if (count && text->nresources == IPCKIT_NONE) {
		text->nresources = count - corner;
		text->said_resources = text->section;
	}
	return text_take_heading(text, corner);
}
