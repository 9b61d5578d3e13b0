/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SEM_USERS_H
#define LIB_SEM_USERS_H

/* Who uses semaphores, found by one walk over /proc. */

#include <ipckit/sem.h>

/*
 * Fills holders, waiting, users, waiters and unreadable_processes of snapshots.
 *
 * root: a directory descriptor of /proc. infos: backend, and what identifies them:
 * device, inode and offset; of a System V set id, nsems, semaphores, otime and
 * ctime; of an eventfd id (its eventfd-id), and device and inode of the descriptor.
 * The reader itself (root/self) is passed over. Does not block.
 * Errors: -ENOMEM, or that root cannot be read; what was filled then is to be freed.
 */
IPCKIT_CHECK int sem_users_fill(int root, struct ipckit_sem_info *infos, size_t count);

/*
 * The number of threads that are blocked on the semaphore at an offset of a file. A process that
 * has it mapped and may not be looked at counts as one. Returns -errno where /proc cannot be read.
 */
IPCKIT_CHECK int sem_users_blocked(uint64_t device, uint64_t inode, uint64_t offset);

/* Frees the lists that sem_users_fill() filled. */
void sem_users_clear(struct ipckit_sem_info *info);

/* Notes why a part of a snapshot is unknown, once for each key. */
void sem_note_gap(struct ipckit_sem_info *info, const char *key, int error);

#endif
