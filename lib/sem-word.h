/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SEM_WORD_H
#define LIB_SEM_WORD_H

/* sem-word.c: libc's sem_t at a place in a mapped file, named or not. */

#include "sem-backend.h"

#include <sys/stat.h>

/* Maps the word at an offset of sem->fd, whose size st tells; fills map, word and identity.
 * -EFBIG beyond the end, -EBADMSG where no semaphore stands there. */
int sem_word_map(struct ipckit_sem *sem, const struct stat *st, uint64_t offset);

int sem_word_take(struct ipckit_sem *sem, unsigned count, unsigned flags, const struct ipckit_deadline *deadline);
int sem_word_give(struct ipckit_sem *sem, unsigned count, unsigned flags);
int sem_word_give_max(struct ipckit_sem *sem, unsigned count, unsigned max);
int sem_word_value(struct ipckit_sem *sem, int64_t *out);
int sem_word_set(struct ipckit_sem *sem, int64_t value, bool force);
int sem_word_values(struct ipckit_sem *sem, unsigned *values);
int sem_word_set_values(struct ipckit_sem *sem, const unsigned *values);

#endif
