/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../../lib/sem-users.h"
#include "walked.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* Of the mappings in the fixtures. */
#define DEVICE makedev(0, 0x1b)

enum { JOBS, PLACE, PLACE_BEYOND, OPENED, EVENTFD, SET, SET_FREE, ELSEWHERE, OBJECTS };

static struct ipckit_sem_slot slots[2], slot;
static struct ipckit_sem_info infos[OBJECTS];

static struct ipckit_sem_slot quiet(int64_t pid)
{
	return (struct ipckit_sem_slot){
		.value = ipckit_known(0),
		.ncnt = ipckit_known(0),
		.zcnt = ipckit_known(0),
		.pid = ipckit_known(pid),
	};
}

static struct ipckit_sem_info file(enum ipckit_sem_backend backend, uint64_t inode, uint64_t offset)
{
	return (struct ipckit_sem_info){
		.backend = backend, .device = DEVICE, .inode = inode, .offset = offset
	};
}

static void set_up(int root)
{
	slots[0] = quiet(125);
	slots[1] = quiet(126);
	slot = quiet(0);
	infos[JOBS] = file(IPCKIT_SEM_POSIX, 77, 0);
	infos[JOBS].waiters_recorded = ipckit_known(3);
	infos[PLACE] = file(IPCKIT_SEM_UNNAMED, 78, 0x1040);
	infos[PLACE_BEYOND] = file(IPCKIT_SEM_UNNAMED, 78, 0x4000);
	infos[OPENED].backend = IPCKIT_SEM_POSIX;
	identify(root, "files/jobs", &infos[OPENED].device, &infos[OPENED].inode);
	infos[EVENTFD].backend = IPCKIT_SEM_EVENTFD;
	infos[EVENTFD].id = ipckit_known(5);
	identify(root, "files/anon", &infos[EVENTFD].device, &infos[EVENTFD].inode);
	infos[SET] = (struct ipckit_sem_info){
		.backend = IPCKIT_SEM_SYSV,
		.id = ipckit_known(7),
		.nsems = ipckit_known(2),
		.semaphores = slots,
		.otime = ipckit_known(1000710),
		.ctime = ipckit_known(1000700),
	};
	infos[SET_FREE] = infos[SET];
	infos[SET_FREE].id = ipckit_known(9);
	infos[SET_FREE].nsems = ipckit_known(1);
	infos[SET_FREE].semaphores = &slot;
	infos[ELSEWHERE] = file(IPCKIT_SEM_POSIX, 79, 0);
}

static void clear(void)
{
	for (size_t i = 0; i < OBJECTS; i++)
		usage_clear(&infos[i].usage);
	memset(infos, 0, sizeof(infos));
}

static int fill(int root, struct ipckit_sem_info *semaphores, size_t count)
{
	struct watched *watched;
	int r = sem_users_watch(semaphores, count, &watched);

	if (r)
		return r;
	r = users_fill(root, watched, count);
	free(watched);
	return r;
}

static void test_users(void)
{
	const struct ipckit_process *user;
	char text[256];

	CHECK_STR(pids(&infos[JOBS].usage.users, text), "100 101 102 103 104 105 106 107 109 150");
	CHECK_STR(pids(&infos[PLACE].usage.users, text), "112");
	CHECK_STR(pids(&infos[PLACE_BEYOND].usage.users, text), "");
	CHECK_STR(pids(&infos[OPENED].usage.users, text), "113");
	CHECK_STR(pids(&infos[EVENTFD].usage.users, text), "114 115 116");
	CHECK_STR(pids(&infos[ELSEWHERE].usage.users, text), "");

	user = find(&infos[JOBS].usage.users, 100, 100);
	if (CHECK(user)) {
		CHECK_STR(user->command, "worker -x");
		CHECK_INT(user->evidence, IPCKIT_SEEN_MAPPED);
		CHECK(user->uid.known && user->uid.value == 1000);
	}
	user = find(&infos[OPENED].usage.users, 113, 113);
	CHECK(user && user->evidence == IPCKIT_SEEN_OPEN);
}

