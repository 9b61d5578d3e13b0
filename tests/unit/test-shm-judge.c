/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <ipckit/shm.h>

#define SECOND INT64_C(1000000000)
#define NOW    INT64_C(1790000000)

static struct ipckit_process process = { .pid = 4711, .tid = 4711 };

/* Left over, unless something is changed. */
static struct ipckit_shm_info posix(void)
{
	return (struct ipckit_shm_info){
		.backend = IPCKIT_SHM_POSIX,
		.mtime = ipckit_known(NOW - 3 * 3600 - 5),
		.ctime = ipckit_known(NOW - 3 * 3600 - 5),
		.file_atime = ipckit_known(NOW - 4 * 3600),
		.usage.waiters = ipckit_known(0),
		.usage.unreadable_processes = ipckit_known(0),
	};
}

static struct ipckit_shm_info sysv(void)
{
	return (struct ipckit_shm_info){
		.backend = IPCKIT_SHM_SYSV,
		.nattch = ipckit_known(0),
		.cpid = ipckit_known(98),
		.lpid = ipckit_known(99),
		.dest = ipckit_known(0),
		.atime = ipckit_known(NOW - 100),
		.dtime = ipckit_known(0),
		.ctime = ipckit_known(NOW - 7200),
		.usage.waiters = ipckit_known(0),
		.usage.unreadable_processes = ipckit_known(0),
	};
}

static bool is_orphan(const struct ipckit_shm_info *info, int64_t older_than, const char *words)
{
	struct ipckit_orphan_verdict verdict;

	memset(&verdict, 'x', sizeof(verdict));
	ipckit_shm_judge(info, older_than, NOW, &verdict);
	/* The longest is not cut. */
	CHECK_FOR(words, memchr(verdict.reason, '\0', sizeof(verdict.reason) - 1) && verdict.reason[0]);
	if (!CHECK_FOR(words, strstr(verdict.reason, words)))
		printf("#   said: %.160s\n", verdict.reason);
	return verdict.orphan;
}

static void test_posix(void)
{
	struct ipckit_shm_info info = posix();

	CHECK(is_orphan(&info, 3600 * SECOND,
			"last used 3 h ago (stores into a mapping do not always show), nobody has it open or mapped"));
	CHECK(is_orphan(&info, 0, "last used 3 h ago"));
	CHECK(!is_orphan(&info, -1, "no age was given"));
	CHECK(!is_orphan(&info, 4 * 3600 * SECOND, "not long enough"));
	CHECK(!is_orphan(&info, INT64_MAX, "not long enough"));
	info.mtime = ipckit_known(NOW + 1);
	CHECK(!is_orphan(&info, 0, "in the future"));
	info.mtime = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "its last use is unknown"));
}

/* Each of them is a use: to read, to write, to change. */
static void test_last_use(void)
{
	for (int i = 0; i < 3; i++) {
		struct ipckit_shm_info info = posix();
		struct ipckit_maybe *times[] = { &info.mtime, &info.ctime, &info.file_atime };

		*times[i] = ipckit_known(NOW - 10);
		CHECK(!is_orphan(&info, 10 * SECOND, "last used 10 s ago"));
		CHECK(is_orphan(&info, 9 * SECOND, "last used 10 s ago"));
	}
	for (int i = 0; i < 3; i++) {
		struct ipckit_shm_info info = sysv();
		struct ipckit_maybe *times[] = { &info.atime, &info.dtime, &info.ctime };

		*times[i] = ipckit_known(NOW - 10);
		CHECK(!is_orphan(&info, 10 * SECOND, "last used 10 s ago"));
		CHECK(is_orphan(&info, 9 * SECOND, "last used 10 s ago"));
	}
}

static void test_posix_users(void)
{
	struct ipckit_shm_info info = posix();

	info.usage.users = (struct ipckit_processes){ &process, 1 };
	process.evidence = IPCKIT_SEEN_MAPPED;
	CHECK(!is_orphan(&info, 0, "process 4711 has it mapped"));
	process.evidence = IPCKIT_SEEN_OPEN;
	CHECK(!is_orphan(&info, 0, "process 4711 has it open"));
}

