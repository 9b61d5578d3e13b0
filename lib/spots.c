/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spots.h"
#include "array.h"
#include "proc.h"
#include "sys.h"

#include <string.h>

int texts_take(struct ipckit_texts *texts, char *text)
{
	char **larger;

	if (!text)
		return 0;
	larger = array_room(texts->list, texts->count, sizeof(*larger));
	if (!larger) {
		free(text);
		return -ENOMEM;
	}
	texts->list = larger;
	larger[texts->count++] = text;
	return 0;
}

void texts_free(struct ipckit_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->list[i]);
	free(texts->list);
	memset(texts, 0, sizeof(*texts));
}

/* ---- places ---- */

struct search {
	struct ipckit_spot **spots; /* by address */
	size_t count, found;
	struct spots_kept *kept;
};

static int by_address(const void *a, const void *b)
{
	uint64_t x = (*(struct ipckit_spot *const *)a)->address, y = (*(struct ipckit_spot *const *)b)->address;

	return array_order(x, y);
}

/* The first spot at an address or behind it. */
static size_t first_from(const struct search *search, uint64_t address)
{
	size_t low = 0, high = search->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (search->spots[middle]->address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The kernel writes a newline so, and nothing else otherwise than it is. */
static void put_newlines(char *path)
{
	static const char escaped[] = "\\012";
	char *rest;

	while ((path = strstr(path, escaped))) {
		*path++ = '\n';
		rest = path + strlen(escaped) - 1;
		memmove(path, rest, strlen(rest) + 1);
	}
}

static int copy_path(const struct search *search, const struct proc_map *map, const char **out)
{
	char *path;

	if (!*map->path)
		return 0;
	path = strdup(map->path);
	if (!path)
		return -ENOMEM;
	put_newlines(path);
	*out = path;
	return texts_take(search->kept->texts, path);
}

/* Its file is a segment's, and the inode an identifier, which may be 0. */
static int find_segment(const struct search *search, const struct proc_map *map, bool *out)
{
	int r = shm_devices_have(&search->kept->devices, map, out);

	return sys_own_trouble(r);
}

/* A page of a file that nobody can have changed by this mapping is the file's: a sleeper there is met by all. */
static bool is_shared(const struct proc_map *map, bool segment)
{
	return segment || (map->inode && (map->shared || !map->writable));
}

static int place_in(const struct search *search, const struct proc_map *map, size_t first, size_t end)
{
	const char *path = NULL;
	bool segment;
	int r = find_segment(search, map, &segment);

	if (r || !is_shared(map, segment))
		return r;
	r = copy_path(search, map, &path);
	for (size_t i = first; !r && i < end; i++) {
		struct ipckit_spot *spot = search->spots[i];

		spot->shared = true;
		spot->path = path;
		spot->place = (struct ipckit_place){
			.major = map->major,
			.minor = map->minor,
			.inode = map->inode,
			.offset = map->offset + (spot->address - map->start),
			.sysv = segment,
		};
	}
	return r;
}

static int visit_map(const struct proc_map *map, void *arg)
{
	struct search *search = arg;
	size_t first = first_from(search, map->start), end = first;
	int r = 0;

	while (end < search->count && search->spots[end]->address < map->end)
		end++;
	if (first < end)
		r = place_in(search, map, first, end);
	search->found += end - first;
	/* Threads have a mapping each, and more: not all of these are looked at for nothing. */
	return r ? r : search->found >= search->count;
}

int spots_find(int dirfd, struct ipckit_spot **spots, size_t count, struct spots_kept *kept)
{
	struct search search = { .spots = spots, .count = count, .kept = kept };
	int r;

	qsort(spots, count, sizeof(*spots), by_address);
	r = proc_maps_walk(dirfd, visit_map, NULL, &search);
	return r > 0 ? 0 : r;
}

void spots_read(int memory, struct ipckit_spot *const *spots, size_t count)
{
	uint32_t value;

	for (size_t i = 0; i < count; i++) {
		if (i && spots[i]->address == spots[i - 1]->address)
			spots[i]->value = spots[i - 1]->value;
		else if (!proc_memory_read(memory, spots[i]->address, &value, sizeof(value)))
			spots[i]->value = ipckit_known(value);
	}
}