static void test_holders(void)
{
	const struct ipckit_process *holder;
	char text[256];

	/* Not: not mapped (108), another place (109). Of a job that is gone (104), or whose pid
	 * is another's by now (105), the guardian holds until it has given back. */
	CHECK_STR(pids(&infos[JOBS].usage.holders, text), "104 105 110 151");
	holder = find(&infos[JOBS].usage.holders, 110, 110);
	if (CHECK(holder)) {
		CHECK_STR(holder->command, "sleep 100");
		CHECK_INT(holder->evidence, IPCKIT_SEEN_HOLDER);
		CHECK_INT(holder->count.value, 2);
		CHECK_INT(holder->since.value, 1000700);
	}
	/* Its guardian calls it 5: they live in another PID namespace. */
	holder = find(&infos[JOBS].usage.holders, 151, 151);
	CHECK(holder && unit_same(holder->command, "inner job"));
	CHECK_STR(pids(&infos[EVENTFD].usage.holders, text), "110");
}

static void test_guardians_wait(void)
{
	const struct ipckit_process *waiter = find(&infos[EVENTFD].usage.waiting, 110, 110);

	CHECK_INT(infos[EVENTFD].usage.waiting.count, 1);
	if (CHECK(waiter)) {
		CHECK_INT(waiter->count.value, 4);
		CHECK_INT(waiter->since.value, 1000703);
		CHECK_INT(waiter->evidence, IPCKIT_SEEN_BLOCKED);
	}
	CHECK(!infos[EVENTFD].usage.waiters.known);
	waiter = find(&infos[JOBS].usage.waiting, 110, 110);
	CHECK(waiter && waiter->since.value == 1000701);
	/* The guardian's own thread is not counted again. */
	CHECK(!find(&infos[JOBS].usage.waiting, 103, 103));
}

static void test_blocked_files(void)
{
	const struct ipckit_process *waiter;
	char text[256];

	CHECK_STR(pids(&infos[JOBS].usage.waiting, text), "100 101 110");
	CHECK(infos[JOBS].usage.waiters.known);
	CHECK_INT(infos[JOBS].usage.waiters.value, 3);
	waiter = find(&infos[JOBS].usage.waiting, 100, 1001);
	CHECK(waiter && !waiter->since.known && waiter->count.known && waiter->count.value == 1);
	CHECK(waiter && unit_same(waiter->call, "futex") && !waiter->type.known && !waiter->flags.known);
	/* Stopped and continued; the tool has waited since it began. */
	waiter = find(&infos[JOBS].usage.waiting, 101, 101);
	CHECK(waiter && waiter->since.known && !waiter->count.known);
	if (waiter)
		CHECK_INT(waiter->since.value, 1000000 + 60000 / sysconf(_SC_CLK_TCK));

	CHECK_STR(pids(&infos[PLACE].usage.waiting, text), "112");
	CHECK(find(&infos[PLACE].usage.waiting, 112, 112) && !find(&infos[PLACE].usage.waiting, 112, 1121));
}

static void test_blocked_sets(void)
{
	const struct ipckit_process *waiter;
	char text[256];

	CHECK_STR(pids(&infos[SET].usage.waiting, text), "120 127");
	CHECK_INT(infos[SET].usage.waiters.value, 2);
	waiter = find(&infos[SET].usage.waiting, 120, 120);
	if (CHECK(waiter)) {
		CHECK(waiter->index.known && waiter->index.value == 1);
		CHECK(waiter->count.known && waiter->count.value == 3);
		CHECK_STR(waiter->call, "semtimedop");
	}
	waiter = find(&infos[SET].usage.waiting, 127, 127);
	CHECK(waiter && !waiter->index.known && !waiter->count.known && unit_same(waiter->call, "semop"));
	CHECK_STR(pids(&infos[SET].usage.users, text), "120 125 127");
	waiter = find(&infos[SET].usage.users, 120, 120);
	CHECK(waiter && waiter->evidence == IPCKIT_SEEN_BLOCKED && !waiter->call);
}

static void test_sets(void)
{
	const struct ipckit_process *holder = find(&infos[SET].usage.holders, 122, 122);
	const struct ipckit_process *user = find(&infos[SET].usage.users, 125, 125);
	char text[256];

	CHECK_STR(pids(&infos[SET].usage.holders, text), "122");
	if (CHECK(holder)) {
		CHECK(holder->index.known && holder->index.value == 1);
		CHECK_INT(holder->count.value, 2);
		CHECK_INT(holder->since.value, 1000700);
	}
	/* 126 has the pid of the other last one, but began later. */
	CHECK(user && user->evidence == IPCKIT_SEEN_LAST_PID);
	CHECK(!find(&infos[SET].usage.users, 126, 126));
	CHECK_INT(infos[SET_FREE].usage.users.count + infos[SET_FREE].usage.holders.count +
			  infos[SET_FREE].usage.waiting.count,
		  0);
	CHECK(infos[SET_FREE].usage.waiters.known && infos[SET_FREE].usage.waiters.value == 0);
}

