/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SYS_H
#define LIB_SYS_H

/*
 * The seam to the kernel: system calls as they are, failures as -errno.
 * Kernel structures that libc does not declare stop here.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define sys_result(call)                                \
	({                                              \
		__typeof__(call) sys_result_ = (call);  \
		sys_result_ < 0 ? -errno : sys_result_; \
	})

static inline int sys_openat(int dir, const char *path, int flags, unsigned mode)
{
	return sys_result(openat(dir, path, flags | O_CLOEXEC, mode));
}

static inline int sys_fstat(int fd, struct stat *st)
{
	return sys_result(fstat(fd, st));
}

static inline int sys_mmap(size_t size, int protection, int fd, off_t offset, void **out)
{
	void *map = mmap(NULL, size, protection, MAP_SHARED, fd, offset);

	if (map == MAP_FAILED)
		return -errno;
	*out = map;
	return 0;
}

/* A copy of a descriptor that no COMMAND inherits. */
static inline int sys_dup(int fd)
{
	return sys_result(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

static inline int sys_pidfd_open(pid_t pid)
{
	return (int)sys_result(syscall(SYS_pidfd_open, pid, 0));
}

static inline int sys_pidfd_getfd(int pidfd, int fd)
{
	return (int)sys_result(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
}

/* timeout NULL: without limit. */
static inline int sys_poll(int fd, short events, const struct timespec *timeout)
{
	struct pollfd poll = { .fd = fd, .events = events };

	return sys_result(ppoll(&poll, 1, timeout, NULL));
}

/* Reads without waiting, whatever the descriptor's flags say. */
static inline ssize_t sys_read_now(int fd, void *buffer, size_t size)
{
	struct iovec part = { .iov_base = buffer, .iov_len = size };

	return sys_result(preadv2(fd, &part, 1, -1, RWF_NOWAIT));
}

static inline int sys_semtimedop(int id, struct sembuf *ops, size_t n, const struct timespec *timeout)
{
	return sys_result(semtimedop(id, ops, n, timeout));
}

/* The fourth argument of semctl(2), which its callers have to declare. */
union sys_semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

static inline int sys_semctl(int id, int index, int command, union sys_semun arg)
{
	return sys_result(semctl(id, index, command, arg));
}

/* A lock on a range of a file; command: F_OFD_SETLK, F_OFD_SETLKW, F_SETLK or F_SETLKW. */
static inline int sys_lock(int fd, int command, short type, off_t start, off_t length)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };

	return sys_result(fcntl(fd, command, &lock));
}

#endif
