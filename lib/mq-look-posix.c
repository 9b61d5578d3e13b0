/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lease.h"
#include "mq-backend.h"
#include "mq-look.h"
#include "sys.h"
#include "users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one ---- */

static void tell_file(const struct stat *st, struct ipckit_mq_info *info)
{
	info->mode = ipckit_known(st->st_mode & 0777);
	info->uid = ipckit_known(st->st_uid);
	info->gid = ipckit_known(st->st_gid);
	info->ctime = ipckit_known(st->st_ctime);
	info->mtime = ipckit_known(st->st_mtime);
	info->atime = ipckit_known(st->st_atime);
	info->device = st->st_dev;
	info->inode = st->st_ino;
}

static void note_gaps(struct ipckit_mq_info *info, const char *const *keys, size_t n, int error)
{
	for (size_t i = 0; i < n; i++)
		gaps_note(&info->gaps, keys[i], error);
}

static void tell_attributes(int queue, struct ipckit_mq_info *info)
{
	static const char *const keys[] = { "maxmsg", "msgsize", "curmsgs" };
	struct mq_attr attr;
	int r = queue < 0 ? queue : sys_mq_getattr(queue, &attr);

	if (r) {
		note_gaps(info, keys, 3, -r);
		return;
	}
	info->maxmsg = ipckit_known(attr.mq_maxmsg);
	info->msgsize = ipckit_known(attr.mq_msgsize);
	info->messages = ipckit_known(attr.mq_curmsgs);
}

static void tell_status(int queue, struct ipckit_mq_info *info)
{
	static const char *const keys[] = { "bytes", "notify", "notify_signal", "notify_pid" };
	struct mq_status status;
	int r = queue < 0 ? queue : mq_status_read(queue, &status);

	if (r) {
		/* A descriptor that is open for writing alone: all that was allowed. */
		note_gaps(info, keys, 4, r == -EBADF ? EACCES : -r);
		return;
	}
	info->bytes = ipckit_known(status.bytes);
	info->notify = ipckit_known(status.notify);
	info->notify_signal = ipckit_known(status.signal);
	info->notify_pid = status.pid;
}

/* queue: a descriptor, or why there is none. The times are those before its file is read here. */
static void tell_queue(int queue, const struct stat *st, struct ipckit_mq_info *info)
{
	info->backend = IPCKIT_MQ_POSIX;
	tell_file(st, info);
	tell_attributes(queue, info);
	tell_status(queue, info);
}

/* Only looked at before it is opened: whatever may have been mounted on an entry. */
static int stat_entry(const struct mq_mount *mount, const char *file, struct stat *st)
{
	int r = sys_result(fstatat(dirfd(mount->dir), file, st, AT_SYMLINK_NOFOLLOW));

	if (r)
		return r;
	return S_ISREG(st->st_mode) && st->st_dev == mount->device ? 0 : -EBADMSG;
}

static int open_entry(const struct mq_mount *mount, const char *file)
{
	const int flags = O_NONBLOCK | O_NOFOLLOW | O_NOCTTY;
	int fd;

	/* EAGAIN: somebody asks for a moment whether it is in use; see lease.h. */
	while ((fd = sys_openat(dirfd(mount->dir), file, O_RDONLY | flags, 0)) == -EAGAIN)
		usleep(100);
	return sys_is_denial(fd) ? sys_openat(dirfd(mount->dir), file, O_WRONLY | flags, 0) : fd;
}

/* Of one that may not be opened, what its entry in the mount says. */
static int look_at_closed(const char *file, int error, struct ipckit_mq_info *info)
{
	struct mq_mount mount;
	struct stat st;
	int r, fd;

	r = mq_mount_open(&mount);
	if (r)
		return sys_lacks_resources(r) ? r : error;
	r = stat_entry(&mount, file, &st);
	fd = r ? r : open_entry(&mount, file);
	mq_mount_close(&mount);
	if (fd >= 0)
		close(fd);
	if (sys_lacks_resources(fd))
		return fd;
	/* It can be opened there, so the mount shows another one. */
	if (!sys_is_denial(fd))
		return error;
	tell_queue(error, &st, info);
	return 0;
}

