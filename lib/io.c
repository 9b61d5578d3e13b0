/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

/* What a terminal takes at once when poll(2) says that it can be written to, or nearly so. */
#define LITTLE 256
#define MEMORY_DEVICES 1 /* the major number of /dev/null and its kin; of /dev/kmsg, which waits, too */

/* ---- what it is ---- */

static enum io_kind kind_of_socket(int fd)
{
	int type;

	if (sys_socket_option(fd, SO_TYPE, &type))
		return IO_DEVICE;
	return type == SOCK_STREAM ? IO_STREAM : IO_MESSAGES;
}

static bool is_network(int fd)
{
	int domain;

	return !sys_socket_option(fd, SO_DOMAIN, &domain) && domain != AF_UNIX;
}

static bool never_waits(dev_t device)
{
	enum { NULL_DEVICE = 3, ZERO = 5, FULL = 7, URANDOM = 9 };
	unsigned number = minor(device);

	return major(device) == MEMORY_DEVICES &&
	       (number == NULL_DEVICE || number == ZERO || number == FULL || number == URANDOM);
}

static enum io_kind kind_of(int fd, const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return IO_FILE;
	case S_IFBLK:
		return IO_BLOCK;
	case S_IFIFO:
		return IO_PIPE;
	case S_IFSOCK:
		return kind_of_socket(fd);
	case S_IFCHR:
		return never_waits(st->st_rdev) ? IO_NULL : IO_DEVICE;
	}
	return IO_DEVICE;
}

static enum io_way way_of(enum io_kind kind)
{
	switch (kind) {
	case IO_FILE:
	case IO_BLOCK:
	case IO_NULL:
		return IO_AS_IT_IS;
	case IO_STREAM:
	case IO_MESSAGES:
		return IO_BY_CALL;
	case IO_PIPE:
	case IO_DEVICE:
		break;
	}
	return IO_NOWAIT;
}

static int check_access(int fd, int access, const struct stat *st)
{
	int flags = sys_result(fcntl(fd, F_GETFL));

	if (flags < 0)
		return flags;
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (flags & O_PATH)
		return -EBADF;
	return (flags & O_ACCMODE) == O_RDWR || (flags & O_ACCMODE) == access ? 0 : -EBADF;
}

static bool is_limited(enum io_kind kind)
{
	struct rlimit limit;

	return kind == IO_FILE && !getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY;
}

int io_open(int fd, int flags, struct io *out)
{
	struct io io = { .fd = fd, .own = fd, .writes = flags == O_WRONLY };
	int r = sys_fstat(fd, &io.st);

	r = r ?: check_access(fd, flags, &io.st);
	if (r)
		return r;
	io.kind = kind_of(fd, &io.st);
	io.way = way_of(io.kind);
	io.limited = io.writes && is_limited(io.kind);
	io.network = io.writes && io.kind == IO_STREAM && is_network(fd);
	*out = io;
	return 0;
}

void io_close(struct io *io)
{
	if (io->own != io->fd)
		close(io->own);
	io->own = io->fd;
}

/* ---- ways ---- */

static bool is_master(int fd)
{
	unsigned number;

	return !ioctl(fd, TIOCGPTN, &number);
}

/*
 * Of a pipe or a terminal. The master of one would be a new terminal, and other devices may have their own
 * ways.
 */
