/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *cli_base64(const void *data, size_t size)
{
	const unsigned char *in = data;
	char *text, *out;
	size_t groups = size / 3 + (size % 3 != 0);

	if (groups > (SIZE_MAX - 1) / 4)
		return NULL;
	text = out = malloc(groups * 4 + 1);
	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t bits = (uint32_t)in[i] << 16;

		if (left > 1)
			bits |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			bits |= in[i + 2];
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = left > 1 ? digits[bits >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[bits & 63] : '=';
	}
	*out = '\0';
	return text;
}

/* The six bits that a digit stands for, -1 for what is none. */
static int bits_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* A group of digits, the last `padding` of them being zero and written as "=". False where it is none. */
static bool decode_group(const char *text, size_t padding, char *out)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int digit = i < 4 - padding ? bits_of(text[i]) : 0;

		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
	}
	for (size_t i = 0; i < 3 - padding; i++)
		out[i] = (char)(bits >> (16 - 8 * i) & 0xff);
	/* What is left of the last digit. */
	return !padding || !(bits >> (8 * (padding - 1)) & 0xff);
}

int cli_base64_decode(const char *text, size_t length, char **data, size_t *size)
{
	size_t padding = 0, room = length / 4 * 3;
	char *out;

	if (length % 4)
		return -EINVAL;
	while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
		padding++;
	out = malloc(room + 1);
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < length; i += 4) {
		if (!decode_group(text + i, i + 4 == length ? padding : 0, out + i / 4 * 3)) {
			free(out);
			return -EINVAL;
		}
	}
	out[room - padding] = '\0';
	*data = out;
	*size = room - padding;
	return 0;
}
