/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lock.h"
#include "sem-backend.h"
#include "sys.h"

#include <stdio.h>

static void self_path(int fd, char path[32])
{
	snprintf(path, 32, "/proc/self/fd/%d", fd);
}

static int check_regular(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return -ELOOP;
	return S_ISREG(st->st_mode) ? 0 : -EBADMSG;
}

int sem_find_regular(const char *path, int *out)
{
	struct stat st;
	int fd = sys_openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0);
	int r;

	if (fd < 0)
		return fd;
	r = sys_fstat(fd, &st) ?: check_regular(&st);
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
int sem_open_regular(const char *path, int flags, struct stat *st, int *out)
{
	int fd;
	int r = sys_result(lstat(path, st)) ?: check_regular(st);

	if (r)
		return r;
	/* EAGAIN: somebody asks for a moment whether it is in use; see sem-lease.c. */
	while ((fd = sys_openat(AT_FDCWD, path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0)) == -EAGAIN)
		usleep(100);
	if (fd < 0)
		return fd;
	r = sys_fstat(fd, st) ?: check_regular(st);
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

int sem_chmod_regular(const char *path, unsigned mode)
{
	char self[32];
	int fd;
	int r = sem_find_regular(path, &fd);

	if (r)
		return r;
	self_path(fd, self);
	r = sys_result(chmod(self, mode));
	close(fd);
	return r;
}

int sem_chown_regular(const char *path, uid_t uid, gid_t gid)
{
	int fd;
	int r = sem_find_regular(path, &fd);

	if (r)
		return r;
	r = sys_result(fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
	close(fd);
	return r;
}

/* Whoever comes first makes it; a umask may only have taken bits away, so they are set again. */
static int make(const char *path, struct stat *st, int *out)
{
	int fd = sys_openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return fd;
	r = sys_result(fchmod(fd, 0600)) ?: sys_fstat(fd, st);
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

static int file_open(const struct ipckit_name *name, struct ipckit_sem *sem)
{
	struct stat st;
	int r;

	do {
		r = sem_open_regular(name->text, O_RDWR, &st, &sem->fd);
		if (r == -ENOENT)
			r = make(name->text, &st, &sem->fd);
	} while (r == -EEXIST);
	if (r)
		return r;
	sem->device = st.st_dev;
	sem->inode = st.st_ino;
	return 0;
}

static struct lock_range whole(const struct ipckit_sem *sem)
{
	return (struct lock_range){ .fd = sem->fd };
}

static int file_take(struct ipckit_sem *sem, unsigned count, unsigned flags, const struct ipckit_deadline *deadline)
{
	struct lock_range range = whole(sem);

	(void)count;
	(void)flags;
	return lock_take(&range, deadline);
}

static int file_give(struct ipckit_sem *sem, unsigned count, unsigned flags)
{
	struct lock_range range = whole(sem);

	(void)count;
	(void)flags;
	lock_give(&range);
	return 0;
}

const struct sem_ops sem_file_ops = {
	.open = file_open,
	.take = file_take,
	.give = file_give,
	.value_max = 1,
};
