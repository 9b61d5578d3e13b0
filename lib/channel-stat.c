/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel-build.h"
#include "proc.h"
#include "sys.h"

#include <stdio.h>
#include <sys/sysmacros.h>

/* What one channel is known by. */
struct identity {
	enum channel_class class;
	uint64_t device, inode;
	bool own; /* a descriptor of this process */
};

static unsigned kinds_of(enum channel_class class)
{
	if (class == CHANNEL_PIPE)
		return IPCKIT_CHANNEL(IPCKIT_CHANNEL_PIPE);
	if (class == CHANNEL_FIFO)
		return IPCKIT_CHANNEL(IPCKIT_CHANNEL_FIFO);
	return IPCKIT_CHANNEL(IPCKIT_CHANNEL_UNIX) | IPCKIT_CHANNEL(IPCKIT_CHANNEL_TCP) |
	       IPCKIT_CHANNEL(IPCKIT_CHANNEL_UDP);
}

static int find(struct channel_scene *scene, const struct identity *identity, struct ipckit_channel_info *out)
{
	const struct channel_socket *socket;
	const struct channel_end *ends;
	size_t count = channel_walk_find(&scene->walk, identity->class, identity->device, identity->inode, &ends);
	int r;

	if (identity->class != CHANNEL_SOCKET)
		return count ? channel_tell_pipe(scene, ends, count, out) : -ENOENT;
	socket = channel_sockets_find(&scene->sockets, identity->inode);
	if (!socket)
		return count ? -EBADMSG : -ENOENT;
	r = channel_tell_socket(scene, socket, ends, count, out);
	return r ?: channel_tell_peers(scene, out);
}

static int stat_identity(const struct identity *identity, struct ipckit_channel_info *out)
{
	struct ipckit_channel_info info = { 0 };
	struct channel_scene scene;
	int r = channel_scene_begin(kinds_of(identity->class), identity->own, &scene);

	if (!r)
		r = find(&scene, identity, &info);
	channel_scene_end(&scene);
	if (r)
		ipckit_channel_info_free(&info);
	else
		*out = info;
	return r;
}

static int stat_path(const char *path, struct ipckit_channel_info *out)
{
	struct ipckit_channel_info info;
	struct channel_scene scene;
	int r = ipckit_channel_file(path, &info);

	if (r)
		return r;
	r = channel_scene_begin(IPCKIT_CHANNEL(info.kind), false, &scene);
	if (!r)
		r = channel_tell_path(&scene, &info);
	if (!r)
		r = channel_tell_peers(&scene, &info);
	channel_scene_end(&scene);
	if (r)
		ipckit_channel_info_free(&info);
	else
		*out = info;
	return r;
}

static int identify(int dir, const char *link, struct identity *out)
{
	char target[PATH_MAX];
	struct statx st;
	ssize_t n = sys_result(readlinkat(dir, link, target, sizeof(target) - 1));

	if (n < 0)
		return (int)n;
	target[n] = '\0';
	if (channel_link(target, &out->class, &out->inode))
		return 0;
	if (sys_result(statx(dir, link, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st)) ||
	    !S_ISFIFO(st.stx_mode))
		return -EBADMSG;
	out->class = CHANNEL_FIFO;
	out->device = makedev(st.stx_dev_major, st.stx_dev_minor);
	out->inode = st.stx_ino;
	return 0;
}

static int stat_fd(pid_t pid, int fd, struct ipckit_channel_info *out)
{
	struct identity identity = { .own = !pid };
	char path[32] = "/proc/self", link[32];
	int dir, r;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	snprintf(link, sizeof(link), "fd/%d", fd);
	r = proc_open(path, &dir);
	if (r)
		return r == -ENOENT ? -ESRCH : r;
	r = identify(dir, link, &identity);
	close(dir);
	return r ?: stat_identity(&identity, out);
}

int ipckit_channel_stat(const struct ipckit_name *name, struct ipckit_channel_info *out)
{
	switch (name->kind) {
	case IPCKIT_NAME_PATH:
		return stat_path(name->text, out);
	case IPCKIT_NAME_FD:
		return stat_fd(name->pid, name->fd, out);
	case IPCKIT_NAME_PIPE:
		return stat_identity(&(struct identity){ .class = CHANNEL_PIPE, .inode = name->inode }, out);
	case IPCKIT_NAME_SOCKET:
		return stat_identity(&(struct identity){ .class = CHANNEL_SOCKET, .inode = name->inode }, out);
	default:
		return -EINVAL;
	}
}
