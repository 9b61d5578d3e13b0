/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PIPECAT_LINES_H
#define PIPECAT_LINES_H

/* Lines of an input, each with its newline, as soon as they are whole. */

#include <ipckit/deadline.h>

/* Of a longer line the parts are given as they come. */
#define LINES_ROOM ((size_t)1 << 20)

struct lines {
	int fd;
	char *buffer;
	size_t next, end; /* what is unread lies from next to end */
	size_t searched;  /* bytes of it without a newline */
	bool inside;      /* what was passed ends in the middle of a line */
	bool ended;
	uint64_t read;
	uint64_t passed;  /* whole lines */
};

/* fd: stays the caller's. 0 or -ENOMEM. */
IPCKIT_CHECK int lines_open(int fd, struct lines *out);
void lines_close(struct lines *lines);

/* How a descriptor is waited for. */
struct lines_wait {
	int64_t idle; /* ns at most, 0: not at all */
	const volatile sig_atomic_t *stop; /* as in struct ipckit_deadline */
	int sink; /* is looked at meanwhile: -EPIPE when nobody reads from it any more */
};

/* Waits until a descriptor is ready, or has an error. 0; -ETIMEDOUT, -EAGAIN, -EINTR, -EPIPE. */
IPCKIT_CHECK int lines_await(int fd, short events, const struct lines_wait *wait);

/*
 * Reads more, where lines_are_full() is not true. A last line without a newline gets one. 0, also at the end
 * (lines->ended); -errno of read(2), and as lines_await().
 */
IPCKIT_CHECK int lines_fill(struct lines *lines, const struct lines_wait *wait);

/*
 * What is whole at the front: as many lines as have at most `most` bytes together, at least one. Returns their
 * bytes (at data), 0 where none is whole: more is to be read, or, where lines_are_full(), what is there to be
 * passed on.
 */
size_t lines_look(struct lines *lines, size_t most, const char **data);
/* So much of it is done with. */
void lines_pass(struct lines *lines, size_t size);

static inline size_t lines_unread(const struct lines *lines)
{
	return lines->end - lines->next;
}

/* There is no room for the rest of the line at the front. */
static inline bool lines_are_full(const struct lines *lines)
{
	return lines_unread(lines) == LINES_ROOM;
}

#endif
