/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc-scan.h"
#include "proc.h"
#include "sys.h"

#include <ipckit/pipe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>

/* How often who cannot be interrupted looks again. */
#define LOOK_NS INT64_C(2000000)

static int check(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return -ELOOP;
	return S_ISFIFO(st->st_mode) ? 0 : -EBADMSG;
}

static int look(const char *path)
{
	struct stat st;

	return sys_result(lstat(path, &st)) ?: check(&st);
}

/* ---- making ---- */

/* The bits that are taken away from a new file's mode; all where that cannot be known. */
static unsigned own_umask(void)
{
	char text[1024], *line;
	const char *p;
	uint64_t mask;

	if (proc_read_into(AT_FDCWD, "/proc/self/status", text, sizeof(text)) < 0)
		return 0777;
	line = strstr(text, "\nUmask:");
	if (!line)
		return 0777;
	p = line + strlen("\nUmask:");
	scan_blanks(&p);
	return scan_number(&p, 8, &mask) ? (unsigned)mask & 0777 : 0777;
}

/* What somebody else has put there meanwhile stays as it is. */
static int set_mode(const char *path, unsigned mode)
{
	struct stat st;
	char self[SYS_SELF_PATH];
	int fd = sys_openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0);
	int r;

	if (fd < 0)
		return fd;
	r = sys_fstat(fd, &st) ?: check(&st);
	if (!r && st.st_uid == geteuid()) {
		sys_self_path(fd, self);
		r = sys_result(chmod(self, mode));
	}
	close(fd);
	return r;
}

static int make_at(const char *path, unsigned mode)
{
	struct stat st;
	int r = sys_result(mkfifo(path, mode));

	if (r)
		return r;
	r = sys_result(lstat(path, &st));
	/* A directory's list (acl(5)) takes bits away, too. */
	if (!r && (st.st_mode & 07777) != mode) {
		r = set_mode(path, mode);
		if (r)
			unlink(path);
	}
	return r;
}

static int publish(const char *from, const char *to)
{
	int r = sys_result(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE));

	/* Not every file system has that. */
	if (r == -EINVAL)
		r = sys_result(link(from, to)) ?: sys_result(unlink(from));
	if (r)
		unlink(from);
	return r;
}

/* Under another name until it has its mode. */
static int make_beside(const char *path, unsigned mode)
{
	const char *name = strrchr(path, '/');
	unsigned long long random;
	char *beside;
	int r;

	if (getrandom(&random, sizeof(random), GRND_INSECURE) != sizeof(random))
		return -EIO;
	if (asprintf(&beside, "%.*s.fifo-%016llx", name ? (int)(name + 1 - path) : 0, path, random) < 0)
		return -ENOMEM;
	r = make_at(beside, mode) ?: publish(beside, path);
	free(beside);
	return r;
}

static int make(const char *path, unsigned mode)
{
	return mode & own_umask() ? make_beside(path, mode) : make_at(path, mode);
}

int ipckit_fifo_create(const char *path, unsigned mode, bool exclusive, bool *created)
{
	int r;

	do {
		r = make(path, mode & 07777);
		if (!r)
			*created = true;
		if (r != -EEXIST || exclusive)
			return r;
		r = look(path);
	} while (r == -ENOENT);
	if (!r)
		*created = false;
	return r;
}

int ipckit_fifo_remove(const char *path)
{
	return look(path) ?: sys_result(unlink(path));
}

/* ---- opening ---- */

