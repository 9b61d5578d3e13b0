/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sem-look.h"
#include "array.h"
#include "proc.h"
#include "sem-backend.h"
#include "sem-image.h"
#include "sem-users.h"
#include "sys.h"
#include "sysv.h"

#include <dirent.h>
#include <limits.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- semaphores in files ---- */

static int read_image(int file, uint64_t offset, struct sem_image *out)
{
	char self[SYS_SELF_PATH], bytes[sizeof(sem_t)];
	ssize_t n;
	int fd;

	/* The very file that was looked at, whatever stands under its name by now. */
	sys_self_path(file, self);
	fd = sys_openat(AT_FDCWD, self, O_RDONLY | O_NOCTTY, 0);
	if (fd < 0)
		return fd;
	n = sys_result(pread(fd, bytes, sizeof(bytes), (off_t)offset));
	close(fd);
	return n < 0 ? (int)n : sem_image_read(bytes, (size_t)n, out);
}

static void tell_file(const struct stat *st, uint64_t offset, struct ipckit_sem_info *info)
{
	info->mode = ipckit_known(st->st_mode & 0777);
	info->uid = ipckit_known(st->st_uid);
	info->gid = ipckit_known(st->st_gid);
	info->size = ipckit_known(st->st_size);
	info->mtime = ipckit_known(st->st_mtime);
	info->device = st->st_dev;
	info->inode = st->st_ino;
	info->offset = offset;
}

static int tell_value(int file, struct ipckit_sem_info *info)
{
	struct sem_image image;
	int r = read_image(file, info->offset, &image);

	if (r == -EBADMSG || sys_lacks_resources(r))
		return r;
	if (r) {
		gaps_note(&info->gaps, "value", -r);
		gaps_note(&info->gaps, "waiters_recorded", -r);
		return 0;
	}
	/* A named one is made of nothing but zeros beside its fields. */
	if (info->backend == IPCKIT_SEM_POSIX && !image.whole)
		return -EBADMSG;
	info->value = ipckit_known(image.value);
	info->waiters_recorded = ipckit_known(image.waiters);
	return 0;
}

static int check_place(const struct stat *st, const struct ipckit_sem_info *info, uint64_t offset)
{
	if (S_ISLNK(st->st_mode))
		return -ELOOP;
	if (!S_ISREG(st->st_mode))
		return -EBADMSG;
	if (info->backend == IPCKIT_SEM_POSIX)
		return st->st_size == sizeof(sem_t) ? 0 : -EBADMSG;
	if (offset > (uint64_t)st->st_size || (uint64_t)st->st_size - offset < sizeof(sem_t))
		return -EFBIG;
	return offset % alignof(sem_t) ? -EINVAL : 0;
}

static int look_at_file(int dir, const char *path, uint64_t offset, struct ipckit_sem_info *info)
{
	struct stat st;
	int fd = sys_openat(dir, path, O_PATH | O_NOFOLLOW, 0);
	int r;

	if (fd < 0)
		return fd;
	r = sys_fstat(fd, &st);
	if (!r)
		r = check_place(&st, info, offset);
	if (!r) {
		tell_file(&st, offset, info);
		r = tell_value(fd, info);
	}
	close(fd);
	return r;
}

static int look_at_place(const struct ipckit_name *name, struct ipckit_sem_info *info)
{
	char path[PATH_MAX];
	int r;

	info->backend = name->kind == IPCKIT_NAME_POSIX ? IPCKIT_SEM_POSIX : IPCKIT_SEM_UNNAMED;
	if (name->kind == IPCKIT_NAME_PLACE)
		return look_at_file(AT_FDCWD, name->text, name->offset, info);
	r = sem_posix_path(name, path, sizeof(path));
	if (!r)
		r = look_at_file(AT_FDCWD, path, name->offset, info);
	return r == -ENOENT && access(SEM_DIRECTORY, F_OK) ? -ENODEV : r;
}

/* ---- eventfds ---- */

static int tell_eventfd(int process, int fd, struct ipckit_sem_info *info)
{
	uint64_t n;
	int r = proc_fdinfo_field(process, fd, "eventfd-count:", 16, &n);

	if (r)
		return r == -ENOENT ? -EBADMSG : r;
	info->value = ipckit_known(n > INT64_MAX ? INT64_MAX : (int64_t)n);
	/* Kernels before 6.5 do not tell the mode. */
	r = proc_fdinfo_field(process, fd, "eventfd-semaphore:", 10, &n);
	if (r ? r != -ENOENT : !n)
		return r ? r : -EBADMSG;
	r = proc_fdinfo_field(process, fd, "eventfd-id:", 10, &n);
	if (!r)
		info->id = ipckit_known((int64_t)n);
	else
		gaps_note(&info->gaps, "id", -r);
	return 0;
}

