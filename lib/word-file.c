/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "regular.h"
#include "sem-backend.h"
#include "sys.h"
#include "word-file.h"

#include <ipckit/word.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#define PART 16384u /* words written at once */

static int path_of(const struct ipckit_name *name, char path[PATH_MAX])
{
	if (name->kind == IPCKIT_NAME_SHM)
		return sem_posix_path(name, path, PATH_MAX);
	if (strlen(name->text) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(path, name->text);
	return 0;
}

/* Without its directory nothing can be there, and nothing be made. */
static int tell_mount(const struct ipckit_name *name, int r)
{
	return r == -ENOENT && name->kind == IPCKIT_NAME_SHM && access(SEM_DIRECTORY, F_OK) ? -ENODEV : r;
}

/* Cuts a path, which has a slash, after its directory. Returns its last component. */
static const char *cut_directory(const char *path, char directory[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t length = slash == path ? 1 : (size_t)(slash - path);

	memcpy(directory, path, length);
	directory[length] = '\0';
	return slash + 1;
}

/* ---- links of processes ---- */

static int check_proc(int fd)
{
	struct statfs fs;

	return sys_result(fstatfs(fd, &fs)) ?: fs.f_type == PROC_SUPER_MAGIC ? 0 : -ELOOP;
}

/* What a link in a proc file system leads to, not opened yet. Others are -ELOOP. */
static int find_target(const char *path, int *out)
{
	char directory[PATH_MAX];
	const char *last = cut_directory(path, directory);
	int dir = sys_openat(AT_FDCWD, directory, O_PATH | O_DIRECTORY, 0);
	int r;

	if (dir < 0)
		return dir;
	r = check_proc(dir);
	if (!r)
		r = sys_openat(dir, last, O_PATH, 0);
	close(dir);
	if (r < 0)
		return r;
	*out = r;
	return 0;
}

static int reopen(int target, int flags, struct stat *st, int *out)
{
	char self[SYS_SELF_PATH];
	int fd, r = sys_fstat(target, st);

	if (r)
		return r;
	if (!S_ISREG(st->st_mode))
		return -EBADMSG;
	sys_self_path(target, self);
	/* EAGAIN: see regular_open(). */
	while ((fd = sys_openat(AT_FDCWD, self, flags | O_NONBLOCK | O_NOCTTY, 0)) == -EAGAIN)
		usleep(100);
	if (fd < 0)
		return fd;
	*out = fd;
	return 0;
}

static int open_behind(const char *path, int flags, struct stat *st, int *out)
{
	int target;
	int r = find_target(path, &target);

	if (r)
		return r;
	r = reopen(target, flags, st, out);
	close(target);
	return r;
}

int word_file_open(const struct ipckit_name *name, int flags, struct stat *st, int *out)
{
	char path[PATH_MAX];
	int r = path_of(name, path);

	if (r)
		return r;
	r = regular_open(path, flags, st, out);
	if (r == -ELOOP && name->kind == IPCKIT_NAME_PLACE)
		r = open_behind(path, flags, st, out);
	return tell_mount(name, r);
}

/* ---- making ---- */

static int write_words(int fd, uint64_t words, uint32_t value)
{
	uint32_t part[PART];
	uint64_t done = 0, size = words * sizeof(value);
	ssize_t n;

	for (size_t i = 0; i < PART; i++)
		part[i] = value;
	while (done < size) {
		/* A count that is no multiple of 4 leaves the rest of a word to the next. */
		size_t begin = done % sizeof(value), room = sizeof(part) - begin;

		n = sys_result(pwrite(fd, (const char *)part + begin, size - done < room ? (size_t)(size - done) : room,
				      (off_t)done));
		if (n > 0)
			done += (uint64_t)n;
		else if (n != -EINTR)
			return n ? (int)n : -ENOSPC;
	}
	return 0;
}

/* A file without a name yet, that already is as it is to be. */
static int make(const char *directory, const struct ipckit_word_spec *spec, int *out)
{
	int fd;
	int r = regular_make(directory, &fd);

	if (r)
		return r;
	r = regular_grow(fd, 0, spec->words * sizeof(uint32_t));
	if (!r && spec->value)
		r = write_words(fd, spec->words, spec->value);
	if (!r)
		r = sys_result(fchmod(fd, spec->mode));
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

static int make_at(const char *path, const struct ipckit_word_spec *spec)
{
	char directory[PATH_MAX];
	int fd, r;

	cut_directory(path, directory);
	r = make(directory, spec, &fd);
	if (r)
		return r;
	r = regular_publish(fd, path);
	close(fd);
	return r;
}

static int check_existing(const char *path, const struct ipckit_word_spec *spec)
{
	struct stat st;
	int fd = -1;
	int r;

	/* Before it is found out whether there would be room. */
	if (spec->exclusive)
		return sys_result(faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW)) ?: -EEXIST;
	r = regular_open(path, O_RDWR, &st, &fd);
	if (r)
		return r;
	close(fd);
	return (uint64_t)st.st_size < spec->words * sizeof(uint32_t) ? -EFBIG : 0;
}

int ipckit_word_create(const struct ipckit_name *name, const struct ipckit_word_spec *spec, bool *created)
{
	char path[PATH_MAX];
	bool made = false;
	int r;

	if (!(IPCKIT_TAKES(name->kind) & IPCKIT_WORD_NAMES) || name->offset || !spec->words)
		return -EINVAL;
	if (spec->words > INT64_MAX / sizeof(uint32_t))
		return -EFBIG;
	r = path_of(name, path);
	if (r)
		return r;
	/* Between the look and the link it may come or go: whoever links is the creator. */
	do {
		r = check_existing(path, spec);
		if (r != -ENOENT)
			break;
		r = make_at(path, spec);
		made = !r;
	} while (r == -EEXIST && !spec->exclusive);
	if (!r)
		*created = made;
	return tell_mount(name, r);
}
