/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "why.h"

#include <errno.h>
#include <stdio.h>

int why_say(struct ipckit_why *why, const char *format, va_list args)
{
	if (why)
		vsnprintf(why->text, sizeof(why->text), format, args);
	return -EINVAL;
}

void why_join(const char *const *words, size_t n, char *text, size_t size)
{
	size_t length = 0;

	snprintf(text, size, "nothing");
	for (size_t i = 0; i < n && length < size; i++) {
		const char *before = !i ? "" : i + 1 < n ? ", " : " or ";

		length += (size_t)snprintf(text + length, size - length, "%s%s", before, words[i]);
	}
}

bool why_is_plain(const char *word, size_t length, size_t most)
{
	for (size_t i = 0; i < length; i++) {
		if (word[i] <= ' ' || word[i] > '~')
			return false;
	}
	return length && length <= most;
}
