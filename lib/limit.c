/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "limit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct ipckit_limit limit_make(const char *name, struct ipckit_maybe value, const char *unit, const char *what)
{
	struct ipckit_limit limit = { .value = value, .unit = unit, .what = what };

	snprintf(limit.name, sizeof(limit.name), "%s", name);
	return limit;
}

int limit_hit(struct ipckit_limit limit, struct ipckit_maybe needed, struct ipckit_limit *out)
{
	limit.needed = needed;
	*out = limit;
	return 0;
}

bool limit_is_beyond(const struct ipckit_limit *limit, int64_t wanted)
{
	return limit->value.known && wanted > limit->value.value;
}

void ipckit_limits_free(struct ipckit_limits *limits)
{
	free(limits->list);
	*limits = (struct ipckit_limits){ 0 };
}

/* ---- numbers of /proc: without stdio, which needs memory that may be what is lacking ---- */

static ssize_t read_text(int dirfd, const char *path, char *text, size_t size)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

struct ipckit_maybe limit_number(const char *path)
{
	char text[128], *end;
	unsigned long long value;

	if (read_text(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return ipckit_unknown();
	errno = 0;
	value = strtoull(text, &end, 10);
	if (end == text || errno || value > INT64_MAX)
		return ipckit_unknown();
	return ipckit_known((int64_t)value);
}

struct ipckit_maybe limit_sysctl(const char *path)
{
	char full[64];

	snprintf(full, sizeof(full), "/proc/sys/%s", path);
	return limit_number(full);
}

struct ipckit_maybe limit_soft(int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY ||
	    limit.rlim_cur > INT64_MAX)
		return ipckit_unknown();
	return ipckit_known((int64_t)limit.rlim_cur);
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

/* ---- limits of a process ---- */

/*
 * Those below the limit: inherited ones may lie above. When not even this directory
 * can be opened, all of them are in use.
 */
static struct ipckit_maybe descriptors_used(struct ipckit_maybe limit)
{
	DIR *dir = opendir("/proc/self/fd");
	int64_t count = 0;

	if (!dir)
		return errno == EMFILE ? limit : ipckit_unknown();
	for (struct dirent *entry; (entry = readdir(dir));)
		count += is_number(entry->d_name) &&
			 (!limit.known || atol(entry->d_name) < limit.value);
	closedir(dir);
	return ipckit_known(count - 1);
}

/* Threads of a process, if its real user is uid; what cannot be read counts nothing. */
static int64_t threads_of(int root, const char *pid, uid_t uid)
{
	char path[32], text[4096], *line;
	unsigned long threads;

	snprintf(path, sizeof(path), "%.15s/status", pid);
	if (read_text(root, path, text, sizeof(text)) <= 0)
		return 0;
	line = strstr(text, "\nUid:\t");
	if (!line || strtoul(line + 6, NULL, 10) != uid)
		return 0;
	line = strstr(text, "\nThreads:\t");
	threads = line ? strtoul(line + 10, NULL, 10) : 0;
	return threads <= INT_MAX ? (int64_t)threads : 0;
}

static struct ipckit_maybe threads_used(uid_t uid)
{
	DIR *dir = opendir("/proc");
	int64_t count = 0;

	if (!dir)
		return ipckit_unknown();
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (is_number(entry->d_name))
			count += threads_of(dirfd(dir), entry->d_name, uid);
	}
	closedir(dir);
	return count ? ipckit_known(count) : ipckit_unknown();
}

static struct ipckit_maybe memory_used(void)
{
	struct ipckit_maybe pages = limit_number("/proc/self/statm");

