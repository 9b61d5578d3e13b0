/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_READ_TEXT_H
#define DEADLOCK_READ_TEXT_H

/* What the parts of the reader of sections share: read-text.c and read-text-names.c. */

#include "read-token.h"

#include <inttypes.h>

#define MOST (IPCKIT_NONE - 1) /* processes, and resources */

struct text {
	struct source *source;
	struct problem *problem;
	struct model model;
	struct token token;
	enum section section;           /* the present one */
	struct place places[SECTIONS];  /* of the keywords; line 0: not there */
	uint32_t nprocesses, nresources; /* IPCKIT_NONE: not known yet */
	enum section said_processes, said_resources; /* where it is known from */

	/* of the present section */
	struct ipckit_rows_builder rows;
	struct names heading;           /* words of its first line */
	struct place heading_place;
	bool naming, labelled;          /* rows have labels, and are the first to name the processes */

	int64_t *vector;
	size_t vector_room;
	struct names preemptible;
	struct place *preemptible_places;
	size_t preemptible_room;
};

static inline int text_unexpected(struct text *text, const char *expected)
{
	return token_unexpected(text->source, &text->token, text->problem, expected);
}

static inline struct place text_here(const struct text *text)
{
	return token_place(text->source, &text->token);
}

static inline bool text_section_ends(const struct text *text)
{
	const struct token *token = &text->token;

	return token->type == TOKEN_END ||
	       (token->first && token->type == TOKEN_WORD && section_of(token->text, token->length) != SECTIONS);
}

static inline int text_next(struct text *text)
{
	return token_next(text->source, &text->token, text->problem);
}

/*
 * Goes to the next cell, over the comma before it, or over those that pad the line at its end: no
 * cell before a value is empty.
 */
int text_advance(struct text *text);
/* Past lines that are empty, or hold nothing but commas. */
int text_pass_newlines(struct text *text);

/* A name that is new, and one that has to be the same as before. */
int text_new_name(struct text *text, struct names *names, const char *name, size_t length, struct place place);
int text_same_name(struct text *text, const struct names *names, uint32_t number, const char *name,
		   size_t length, struct place place);

/* The names of all processes, or of all resources: known is how many there are, said where that is from. */
int text_read_names(struct text *text, struct names *names, uint32_t *known, enum section *said);

/* They may stand before it is known which resources there are: kept for the end. */
int text_read_preemptible(struct text *text);
int text_mark_preemptible(struct text *text);

/* The first line of a section where it begins with a word: headings, or the first row's label. */
int text_read_heading(struct text *text);
/* Takes the headings, but for the corner, for the names of resources: how many there are is known. */
int text_take_heading(struct text *text, bool corner);
/* The same after a section whose rows do not show how many there are. */
int text_take_heading_of_dashes(struct text *text);

#endif
