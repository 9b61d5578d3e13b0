/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_PIPE_H
#define IPCKIT_PIPE_H

/* FIFOs (fifo(7)) and what can be asked of pipes (pipe(7)). */

#include <ipckit/deadline.h>
#include <ipckit/limit.h>
#include <ipckit/name.h>

/*
 * Makes a FIFO; it has its mode from the first moment that its name exists: where the umask is in the way it is made
 * under another name in the same directory, and renamed. mode: as chmod(2). exclusive: -EEXIST where there is one
 * already, else that is taken. created: whether this call made it.
 *
 * Errors: -EEXIST, -EBADMSG (what stands there is no FIFO), -ELOOP (a link), -EACCES, -ENOENT, -ENOSPC and others of
 * mkfifo(3). Does not block.
 */
IPCKIT_CHECK int ipckit_fifo_create(const char *path, unsigned mode, bool exclusive, bool *created);

/*
 * Opens a FIFO and waits until somebody has the other end open, too. flags: O_RDONLY or O_WRONLY; O_RDWR waits for
 * nobody, and neither does O_NONBLOCK, where the deadline is none. Looks at what stands there before it is opened.
 * out: blocking, but for that; close-on-exec.
 *
 * Errors: -ENOENT, -EBADMSG (no FIFO), -ELOOP (a link), -EACCES; -EAGAIN (IPCKIT_DEADLINE_TRY), -ETIMEDOUT, -EINTR.
 * A deadline with an end relies on its stop (see ipckit/deadline.h) to interrupt open(2). Without it, and for
 * IPCKIT_DEADLINE_TRY, this is a reader for a moment: what a writer that comes just then, too late to be seen, has
 * written is lost when it goes, too. A deadline of 1 ns with such a stop tries without that. Rests on fifo(7).
 */
IPCKIT_CHECK int ipckit_fifo_open(const char *path, int flags, const struct ipckit_deadline *deadline, int *out);

/*
 * Opens the other end of a FIFO that is open for reading or for writing: so that no end is seen by who reads, and
 * nobody who writes is refused. out: close-on-exec; nobody has to read or write by it. Does not block.
 */
IPCKIT_CHECK int ipckit_fifo_other(int fd, int *out);

/*
 * Closes a FIFO that is open for reading (or both ways), the last that this process has of it. lost: how many bytes
 * were in it while nobody else had it open: the kernel drops them. fd is closed in any case. Errors: -EMFILE, -ENFILE
 * and others of open(2): nothing is known. Does not block.
 */
IPCKIT_CHECK int ipckit_fifo_leave(int fd, uint64_t *lost);

/* Removes a FIFO. Errors: -ENOENT, -EBADMSG (no FIFO), -ELOOP, -EACCES, -EPERM. */
IPCKIT_CHECK int ipckit_fifo_remove(const char *path);

/* How many bytes a pipe can hold (F_GETPIPE_SZ), and holds (FIONREAD). Errors: -EBADF, -EBADMSG (no pipe). */
IPCKIT_CHECK int ipckit_pipe_capacity(int fd, uint64_t *out);
IPCKIT_CHECK int ipckit_pipe_bytes(int fd, uint64_t *out);

/*
 * Changes it (F_SETPIPE_SZ). size: bytes, rounded up by the kernel. out: what it has now. Errors: -EBUSY (more bytes
 * wait in it), -EPERM (a limit, see below), -EINVAL, -ENOMEM, -EBADMSG.
 */
IPCKIT_CHECK int ipckit_pipe_set_capacity(int fd, uint64_t size, uint64_t *out);

/* Makes it as large as this process may, up to `most` bytes; never smaller. Nothing where it is no pipe. */
void ipckit_pipe_grow(int fd, uint64_t most);

/*
 * A descriptor by which a pipe or a FIFO in use can be asked and changed, and that is no end of its own: it is the copy
 * (pidfd_getfd(2)) of one that somebody has, so that nobody who opens, reads or writes is disturbed.
 *
 * name: fd:N, PID:FD, pipe:INODE, or the PATH of a FIFO. out: close-on-exec. Does not block.
 *
 * Errors: -ENXIO (a FIFO that nobody is seen to have open), -EPERM (those who have it may not be looked into), -ENOENT,
 * -EBADMSG (no pipe), and as ipckit_channel_stat().
 */
IPCKIT_CHECK int ipckit_pipe_open(const struct ipckit_name *name, int *out);

/*
 * The limit behind -EPERM of ipckit_pipe_set_capacity(): fs.pipe-max-size, or the pages of all pipes of the user
 * (fs.pipe-user-pages-soft, -hard), whose use cannot be known. error: positive errno value. 0, or -ENOENT where none
 * explains it.
 */
IPCKIT_CHECK int ipckit_pipe_limit_hit(int error, uint64_t wanted, struct ipckit_limit *out);

#endif
