/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SHM_DEVICE_H
#define LIB_SHM_DEVICE_H

/*
 * The file systems that the kernel keeps for itself: a System V segment is a file of one of them, with its
 * identifier for an inode number. So are memfds and shared anonymous memory, under other names.
 */

#include "proc.h"

#define SHM_DEVICES 8

struct shm_device {
	uint64_t device, page_size;
};

struct shm_devices {
	struct shm_device list[SHM_DEVICES]; /* the first is of ordinary pages, the others of huge ones */
	size_t count;
	bool no_huge; /* the kernel has no huge pages to give, of whatever size */
};

/* Finds them out by memfds. Errors: what memfd_create(2) says. */
IPCKIT_CHECK int shm_devices_find(struct shm_devices *out);

/*
 * Whether a mapping is of a System V segment. devices: zeroed before the first call; they are found out when something
 * looks like one. Errors: as above.
 */
IPCKIT_CHECK int shm_devices_have(struct shm_devices *devices, const struct proc_map *map, bool *out);

/* The file system of a mapping, where that is one of a System V segment; else NULL. Pure. */
const struct shm_device *shm_device_of(const struct shm_devices *devices, const struct proc_map *map);

#endif