static void test_walk(void)
{
	int root = open_fixture();

	if (root < 0)
		return;
	set_up(root);
	CHECK_INT(fill(root, infos, OBJECTS), 0);
	for (size_t i = 0; i < OBJECTS; i++)
		/* 130, whose files are broken. */
		CHECK(infos[i].usage.unreadable_processes.known &&
		      infos[i].usage.unreadable_processes.value == 1);
	test_users();
	test_holders();
	test_guardians_wait();
	test_sets();
	if (WALKED_CALLS) {
		test_blocked_files();
		test_blocked_sets();
	}
	clear();
	close(root);
}

/* What the kernel counts and the walk does not find is waiting all the same. */
static void test_told(void)
{
	int root = open_fixture();

	if (root < 0)
		return;
	set_up(root);
	slot.ncnt = ipckit_known(3);
	slot.zcnt = ipckit_known(1);
	CHECK_INT(fill(root, &infos[SET_FREE], 1), 0);
	CHECK(infos[SET_FREE].usage.waiters.known);
	CHECK_INT(infos[SET_FREE].usage.waiters.value, 4);
	clear();
	CHECK_INT(fill(root, NULL, 0), 0);
	close(root);
}

/* ---- processes that may not be looked at ---- */

/* Root is refused nothing, so that right is given up for the time of the test. */
static bool set_override(bool on)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	const unsigned mask = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;

	if (syscall(SYS_capget, &header, data))
		return false;
	data[0].effective = on ? data[0].effective | (data[0].permitted & mask)
			       : data[0].effective & ~mask;
	return !syscall(SYS_capset, &header, data);
}

static void put(int dir, const char *path, const char *text, unsigned mode)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (!CHECK_FOR(path, fd >= 0))
		return;
	CHECK_FOR(path, write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK_FOR(path, fchmod(fd, mode) == 0);
	close(fd);
}

static void put_process(int root, const char *pid, const char *status, const char *maps,
			unsigned maps_mode)
{
	char path[64];

	mkdirat(root, pid, 0700);
	snprintf(path, sizeof(path), "%s/fd", pid);
	mkdirat(root, path, 0700);
	snprintf(path, sizeof(path), "%s/task", pid);
	mkdirat(root, path, 0700);
	snprintf(path, sizeof(path), "%s/task/%s", pid, pid);
	mkdirat(root, path, 0700);
	snprintf(path, sizeof(path), "%s/task/%s/syscall", pid, pid);
	put(root, path, "running\n", maps_mode == 0600 ? 0 : 0600);
	snprintf(path, sizeof(path), "%s/status", pid);
	put(root, path, status, 0600);
	snprintf(path, sizeof(path), "%s/stat", pid);
	put(root, path, "7 (x) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0\n", 0600);
	snprintf(path, sizeof(path), "%s/cmdline", pid);
	put(root, path, "x", 0600);
	snprintf(path, sizeof(path), "%s/maps", pid);
	put(root, path, maps, maps_mode);
}

#define STATUS "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"
#define MAPS   "7f0000000000-7f0000001000 rw-s 00000000 00:1b 77 /dev/shm/sem.jobs\n"

static void test_denied(void)
{
	char path[] = "/tmp/ipckit-users-XXXXXX", command[128];
	struct ipckit_sem_info info[2] = { file(IPCKIT_SEM_POSIX, 77, 0),
					   file(IPCKIT_SEM_POSIX, 78, 0) };
	int root;

	if (!CHECK(mkdtemp(path)) || !CHECK_INT(proc_open(path, &root), 0))
		return;
	put(root, "stat", "btime 5\n", 0600);
	put_process(root, "10", STATUS "VmSize:\t4 kB\n", MAPS, 0); /* not to be looked at */
	put_process(root, "11", STATUS, "", 0); /* nor this, but it has no memory */
	put_process(root, "12", STATUS "VmSize:\t4 kB\n", MAPS,
		    0600);      /* mapped; what its thread does is hidden */
	mkdirat(root, "13", 0); /* nothing of it at all */
	CHECK(set_override(false));
	info[1].waiters_recorded = ipckit_known(1);
	CHECK_INT(fill(root, info, 2), 0);
	CHECK(set_override(true));
	CHECK_INT(info[0].usage.unreadable_processes.value, 3);
	CHECK_INT(info[0].usage.users.count, 1);
	CHECK(!info[0].usage.waiters.known);
	CHECK_INT(info[0].gaps.count, 1);
	CHECK_STR(info[0].gaps.list[0].key, "waiters");
	CHECK_INT(info[0].gaps.list[0].error, EACCES);
	/* libc counts one that was not found. */
	CHECK(!info[1].usage.waiters.known && info[1].usage.users.count == 0);
	usage_clear(&info[0].usage);
	usage_clear(&info[1].usage);

	/* Nobody waits where not even libc counts one. */
	info[1] = file(IPCKIT_SEM_POSIX, 78, 0);
	info[1].waiters_recorded = ipckit_known(0);
	CHECK(set_override(false));
	CHECK_INT(fill(root, &info[1], 1), 0);
	CHECK(set_override(true));
	CHECK(info[1].usage.waiters.known && info[1].usage.waiters.value == 0);
	close(root);
	snprintf(command, sizeof(command), "chmod -R u+rwx %s && rm -r %s", path, path);
	CHECK_INT(system(command), 0);
}

