/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "name-refuse.h"
#include "why.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <ipckit/parse.h>

#define KINDS (IPCKIT_NAME_SOCKET + 1)

static const struct {
	const char *spelling;
	const char *what;
} kinds[KINDS] = {
	[IPCKIT_NAME_POSIX] = { "/NAME", "the name of a POSIX object" },
	[IPCKIT_NAME_KEY] = { "key:KEY", "a System V key" },
	[IPCKIT_NAME_ID] = { "id:ID", "a System V identifier" },
	[IPCKIT_NAME_FTOK] = { "ftok:PATH[,PROJ]", "a System V key made from a path" },
	[IPCKIT_NAME_PRIVATE] = { "private", "a new private System V object (for create only)" },
	[IPCKIT_NAME_FD] = { "fd:N", "a descriptor" },
	[IPCKIT_NAME_FILE] = { "file:PATH", "a lock file" },
	[IPCKIT_NAME_PLACE] = { "PATH@OFFSET", "a place in a file" },
	[IPCKIT_NAME_SHM] = { "/NAME@OFFSET", "a place in shared memory" },
	[IPCKIT_NAME_PATH] = { "PATH", "a path" },
	[IPCKIT_NAME_PIPE] = { "pipe:INODE", "the inode of a pipe" },
	[IPCKIT_NAME_SOCKET] = { "socket:INODE", "the inode of a socket" },
};

const char *name_spelling(enum ipckit_name_kind kind)
{
	return kinds[kind].spelling;
}

int name_refuse(const struct reading *in, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)why_say(in->why, format, args);
	va_end(args);
	return -EINVAL;
}

/* What is accepted here, in words. */
static void list_accepted(const struct reading *in, char *text, size_t size)
{
	const char *words[KINDS];
	size_t n = 0;

	for (unsigned kind = 0; kind < KINDS; kind++) {
		if (takes(in, kind))
			words[n++] = kinds[kind].spelling;
	}
	why_join(words, n, text, size);
}

int name_refuse_kind(const struct reading *in, enum ipckit_name_kind kind)
{
	char accepted[128];

	list_accepted(in, accepted, sizeof(accepted));
	return name_refuse(in, "%s, which is not accepted here: write %s", kinds[kind].what, accepted);
}

static bool is_plain(const char *word, size_t length)
{
	return why_is_plain(word, length, 48);
}

#define LIKELY_MAX 4

/* The spellings that somebody may have had in mind. */
struct likely {
	char text[LIKELY_MAX][64];
	const char *list[LIKELY_MAX];
	size_t count;
};

__attribute__((format(printf, 2, 3))) static void
add_likely(struct likely *likely, const char *format, ...)
{
	va_list args;

	if (likely->count == LIKELY_MAX)
		return;
	va_start(args, format);
	vsnprintf(likely->text[likely->count], sizeof(*likely->text), format, args);
	va_end(args);
	likely->list[likely->count] = likely->text[likely->count];
	likely->count++;
}

static int refuse_with(const struct reading *in, const char *reason, const struct likely *likely)
{
	char text[200];

	if (!likely->count) {
		list_accepted(in, text, sizeof(text));
		return name_refuse(in, "%s: write %s", reason, text);
	}
	why_join(likely->list, likely->count, text, sizeof(text));
	return name_refuse(in, "%s: did you mean %s?", reason, text);
}

/* Whether two words differ by the case of letters, by one letter, or by one letter more. */
static bool looks_like(const char *word, const char *known)
{
	size_t same = 0, a = strlen(word), b = strlen(known);

	if (a + 1 < b || b + 1 < a)
		return false;
	while (word[same] && !strncasecmp(word + same, known + same, 1))
		same++;
	if (a == b)
		return !strcasecmp(word + same + (same < a), known + same + (same < b));
	return !strcasecmp(word + same + (a > b), known + same + (b > a));
}

/* Of a spelling as "key:KEY": what stands up to the colon, 0 where there is none. */
static int prefix_length(const char *spelling)
{
	const char *colon = strchr(spelling, ':');

	return colon ? colon + 1 - spelling : 0;
}

static bool is_prefix_like(const char *word, const char *spelling)
{
	char prefix[16];

	snprintf(prefix, sizeof(prefix), "%.*s", prefix_length(spelling), spelling);
	return *prefix && looks_like(word, prefix);
}

