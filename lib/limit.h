/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_LIMIT_H
#define LIB_LIMIT_H

/* What the limits on all kinds of objects have alike. */

#include <ipckit/limit.h>

/* The number that a file begins with; unknown also where it does not fit, which is as good as no limit. */
struct ipckit_maybe limit_number(const char *path);
/* One below /proc/sys ("fs/mqueue/msg_max"). */
struct ipckit_maybe limit_sysctl(const char *path);
/* The soft limit of a process (RLIMIT_...); unknown where there is none. */
struct ipckit_maybe limit_soft(int resource);

/* unit, what: static. */
struct ipckit_limit limit_make(const char *name, struct ipckit_maybe value, const char *unit, const char *what);
/* The blocks and the inodes of a file system; those that it does not limit are unknown. Returns how many were
 * filled: 2, or 0 where it cannot be asked. */
size_t limit_of_mount(const char *path, struct ipckit_limit out[2]);

/* Tells that a limit was hit, by a call that would have needed so much of it. Returns 0. */
int limit_hit(struct ipckit_limit limit, struct ipckit_maybe needed, struct ipckit_limit *out);
bool limit_is_beyond(const struct ipckit_limit *limit, int64_t wanted);

#endif
