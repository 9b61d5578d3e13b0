/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../../lib/proc.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int fixture(const char *path)
{
	const char *top = getenv("srcdir") ?: ".";
	char whole[4096];
	int fd;

	snprintf(whole, sizeof(whole), "%s/tests/fixtures/proc/%s", top, path);
	return CHECK_FOR(whole, proc_open(whole, &fd) == 0) ? fd : -1;
}

static void test_stat(void)
{
	static const char *const bad[] = {
		"",
		"1",
		"1 (",
		"1 (a",
		"1 (a)",
		"1 (a) ",
		"1 (a) S",
		"1 (a) S x",
		"x (a) S 1",
		") 1 (",
		"1 (a) S 1 2 3 4 5",
		"1 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18",
		"99999999999 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19",
		"1 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99999999999999999999999",
	};
	struct proc_stat stat;

	CHECK_INT(proc_stat_parse(
			  "42 (a) b)\n(c) R 7 1 1 0 -1 2097216 0 0 0 0 0 0 0 0 20 0 1 0 123456 0\n",
			  &stat),
		  0);
	CHECK_INT(stat.pid, 42);
	CHECK_STR(stat.comm, "a) b)\n(c");
	CHECK_INT(stat.state, 'R');
	CHECK_INT(stat.ppid, 7);
	CHECK_INT(stat.flags, 2097216);
	CHECK_INT(stat.start, 123456);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT_FOR(bad[i], proc_stat_parse(bad[i], &stat), -EBADMSG);
	/* A worker's name may be longer than a process's. */
	CHECK_INT(
		proc_stat_parse(
			"1 (0123456789012345678901234567890123456789012345678901234567890123456789) S 0 1 1 0 "
			"-1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0",
			&stat),
		0);
	CHECK_INT(strlen(stat.comm), 63);
}

static void test_status(void)
{
	struct proc_status status;

	CHECK_INT(
		proc_status_parse(
			"Name:\tUid: 5\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nNSpid:\t90\t12\t3\nVmSize:\t1 kB\n",
			&status),
		0);
	CHECK_INT(status.uid, 2);
	CHECK_INT(status.gid, 6);
	CHECK_INT(status.ns_pid, 3);
	CHECK(status.has_mm);
	CHECK_INT(proc_status_parse("Uid:\t0\t4294967295\nGid:\t0\t0\n", &status), 0);
	CHECK_INT(status.uid, 4294967295);
	CHECK_INT(status.ns_pid, 0);
	CHECK(!status.has_mm);
	CHECK_INT(proc_status_parse("Uid:\t1\t1\nGid:\t1\t1\nNSpid:\t5\t99999999999\n", &status),
		  0);
	CHECK_INT(status.ns_pid, 5);
	CHECK_INT(proc_status_parse("", &status), -EBADMSG);
	CHECK_INT(proc_status_parse("Uid:\t1\nGid:\t1\t1\n", &status), -EBADMSG);
	CHECK_INT(proc_status_parse("Uid:\t1\t4294967296\nGid:\t1\t1\n", &status), -EBADMSG);
}

static void test_syscall(void)
{
	static const char *const bad[] = {
		"",
		"runnin",
		"running more",
		"202",
		"202 ",
		"202 0x",
		"202 0x1 0x2 0x3 0x4 0x5",
		"-2 0x1 0x2",
		"202 1 2 3 4 5 6 7 8\n",
		"202 0x1 0x2 0x3 0x4 0x5 0x10000000000000000 0x7\n",
		"-1",
	};
	struct proc_syscall call;

	CHECK_INT(proc_syscall_parse("running\n", &call), 0);
	CHECK_INT(call.state, PROC_RUNNING);
	CHECK_INT(proc_syscall_parse("-1 0x7ffd 0x7f00\n", &call), 0);
	CHECK_INT(call.state, PROC_BLOCKED);
	CHECK_INT(proc_syscall_parse(
			  "202 0x7f0000000000 0x9 0x0 0xffffffffffffffff 0x4 0x5 0x6 0x7\n", &call),
		  0);
	CHECK_INT(call.state, PROC_IN_SYSCALL);
	CHECK_INT(call.number, 202);
	CHECK(call.args[0] == 0x7f0000000000 && call.args[1] == 9 && call.args[3] == UINT64_MAX &&
	      call.args[5] == 5);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT_FOR(bad[i], proc_syscall_parse(bad[i], &call), -EBADMSG);
}