int name_refuse_prefix(const struct reading *in, size_t length)
{
	struct likely likely = { .count = 0 };
	const char *rest = in->text + length;
	char word[16];

	if (length < sizeof(word)) {
		memcpy(word, in->text, length);
		word[length] = '\0';
		for (unsigned kind = 0; kind < KINDS; kind++) {
			if (takes(in, kind) && is_prefix_like(word, kinds[kind].spelling))
				add_likely(&likely, "%.*s%s", prefix_length(kinds[kind].spelling),
					   kinds[kind].spelling,
					   is_plain(rest, strlen(rest)) ? rest : "...");
		}
		if (takes(in, IPCKIT_NAME_PRIVATE) && !strcasecmp(word, "private:"))
			add_likely(&likely, "private");
	}
	if (!likely.count && takes(in, IPCKIT_NAME_POSIX) && *rest == '/' &&
	    !strchr(rest + 1, '/') && is_plain(rest, strlen(rest)))
		add_likely(&likely, "%s", rest);
	if (takes(in, IPCKIT_NAME_PATH) && is_plain(in->text, strlen(in->text)))
		add_likely(&likely, "./%s", in->text);
	return refuse_with(in, "unknown prefix before the colon", &likely);
}

/* The name of the object whose file this seems to be, or NULL. */
static const char *object_of_path(const struct reading *in)
{
	static const char *const mounts[] = { "/dev/shm/sem.", "/dev/shm/", "/dev/mqueue/", "/" };
	size_t first = in->takes & IPCKIT_TAKES_SEM_LENGTH ? 0 : 1;

	for (size_t i = first; i < sizeof(mounts) / sizeof(*mounts); i++) {
		size_t length = strlen(mounts[i]);
		const char *name = in->text + length;

		if (strncmp(in->text, mounts[i], length))
			continue;
		name += strspn(name, "/");
		if (is_plain(name, strlen(name)) && !strchr(name, '/'))
			return name;
	}
	return NULL;
}

/* A path, where only a POSIX name, a lock file or a place would do. */
int name_refuse_path(const struct reading *in)
{
	const char *word = is_plain(in->text, strlen(in->text)) ? in->text : "PATH";
	const char *object = object_of_path(in);
	struct likely likely = { .count = 0 };

	if (takes(in, IPCKIT_NAME_POSIX) && object)
		add_likely(&likely, "/%s", object);
	if (takes(in, IPCKIT_NAME_FILE))
		add_likely(&likely, "file:%s", word);
	if (takes(in, IPCKIT_NAME_PLACE))
		add_likely(&likely, "%s@0", word);
	if (*in->text == '/' && takes(in, IPCKIT_NAME_POSIX))
		return refuse_with(in, "a POSIX name has one slash, at its beginning", &likely);
	return refuse_with(in, "a path alone is no object's name", &likely);
}

int name_refuse_bare(const struct reading *in, bool has_offset)
{
	const char *word = in->text;
	size_t length = strlen(word);
	struct likely likely = { .count = 0 };
	uint64_t number;
	bool is_number = !ipckit_parse_count(word, UINT32_MAX, &number);

	if (!is_plain(word, length))
		word = has_offset ? "NAME@0" : "NAME";
	if (has_offset) {
		if (takes(in, IPCKIT_NAME_SHM))
			add_likely(&likely, "/%s", word);
		if (takes(in, IPCKIT_NAME_PLACE))
			add_likely(&likely, "./%s", word);
	} else {
		if (takes(in, IPCKIT_NAME_POSIX) && !is_number)
			add_likely(&likely, "/%s", word);
		if (takes(in, IPCKIT_NAME_KEY))
			add_likely(&likely, "key:%s", is_number ? word : "...");
		if (takes(in, IPCKIT_NAME_ID) && is_number)
			add_likely(&likely, "id:%s", word);
		if (takes(in, IPCKIT_NAME_FD) && is_number)
			add_likely(&likely, "fd:%s", word);
		if (takes(in, IPCKIT_NAME_FILE) && !is_number)
			add_likely(&likely, "file:%s", word);
		if (takes(in, IPCKIT_NAME_SHM) && !takes(in, IPCKIT_NAME_POSIX))
			add_likely(&likely, in->takes & IPCKIT_TAKES_BARE_PLACE ? "/%s" : "/%s@0", word);
		if (takes(in, IPCKIT_NAME_PLACE) && in->takes & IPCKIT_TAKES_BARE_PLACE)
			add_likely(&likely, "./%s", word);
	}
	return refuse_with(in, "no object's name", &likely);
}
