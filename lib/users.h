/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_USERS_H
#define LIB_USERS_H

/* Who uses IPC objects of any kind, found by one walk over /proc. */

#include <ipckit/process.h>

enum watched_kind {
	WATCHED_WORD,     /* a futex word in a file, by device, inode, offset, length: POSIX semaphores */
	WATCHED_EVENTFD,  /* by device, inode of all eventfds, and id (eventfd-id) */
	WATCHED_SEM_SET,  /* System V semaphores, by id */
	WATCHED_MQUEUE,   /* a POSIX queue, by device and inode */
	WATCHED_MSG_QUEUE, /* a System V queue, by id */
	WATCHED_FILE,      /* a file of shared memory, mapped in any way or open, by device and inode */
	WATCHED_SEGMENT,   /* a System V segment, by id */
};

struct ipckit_sem_info;
struct shm_devices;

/* An object to be watched for, and where what is found of it goes. */
struct watched {
	enum watched_kind kind;
	uint64_t device, inode, offset, length; /* offset + length: below 2^63 */
	int64_t id; /* less than 0: not known */

	/* Objects of System V: those that the kernel names as their last users (0 and less: none), and
	 * the time of the last use, if known: a process that started later only got the pid. */
	const pid_t *last_pids;
	size_t nlast_pids;
	struct ipckit_maybe last_use;

	/* The kernel's or libc's own count of threads that wait; never too low where known. Of System V it is
	 * taken for the waiters where fewer were found; elsewhere it can be too high, and only tells whether
	 * some may be missing. */
	struct ipckit_maybe told_waiters;

	/* A set's values, from which the blocking operation of a vector is told. NULL elsewhere. */
	const struct ipckit_sem_info *set;

	/* Segments: the file systems that they lie in, the same for all (see shm-device.h); the kernel's count of
	 * their mappings, of which parts that were cut off by mprotect(2) are some, too. */
	const struct shm_devices *devices;
	struct ipckit_maybe nattch;

	/* What was found of a segment: its mappings, those of the same id in processes of other IPC namespaces, and
	 * the size of its pages (0: not seen). */
	int64_t mapped, foreign;
	uint64_t page_size;
	bool foreign_too; /* the foreign ones are of this segment */

	struct ipckit_usage *usage; /* to be filled */
	struct ipckit_gaps *gaps;   /* why parts of it are unknown */
};

/*
 * Fills the usage of objects.
 *
 * root: a directory descriptor of /proc. The reader itself (root/self) is passed over. Does not block.
 * Errors: -ENOMEM, -EMFILE, -ENFILE, or that root cannot be read; what was filled then is to be freed.
 */
IPCKIT_CHECK int users_fill(int root, struct watched *watched, size_t count);

/* The same over /proc itself. Without it the objects are still there, and their users unknown, which the
 * gaps say: only want of resources is an error. */
IPCKIT_CHECK int users_look(struct watched *watched, size_t count);

/* Frees the lists of a usage. */
void usage_clear(struct ipckit_usage *usage);

/* Notes why a part of a snapshot is unknown, once for each key. */
void gaps_note(struct ipckit_gaps *gaps, const char *key, int error);

#endif
