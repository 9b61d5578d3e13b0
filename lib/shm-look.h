/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SHM_LOOK_H
#define LIB_SHM_LOOK_H

/* What the files that look at segments share. */

#include "shm-device.h"

#include <ipckit/shm.h>

/* ---- shm-look.c ---- */

/* Appends a snapshot, which then belongs to the list. */
IPCKIT_CHECK int shm_list_add(struct ipckit_shm_list *list, const struct ipckit_shm_info *info);

/* ---- shm-look-posix.c ---- */

/* Fills a snapshot of a POSIX segment, but its name. */
IPCKIT_CHECK int shm_look_at_posix(const struct ipckit_name *name, struct ipckit_shm_info *info);

/* Adds all POSIX segments; that /dev/shm cannot be read is noted in the list. */
IPCKIT_CHECK int shm_list_posix(struct ipckit_shm_list *list);

/* Fills in_use; the caller must not have the segment open. */
void shm_ask_in_use(struct ipckit_shm_info *info);

/* ---- shm-look-sysv.c ---- */

/* Fills a snapshot of a System V segment, but its name and hugetlb; gives it its name. whole: with
 * what is in memory, for which the kernel's table of all is read. */
IPCKIT_CHECK int shm_look_at_sysv(const struct ipckit_name *name, bool whole, struct ipckit_shm_info *info);
IPCKIT_CHECK int shm_name_sysv(struct ipckit_shm_info *info);

/* Adds all of System V; that /proc/sysvipc/shm cannot be read is noted in the list. */
IPCKIT_CHECK int shm_list_sysv(struct ipckit_shm_list *list);

/* The newest of a segment's times; unknown where one of them is. */
struct ipckit_maybe shm_last_use(const struct ipckit_shm_info *info);

/* ---- shm-huge.c: what tells whether a System V segment is of huge pages, and how many it has ---- */

struct shm_pages {
	uint64_t page;            /* bytes of an ordinary page, */
	uint64_t folio;           /* of the largest that the kernel makes of these by itself; 0: not known */
	struct ipckit_maybe pool; /* and of all huge pages that there are now */
	struct shm_devices devices; /* none: could not be found out */
};

/* Reads what the machine has. root: of /proc, or less than 0. */
IPCKIT_CHECK int shm_pages_read(int root, struct shm_pages *out);

/*
 * Fills hugetlb, and mends rss: of huge pages kernels from 6.7 on tell it multiplied by the ordinary pages
 * of one.
 * seen: the size of the pages that a mapping of it has, 0 where none was seen. Pure.
 */
void shm_tell_huge(const struct shm_pages *pages, uint64_t seen, struct ipckit_shm_info *info);

#endif
