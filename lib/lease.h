/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_LEASE_H
#define LIB_LEASE_H

/* Whether somebody else has a file open, by the kernel's own count. */

#include "sys.h"

#include <ipckit/base.h>
#include <signal.h>

/*
 * Asks for a lease (fcntl(2)) and gives it back: type F_RDLCK is refused where anybody has the
 * file open for writing, F_WRLCK where anybody else has it open at all, wherever that process
 * lives. fd is open for reading. out: 1, 0, or left alone where the kernel does not say.
 */
static inline int lease_ask(int fd, int type, struct ipckit_maybe *out)
{
	/* Whoever opens it in this moment has the kernel signal us: by one that is ignored. */
	int r = sys_result(fcntl(fd, F_SETSIG, SIGURG));

	if (!r)
		r = sys_result(fcntl(fd, F_SETLEASE, type));
	if (r == -EAGAIN)
		*out = ipckit_known(1);
	if (r)
		return r;
	*out = ipckit_known(0);
	return sys_result(fcntl(fd, F_SETLEASE, F_UNLCK));
}

#endif