/* May be exchanged before it is opened, but for nothing that an opening would block at or change. */
static int open_now(const char *path, int flags, int *out)
{
	struct stat st;
	int r = look(path), fd;

	if (r)
		return r;
	fd = sys_openat(AT_FDCWD, path, flags | O_NOFOLLOW | O_NOCTTY, 0);
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
 * A signal that comes just before the call is followed by others, see ipckit/deadline.h. It is tried even where
 * the deadline has passed: who waits at the other end is found by the call alone.
 */
static int open_blocking(const char *path, int flags, const struct ipckit_deadline *deadline, int *out)
{
	int r;

	do {
		r = open_now(path, flags, out);
		if (r != -EINTR)
			return r;
		r = ipckit_deadline_left(deadline, NULL);
	} while (!r);
	return r;
}

/* Somebody writes, or has left something to be read. tee(2) alone tells that without taking anything. */
static int has_writer(int fd, const int scratch[2])
{
	ssize_t n = sys_result(tee(fd, scratch[1], 1, SPLICE_F_NONBLOCK));

	if (n == -EAGAIN || n > 0)
		return 0;
	return n ? (int)n : -EAGAIN;
}

static int await_writer(int fd, const struct ipckit_deadline *deadline)
{
	int scratch[2], r, late = 0;

	r = sys_result(pipe2(scratch, O_CLOEXEC));
	if (r)
		return r;
	do {
		r = has_writer(fd, scratch);
		if (r != -EAGAIN || late)
			break;
		/* Looked at once more after the end: this reader may have been what a writer waited for. */
		late = ipckit_deadline_sleep(deadline, LOOK_NS);
	} while (true);
	close(scratch[0]);
	close(scratch[1]);
	return r == -EAGAIN ? late : r;
}

static int open_to_read(const char *path, const struct ipckit_deadline *deadline, int *out)
{
	int fd, r = open_now(path, O_RDONLY | O_NONBLOCK, &fd);

	if (r)
		return r;
	r = await_writer(fd, deadline);
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

static int open_to_write(const char *path, const struct ipckit_deadline *deadline, int *out)
{
	int r;

	while ((r = open_now(path, O_WRONLY | O_NONBLOCK, out)) == -ENXIO) {
		r = ipckit_deadline_sleep(deadline, LOOK_NS);
		if (r)
			break;
	}
	return r;
}

/* For calls that nothing would interrupt. */
static int open_looking(const char *path, int flags, const struct ipckit_deadline *deadline, int *out)
{
	bool writes = (flags & O_ACCMODE) == O_WRONLY;
	int r = writes ? open_to_write(path, deadline, out) : open_to_read(path, deadline, out);

	if (!r)
		(void)!fcntl(*out, F_SETFL, flags);
	return r;
}

int ipckit_fifo_open(const char *path, int flags, const struct ipckit_deadline *deadline, int *out)
{
	if ((flags & O_ACCMODE) == O_RDWR)
		return open_now(path, flags, out);
	if (deadline->kind == IPCKIT_DEADLINE_NONE || (deadline->kind == IPCKIT_DEADLINE_AT && deadline->stop))
		return open_blocking(path, flags, deadline, out);
	return open_looking(path, flags, deadline, out);
}

/* ---- its other end ---- */

static int open_again(int fd, int flags, int *out)
{
	char self[SYS_SELF_PATH];
	int r;

	sys_self_path(fd, self);
	r = sys_openat(AT_FDCWD, self, flags | O_NONBLOCK, 0);
	if (r < 0)
		return r;
	*out = r;
	return 0;
}

static bool is_for(int fd, int access)
{
	return (fcntl(fd, F_GETFL) & O_ACCMODE) == access;
}

int ipckit_fifo_other(int fd, int *out)
{
	return open_again(fd, is_for(fd, O_RDONLY) ? O_WRONLY : O_RDONLY, out);
}

static bool says(int fd, short event)
{
	struct pollfd polled = { .fd = fd };

	return poll(&polled, 1, 0) > 0 && polled.revents & event;
}

/* A descriptor for the other direction, in place of this one. */
static int turn(int *fd, int flags)
{
	int other, r = open_again(*fd, flags, &other);

	if (r)
		return r;
	close(*fd);
	*fd = other;
	return 0;
}

/*
 * Who alone reads is told that nobody writes, and who alone writes that nobody reads: this process is one after
 * the other.
 */
static int check_alone(int *fd, bool *alone)
{
	int r = is_for(*fd, O_RDONLY) ? 0 : turn(fd, O_RDONLY);

	if (r || !says(*fd, POLLHUP))
		return r;
	r = turn(fd, O_WRONLY);
	if (!r)
		*alone = says(*fd, POLLERR);
	return r;
}

int ipckit_fifo_leave(int fd, uint64_t *lost)
{
	bool alone = false;
	uint64_t bytes;
	int r = ipckit_pipe_bytes(fd, &bytes);

	if (!r && bytes)
		r = check_alone(&fd, &alone) ?: ipckit_pipe_bytes(fd, &bytes);
	close(fd);
	if (!r)
		*lost = alone ? bytes : 0;
	return r;
}
