/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_WAITERS_WALK_H
#define LIB_WAITERS_WALK_H

/* Parts of waiters.c and robust-list.c that work on whatever tree and memory they are given. */

#include <ipckit/waiters.h>

/*
 * Lists who sleeps; root: a directory descriptor of /proc. place: of the word, or NULL; pid: or 0.
 * other_pids is left alone. Otherwise as ipckit_waiters_list().
 */
IPCKIT_CHECK int waiters_look(int root, const struct ipckit_place *place, pid_t pid, struct ipckit_waiters *out);

/*
 * Follows a robust list, whatever is in there. memory: of the process (proc_memory_open()); out: head is set, the
 * rest gets filled, but for places and paths. -ENOMEM.
 */
IPCKIT_CHECK int robust_follow(int memory, struct ipckit_robust *out);

/* Whether the words of a process have the size that long has here, by its auxiliary vector (/proc/PID/auxv). Pure. */
bool robust_is_native(const void *auxv, size_t size);

#endif
