/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SEM_IMAGE_H
#define LIB_SEM_IMAGE_H

/* libc's sem_t as it is stored in a file, read without being used as one. Pure. */

#include <ipckit/base.h>

struct sem_image {
	unsigned value;
	unsigned waiters; /* libc's own count; too high after a waiter was killed */
	bool whole;       /* what libc leaves unused is zero, as in a file made by sem_open(3) */
};

/*
 * Reads a stored semaphore.
 *
 * libc does not tell its layout, so it is taken from two semaphores that
 * sem_init(3) makes: what differs between them is the value, what is neither zero
 * nor different marks a process-shared one and has to be there.
 *
 * size: sizeof(sem_t), nothing else is a semaphore. Returns 0, or -EBADMSG.
 */
IPCKIT_CHECK int sem_image_read(const void *bytes, size_t size, struct sem_image *out);

#endif
