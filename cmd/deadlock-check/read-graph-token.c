/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read-graph.h"

#include <string.h>

/* A joint belongs to a name unless the next character makes an arrow or a comment of both. */
enum { OTHER, PLAIN, JOINT };

static const uint8_t class_of[256] = {
	['0' ... '9'] = PLAIN, ['A' ... 'Z'] = PLAIN, ['a' ... 'z'] = PLAIN, [128 ... 255] = PLAIN,
	['_'] = PLAIN, ['.'] = PLAIN, [':'] = PLAIN, ['@'] = PLAIN, ['+'] = PLAIN, ['%'] = PLAIN,
	['-'] = JOINT, ['/'] = JOINT,
};

/* ---- the fast way ---- */

static const char *pass_blanks(const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

static const char *pass_name(const char *at)
{
	for (;;) {
		while (class_of[(unsigned char)*at] == PLAIN)
			at++;
		if (class_of[(unsigned char)*at] != JOINT || strchr("->/*", at[1]))
			return at;
		at++;
	}
}

static const char *plain_name(const char *at, struct names_token *out)
{
	const char *end = pass_name(at);

	*out = (struct names_token){ .text = at, .length = end - at };
	return out->length && out->length <= INPUT_NAME_MAX ? end : NULL;
}

const char *graph_plain_edge(const char *at, struct names_token pair[2])
{
	at = plain_name(pass_blanks(at), &pair[0]);
	if (!at)
		return NULL;
	at = pass_blanks(at);
	if (at[0] != '-' || at[1] != '>')
		return NULL;
	at = plain_name(pass_blanks(at + 2), &pair[1]);
	if (!at)
		return NULL;
	if (*at == ';')
		at++;
	if (*at == '\r')
		at++;
	return *at == '\n' ? at : NULL;
}

/* ---- what is wrong ---- */

static const char *describe(const struct graph_token *token)
{
	char c = token->kind;

	switch (token->kind) {
	case GRAPH_END:
		return "the end of the input";
	case '\n':
		return "the end of the line";
	case GRAPH_ARROW:
		return "->";
	case GRAPH_NAME:
		return quoted(token->text, token->length);
	default:
		return quoted(&c, 1);
	}
}

int graph_expected(struct graph_lexer *lexer, const struct graph_token *token, const char *expected)
{
	return problem_at(lexer->problem, token->place, "expected %s, got %s", expected, describe(token));
}

/* ---- characters ---- */

/* The next character, -1 at the end. */
static int peek(struct graph_lexer *lexer)
{
	struct source *source = lexer->source;

	if (source->next == source->end && !source_fill(source, 1))
		return -1;
	return (unsigned char)*source->next;
}

/* The one after it. */
static int peek_second(struct graph_lexer *lexer)
{
	struct source *source = lexer->source;

	if (source->end - source->next < 2 && source_fill(source, 2) < 2)
		return -1;
	return (unsigned char)source->next[1];
}

static void pass(struct graph_lexer *lexer)
{
	struct source *source = lexer->source;

	if (*source->next == '\n')
		source_newline(source, source->next);
	source->next++;
}

static struct place here(struct graph_lexer *lexer)
{
	return source_place(lexer->source, lexer->source->next);
}

static bool is_control(int c)
{
	return (c >= 0 && c < ' ' && !strchr("\t\n\r", c)) || !c || c == 0x7f;
}

static int unexpected(struct graph_lexer *lexer, int c, const char *expected)
{
	char byte = c;

	return problem_at(lexer->problem, here(lexer), "expected %s, got %s", expected, quoted(&byte, 1));
}

/* ---- blanks and comments ---- */

static int pass_line_comment(struct graph_lexer *lexer)
{
	int c;

	while ((c = peek(lexer)) >= 0 && c != '\n') {
		if (is_control(c))
			return unexpected(lexer, c, "text in a comment");
		pass(lexer);
	}
	return 0;
}

static int pass_block_comment(struct graph_lexer *lexer)
{
	struct place place = here(lexer);
	int c;

	pass(lexer);
	pass(lexer);
	while ((c = peek(lexer)) >= 0) {
		if (is_control(c))
			return unexpected(lexer, c, "text in a comment");
		if (c == '*' && peek_second(lexer) == '/') {
			pass(lexer);
			pass(lexer);
			return 0;
		}
		pass(lexer);
	}
	return problem_at(lexer->problem, place, "expected */ after this /*, got the end of the input");
}

static int pass_between(struct graph_lexer *lexer)
{
	int r = 0;

	while (!r) {
		int c = peek(lexer);

		if (c == ' ' || c == '\t' || (c == '\n' && lexer->inside) ||
		    (c == '\r' && peek_second(lexer) == '\n'))
			pass(lexer);
		else if (c == '#' || (c == '/' && peek_second(lexer) == '/'))
			r = pass_line_comment(lexer);
		else if (c == '/' && peek_second(lexer) == '*')
			r = pass_block_comment(lexer);
		else
			break;
	}
	return r;
}

/* ---- names ---- */

static void begin_text(struct graph_lexer *lexer, struct graph_token *out)
{
	out->kind = GRAPH_NAME;
	out->text = lexer->text[lexer->turn++ % 2];
}

static void append(struct graph_token *out, char c)
{
	if (out->length < INPUT_NAME_MAX)
		((char *)out->text)[out->length++] = c;
	else
		out->cut = true;
}

static int read_bare(struct graph_lexer *lexer, struct graph_token *out)
{
	int c, second;

	begin_text(lexer, out);
	while ((c = peek(lexer)) >= 0 && class_of[c]) {
		second = class_of[c] == JOINT ? peek_second(lexer) : 0;
		if (c == '-' && second == '>')
			return 0;
		if (c == '-' && second == '-')
			return problem_at(lexer->problem, here(lexer),
					  "expected ->, got -- (edges have a direction; names with -- are quoted)");
		if (c == '/' && (second == '/' || second == '*'))
			return problem_at(lexer->problem, here(lexer),
					  "expected a blank before a comment (names with /%c are quoted)", second);
		append(out, c);
		if (out->cut)
			return problem_at(lexer->problem, out->place,
					  "expected a name of at most %d bytes, got a longer one", INPUT_NAME_MAX);
		pass(lexer);
	}
	return 0;
}

static void note_wrong(struct graph_token *out, struct place place, const char *expected)
{
	if (out->wrong.line)
		return;
	out->wrong = place;
	out->expected = expected;
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/* NN of \xNN; -1 where it is none, and then nothing is passed but digits. */
static int read_hex(struct graph_lexer *lexer)
{
	int value = 0;

	for (int i = 0; i < 2; i++) {
		int digit = hex_digit(peek(lexer));

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
		pass(lexer);
	}
	return value;
}

/* What comes after a backslash. */
static void read_escape(struct graph_lexer *lexer, struct graph_token *out, struct place place)
{
	int c = peek(lexer), value;

	if (c < 0 || is_control(c)) /* read_quoted() has the word for it */
		return;
	pass(lexer);
	switch (c) {
	case '"':
	case '\\':
		append(out, c);
		return;
	case 'n':
		append(out, '\n');
		return;
	case 't':
		append(out, '\t');
		return;
	case 'x':
		value = read_hex(lexer);
		if (value > 0) {
			append(out, value);
			return;
		}
		note_wrong(out, place, value ? "two hexadecimal digits after \\x" : "a name without NULs");
		return;
	default:
		append(out, '\\');
		append(out, c);
		note_wrong(out, place, "one of \\\" \\\\ \\n \\t \\xNN");
	}
}

static int read_quoted(struct graph_lexer *lexer, struct graph_token *out)
{
	int c;

	begin_text(lexer, out);
	out->quoted = true;
	pass(lexer);
	while ((c = peek(lexer)) >= 0) {
		struct place place = here(lexer);

		if (is_control(c))
			return unexpected(lexer, c, "text in quotes");
		if (c < ' ')
			note_wrong(out, place, "\\n, \\t or \\xNN in place of a control character");
		pass(lexer);
		if (c == '"')
			return 0;
		if (c == '\\')
			read_escape(lexer, out, place);
		else
			append(out, c);
	}
	return problem_at(lexer->problem, out->place, "expected \" at the end of a name, got the end of the input");
}

/* ---- tokens ---- */

int graph_token(struct graph_lexer *lexer, struct graph_token *out)
{
	int c, r = pass_between(lexer);

	if (r)
		return r;
	c = peek(lexer);
	*out = (struct graph_token){ .kind = c < 0 ? GRAPH_END : c, .place = here(lexer) };
	if (c < 0)
		return 0;
	if (c == '"')
		return read_quoted(lexer, out);
	if (c == '-' && peek_second(lexer) == '>') {
		out->kind = GRAPH_ARROW;
		pass(lexer);
		pass(lexer);
		return 0;
	}
	if (class_of[c])
		return read_bare(lexer, out);
	if (c == '<')
		return unexpected(lexer, c, "text in quotes in place of an HTML-like label");
	if (!c || !strchr("\n[]{};,=", c))
		return unexpected(lexer, c, "a name (one with other characters than letters, digits and _.:/@+%- is quoted)");
	pass(lexer);
	return 0;
}
