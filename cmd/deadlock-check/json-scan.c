/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json-scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 40       /* bytes of a token that a problem shows */
#define NUMBER_MAX 24  /* more digits than the largest number has */
#define SAFE_DIGITS 18 /* that many always fit */

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int json_peek(struct json *json)
{
	struct source *source = json->source;

	do {
		const char *p = source->next;

		for (; is_blank(*p); p++) {
			if (*p == '\n')
				source_newline(source, p);
		}
		source->next = p;
	} while (source->next == source->end && source_fill(source, 1));
	json->place = source_place(source, source->next);
	return source->next < source->end ? (unsigned char)*source->next : JSON_END;
}

/* ---- what is wrong ---- */

static bool is_printable(char c)
{
	return c > ' ' && c <= '~';
}

/* The token at next in words, which may be put into text. However much is there, the same is said. */
static const char *describe(struct source *source, char *text, size_t room)
{
	size_t have = source_fill(source, SHOWN + 2), length = 0;
	const char *p = source->next;

	if (!have)
		return "end of input";
	if (have > SHOWN + 2)
		have = SHOWN + 2;
	if (*p == '"') {
		for (p++, have--; length < have && length <= SHOWN && p[length] != '"'; length++)
			length += p[length] == '\\' && length + 1 < have;
		return quoted(p, length);
	}
	while (length < have && length < SHOWN && is_printable(p[length]) && !strchr("{}[],:\"", p[length]))
		length++;
	if (!length && !is_printable(*p))
		return *p ? quoted(p, 1) : "a NUL byte";
	snprintf(text, room, "%.*s", (int)(length ?: 1), p);
	return text;
}

int json_expected(struct json *json, const char *format, ...)
{
	char what[160], token[SHOWN + 1];
	va_list args;

	if (json->source->next == json->source->end && json->source->error)
		return json->source->error;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return problem_at(json->problem, json->place, "expected %s, got %s", what,
			  describe(json->source, token, sizeof(token)));
}

/* ---- structure ---- */

int json_expect(struct json *json, char c, const char *what)
{
	if (json_peek(json) != c)
		return json_expected(json, "%s", what);
	json->source->next++;
	return 0;
}

int json_expect_end(struct json *json)
{
	if (json_peek(json) != JSON_END)
		return json_expected(json, "end of input");
	return json->source->error;
}

int json_begin(struct json *json, char open, const char *what, struct json_list *out)
{
	*out = (struct json_list){ .close = open == '[' ? ']' : '}' };
	return json_expect(json, open, what);
}

int json_next(struct json *json, struct json_list *list)
{
	int c = json_peek(json);

	if (c == list->close) {
		json->source->next++;
		return 0;
	}
	if (list->begun) {
		if (c != ',')
			return json_expected(json, ", or %c", list->close);
		json->source->next++;
		json_peek(json);
	}
	list->begun = true;
	return 1;
}

int json_element(struct json *json, struct json_list *list, const char *what)
{
	int r;

	if (json_peek(json) == list->close)
		return json_expected(json, "%s", what);
	r = json_next(json, list);
	return r < 0 ? r : 0;
}

int json_close(struct json *json, struct json_list *list)
{
	char what[] = { list->close, '\0' };

	return json_expect(json, list->close, what);
}

/* ---- numbers ---- */

/* Not digits only, or too many: says which. */
static int wrong_number(struct json *json, const char *digits, const char *end)
{
	if (end == digits && *end != '-')
		return json_expected(json, "a number");
	if (end > digits && (*end == '.' || *end == 'e' || *end == 'E'))
		return json_expected(json, "a whole number");
	if (*digits == '0' && end > digits + 1)
		return json_expected(json, "a number without leading zeros");
	return json_expected(json, "a number from 0 to %" PRId64, INT64_MAX);
}

int json_count(struct json *json, int64_t *out)
{
	struct source *source = json->source;
	const char *digits, *p;
	int64_t value = 0;
	bool fits = true;

	json_peek(json);
	source_fill(source, NUMBER_MAX + 1);
	digits = source->next;
	for (p = digits; is_digit(*p) && p < digits + NUMBER_MAX; p++) {
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *p - '0', &value))
			fits = false;
	}
	if (p == digits || !fits || (*digits == '0' && p > digits + 1) ||
	    (p < source->end && !is_blank(*p) && !(*p && strchr(",]}", *p))))
		return wrong_number(json, digits, p);
	source->next = p;
	*out = value;
	return 0;
}

/*
 * The numbers that have a comma after them and need no second look, up to anything
 * else, which is left to json_count(): most of a matrix goes this way. The NUL at
 * the end of what is there stops it, too.
 */
static size_t plain_counts(struct source *source, int64_t *out, size_t room)
{
	const char *p = source->next;
	size_t n = 0;

	while (n < room) {
		const char *q = p;
		uint64_t value = (unsigned char)(*q++ - '0');

		if (value > 9)
			break;
		if (*q != ',') {
			const char *most = p + SAFE_DIGITS;

			while (value && q < most && is_digit(*q))
				value = value * 10 + (*q++ - '0');
			if (*q != ',')
				break;
		}
		out[n++] = value;
		p = q + 1;
		if (*p == ' ')
			p++;
		for (; is_blank(*p); p++) {
			if (*p == '\n')
				source_newline(source, p);
		}
	}
	source->next = p;
	return n;
}

ssize_t json_counts(struct json *json, struct json_list *list, int64_t *out, size_t room)
{
	size_t n = 0;

	while (n < room) {
		int r = json_next(json, list);

		if (r <= 0)
			return r ? r : (ssize_t)n;
		n += plain_counts(json->source, out + n, room - n - 1);
		r = json_count(json, &out[n++]);
		if (r)
			return r;
	}
	return n;
}

/* ---- places ---- */

static size_t put_number(unsigned char *out, uint64_t value)
{
	size_t n = 0;

	for (; value > 127; value >>= 7)
		out[n++] = value | 128;
	out[n++] = value;
	return n;
}

static size_t get_number(const unsigned char *bytes, uint64_t *out)
{
	size_t n = 0;

	*out = 0;
	do {
		*out |= (uint64_t)(bytes[n] & 127) << 7 * n;
	} while (bytes[n++] & 128);
	return n;
}

/* Lines since the one before, then the column, of the same line how much further. */
int places_add(struct places *places, struct place place)
{
	uint64_t lines = place.line - places->last.line;

	if (places->room - places->size < 20) {
		size_t room = places->room ? places->room * 2 : 256;
		unsigned char *bytes = realloc(places->bytes, room);

		if (!bytes)
			return -ENOMEM;
		places->bytes = bytes;
		places->room = room;
	}
	places->size += put_number(places->bytes + places->size, lines);
	places->size += put_number(places->bytes + places->size,
				   lines ? place.column : place.column - places->last.column);
	places->last = place;
	return 0;
}

struct place places_get(const struct places *places, size_t index)
{
	const unsigned char *bytes = places->bytes;
	struct place place = { 0 };
	uint64_t lines, columns;

	for (size_t i = 0; i <= index; i++) {
		bytes += get_number(bytes, &lines);
		bytes += get_number(bytes, &columns);
		place.line += lines;
		place.column = lines ? columns : place.column + columns;
	}
	return place;
}

void places_free(struct places *places)
{
	free(places->bytes);
	*places = (struct places){ 0 };
}
