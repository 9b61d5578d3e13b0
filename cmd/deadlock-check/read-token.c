/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read-token.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Has room for the longest word and what ends it. */
#define WINDOW (INPUT_NAME_MAX + 2)

enum class { WORD, DIGIT, DASH, BLANK, NEWLINE, COMMA, COLON, HASH, QUOTE, JUNK };

static const unsigned char classes[256] = {
	[0 ... '\t' - 1] = JUNK,
	['\t'] = BLANK,
	['\n'] = NEWLINE,
	['\n' + 1 ... '\r' - 1] = JUNK,
	['\r'] = BLANK,
	['\r' + 1 ... ' ' - 1] = JUNK,
	[' '] = BLANK,
	['"'] = QUOTE,
	['#'] = HASH,
	[','] = COMMA,
	[';'] = COMMA,
	[':'] = COLON,
	['='] = COLON,
	['-'] = DASH,
	['0' ... '9'] = DIGIT,
	[0x7f] = JUNK,
};

static inline enum class class_of(const char *at)
{
	return classes[(unsigned char)*at];
}

/* Passes blanks, then has what follows in the buffer as far as a token may reach. */
static const char *pass_blanks(struct source *source)
{
	for (;;) {
		const char *at = source->next;

		while (class_of(at) == BLANK)
			at++;
		source->next = at;
		if (source->end - at >= WINDOW || source->ended)
			return at;
		source_fill(source, WINDOW);
		if (class_of(source->next) != BLANK)
			return source->next;
	}
}

static void pass_comment(struct source *source)
{
	for (;;) {
		const char *newline = memchr(source->next, '\n', source->end - source->next);

		source->next = newline ? newline : source->end;
		if (newline || source->ended)
			return;
		source_fill(source, 1);
	}
}

static int unexpected_byte(const struct source *source, const char *at, struct problem *problem)
{
	return problem_at(problem, source_place(source, at), "unexpected %s", quoted(at, 1));
}

/* Said before anything else of a token: how much of it is in the buffer is chance. */
static int too_long(const struct source *source, const char *at, struct problem *problem)
{
	return problem_at(problem, source_place(source, at), "more than %d bytes in one word", INPUT_NAME_MAX);
}

/* ---- bare words ---- */

static const char *end_of_word(const char *at)
{
	while (class_of(at) <= DASH)
		at++;
	return at;
}

static int bad_number(const struct source *source, const char *at, struct problem *problem)
{
	const char *end = end_of_word(at), *text;
	size_t length = end - at;

	text = quoted(at, length < INPUT_NAME_MAX ? length : INPUT_NAME_MAX);
	if (*at == '-' && class_of(at + 1) == DIGIT)
		return problem_at(problem, source_place(source, at),
				  "expected a number from 0 on, got %s", text);
	return problem_at(problem, source_place(source, at),
			  "expected a whole number, got %s (names that begin so are quoted)", text);
}

static int read_number(struct source *source, struct token *token, struct problem *problem)
{
	const char *at = source->next, *end = at;
	int64_t value = 0;
	bool fits = true;

	for (; class_of(end) == DIGIT; end++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *end - '0', &value)) {
			value = INT64_MAX;
			fits = false;
		}
	}
	if (end - at > INPUT_NAME_MAX)
		return too_long(source, at, problem);
	if (class_of(end) <= DASH || class_of(end) == QUOTE)
		return bad_number(source, at, problem);
	if (!fits)
		return problem_at(problem, source_place(source, at),
				  "expected a number up to %" PRId64 ", got %s", INT64_MAX,
				  quoted(at, end - at));
	token->type = TOKEN_NUMBER;
	token->number = value;
	token->length = end - at;
	source->next = end;
	return 0;
}

static int read_dashes(struct source *source, struct token *token, struct problem *problem)
{
	const char *at = source->next, *end = at;

	while (*end == '-')
		end++;
	if (end - at > INPUT_NAME_MAX)
		return too_long(source, at, problem);
	if (class_of(end) <= DASH || class_of(end) == QUOTE)
		return bad_number(source, at, problem);
	token->type = TOKEN_DASHES;
	token->length = end - at;
	source->next = end;
	return 0;
}

static int read_word(struct source *source, struct token *token, struct problem *problem)
{
	const char *at = source->next, *end = end_of_word(at);

	if (end - at > INPUT_NAME_MAX)
		return too_long(source, at, problem);
	if (class_of(end) == QUOTE)
		return unexpected_byte(source, end, problem);
	token->type = TOKEN_WORD;
	token->length = end - at;
	source->next = end;
	return 0;
}

/* ---- quoted names ---- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that an escape stands for, its length in *length; 0 where there is no such one. */
static unsigned char escaped(const char *at, size_t *length)
{
	int high, low;

	*length = 2;
	switch (at[1]) {
	case '"':
	case '\\':
		return at[1];
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'x':
		high = digit_of(at[2]);
		low = high < 0 ? -1 : digit_of(at[3]);
		*length = 4;
		return low < 0 ? 0 : high << 4 | low;
	default:
		return 0;
	}
}

