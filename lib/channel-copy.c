/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel-build.h"
#include "sys.h"
#include "users.h"

#include <ipckit/pipe.h>

/* How a process is reached is kept for its next descriptor. */
static int reach(struct channel_scene *scene, pid_t pid)
{
	if (scene->copied_pid == pid)
		return scene->pidfd;
	if (scene->pidfd >= 0)
		close(scene->pidfd);
	scene->copied_pid = pid;
	scene->pidfd = sys_pidfd_open(pid);
	return scene->pidfd;
}

/* Between the look and the copy the number may have become another's. */
static bool is_same(int fd, const struct channel_end *end)
{
	struct stat st;

	return !sys_fstat(fd, &st) && S_ISFIFO(st.st_mode) && st.st_ino == end->inode &&
	       (end->class == CHANNEL_PIPE || st.st_dev == end->device);
}

static int ask(int fd, struct ipckit_channel_info *info)
{
	uint64_t capacity, bytes;
	int r = ipckit_pipe_capacity(fd, &capacity);

	if (!r)
		r = ipckit_pipe_bytes(fd, &bytes);
	if (r)
		return r;
	info->capacity = ipckit_known((int64_t)capacity);
	info->bytes = ipckit_known((int64_t)bytes);
	return 0;
}

static int ask_through(struct channel_scene *scene, const struct channel_end *end, struct ipckit_channel_info *info)
{
	int pidfd = reach(scene, scene->walk.processes[end->process].pid);
	int fd, r;

	if (pidfd < 0)
		return pidfd;
	fd = sys_pidfd_getfd(pidfd, end->fd);
	if (fd < 0)
		return fd;
	r = is_same(fd, end) ? ask(fd, info) : -ESRCH;
	close(fd);
	return r;
}

int channel_ask_pipe(struct channel_scene *scene, const struct channel_end *ends, size_t count,
		     struct ipckit_channel_info *info)
{
	int r = 0;

	for (size_t i = 0; i < count && !info->capacity.known; i++) {
		int tried = ends[i].fd < 0 ? 0 : ask_through(scene, &ends[i], info);

		if (sys_lacks_resources(tried))
			return tried;
		r = tried ?: r;
	}
	/* Of one that nobody has open there is none. */
	if (info->capacity.known || !r)
		return 0;
	gaps_note(&info->gaps, "capacity", -r);
	gaps_note(&info->gaps, "bytes", -r);
	return 0;
}
