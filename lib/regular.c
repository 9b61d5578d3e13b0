/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "regular.h"
#include "sys.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

/* What is reserved in one call: a signal that ends it takes back no more than this. */
#define PART (64ull << 20)

static int check(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return -ELOOP;
	return S_ISREG(st->st_mode) ? 0 : -EBADMSG;
}

int regular_find(const char *path, int *out)
{
	struct stat st;
	int fd = sys_openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0);
	int r;

	if (fd < 0)
		return fd;
	r = sys_fstat(fd, &st) ?: check(&st);
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

/*
 * Looked at first, so that what was planted is left alone; looked at again once
 * it is open, since it may have been exchanged. An opening that neither blocks nor
 * makes a terminal its own is harmless in between.
 */
int regular_open(const char *path, int flags, struct stat *st, int *out)
{
	int fd;
	int r = sys_result(lstat(path, st)) ?: check(st);

	if (r)
		return r;
	/* EAGAIN: somebody asks for a moment whether it is in use; see sem-lease.c. */
	while ((fd = sys_openat(AT_FDCWD, path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0)) == -EAGAIN)
		usleep(100);
	if (fd < 0)
		return fd;
	r = sys_fstat(fd, st) ?: check(st);
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

int regular_chmod(const char *path, unsigned mode)
{
	char self[SYS_SELF_PATH];
	int fd;
	int r = regular_find(path, &fd);

	if (r)
		return r;
	sys_self_path(fd, self);
	r = sys_result(chmod(self, mode));
	close(fd);
	return r;
}

int regular_chown(const char *path, uid_t uid, gid_t gid)
{
	int fd;
	int r = regular_find(path, &fd);

	if (r)
		return r;
	r = sys_result(fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
	close(fd);
	return r;
}

/* ---- making ---- */

int regular_make(const char *directory, int *out)
{
	int fd = sys_openat(AT_FDCWD, directory, O_TMPFILE | O_RDWR, 0600);

	if (fd < 0)
		return fd;
	*out = fd;
	return 0;
}

int regular_publish(int fd, const char *path)
{
	char self[SYS_SELF_PATH];
	int r;

	sys_self_path(fd, self);
	r = sys_result(linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW));
	/* Without /proc; before Linux 6.10 for the privileged alone. */
	return r == -ENOENT ? sys_result(linkat(fd, "", AT_FDCWD, path, AT_EMPTY_PATH)) : r;
}

int regular_check_size(uint64_t size)
{
	struct rlimit limit;

	return !getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur < size ? -EFBIG : 0;
}

/* What can only fail would still take all space from others for a moment. */
static int check_room(int fd, uint64_t size)
{
	struct statvfs st;
	uint64_t room;

	if (fstatvfs(fd, &st) || !st.f_blocks || __builtin_mul_overflow(st.f_bfree, st.f_frsize, &room))
		return 0;
	return size > room ? -ENOSPC : 0;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Beyond the end, which stays where it is. */
static int reserve(int fd, uint64_t from, uint64_t to)
{
	int r;

	for (uint64_t at = from; at < to; at += smaller(to - at, PART)) {
		do {
			r = sys_result(fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)at,
						 (off_t)smaller(to - at, PART)));
		} while (r == -EINTR);
		if (r)
			return r;
	}
	return 0;
}

static void let_go(int fd)
{
	struct stat st;

	/* It may have another size by now. */
	if (!sys_fstat(fd, &st))
		(void)!ftruncate(fd, st.st_size);
}

/* On the last page there may stand what was stored behind the end by way of a mapping. */
static int clear_tail(int fd, uint64_t from, uint64_t to)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), size = smaller(-from & (page - 1), to - from);

	if (!size)
		return 0;
	return sys_result(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)size));
}

/* Where the file system cannot reserve, libc does it by writing. */
static int grow_by_writing(int fd, uint64_t from, uint64_t to)
{
	int r;

	do {
		r = -posix_fallocate(fd, (off_t)from, (off_t)(to - from));
	} while (r == -EINTR);
	if (r)
		(void)!ftruncate(fd, (off_t)from);
	return r;
}

int regular_grow(int fd, uint64_t from, uint64_t to)
{
	int r = regular_check_size(to) ?: check_room(fd, to - from);

	if (r)
		return r;
	r = clear_tail(fd, from, to) ?: reserve(fd, from, to);
	if (r == -EOPNOTSUPP)
		return grow_by_writing(fd, from, to);
	if (!r)
		r = sys_result(ftruncate(fd, (off_t)to));
	if (r)
		let_go(fd);
	return r;
}

int regular_fill(int fd, uint64_t size, unsigned char byte)
{
	char part[65536];
	uint64_t done = 0;
	ssize_t n;
	int r = regular_check_size(size) ?: check_room(fd, size);

	memset(part, byte, sizeof(part));
	while (!r && done < size) {
		n = sys_result(pwrite(fd, part, smaller(size - done, sizeof(part)), (off_t)done));
		if (n > 0)
			done += (uint64_t)n;
		else if (n != -EINTR)
			r = n ? (int)n : -ENOSPC;
	}
	return r;
}
