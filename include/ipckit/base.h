/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_BASE_H
#define IPCKIT_BASE_H

/*
 * What every header of libipckit shares.
 *
 * Calls that can fail return 0 or a negative errno value and leave their
 * out-parameter, the last one, untouched on failure. A timeout is -ETIMEDOUT,
 * an attempt that would have to wait is -EAGAIN, an object removed under a
 * waiter is -EIDRM, a wait ended through ipckit_deadline.stop is -EINTR.
 * The library never prints, never exits, installs no signal handler and
 * reads neither the command line nor the environment.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define IPCKIT_CHECK __attribute__((warn_unused_result))

/* A number that may be unknown: value means nothing unless known. */
struct ipckit_maybe {
	bool known;
	int64_t value;
};

static inline struct ipckit_maybe ipckit_known(int64_t value)
{
	return (struct ipckit_maybe){ .known = true, .value = value };
}

static inline struct ipckit_maybe ipckit_unknown(void)
{
	return (struct ipckit_maybe){ .known = false };
}

/* A sentence about what is wrong with an input, for people; never empty when
 * the call that was given it failed with -EINVAL. */
struct ipckit_why {
	char text[256];
};

#endif
