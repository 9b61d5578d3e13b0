/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lease.h"
#include "shm-backend.h"
#include "shm-look.h"
#include "sys.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 512 /* of st_blocks, whatever the file system's are */

/* ---- one ---- */

static void tell_file(const struct stat *st, struct ipckit_shm_info *info)
{
	info->backend = IPCKIT_SHM_POSIX;
	info->size = ipckit_known(st->st_size);
	info->rss = ipckit_known((int64_t)st->st_blocks * BLOCK);
	info->ctime = ipckit_known(st->st_ctime);
	info->mtime = ipckit_known(st->st_mtime);
	info->file_atime = ipckit_known(st->st_atime);
	info->mode = ipckit_known(st->st_mode & 0777);
	info->uid = ipckit_known(st->st_uid);
	info->gid = ipckit_known(st->st_gid);
	info->device = st->st_dev;
	info->inode = st->st_ino;
}

/* Not opened: whatever may have been planted there. */
static int look_at_file(int dir, const char *path, struct ipckit_shm_info *info)
{
	struct stat st;
	int r = sys_result(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW));

	if (r)
		return r;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	tell_file(&st, info);
	return 0;
}

int shm_look_at_posix(const struct ipckit_name *name, struct ipckit_shm_info *info)
{
	char path[SHM_PATH_MAX];
	int r = shm_posix_path(name, path);

	if (!r)
		r = look_at_file(AT_FDCWD, path, info);
	return r == -ENOENT && access(SHM_DIRECTORY, F_OK) ? -ENODEV : r;
}

/*
 * Who has it open or mapped keeps its file open, and then the kernel refuses a write lease
 * (fcntl(2)), wherever that process lives: this also tells of other PID namespaces and of processes
 * that may not be looked at. Leases are for the file's owner. No time of the file changes by that.
 */
void shm_ask_in_use(struct ipckit_shm_info *info)
{
	const int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	char path[SHM_PATH_MAX];
	struct stat st;
	int fd;

	info->in_use = ipckit_unknown();
	/* What stands there now need not be what was looked at. */
	snprintf(path, sizeof(path), SHM_DIRECTORY "%s", info->name);
	if (lstat(path, &st) || !S_ISREG(st.st_mode))
		return;
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | flags, 0);
	if (fd < 0)
		return;
	if (!sys_fstat(fd, &st) && st.st_dev == info->device && st.st_ino == info->inode)
		(void)!lease_ask(fd, F_WRLCK, &info->in_use);
	close(fd);
}

/* ---- all ---- */

static bool is_left_out(const char *file)
{
	return !strcmp(file, ".") || !strcmp(file, "..") || !strncmp(file, "sem.", 4);
}

static int list_file(int dir, const char *file, struct ipckit_shm_list *list)
{
	struct ipckit_shm_info info = { 0 };
	char name[NAME_MAX + 2];
	int r = look_at_file(dir, file, &info);

	if (sys_lacks_resources(r))
		return r;
	if (r) {
		/* One that was removed meanwhile is none. */
		list->left_out += r != -ENOENT;
		return 0;
	}
	snprintf(name, sizeof(name), "/%s", file);
	info.name = strdup(name);
	r = info.name ? shm_list_add(list, &info) : -ENOMEM;
	if (r)
		free(info.name);
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct ipckit_shm_info *)a)->name, ((const struct ipckit_shm_info *)b)->name);
}

static int list_files(DIR *dir, struct ipckit_shm_list *list)
{
	struct dirent *entry;
	int r = 0;

	while (!r && (errno = 0, entry = readdir(dir)))
		if (!is_left_out(entry->d_name))
			r = list_file(dirfd(dir), entry->d_name, list);
	if (!r && errno)
		list->posix_error = errno;
	if (list->count)
		qsort(list->list, list->count, sizeof(*list->list), by_name);
	return r;
}

int shm_list_posix(struct ipckit_shm_list *list)
{
	DIR *dir = opendir(SHM_DIRECTORY);
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
