/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who uses segments: real processes, where the test has namespaces of its own, and what of a segment each has. */

#include "failing.h"
#include "shm-looked.h"

#include "../../lib/users.h"

#include <sys/shm.h>

#ifndef SHM_NORESERVE
#define SHM_NORESERVE 010000
#endif

/* What a child maps and keeps; tells by a byte that it has. */
struct user {
	void (*take)(void);
	pid_t pid;
};

static int shared_id, huge_id = -1;
static char *mapped_at;

/* At the same address in who looks. */
static void take_segment(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *data = shmat(shared_id, mapped_at, SHM_REMAP);

	CHECK(data == mapped_at);
	data[0] = 'x';
	/* The kernel counts the parts. */
	CHECK(!mprotect(data, (size_t)page, PROT_READ));
	CHECK(huge_id < 0 || shmat(huge_id, NULL, 0) != (void *)-1);
}

static void take_and_move(void)
{
	CHECK(shmat(shared_id, NULL, SHM_RDONLY) != (void *)-1);
	CHECK(!unshare(CLONE_NEWIPC));
}

static void take_file(void)
{
	int fd = shm_open("/frame", O_RDWR, 0);

	CHECK(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4096) != MAP_FAILED);
	CHECK(mmap(NULL, 65536, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
	close(fd);
}

static void open_file(void)
{
	CHECK(shm_open("/frame", O_RDONLY, 0) >= 0);
}

static void start(struct user *user)
{
	int ready[2];
	char byte;

	CHECK(!pipe(ready));
	fflush(stdout);
	user->pid = fork();
	if (!user->pid) {
		unit_failures = 0;
		user->take();
		fflush(stdout);
		_exit(unit_failures || write(ready[1], "x", 1) != 1 || pause());
	}
	close(ready[1]);
	CHECK_INT(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static void end(const struct user *user)
{
	CHECK(!kill(user->pid, SIGKILL) && waitpid(user->pid, NULL, 0) == user->pid);
}

static const struct ipckit_process *find_process(const struct ipckit_shm_info *info, pid_t pid)
{
	for (size_t i = 0; i < info->usage.users.count; i++)
		if (info->usage.users.list[i].pid == pid)
			return &info->usage.users.list[i];
	return NULL;
}

static bool is_user(const struct ipckit_shm_info *info, const struct user *user, enum ipckit_evidence evidence)
{
	const struct ipckit_process *found = find_process(info, user->pid);

	return found && found->evidence == evidence;
}

static void check_mapping(const struct ipckit_shm_user *user, int64_t offset, int64_t size, const char *access)
{
	CHECK_INT(user->evidence, IPCKIT_SEEN_MAPPED);
	CHECK_INT(value(user->offset), offset);
	CHECK_INT(value(user->end) - value(user->start), size);
	CHECK_STR(user->access, access);
	CHECK(user->uid.known && user->uid.value == (int64_t)getuid() && user->command);
	CHECK_INT(value(user->page_size), sysconf(_SC_PAGESIZE));
}

static void check_segment_users(const struct user *first, const struct user *moved)
{
	struct ipckit_shm_users users;
	int64_t page = sysconf(_SC_PAGESIZE);

	if (!CHECK_INT(ipckit_shm_find_users(&ID(shared_id), &users), 0))
		return;
	CHECK_INT(value(users.unreadable_processes), 0);
	if (CHECK_INT(users.count, 3)) {
		CHECK(users.list[0].pid == first->pid && users.list[1].pid == first->pid);
		CHECK(users.list[2].pid == moved->pid);
		check_mapping(&users.list[0], 0, page, "r--s");
		check_mapping(&users.list[1], page, 2 * page, "rw-s");
		check_mapping(&users.list[2], 0, 3 * page, "r--s");
		CHECK_INT(value(users.list[0].start), (int64_t)(uintptr_t)mapped_at);
		CHECK_INT(value(users.list[0].rss), page);
		CHECK_INT(value(users.list[0].pss), page);
		CHECK_INT(value(users.list[1].rss), 0);
		CHECK_INT(value(users.list[1].swap), 0);
	}
	ipckit_shm_users_free(&users);
}

static void test_segment_users(void)
{
	struct user first = { .take = take_segment }, moved = { .take = take_and_move };
	struct ipckit_shm_info info;

	mapped_at = mmap(NULL, 12288, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	shared_id = shmget(IPC_PRIVATE, 12288, 0600);
	huge_id = shmget(IPC_PRIVATE, 4096, SHM_HUGETLB | SHM_NORESERVE | 0600);
	CHECK(mapped_at != MAP_FAILED && shared_id >= 0);
	start(&first);
	start(&moved);
	if (CHECK(!ipckit_shm_stat(&ID(shared_id), IPCKIT_SHM_USERS, &info))) {
		CHECK_INT(value(info.nattch), 3);
		CHECK_INT(info.usage.users.count, 2);
		CHECK(is_user(&info, &first, IPCKIT_SEEN_MAPPED) && is_user(&info, &moved, IPCKIT_SEEN_MAPPED));
		CHECK(!info.usage.waiting.count && !gap(&info, "users"));
		ipckit_shm_info_free(&info);
	}
	check_segment_users(&first, &moved);
	if (huge_id < 0)
		puts("# there are no huge pages");
	else if (CHECK(!ipckit_shm_stat(&ID(huge_id), IPCKIT_SHM_USERS, &info))) {
		CHECK_INT(value(info.hugetlb), 1);
		CHECK_INT(gap(&info, "hugetlb"), 0);
		CHECK(is_user(&info, &first, IPCKIT_SEEN_MAPPED));
		ipckit_shm_info_free(&info);
	}
	end(&first);
	end(&moved);
	if (CHECK(!ipckit_shm_stat(&ID(shared_id), IPCKIT_SHM_USERS, &info))) {
		CHECK_INT(value(info.nattch), 0);
		CHECK_INT(info.usage.users.count, 0);
		ipckit_shm_info_free(&info);
	}
	CHECK(!shmctl(shared_id, IPC_RMID, NULL) && (huge_id < 0 || !shmctl(huge_id, IPC_RMID, NULL)));
}

/* Who made it lives, and so it is kept; then not. */
static void take_nothing(void)
{
	CHECK((shared_id = shmget(0x4712, 4096, IPC_CREAT | IPC_EXCL | 0600)) >= 0);
}

static void test_orphan(void)
{
	struct ipckit_name key = { .kind = IPCKIT_NAME_KEY, .written = "key:0x4712", .key = 0x4712 };
	struct ipckit_orphan_verdict verdict;
	struct user user = { .take = take_nothing };
	struct ipckit_shm_info info;

	start(&user);
	if (CHECK(!ipckit_shm_stat(&key, IPCKIT_SHM_USERS, &info))) {
		CHECK(is_user(&info, &user, IPCKIT_SEEN_LAST_PID));
		ipckit_shm_judge(&info, -1, value(info.ctime) + 100, &verdict);
		CHECK(!verdict.orphan && strstr(verdict.reason, "which made it, still runs"));
		ipckit_shm_info_free(&info);
	}
	end(&user);
	if (CHECK(!ipckit_shm_stat(&key, IPCKIT_SHM_USERS, &info))) {
		CHECK_INT(info.usage.users.count, 0);
		ipckit_shm_judge(&info, -1, value(info.ctime) + 100, &verdict);
		CHECK_FOR(verdict.reason, verdict.orphan);
		CHECK(!shmctl((int)info.id.value, IPC_RMID, NULL));
		ipckit_shm_info_free(&info);
	}
}

/* As with hidepid=1: its maker is there, and nothing else of it can be told. It is not taken for gone. */
static void test_closed_process(void)
{
	const pid_t last = 200;
	struct ipckit_usage usage = { 0 };
	struct ipckit_gaps gaps = { 0 };
	struct watched watched = {
		.kind = WATCHED_SEGMENT,
		.nattch = ipckit_known(0),
		.last_pids = &last,
		.nlast_pids = 1,
		.last_use = ipckit_known(1000000),
		.usage = &usage,
		.gaps = &gaps,
	};
	int root = -1, stat = -1;

	CHECK(!mkdir("/dev/shm/proc", 0700) && !mkdir("/dev/shm/proc/200", 0));
	CHECK(!proc_open("/dev/shm/proc", &root));
	stat = openat(root, "stat", O_CREAT | O_WRONLY, 0600);
	CHECK(write(stat, "btime 999999\n", 13) == 13);
	give_up_rights();
	CHECK_INT(users_fill(root, &watched, 1), 0);
	if (CHECK_INT(usage.users.count, 1)) {
		CHECK(usage.users.list[0].pid == 200 && usage.users.list[0].evidence == IPCKIT_SEEN_LAST_PID);
		CHECK(!usage.users.list[0].uid.known && !usage.users.list[0].command);
	}
	usage_clear(&usage);
	CHECK(!unlinkat(root, "stat", 0) && !rmdir("/dev/shm/proc/200") && !rmdir("/dev/shm/proc"));
	close(stat);
	close(root);
}

static void check_file_users(const struct user *mapper, const struct user *opener)
{
	struct ipckit_shm_users users;

	if (!CHECK_INT(ipckit_shm_find_users(&POSIX("/frame"), &users), 0))
		return;
	if (CHECK_INT(users.count, 3)) {
		bool later = users.list[0].pid == opener->pid;
		const struct ipckit_shm_user *open = &users.list[later ? 0 : 2], *map = &users.list[later];
		bool whole = value(map[0].offset) == 0;

		CHECK(open->pid == opener->pid && open->evidence == IPCKIT_SEEN_OPEN && !open->start.known);
		CHECK(open->command && !open->access[0] && !open->rss.known);
		CHECK(map[0].pid == mapper->pid && map[1].pid == mapper->pid);
		check_mapping(&map[!whole], 0, 65536, "r--s");
		check_mapping(&map[whole], 4096, 8192, "rw-p");
	}
	ipckit_shm_users_free(&users);
}

static void test_file_users(int fd)
{
	struct user mapper = { .take = take_file }, opener = { .take = open_file };
	struct ipckit_shm_info info;

	close(fd);
	start(&mapper);
	start(&opener);
	if (CHECK(!ipckit_shm_stat(&POSIX("/frame"), IPCKIT_SHM_USERS | IPCKIT_SHM_IN_USE, &info))) {
		CHECK_INT(info.usage.users.count, 2);
		CHECK(is_user(&info, &mapper, IPCKIT_SEEN_MAPPED) && is_user(&info, &opener, IPCKIT_SEEN_OPEN));
		CHECK(!info.in_use.known);
		ipckit_shm_info_free(&info);
	}
	check_file_users(&mapper, &opener);
	end(&opener);
	/* Not asked who: the kernel knows it of a mapping alone, too. */
	if (CHECK(!ipckit_shm_stat(&POSIX("/frame"), IPCKIT_SHM_IN_USE, &info))) {
		CHECK_INT(value(info.in_use), 1);
		ipckit_shm_info_free(&info);
	}
	end(&mapper);
	if (CHECK(!ipckit_shm_stat(&POSIX("/frame"), IPCKIT_SHM_USERS | IPCKIT_SHM_IN_USE, &info))) {
		CHECK_INT(info.usage.users.count, 0);
		CHECK_INT(value(info.in_use), 0);
		/* Another one under that name is not asked for. */
		info.inode++;
		shm_ask_in_use(&info);
		CHECK(!info.in_use.known);
		ipckit_shm_info_free(&info);
	}
}

/* Looking changes none of the times that tell the last use. */
static void test_traceless(void)
{
	struct stat before, after;
	struct ipckit_shm_list list;
	struct shmid_ds ds, now;

	CHECK(!stat("/dev/shm/frame", &before) && !shmctl(shared_id, IPC_STAT, &ds));
	if (CHECK(!ipckit_shm_list(IPCKIT_SHM_USERS | IPCKIT_SHM_IN_USE, &list)))
		ipckit_shm_list_free(&list);
	CHECK(!stat("/dev/shm/frame", &after) && !shmctl(shared_id, IPC_STAT, &now));
	CHECK(!memcmp(&before.st_atim, &after.st_atim, sizeof(after.st_atim)) &&
	      !memcmp(&before.st_mtim, &after.st_mtim, sizeof(after.st_mtim)) &&
	      !memcmp(&before.st_ctim, &after.st_ctim, sizeof(after.st_ctim)));
	CHECK(ds.shm_atime == now.shm_atime && ds.shm_dtime == now.shm_dtime && ds.shm_ctime == now.shm_ctime &&
	      ds.shm_lpid == now.shm_lpid && ds.shm_nattch == now.shm_nattch);
}

/* ---- want of memory ---- */

static int list_all(void)
{
	struct ipckit_shm_list list;
	int r = ipckit_shm_list(IPCKIT_SHM_USERS | IPCKIT_SHM_IN_USE, &list);

	if (!r)
		ipckit_shm_list_free(&list);
	return r;
}

static int stat_one(void)
{
	struct ipckit_shm_info info;
	int r = ipckit_shm_stat(&POSIX("/frame"), IPCKIT_SHM_USERS, &info);

	if (!r)
		ipckit_shm_info_free(&info);
	return r;
}

static int find_all(void)
{
	struct ipckit_shm_users users;
	int r = ipckit_shm_find_users(&ID(shared_id), &users);

	if (!r)
		ipckit_shm_users_free(&users);
	return r;
}

static void test_failing(void)
{
	struct user first = { .take = take_segment }, moved = { .take = take_and_move };

	huge_id = -1;
	shared_id = shmget(IPC_PRIVATE, 12288, 0600);
	start(&first);
	start(&moved);
	check_failing("list", list_all);
	check_failing("stat", stat_one);
	check_failing("find users", find_all);
	test_traceless();
	end(&first);
	end(&moved);
	CHECK(!shmctl(shared_id, IPC_RMID, NULL));
}

static void test_real(void)
{
	int fd = make("/frame", 65536, 0640);

	test_segment_users();
	test_orphan();
	apart(test_closed_process, 0);
	test_file_users(fd);
	test_failing();
}

int main(void)
{
	if (!getenv("IPCKIT_ISOLATED"))
		return unit_skip("users of segments", "no namespaces of its own");
	test_real();
	return unit_done("users of segments");
}
