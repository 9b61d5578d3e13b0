/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel-build.h"
#include "proc.h"
#include "socket.h"
#include "sys.h"
#include "users.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one file ---- */

static void tell_stat(const struct stat *st, struct ipckit_channel_info *info)
{
	info->kind = S_ISFIFO(st->st_mode) ? IPCKIT_CHANNEL_FIFO : IPCKIT_CHANNEL_UNIX;
	info->device = st->st_dev;
	info->inode = st->st_ino;
	info->mode = ipckit_known(st->st_mode & 07777);
	info->uid = ipckit_known(st->st_uid);
	info->gid = ipckit_known(st->st_gid);
	info->atime = ipckit_known(st->st_atime);
	info->mtime = ipckit_known(st->st_mtime);
	info->ctime = ipckit_known(st->st_ctime);
}

/* -ELOOP for a link, -EBADMSG for what is neither a FIFO nor a socket. */
static int look_at_file(int dir, const char *name, struct ipckit_channel_info *info)
{
	struct stat st;
	int r = sys_result(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW));

	if (r)
		return r;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode))
		return -EBADMSG;
	tell_stat(&st, info);
	return 0;
}

int ipckit_channel_file(const char *path, struct ipckit_channel_info *out)
{
	struct ipckit_channel_info info = { 0 };
	int r = look_at_file(AT_FDCWD, path, &info);

	if (r)
		return r;
	info.name = strdup(path);
	if (!info.name)
		return -ENOMEM;
	*out = info;
	return 0;
}

/* ---- who uses it ---- */

/* Those that are nowhere to be seen may be of another network namespace. */
static int ask_bound(struct ipckit_channel_info *info)
{
	struct stat st;
	int fd = sys_openat(AT_FDCWD, info->name, O_PATH | O_NOFOLLOW, 0);
	int r;

	if (fd < 0)
		return sys_own_trouble(fd);
	r = sys_fstat(fd, &st);
	if (!r && S_ISSOCK(st.st_mode) && st.st_ino == info->inode && st.st_dev == info->device)
		r = socket_check_dead(fd);
	else
		r = -ENOENT;
	close(fd);
	if (!r || r == -EADDRINUSE)
		info->bound = ipckit_known(r != 0);
	else
		gaps_note(&info->gaps, "bound", -r);
	return sys_own_trouble(r);
}

/* The socket's own, with what the file has. */
static int tell_bound(struct channel_scene *scene, const struct channel_socket *socket,
		      struct ipckit_channel_info *info)
{
	struct ipckit_channel_info found;
	const struct channel_end *ends;
	size_t count = channel_walk_find(&scene->walk, CHANNEL_SOCKET, 0, socket->inode, &ends);
	int r = channel_tell_socket(scene, socket, ends, count, &found);

	if (r)
		return r;
	free(found.name);
	found.name = info->name;
	found.bound = ipckit_known(1);
	found.mode = info->mode;
	found.uid = info->uid;
	found.gid = info->gid;
	found.atime = info->atime;
	found.mtime = info->mtime;
	found.ctime = info->ctime;
	*info = found;
	return 0;
}

int channel_tell_path(struct channel_scene *scene, struct ipckit_channel_info *info)
{
	const struct channel_socket *socket;
	const struct channel_end *ends;
	size_t count;
	int r;

	if (info->kind == IPCKIT_CHANNEL_FIFO) {
		count = channel_walk_find(&scene->walk, CHANNEL_FIFO, info->device, info->inode, &ends);
		return channel_tell_ends(scene, ends, count, info);
	}
	socket = channel_sockets_of_file(&scene->sockets, info->name, info->device, info->inode);
	if (socket)
		return tell_bound(scene, socket, info);
	r = channel_tell_users(scene, NULL, 0, info);
	return r ?: ask_bound(info);
}

/* ---- directories ---- */

static bool is_wanted(const struct ipckit_channel_info *info, unsigned kinds)
{
	return kinds & IPCKIT_CHANNEL(info->kind);
}

static int list_entry(int dir, const char *directory, const char *name, unsigned kinds, struct ipckit_channels *out)
{
	size_t length = strlen(directory);
	struct ipckit_channel_info info = { 0 };
	int r = look_at_file(dir, name, &info);

	if (sys_lacks_resources(r))
		return r;
	if (r || !is_wanted(&info, kinds))
		return 0;
	if (asprintf(&info.name, "%s%s%s", directory, length && directory[length - 1] == '/' ? "" : "/", name) < 0)
		return -ENOMEM;
	return channel_list_add(out, &info);
}

static int list_directory(const char *directory, unsigned kinds, struct ipckit_channels *out)
{
	struct dirent *entry;
	DIR *dir = opendir(directory);
	int r = 0;

	if (!dir)
		return -errno;
	while (!r && (errno = 0, entry = readdir(dir)))
		/* Some file systems do not tell. */
		if (entry->d_type == DT_FIFO || entry->d_type == DT_SOCK || entry->d_type == DT_UNKNOWN)
			r = list_entry(dirfd(dir), directory, entry->d_name, kinds, out);
	if (!r)
		r = -errno;
	closedir(dir);
	return r;
}

static int tell_all(unsigned kinds, struct ipckit_channels *list)
{
	struct channel_scene scene;
	int r = channel_scene_begin(kinds, false, &scene);

	for (size_t i = 0; !r && i < list->count; i++)
		r = channel_tell_path(&scene, &list->list[i]);
	channel_scene_end(&scene);
	return r;
}

int ipckit_channel_list_in(const char *const *directories, size_t count, unsigned kinds, const char **failed,
			   struct ipckit_channels *out)
{
	struct ipckit_channels found = { 0 };
	int r = 0;

	*failed = NULL;
	kinds &= IPCKIT_CHANNEL(IPCKIT_CHANNEL_FIFO) | IPCKIT_CHANNEL(IPCKIT_CHANNEL_UNIX);
	for (size_t i = 0; !r && i < count; i++) {
		r = list_directory(directories[i], kinds, &found);
		if (r)
			*failed = directories[i];
	}
	if (!r && found.count)
		r = tell_all(kinds, &found);
	if (r) {
		ipckit_channels_free(&found);
		return r;
	}
	channel_list_sort(&found);
	*out = found;
	return 0;
}

/* ---- the paths of the dead ---- */

int ipckit_channel_remove_dead(const char *path)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX] = ".";
	struct ipckit_channel_info info = { 0 };
	int dir, r;

	if (slash && snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path + 1), path) >= PATH_MAX)
		return -ENAMETOOLONG;
	dir = sys_openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0)
		return dir;
	path = slash ? slash + 1 : path;
	r = look_at_file(dir, path, &info);
	if (!r)
		r = info.kind == IPCKIT_CHANNEL_UNIX ? socket_remove_dead(dir, path) : -EBADMSG;
	close(dir);
	return r;
}
