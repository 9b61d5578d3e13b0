/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SEM_USERS_H
#define LIB_SEM_USERS_H

/* Who uses semaphores. */

#include "users.h"

#include <ipckit/sem.h>

/*
 * What is to be watched for of semaphores, one for each.
 *
 * infos: backend, and what identifies them: device, inode and offset; of a System V
 * set id, nsems, semaphores, otime and ctime; of an eventfd id (its eventfd-id), and
 * device and inode of the descriptor. They have to stay where they are: their usage and
 * gaps are to be filled. out: freed by free(3). Errors: -ENOMEM.
 */
IPCKIT_CHECK int sem_users_watch(struct ipckit_sem_info *infos, size_t count, struct watched **out);

/* users_look() for semaphores. */
IPCKIT_CHECK int sem_users_look(struct ipckit_sem_info *infos, size_t count);

/*
 * The number of threads that are blocked on the semaphore at an offset of a file. A process that
 * has it mapped and may not be looked at counts as one. Returns -errno where /proc cannot be read.
 */
IPCKIT_CHECK int sem_users_blocked(uint64_t device, uint64_t inode, uint64_t offset);

#endif
