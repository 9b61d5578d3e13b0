/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_CHANNEL_WALK_H
#define LIB_CHANNEL_WALK_H

/* Which processes have which ends of pipes, FIFOs and sockets, and which threads sleep on them, by one walk over
 * /proc. */

#include <ipckit/channel.h>

enum channel_class { CHANNEL_PIPE, CHANNEL_FIFO, CHANNEL_SOCKET };
#define CHANNEL_CLASS(class) (1u << (class))

struct channel_end {
	enum channel_class class;
	uint64_t device, inode; /* device: 0 but of FIFOs */
	size_t process;         /* index */
	int fd;                 /* -1: a thread is opening it */
	bool reads, writes;
	char *path;             /* of a FIFO, as the process sees it; owned */
	pid_t tid;              /* that sleeps in a call on it, 0: none */
	const char *call;       /* static */
};

struct channel_process {
	pid_t pid;
	struct ipckit_maybe uid;
	char *command;
	bool opaque; /* what its threads do cannot be seen */
};

struct channel_walk {
	unsigned classes; /* that are looked for, bits */
	pid_t self;       /* which is passed over; 0: nobody is */
	struct channel_end *ends; /* by process and fd; after channel_walk(): by identity, pid, fd */
	size_t nends;
	struct channel_process *processes; /* that have such ends */
	size_t nprocesses;
	int64_t unreadable; /* processes whose descriptors may not be looked at */
	int64_t opening;    /* others, of which it cannot be seen whether they are opening a FIFO */
	bool hides;         /* there are processes that /proc leaves out */
	bool opaque;        /* what the threads of the process under view do may not be read */
};

/* root: a directory descriptor of /proc. walk: freed by the caller in either case. */
IPCKIT_CHECK int channel_walk(int root, unsigned classes, bool with_self, struct channel_walk *walk);
void channel_walk_free(struct channel_walk *walk);

/* The ends of one channel, in the order of pids; how many. */
size_t channel_walk_find(const struct channel_walk *walk, enum channel_class class, uint64_t device, uint64_t inode,
			 const struct channel_end **first);

/* What a link of /proc/PID/fd names: pipe:[N] or socket:[N]. */
bool channel_link(const char *target, enum channel_class *class, uint64_t *inode);
/* Whether a descriptor, by its link, reads and writes. */
bool channel_access(int dir, const char *name, bool *reads, bool *writes);

/* An order of ends, as for qsort(3). */
int channel_by_fd(const void *a, const void *b);

/* Appends one; takes its path over, and frees that where there is no memory. */
IPCKIT_CHECK int channel_walk_add(struct channel_walk *walk, const struct channel_end *end);

/*
 * channel-blocked.c: finds the threads of the process under view that sleep on one of its ends, which lie from `first`
 * on, sorted by fd; or in open(2) of a FIFO, which is appended. dirfd: the process.
 */
IPCKIT_CHECK int channel_note_blocked(struct channel_walk *walk, int dirfd, size_t first);

#endif
