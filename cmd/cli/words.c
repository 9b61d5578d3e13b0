/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * popt replaces `!#:+` in the argument of an option by the next word, and takes
 * `-5` for options. \001 \002 stands for the `!`, \001 \003 in front of a word keeps
 * its `-` from view, \001 \001 is \001 itself.
 */
enum { ESCAPE = 1, BANG = 2, HIDE = 3 };

static bool is_negative(const struct cli_verb *verb, const char *word)
{
	return verb && verb->flags & CLI_NEGATIVE && word[0] == '-' && word[1] >= '0' &&
	       word[1] <= '9';
}

static bool is_misread(const struct cli_verb *verb, const char *word)
{
	return is_negative(verb, word) || strchr(word, ESCAPE) || strstr(word, "!#:+");
}

static char *encode(const struct cli_verb *verb, const char *word)
{
	char *text = malloc(strlen(word) * 2 + 3), *out = text;

	if (!text)
		return NULL;
	if (is_negative(verb, word)) {
		*out++ = ESCAPE;
		*out++ = HIDE;
	}
	for (; *word; word++) {
		if (*word != ESCAPE && *word != '!') {
			*out++ = *word;
			continue;
		}
		*out++ = ESCAPE;
		*out++ = *word == '!' ? BANG : ESCAPE;
	}
	*out = '\0';
	return text;
}

char *cli_word_decode(char *text)
{
	char *in = text ? strchr(text, ESCAPE) : NULL, *out = in;

	if (!in)
		return text;
	while (*in) {
		char c = *in++;

		if (c == ESCAPE) {
			c = *in++;
			if (c == HIDE)
				continue;
			if (c == BANG)
				c = '!';
		}
		*out++ = c;
	}
	*out = '\0';
	return text;
}

int cli_words_take(const struct cli_verb *verb, struct cli_options *options, int count, char **words, int skip)
{
	int n = 0, nencoded = 0;

	options->words = calloc(count + 1, sizeof(*options->words));
	if (!options->words)
		return -ENOMEM;
	for (int i = 0; i < count; i++) {
		char *word = words[i];

		if (i && i == skip)
			continue;
		if (i && is_misread(verb, word)) {
			if (!options->encoded)
				options->encoded = calloc(count + 1, sizeof(*options->encoded));
			word = options->encoded ? encode(verb, word) : NULL;
			if (!word)
				return -ENOMEM;
			options->encoded[nencoded++] = word;
		}
		options->words[n++] = word;
	}
	return n;
}
