/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_HOLD_WORD_H
#define LIB_HOLD_WORD_H

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

/* Longer than any that is written. */
#define HOLD_WORD_ROOM 64

/* The kernel identity of a semaphore that is a word in a file, as in ipckit_hold.at. Returns as snprintf(3). */
static inline int hold_word(char *text, size_t size, uint64_t device, uint64_t inode, uint64_t offset)
{
	return snprintf(text, size, "posix:%" PRIx64 ":%" PRIx64 ":%" PRIx64, device, inode, offset);
}

#endif
