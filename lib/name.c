/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "name-refuse.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ipc.h>

#include <ipckit/parse.h>

#define POSIX_LENGTH_MAX 255u /* NAME_MAX */
#define SEM_LENGTH_MAX 251u   /* less "sem.", which sem_open(3) puts before */

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
		return name_refuse(in, "the number after # is too large");
	if (r)
		return name_refuse(in, "# is followed by the number of a semaphore, as in %s#0",
			      name_spelling(name->kind));
	if (!(in->takes & IPCKIT_TAKES_INDEX))
		return name_refuse(in, "#N, the number of a semaphore in a set, is not accepted here");
	name->has_index = true;
	name->index = (unsigned)index;
	return 0;
}

/* Takes the `@OFFSET` that starts at mark, which has to be a number. */
static int read_offset(const struct reading *in, const char *mark, struct ipckit_name *name)
{
	int r = read_count(mark + 1, strlen(mark + 1), INT64_MAX, &name->offset);

	if (r == -ERANGE)
		return name_refuse(in, "the offset after @ is too large");
	if (r)
		return name_refuse(in, "@ is followed by an offset in bytes, as in %s@8", name_spelling(name->kind));
	return 0;
}

/* How much of a key or an identifier is the number itself. */
static size_t number_length(const struct reading *in, const char *rest)
{
	return strcspn(rest, in->takes & IPCKIT_TAKES_OFFSET ? "#@" : "#");
}

static int refuse_both(const struct reading *in)
{
	return name_refuse(in, "#N, of a set of semaphores, and @OFFSET, of a segment, exclude each other");
}

/* What follows that number. */
static int read_tail(const struct reading *in, const char *tail, struct ipckit_name *name)
{
	if (!*tail)
		return 0;
	if (in->takes & IPCKIT_TAKES_OFFSET && strchr(tail, '#') && strchr(tail, '@'))
		return refuse_both(in);
	return *tail == '@' ? read_offset(in, tail, name) : read_index(in, tail, name);
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
			return name_refuse(in, "a key is not negative: did you mean key:0x%08x?",
				      (unsigned)(uint32_t)key);
	}
	return name_refuse(in, "a key is a number, decimal or 0x hex, from 1 to 0xffffffff");
}

static int read_key(const struct reading *in, const char *rest, struct ipckit_name *name)
{
	size_t length = number_length(in, rest);
	uint64_t key;

	if (read_count(rest, length, UINT32_MAX, &key))
		return refuse_key(in, rest, length);
	if (!key && takes(in, IPCKIT_NAME_PRIVATE))
		return name_refuse(in, "key 0 is IPC_PRIVATE: did you mean private?");
	if (!key)
		return name_refuse(in, "key 0 is IPC_PRIVATE and names no object: "
				  "`private` makes a new one, where one is made");
	/* ipcrm(1) takes 010 for eight, a reader for ten. */
	if (rest[0] == '0' && rest[1] != 'x' && rest[1] != 'X')
		return name_refuse(in, "a key with leading zeros may mean an octal number: "
				  "write it decimal without them, or 0x hex");
	name->key = (key_t)(uint32_t)key;
	return read_tail(in, rest + length, name);
}

