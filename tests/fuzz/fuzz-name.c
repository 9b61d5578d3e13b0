/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Object names: each input is read as every verb would. */

#include "fuzz.h"

#include <errno.h>
#include <inttypes.h>

#include <ipckit/name.h>
#include <ipckit/sem.h>
#include <ipckit/word.h>

#define T(kind) IPCKIT_TAKES(IPCKIT_NAME_##kind)
#define KINDS ((T(SHM) << 1) - 1)
#define CHANNELS (T(PATH) | T(FD) | T(PIPE) | T(SOCKET))

static const unsigned profiles[] = {
	IPCKIT_SEM_NAMES,
	IPCKIT_SEM_NAMES | T(PRIVATE),
	IPCKIT_SEM_NAMES | T(FILE),
	T(POSIX) | IPCKIT_TAKES_SYSV,
	T(POSIX) | IPCKIT_TAKES_SYSV | T(PRIVATE),
	T(PLACE) | T(SHM) | IPCKIT_TAKES_BARE_PLACE,
	IPCKIT_WORD_NAMES_ALL,
	IPCKIT_WORD_NAMES_ALL | IPCKIT_TAKES_INDEX,
	T(FD) | T(FILE),
	CHANNELS,
	T(PATH),
	CHANNELS | IPCKIT_TAKES_SYSV,
	KINDS | IPCKIT_TAKES_INDEX | IPCKIT_TAKES_BARE_PLACE,
	KINDS | IPCKIT_TAKES_INDEX,
	0,
};

/* The one spelling that leaves nothing out. */
static char *spell(const struct ipckit_name *name, unsigned takes)
{
	char *text = NULL, tail[32] = "";
	int n = -1;

	if (name->has_index)
		snprintf(tail, sizeof(tail), "#%u", name->index);
	else if (takes & IPCKIT_TAKES_OFFSET)
		snprintf(tail, sizeof(tail), "@%" PRIu64, name->offset);
	switch (name->kind) {
	case IPCKIT_NAME_POSIX:
		n = asprintf(&text, "%s", name->text);
		break;
	case IPCKIT_NAME_KEY:
		n = asprintf(&text, "key:0x%" PRIx32 "%s", (uint32_t)name->key, tail);
		break;
	case IPCKIT_NAME_ID:
		n = asprintf(&text, "id:%d%s", name->id, tail);
		break;
	case IPCKIT_NAME_FTOK:
		n = asprintf(&text, "ftok:%s,%d%s", name->text, name->project, tail);
		break;
	case IPCKIT_NAME_PRIVATE:
		n = asprintf(&text, "private");
		break;
	case IPCKIT_NAME_FD:
		n = name->pid ? asprintf(&text, "fd:%d:%d", (int)name->pid, name->fd)
			      : asprintf(&text, "fd:%d", name->fd);
		break;
	case IPCKIT_NAME_FILE:
		n = asprintf(&text, "file:%s", name->text);
		break;
	case IPCKIT_NAME_PLACE:
	case IPCKIT_NAME_SHM:
		n = asprintf(&text, "%s@%" PRIu64, name->text, name->offset);
		break;
	case IPCKIT_NAME_PATH:
		n = asprintf(&text, "%s", name->text);
		break;
	case IPCKIT_NAME_PIPE:
		n = asprintf(&text, "pipe:%" PRIu64, name->inode);
		break;
	case IPCKIT_NAME_SOCKET:
		n = asprintf(&text, "socket:%" PRIu64, name->inode);
		break;
	}
	if (n < 0)
		exit(1);
	return text;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same(const struct ipckit_name *a, const struct ipckit_name *b)
{
	return a->kind == b->kind && same_text(a->text, b->text) && a->key == b->key &&
	       a->id == b->id && a->project == b->project && a->fd == b->fd && a->pid == b->pid &&
	       a->offset == b->offset && a->has_index == b->has_index && a->index == b->index && a->inode == b->inode;
}

/* One component of a path that is no directory's, of at most max bytes. */
static bool is_object(const char *text, size_t max)
{
	return text[0] == '/' && text[1] && !strchr(text + 1, '/') && strcmp(text, "/.") &&
	       strcmp(text, "/..") && strlen(text + 1) <= max;
}

static void check_fields(const struct ipckit_name *name, unsigned takes)
{
	unsigned kind = IPCKIT_TAKES(name->kind);
	bool sem = takes & IPCKIT_TAKES_SEM_LENGTH;

	HOLDS(kind & takes & (KINDS | CHANNELS));
	HOLDS(!name->has_index || (takes & IPCKIT_TAKES_INDEX && kind & IPCKIT_TAKES_SYSV));
	HOLDS(name->has_index || !name->index);
	HOLDS(!name->offset || kind & (T(PLACE) | T(SHM)) ||
	      (takes & IPCKIT_TAKES_OFFSET && kind & IPCKIT_TAKES_SYSV && !name->has_index));
	HOLDS(!name->inode == !(kind & (T(PIPE) | T(SOCKET))));
	if (kind & (T(KEY) | T(ID) | T(FD) | T(PRIVATE) | T(PIPE) | T(SOCKET)))
		HOLDS(!name->text);
	else
		HOLDS(name->text && *name->text);
	HOLDS(name->kind != IPCKIT_NAME_POSIX || is_object(name->text, sem ? 251 : 255));
	HOLDS(name->kind != IPCKIT_NAME_SHM || is_object(name->text, 255));
	HOLDS(name->kind != IPCKIT_NAME_PLACE || strchr(name->text, '/'));
	HOLDS(name->kind != IPCKIT_NAME_KEY || name->key);
	HOLDS(name->kind != IPCKIT_NAME_FTOK || (name->project >= 1 && name->project <= 255));
	HOLDS(name->id >= 0 && name->fd >= 0 && name->pid >= 0 && name->offset <= INT64_MAX);
}

static void check_again(const struct ipckit_name *name, unsigned takes)
{
	char *text = spell(name, takes);
	struct ipckit_name again;
	struct ipckit_why why;

	HOLDS(!ipckit_name_parse(text, takes, &why, &again));
	HOLDS(same(name, &again));
	ipckit_name_free(&again);
	free(text);
}

static void check(const char *text, unsigned takes)
{
	struct ipckit_name name, before;
	struct ipckit_why why;
	int r;

	memset(&name, 0x5a, sizeof(name));
	memset(&why, 0x5a, sizeof(why));
	before = name;
	r = ipckit_name_parse(text, takes, &why, &name);
	HOLDS(r == 0 || r == -EINVAL || r == -ENAMETOOLONG);
	if (r) {
		HOLDS(!memcmp(&name, &before, sizeof(name)));
		fuzz_check_why(&why);
		return;
	}
	HOLDS(!strcmp(name.written, text));
	check_fields(&name, takes);
	check_again(&name, takes);
	ipckit_name_free(&name);
	HOLDS(!name.written && !name.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	for (size_t i = 0; i < sizeof(profiles) / sizeof(*profiles); i++)
		check(text, profiles[i]);
	free(text);
	return 0;
}
