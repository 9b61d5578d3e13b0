/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lock.h"
#include "regular.h"
#include "sem-backend.h"
#include "sys.h"

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
		r = regular_open(name->text, O_RDWR, &st, &sem->fd);
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