/* Reads one byte of a quoted name into *byte. */
static int read_quoted_byte(struct source *source, char *byte, struct problem *problem)
{
	const char *at = source->next;
	size_t length = 1;

	*byte = *at;
	if (*at == '\\') {
		*byte = (char)escaped(at, &length);
		if (!*byte)
			return problem_at(problem, source_place(source, at),
					  "expected \\\" \\\\ \\n \\t or \\xNN (not \\x00)");
	} else if (at == source->end || *at == '\n') {
		return problem_at(problem, source_place(source, at), "expected \" at the end of a name");
	} else if (!*at) {
		return unexpected_byte(source, at, problem);
	}
	source->next += length;
	return 0;
}

/* The name may be longer than its bytes that are in the buffer, and goes to a place of its own. */
static int read_quoted(struct source *source, struct token *token, struct problem *problem)
{
	token->place = source_place(source, source->next);
	token->length = 0;
	source->next++;
	for (;;) {
		char byte;
		int r;

		if (source->end - source->next < 4 && !source->ended)
			source_fill(source, 4);
		if (*source->next == '"')
			break;
		r = read_quoted_byte(source, &byte, problem);
		if (r)
			return source->error ? source->error : r;
		if (token->length == INPUT_NAME_MAX)
			return problem_at(problem, token->place, "a name of more than %d bytes",
					  INPUT_NAME_MAX);
		token->name[token->length++] = byte;
	}
	source->next++;
	if (class_of(source->next) <= DASH || class_of(source->next) == QUOTE)
		return unexpected_byte(source, source->next, problem);
	token->type = TOKEN_QUOTED;
	token->text = token->name;
	return 0;
}

/* ---- tokens ---- */

static int read_mark(struct source *source, struct token *token, enum token_type type)
{
	token->type = type;
	token->length = 1;
	/* A newline is passed when the next token is read, so that its own line is still the present one. */
	source->next += type != TOKEN_NEWLINE;
	return 0;
}

static int read_token(struct source *source, struct token *token, struct problem *problem, bool names)
{
	const char *at;

	token->first = token->type <= TOKEN_NEWLINE;
	if (token->type == TOKEN_NEWLINE) {
		source_newline(source, source->next);
		source->next++;
	}
	at = pass_blanks(source);
	if (class_of(at) == HASH) {
		pass_comment(source);
		at = source->next;
	}
	token->text = at;
	switch (class_of(at)) {
	case DIGIT:
		return names ? read_word(source, token, problem) : read_number(source, token, problem);
	case DASH:
		return names ? read_word(source, token, problem) : read_dashes(source, token, problem);
	case NEWLINE:
		return read_mark(source, token, TOKEN_NEWLINE);
	case COMMA:
		return read_mark(source, token, TOKEN_COMMA);
	case COLON:
		return read_mark(source, token, TOKEN_COLON);
	case QUOTE:
		return read_quoted(source, token, problem);
	case WORD:
		/* No name, but a number that nobody should take for a label. */
		if (!names && (*at == '+' || *at == '.') && class_of(at + 1) == DIGIT)
			return bad_number(source, at, problem);
		return read_word(source, token, problem);
	default:
		if (at != source->end)
			return unexpected_byte(source, at, problem);
		token->type = TOKEN_END;
		token->length = 0;
		return source->error;
	}
}

int token_next(struct source *source, struct token *token, struct problem *problem)
{
	return read_token(source, token, problem, false);
}

int token_name(struct source *source, struct token *token, struct problem *problem)
{
	return read_token(source, token, problem, true);
}

struct place token_place(const struct source *source, const struct token *token)
{
	return token->type == TOKEN_QUOTED ? token->place : source_place(source, token->text);
}

int token_unexpected(const struct source *source, const struct token *token, struct problem *problem,
		     const char *expected)
{
	const char *got;

	switch (token->type) {
	case TOKEN_NEWLINE:
		got = "the end of the line";
		break;
	case TOKEN_START:
	case TOKEN_END:
		got = "the end of the input";
		break;
	default:
		got = quoted(token->text, token->length);
	}
	return problem_at(problem, token_place(source, token), "expected %s, got %s", expected, got);
}

/* ---- sections ---- */

const char *const section_keywords[SECTIONS] = {
	[SECTION_EXISTING] = "existing",     [SECTION_AVAILABLE] = "available",
	[SECTION_ALLOCATION] = "allocation", [SECTION_REQUEST] = "request",
	[SECTION_CLAIM] = "claim",           [SECTION_PROCESSES] = "processes",
	[SECTION_RESOURCES] = "resources",   [SECTION_PREEMPTIBLE] = "preemptible",
};

/* Not strcasecmp(3), which depends on the locale. */
static bool is_keyword(const char *word, size_t length, const char *keyword)
{
	for (size_t i = 0; i < length; i++) {
		if ((word[i] | 0x20) != keyword[i])
			return false;
	}
	return !keyword[length];
}

enum section section_of(const char *word, size_t length)
{
	enum section section = 0;

	while (section < SECTIONS && (length > strlen(section_keywords[section]) ||
				      !is_keyword(word, length, section_keywords[section])))
		section++;
	return section;
}
