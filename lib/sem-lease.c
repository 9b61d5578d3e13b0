/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lease.h"
#include "sem-backend.h"
#include "sem-look.h"
#include "sys.h"

#include <limits.h>
#include <stdio.h>

/*
 * Who uses a semaphore has its file open for writing, or mapped, which keeps it
 * open. Then the kernel refuses a read lease (fcntl(2)), wherever that process
 * lives: this also tells of other PID namespaces and of processes that may not be
 * looked at. Leases are for the file's owner.
 */
void sem_ask_in_use(struct ipckit_sem_info *info)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	info->in_use = ipckit_unknown();
	if (info->backend != IPCKIT_SEM_POSIX ||
	    snprintf(path, sizeof(path), SEM_DIRECTORY "/sem.%s", info->name + 1) >= (int)sizeof(path))
		return;
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return;
	if (!sys_fstat(fd, &st) && st.st_dev == info->device && st.st_ino == info->inode)
		(void)!lease_ask(fd, F_RDLCK, &info->in_use);
	close(fd);
}