static int open_own(const struct io *io)
{
	char path[SYS_SELF_PATH];

	if (io->kind != IO_PIPE && (!isatty(io->fd) || is_master(io->fd)))
		return -EOPNOTSUPP;
	sys_self_path(io->fd, path);
	return sys_openat(AT_FDCWD, path, (io->writes ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY, 0);
}

/* Another way, where the kernel does not know RWF_NOWAIT for it. */
static void go_another_way(struct io *io)
{
	int own, flags = fcntl(io->fd, F_GETFL);

	if (flags >= 0 && flags & O_NONBLOCK) {
		io->way = IO_AS_IT_IS;
		return;
	}
	own = open_own(io);
	io->way = own >= 0 ? IO_OWN : IO_POLLED;
	if (own >= 0)
		io->own = own;
}

static bool is_ready(const struct io *io)
{
	struct pollfd polled = io_poll(io);

	return poll(&polled, 1, 0) > 0;
}

/* ---- reading ---- */

ssize_t io_receive(struct io *io, void *buffer, size_t size, struct ipckit_address *sender)
{
	struct iovec part = { .iov_base = buffer, .iov_len = size };
	struct msghdr message = {
		.msg_name = sender ? &sender->at : NULL,
		.msg_namelen = sender ? sizeof(sender->at) : 0,
		.msg_iov = &part,
		.msg_iovlen = 1,
	};
	ssize_t n = sys_result(recvmsg(io->fd, &message, MSG_DONTWAIT | MSG_TRUNC));

	if (n < 0)
		return n == -EINTR ? -EAGAIN : n;
	if (sender)
		sender->length = message.msg_namelen;
	/* There was more, for which there is no room here; the end brings nothing. */
	io->marked = message.msg_flags & MSG_CTRUNC;
	return n;
}

static ssize_t receive(struct io *io, void *buffer, size_t size)
{
	ssize_t n;

	if (io->kind == IO_STREAM)
		return sys_result(recv(io->fd, buffer, size, MSG_DONTWAIT));
	n = io_receive(io, buffer, size, NULL);
	return n > 0 && (size_t)n > size ? -EMSGSIZE : n;
}

static ssize_t read_once(struct io *io, void *buffer, size_t size)
{
	switch (io->way) {
	case IO_BY_CALL:
		return receive(io, buffer, size);
	case IO_NOWAIT:
		return sys_read_now(io->fd, buffer, size);
	case IO_POLLED:
		if (!is_ready(io))
			return -EAGAIN;
		break;
	case IO_AS_IT_IS:
	case IO_OWN:
		break;
	}
	return sys_result(read(io->own, buffer, size));
}

ssize_t io_read(struct io *io, void *buffer, size_t size)
{
	ssize_t r = read_once(io, buffer, size);

	if (r == -EOPNOTSUPP && io->way == IO_NOWAIT) {
		go_another_way(io);
		r = read_once(io, buffer, size);
	}
	if (r == -EINTR)
		return -EAGAIN;
	/* Nobody has the other side of the terminal open. */
	return r == -EIO && io->kind == IO_DEVICE && is_master(io->fd) ? 0 : r;
}

bool io_is_over(const struct io *io)
{
	struct pollfd polled = { .fd = io->fd, .events = POLLRDHUP };
	int bytes;

	if (io->kind != IO_MESSAGES)
		return true;
	if (io->marked)
		return false;
	if (poll(&polled, 1, 0) <= 0 || !(polled.revents & (POLLRDHUP | POLLHUP)))
		return false;
	return ioctl(io->fd, FIONREAD, &bytes) || !bytes;
}

/* ---- writing ---- */

ssize_t io_room(const struct io *io, size_t size)
{
	struct rlimit limit;
	struct stat st;
	off_t at;

	if (size > SSIZE_MAX)
		size = SSIZE_MAX;
	if (!io->limited || getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return (ssize_t)size;
	at = lseek(io->fd, 0, SEEK_CUR);
	if (fcntl(io->fd, F_GETFL) & O_APPEND)
		at = fstat(io->fd, &st) ? 0 : st.st_size;
	if (at < 0)
		return (ssize_t)size;
	if ((rlim_t)at >= limit.rlim_cur)
		return -EFBIG;
	return (ssize_t)(size < limit.rlim_cur - (rlim_t)at ? size : limit.rlim_cur - (rlim_t)at);
}

static ssize_t write_once(struct io *io, const void *buffer, size_t size)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)buffer, .iov_len = size };
	size_t little = io->kind == IO_PIPE ? PIPE_BUF : LITTLE;

	switch (io->way) {
	case IO_BY_CALL:
		return sys_result(send(io->fd, buffer, size, MSG_DONTWAIT | MSG_NOSIGNAL));
	case IO_NOWAIT:
		return sys_result(pwritev2(io->fd, &part, 1, -1, RWF_NOWAIT));
	case IO_POLLED:
		if (!is_ready(io))
			return -EAGAIN;
		return sys_result(write(io->fd, buffer, size < little ? size : little));
	case IO_AS_IT_IS:
	case IO_OWN:
		break;
	}
	return sys_result(write(io->own, buffer, size));
}

ssize_t io_write(struct io *io, const void *buffer, size_t size)
{
	ssize_t r = io_room(io, size);

	if (r < 0)
		return r;
	size = (size_t)r;
	r = write_once(io, buffer, size);
	if (r == -EOPNOTSUPP && io->way == IO_NOWAIT) {
		go_another_way(io);
		r = write_once(io, buffer, size);
	}
	return r == -EINTR ? -EAGAIN : r;
}

int io_gone(const struct io *io, short revents)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (revents & POLLNVAL)
		return -EBADF;
	if (!(revents & (POLLERR | POLLHUP)))
		return 0;
	switch (io->kind) {
	case IO_STREAM:
	case IO_MESSAGES:
		if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &size))
			return -errno;
		if (error)
			return -error;
		return io->kind == IO_STREAM || revents & POLLHUP ? -EPIPE : 0;
	case IO_PIPE:
		return -EPIPE;
	case IO_FILE:
	case IO_BLOCK:
	case IO_NULL:
	case IO_DEVICE:
		break;
	}
	return revents & POLLHUP ? -EIO : 0;
}
