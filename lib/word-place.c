/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc.h"
#include "shm-device.h"
#include "sys.h"

#include <ipckit/word.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Segments of System V lie in the file systems of memfds, but number their files by themselves, and anew in each
 * IPC namespace.
 */
static int is_segment(const struct proc_map *map, bool *out)
{
	struct shm_devices devices = { 0 };

	return shm_devices_have(&devices, map, out);
}

bool ipckit_place_is(const struct ipckit_place *one, const struct ipckit_place *other)
{
	return one->inode == other->inode && one->offset == other->offset && one->major == other->major &&
	       one->minor == other->minor && one->sysv == other->sysv;
}

static int place_in(const struct proc_map *map, uint64_t at, struct ipckit_place *out)
{
	struct ipckit_place place = {
		.major = map->major,
		.minor = map->minor,
		.inode = map->inode,
		.offset = map->offset + (at - map->start),
	};
	int r = is_segment(map, &place.sysv);

	if (!r)
		*out = place;
	return r;
}

/* ---- one's own ---- */

struct own {
	uint64_t at;
	bool found;
	struct ipckit_place place;
};

/* 1: that was it. */
static int visit_own(const struct proc_map *map, void *arg)
{
	struct own *own = arg;

	if (own->at < map->start || own->at >= map->end)
		return 0;
	own->found = true;
	return place_in(map, own->at, &own->place) ?: 1;
}

/* By the same file that tells of others: stat(2) gives other numbers on some file systems (btrfs, overlay). */
static int own_place(int root, const struct ipckit_word *word, struct ipckit_place *out)
{
	struct own own = { .at = (uintptr_t)ipckit_word_at(word) };
	int self = sys_openat(root, "self", O_PATH | O_DIRECTORY, 0);
	int r;

	if (self < 0)
		return self;
	r = proc_maps_walk(self, visit_own, NULL, &own);
	close(self);
	if (r < 0)
		return r;
	if (!own.found)
		return -ENXIO;
	*out = own.place;
	return 0;
}

int ipckit_word_place(const struct ipckit_word *word, struct ipckit_place *out)
{
	int root;
	int r = proc_open("/proc", &root);

	if (r)
		return r;
	r = own_place(root, word, out);
	close(root);
	return r;
}

/* ---- others' ---- */

struct search {
	struct ipckit_place place;
	bool found;
};

/* 1: it is there. */
static int visit_map(const struct proc_map *map, void *arg)
{
	struct search *search = arg;
	const struct ipckit_place *place = &search->place;
	bool sysv;
	int r;

	if (!map->shared || map->inode != place->inode || map->major != place->major || map->minor != place->minor ||
	    place->offset < map->offset || place->offset - map->offset >= map->end - map->start)
		return 0;
	r = is_segment(map, &sysv);
	if (r || sysv != place->sysv)
		return r;
	search->found = true;
	return 1;
}

static int is_same_ipc(int dir, bool *out)
{
	uint64_t own, other;
	int root, self;
	int r = proc_open("/proc", &root);

	if (r)
		return r;
	self = sys_openat(root, "self", O_PATH | O_DIRECTORY, 0);
	close(root);
	if (self < 0)
		return self;
	r = proc_namespace(self, "ipc", &own) ?: proc_namespace(dir, "ipc", &other);
	close(self);
	if (!r)
		*out = own == other;
	return r;
}

static int search_maps(int dir, struct search *search)
{
	bool same = true;
	int r = proc_maps_walk(dir, visit_map, NULL, search);

	if (r < 0)
		return r;
	if (search->found && search->place.sysv) {
		r = is_same_ipc(dir, &same);
		search->found = same;
		return r;
	}
	return 0;
}

/* Whether ids in this /proc are those of this process: it may have been mounted for another PID namespace. */
static int check_ids(int root)
{
	char text[32];
	ssize_t n = sys_result(readlinkat(root, "self", text, sizeof(text) - 1));

	if (n < 0)
		return (int)n;
	text[n] = '\0';
	return strtol(text, NULL, 10) == getpid() ? 0 : -EACCES;
}

/* One that /proc hides (hidepid=) is there all the same. */
static int tell_gone(pid_t tid, int r)
{
	if (r != -ENOENT && r != -ESRCH)
		return r == -EPERM ? -EACCES : r;
	return sys_result(kill(tid, 0)) == -ESRCH ? -ESRCH : -EACCES;
}

static int search_thread(int root, pid_t tid, struct search *search)
{
	char name[16];
	int dir, r;

	snprintf(name, sizeof(name), "%d", (int)tid);
	dir = sys_openat(root, name, O_PATH | O_DIRECTORY, 0);
	r = dir < 0 ? dir : search_maps(dir, search);
	if (dir >= 0)
		close(dir);
	return r ? tell_gone(tid, r) : 0;
}

int ipckit_word_is_mapped_by(const struct ipckit_word *word, pid_t tid, bool *out)
{
	struct search search = { 0 };
	int root, r;

	if (tid <= 0)
		return -ESRCH;
	r = proc_open("/proc", &root);
	if (r)
		return r;
	r = check_ids(root) ?: own_place(root, word, &search.place) ?: search_thread(root, tid, &search);
	close(root);
	if (!r)
		*out = search.found;
	return r;
}
