/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t cli_utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	length = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	/* The second byte rules out what is too long, surrogates, and what is beyond U+10FFFF. */
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

bool cli_utf8_valid(const char *text)
{
	while (*text) {
		size_t length = cli_utf8_length(text);

		if (!length)
			return false;
		text += length;
	}
	return true;
}

size_t cli_utf8_length_in(const char *data, size_t size)
{
	char last[4] = "";

	if (size >= sizeof(last))
		return cli_utf8_length(data);
	return cli_utf8_length(memcpy(last, data, size));
}

bool cli_utf8_valid_bytes(const char *data, size_t size)
{
	size_t length;

	for (size_t i = 0; i < size; i += length) {
		length = data[i] ? cli_utf8_length_in(data + i, size - i) : 0;
		if (!length)
			return false;
	}
	return true;
}

char *cli_utf8_repair(const char *text)
{
	char *copy = malloc(strlen(text) * 3 + 1), *out = copy;

	if (!copy)
		return NULL;
	while (*text) {
		size_t length = cli_utf8_length(text);

		if (length) {
			out = mempcpy(out, text, length);
			text += length;
		} else {
			out = mempcpy(out, "\xef\xbf\xbd", 3);
			text++;
		}
	}
	*out = '\0';
	return copy;
}

/* C0 and DEL, and C1, which terminals obey in its two bytes of UTF-8, too. */
static bool is_control(const unsigned char *s, size_t length)
{
	if (length == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	return length == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

#define LONGEST_FORM 9 /* a C1 character as two bytes in hex */

/* One character as it may be shown. Returns how many bytes of text it is. */
static size_t safe_form(const char *text, size_t size, char form[LONGEST_FORM])
{
	static const char named[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";
	const unsigned char *s = (const unsigned char *)text;
	size_t length = cli_utf8_length_in(text, size), bytes = length ? length : 1;
	const char *name = *text ? strchr(named, *text) : NULL;

	if (name)
		sprintf(form, "\\%c", letters[name - named]);
	else if (length && !is_control(s, length))
		*(char *)mempcpy(form, text, length) = '\0';
	else
		for (size_t i = 0; i < bytes; i++)
			sprintf(form + 4 * i, "\\x%02x", s[i]);
	return bytes;
}

/* How much of it is printable ASCII, nearly always all. */
static size_t ordinary(const char *text, size_t size)
{
	size_t n = 0;

	while (n < size && text[n] >= ' ' && text[n] <= '~')
		n++;
	return n;
}

void cli_put_safe_part(FILE *stream, const char *text, size_t size)
{
	const char *end = text + size;
	char form[LONGEST_FORM];

	while (text < end) {
		size_t run = ordinary(text, (size_t)(end - text));

		fwrite(text, 1, run, stream);
		text += run;
		if (text < end) {
			text += safe_form(text, (size_t)(end - text), form);
			fputs(form, stream);
		}
	}
}

void cli_put_safe(FILE *stream, const char *text)
{
	cli_put_safe_part(stream, text, strlen(text));
}

size_t cli_safe_width(const char *text)
{
	char form[LONGEST_FORM];
	const char *end = text + strlen(text);
	size_t width = 0;

	while (text < end) {
		text += safe_form(text, (size_t)(end - text), form);
		for (const char *c = form; *c; c++)
			width += (*c & 0xc0) != 0x80;
	}
	return width;
}

#define LONGEST 63 /* no name of ours is longer */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned cli_distance(const char *a, const char *b)
{
	size_t m = strnlen(a, LONGEST), n = strnlen(b, LONGEST);
	unsigned rows[3][LONGEST + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= m; i++) {
		unsigned *spare = before;

		before = above;
		above = row;
		row = spare;
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]),
				       least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return row[n];
}

void cli_nearest_offer(struct cli_nearest *nearest, const char *word)
{
	size_t length = strlen(nearest->typed);
	unsigned distance;

	/* The beginning of a word is as good as one letter wrong. */
	if (length > 1 && !strncasecmp(word, nearest->typed, length))
		distance = 1;
	else
		distance = cli_distance(nearest->typed, word);
	if (distance >= length || distance > 1 + length / 4)
		return;
	if (nearest->best && distance >= nearest->distance)
		return;
	nearest->best = word;
	nearest->distance = distance;
}

void cli_human_size(int64_t bytes, char *text, size_t size)
{
	static const char units[] = "KMGTPE";
	uint64_t n = bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes, tenths;
	const char *sign = bytes < 0 ? "-" : "";
	unsigned unit = 0, shift;

	if (n < 1024) {
		snprintf(text, size, "%s%" PRIu64, sign, n);
		return;
	}
	while (unit < 5 && n >> (10 * (unit + 2)))
		unit++;
	/* Rounded to a tenth, halves up. The parts apart: ten times the whole need not fit. */
	shift = 10 * (unit + 1);
	tenths = (n >> shift) * 10;
	n &= (UINT64_C(1) << shift) - 1;
	tenths += (n * 10 + (UINT64_C(1) << (shift - 1))) >> shift;
	if (tenths >= 10240 && unit < 5) {
		tenths = 10;
		unit++;
	}
	if (tenths % 10)
		snprintf(text, size, "%s%" PRIu64 ".%" PRIu64 "%c", sign, tenths / 10, tenths % 10,
			 units[unit]);
	else
		snprintf(text, size, "%s%" PRIu64 "%c", sign, tenths / 10, units[unit]);
}

void cli_human_age(int64_t time, int64_t now, char *text, size_t size)
{
	static const struct {
		uint64_t seconds;
		char letter;
	} units[] = {
		{ 365 * 86400, 'y' }, { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' },
	};
	bool past = time <= now;
	uint64_t age = past ? (uint64_t)now - (uint64_t)time : (uint64_t)time - (uint64_t)now;
	size_t i = 0;

	if (!time) {
		snprintf(text, size, "never");
		return;
	}
	while (i < 4 && age < units[i].seconds)
		i++;
	snprintf(text, size, "%s%" PRIu64 "%c%s", past ? "" : "in ", age / units[i].seconds,
		 units[i].letter, past ? " ago" : "");
}
