/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys.h"

#include <ipckit/process.h>

int ipckit_process_fd(pid_t pid, int fd, int *out)
{
	int copy, pidfd = sys_pidfd_open(pid);

	if (pidfd < 0)
		return pidfd;
	copy = sys_pidfd_getfd(pidfd, fd);
	close(pidfd);
	if (copy < 0)
		return copy;
	*out = copy;
	return 0;
}
