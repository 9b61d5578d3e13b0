/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lock.h"
#include "regular.h"
#include "sem-image.h"
#include "sem-word.h"
#include "sys.h"

#include <limits.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static int file_of(const struct ipckit_name *name, char *path, size_t size)
{
	if (name->kind == IPCKIT_NAME_SHM)
		return sem_posix_path(name, path, size);
	if (strlen(name->text) >= size)
		return -ENAMETOOLONG;
	strcpy(path, name->text);
	return 0;
}

static int open_file(const struct ipckit_name *name, struct ipckit_sem *sem, struct stat *st)
{
	char path[PATH_MAX];
	int r;

	if (name->offset % alignof(sem_t))
		return -EINVAL;
	r = file_of(name, path, sizeof(path));
	if (!r)
		r = regular_open(path, O_RDWR, st, &sem->fd);
	return r;
}

static int unnamed_open(const struct ipckit_name *name, struct ipckit_sem *sem)
{
	struct stat st;
	int r = open_file(name, sem, &st);

	return r ? r : sem_word_map(sem, &st, name->offset);
}

static bool is_blank(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

/* sem_init(3) where nothing but zeros stood; what else stands there stays. */
static int initialise(struct ipckit_sem *sem, const struct ipckit_sem_spec *spec, uint64_t offset, bool *created)
{
	unsigned char there[sizeof(sem_t)];
	struct sem_image image;
	struct rlimit limit;
	sem_t fresh;
	ssize_t n = sys_result(pread(sem->fd, there, sizeof(there), (off_t)offset));

	if (n != (ssize_t)sizeof(there))
		return n < 0 ? (int)n : -EFBIG;
	*created = is_blank(there, sizeof(there));
	if (!*created)
		return sem_image_read(there, sizeof(there), &image) ?: (spec->exclusive ? -EEXIST : 0);

	memset(&fresh, 0, sizeof(fresh));
	if (sem_init(&fresh, 1, spec->values ? spec->values[0] : 0))
		return -errno;
	/* A write from RLIMIT_FSIZE on would be answered by SIGXFSZ. */
	if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur < offset + sizeof(fresh))
		return -EFBIG;
	n = sys_result(pwrite(sem->fd, &fresh, sizeof(fresh), (off_t)offset));
	if (n < 0)
		return (int)n;
	return n == (ssize_t)sizeof(fresh) ? 0 : -ENOSPC;
}

static int unnamed_create(const struct ipckit_name *name, const struct ipckit_sem_spec *spec, bool *created,
			  struct ipckit_sem *sem)
{
	const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };
	struct lock_range lock = { .length = 1 };
	struct stat st;
	int r = open_file(name, sem, &st);

	if (r)
		return r;
	if (spec->count != 1)
		return -EOPNOTSUPP;
	if (name->offset > (uint64_t)INT64_MAX - sizeof(sem_t) ||
	    name->offset + sizeof(sem_t) > (uint64_t)st.st_size)
		return -EFBIG;
	/* Not the bytes of sem-taking.c. */
	lock.start = (off_t)name->offset + 2;
	lock.fd = sem->fd;
	r = lock_take(&lock, &forever);
	if (r)
		return r;
	r = initialise(sem, spec, name->offset, created);
	lock_give(&lock);
	return r ? r : sem_word_map(sem, &st, name->offset);
}

const struct sem_ops sem_unnamed_ops = {
	.open = unnamed_open,
	.create = unnamed_create,
	.take = sem_word_take,
	.give = sem_word_give,
	.give_max = sem_word_give_max,
	.value = sem_word_value,
	.set = sem_word_set,
	.values = sem_word_values,
	.set_values = sem_word_set_values,
	.value_max = SEM_VALUE_MAX,
};
