/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SYSV_H
#define LIB_SYSV_H

/* What the System V backends have alike. */

#include <ipckit/name.h>
#include <sys/types.h>

/* The identifier behind a name; that of an id: name is not looked at. get: of what exists under a key, as
 * semget(2), msgget(2), shmget(2), or -errno. */
IPCKIT_CHECK int sysv_find(const struct ipckit_name *name, int (*get)(key_t key), int *id);

/*
 * Looks at an object that may not be read, by its place in the kernel's table. at: the ..._STAT_ANY of a
 * place, which returns the identifier of what is there, or -errno. -EACCES where it is not found, or before
 * Linux 4.17.
 */
IPCKIT_CHECK int sysv_stat_any(int id, int (*at)(int place, void *ds), void *ds);

/* "id:7", freed by the caller; NULL without memory. */
char *sysv_name(int64_t id);

#endif