/* The kernel's own word outweighs what may not be looked at. */
static void test_in_use(void)
{
	struct ipckit_shm_info info = posix();

	info.usage.unreadable_processes = ipckit_known(3);
	CHECK(!is_orphan(&info, 0, "3 processes may not be looked at"));
	info.usage.unreadable_processes = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "processes are hidden"));
	info.usage.other_pids = true;
	info.in_use = ipckit_known(0);
	CHECK(is_orphan(&info, 0, "nobody has it open"));
	info.in_use = ipckit_known(1);
	CHECK(!is_orphan(&info, 0, "somebody who cannot be seen"));
	info = posix();
	info.usage.other_pids = true;
	CHECK(!is_orphan(&info, 0, "whether a process of another PID namespace has it open cannot be told"));
}

static void test_sysv(void)
{
	struct ipckit_shm_info info = sysv();

	CHECK(is_orphan(&info, -1,
			"last used 1 min ago, nobody has it attached, who made it and who used it last are gone"));
	CHECK(is_orphan(&info, 60 * SECOND, "last used 1 min ago"));
	CHECK(!is_orphan(&info, 100 * SECOND, "not long enough"));
	info.lpid = ipckit_known(0);
	info.atime = ipckit_known(0);
	CHECK(is_orphan(&info, 3600 * SECOND, "last used 2 h ago"));
	info.usage.other_pids = true;
	CHECK(is_orphan(&info, -1, "last used 2 h ago"));
	/* Who may not be looked at has nothing attached: the kernel counts that. */
	info.usage.unreadable_processes = ipckit_known(3);
	CHECK(is_orphan(&info, -1, "last used 2 h ago"));
	info.usage.unreadable_processes = ipckit_unknown();
	CHECK(!is_orphan(&info, -1, "processes are hidden"));
	info = sysv();
	info.dtime = ipckit_unknown();
	CHECK(!is_orphan(&info, -1, "its last use is unknown"));
	info.dtime = ipckit_known(NOW + 5);
	CHECK(!is_orphan(&info, -1, "in the future"));
}

static void test_attached(void)
{
	struct ipckit_shm_info info = sysv();

	info.nattch = ipckit_known(1);
	CHECK(!is_orphan(&info, 0, "attached 1 time, by whom cannot be seen"));
	info.nattch = ipckit_known(2);
	CHECK(!is_orphan(&info, 0, "attached 2 times"));
	process.evidence = IPCKIT_SEEN_MAPPED;
	info.usage.users = (struct ipckit_processes){ &process, 1 };
	CHECK(!is_orphan(&info, -1, "process 4711 has it mapped"));
	info.dest = ipckit_known(1);
	info.nattch = ipckit_known(INT64_MAX);
	CHECK(!is_orphan(&info, -1, "marked for destruction: it goes by itself, with the last of 9223372036854775807"));
	info.nattch = ipckit_unknown();
	CHECK(!is_orphan(&info, -1, "whether somebody has it attached is unknown"));
}

static void test_last_pids(void)
{
	struct ipckit_shm_info info = sysv();

	info.usage.users = (struct ipckit_processes){ &process, 1 };
	process.evidence = IPCKIT_SEEN_LAST_PID;
	info.cpid = ipckit_known(4711);
	CHECK(!is_orphan(&info, -1, "process 4711, which made it, still runs"));
	info.lpid = ipckit_known(4711);
	CHECK(!is_orphan(&info, 0, "process 4711, which made it and used it last, still runs"));
	info.cpid = ipckit_known(98);
	CHECK(!is_orphan(&info, 0, "process 4711, which used it last, still runs"));
	info = sysv();
	info.cpid = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "who made it cannot be told"));
	info.cpid = ipckit_known(98);
	info.lpid = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "who used it last cannot be told"));
}

int main(void)
{
	test_posix();
	test_last_use();
	test_posix_users();
	test_in_use();
	test_sysv();
	test_attached();
	test_last_pids();
	return unit_done("judging segments");
}
