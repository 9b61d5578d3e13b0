/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ipc.h>

#include <ipckit/name.h>
#include <ipckit/parse.h>

#define POSIX_LENGTH_MAX 255u /* NAME_MAX */
#define SEM_LENGTH_MAX 251u   /* less "sem.", which sem_open(3) puts before */
#define KINDS (IPCKIT_NAME_SHM + 1)

struct reading {
	const char *text;
	unsigned takes;
	struct ipckit_why *why;
};

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
};

/* ---- reasons ---- */

__attribute__((format(printf, 2, 3))) static int
refuse(const struct reading *in, const char *format, ...)
{
	va_list args;

	if (in->why) {
		va_start(args, format);
		vsnprintf(in->why->text, sizeof(in->why->text), format, args);
		va_end(args);
	}
	return -EINVAL;
}

static bool takes(const struct reading *in, enum ipckit_name_kind kind)
{
	return in->takes & IPCKIT_TAKES(kind);
}

/* "a, b or c" */
static void join(const char *const *words, size_t n, char *text, size_t size)
{
	size_t length = 0;

	*text = '\0';
	for (size_t i = 0; i < n && length < size; i++) {
		const char *before = !i ? "" : i + 1 < n ? ", " : " or ";

		length += (size_t)snprintf(text + length, size - length, "%s%s", before, words[i]);
	}
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
	join(words, n, text, size);
	if (!n)
		snprintf(text, size, "nothing");
}

static int refuse_kind(const struct reading *in, enum ipckit_name_kind kind)
{
	char accepted[128];

	list_accepted(in, accepted, sizeof(accepted));
	return refuse(in, "%s, which is not accepted here: write %s", kinds[kind].what, accepted);
}

/* Whether a word can be put into a sentence: short, nothing that a terminal or JSON minds. */
static bool is_plain(const char *word, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (word[i] <= ' ' || word[i] > '~')
			return false;
	}
	return length && length <= 48;
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
		return refuse(in, "%s: write %s", reason, text);
	}
	join(likely->list, likely->count, text, sizeof(text));
	return refuse(in, "%s: did you mean %s?", reason, text);
}

/* ---- parts ---- */

/* What reaches to the end of the text is used where it stands. */
static int keep(const char *start, size_t length, struct ipckit_name *name)
{
	name->text = start;
	if (!start[length])
		return 0;
	name->text = name->copy = strndup(start, length);
	return name->copy ? 0 : -ENOMEM;
}

/* A count within a longer text. */
static int read_count(const char *text, size_t length, uint64_t max, uint64_t *out)
{
	char digits[64];

	if (length >= sizeof(digits))
		return strspn(text, "0123456789") >= length ? -ERANGE : -EINVAL;
	memcpy(digits, text, length);
	digits[length] = '\0';
	return ipckit_parse_count(digits, max, out);
}

/* Decimal only: 010 is ten, as whoever printed it with leading zeros meant. */
static int read_decimal(const char *text, size_t length, uint64_t max, uint64_t *out)
{
	if (!length || strspn(text, "0123456789") < length)
		return -EINVAL;
	for (; length > 1 && *text == '0'; length--)
		text++;
	return read_count(text, length, max, out);
}

/* Takes the `#N` that starts at hash, which has to be a number. */
static int read_index(const struct reading *in, const char *hash, struct ipckit_name *name)
{
	uint64_t index;
	int r = read_count(hash + 1, strlen(hash + 1), UINT_MAX, &index);

	if (r == -ERANGE)
		return refuse(in, "the number after # is too large");
	if (r)
		return refuse(in, "# is followed by the number of a semaphore, as in %s#0",
			      kinds[name->kind].spelling);
	if (!(in->takes & IPCKIT_TAKES_INDEX))
		return refuse(in, "#N, the number of a semaphore in a set, is not accepted here");
	name->has_index = true;
	name->index = (unsigned)index;
	return 0;
}

/* ---- words with a prefix ---- */

static int refuse_key(const struct reading *in, const char *rest, size_t length)
{
	char digits[16];
	int64_t key;

	if (*rest == '-' && length < sizeof(digits)) {
		memcpy(digits, rest, length);
		digits[length] = '\0';
		if (!ipckit_parse_signed(digits, INT32_MIN, -1, &key))
			return refuse(in, "a key is not negative: did you mean key:0x%08x?",
				      (unsigned)(uint32_t)key);
	}
	return refuse(in, "a key is a number, decimal or 0x hex, from 1 to 0xffffffff");
}

static int read_key(const struct reading *in, const char *rest, struct ipckit_name *name)
{
	size_t length = strcspn(rest, "#");
	uint64_t key;

	if (read_count(rest, length, UINT32_MAX, &key))
		return refuse_key(in, rest, length);
	if (!key && takes(in, IPCKIT_NAME_PRIVATE))
		return refuse(in, "key 0 is IPC_PRIVATE: did you mean private?");
	if (!key)
		return refuse(in, "key 0 is IPC_PRIVATE and names no object: "
				  "`private` makes a new one, where one is made");
	/* ipcrm(1) takes 010 for eight, a reader for ten. */
	if (rest[0] == '0' && rest[1] != 'x' && rest[1] != 'X')
		return refuse(in, "a key with leading zeros may mean an octal number: "
				  "write it decimal without them, or 0x hex");
	name->key = (key_t)(uint32_t)key;
	return rest[length] ? read_index(in, rest + length, name) : 0;
}

