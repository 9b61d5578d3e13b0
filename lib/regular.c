/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "regular.h"
#include "sys.h"

#include <stdio.h>

static void self_path(int fd, char path[32])
{
	snprintf(path, 32, "/proc/self/fd/%d", fd);
}

static int check(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return -ELOOP;
	return S_ISREG(st->st_mode) ? 0 : -EBADMSG;
}

int regular_find(const char *path, int *out)
{
	struct stat st;
	int fd = sys_openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0);
	int r;

	if (fd < 0)
		return fd;
	r = sys_fstat(fd, &st) ?: check(&st);
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

/*
 * Looked at first, so that what was planted is left alone; looked at again once
 * it is open, since it may have been exchanged. An opening that neither blocks nor
 * makes a terminal its own is harmless in between.
 */
int regular_open(const char *path, int flags, struct stat *st, int *out)
{
	int fd;
	int r = sys_result(lstat(path, st)) ?: check(st);

	if (r)
		return r;
	/* EAGAIN: somebody asks for a moment whether it is in use; see sem-lease.c. */
	while ((fd = sys_openat(AT_FDCWD, path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0)) == -EAGAIN)
		usleep(100);
	if (fd < 0)
		return fd;
	r = sys_fstat(fd, st) ?: check(st);
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

int regular_chmod(const char *path, unsigned mode)
{
	char self[32];
	int fd;
	int r = regular_find(path, &fd);

	if (r)
		return r;
	self_path(fd, self);
	r = sys_result(chmod(self, mode));
	close(fd);
	return r;
}

int regular_chown(const char *path, uid_t uid, gid_t gid)
{
	int fd;
	int r = regular_find(path, &fd);

	if (r)
		return r;
	r = sys_result(fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
	close(fd);
	return r;
}
