/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_REGULAR_H
#define LIB_REGULAR_H

/*
 * Regular files in places where others might have planted something else: -ELOOP for a
 * link, -EBADMSG for what is no regular file.
 */

#include <ipckit/base.h>
#include <sys/stat.h>

/* Opens one. flags: O_RDWR or O_RDONLY; st: gets what is open. */
IPCKIT_CHECK int regular_open(const char *path, int flags, struct stat *st, int *out);

/* A descriptor (O_PATH) by which one can be changed without being opened. */
IPCKIT_CHECK int regular_find(const char *path, int *out);

/*
 * A new one appears in one step, with all that it is: it is made without a name in a directory, filled, and
 * then given its name. Nothing is left of one that is closed before.
 */
IPCKIT_CHECK int regular_make(const char *directory, int *out); /* for reading and writing, 0600, empty */
IPCKIT_CHECK int regular_publish(int fd, const char *path);     /* -EEXIST */

/* Whether a file may get so many bytes: -EFBIG beyond RLIMIT_FSIZE, where trying raises SIGXFSZ. */
IPCKIT_CHECK int regular_check_size(uint64_t size);

/* Makes a file longer, with space for what is new, of which all is zero. Where that fails it is as it was. */
IPCKIT_CHECK int regular_grow(int fd, uint64_t from, uint64_t to);
/* Gives an empty file so many bytes of a value. */
IPCKIT_CHECK int regular_fill(int fd, uint64_t size, unsigned char byte);

IPCKIT_CHECK int regular_chmod(const char *path, unsigned mode);
IPCKIT_CHECK int regular_chown(const char *path, uid_t uid, gid_t gid);

#endif
