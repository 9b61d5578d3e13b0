/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-layout.h"
#include "live-open.h"
#include "proc-scan.h"
#include "sys.h"

#include <stdio.h>
#include <string.h>

/* ---- names ---- */

/* A process has one namespace for all of its threads; most are in that of the reader. */
static int read_names(struct live_futexes *futexes, uint32_t process)
{
	struct live_scan *scan = futexes->scan;
	const struct live_process *found = &scan->processes[process];
	struct live_status status;
	int r;

	if (futexes->names_process == process)
		return 0;
	r = live_status_read(scan->root, found->pid, scan->threads[found->first].tid, &status);
	if (sys_lacks_resources(r))
		return r;
	futexes->names_process = process;
	futexes->names_inside = r || status.ns_depth != 1;
	return 0;
}

static int find_named(struct live_word *word, pid_t id, uint32_t *out)
{
	struct live_futexes *futexes = word->futexes;
	int r = read_names(futexes, word->process);

	if (r)
		return r;
	if (futexes->names_inside)
		return live_find_named(futexes->scan, word->process, id, out);
	*out = live_find_thread(futexes->scan, id);
	return 0;
}

/* Whether nobody has an id now. */
static int is_unused(struct live_word *word, pid_t id, bool *out)
{
	const struct live_scan *scan = word->futexes->scan;
	struct live_status status;
	char name[16];
	int r;

	*out = false;
	if (scan->hides || word->futexes->names_inside)
		return 0;
	snprintf(name, sizeof(name), "%d", (int)id);
	/* Every thread has a directory there, also where it is not listed; that of one that has ended may stay. */
	r = sys_result(faccessat(scan->root, name, F_OK, 0));
	if (!r)
		r = live_status_read(scan->root, id, id, &status);
	*out = r ? r == -ENOENT || r == -ESRCH : status.state == 'Z' || status.state == 'X';
	return sys_own_trouble(r);
}

/* ---- who is nobody's ---- */

/* Where the thread goes on after its call. */
static int read_place(const struct live_word *word, uint64_t *out)
{
	const struct live_scan *scan = word->futexes->scan;
	char path[LIVE_PATH_ROOM], text[PROC_SYSCALL_ROOM];
	const char *at;
	int r;

	live_path(path, scan->processes[word->process].pid, scan->threads[word->thread].tid, "syscall");
	r = (int)proc_read_into(scan->root, path, text, sizeof(text));
	if (r < 0)
		return r;
	at = strrchr(text, ' ');
	if (!at || strncmp(at, " 0x", 3))
		return -EBADMSG;
	at += 3;
	return scan_number(&at, 16, out) ? 0 : -EBADMSG;
}

/*
 * Whether the C library's locks sleep there. Programs with words of their own sleep in syscall(2), which is the one
 * function that takes its last argument from the stack: numbers that look like a lock are none there.
 */
static int is_of_library(struct live_word *word, bool *out)
{
	static const unsigned char end[] = { 0x4c, 0x8b, 0x4c, 0x24, 0x08, 0x0f, 0x05 }; /* mov 8(%rsp), %r9; syscall */
	unsigned char code[sizeof(end)];
	uint64_t place;
	int r = read_place(word, &place);

	*out = false;
	if (!r)
		r = live_read(word->futexes->scan, word->process, place - sizeof(end), code, sizeof(code));
	if (!r)
		*out = memcmp(code, end, sizeof(end));
	return sys_own_trouble(r);
}

/* Nobody will ever let go of it: 1, where it is a lock. */
static int call_orphan(struct live_word *word, struct live_verdict *verdict)
{
	bool lock;
	int r = is_of_library(word, &lock);

	if (r || !lock)
		return r;
	verdict->who = LIVE_WHO_NOBODY;
	return 1;
}

/* ---- owners in memory of their own ---- */

