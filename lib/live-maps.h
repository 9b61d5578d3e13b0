/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_LIVE_MAPS_H
#define LIB_LIVE_MAPS_H

/*
 * What processes have mapped: what lies at an address of one, and which have a file mapped. Read when it is first
 * asked for, once a scan.
 */

#include "live.h"
#include "shm-device.h"

/* Where memory comes from: files with the same numbers are one. */
struct live_file {
	uint64_t device, inode; /* inode 0: of no file, unless it is a System V segment */
	bool sysv;              /* inode: its identifier */
};

struct live_map {
	uint64_t start, end, offset;
	struct live_file file;
	bool shared, writable;
	uint32_t path; /* for live_maps_path() */
};

struct live_mapper {
	struct live_file file;
	uint32_t process;
};

struct live_maps {
	struct live_scan *scan;
	struct shm_devices devices;
	/* Of the process that was asked for last. */
	uint32_t process; /* IPCKIT_NONE: none */
	struct live_map *list;
	size_t count;
	char *paths;
	size_t size, room;
	/* Of all. */
	bool all;
	struct live_mapper *mappers; /* by file, process; each once */
	size_t nmappers;
};

void live_maps_begin(struct live_scan *scan, struct live_maps *maps);
void live_maps_end(struct live_maps *maps);

/* The mappings of a process, by address: maps->list, good until those of another are read; none where they may not
 * be read. Errors: -ENOMEM, -EMFILE, -ENFILE. */
IPCKIT_CHECK int live_maps_read(struct live_maps *maps, uint32_t process);

/* That of an address. *out: NULL where there is none. Errors: as above. */
IPCKIT_CHECK int live_maps_find(struct live_maps *maps, uint32_t process, uint64_t address,
				const struct live_map **out);

/* The path as /proc shows it, a newline as "\012"; "" where there is none. */
static inline const char *live_maps_path(const struct live_maps *maps, const struct live_map *map)
{
	return maps->paths + map->path;
}

bool live_file_is(const struct live_file *one, const struct live_file *other);

/* Who has a file mapped in any way: *out: the first of them, by process. Returns in *count how many. Whose mappings
 * may not be read is in no set, see live_is_partial(). Errors: as above. */
IPCKIT_CHECK int live_maps_who(struct live_maps *maps, const struct live_file *file, const struct live_mapper **out,
			       size_t *count);

/* Whether two processes have one memory: 0: they have; 1, 2; -errno: that is not told. Those of a tree have not. */
IPCKIT_CHECK int live_maps_compare(const struct live_scan *scan, uint32_t one, uint32_t other);

/* Whether another process is known to have the memory of one: its threads can do all that those of this can. Returns 0
 * or -ENOMEM. */
IPCKIT_CHECK int live_maps_are_shared(struct live_scan *scan, uint32_t process, bool *out);

#endif