static int parse_map(const char *text, char *buffer, struct proc_map *map)
{
	strcpy(buffer, text);
	return proc_map_parse(buffer, map);
}

static void test_map(void)
{
	static const char *const bad[] = {
		"",
		"-",
		"1000",
		"1000-",
		"1000-2000",
		"1000-2000 rw-s",
		"1000-2000 rw-x 0 0:0 0",
		"2000-1000 rw-s 0 0:0 0",
		"1000-2000 rw-s 0 0 0",
		"1000-2000 rw-s 0 0:100000000 0",
		"1000-2000 rw-s 0 0:0 x",
		"1000-2000 rw-s 0 0:0 5x",
		"1000-10000000000000000 rw-s 0 0:0 5",
		"1000-2000 rw 0 0:0 5",
	};
	char buffer[256];
	struct proc_map map;

	CHECK_INT(parse_map("7f00-7f10 rw-s 00002000 fe:1b 77    /dev/shm/sem.a b (deleted)\n",
			    buffer, &map),
		  0);
	CHECK(map.start == 0x7f00 && map.end == 0x7f10 && map.offset == 0x2000);
	CHECK(map.shared && map.readable && map.writable && !map.executable);
	CHECK(map.major == 0xfe && map.minor == 0x1b && map.inode == 77);
	CHECK_STR(map.path, "/dev/shm/sem.a b (deleted)");
	CHECK_INT(parse_map("7f00-7f10 ---p 00000000 00:00 0", buffer, &map), 0);
	CHECK(!map.shared && !map.readable && !map.writable && map.inode == 0);
	CHECK_STR(map.path, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT_FOR(bad[i], parse_map(bad[i], buffer, &map), -EBADMSG);
}

static void test_set(void)
{
	static const char *const bad[] = {
		"",
		"       key      semid perms",
		"1 2 600 1 0 0 0 0 0",
		"1 2 600 1 0 0 0 0 0 0 9",
		"1 2 800 1 0 0 0 0 0 0",
		"1 -2 600 1 0 0 0 0 0 0",
		"4294967296 2 600 1 0 0 0 0 0 0",
		"1 2 600 1 -1 0 0 0 0 0",
		"1 2 600 1 0 0 0 0 0 0x",
		"1 2 600 9999999999 0 0 0 0 0 0",
	};
	struct proc_sysvsem set;

	CHECK_INT(
		proc_sysvsem_parse(
			"-559038737      32769   640        250  1000  1001  1002  1003 1790000001 1790000000\n",
			&set),
		0);
	CHECK_INT(set.key, -559038737);
	CHECK_INT(set.id, 32769);
	CHECK_INT(set.mode, 0640);
	CHECK_INT(set.nsems, 250);
	CHECK(set.uid == 1000 && set.gid == 1001 && set.cuid == 1002 && set.cgid == 1003);
	CHECK(set.otime == 1790000001 && set.ctime == 1790000000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT_FOR(bad[i], proc_sysvsem_parse(bad[i], &set), -EBADMSG);
}

static void test_queue(void)
{
	static const char *const bad[] = {
		"",
		"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime",
		"1 2 600 0 0 0 0 0 0 0 0 0 0",
		"1 2 600 0 0 0 0 0 0 0 0 0 0 0 0",
		"2147483648 2 600 0 0 0 0 0 0 0 0 0 0 0",
		"1 -2 600 0 0 0 0 0 0 0 0 0 0 0",
		"1 2 680 0 0 0 0 0 0 0 0 0 0 0",
		"1 2 600 -1 0 0 0 0 0 0 0 0 0 0",
		"1 2 600 0 9223372036854775808 0 0 0 0 0 0 0 0 0",
		"1 2 600 0 0 2147483648 0 0 0 0 0 0 0 0",
		"1 2 600 0 0 0 0 4294967296 0 0 0 0 0 0",
		"1 2 600 0 0 0 0 0 0 0 0 0 0 0x",
	};
	struct proc_sysvmsg queue;

	CHECK_INT(proc_sysvmsg_parse(
			  "-559038737      32769  1640          12          3    42    43  1000  1001  1002  1003 1790000002 1790000001 1790000000\n",
			  &queue),
		  0);
	CHECK(queue.key == -559038737 && queue.id == 32769 && queue.mode == 0640);
	CHECK(queue.cbytes == 12 && queue.qnum == 3 && queue.lspid == 42 && queue.lrpid == 43);
	CHECK(queue.uid == 1000 && queue.gid == 1001 && queue.cuid == 1002 && queue.cgid == 1003);
	CHECK(queue.stime == 1790000002 && queue.rtime == 1790000001 && queue.ctime == 1790000000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT_FOR(bad[i], proc_sysvmsg_parse(bad[i], &queue), -EBADMSG);
}

static void test_segment(void)
{
	static const char *const bad[] = {
		"",
		"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap",
		"1 2 600 4096 0 0 0 0 0 0 0 0 0 0 0",
		"1 2 600 4096 0 0 0 0 0 0 0 0 0 0 0 0 0",
		"2147483648 2 600 4096 0 0 0 0 0 0 0 0 0 0 0 0",
		"1 -2 600 4096 0 0 0 0 0 0 0 0 0 0 0 0",
		"1 2 10000 4096 0 0 0 0 0 0 0 0 0 0 0 0",
		"1 2 600 9223372036854775808 0 0 0 0 0 0 0 0 0 0 0 0",
		"1 2 600 4096 2147483648 0 0 0 0 0 0 0 0 0 0 0",
		"1 2 600 4096 0 0 -1 0 0 0 0 0 0 0 0 0",
		"1 2 600 4096 0 0 0 4294967296 0 0 0 0 0 0 0 0",
		"1 2 600 4096 0 0 0 0 0 0 0 0 0 0 0 0x",
		"1 2 600 4096 0 0 0 0 0 0 0 0 0 0 9223372036854775808 0",
	};
	struct proc_sysvshm segment;

	CHECK_INT(proc_sysvshm_parse(
			  "-559038737      32769  1640                 10000    42    43      2  1000  1001  1002  1003 1790000002 1790000001 1790000000                  4096                  8192\n",
			  &segment),
		  0);
	CHECK(segment.key == -559038737 && segment.id == 32769 && segment.mode == 0640);
	CHECK(segment.dest && !segment.locked && segment.size == 10000 && segment.nattch == 2);
	CHECK(segment.cpid == 42 && segment.lpid == 43);
	CHECK(segment.uid == 1000 && segment.gid == 1001 && segment.cuid == 1002 && segment.cgid == 1003);
	CHECK(segment.atime == 1790000002 && segment.dtime == 1790000001 && segment.ctime == 1790000000);
	CHECK(segment.rss == 4096 && segment.swap == 8192);
	CHECK_INT(proc_sysvshm_parse("1 2 2600 1 0 0 0 0 0 0 0 0 0 0 0 0", &segment), 0);
	CHECK(!segment.dest && segment.locked && segment.mode == 0600);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT_FOR(bad[i], proc_sysvshm_parse(bad[i], &segment), -EBADMSG);
}

static void test_smap(void)
{
	static const char *const bad[] = {
		"", "Rss:", "Rss: 4", "Rss: 4 MB", "Rss: 4 kB ", "Rss: -4 kB", "Rss: 9007199254740992 kB", "Size: 4 kB",
		"SwapPss: 4 kB",
	};
	struct proc_smap map = { 0 };

	CHECK_INT(proc_smap_parse("Rss:                  12 kB", &map), 0);
	CHECK(map.rss.known && map.rss.value == 12288 && !map.pss.known && !map.huge.known);
	CHECK_INT(proc_smap_parse("Pss: 1 kB", &map), 0);
	CHECK_INT(proc_smap_parse("Swap:\t0 kB", &map), 0);
	CHECK_INT(proc_smap_parse("KernelPageSize:     2048 kB", &map), 0);
	CHECK(map.pss.value == 1024 && map.swap.known && !map.swap.value && map.page_size.value == 2 << 20);
	CHECK_INT(proc_smap_parse("Shared_Hugetlb: 2048 kB", &map), 0);
	CHECK_INT(proc_smap_parse("Private_Hugetlb: 4096 kB", &map), 0);
	CHECK(map.huge.known && map.huge.value == 6 << 20);
	CHECK_INT(proc_smap_parse("Rss: 9007199254740991 kB", &map), 0);
	CHECK_INT(map.rss.value, INT64_MAX - 1023);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT_FOR(bad[i], proc_smap_parse(bad[i], &map), -EBADMSG);
	CHECK_INT(map.rss.value, INT64_MAX - 1023);
}

static void test_environ(void)
{
	static const char environ[] = "A=1\0IPCKIT_HOLDER=no\0IPCKIT_HOLD=yes\0B\0C=";

	CHECK_STR(proc_environ_get(environ, sizeof(environ), "IPCKIT_HOLD"), "yes");
	CHECK_STR(proc_environ_get(environ, sizeof(environ), "A"), "1");
	CHECK_STR(proc_environ_get(environ, sizeof(environ), "C"), "");
	CHECK_STR(proc_environ_get(environ, sizeof(environ), "B"), NULL);
	CHECK_STR(proc_environ_get(environ, 0, "A"), NULL);
}

static int count_map(const struct proc_map *map, void *arg)
{
	uint64_t *sum = arg;

	sum[0]++;
	sum[1] += map->inode;
	sum[2] += strlen(map->path);
	return 0;
}

static int stop_at_map(const struct proc_map *map, void *arg)
{
	(void)map;
	return --*(int *)arg ? 0 : 7;
}

static void test_maps_walk(void)
{
	uint64_t sum[3] = { 0 };
	unsigned skipped = 0;
	int left = 10;
	int dir = fixture("lines/long");

	/* More than one buffer, lines cut anywhere by its end. */
	CHECK_INT(proc_maps_walk(dir, count_map, &skipped, sum), 0);
	CHECK_INT(sum[0], 600);
	CHECK_INT(sum[1], 600 * 601 / 2);
	CHECK_INT(sum[2], 600 * 9 + 3 * (199 * 200 / 2));
	CHECK_INT(skipped, 0);
	CHECK_INT(proc_maps_walk(dir, stop_at_map, NULL, &left), 7);
	close(dir);

	memset(sum, 0, sizeof(sum));
	dir = fixture("walk/130");
	CHECK_INT(proc_maps_walk(dir, count_map, &skipped, sum), 0);
	CHECK_INT(sum[0], 1);
	CHECK_INT(skipped, 3);
	close(dir);
	dir = fixture("walk/131");
	CHECK_INT(proc_maps_walk(dir, count_map, &skipped, sum), -ENOENT);
	close(dir);
}

struct smaps {
	struct proc_smap list[8];
	char paths[8][64];
	size_t count;
};

static int keep_smap(const struct proc_smap *map, void *arg)
{
	struct smaps *smaps = arg;

	if (!CHECK(smaps->count < 8))
		return 9;
	smaps->list[smaps->count] = *map;
	snprintf(smaps->paths[smaps->count++], 64, "%s", map->map.path);
	return 0;
}

static int stop_at_smap(const struct proc_smap *map, void *arg)
{
	(void)arg;
	return map->map.inode == 42 ? 7 : 0;
}

static void test_smaps_walk(void)
{
	int dir = fixture("shm/160");
	struct smaps smaps = { 0 };
	unsigned skipped = 0;

	CHECK_INT(proc_smaps_walk(dir, keep_smap, &skipped, &smaps), 0);
	/* One line is no mapping, and what follows it is of none. */
	CHECK_INT(skipped, 1);
	if (CHECK_INT(smaps.count, 5)) {
		CHECK_STR(smaps.paths[0], "/usr/bin/worker");
		CHECK_STR(smaps.paths[1], "/SYSV00000000 (deleted)");
		CHECK(smaps.list[0].rss.value == 4096 && smaps.list[0].pss.value == 2048);
		CHECK(smaps.list[1].rss.value == 8192 && smaps.list[1].swap.value == 12288);
		CHECK(smaps.list[1].map.inode == 42 && smaps.list[1].page_size.value == 4096);
		CHECK(smaps.list[2].huge.value == 6 << 20 && smaps.list[2].page_size.value == 2 << 20);
		CHECK(!smaps.list[3].rss.known && !smaps.list[3].pss.known && smaps.list[3].swap.value == 5120);
		CHECK(!smaps.list[4].rss.known && smaps.list[4].map.inode == 45);
	}
	CHECK_INT(proc_smaps_walk(dir, stop_at_smap, NULL, NULL), 7);
	close(dir);
	dir = fixture("shm/161");
	CHECK_INT(proc_smaps_walk(dir, stop_at_smap, NULL, NULL), -ENOENT);
	close(dir);
}

static int collect(int dirfd, pid_t id, void *arg)
{
	struct {
		int count;
		bool directory[1000];
	} *seen = arg;
	struct stat st;

	seen->count++;
	if (id < 1000)
		seen->directory[id] = !fstat(dirfd, &st) && S_ISDIR(st.st_mode);
	return id == 999 ? 5 : 0;
}

static int collect_set(const struct proc_sysvsem *set, void *arg)
{
	*(int *)arg += set->id;
	return 0;
}

static int collect_queue(const struct proc_sysvmsg *queue, void *arg)
{
	*(int *)arg += queue->id + queue->lspid;
	return queue->id == 9 ? 6 : 0;
}

static int collect_segment(const struct proc_sysvshm *segment, void *arg)
{
	*(int *)arg += segment->id + segment->cpid + 1000 * segment->locked;
	return segment->id == 43 ? 6 : 0;
}

static int collect_fd(int dirfd, const struct proc_fd *fd, void *arg)
{
	(void)dirfd;
	((struct proc_fd *)arg)[fd->fd] = *fd;
	return 0;
}

static void test_walks(void)
{
	struct {
		int count;
		bool directory[1000];
	} seen = { 0 };
	struct proc_fd fds[16] = { 0 };
	unsigned skipped = 0;
	int sum = 0, root = fixture("walk"), process = fixture("walk/114");
	uint64_t n;
	struct stat st;

	CHECK_INT(proc_walk(root, ".", collect, &seen), 0);
	CHECK(seen.count > 20 && seen.directory[100] && seen.directory[151]);
	CHECK(!seen.directory[133]); /* a file */
	CHECK_INT(proc_walk(root, "nowhere", collect, &seen), -ENOENT);

	CHECK_INT(proc_sysvsem_walk(root, collect_set, &skipped, &sum), 0);
	CHECK_INT(sum, 15);
	CHECK_INT(skipped, 1);
	CHECK_INT(proc_sysvmsg_walk(root, collect_queue, &skipped, &sum), 6);
	CHECK_INT(sum, 15 + 7 + 144 + 9);
	CHECK_INT(skipped, 2);
	CHECK_INT(proc_sysvmsg_walk(process, collect_queue, NULL, &sum), -ENOENT);

	close(root);
	root = fixture("shm");
	sum = 0;
	skipped = 0;
	CHECK_INT(proc_sysvshm_walk(root, collect_segment, &skipped, &sum), 6);
	CHECK_INT(sum, 42 + 160 + 43 + 160 + 1000);
	CHECK_INT(skipped, 1);

	CHECK_INT(proc_fds_walk(process, collect_fd, fds), 0);
	CHECK_INT(fstatat(process, "fd/5", &st, 0), 0);
	CHECK(fds[5].device == st.st_dev && fds[5].inode == st.st_ino && fds[5].fd == 5);
	CHECK_INT(proc_fdinfo_field(process, 5, "eventfd-id:", 10, &n) ?: (int)n, 5);
	CHECK_INT(proc_fdinfo_field(process, 5, "eventfd-count:", 16, &n) ?: (int)n, 3);
	CHECK_INT(proc_fdinfo_field(process, 7, "eventfd-id:", 10, &n), -ENOENT);
	CHECK_INT(proc_fdinfo_field(process, 8, "eventfd-id:", 10, &n), -ENOENT);
	close(process);
	close(root);
}

static void test_process(void)
{
	int root = fixture("walk"), process = fixture("walk/100"), broken = fixture("walk/130");
	struct proc_stat stat;
	struct proc_status status;
	struct proc_syscall call;
	char *command;
	int64_t boot;
	uint64_t namespace;

	CHECK_INT(proc_boot_time(root, &boot) ?: (int)boot, 1000000);
	CHECK_INT(proc_stat_read(process, &stat), 0);
	CHECK_INT(proc_start_time(&stat, boot),
		  1000000 + (int64_t)stat.start / sysconf(_SC_CLK_TCK));
	CHECK_INT(proc_status_read(process, &status), 0);
	CHECK_INT(status.ns_pid, 100);
	CHECK_INT(proc_namespace(process, "ipc", &namespace), 0);
	CHECK_INT(namespace, 4026531839);
	CHECK_INT(proc_namespace(process, "mnt", &namespace), -ENOENT);
	if (CHECK_INT(proc_command(process, &command), 0)) {
		CHECK_STR(command, "worker -x");
		free(command);
	}
	CHECK_INT(proc_stat_read(broken, &stat), -EBADMSG);
	CHECK_INT(proc_status_read(broken, &status), -EBADMSG);
	CHECK_INT(proc_syscall_read(broken, &call), -ENOENT);
	close(broken);
	broken = fixture("walk/132");
	if (CHECK_INT(proc_command(broken, &command), 0)) {
		CHECK_STR(command, "[dead]");
		free(command);
	}
	close(broken);
	close(process);
	close(root);
}

static void test_hidden(void)
{
	static const struct {
		const char *path;
		bool hides;
	} cases[] = {
		{ "lines/hidden", true },
		{ "lines/capable", false },
		{ "lines/other", false },
		{ "walk", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int root = fixture(cases[i].path);

		CHECK_INT_FOR(cases[i].path, proc_hides(root), cases[i].hides);
		close(root);
	}
}

/* This very process, as the kernel shows it. */
static void test_real(void)
{
	uint64_t sum[3] = { 0 };
	struct proc_stat stat;
	struct proc_status status;
	unsigned skipped = 0;
	int self, root;
	int64_t boot;

	if (!CHECK_INT(proc_open("/proc/self", &self), 0))
		return;
	CHECK_INT(proc_stat_read(self, &stat), 0);
	CHECK_INT(stat.pid, getpid());
	CHECK_INT(stat.ppid, getppid());
	CHECK_INT(proc_status_read(self, &status), 0);
	CHECK(status.uid == geteuid() && status.gid == getegid() && status.has_mm &&
	      status.ns_pid > 0);
	CHECK_INT(proc_maps_walk(self, count_map, &skipped, sum), 0);
	CHECK(sum[0] > 3);
	CHECK_INT(skipped, 0);
	close(self);
	if (!CHECK_INT(proc_open("/proc", &root), 0))
		return;
	CHECK_INT(proc_boot_time(root, &boot), 0);
	CHECK(boot > 0);
	close(root);
	CHECK_INT(proc_open("/proc/nowhere", &root), -ENOENT);
}

int main(void)
{
	test_stat();
	test_status();
	test_syscall();
	test_map();
	test_set();
	test_queue();
	test_segment();
	test_smap();
	test_environ();
	test_maps_walk();
	test_smaps_walk();
	test_walks();
	test_process();
	test_hidden();
	test_real();
	return unit_done("readers of /proc");
}
