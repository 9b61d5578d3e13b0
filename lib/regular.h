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

IPCKIT_CHECK int regular_chmod(const char *path, unsigned mode);
IPCKIT_CHECK int regular_chown(const char *path, uid_t uid, gid_t gid);

#endif
