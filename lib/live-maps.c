/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-maps.h"
#include "array.h"
#include "live-open.h"
#include "sys.h"

#include <linux/kcmp.h>
#include <string.h>
#include <sys/sysmacros.h>

void live_maps_begin(struct live_scan *scan, struct live_maps *maps)
{
	*maps = (struct live_maps){ .scan = scan, .process = IPCKIT_NONE };
}

void live_maps_end(struct live_maps *maps)
{
	free(maps->list);
	free(maps->paths);
	free(maps->mappers);
	*maps = (struct live_maps){ .process = IPCKIT_NONE };
}

bool live_file_is(const struct live_file *one, const struct live_file *other)
{
	return one->inode == other->inode && one->device == other->device && one->sysv == other->sysv;
}

/* ---- one process ---- */

static int read_file(struct live_maps *maps, const struct proc_map *map, struct live_file *out)
{
	*out = (struct live_file){ .device = makedev(map->major, map->minor), .inode = map->inode };
	return sys_own_trouble(shm_devices_have(&maps->devices, map, &out->sysv));
}

static bool is_of_file(const struct live_file *file)
{
	return file->inode || file->sysv;
}

/* Mappings of one file follow each other. */
static int keep_path(struct live_maps *maps, const char *path, uint32_t *out)
{
	size_t length = strlen(path) + 1, room = maps->room ?: 4096;
	char *larger;

	if (maps->count && !strcmp(maps->paths + maps->list[maps->count - 1].path, path)) {
		*out = maps->list[maps->count - 1].path;
		return 0;
	}
	while (room < maps->size + length)
		room *= 2;
	if (room > UINT32_MAX)
		return -ENOMEM;
	if (room > maps->room) {
		larger = realloc(maps->paths, room);
		if (!larger)
			return -ENOMEM;
		maps->paths = larger;
		maps->room = room;
	}
	memcpy(maps->paths + maps->size, path, length);
	*out = (uint32_t)maps->size;
	maps->size += length;
	return 0;
}

static int visit_map(const struct proc_map *found, void *arg)
{
	struct live_maps *maps = arg;
	struct live_map *larger = array_room(maps->list, maps->count, sizeof(*larger));
	struct live_map map = {
		.start = found->start,
		.end = found->end,
		.offset = found->offset,
		.shared = found->shared,
		.writable = found->writable,
	};
	int r;

	if (!larger)
		return -ENOMEM;
	maps->list = larger;
	r = read_file(maps, found, &map.file);
	if (!r)
		r = keep_path(maps, found->path, &map.path);
	if (!r)
		larger[maps->count++] = map;
	return r;
}

int live_maps_read(struct live_maps *maps, uint32_t process)
{
	int dirfd, r;

	if (maps->process == process)
		return 0;
	dirfd = live_directory(maps->scan, process);
	maps->process = process;
	maps->size = 0;
	maps->count = 0;
	r = dirfd < 0 ? dirfd : proc_maps_walk(dirfd, visit_map, NULL, maps);
	/* Half of them would be worse than none. */
	if (r)
		maps->count = 0;
	return sys_own_trouble(r);
}

int live_maps_find(struct live_maps *maps, uint32_t process, uint64_t address, const struct live_map **out)
{
	size_t low = 0, high;
	int r = live_maps_read(maps, process);

	*out = NULL;
	high = maps->count;
	while (!r && low < high) {
		size_t middle = low + (high - low) / 2;
		const struct live_map *map = &maps->list[middle];

		if (map->end <= address) {
			low = middle + 1;
		} else if (map->start > address) {
			high = middle;
		} else {
			*out = map;
			break;
		}
	}
	return r;
}

/* ---- all processes ---- */

static int by_file(const struct live_file *x, const struct live_file *y)
{
	return array_order(x->inode, y->inode) ?: array_order(x->device, y->device) ?: array_order(x->sysv, y->sysv);
}

static int by_mapper(const void *a, const void *b)
{
	const struct live_mapper *x = a, *y = b;

	return by_file(&x->file, &y->file) ?: array_order(x->process, y->process);
}

struct gathering {
	struct live_maps *maps;
	uint32_t process;
};

