/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_WORD_FILE_H
#define LIB_WORD_FILE_H

/* The files that words lie in. */

#include <ipckit/name.h>
#include <sys/stat.h>

/*
 * Opens the file of a place. flags: O_RDWR or O_RDONLY; st: gets what is open. As regular_open(), but links in a proc
 * file system (/proc/PID/fd/N, /proc/PID/map_files/...) are followed: they are the only names that a memfd, a
 * deleted file or another process's mapping has. -ENODEV: /dev/shm is missing.
 */
IPCKIT_CHECK int word_file_open(const struct ipckit_name *name, int flags, struct stat *st, int *out);

#endif
