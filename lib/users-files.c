/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "sys.h"
#include "users-walk.h"

#include <stdlib.h>
#include <sys/sysmacros.h>

/* ---- finding an object by its identity ---- */

static int by_file(const void *a, const void *b)
{
	const struct watched *x = *(struct watched *const *)a;
	const struct watched *y = *(struct watched *const *)b;

	return array_order(x->device, y->device) ?: array_order(x->inode, y->inode);
}

static int by_id(const void *a, const void *b)
{
	const struct watched *x = *(struct watched *const *)a;
	const struct watched *y = *(struct watched *const *)b;

	return array_order((uint64_t)x->id, (uint64_t)y->id);
}

void index_sort(struct index *index, bool files)
{
	qsort(index->list, index->count, sizeof(*index->list), files ? by_file : by_id);
}

/* The first of those that are not below the key. */
static size_t find_first(const struct index *index, const struct watched *key,
			 int (*compare)(const void *, const void *))
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&index->list[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct watched *index_find(const struct index *index, int64_t id)
{
	const struct watched key = { .id = id };
	size_t i = find_first(index, &key, by_id);

	return i < index->count && index->list[i]->id == id ? index->list[i] : NULL;
}

/* ---- mappings and descriptors ---- */

int walk_add_hit(struct walk *walk, const struct hit *hit)
{
	struct hit *larger;
	size_t room;

	if (walk->nhits == walk->room) {
		room = walk->room ? walk->room * 2 : 16;
		larger = reallocarray(walk->hits, room, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		walk->hits = larger;
		walk->room = room;
	}
	walk->hits[walk->nhits++] = *hit;
	return 0;
}

struct looking {
	struct walk *walk;
	bool has_memory;
};

static bool covers(const struct proc_map *map, const struct watched *watched)
{
	if (watched->kind == WATCHED_FILE)
		return true;
	return watched->kind == WATCHED_WORD && watched->offset + watched->length > map->offset &&
	       watched->offset < map->offset + (map->end - map->start);
}

static int look_at_map(const struct proc_map *map, void *arg)
{
	struct looking *looking = arg;
	struct walk *walk = looking->walk;
	const struct index *files = &walk->files;
	const struct watched key = { .device = makedev(map->major, map->minor), .inode = map->inode };
	const struct watched *wanted = &key;
	int r = 0;

	looking->has_memory = true;
	/* A segment's may be 0. */
	if (walk->segments.count)
		r = find_segment(walk, map);
	if (r || !map->inode)
		return r;
	for (size_t i = find_first(files, &key, by_file);
	     !r && i < files->count && !by_file(&files->list[i], &wanted); i++) {
		struct hit hit = { .watched = files->list[i],
				   .evidence = IPCKIT_SEEN_MAPPED,
				   .offset = map->offset };

		/* In a private mapping nobody sleeps on what others change. */
		if (map->shared) {
			hit.start = map->start;
			hit.end = map->end;
		}
		if (covers(map, hit.watched))
			r = walk_add_hit(walk, &hit);
	}
	return r;
}

static int look_at_eventfd(struct walk *walk, int dirfd, int fd)
{
	struct hit hit = { .evidence = IPCKIT_SEEN_OPEN, .fd = fd };
	uint64_t id;
	int r = proc_fdinfo_field(dirfd, fd, "eventfd-id:", 10, &id);

	/* Other kinds of descriptor have the same inode, and some are closed meanwhile. */
	if (r)
		return sys_own_trouble(r);
	hit.watched = id <= INT64_MAX ? index_find(&walk->eventfds, (int64_t)id) : NULL;
	return hit.watched ? walk_add_hit(walk, &hit) : 0;
}

static int read_flags(int dirfd, int fd, struct ipckit_maybe *out)
{
	uint64_t flags;
	int r = proc_fdinfo_field(dirfd, fd, "flags:", 8, &flags);

	*out = ipckit_unknown();
	/* This one is the descriptor's own, and no flag of the open file. */
	if (!r && flags <= INT32_MAX)
		*out = ipckit_known((int64_t)(flags & ~(uint64_t)O_CLOEXEC));
	return sys_own_trouble(r);
}

static int look_at_fd(int dirfd, const struct proc_fd *fd, void *arg)
{
	struct looking *looking = arg;
	struct walk *walk = looking->walk;
	const struct index *files = &walk->files;
	const struct watched key = { .device = fd->device, .inode = fd->inode };
	const struct watched *wanted = &key;
	int r = 0;

	if (walk->eventfds.count && !by_file(&walk->eventfds.list[0], &wanted))
		return look_at_eventfd(walk, dirfd, fd->fd);
	for (size_t i = find_first(files, &key, by_file);
	     !r && i < files->count && !by_file(&files->list[i], &wanted); i++) {
		struct hit hit = {
			.watched = files->list[i], .evidence = IPCKIT_SEEN_OPEN, .fd = fd->fd
		};

		if (hit.watched->kind == WATCHED_MQUEUE)
			r = read_flags(dirfd, fd->fd, &hit.flags);
		if (!r)
			r = walk_add_hit(walk, &hit);
	}
	return r;
}

/* ---- users ---- */

/* A process is one user, however often it has it: mappings come first. Of a queue it is one for each
 * way of having it open (flags). */
static int note_hit(struct seen *seen, const struct hit *hit, const struct guardian *guardian)
{
	const struct ipckit_process how = {
		.tid = seen->pid, .evidence = hit->evidence, .flags = hit->flags
	};
	struct ipckit_processes *users = &hit->watched->usage->users;
	size_t before = users->count;
	int r = walk_add_once(seen, &how, users);

	if (r || users->count == before || !guardian)
		return r;
	return guardian_note(guardian, hit->watched);
}

static bool has_segment(const struct walk *walk)
{
	for (size_t i = 0; i < walk->nhits; i++)
		if (walk->hits[i].watched->kind == WATCHED_SEGMENT)
			return true;
	return false;
}

/* threads: whether some hit is one that a thread may be blocked on. */
static int note_hits(struct walk *walk, struct seen *seen, bool *threads)
{
	struct guardian *guardian;
	bool own = false;
	int r = guardian_read(walk, seen, &guardian);

	if (!r && has_segment(walk))
		r = seen_shares_ids(walk, seen, &own);
	for (size_t i = 0; !r && i < walk->nhits; i++) {
		const struct hit *hit = &walk->hits[i];

		*threads |= can_block(hit->watched) && !guardian_waits(guardian);
		r = hit->watched->kind == WATCHED_SEGMENT ? note_segment(seen, hit, own)
							  : note_hit(seen, hit, guardian);
	}
	guardian_free(guardian);
	return r;
}

int note_files(struct walk *walk, struct seen *seen, bool *threads)
{
	struct looking looking = { .walk = walk };
	int r = 0;

	*threads = false;
	walk->nhits = 0;
	if (walk->maps) {
		r = seen_allow(seen, proc_maps_walk(seen->dirfd, look_at_map, NULL, &looking));
		/* Kernel threads and zombies have neither memory nor files. */
		if (r || (!seen->denied && !looking.has_memory))
			return r;
	}
	if (walk->files.count || walk->eventfds.count)
		r = seen_allow(seen, proc_fds_walk(seen->dirfd, look_at_fd, &looking));
	return r || !walk->nhits ? r : note_hits(walk, seen, threads);
}