static int look_at_eventfd(const struct ipckit_name *name, struct ipckit_sem_info *info)
{
	char path[32];
	struct stat st;
	int process;
	int r;

	info->backend = IPCKIT_SEM_EVENTFD;
	if (name->pid)
		snprintf(path, sizeof(path), "/proc/%d", (int)name->pid);
	else
		snprintf(path, sizeof(path), "/proc/self");
	r = proc_open(path, &process);
	if (r)
		return r;
	snprintf(path, sizeof(path), "fd/%d", name->fd);
	r = sys_result(fstatat(process, path, &st, 0));
	if (!r) {
		info->device = st.st_dev;
		info->inode = st.st_ino;
		r = tell_eventfd(process, name->fd, info);
	}
	close(process);
	return r;
}

/* ---- one ---- */

static int name_it(const struct ipckit_name *name, struct ipckit_sem_info *info)
{
	info->name = info->backend == IPCKIT_SEM_SYSV ? sysv_name(info->id.value) : strdup(name->written);
	return info->name ? 0 : -ENOMEM;
}

static int look_at(const struct ipckit_name *name, struct ipckit_sem_info *info)
{
	switch (name->kind) {
	case IPCKIT_NAME_POSIX:
	case IPCKIT_NAME_SHM:
	case IPCKIT_NAME_PLACE:
		return look_at_place(name, info);
	case IPCKIT_NAME_KEY:
	case IPCKIT_NAME_ID:
	case IPCKIT_NAME_FTOK:
		return sem_look_at_set(name, info);
	case IPCKIT_NAME_FD:
		return look_at_eventfd(name, info);
	default:
		return -EOPNOTSUPP;
	}
}

static int look_around(unsigned what, struct ipckit_sem_info *infos, size_t count)
{
	int r = what & IPCKIT_SEM_USERS && count ? sem_users_look(infos, count) : 0;

	for (size_t i = 0; !r && what & IPCKIT_SEM_IN_USE && i < count; i++)
		if (!infos[i].usage.users.count)
			sem_ask_in_use(&infos[i]);
	return r;
}

int ipckit_sem_stat(const struct ipckit_name *name, unsigned what, struct ipckit_sem_info *out)
{
	struct ipckit_sem_info info = { 0 };
	int r = look_at(name, &info);

	if (!r)
		r = name_it(name, &info);
	if (!r)
		r = look_around(what, &info, 1);
	if (r) {
		ipckit_sem_info_free(&info);
		return r;
	}
	*out = info;
	return 0;
}

void ipckit_sem_info_free(struct ipckit_sem_info *info)
{
	usage_clear(&info->usage);
	free(info->semaphores);
	free(info->name);
	memset(info, 0, sizeof(*info));
}

/* ---- all ---- */

int sem_list_add(struct ipckit_sem_list *list, const struct ipckit_sem_info *info)
{
	struct ipckit_sem_info *larger = array_room(list->list, list->count, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	list->list = larger;
	list->list[list->count++] = *info;
	return 0;
}

static int list_file(int dir, const char *file, struct ipckit_sem_list *list)
{
	struct ipckit_sem_info info = { .backend = IPCKIT_SEM_POSIX };
	int r = look_at_file(dir, file, 0, &info);

	if (sys_lacks_resources(r))
		return r;
	if (r) {
		list->left_out += r != -ENOENT;
		return 0;
	}
	if (asprintf(&info.name, "/%s", file + strlen("sem.")) < 0)
		return -ENOMEM;
	r = sem_list_add(list, &info);
	if (r)
		free(info.name);
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct ipckit_sem_info *)a)->name,
		      ((const struct ipckit_sem_info *)b)->name);
}

static int list_files(DIR *dir, struct ipckit_sem_list *list)
{
	struct dirent *entry;
	int r = 0;

	while (!r && (errno = 0, entry = readdir(dir))) {
		if (strncmp(entry->d_name, "sem.", 4))
			continue;
		if (entry->d_name[4])
			r = list_file(dirfd(dir), entry->d_name, list);
		else
			list->left_out++;
	}
	if (!r && errno)
		list->posix_error = errno;
	if (list->count)
		qsort(list->list, list->count, sizeof(*list->list), by_name);
	return r;
}

static int list_posix(struct ipckit_sem_list *list)
{
	DIR *dir = opendir(SEM_DIRECTORY);
	int r;

	if (!dir) {
		r = -errno;
		if (sys_lacks_resources(r))
			return r;
		list->posix_error = r == -ENOENT ? ENODEV : -r;
		return 0;
	}
	r = list_files(dir, list);
	closedir(dir);
	return r;
}

int ipckit_sem_list(unsigned what, struct ipckit_sem_list *out)
{
	struct ipckit_sem_list list = { 0 };
	int r = list_posix(&list);

	if (!r)
		r = sem_list_sets(&list);
	if (!r)
		r = look_around(what, list.list, list.count);
	if (r) {
		ipckit_sem_list_free(&list);
		return r;
	}
	*out = list;
	return 0;
}

void ipckit_sem_list_free(struct ipckit_sem_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		ipckit_sem_info_free(&list->list[i]);
	free(list->list);
	memset(list, 0, sizeof(*list));
}
