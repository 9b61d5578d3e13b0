/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUZZ_H
#define FUZZ_H

#include <ipckit/base.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What has to hold of every input. Not assert(3): it must not vanish with NDEBUG. */
#define HOLDS(expr)                                                                          \
	do {                                                                                 \
		if (!(expr)) {                                                               \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #expr); \
			abort();                                                             \
		}                                                                            \
	} while (0)

/* The input as a string of its own, to be freed: up to its first NUL, if it has one. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	const void *end = size ? memchr(data, '\0', size) : NULL;
	size_t length = end ? (size_t)((const uint8_t *)end - data) : size;
	char *text = malloc(length + 1);

	if (!text)
		exit(1);
	if (length)
		memcpy(text, data, length);
	text[length] = '\0';
	return text;
}

/* A reason can be put into a message: it is there, and ASCII that prints. */
static inline void fuzz_check_why(const struct ipckit_why *why)
{
	HOLDS(memchr(why->text, '\0', sizeof(why->text)) && *why->text);
	for (const char *p = why->text; *p; p++)
		HOLDS(*p >= ' ' && *p <= '~');
}

#endif