	return pages.known ? ipckit_known(pages.value * sysconf(_SC_PAGESIZE)) : pages;
}

static int descriptors(struct ipckit_limit *out)
{
	struct ipckit_maybe value = limit_soft(RLIMIT_NOFILE);

	*out = (struct ipckit_limit){
		.name = "RLIMIT_NOFILE",
		.value = value,
		.used = descriptors_used(value),
		.unit = "descriptors",
		.what = "descriptors that one process may have open (ulimit -n)",
	};
	return 0;
}

static int files(struct ipckit_limit *out)
{
	*out = (struct ipckit_limit){
		.name = "fs.file-max",
		.value = limit_number("/proc/sys/fs/file-max"),
		.used = limit_number("/proc/sys/fs/file-nr"),
		.unit = "files",
		.estimate = true, /* the counters of the CPUs are summed up only now and then */
		.what = "files that all processes together may have open",
	};
	return 0;
}

static int processes(struct ipckit_limit *out)
{
	struct ipckit_maybe value = limit_soft(RLIMIT_NPROC);

	if (!value.known)
		return -ENOENT;
	*out = (struct ipckit_limit){
		.name = "RLIMIT_NPROC",
		.value = value,
		.used = threads_used(getuid()),
		.unit = "threads",
		.estimate = true, /* those of other PID namespaces are not seen */
		.what = "processes and threads that one user may run (ulimit -u)",
	};
	return 0;
}

static int address_space(struct ipckit_limit *out)
{
	struct ipckit_maybe value = limit_soft(RLIMIT_AS);

	if (!value.known)
		return -ENOENT;
	*out = (struct ipckit_limit){
		.name = "RLIMIT_AS",
		.value = value,
		.used = memory_used(),
		.unit = "bytes",
		.what = "address space of one process (ulimit -v)",
	};
	return 0;
}

static int file_size(struct ipckit_limit *out)
{
	struct ipckit_maybe value = limit_soft(RLIMIT_FSIZE);

	if (!value.known)
		return -ENOENT;
	*out = (struct ipckit_limit){
		.name = "RLIMIT_FSIZE",
		.value = value,
		.unit = "bytes",
		.what = "size of a file that this process may write (ulimit -f)",
	};
	return 0;
}

int ipckit_limit_of_process(int error, struct ipckit_limit *out)
{
	switch (error) {
	case EMFILE:
		return descriptors(out);
	case ENFILE:
		return files(out);
	case EAGAIN:
		return processes(out);
	case ENOMEM:
		return address_space(out);
	case EFBIG:
		return file_size(out);
	default:
		return -ENOENT;
	}
}

/* ---- limits of a file system ---- */

static bool is_on(const char *path, dev_t device)
{
	struct stat st;

	return !stat(path, &st) && st.st_dev == device;
}

/* Cuts the last part of an absolute path; false for the root. */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || !slash[1])
		return false;
	slash[slash == path] = '\0';
	return true;
}

/*
 * The directory at which the file system of a path begins: its mount point, but for
 * one that is mounted into itself. path: PATH_MAX bytes.
 */
static bool find_root(const char *file, char *path)
{
	char up[PATH_MAX];
	struct stat st;

	if (!realpath(file, path) || stat(path, &st))
		return false;
	/* A file may have another device number than its directories (overlayfs). */
	if (!S_ISDIR(st.st_mode) && (!go_up(path) || stat(path, &st)))
		return false;
	for (strcpy(up, path); go_up(up) && is_on(up, st.st_dev);)
		strcpy(path, up);
	return true;
}

static void name_it(const char *file, const char *of, struct ipckit_limit *limit)
{
	char root[PATH_MAX];

	if (!find_root(file, root) || strlen(root) > 32)
		strcpy(root, "file system");
	snprintf(limit->name, sizeof(limit->name), "%.32s %s", root, of);
}

static struct ipckit_maybe scaled(uint64_t count, uint64_t unit)
{
	uint64_t value;

	if (__builtin_mul_overflow(count, unit, &value) || value > INT64_MAX)
		return ipckit_unknown();
	return ipckit_known((int64_t)value);
}

static struct ipckit_limit blocks_of(const char *path, const struct statvfs *st)
{
	struct ipckit_limit limit = { .unit = "bytes", .what = "space on the file system (df)" };

	name_it(path, "blocks", &limit);
	/* Of what a file system does not limit it says 0 in all. */
	if (st->f_blocks) {
		limit.value = scaled(st->f_blocks, st->f_frsize);
		limit.used = scaled(st->f_blocks - st->f_bfree, st->f_frsize);
	}
	return limit;
}

static struct ipckit_limit inodes_of(const char *path, const struct statvfs *st)
{
	struct ipckit_limit limit = { .unit = "inodes", .what = "files on the file system (df -i)" };

	name_it(path, "inodes", &limit);
	if (st->f_files) {
		limit.value = scaled(st->f_files, 1);
		limit.used = scaled(st->f_files - st->f_ffree, 1);
	}
	return limit;
}

size_t limit_of_mount(const char *path, struct ipckit_limit out[2])
{
	struct statvfs st;

	if (statvfs(path, &st))
		return 0;
	out[0] = blocks_of(path, &st);
	out[1] = inodes_of(path, &st);
	return 2;
}

int ipckit_limit_of_filesystem(const char *path, struct ipckit_limit *out)
{
	bool reserve = geteuid() == 0; /* root may use the blocks that are kept back */
	struct statvfs st;

	if (statvfs(path, &st))
		return -errno;
	if (st.f_blocks && !(reserve ? st.f_bfree : st.f_bavail))
		*out = blocks_of(path, &st);
	else if (st.f_files && !(reserve ? st.f_ffree : st.f_favail))
		*out = inodes_of(path, &st);
	else
		return -ENOENT;
	return 0;
}
