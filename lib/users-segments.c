/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shm-device.h"
#include "sys.h"
#include "users-walk.h"

/*
 * A mapping tells the id of its segment, but not its IPC namespace: who has moved to another one keeps
 * what it had mapped. The kernel counts the mappings of a segment: where those of its own namespace and
 * those of the same id elsewhere make up that number, the latter are of it, too.
 */

int find_segment(struct walk *walk, const struct proc_map *map)
{
	const struct shm_device *device = shm_device_of(walk->devices, map);
	struct hit hit = { .evidence = IPCKIT_SEEN_MAPPED };

	if (!device || map->inode > INT32_MAX)
		return 0;
	hit.watched = index_find(&walk->segments, (int64_t)map->inode);
	hit.page_size = device->page_size;
	return hit.watched ? walk_add_hit(walk, &hit) : 0;
}

static int note(struct seen *seen, const struct hit *hit)
{
	const struct ipckit_process how = { .tid = seen->pid, .evidence = IPCKIT_SEEN_MAPPED };

	hit->watched->mapped++;
	hit->watched->page_size = hit->page_size;
	return walk_add_once(seen, &how, &hit->watched->usage->users);
}

int note_segment(struct seen *seen, const struct hit *hit, bool own)
{
	if (own)
		return note(seen, hit);
	hit->watched->foreign++;
	return 0;
}

static int look_at_map(const struct proc_map *map, void *arg)
{
	return find_segment(arg, map);
}

static int find_segments(struct walk *walk, struct seen *seen)
{
	walk->nhits = 0;
	return proc_maps_walk(seen->dirfd, look_at_map, NULL, walk);
}

int count_own_segments(struct walk *walk, struct seen *seen)
{
	int r = find_segments(walk, seen);

	for (size_t i = 0; !r && i < walk->nhits; i++) {
		walk->hits[i].watched->mapped++;
		walk->hits[i].watched->page_size = walk->hits[i].page_size;
	}
	return r;
}

/* ---- who has left the IPC namespace ---- */

static int note_foreign(struct walk *walk, struct seen *seen)
{
	bool own;
	int r = seen_shares_ids(walk, seen, &own);

	if (r || own || seen->denied)
		return r;
	r = find_segments(walk, seen);
	for (size_t i = 0; !r && i < walk->nhits; i++)
		if (walk->hits[i].watched->foreign_too)
			r = note(seen, &walk->hits[i]);
	return r;
}

static int visit_foreign(int dirfd, pid_t pid, void *arg)
{
	struct seen seen = { .dirfd = dirfd, .pid = pid };
	struct walk *walk = arg;
	int r = dirfd >= 0 && pid != walk->self ? note_foreign(walk, &seen) : 0;

	seen_clear(&seen);
	return sys_own_trouble(r);
}

/* Unless some whom nobody may look at might have it mapped as well. */
static bool is_sum(const struct walk *walk, const struct watched *watched)
{
	return watched->kind == WATCHED_SEGMENT && watched->nattch.known && watched->foreign && !walk->unreadable &&
	       watched->mapped + watched->foreign == watched->nattch.value;
}

int look_for_foreign(struct walk *walk, struct watched *watched, size_t count)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		watched[i].foreign_too = is_sum(walk, &watched[i]);
		any |= watched[i].foreign_too;
	}
	return any ? proc_walk(walk->root, ".", visit_foreign, walk) : 0;
}
