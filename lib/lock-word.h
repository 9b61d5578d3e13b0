/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_LOCK_WORD_H
#define LIB_LOCK_WORD_H

/* The lock of three states (include/ipckit/lock.h), from within. */

#include <ipckit/lock.h>

enum lock_word { LOCK_WORD_FREE, LOCK_WORD_HELD, LOCK_WORD_WAITED_FOR };

/* As ipckit_lock_take(). as: what a free word becomes; LOCK_WORD_WAITED_FOR where others may sleep on it. */
IPCKIT_CHECK int lock_word_take(uint32_t *word, enum lock_word as, const struct ipckit_deadline *deadline);

#endif
