/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sem-look.h"
#include "sem-backend.h"
#include "sys.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>

static int ask(int fd, struct ipckit_maybe *out)
{
	int r;

	/* Whoever opens it in this moment has the kernel signal us: by one that is ignored. */
	r = sys_result(fcntl(fd, F_SETSIG, SIGURG));
	if (!r)
		r = sys_result(fcntl(fd, F_SETLEASE, F_RDLCK));
	if (r == -EAGAIN)
		*out = ipckit_known(1);
	if (r)
		return r;
	*out = ipckit_known(0);
	return sys_result(fcntl(fd, F_SETLEASE, F_UNLCK));
}

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
		(void)!ask(fd, &info->in_use);
	close(fd);
}
