/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write.h"

#include "cli.h"

#include <strings.h>

void pen_flush(struct pen *pen)
{
	fwrite(pen->buffer, 1, pen->used, pen->stream);
	pen->used = 0;
}

void pen_bytes(struct pen *pen, const char *text, size_t size)
{
	if (size > sizeof(pen->buffer) - pen->used)
		pen_flush(pen);
	if (size > sizeof(pen->buffer)) {
		fwrite(text, 1, size, pen->stream);
		return;
	}
	memcpy(pen->buffer + pen->used, text, size);
	pen->used += size;
}

void pen_number(struct pen *pen, int64_t number)
{
	char digits[20], *first = digits + sizeof(digits);

	if (number < 10) {
		pen_byte(pen, (char)('0' + number));
		return;
	}
	for (uint64_t left = number; left; left /= 10)
		*--first = (char)('0' + left % 10);
	pen_bytes(pen, first, digits + sizeof(digits) - first);
}

static void pen_hex(struct pen *pen, const char *before, unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";

	pen_text(pen, before);
	pen_byte(pen, hex[byte >> 4]);
	pen_byte(pen, hex[byte & 15]);
}

static void pen_escape(struct pen *pen, char letter)
{
	pen_byte(pen, '\\');
	pen_byte(pen, letter);
}

/* A control character of the second set, in its two bytes: terminals obey it. */
static bool is_c1(const char *text)
{
	return text[0] == '\xc2' && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0;
}

/* What JSON and the text forms escape by a letter: false where c is nothing of that. */
static bool pen_lettered(struct pen *pen, char c)
{
	if (c == '"' || c == '\\')
		pen_escape(pen, c);
	else if (c == '\n')
		pen_escape(pen, 'n');
	else if (c == '\t')
		pen_escape(pen, 't');
	else
		return false;
	return true;
}

/* One character. Returns how many bytes it has. */
static size_t pen_json_character(struct pen *pen, const char *text)
{
	unsigned char c = *text;
	size_t length = cli_utf8_length(text);

	if (pen_lettered(pen, *text))
		return 1;
	if (c < 0x20 || c == 0x7f)
		pen_hex(pen, "\\u00", c);
	else if (is_c1(text))
		pen_hex(pen, "\\u00", text[1]);
	else if (length)
		pen_bytes(pen, text, length);
	else
		pen_text(pen, "\xef\xbf\xbd");
	return length ?: 1;
}

/* Bytes that stand for themselves in JSON: most names are made of these alone. */
static size_t plain_run(const char *text)
{
	const char *at = text;

	while ((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f && *at != '"' && *at != '\\')
		at++;
	return at - text;
}

void pen_json(struct pen *pen, const char *text)
{
	pen_byte(pen, '"');
	while (*text) {
		size_t run = plain_run(text);

		pen_bytes(pen, text, run);
		text += run;
		if (*text)
			text += pen_json_character(pen, text);
	}
	pen_byte(pen, '"');
}

void pen_quoted(struct pen *pen, const char *text)
{
	pen_byte(pen, '"');
	for (; *text; text++) {
		unsigned char c = *text;

		if (pen_lettered(pen, *text))
			continue;
		if (c < 0x20 || c == 0x7f)
			pen_hex(pen, "\\x", c);
		else if (is_c1(text))
			pen_hex(pen, "\\xc2\\x", *++text);
		else
			pen_byte(pen, *text);
	}
	pen_byte(pen, '"');
}

bool is_steady(const char *name)
{
	if (!strncmp(name, "\xef\xbb\xbf", 3))
		return false;
	for (; *name; name++)
		if (is_c1(name))
			return false;
	return true;
}

static bool are_utf8(const struct names *names)
{
	for (uint32_t i = 0; i < names->count; i++) {
		const char *at = names_get(names, i);

		while (*at) {
			size_t length = cli_utf8_length(at);

			if (!length)
				return false;
			at += length;
		}
	}
	return true;
}

bool json_has_words(const struct model *model)
{
	return are_utf8(&model->processes) && are_utf8(&model->resources);
}

void pen_json_names(struct pen *pen, const struct names *names, uint32_t count)
{
	pen_byte(pen, '[');
	for (uint32_t i = 0; i < count; i++) {
		if (i)
			pen_byte(pen, ',');
		pen_json(pen, names_get(names, i));
	}
	pen_byte(pen, ']');
}

void pen_json_preemptible(struct pen *pen, const struct model *model)
{
	const char *separator = "";

	pen_text(pen, "\"preemptible\":[");
	for (uint32_t r = 0; r < named_resources(model); r++) {
		if (!model->system.preemptible[r])
			continue;
		pen_text(pen, separator);
		pen_json(pen, names_get(&model->resources, r));
		separator = ",";
	}
	pen_byte(pen, ']');
}

bool one_of(const char *text, const char *const words[])
{
	for (; *words; words++)
		if (!strcasecmp(text, *words))
			return true;
	return false;
}
