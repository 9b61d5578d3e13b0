/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SPOTS_H
#define LIB_SPOTS_H

/* Where addresses of a process lie, and what stands there. */

#include "shm-device.h"

#include <ipckit/waiters.h>

/* What one search leaves to the next. */
struct spots_kept {
	struct ipckit_texts *texts; /* where paths go */
	struct shm_devices devices; /* found out when something looks like a System V segment */
};

/* Takes a text into a list of them, which frees it, also where that fails. NULL is nothing. */
IPCKIT_CHECK int texts_take(struct ipckit_texts *texts, char *text);
void texts_free(struct ipckit_texts *texts);

/*
 * Finds where addresses lie: shared, place and path. spots: each has its address; put in order of these.
 * dirfd: of the process. Errors: -ENOMEM, -EMFILE, -ENFILE, -errno of reading its maps.
 */
IPCKIT_CHECK int spots_find(int dirfd, struct ipckit_spot **spots, size_t count, struct spots_kept *kept);

/* Reads their values, from the memory of the process (proc_memory_open()); unknown where nothing is there. */
void spots_read(int memory, struct ipckit_spot *const *spots, size_t count);

#endif
