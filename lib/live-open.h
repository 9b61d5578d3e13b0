/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_LIVE_OPEN_H
#define LIB_LIVE_OPEN_H

/*
 * Who has what open. The descriptors of all processes are read once a scan, when they are first asked for.
 *
 * live-open.c reads them, live-ends.c makes edges of them, live-transfer.c tells through which one a thread
 * transfers, live-peer.c who has the other side of a socket.
 */

#include "channel-socket.h"
#include "live.h"

enum live_class {
	LIVE_OTHER, /* anything else */
	LIVE_PIPE, LIVE_FIFO, LIVE_SOCKET, LIVE_EVENTFD, LIVE_EPOLL, LIVE_PIDFD, LIVE_RING,
	LIVE_FILE,  /* a regular one: POSIX queues are such */
};

/* A descriptor. */
struct live_end {
	enum live_class class;
	uint64_t device;    /* 0 but of FIFOs and files */
	uint64_t inode;     /* of an eventfd its id, 0: not read yet; of epolls and pidfds 0 */
	uint32_t process;   /* IPCKIT_NONE: of one that the snapshot has missed */
	pid_t pid;
	int fd;
	bool reads, writes;
	bool named;         /* a FIFO or file that still has a name */
	const char *path;   /* of a FIFO or file, of the scan's texts; else NULL */
};

struct live_opens {
	struct live_end *ends;        /* by class, device, inode, pid, fd */
	size_t nends;
	bool walked;                  /* all but files have been */
	uint64_t *devices;            /* whose files have been, too */
	size_t ndevices;
	struct live_end last;         /* that was looked at alone */
	bool looked;                  /* one was */
	bool refused;                 /* those of some processes may not be looked at */
	bool ids;                     /* of eventfds have been read */
	struct ipckit_maybe flying;   /* descriptors that are on their way through some socket */
	struct ipckit_maybe apart;    /* threads with descriptors of their own */
	struct channel_sockets sockets;
	bool has_sockets;
};

void live_opens_free(struct live_opens *opens);

/* One descriptor of a process, now. LIVE_OTHER where it may not be had, or is gone. Errors: -ENOMEM, -EMFILE,
 * -ENFILE. */
IPCKIT_CHECK int live_open_look(struct live_scan *scan, uint32_t process, int fd, struct live_end *out);

/* All of the same thing: pipes, FIFOs, sockets, eventfds and files; of epolls all that there are. Errors as
 * above. */
IPCKIT_CHECK int live_open_find(struct live_scan *scan, const struct live_end *of, const struct live_end **first,
				size_t *count);

/* Whether others may have things open that are not seen: 1, 0, or errors as above. */
IPCKIT_CHECK int live_open_is_partial(struct live_scan *scan);

/* ---- live-ends.c: those who can end a wait ---- */

/* Processes, any of which can. */
struct live_set {
	uint32_t *processes;
	size_t count;
	bool endless;  /* somebody can of whom nothing is known: the wait is no edge */
	bool shared;   /* others may be in it who are not seen */
	bool unstable; /* so may the kernel: no more than INFERRED */
};
IPCKIT_CHECK int live_set_add(struct live_set *set, uint32_t process);
/* Those who have the same thing open, in one of these ways; both: in any. */
IPCKIT_CHECK int live_set_add_ends(struct live_scan *scan, struct live_set *set, const struct live_end *of,
				   bool reads, bool writes);
/* Those who can make a descriptor ready, for reading or writing, or end the wait for that. */
IPCKIT_CHECK int live_set_add_ready(struct live_scan *scan, struct live_set *set, uint32_t thread,
				    const struct live_end *end, bool reading, bool writing);
void live_set_free(struct live_set *set);

/* What a descriptor is called: "pipe:[47]", "FIFO /run/in", "socket:[11]"; NULL: no memory. */
const char *live_open_name(struct live_scan *scan, const struct live_end *end);

/* Adds the edge to a set, unless that is endless or empty. */
IPCKIT_CHECK int live_wait_for(struct live_scan *scan, uint32_t thread, const struct live_how *how,
			       const struct live_set *set);
/* The same of a descriptor, whose name becomes the resource. */
IPCKIT_CHECK int live_wait_at(struct live_scan *scan, uint32_t thread, struct live_how *how, const struct live_end *end,
			      const struct live_set *set);

/* ---- live-transfer.c ---- */

/*
 * Whether a thread sleeps in a function of the kernel whose name has one of these words in it (the last one is
 * NULL): 1; 0: it does not, or is stopped; -ENOMEM, -EMFILE, -ENFILE. Where names are not told: whether it sleeps
 * at all, unless it is to be sure.
 */
IPCKIT_CHECK int live_sleeps_in(struct live_scan *scan, uint32_t thread, const char *const *words, bool surely);

/* The edges of a thread that reads or writes, by what it does that through; errors as above. */
IPCKIT_CHECK int live_wait_pipe(struct live_scan *scan, uint32_t thread, const struct live_end *end, bool writes);
IPCKIT_CHECK int live_wait_socket(struct live_scan *scan, uint32_t thread, const struct live_end *end, bool writes);

/* ---- live-peer.c ---- */

/* The socket of a descriptor; NULL where it is none that is known here. */
IPCKIT_CHECK int live_socket_of(struct live_scan *scan, uint64_t inode, const struct channel_socket **out);
/* Adds to a set who can make a socket ready, or shut it down. */
IPCKIT_CHECK int live_set_add_peers(struct live_scan *scan, struct live_set *set, uint32_t thread,
				    const struct live_end *end, bool reading, bool writing);

#endif
