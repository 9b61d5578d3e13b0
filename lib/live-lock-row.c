/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-lock.h"
#include "array.h"
#include "proc-scan.h"
#include "sys.h"

#include <string.h>

/* ---- a row ---- */

/* Goes past a word of those, and the blanks behind it: which one, or -1. */
static int scan_word(const char **at, const char *const *words, int count)
{
	size_t length = strcspn(*at, " \t\n");

	for (int i = 0; i < count; i++) {
		if (strlen(words[i]) != length || memcmp(*at, words[i], length))
			continue;
		*at += length;
		scan_blanks(at);
		return i;
	}
	return -1;
}

/* "MAJOR:MINOR:INODE ", the first two in hex. */
static bool scan_file(const char **at, struct live_lock *lock)
{
	uint64_t major, minor;

	if (!scan_below(at, 16, UINT32_MAX, &major) || !scan_char(at, ':') ||
	    !scan_below(at, 16, UINT32_MAX, &minor) || !scan_char(at, ':') || !scan_number(at, 10, &lock->inode) ||
	    !scan_char(at, ' '))
		return false;
	lock->major = (unsigned)major;
	lock->minor = (unsigned)minor;
	return true;
}

static bool scan_range(const char **at, struct live_lock *lock)
{
	static const char *const end[] = { "EOF" };

	if (!scan_signed(at, &lock->start) || lock->start < 0 || !scan_char(at, ' '))
		return false;
	if (scan_word(at, end, 1) == 0)
		lock->end = LIVE_LOCK_END;
	else if (!scan_signed(at, &lock->end))
		return false;
	return lock->end >= lock->start && (!**at || **at == '\n');
}

/* "1: -> POSIX  ADVISORY  WRITE 12 08:01:77 0 EOF" */
int live_lock_parse(const char *line, struct live_lock *out)
{
	static const char *const kinds[] = { "FLOCK", "POSIX", "OFDLCK" };
	static const char *const manners[] = { "ADVISORY" };
	static const char *const modes[] = { "READ", "WRITE" };
	struct live_lock lock = { 0 };
	int64_t number, pid;
	int kind, mode;

	if (!scan_signed(&line, &number) || !scan_char(&line, ':'))
		return -EBADMSG;
	scan_blanks(&line);
	if (line[0] == '-' && line[1] == '>') {
		lock.waits = true;
		line += 2;
		scan_blanks(&line);
	}
	kind = scan_word(&line, kinds, 3);
	if (kind < 0 || scan_word(&line, manners, 1))
		return -EBADMSG;
	mode = scan_word(&line, modes, 2);
	if (mode < 0 || !scan_signed(&line, &pid) || pid < -1 || pid > INT32_MAX || !scan_char(&line, ' ') ||
	    !scan_file(&line, &lock) || !scan_range(&line, &lock))
		return -EBADMSG;
	lock.kind = (enum live_lock_kind)kind;
	lock.exclusive = mode;
	lock.pid = (pid_t)pid;
	*out = lock;
	return 0;
}

/* Of a search for who waits what comes first is known. */
static int order_asked(const struct live_lock *a, const struct live_lock *b)
{
	return array_order(a->inode, b->inode) ?: array_order(a->waits, b->waits) ?:
	       array_order(a->kind, b->kind) ?: array_order(a->exclusive, b->exclusive) ?: array_order(a->pid, b->pid);
}

int live_lock_order(const struct live_lock *a, const struct live_lock *b)
{
	return order_asked(a, b) ?: array_order(a->start, b->start) ?: array_order(a->end, b->end) ?:
	       array_order(a->major, b->major) ?: array_order(a->minor, b->minor);
}

/* POSIX and OFD locks exclude each other, flock(2) is for itself. */
bool live_lock_conflicts(const struct live_lock *a, const struct live_lock *b)
{
	if ((a->kind == LIVE_LOCK_FLOCK) != (b->kind == LIVE_LOCK_FLOCK))
		return false;
	return (a->exclusive || b->exclusive) && a->start <= b->end && b->start <= a->end;
}

/* ---- lists of them ---- */

static int add(struct live_locks *locks, const struct live_lock *lock)
{
	struct live_lock *larger = array_room(locks->list, locks->count, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	locks->list = larger;
	larger[locks->count++] = *lock;
	return 0;
}

int live_locks_parse(const char *text, const char *prefix, struct live_locks *out)
{
	size_t length = strlen(prefix);
	int r = 0;

	for (const char *line = text; !r && *line; line = strchrnul(line, '\n'), line += *line == '\n') {
		struct live_lock lock;
		const char *row = line + length;

		if (strncmp(line, prefix, length))
			continue;
		scan_blanks(&row);
		if (!live_lock_parse(row, &lock))
			r = add(out, &lock);
	}
	return r;
}

static int by_order(const void *a, const void *b)
{
	return live_lock_order(a, b);
}

int live_locks_read(int root, struct live_locks *out)
{
	char *text = NULL;
	int r = proc_read(root, "locks", &text, NULL);

	if (!r)
		r = live_locks_parse(text, "", out);
	free(text);
	if (!r && out->count)
		qsort(out->list, out->count, sizeof(*out->list), by_order);
	return r;
}

static void find_inode(const char *text, uint64_t *inode)
{
	static const char key[] = "ino:";
	uint64_t found;

	for (const char *line = text; *line; line = strchrnul(line, '\n'), line += *line == '\n') {
		const char *at = line + strlen(key);

		if (strncmp(line, key, strlen(key)))
			continue;
		scan_blanks(&at);
		if (scan_number(&at, 10, &found))
			*inode = found;
	}
}

int live_locks_of(int dirfd, int fd, struct live_locks *out, uint64_t *inode)
{
	char path[32], *text = NULL;
	int r;

	snprintf(path, sizeof(path), "fdinfo/%d", fd);
	r = proc_read(dirfd, path, &text, NULL);
	if (!r) {
		find_inode(text, inode);
		r = live_locks_parse(text, "lock:", out);
	}
	free(text);
	return r;
}

/* ---- finding ---- */

/* The first one that is not before a key. */
static size_t find_first(const struct live_locks *locks, const struct live_lock *key,
			 int (*compare)(const struct live_lock *a, const struct live_lock *b))
{
	size_t low = 0, high = locks->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&locks->list[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t live_locks_same(const struct live_locks *locks, const struct live_lock *lock)
{
	size_t first = find_first(locks, lock, live_lock_order), i = first;

	while (i < locks->count && !live_lock_order(&locks->list[i], lock))
		i++;
	return i - first;
}

const struct live_lock *live_locks_waiter(const struct live_locks *locks, const struct live_lock *wanted,
					  bool ranged)
{
	const struct live_lock *found = NULL;
	struct live_lock key = *wanted;

	key.waits = true;
	for (size_t i = find_first(locks, &key, order_asked); i < locks->count; i++) {
		const struct live_lock *lock = &locks->list[i];

		if (order_asked(lock, &key))
			break;
		if (ranged && (lock->start != key.start || lock->end != key.end))
			continue;
		if (found && live_lock_order(found, lock))
			return NULL;
		found = lock;
	}
	return found;
}