static int read_id(const struct reading *in, const char *rest, struct ipckit_name *name)
{
	size_t length = number_length(in, rest);
	uint64_t id;

	if (read_decimal(rest, length, INT_MAX, &id))
		return name_refuse(in, "an identifier is a decimal number from 0 to %d", INT_MAX);
	name->id = (int)id;
	return read_tail(in, rest + length, name);
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

/* The @OFFSET at the end of an ftok: name, or NULL: any other @ is a part of the path. */
static const char *find_offset(const struct reading *in, const char *rest, size_t length, uint64_t *offset,
			       int *error)
{
	if (!(in->takes & IPCKIT_TAKES_OFFSET))
		return NULL;
	return number_after(rest, length, '@', INT64_MAX, offset, error);
}

/* Takes what follows the path and the project of an ftok: name, and cuts it off. */
static int read_ftok_tail(const struct reading *in, const char *rest, size_t *length, struct ipckit_name *name)
{
	uint64_t ignored;
	int r = 0;
	const char *offset = find_offset(in, rest, *length, &name->offset, &r), *index;

	if (offset && r)
		return name_refuse(in, "the offset after @ is too large");
	if (offset)
		*length = (size_t)(offset - rest);
	index = number_after(rest, *length, '#', UINT_MAX, &ignored, &r);
	if (!index)
		return 0;
	*length = (size_t)(index - rest);
	if (offset || find_offset(in, rest, *length, &ignored, &r))
		return refuse_both(in);
	return read_index(in, index, name);
}

static int read_ftok(const struct reading *in, const char *rest, struct ipckit_name *name)
{
	size_t length = strlen(rest);
	uint64_t project = 1;
	const char *mark;
	int r = read_ftok_tail(in, rest, &length, name);

	if (r)
		return r;
	mark = number_after(rest, length, ',', 255, &project, &r);
	if (mark && (r || !project))
		return name_refuse(in, "the project number of ftok:PATH,PROJ is from 1 to 255");
	if (mark)
		length = (size_t)(mark - rest);
	if (!length)
		return name_refuse(in, "ftok: is followed by a path, as in ftok:/etc/jobs,1");
	name->project = (int)project;
	return keep(rest, length, name);
}

static int read_fd(const struct reading *in, const char *rest, struct ipckit_name *name)
{
	size_t length = strcspn(rest, ":");
	uint64_t pid = 0, fd;

	if (rest[length] == ':') {
		if (read_decimal(rest, length, INT_MAX, &pid) || !pid)
			return name_refuse(in, "the process in fd:PID:N is a number from 1 to %d",
				      INT_MAX);
		rest += length + 1;
	}
	if (strchr(rest, '#'))
		return name_refuse(in, "#N is for semaphores of a System V set, not for descriptors");
	if (read_decimal(rest, strlen(rest), INT_MAX, &fd))
		return name_refuse(in, "a descriptor is a number from 0 to %d, as in fd:3 or fd:PID:3",
			      INT_MAX);
	name->pid = (pid_t)pid;
	name->fd = (int)fd;
	return 0;
}

/* The kernel writes pipe:[4711]. */
static int read_inode(const struct reading *in, const char *rest, struct ipckit_name *name)
{
	size_t length = strlen(rest);

	if (length > 2 && *rest == '[' && rest[length - 1] == ']') {
		rest++;
		length -= 2;
	}
	if (read_decimal(rest, length, UINT64_MAX, &name->inode) || !name->inode)
		return name_refuse(in, "an inode is a decimal number from 1 on, as in %s4711",
				   name->kind == IPCKIT_NAME_PIPE ? "pipe:" : "socket:");
	return 0;
}

static int read_file(const struct reading *in, const char *rest, struct ipckit_name *name)
{
	if (!*rest)
		return name_refuse(in, "file: is followed by a path, as in file:/tmp/lock");
	return keep(rest, strlen(rest), name);
}

static const struct {
	const char *word;
	enum ipckit_name_kind kind;
	int (*read)(const struct reading *in, const char *rest, struct ipckit_name *name);
} prefixes[] = {
	{ "key:", IPCKIT_NAME_KEY, read_key },    { "id:", IPCKIT_NAME_ID, read_id },
	{ "ftok:", IPCKIT_NAME_FTOK, read_ftok }, { "fd:", IPCKIT_NAME_FD, read_fd },
	{ "file:", IPCKIT_NAME_FILE, read_file }, { "pipe:", IPCKIT_NAME_PIPE, read_inode },
	{ "socket:", IPCKIT_NAME_SOCKET, read_inode },
};

#define PREFIXES (sizeof(prefixes) / sizeof(*prefixes))

static int read_prefixed(const struct reading *in, size_t length, struct ipckit_name *name)
{
	if (takes(in, IPCKIT_NAME_PATH) && takes(in, IPCKIT_NAME_FD) && length > 1 &&
	    strspn(in->text, "0123456789") == length - 1) {
		name->kind = IPCKIT_NAME_FD;
		return read_fd(in, in->text, name);
	}
	for (size_t i = 0; i < PREFIXES; i++) {
		if (strlen(prefixes[i].word) != length ||
		    memcmp(in->text, prefixes[i].word, length))
			continue;
		if (!takes(in, prefixes[i].kind))
			return name_refuse_kind(in, prefixes[i].kind);
		name->kind = prefixes[i].kind;
		return prefixes[i].read(in, in->text + length, name);
	}
	return name_refuse_prefix(in, length);
}

/* ---- words without a prefix ---- */

/* What follows the one slash of a POSIX name. */
static int check_component(const struct reading *in, const char *component, size_t length,
			   enum ipckit_name_kind kind)
{
	bool sem = kind == IPCKIT_NAME_POSIX && in->takes & IPCKIT_TAKES_SEM_LENGTH;
	size_t max = sem ? SEM_LENGTH_MAX : POSIX_LENGTH_MAX;

	if (!length)
		return name_refuse(in, "nothing follows the slash");
	if (component[0] == '.' && (length == 1 || (length == 2 && component[1] == '.')))
		return name_refuse(in, "/. and /.. are directories, no objects");
	if (length > max) {
		name_refuse(in, "the name is longer than %zu bytes after the slash", max);
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
		return name_refuse_kind(in, name->kind);
	r = check_component(in, in->text + 1, length - 1, name->kind);
	return r ? r : keep(in->text, length, name);
}

static int read_plain(const struct reading *in, struct ipckit_name *name)
{
	size_t length = strlen(in->text);
	const char *at;
	int error = 0;

	at = number_after(in->text, length, '@', INT64_MAX, &name->offset, &error);
	/* Where no place in shared memory is taken it is part of an object's name. */
	if (at && *in->text == '/' && !strchr(in->text + 1, '/') && !takes(in, IPCKIT_NAME_SHM)) {
		name->offset = 0;
		at = NULL;
	}
	if (at && error)
		return name_refuse(in, "the offset after @ is too large");
	if (at)
		length = (size_t)(at - in->text);
	if (*in->text == '/' && length && !memchr(in->text + 1, '/', length - 1))
		return read_object(in, length, at, name);
	if (!memchr(in->text, '/', length))
		return name_refuse_bare(in, at);
	if (!at && !(in->takes & IPCKIT_TAKES_BARE_PLACE))
		return name_refuse_path(in);
	name->kind = IPCKIT_NAME_PLACE;
	if (!takes(in, name->kind))
		return name_refuse_kind(in, name->kind);
	return keep(in->text, length, name);
}

/* ---- names ---- */

static int read_name(const struct reading *in, struct ipckit_name *name)
{
	size_t word = 0;

	while (in->text[word] && in->text[word] != ':' && in->text[word] != '/')
		word++;
	if (!*in->text)
		return name_refuse(in, "the name is empty");
	if (!strcmp(in->text, "private") && !takes(in, IPCKIT_NAME_PATH)) {
		name->kind = IPCKIT_NAME_PRIVATE;
		return takes(in, name->kind) ? 0 : name_refuse_kind(in, name->kind);
	}
	if (in->text[word] == ':')
		return read_prefixed(in, word + 1, name);
	if (takes(in, IPCKIT_NAME_PATH)) {
		name->kind = IPCKIT_NAME_PATH;
		return keep(in->text, strlen(in->text), name);
	}
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
