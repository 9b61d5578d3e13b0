/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hex.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

static char *put_offset(char *text, uint64_t offset)
{
	int width = 8;

	while (width < 16 && offset >> (4 * width))
		width++;
	while (width--)
		*text++ = digits[offset >> (4 * width) & 15];
	return text;
}

/* Whether a byte is shown as itself; what it means in other character sets does not matter. */
static bool is_shown(unsigned char byte)
{
	return byte >= ' ' && byte <= '~';
}

static char *put_row(char *text, uint64_t offset, const unsigned char *data, size_t size)
{
	text = put_offset(text, offset);
	*text++ = ' ';
	for (size_t i = 0; i < HEX_ROW; i++) {
		if (!(i % 8))
			*text++ = ' ';
		text[0] = i < size ? digits[data[i] >> 4] : ' ';
		text[1] = i < size ? digits[data[i] & 15] : ' ';
		text[2] = ' ';
		text += 3;
	}
	*text++ = ' ';
	*text++ = '|';
	for (size_t i = 0; i < size; i++)
		*text++ = is_shown(data[i]) ? (char)data[i] : '.';
	*text++ = '|';
	*text++ = '\n';
	return text;
}

static char *put_fold(struct hex *hex, char *text)
{
	if (hex->folded)
		return text;
	hex->folded = true;
	*text++ = '*';
	*text++ = '\n';
	return text;
}

/* How many bytes from here on, whole rows, repeat the last row. */
static size_t repeats(const struct hex *hex, const unsigned char *data, size_t size)
{
	size_t n = 0;

	if (!hex->any || size < HEX_ROW || memcmp(hex->last, data, HEX_ROW))
		return 0;
	/* Long runs go by whole blocks. */
	while (size - n >= 4096 + HEX_ROW && !memcmp(data + n, data + n + HEX_ROW, 4096))
		n += 4096;
	while (size - n >= HEX_ROW && !memcmp(hex->last, data + n, HEX_ROW))
		n += HEX_ROW;
	return n;
}

size_t hex_put(struct hex *hex, const unsigned char *data, size_t size, char *text)
{
	char *start = text;

	while (size) {
		size_t n = repeats(hex, data, size);

		if (n) {
			text = put_fold(hex, text);
		} else {
			n = size < HEX_ROW ? size : HEX_ROW;
			text = put_row(text, hex->offset, data, n);
			memcpy(hex->last, data, n);
			hex->any = true;
			hex->folded = false;
		}
		hex->offset += n;
		data += n;
		size -= n;
	}
	return (size_t)(text - start);
}

size_t hex_end(const struct hex *hex, char text[HEX_LINE])
{
	char *end = text;

	if (!hex->offset)
		return 0;
	end = put_offset(text, hex->offset);
	*end++ = '\n';
	return (size_t)(end - text);
}