static int read_id(const struct reading *in, const char *rest, struct ipckit_name *name)
{
	size_t length = strcspn(rest, "#");
	uint64_t id;

	if (read_decimal(rest, length, INT_MAX, &id))
		return refuse(in, "an identifier is a decimal number from 0 to %d", INT_MAX);
	name->id = (int)id;
	return rest[length] ? read_index(in, rest + length, name) : 0;
}

/*
 * The last c of a text, if a number follows it to the end, else NULL: what no
 * number follows belongs to the text. *error is -ERANGE for one beyond max.
 */
static const char *number_after(const char *text, size_t length, char c, uint64_t max,
				uint64_t *number, int *error)
{
	const char *mark = memrchr(text, c, length);

	if (!mark)
		return NULL;
	*error = read_count(mark + 1, length - (size_t)(mark + 1 - text), max, number);
	return *error == -EINVAL ? NULL : mark;
}

static int read_ftok(const struct reading *in, const char *rest, struct ipckit_name *name)
{
	size_t length = strlen(rest);
	uint64_t index, project = 1;
	const char *mark;
	int r = 0;

	mark = number_after(rest, length, '#', UINT_MAX, &index, &r);
	if (mark) {
		r = read_index(in, mark, name);
		if (r)
			return r;
		length = (size_t)(mark - rest);
	}
	mark = number_after(rest, length, ',', 255, &project, &r);
	if (mark && (r || !project))
		return refuse(in, "the project number of ftok:PATH,PROJ is from 1 to 255");
	if (mark)
		length = (size_t)(mark - rest);
	if (!length)
		return refuse(in, "ftok: is followed by a path, as in ftok:/etc/jobs,1");
	name->project = (int)project;
	return keep(rest, length, name);
}

static int read_fd(const struct reading *in, const char *rest, struct ipckit_name *name)
{
	size_t length = strcspn(rest, ":");
	uint64_t pid = 0, fd;

	if (rest[length] == ':') {
		if (read_decimal(rest, length, INT_MAX, &pid) || !pid)
			return refuse(in, "the process in fd:PID:N is a number from 1 to %d",
				      INT_MAX);
		rest += length + 1;
	}
	if (strchr(rest, '#'))
		return refuse(in, "#N is for semaphores of a System V set, not for descriptors");
	if (read_decimal(rest, strlen(rest), INT_MAX, &fd))
		return refuse(in, "a descriptor is a number from 0 to %d, as in fd:3 or fd:PID:3",
			      INT_MAX);
	name->pid = (pid_t)pid;
	name->fd = (int)fd;
	return 0;
}

static int read_file(const struct reading *in, const char *rest, struct ipckit_name *name)
{
	if (!*rest)
		return refuse(in, "file: is followed by a path, as in file:/tmp/lock");
	return keep(rest, strlen(rest), name);
}

static const struct {
	const char *word;
	enum ipckit_name_kind kind;
	int (*read)(const struct reading *in, const char *rest, struct ipckit_name *name);
} prefixes[] = {
	{ "key:", IPCKIT_NAME_KEY, read_key },    { "id:", IPCKIT_NAME_ID, read_id },
	{ "ftok:", IPCKIT_NAME_FTOK, read_ftok }, { "fd:", IPCKIT_NAME_FD, read_fd },
	{ "file:", IPCKIT_NAME_FILE, read_file },
};

#define PREFIXES (sizeof(prefixes) / sizeof(*prefixes))

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

static int refuse_prefix(const struct reading *in, size_t length)
{
	struct likely likely = { .count = 0 };
	const char *rest = in->text + length;
	char word[16];

	if (length < sizeof(word)) {
		memcpy(word, in->text, length);
		word[length] = '\0';
		for (size_t i = 0; i < PREFIXES; i++) {
			if (takes(in, prefixes[i].kind) && looks_like(word, prefixes[i].word))
				add_likely(&likely, "%s%s", prefixes[i].word,
					   is_plain(rest, strlen(rest)) ? rest : "...");
		}
		if (takes(in, IPCKIT_NAME_PRIVATE) && !strcasecmp(word, "private:"))
			add_likely(&likely, "private");
	}
	if (!likely.count && takes(in, IPCKIT_NAME_POSIX) && *rest == '/' &&
	    !strchr(rest + 1, '/') && is_plain(rest, strlen(rest)))
		add_likely(&likely, "%s", rest);
	return refuse_with(in, "unknown prefix before the colon", &likely);
}