int mq_look_at_posix(const struct ipckit_name *name, struct ipckit_mq_info *info)
{
	struct stat st;
	int fd = mq_posix_look_fd(name);
	int r;

	if (sys_is_denial(fd))
		return look_at_closed(name->text + 1, fd, info);
	if (fd < 0)
		return fd;
	r = sys_fstat(fd, &st);
	if (!r)
		tell_queue(fd, &st, info);
	close(fd);
	return r;
}

void mq_ask_in_use(struct ipckit_mq_info *info)
{
	const struct ipckit_name name = { .kind = IPCKIT_NAME_POSIX, .text = info->name };
	struct stat st;
	int fd;

	info->in_use = ipckit_unknown();
	fd = mq_posix_look_fd(&name);
	if (fd < 0)
		return;
	if (!sys_fstat(fd, &st) && st.st_dev == info->device && st.st_ino == info->inode)
		(void)!lease_ask(fd, F_WRLCK, &info->in_use);
	close(fd);
}

/* ---- all ---- */

static int look_at_entry(const struct mq_mount *mount, const char *file, struct stat *st,
			 struct ipckit_mq_info *info)
{
	int fd = open_entry(mount, file);
	int r = 0;

	/* -EAGAIN: in this moment somebody asks the kernel who has it open, see mq_ask_in_use(). */
	if (fd < 0 && !sys_is_denial(fd) && fd != -EAGAIN)
		return fd;
	if (fd >= 0)
		r = sys_fstat(fd, st);
	if (!r)
		tell_queue(fd, st, info);
	if (fd >= 0)
		close(fd);
	return r;
}

static int list_entry(struct mq_mount *mount, const char *file, struct ipckit_mq_list *list)
{
	struct ipckit_mq_info info = { 0 };
	char name[NAME_MAX + 2];
	struct stat st;
	int r = stat_entry(mount, file, &st);

	if (!r)
		r = mq_mount_ask(mount, file, st.st_ino);
	if (!r && mount->owner == MQ_MOUNT_FOREIGN)
		return 0;
	if (!r)
		r = look_at_entry(mount, file, &st, &info);
	if (sys_lacks_resources(r))
		return r;
	if (r) {
		/* One that was removed meanwhile is none. */
		list->left_out += r != -ENOENT;
		return 0;
	}
	snprintf(name, sizeof(name), "/%s", file);
	info.name = strdup(name);
	r = info.name ? mq_list_add(list, &info) : -ENOMEM;
	if (r)
		free(info.name);
	return r;
}

static bool is_dot(const char *file)
{
	return !strcmp(file, ".") || !strcmp(file, "..");
}

static int list_entries(struct mq_mount *mount, struct ipckit_mq_list *list)
{
	struct dirent *entry;
	int r = 0;

	while (!r && mount->owner != MQ_MOUNT_FOREIGN && (errno = 0, entry = readdir(mount->dir)))
		if (!is_dot(entry->d_name))
			r = list_entry(mount, entry->d_name, list);
	if (r || mount->owner == MQ_MOUNT_FOREIGN)
		return r;
	if (errno)
		list->posix_error = errno;
	return mq_mount_ask_kernel(mount);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct ipckit_mq_info *)a)->name, ((const struct ipckit_mq_info *)b)->name);
}

int mq_list_posix(struct ipckit_mq_list *list)
{
	struct mq_mount mount;
	int r = mq_mount_open(&mount);

	if (r) {
		list->posix_error = sys_lacks_resources(r) ? 0 : -r;
		return sys_own_trouble(r);
	}
	r = list_entries(&mount, list);
	mq_mount_close(&mount);
	if (r)
		return r;
	if (mount.owner == MQ_MOUNT_FOREIGN) {
		ipckit_mq_list_free(list);
		list->posix_error = EXDEV;
	} else if (list->count) {
		qsort(list->list, list->count, sizeof(*list->list), by_name);
	}
	return 0;
}
