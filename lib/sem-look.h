/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SEM_LOOK_H
#define LIB_SEM_LOOK_H

/* What sem-look.c and sem-look-sysv.c share. */

#include <ipckit/sem.h>

/* Fills a snapshot of a System V set, but its name. */
IPCKIT_CHECK int sem_look_at_set(const struct ipckit_name *name, struct ipckit_sem_info *info);

/* Adds all sets; that /proc/sysvipc/sem cannot be read is noted in the list. */
IPCKIT_CHECK int sem_list_sets(struct ipckit_sem_list *list);

/* Fills in_use of a POSIX semaphore; the reader itself must not have it open. */
void sem_ask_in_use(struct ipckit_sem_info *info);

/* Appends a snapshot, which then belongs to the list. */
IPCKIT_CHECK int sem_list_add(struct ipckit_sem_list *list, const struct ipckit_sem_info *info);

#endif
