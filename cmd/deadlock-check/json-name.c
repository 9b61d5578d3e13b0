/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json-scan.h"

#include "cli.h"

#include <inttypes.h>
#include <string.h>

/* The bytes that stand for a character; 0: none that can. */
static size_t encode(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = 0xc0 | code >> 6;
		out[1] = 0x80 | (code & 0x3f);
		return 2;
	}
	if (code < 0x10000) {
		out[0] = 0xe0 | code >> 12;
		out[1] = 0x80 | (code >> 6 & 0x3f);
		out[2] = 0x80 | (code & 0x3f);
		return 3;
	}
	out[0] = 0xf0 | code >> 18;
	out[1] = 0x80 | (code >> 12 & 0x3f);
	out[2] = 0x80 | (code >> 6 & 0x3f);
	out[3] = 0x80 | (code & 0x3f);
	return 4;
}

static bool read_unicode(const char *p, uint32_t *out)
{
	static const char hex[] = "0123456789abcdef";

	if (p[0] != '\\' || p[1] != 'u')
		return false;
	*out = 0;
	for (size_t i = 2; i < 6; i++) {
		const char *digit = p[i] ? strchr(hex, p[i] >= 'A' && p[i] <= 'F' ? p[i] + 32 : p[i]) : NULL;

		if (!digit)
			return false;
		*out = *out << 4 | (uint32_t)(digit - hex);
	}
	return true;
}

/* Reads an escape. Returns how many bytes it has; 0: it is none. */
static size_t read_escape(const char *p, uint32_t *code)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *letter = p[1] ? strchr(letters, p[1]) : NULL;
	uint32_t low;

	if (letter) {
		*code = (unsigned char)meant[letter - letters];
		return 2;
	}
	if (!read_unicode(p, code) || (*code >= 0xdc00 && *code < 0xe000))
		return 0;
	if (*code < 0xd800 || *code >= 0xdc00)
		return 6;
	if (!read_unicode(p + 6, &low) || low < 0xdc00 || low >= 0xe000)
		return 0;
	*code = 0x10000 + ((*code & 0x3ff) << 10 | (low & 0x3ff));
	return 12;
}

static int wrong_byte(struct json *json)
{
	const char *p = json->source->next;
	struct place place = source_place(json->source, p);

	if (*p == '\\')
		return problem_at(json->problem, place,
				  "expected an escape of JSON (\\n, \\u00e9, two \\u for a pair of surrogates), got %s",
				  quoted(p, strnlen(p, p[1] == 'u' ? 6 : 2)));
	if ((unsigned char)*p < ' ')
		return problem_at(json->problem, place, "expected no control character in a string, got %s",
				  *p ? quoted(p, 1) : "a NUL byte");
	return problem_at(json->problem, place, "expected UTF-8, got %s", quoted(p, 1));
}

/* One character of a string, at next. Returns how many bytes of out it takes, or what is wrong. */
static int read_character(struct json *json, char *out)
{
	struct source *source = json->source;
	const char *p = source->next;
	uint32_t code;
	size_t length;

	if (*p == '\\') {
		length = read_escape(p, &code);
		if (!length)
			return wrong_byte(json);
		if (!code)
			return problem_at(json->problem, source_place(source, p),
					  "expected a name without NUL, got %s", quoted(p, length));
		source->next += length;
		return encode(code, out);
	}
	length = (unsigned char)*p < ' ' ? 0 : cli_utf8_length(p);
	if (!length)
		return wrong_byte(json);
	memcpy(out, p, length);
	source->next += length;
	return length;
}

/* A string with anything but plain characters in it, or one of which not all is there yet. */
static int decode_string(struct json *json)
{
	struct source *source = json->source;
	char character[4];

	source->next++;
	for (json->length = 0;;) {
		int length;

		if (!source_fill(source, 12)) {
			if (source->error)
				return source->error;
			return problem_at(json->problem, source_place(source, source->next),
					  "expected \" to end the string that begins at %" PRIu64 ":%" PRIu64
					  ", got end of input",
					  json->place.line, json->place.column);
		}
		if (*source->next == '"')
			break;
		length = read_character(json, character);
		if (length < 0)
			return length;
		if (json->length + length > INPUT_NAME_MAX)
			return problem_at(json->problem, json->place, "expected a name of at most %d bytes",
					  INPUT_NAME_MAX);
		memcpy(json->decoded + json->length, character, length);
		json->length += length;
	}
	source->next++;
	json->text = json->decoded;
	return 0;
}

static bool is_plain(char c)
{
	return c >= ' ' && c < 127 && c != '"' && c != '\\';
}

int json_name(struct json *json, const char *what)
{
	const char *p;
	int r;

	if (json_peek(json) != '"')
		return json_expected(json, "%s", what);
	for (p = json->source->next + 1; is_plain(*p);)
		p++;
	json->text = json->source->next + 1;
	json->length = p - json->text;
	if (*p == '"' && json->length <= INPUT_NAME_MAX) {
		json->source->next = p + 1;
	} else {
		r = decode_string(json);
		if (r)
			return r;
	}
	if (!json->length)
		return problem_at(json->problem, json->place, "expected %s, got an empty name", what);
	return 0;
}
