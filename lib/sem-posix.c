/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "regular.h"
#include "sem-word.h"
#include "sys.h"

#include <limits.h>
#include <string.h>

int sem_posix_path(const struct ipckit_name *name, char *path, size_t size)
{
	static const char before[] = SEM_DIRECTORY "/sem.";
	size_t given = strlen(before) - (name->kind == IPCKIT_NAME_POSIX ? 0 : strlen("sem."));
	size_t length = strlen(name->text + 1) + 1;

	/* Not by snprintf(3): posting is so short that the pages it touches would be seen. */
	if (given + length > size)
		return -ENAMETOOLONG;
	memcpy(path, before, given);
	memcpy(path + given, name->text + 1, length);
	return 0;
}

/* Without its directory no semaphore can be there, and none be made. */
static int tell_mount(int r)
{
	return r == -ENOENT && access(SEM_DIRECTORY, F_OK) ? -ENODEV : r;
}

static int open_path(const char *path, struct ipckit_sem *sem)
{
	struct stat st;
	int r = regular_open(path, O_RDWR, &st, &sem->fd);

	if (r)
		return r;
	/* A named one is the whole file; glibc's own temporaries are shorter. */
	if (st.st_size != sizeof(sem_t))
		return -EBADMSG;
	return sem_word_map(sem, &st, 0);
}

static int posix_open(const struct ipckit_name *name, struct ipckit_sem *sem)
{
	char path[SEM_PATH_MAX];
	int r = sem_posix_path(name, path, sizeof(path));

	return r ? r : tell_mount(open_path(path, sem));
}

/* A file without a name yet, that already is the semaphore. */
static int make_image(const struct ipckit_sem_spec *spec, int *out)
{
	sem_t image;
	ssize_t n;
	int fd, r;

	memset(&image, 0, sizeof(image));
	if (sem_init(&image, 1, spec->values ? spec->values[0] : 0))
		return -errno;
	r = regular_check_size(sizeof(image));
	if (!r)
		r = tell_mount(regular_make(SEM_DIRECTORY, &fd));
	if (r)
		return r;
	n = sys_result(write(fd, &image, sizeof(image)));
	r = n < 0 ? (int)n : n < (ssize_t)sizeof(image) ? -ENOSPC : sys_result(fchmod(fd, spec->mode));
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

static int map_own(struct ipckit_sem *sem)
{
	struct stat st;
	int r = sys_fstat(sem->fd, &st);

	return r ? r : sem_word_map(sem, &st, 0);
}

static int posix_create(const struct ipckit_name *name, const struct ipckit_sem_spec *spec, bool *created,
			struct ipckit_sem *sem)
{
	char path[SEM_PATH_MAX];
	int r = sem_posix_path(name, path, sizeof(path));

	if (r)
		return r;
	if (spec->count != 1)
		return -EOPNOTSUPP;
	/* Before it is found out whether there would be room. */
	if (spec->exclusive && !sys_result(faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW)))
		return -EEXIST;
	/* Between the look and the link it may come or go: whoever links is the creator. */
	for (;;) {
		r = spec->exclusive ? -ENOENT : open_path(path, sem);
		if (r != -ENOENT) {
			*created = false;
			return r;
		}
		r = make_image(spec, &sem->fd);
		if (r)
			return r;
		r = regular_publish(sem->fd, path);
		if (r != -EEXIST || spec->exclusive)
			break;
		close(sem->fd);
		sem->fd = -1;
	}
	*created = r == 0;
	return r ? r : map_own(sem);
}

static int posix_chmod(const struct ipckit_name *name, unsigned mode)
{
	char path[SEM_PATH_MAX];
	int r = sem_posix_path(name, path, sizeof(path));

	return r ? r : tell_mount(regular_chmod(path, mode));
}

static int posix_chown(const struct ipckit_name *name, uid_t uid, gid_t gid)
{
	char path[SEM_PATH_MAX];
	int r = sem_posix_path(name, path, sizeof(path));

	return r ? r : tell_mount(regular_chown(path, uid, gid));
}

static int posix_remove(const struct ipckit_name *name)
{
	char path[SEM_PATH_MAX];
	int fd;
	int r = sem_posix_path(name, path, sizeof(path));

	if (!r)
		r = tell_mount(regular_find(path, &fd));
	if (r)
		return r;
	close(fd);
	return sys_result(unlink(path));
}

const struct sem_ops sem_posix_ops = {
	.open = posix_open,
	.create = posix_create,
	.take = sem_word_take,
	.give = sem_word_give,
	.give_max = sem_word_give_max,
	.value = sem_word_value,
	.set = sem_word_set,
	.values = sem_word_values,
	.set_values = sem_word_set_values,
	.chmod = posix_chmod,
	.chown = posix_chown,
	.remove = posix_remove,
	.value_max = SEM_VALUE_MAX,
};
