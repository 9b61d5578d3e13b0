/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_READ_TOKEN_H
#define DEADLOCK_READ_TOKEN_H

/*
 * Tokens of the forms that are lines of names and numbers: blanks are passed,
 * `#` comments too, and lines counted. A token is whole whatever the lengths in
 * which the source gives its bytes.
 */

#include "input.h"

enum token_type {
	TOKEN_START, /* what a struct that is all zero has */
	TOKEN_NEWLINE,
	TOKEN_END,
	TOKEN_NUMBER,
	TOKEN_DASHES, /* a run of - */
	TOKEN_WORD,
	TOKEN_QUOTED,
	TOKEN_COMMA, /* or a semicolon */
	TOKEN_COLON, /* or = */
};

struct token {
	enum token_type type;
	bool first;         /* of its line */
	int64_t number;
	const char *text;   /* until the next token is read */
	size_t length;
	struct place place; /* of one that is quoted: token_place() knows */
	char name[INPUT_NAME_MAX];
};

/* Reads the next token. An unquoted one that begins with a digit has to be a number. */
int token_next(struct source *source, struct token *token, struct problem *problem);
/* The same where a name is expected: digits and dashes make a word, too. */
int token_name(struct source *source, struct token *token, struct problem *problem);

/* Past blanks that are not at the end of what is in the buffer. */
static inline const char *token_pass_blanks(const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

#define TOKEN_DIGITS 18 /* that always fit */

/*
 * What most of a large input is, read fast: a number of up to 18 digits, after a
 * comma or not, in a line of which more follows. *at is where the last token
 * ended, and moves. false: nothing is passed, and token_next() knows what is there.
 */
static inline bool token_pass_number(const char **at, int64_t *number)
{
	const char *start = token_pass_blanks(*at), *end;
	int64_t value = 0;

	if (*start == ',' || *start == ';')
		start = token_pass_blanks(start + 1);
	for (end = start; (unsigned)(*end - '0') < 10; end++)
		value = (int64_t)((uint64_t)value * 10 + (*end - '0'));
	if (end == start || end - start > TOKEN_DIGITS)
		return false;
	if (*end != ' ' && *end != '\n' && *end != ',' && *end != '\t' && *end != ';' && *end != '\r')
		return false;
	*number = value;
	*at = end;
	return true;
}

struct place token_place(const struct source *source, const struct token *token);

/* "expected ..., got ..." at the token. Returns -EBADMSG. */
int token_unexpected(const struct source *source, const struct token *token, struct problem *problem,
		     const char *expected);

static inline bool token_is_name(const struct token *token)
{
	return token->type == TOKEN_WORD || token->type == TOKEN_QUOTED;
}

static inline bool token_ends_line(const struct token *token)
{
	return token->type == TOKEN_NEWLINE || token->type == TOKEN_END;
}

/* ---- the sections of read-text.c ---- */

enum section {
	SECTION_EXISTING,
	SECTION_AVAILABLE,
	SECTION_ALLOCATION,
	SECTION_REQUEST,
	SECTION_CLAIM,
	SECTION_PROCESSES,
	SECTION_RESOURCES,
	SECTION_PREEMPTIBLE,
	SECTIONS,
};

extern const char *const section_keywords[SECTIONS];

/* The section that a word begins, in any case of letters; SECTIONS if none. */
enum section section_of(const char *word, size_t length);

#endif