static int read_prefixed(const struct reading *in, size_t length, struct ipckit_name *name)
{
	for (size_t i = 0; i < PREFIXES; i++) {
		if (strlen(prefixes[i].word) != length ||
		    memcmp(in->text, prefixes[i].word, length))
			continue;
		if (!takes(in, prefixes[i].kind))
			return refuse_kind(in, prefixes[i].kind);
		name->kind = prefixes[i].kind;
		return prefixes[i].read(in, in->text + length, name);
	}
	return refuse_prefix(in, length);
}

/* ---- words without a prefix ---- */

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
static int refuse_path(const struct reading *in)
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

static int refuse_bare(const struct reading *in, bool has_offset)
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
			add_likely(&likely, "/%s@0", word);
	}
	return refuse_with(in, "no object's name", &likely);
}

/* What follows the one slash of a POSIX name. */
static int check_component(const struct reading *in, const char *component, size_t length,
			   enum ipckit_name_kind kind)
{
	bool sem = kind == IPCKIT_NAME_POSIX && in->takes & IPCKIT_TAKES_SEM_LENGTH;
	size_t max = sem ? SEM_LENGTH_MAX : POSIX_LENGTH_MAX;

	if (!length)
		return refuse(in, "nothing follows the slash");
	if (component[0] == '.' && (length == 1 || (length == 2 && component[1] == '.')))
		return refuse(in, "/. and /.. are directories, no objects");
	if (length > max) {
		refuse(in, "the name is longer than %zu bytes after the slash", max);
		return -ENAMETOOLONG;
	}
	return 0;
}

/* Text of one slash, at its beginning. */
static int read_object(const struct reading *in, size_t length, bool has_offset,
		       struct ipckit_name *name)
{
	int r;

	name->kind = IPCKIT_NAME_POSIX;
	if (has_offset)
		name->kind = IPCKIT_NAME_SHM;
	else if (!takes(in, IPCKIT_NAME_POSIX) && in->takes & IPCKIT_TAKES_BARE_PLACE)
		name->kind = IPCKIT_NAME_SHM;
	if (!takes(in, name->kind))
		return refuse_kind(in, name->kind);
	r = check_component(in, in->text + 1, length - 1, name->kind);
	return r ? r : keep(in->text, length, name);
}

static int read_plain(const struct reading *in, struct ipckit_name *name)
{
	size_t length = strlen(in->text);
	const char *at;
	int error = 0;

	at = number_after(in->text, length, '@', INT64_MAX, &name->offset, &error);
	if (at && error)
		return refuse(in, "the offset after @ is too large");
	if (at)
		length = (size_t)(at - in->text);
	if (*in->text == '/' && length && !memchr(in->text + 1, '/', length - 1))
		return read_object(in, length, at, name);
	if (!memchr(in->text, '/', length))
		return refuse_bare(in, at);
	if (!at && !(in->takes & IPCKIT_TAKES_BARE_PLACE))
		return refuse_path(in);
	name->kind = IPCKIT_NAME_PLACE;
	if (!takes(in, name->kind))
		return refuse_kind(in, name->kind);
	return keep(in->text, length, name);
}

/* ---- names ---- */

static int read_name(const struct reading *in, struct ipckit_name *name)
{
	size_t word = 0;

	while (in->text[word] && in->text[word] != ':' && in->text[word] != '/')
		word++;
	if (!*in->text)
		return refuse(in, "the name is empty");
	if (!strcmp(in->text, "private")) {
		name->kind = IPCKIT_NAME_PRIVATE;
		return takes(in, name->kind) ? 0 : refuse_kind(in, name->kind);
	}
	if (in->text[word] == ':')
		return read_prefixed(in, word + 1, name);
	return read_plain(in, name);
}

int ipckit_name_parse(const char *text, unsigned takes, struct ipckit_why *why,
		      struct ipckit_name *out)
{
	const struct reading in = { .text = text, .takes = takes, .why = why };
	struct ipckit_name name = { .kind = IPCKIT_NAME_POSIX, .written = text };
	int r;

	r = read_name(&in, &name);
	if (r) {
		ipckit_name_free(&name);
		return r;
	}
	*out = name;
	return 0;
}

void ipckit_name_free(struct ipckit_name *name)
{
	free(name->copy);
	*name = (struct ipckit_name){ .kind = IPCKIT_NAME_POSIX };
}

int ipckit_name_key(const struct ipckit_name *name, key_t *out)
{
	key_t key;

	switch (name->kind) {
	case IPCKIT_NAME_KEY:
		*out = name->key;
		return 0;
	case IPCKIT_NAME_PRIVATE:
		*out = IPC_PRIVATE;
		return 0;
	case IPCKIT_NAME_FTOK:
		break;
	default:
		return -EINVAL;
	}

	/* -1 may also be a key: of project 255, device ff and inode ffff. */
	errno = 0;
	key = ftok(name->text, name->project);
	if (key == (key_t)-1 && errno)
		return -errno;
	if (key == IPC_PRIVATE)
		return -EINVAL;
	*out = key;
	return 0;
}