/* It is dear to tell, and many may wait for the same. */
static int is_gone(struct live_word *word, pid_t id, bool *out)
{
	struct live_futexes *futexes = word->futexes;
	int r;

	if (futexes->gone_process != word->process || futexes->gone_id != id) {
		futexes->gone_process = IPCKIT_NONE;
		r = live_is_gone(futexes->scan, word->process, id);
		if (r < 0)
			return r;
		futexes->gone_process = word->process;
		futexes->gone_id = id;
		futexes->gone = r;
	}
	*out = futexes->gone;
	return 0;
}

/* As after vfork(2). */
static bool may_share(const struct live_word *word, uint32_t thread)
{
	const struct live_scan *scan = word->futexes->scan;
	int r = live_maps_compare(scan, word->process, scan->threads[thread].process);

	return r == 0 || (r < 0 && r != -ESRCH);
}

/*
 * A lock that was copied by fork(2) names the owner that it has in the parent. In memory that is shared the owner
 * may be of another process all the same, whatever the call says.
 */
static int own_orphan(struct live_word *word, uint32_t thread, pid_t id, struct live_verdict *verdict)
{
	const struct live_map *map;
	enum live_libc libc;
	bool gone;
	int r = live_word_libc(word, &libc);

	if (r < 0 || libc != LIVE_LIBC_GLIBC)
		return r < 0 ? r : 0;
	r = live_maps_find(&word->futexes->maps, word->process, word->call.address, &map);
	if (r || !map)
		return r;
	if (thread != IPCKIT_NONE && (map->shared || may_share(word, thread)))
		return 0;
	if (map->shared) {
		r = is_unused(word, id, &gone);
		if (r || !gone)
			return r;
	}
	r = is_gone(word, id, &gone);
	if (r || !gone)
		return r;
	r = call_orphan(word, verdict);
	/* Handlers of pthread_atfork(3) unlock in the child what they have locked in the parent: another thread may. */
	if (r > 0 && thread != IPCKIT_NONE && word->futexes->scan->processes[word->process].nthreads > 1)
		verdict->who = LIVE_WHO_SET;
	return r;
}

static int own_owner(struct live_word *word, pid_t id, struct live_verdict *verdict)
{
	uint32_t thread;
	int r = find_named(word, id, &thread);

	if (r)
		return r;
	if (thread == IPCKIT_NONE || word->futexes->scan->threads[thread].process != word->process)
		return own_orphan(word, thread, id, verdict);
	verdict->who = LIVE_WHO_OWNER;
	verdict->owner = thread;
	return 1;
}

/* ---- owners in memory that processes share ---- */

static int maps_file(struct live_word *word, uint32_t process, bool *out)
{
	const struct live_mapper *mappers;
	size_t count;
	int r = live_maps_who(&word->futexes->maps, &word->map.file, &mappers, &count);

	*out = false;
	for (size_t i = 0; !r && i < count; i++)
		*out = *out || mappers[i].process == process;
	return r;
}

static int shared_orphan(struct live_word *word, pid_t id, struct live_verdict *verdict)
{
	enum live_libc libc;
	bool unused;
	int r = live_word_libc(word, &libc);

	if (r < 0 || libc != LIVE_LIBC_GLIBC)
		return r < 0 ? r : 0;
	r = is_unused(word, id, &unused);
	return r || !unused ? r : call_orphan(word, verdict);
}

/* Ids mean the same to all only where those who share the memory share the namespace, too. */
static int shared_owner(struct live_word *word, pid_t id, struct live_verdict *verdict)
{
	struct live_words_file *file;
	uint32_t thread;
	bool maps = false;
	int r = live_words_file(word, &file);

	if (r || file->levels != 1)
		return r;
	r = find_named(word, id, &thread);
	if (r)
		return r;
	if (thread == IPCKIT_NONE)
		return shared_orphan(word, id, verdict);
	r = maps_file(word, word->futexes->scan->threads[thread].process, &maps);
	if (r || !maps)
		return r;
	verdict->who = LIVE_WHO_OWNER;
	verdict->owner = thread;
	return 1;
}

int live_word_owner(struct live_word *word, uint32_t id, struct live_verdict *verdict)
{
	if (!id || id >= LIVE_TIDS)
		return 0;
	return word->own ? own_owner(word, (pid_t)id, verdict) : shared_owner(word, (pid_t)id, verdict);
}
