/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipckit/limit.h>

static const struct ipckit_limit untouched = { .name = "untouched" };

static bool set_limit(int resource, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return false;
	limit.rlim_cur = value;
	return !setrlimit(resource, &limit);
}

static void check_filled(const struct ipckit_limit *limit, const char *name, const char *unit)
{
	CHECK_STR(limit->name, name);
	CHECK_STR(limit->unit, unit);
	CHECK(limit->what && *limit->what);
}

static void test_free(void)
{
	struct ipckit_limits limits = { .list = calloc(3, sizeof(*limits.list)), .count = 3 };

	ipckit_limits_free(&limits);
	CHECK(!limits.list && !limits.count);
	ipckit_limits_free(&limits);
}

static void test_descriptors(void)
{
	struct ipckit_limit limit = untouched;
	struct rlimit before;
	int64_t used;
	int fds[64], n = 0, open_now = 0;

	getrlimit(RLIMIT_NOFILE, &before);
	if (!CHECK(set_limit(RLIMIT_NOFILE, 40)))
		return;
	CHECK_INT(ipckit_limit_of_process(EMFILE, &limit), 0);
	check_filled(&limit, "RLIMIT_NOFILE", "descriptors");
	CHECK(limit.value.known);
	CHECK_INT(limit.value.value, 40);
	CHECK(limit.used.known && limit.used.value >= 3);
	for (int fd = 0; fd < 40; fd++)
		open_now += fcntl(fd, F_GETFD) >= 0;
	CHECK_INT(limit.used.value, open_now);
	used = limit.used.value;

	/* One more is one more. */
	fds[n++] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK_INT(ipckit_limit_of_process(EMFILE, &limit), 0);
	CHECK_INT(limit.used.value, used + 1);

	/* And when there is none left to look with, all are in use. */
	while (n < 64 && (fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		n++;
	CHECK_INT(errno, EMFILE);
	CHECK_INT(ipckit_limit_of_process(EMFILE, &limit), 0);
	CHECK(limit.used.known);
	CHECK_INT(limit.used.value, 40);
	while (n)
		close(fds[--n]);
	setrlimit(RLIMIT_NOFILE, &before);
}

static void test_files(void)
{
	struct ipckit_limit limit = untouched;

	CHECK_INT(ipckit_limit_of_process(ENFILE, &limit), 0);
	check_filled(&limit, "fs.file-max", "files");
	CHECK(limit.estimate);
	if (!access("/proc/sys/fs/file-max", R_OK))
		CHECK(limit.value.known && limit.value.value > 0);
	if (!access("/proc/sys/fs/file-nr", R_OK))
		CHECK(limit.used.known && limit.used.value < limit.value.value);
}

static void *wait_for_byte(void *arg)
{
	char byte;

	return read(*(int *)arg, &byte, 1) < 0 ? arg : NULL;
}

/* The use that is told while there is a limit; threads could not be made under it. */
static int64_t threads_told(const struct rlimit *before)
{
	struct ipckit_limit limit = untouched;
	bool good;

	good = set_limit(RLIMIT_NPROC, 4000) && !ipckit_limit_of_process(EAGAIN, &limit);
	setrlimit(RLIMIT_NPROC, before);
	return good && limit.used.known ? limit.used.value : -1;
}

#define THREADS 20

static int64_t threads_added(const struct rlimit *before)
{
	pthread_t threads[THREADS];
	int64_t used = threads_told(before), more;
	int pipes[2], n = 0;

	if (!CHECK(!pipe(pipes)))
		return -1;
	while (n < THREADS && !pthread_create(&threads[n], NULL, wait_for_byte, &pipes[0]))
		n++;
	CHECK_INT(n, THREADS);
	more = threads_told(before);
	close(pipes[1]);
	while (n)
		pthread_join(threads[--n], NULL);
	close(pipes[0]);
	return more - used;
}

static void test_processes(void)
{
	struct ipckit_limit limit = untouched;
	struct rlimit before;
	int64_t added = -1;

	getrlimit(RLIMIT_NPROC, &before);
	if (before.rlim_max == RLIM_INFINITY && CHECK(set_limit(RLIMIT_NPROC, RLIM_INFINITY))) {
		CHECK_INT(ipckit_limit_of_process(EAGAIN, &limit), -ENOENT);
		CHECK_STR(limit.name, "untouched");
	}
	if (!CHECK(set_limit(RLIMIT_NPROC, before.rlim_max < 4000 ? before.rlim_max : 4000)))
		return;
	CHECK_INT(ipckit_limit_of_process(EAGAIN, &limit), 0);
	check_filled(&limit, "RLIMIT_NPROC", "threads");
	CHECK(limit.estimate);
	CHECK(limit.value.known && limit.value.value > 0 && limit.value.value <= 4000);
	CHECK(limit.used.known && limit.used.value >= 1);
	setrlimit(RLIMIT_NPROC, &before);

	/* Threads count. Others may come and go meanwhile, so it is tried until it shows. */
	for (int i = 0; i < 1000; i++) {
		added = threads_added(&before);
		if (added == THREADS)
			break;
	}
	CHECK_INT(added, THREADS);
}

static void test_memory(void)
{
	struct ipckit_limit limit = untouched;
	struct rlimit before;
	int64_t page = sysconf(_SC_PAGESIZE);
	int r;

	getrlimit(RLIMIT_AS, &before);
	if (before.rlim_cur == RLIM_INFINITY) {
		CHECK_INT(ipckit_limit_of_process(ENOMEM, &limit), -ENOENT);
		CHECK_STR(limit.name, "untouched");
	}
	/* Beyond what sanitizers reserve. */
	if (!set_limit(RLIMIT_AS, 1ll << 50))
		return;
	r = ipckit_limit_of_process(ENOMEM, &limit);
	setrlimit(RLIMIT_AS, &before);
	CHECK_INT(r, 0);
	check_filled(&limit, "RLIMIT_AS", "bytes");
	CHECK(limit.value.known);
	CHECK_INT(limit.value.value, 1ll << 50);
	CHECK(limit.used.known && limit.used.value > 100 * page && limit.used.value % page == 0);
}

static void test_other_errors(void)
{
	static const int errors[] = { 0, EPERM, ENOENT, EINVAL, ENOSPC, -EMFILE };
	struct ipckit_limit limit = untouched;

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		CHECK_INT_FOR(strerror(errors[i]), ipckit_limit_of_process(errors[i], &limit),
			      -ENOENT);
	CHECK_STR(limit.name, "untouched");
}

static void test_filesystem_errors(void)
{
	struct ipckit_limit limit = untouched;

	CHECK_INT(ipckit_limit_of_filesystem("/nonexistent/x", &limit), -ENOENT);
	CHECK_INT(ipckit_limit_of_filesystem("/dev/null/x", &limit), -ENOTDIR);
	CHECK_INT(ipckit_limit_of_filesystem("/proc/self/status", &limit), -ENOENT);
	CHECK_STR(limit.name, "untouched");
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* Gives this process a mount namespace to play in; false where that is refused. */
static bool own_mounts(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[32];

	if (unshare(CLONE_NEWNS)) {
		/* Files cannot be made by a user who has no number in the namespace. */
		snprintf(map, sizeof(map), "0 %u 1", uid);
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || !write_text("/proc/self/uid_map", map))
			return false;
		snprintf(map, sizeof(map), "0 %u 1", gid);
		if (write_text("/proc/self/setgroups", "deny"))
			write_text("/proc/self/gid_map", map);
	}
	return !mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL);
}

static void fill_blocks(const char *path)
{
	char block[65536] = { 0 };
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	for (size_t size = sizeof(block); size;) {
		if (write(fd, block, size) <= 0)
			size /= 2;
	}
	close(fd);
}

static void test_full_filesystem(const char *dir)
{
	struct ipckit_limit limit = untouched;
	char path[64], name[48], file[80];
	int made = 0;

	snprintf(path, sizeof(path), "%s/deep/file", dir);
	snprintf(file, sizeof(file), "%s/deep", dir);
	if (!CHECK(!mount("none", dir, "tmpfs", 0, "size=256k,nr_inodes=32")) ||
	    !CHECK(!mkdir(file, 0700)))
		return;
	CHECK_INT(ipckit_limit_of_filesystem(dir, &limit), -ENOENT);
	CHECK_STR(limit.name, "untouched");

	fill_blocks(path);
	CHECK_INT(ipckit_limit_of_filesystem(path, &limit), 0);
	snprintf(name, sizeof(name), "%s blocks", dir);
	check_filled(&limit, name, "bytes");
	CHECK_INT(limit.value.value, 262144);
	CHECK_INT(limit.used.value, 262144);
	unlink(path);

	do {
		snprintf(file, sizeof(file), "%s/deep/%d", dir, made++);
	} while (made < 64 && !mknod(file, S_IFREG | 0600, 0));
	CHECK_INT(errno, ENOSPC);
	CHECK_INT(ipckit_limit_of_filesystem(dir, &limit), 0);
	snprintf(name, sizeof(name), "%s inodes", dir);
	check_filled(&limit, name, "inodes");
	CHECK_INT(limit.value.value, 32);
	CHECK_INT(limit.used.value, 32);

	/* Without limits there is nothing to run out of. */
	limit = untouched;
	if (CHECK(!mount("none", dir, "tmpfs", 0, "size=0,nr_inodes=0")))
		CHECK_INT(ipckit_limit_of_filesystem(dir, &limit), -ENOENT);
	CHECK_STR(limit.name, "untouched");
}

/* A mount point too long for its name is left out of it. */
static void test_long_mount_point(const char *dir)
{
	struct ipckit_limit limit = untouched;
	char path[128];

	snprintf(path, sizeof(path), "%s/a-directory-with-a-very-long-name", dir);
	if (!CHECK(!mkdir(path, 0700)) || !CHECK(!mount("none", path, "tmpfs", 0, "size=64k")))
		return;
	strcat(path, "/x");
	fill_blocks(path);
	CHECK_INT(ipckit_limit_of_filesystem(path, &limit), 0);
	CHECK_STR(limit.name, "file system blocks");
}

/* In a process of its own, whose mounts end with it. */
static bool test_filesystem(void)
{
	char dir[] = "/tmp/ipckit-XXXXXX";
	int status = -1;
	pid_t pid;

	if (!CHECK(mkdtemp(dir)))
		return true;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		unit_failures = 0;
		if (!own_mounts())
			_exit(UNIT_SKIP);
		test_full_filesystem(dir);
		test_long_mount_point(dir);
		fflush(stdout);
		_exit(!!unit_failures);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	rmdir(dir);
	if (WIFEXITED(status) && WEXITSTATUS(status) == UNIT_SKIP)
		return false;
	CHECK_INT(status, 0);
	return true;
}

int main(void)
{
	test_free();
	test_descriptors();
	test_files();
	test_processes();
	test_memory();
	test_other_errors();
	test_filesystem_errors();
	if (!test_filesystem())
		printf("# full file systems not tested: no mounts of one's own here\n");
	return unit_done("limit");
}
