/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMTOOL_STREAM_H
#define SHMTOOL_STREAM_H

/* What send and recv share: a segment as a ring, joined as one of its ends. */

#include "shmtool.h"

#include <ipckit/ring.h>

/* POPT_ARG_INCLUDE_TABLE of: --size, --mode, --timeout. */
extern const struct poptOption stream_options[];

struct stream {
	struct cli *cli;
	const char *object;
	enum ipckit_shm_backend backend;
	enum ipckit_ring_side side;
	struct ipckit_name name;
	struct ipckit_shm *shm;
	struct ipckit_ring *ring;
	void *memory;
	size_t size;
	bool lost;       /* the memory has gone: it is not touched again */
	size_t chunk;    /* bytes that are moved at once, at most */
	int64_t timeout; /* ns */
	struct cli_progress progress;
};

/*
 * Opens the verb's operand, or makes it where --size tells how large, and joins it. Waits until then.
 *
 * total: the bytes of the stream, for the progress line. Returns 0, or the exit status of what was reported,
 * with nothing to close.
 */
int stream_open(struct cli *cli, enum ipckit_ring_side side, struct ipckit_maybe total, struct stream *out);

/*
 * As ipckit_ring_wait(), for a chunk at most. wait: up to --timeout, else only a look. Where the
 * other side is not there, and cannot come: -EIDRM, the segment was removed; -EBADMSG, it was resized.
 */
int stream_wait(struct stream *stream, bool wait, struct iovec parts[2]);

/* As ipckit_ring_pass(). */
void stream_pass(struct stream *stream, size_t size);

/*
 * Looks at the other side without waiting: 0 where it is there, or may still come, else what stream_wait()
 * says.
 */
int stream_look(struct stream *stream);

/* Waits until a descriptor is ready; an error of it is the next call's. Looks at the other side now and
 * then, and returns what stream_look() says where it is not to be waited for any longer. */
int stream_await(struct stream *stream, int fd, short events);

/* Reports what stream_wait() said. Returns the exit status. */
int stream_fail(struct stream *stream, int error);

/* Leaves, whole as for ipckit_ring_leave(), and closes. Ends the progress line, too. */
void stream_close(struct stream *stream, bool whole);

#endif