/* Libraries are mapped in several parts, one after the other. */
static int visit_mapper(const struct proc_map *map, void *arg)
{
	struct gathering *gathering = arg;
	struct live_maps *maps = gathering->maps;
	struct live_mapper mapper = { .process = gathering->process }, *larger, *last;
	int r = read_file(maps, map, &mapper.file);

	if (r || !is_of_file(&mapper.file))
		return r;
	last = maps->nmappers ? &maps->mappers[maps->nmappers - 1] : NULL;
	if (last && !by_mapper(last, &mapper))
		return 0;
	larger = array_room(maps->mappers, maps->nmappers, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	maps->mappers = larger;
	larger[maps->nmappers++] = mapper;
	return 0;
}

static void sort_mappers(struct live_maps *maps)
{
	size_t kept = 0;

	if (!maps->nmappers)
		return;
	qsort(maps->mappers, maps->nmappers, sizeof(*maps->mappers), by_mapper);
	for (size_t i = 0; i < maps->nmappers; i++)
		if (!kept || by_mapper(&maps->mappers[kept - 1], &maps->mappers[i]))
			maps->mappers[kept++] = maps->mappers[i];
	maps->nmappers = kept;
}

static int read_all(struct live_maps *maps)
{
	const struct live_scan *scan = maps->scan;
	int r = 0;

	for (uint32_t p = 0; !r && p < scan->nprocesses; p++) {
		struct gathering gathering = { maps, p };
		int dirfd;

		if (!scan->processes[p].nthreads)
			continue;
		dirfd = live_directory(maps->scan, p);
		r = sys_own_trouble(dirfd < 0 ? dirfd : proc_maps_walk(dirfd, visit_mapper, NULL, &gathering));
	}
	if (r)
		return r;
	sort_mappers(maps);
	maps->all = true;
	return 0;
}

int live_maps_who(struct live_maps *maps, const struct live_file *file, const struct live_mapper **out,
		  size_t *count)
{
	size_t low = 0, high, end;
	int r = maps->all ? 0 : read_all(maps);

	*out = NULL;
	*count = 0;
	if (r)
		return r;
	for (high = maps->nmappers; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (by_file(&maps->mappers[middle].file, file) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < maps->nmappers && !by_file(&maps->mappers[end].file, file); end++)
		;
	*out = maps->mappers + low;
	*count = end - low;
	return 0;
}

/* ---- one memory of several processes ---- */

int live_maps_compare(const struct live_scan *scan, uint32_t one, uint32_t other)
{
	if (!scan->real)
		return 1;
	return sys_kcmp(scan->processes[one].pid, scan->processes[other].pid, KCMP_VM);
}

struct comparing {
	const struct live_scan *scan;
	bool failed; /* a process has ended: the order is none */
};

static int by_memory(const void *a, const void *b, void *arg)
{
	struct comparing *comparing = arg;
	int r = live_maps_compare(comparing->scan, *(const uint32_t *)a, *(const uint32_t *)b);

	comparing->failed = comparing->failed || r < 0;
	return r == 1 ? -1 : r == 2;
}

/* Those of the same memory follow each other; where there is no order each is compared with each. */
static void note_shared(struct live_scan *scan, uint32_t *list, size_t count)
{
	struct comparing comparing = { .scan = scan };

	qsort_r(list, count, sizeof(*list), by_memory, &comparing);
	for (size_t i = 0; i < count; i++) {
		size_t last = comparing.failed ? count : i + 2;

		for (size_t j = i + 1; j < last && j < count; j++)
			if (live_maps_compare(scan, list[i], list[j]) == 0)
				scan->shared[list[i]] = scan->shared[list[j]] = true;
	}
}

static int find_shared(struct live_scan *scan)
{
	uint32_t *list = array_of(scan->nprocesses, sizeof(*list));
	size_t count = 0;

	scan->shared = calloc(scan->nprocesses + 1, sizeof(*scan->shared));
	if (!list || !scan->shared) {
		free(list);
		return -ENOMEM;
	}
	/* Those that may not be looked at may not be compared either. */
	for (uint32_t p = 0; scan->real && p < scan->nprocesses; p++)
		if (scan->processes[p].nthreads && !scan->processes[p].hidden)
			list[count++] = p;
	note_shared(scan, list, count);
	free(list);
	return 0;
}

int live_maps_are_shared(struct live_scan *scan, uint32_t process, bool *out)
{
	int r = scan->shared ? 0 : find_shared(scan);

	*out = !r && scan->shared[process];
	return r;
}
