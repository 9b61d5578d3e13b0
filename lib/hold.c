/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <ipckit/hold.h>

int ipckit_hold_format(const struct ipckit_hold *hold, char *text, size_t size)
{
	const char *objects = hold->objects ? hold->objects : "";
	int64_t since = hold->since_ms > 0 ? hold->since_ms : 0;
	int length;

	length = snprintf(text, size, "%s job=%d count=%u since=%" PRId64 ".%03d at=%s%s%s",
			  hold->holding ? "holding" : "waiting", (int)hold->job,
			  hold->count, since / 1000, (int)(since % 1000), hold->at,
			  *objects ? " " : "", objects);

	/* A POSIX name may hold a newline; the record is one line. */
	for (char *p = text; size && *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
	return length;
}

/* Passes over a word that has to stand there. */
static bool skip(const char **text, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*text, word, length))
		return false;
	*text += length;
	return true;
}

static bool read_number(const char **text, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	size_t digits = strspn(*text, "0123456789");

	if (!digits)
		return false;
	for (; digits; digits--, ++*text) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (unsigned)(**text - '0'), &value) || value > max)
			return false;
	}
	*out = value;
	return true;
}

/* SECONDS.MILLISECONDS, the latter always of three digits. */
static bool read_since(const char **text, int64_t *out)
{
	uint64_t seconds, ms;

	if (!read_number(text, INT64_MAX / 1000 - 1, &seconds) || !skip(text, "."))
		return false;
	if (strspn(*text, "0123456789") != 3 || !read_number(text, 999, &ms))
		return false;
	*out = (int64_t)(seconds * 1000 + ms);
	return true;
}

/* One identity, BACKEND:NUMBER[:NUMBER...]: its length, 0 where there is none. */
static size_t identity_length(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz"), digits;

	if (!length || text[length] != ':')
		return 0;
	while (text[length] == ':') {
		digits = strspn(text + length + 1, "0123456789abcdef");
		if (!digits)
			return 0;
		length += 1 + digits;
	}
	return length;
}

static bool read_at(const char **text, char *at, size_t size)
{
	const char *end = *text;
	size_t length;

	for (;; end++) {
		length = identity_length(end);
		if (!length)
			return false;
		end += length;
		if (*end != ',')
			break;
	}
	length = (size_t)(end - *text);
	if (length >= size || (*end && *end != ' '))
		return false;
	memcpy(at, *text, length);
	at[length] = '\0';
	*text = end;
	return true;
}

int ipckit_hold_parse(const char *text, struct ipckit_hold *out)
{
	struct ipckit_hold hold = { 0 };
	uint64_t job, count;

	hold.holding = skip(&text, "holding ");
	if (!hold.holding && !skip(&text, "waiting "))
		return -EBADMSG;
	if (!skip(&text, "job=") || !read_number(&text, INT_MAX, &job) || !job)
		return -EBADMSG;
	if (!skip(&text, " count=") || !read_number(&text, UINT_MAX, &count) || !count)
		return -EBADMSG;
	if (!skip(&text, " since=") || !read_since(&text, &hold.since_ms))
		return -EBADMSG;
	if (!skip(&text, " at=") || !read_at(&text, hold.at, sizeof(hold.at)))
		return -EBADMSG;
	hold.job = (pid_t)job;
	hold.count = (unsigned)count;
	hold.objects = *text ? text + 1 : text;
	*out = hold;
	return 0;
}

bool ipckit_hold_is_at(const struct ipckit_hold *hold, const char *identity)
{
	size_t wanted = strlen(identity);

	for (const char *p = hold->at; *p;) {
		size_t length = strcspn(p, ",");

		if (length == wanted && !memcmp(p, identity, length))
			return true;
		p += length + (p[length] == ',');
	}
	return false;
}
