/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_IO_H
#define LIB_IO_H

/*
 * Reads and writes that do not wait, on descriptors whose flags belong to others: O_NONBLOCK is of the open file
 * description, and everybody who has inherited it would get it, too.
 */

#include <ipckit/socket.h>

#include "sys.h"

enum io_kind {
	IO_FILE,     /* regular; waits for its disk only */
	IO_BLOCK,    /* a block device; likewise */
	IO_NULL,     /* /dev/null, /dev/zero, /dev/full, /dev/urandom: never waits */
	IO_PIPE,     /* or a FIFO */
	IO_STREAM,   /* a stream socket */
	IO_MESSAGES, /* a socket with boundaries */
	IO_DEVICE,   /* a terminal, and whatever else there is */
};

/* How it is kept from waiting. */
enum io_way {
	IO_AS_IT_IS, /* it does not wait */
	IO_BY_CALL,  /* MSG_DONTWAIT */
	IO_NOWAIT,   /* RWF_NOWAIT; what comes next where the kernel refuses that */
	IO_OWN,      /* an open file description of its own */
	IO_POLLED,   /* poll(2) first, and little at once */
};

struct io {
	int fd;  /* the caller's; to poll */
	int own; /* what is read and written: fd, or an open file description of its own */
	bool writes;
	bool limited; /* RLIMIT_FSIZE is to be minded */
	bool marked;  /* messages: what was received last was one for certain, empty or not */
	bool network; /* to write to: a stream socket that is none of this machine's own, as Unix sockets are */
	enum io_kind kind;
	enum io_way way;
	struct stat st;
};

/*
 * flags: O_RDONLY or O_WRONLY, what it is used for. fd stays the caller's; io_close() before that is closed: a
 * pipe's own description is one more reader, or writer. Errors: -EBADF (not open for that), -EISDIR.
 */
IPCKIT_CHECK int io_open(int fd, int flags, struct io *out);
void io_close(struct io *io);

/*
 * What can be had now, of a message socket one message: its bytes; 0 at the end (of a message socket also an empty
 * message, see io_is_over()); -EAGAIN: wait for io_poll(), also after a signal; -EMSGSIZE: a message longer than
 * size, which is lost; -errno.
 */
IPCKIT_CHECK ssize_t io_read(struct io *io, void *buffer, size_t size);

/* What can be given now, maybe less than all; -EAGAIN, -errno. -EFBIG: RLIMIT_FSIZE; no SIGXFSZ is raised. */
IPCKIT_CHECK ssize_t io_write(struct io *io, const void *buffer, size_t size);

/*
 * The next message of a message socket, with who sent it (NULL: nobody wants to know). What it returns is the
 * size of the message, of which no more than `size` bytes were kept; -EAGAIN, -errno.
 */
IPCKIT_CHECK ssize_t io_receive(struct io *io, void *buffer, size_t size, struct ipckit_address *sender);

/*
 * After 0 bytes of a message socket: whether there is nothing more, or that was an empty message. Where both came
 * since it was waited for the kernel tells only of a socket with SO_TIMESTAMP; else that counts as the end.
 */
bool io_is_over(const struct io *io);

/*
 * How many of so many bytes RLIMIT_FSIZE lets be written; -EFBIG: none. For other calls than io_write(): splice(2)
 * raises SIGXFSZ although it has written some.
 */
IPCKIT_CHECK ssize_t io_room(const struct io *io, size_t size);

/* What to poll for until a read or write may succeed. POLLERR and POLLHUP are always reported, too. */
static inline struct pollfd io_poll(const struct io *io)
{
	return (struct pollfd){ .fd = io->fd, .events = io->writes ? POLLOUT : POLLIN };
}

/*
 * What poll(2) says of a writer that was polled for nothing (events 0): 0 or why nothing can be written any more:
 * -EPIPE, -ECONNRESET, ...
 */
int io_gone(const struct io *io, short revents);

#endif
