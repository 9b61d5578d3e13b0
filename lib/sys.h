/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SYS_H
#define LIB_SYS_H

/*
 * The seam to the kernel: system calls as they are, failures as -errno.
 * Kernel structures that libc does not declare stop here.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
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

/* What is the caller's own trouble, and must not be taken for what it looks at. */
static inline bool sys_lacks_resources(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

/* That alone: all else is taken for what cannot be seen. */
static inline int sys_own_trouble(int r)
{
	return sys_lacks_resources(r) ? r : 0;
}

/* Rights are missing: what is there may not be looked at. */
static inline bool sys_is_denial(int r)
{
	return r == -EACCES || r == -EPERM;
}

/* An option of SOL_SOCKET that is an int. */
static inline int sys_socket_option(int fd, int option, int *out)
{
	socklen_t size = sizeof(*out);

	return sys_result(getsockopt(fd, SOL_SOCKET, option, out, &size));
}

/* 0: both have the same; 1, 2: not, in an order; -errno. type: KCMP_VM, KCMP_FILES. */
static inline int sys_kcmp(pid_t one, pid_t other, int type)
{
	return (int)sys_result(syscall(SYS_kcmp, one, other, type, 0, 0));
}

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

/* Private memory, all 0. */
static inline int sys_reserve(size_t size, void **out)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return -errno;
	*out = map;
	return 0;
}

/* In place of what is mapped there. */
static inline int sys_mmap_over(void *at, size_t size, int protection, int fd, off_t offset)
{
	return mmap(at, size, protection, MAP_SHARED | MAP_FIXED, fd, offset) == MAP_FAILED ? -errno : 0;
}

/* Moves what is mapped, in place of what is mapped there. */
static inline int sys_mremap_over(void *at, size_t size, void *from)
{
	return mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, at) == MAP_FAILED ? -errno : 0;
}

/* A path to what is behind a descriptor, whatever its name is by now. */
#define SYS_SELF_PATH 32
static inline void sys_self_path(int fd, char path[SYS_SELF_PATH])
{
	snprintf(path, SYS_SELF_PATH, "/proc/self/fd/%d", fd);
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

/*
 * timeout NULL: without limit. It comes back up to a millisecond early: after a stop and
 * continue ppoll(2) begins anew with what was left, and poll(2) keeps to its time.
 */
static inline int sys_poll(int fd, short events, const struct timespec *timeout)
{
	struct pollfd polled = { .fd = fd, .events = events };

	if (!timeout)
		return sys_result(poll(&polled, 1, -1));
	if (!timeout->tv_sec && timeout->tv_nsec < 1000000)
		return sys_result(ppoll(&polled, 1, timeout, NULL));
	if (timeout->tv_sec >= INT_MAX / 1000)
		return sys_result(poll(&polled, 1, INT_MAX));
	return sys_result(poll(&polled, 1, (int)(timeout->tv_sec * 1000 + timeout->tv_nsec / 1000000)));
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

static inline int sys_msgget(key_t key, int flags)
{
	return sys_result(msgget(key, flags));
}

static inline int sys_msgctl(int id, int command, struct msqid_ds *ds)
{
	return sys_result(msgctl(id, command, ds));
}

/* The limits on queues; command: IPC_INFO, or MSG_INFO for what is in use. */
static inline int sys_msginfo(int command, struct msginfo *info)
{
	return sys_result(msgctl(0, command, (struct msqid_ds *)(void *)info));
}

static inline int sys_msgsnd(int id, const void *message, size_t size, int flags)
{
	return sys_result(msgsnd(id, message, size, flags));
}

static inline ssize_t sys_msgrcv(int id, void *message, size_t room, long type, int flags)
{
	return sys_result(msgrcv(id, message, room, type, flags));
}

static inline int sys_shmget(key_t key, size_t size, int flags)
{
	return sys_result(shmget(key, size, flags));
}

static inline int sys_shmctl(int id, int command, struct shmid_ds *ds)
{
	return sys_result(shmctl(id, command, ds));
}

/* What of segments is in use. */
static inline int sys_shm_info(struct shm_info *info)
{
	return sys_result(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)info));
}

/* flags: SHM_RDONLY or 0. */
static inline int sys_shmat(int id, int flags, void **out)
{
	void *map = shmat(id, NULL, flags);

	if (map == MAP_FAILED)
		return -errno;
	*out = map;
	return 0;
}

static inline int sys_shmdt(const void *map)
{
	return sys_result(shmdt(map));
}

static inline int sys_mq_open(const char *name, int flags)
{
	return sys_result(mq_open(name, flags | O_CLOEXEC));
}

/* attr NULL: as the kernel has it by default. */
static inline int sys_mq_create(const char *name, unsigned mode, struct mq_attr *attr)
{
	return sys_result(mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode, attr));
}

static inline int sys_mq_unlink(const char *name)
{
	return sys_result(mq_unlink(name));
}

static inline int sys_mq_send(int fd, const void *data, size_t size, unsigned priority)
{
	return sys_result(mq_send(fd, data, size, priority));
}

static inline ssize_t sys_mq_receive(int fd, void *data, size_t room, unsigned *priority)
{
	return sys_result(mq_receive(fd, data, room, priority));
}

static inline int sys_mq_getattr(int fd, struct mq_attr *out)
{
	return sys_result(mq_getattr(fd, out));
}

/* Sets O_NONBLOCK, which is all that can be changed. */
static inline int sys_mq_set_flags(int fd, long flags)
{
	struct mq_attr attr = { .mq_flags = flags };

	return sys_result(mq_setattr(fd, &attr, NULL));
}

static inline int sys_mq_notify(int fd, const struct sigevent *event)
{
	return sys_result(mq_notify(fd, event));
}

/* timeout NULL: without limit. */
static inline int sys_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	return sys_result(sigtimedwait(set, info, timeout));
}

/* A lock on a range of a file; command: F_OFD_SETLK, F_OFD_SETLKW, F_SETLK or F_SETLKW. */
static inline int sys_lock(int fd, int command, short type, off_t start, off_t length)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };

	return sys_result(fcntl(fd, command, &lock));
}

#endif
