/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "limit.h"
#include "sys.h"

#include <ipckit/channel.h>
#include <ipckit/pipe.h>
#include <sys/ioctl.h>

static int check_pipe(int fd)
{
	struct stat st;
	int r = sys_fstat(fd, &st);

	if (r)
		return r;
	return S_ISFIFO(st.st_mode) ? 0 : -EBADMSG;
}

int ipckit_pipe_capacity(int fd, uint64_t *out)
{
	int size, r = check_pipe(fd);

	if (r)
		return r;
	size = sys_result(fcntl(fd, F_GETPIPE_SZ));
	if (size < 0)
		return size;
	*out = (uint64_t)size;
	return 0;
}

int ipckit_pipe_bytes(int fd, uint64_t *out)
{
	int bytes, r = check_pipe(fd);

	if (r)
		return r;
	r = sys_result(ioctl(fd, FIONREAD, &bytes));
	if (!r)
		*out = (uint64_t)bytes;
	return r;
}

int ipckit_pipe_set_capacity(int fd, uint64_t size, uint64_t *out)
{
	int now, r = check_pipe(fd);

	if (r)
		return r;
	/* The kernel would look at the lower half alone. */
	if (size > UINT32_MAX)
		return -EINVAL;
	now = sys_result(fcntl(fd, F_SETPIPE_SZ, (int)size));
	if (now < 0)
		return now;
	*out = (uint64_t)now;
	return 0;
}

void ipckit_pipe_grow(int fd, uint64_t most)
{
	uint64_t now;

	if (ipckit_pipe_capacity(fd, &now))
		return;
	/* Half of what is refused, until it is not. */
	for (uint64_t size = most; size > now; size /= 2)
		if (!ipckit_pipe_set_capacity(fd, size, &now))
			return;
}

/* ---- limits ---- */

/* The kernel counts them in powers of two. */
static int64_t pages_for(uint64_t bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), room = page;

	while (room < bytes)
		room *= 2;
	return (int64_t)(room / page);
}

/* Of the pages of all pipes of a user there are two limits, 0: none. The lower one is what was reached. */
static int limit_of_pages(uint64_t wanted, struct ipckit_limit *out)
{
	struct ipckit_maybe soft = limit_sysctl("fs/pipe-user-pages-soft");
	struct ipckit_maybe hard = limit_sysctl("fs/pipe-user-pages-hard");
	bool is_hard = hard.known && hard.value && (!soft.known || !soft.value || hard.value < soft.value);
	const char *name = is_hard ? "fs.pipe-user-pages-hard" : "fs.pipe-user-pages-soft";
	struct ipckit_limit limit = limit_make(name, is_hard ? hard : soft, "pages",
					       "memory that all pipes of one user may have together");

	if (!limit.value.known || !limit.value.value)
		return -ENOENT;
	return limit_hit(limit, ipckit_known(pages_for(wanted)), out);
}

int ipckit_pipe_limit_hit(int error, uint64_t wanted, struct ipckit_limit *out)
{
	struct ipckit_limit most = limit_make("fs.pipe-max-size", limit_sysctl("fs/pipe-max-size"), "bytes",
					      "what one pipe can hold");

	if (error != EPERM || wanted > INT64_MAX)
		return -ENOENT;
	if (limit_is_beyond(&most, (int64_t)wanted))
		return limit_hit(most, ipckit_known((int64_t)wanted), out);
	return limit_of_pages(wanted, out);
}

/* ---- those of others ---- */

static bool is_it(int fd, const struct ipckit_channel_info *info)
{
	struct stat st;

	return !sys_fstat(fd, &st) && S_ISFIFO(st.st_mode) && st.st_ino == info->inode &&
	       (info->kind == IPCKIT_CHANNEL_PIPE || st.st_dev == info->device);
}

/* A copy is no end of its own: nobody sees it come or go. */
static int copy(const struct ipckit_channel_user *user, const struct ipckit_channel_info *info)
{
	int fd, r = ipckit_process_fd(user->pid, user->fd, &fd);

	if (r)
		return r;
	if (is_it(fd, info))
		return fd;
	/* By that number it has another file by now. */
	close(fd);
	return -EBADF;
}

static int copy_of_any(const struct ipckit_channel_info *info)
{
	bool denied = false;
	int fd;

	for (size_t i = 0; i < info->nusers; i++) {
		fd = copy(&info->users[i], info);
		if (fd >= 0 || sys_lacks_resources(fd))
			return fd;
		denied |= sys_is_denial(fd);
	}
	return denied ? -EPERM : -ENXIO;
}

static int open_own(int fd, int *out)
{
	int copy, r = check_pipe(fd);

	if (r)
		return r;
	copy = sys_dup(fd);
	if (copy < 0)
		return copy;
	*out = copy;
	return 0;
}

int ipckit_pipe_open(const struct ipckit_name *name, int *out)
{
	struct ipckit_channel_info info;
	int fd, r;

	if (name->kind == IPCKIT_NAME_FD && !name->pid)
		return open_own(name->fd, out);
	r = ipckit_channel_stat(name, &info);
	if (r)
		return r;
	fd = -EBADMSG;
	if (info.kind == IPCKIT_CHANNEL_FIFO || info.kind == IPCKIT_CHANNEL_PIPE)
		fd = copy_of_any(&info);
	ipckit_channel_info_free(&info);
	if (fd < 0)
		return fd;
	*out = fd;
	return 0;
}