/* ---- what is known as a guardian ---- */

#define HOLDING "holding job=6 count=1 since=7.000 at=posix:1b:4d:0 /jobs"

static const struct {
	const char *command;
	bool guardian;
} commands[] = {
	{ "semctl-cli guard " HOLDING, true },
	{ "/opt/my tools/semctl-cli guard " HOLDING, true },
	{ "shmtool guard " HOLDING, true },
	{ "./shmtool guard " HOLDING, true },
	{ "futexctl guard " HOLDING, true },
	{ "/opt/semctl-cli guard x/shmtool guard " HOLDING, false },
	{ "guard " HOLDING, false },
	{ " guard " HOLDING, false },
	{ "/ guard " HOLDING, false },
	{ "mudguard guard " HOLDING, false },
	{ "myshmtool guard " HOLDING, false },
	{ "shmtool-old guard " HOLDING, false },
	{ "vi shmtool guard " HOLDING, false },
	{ "shmtool guard", false },
	{ "shmtool guard ", false },
	{ "shmtool  guard " HOLDING, false },
	{ "shmtool guard holding job=6", false },
	{ "shmtool guard x" HOLDING, false },
	{ "shmtool write /frame --lock /jobs", false },
	{ "", false },
};

/* The record is that of a job that lives, of an object that the process has mapped: what differs is the mark. */
static void test_marks(void)
{
	char path[] = "/tmp/ipckit-users-XXXXXX", command[64];
	int root;

	if (!CHECK(mkdtemp(path)) || !CHECK_INT(proc_open(path, &root), 0))
		return;
	put(root, "stat", "btime 5\n", 0600);
	put_process(root, "6", STATUS "VmSize:\t4 kB\n", "", 0600);
	put_process(root, "10", STATUS "VmSize:\t4 kB\n", MAPS, 0600);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		struct ipckit_sem_info info = file(IPCKIT_SEM_POSIX, 77, 0);

		put(root, "10/cmdline", commands[i].command, 0600);
		CHECK_INT_FOR(commands[i].command, fill(root, &info, 1), 0);
		CHECK_INT_FOR(commands[i].command, info.usage.users.count, 1);
		CHECK_INT_FOR(commands[i].command, info.usage.holders.count, commands[i].guardian);
		usage_clear(&info.usage);
	}
	close(root);
	snprintf(command, sizeof(command), "rm -r %s", path);
	CHECK_INT(system(command), 0);
}

static void test_gaps(void)
{
	static const char keys[][2] = { "a", "b", "a", "c" };
	static char more[IPCKIT_GAPS][8];
	struct ipckit_gaps gaps = { 0 };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		gaps_note(&gaps, keys[i], (int)i + 1);
	CHECK_INT(gaps.count, 3);
	CHECK_INT(gaps.list[0].error, 1);
	CHECK_STR(gaps.list[2].key, "c");
	for (size_t i = 0; i < IPCKIT_GAPS; i++) {
		snprintf(more[i], sizeof(more[i]), "k%u", (unsigned)i % 100);
		gaps_note(&gaps, more[i], 1);
	}
	CHECK_INT(gaps.count, IPCKIT_GAPS);
	CHECK_STR(gaps.list[3].key, "k0");
}

/* Of the real /proc: this process is passed over, a file that nobody has is nobody's. */
static void test_real(void)
{
	CHECK_INT(sem_users_blocked(makedev(0, 0xfffff), 1, 0), 0);
}

int main(void)
{
	test_walk();
	test_told();
	test_denied();
	test_marks();
	test_gaps();
	test_real();
	return unit_done("users of semaphores");
}
