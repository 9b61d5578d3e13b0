/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <ipckit/sem.h>

#define SECOND INT64_C(1000000000)
#define NOW    INT64_C(1790000000)

static struct ipckit_sem_slot slots[2];
static struct ipckit_process process = { .pid = 4711, .tid = 4711 };

/* Left over, unless something is changed. */
static struct ipckit_sem_info posix(void)
{
	return (struct ipckit_sem_info){
		.backend = IPCKIT_SEM_POSIX,
		.value = ipckit_known(1),
		.usage.waiters = ipckit_known(0),
		.waiters_recorded = ipckit_known(3),
		.mtime = ipckit_known(NOW - 3 * 3600 - 5),
		.usage.unreadable_processes = ipckit_known(0),
	};
}

static struct ipckit_sem_info sysv(void)
{
	const struct ipckit_sem_slot quiet = {
		.value = ipckit_known(0),
		.ncnt = ipckit_known(0),
		.zcnt = ipckit_known(0),
		.pid = ipckit_known(99),
	};

	slots[0] = slots[1] = quiet;
	slots[1].index = 1;
	return (struct ipckit_sem_info){
		.backend = IPCKIT_SEM_SYSV,
		.nsems = ipckit_known(2),
		.semaphores = slots,
		.usage.waiters = ipckit_known(0),
		.otime = ipckit_known(NOW - 100),
		.ctime = ipckit_known(NOW - 7200),
		.usage.unreadable_processes = ipckit_known(0),
	};
}

static bool is_orphan(const struct ipckit_sem_info *info, int64_t older_than, const char *words)
{
	struct ipckit_orphan_verdict verdict;

	memset(&verdict, 'x', sizeof(verdict));
	ipckit_sem_judge(info, older_than, NOW, &verdict);
	CHECK_FOR(words, memchr(verdict.reason, '\0', sizeof(verdict.reason)) && verdict.reason[0]);
	if (!CHECK_FOR(words, strstr(verdict.reason, words)))
		printf("#   said: %.160s\n", verdict.reason);
	return verdict.orphan;
}

static void test_posix(void)
{
	struct ipckit_sem_info info = posix();

	CHECK(is_orphan(&info, 3600 * SECOND,
			"created 3 h ago (its mtime; posting does not change it)"));
	CHECK(is_orphan(&info, 0, "created 3 h ago"));
	CHECK(!is_orphan(&info, -1, "no age was given"));
	CHECK(!is_orphan(&info, 4 * 3600 * SECOND, "not long enough"));
	CHECK(!is_orphan(&info, INT64_MAX, "not long enough"));

	info = posix();
	info.value = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "may not be read"));
	info = posix();
	info.usage.waiters = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "who waits on it cannot be told"));
	info = posix();
	info.usage.waiters = ipckit_known(2);
	CHECK(!is_orphan(&info, 0, "2 threads wait on it"));
	info = posix();
	info.mtime = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "its last use is unknown"));
	info.mtime = ipckit_known(NOW + 1);
	CHECK(!is_orphan(&info, 0, "in the future"));
	info.mtime = ipckit_known(INT64_MIN);
	CHECK(!is_orphan(&info, 0, "in the future"));
}

/* Times are cut to seconds: what may be a moment younger is kept. */
static void test_edge(void)
{
	struct ipckit_sem_info info = posix();

	info.mtime = ipckit_known(NOW - 10);
	CHECK(!is_orphan(&info, 10 * SECOND, "created 10 s ago"));
	CHECK(!is_orphan(&info, 9 * SECOND + 1, "created 10 s ago"));
	CHECK(!is_orphan(&info, 11 * SECOND, "created 10 s ago"));
	CHECK(is_orphan(&info, 9 * SECOND, "created 10 s ago"));
	info.mtime = ipckit_known(NOW);
	CHECK(is_orphan(&info, 0, "created 0 s ago"));
	CHECK(!is_orphan(&info, 1, "created 0 s ago"));
	info.mtime = ipckit_known(NOW - 120);
	CHECK(is_orphan(&info, 0, "created 2 min ago"));
	info.mtime = ipckit_known(NOW - 3 * 86400);
	CHECK(is_orphan(&info, 0, "created 3 d ago"));
}

static void test_users(void)
{
	static const struct {
		enum ipckit_evidence evidence;
		const char *words;
	} seen[] = {
		{ IPCKIT_SEEN_MAPPED, "process 4711 has it mapped" },
		{ IPCKIT_SEEN_OPEN, "process 4711 has it open" },
		{ IPCKIT_SEEN_BLOCKED, "process 4711 waits on it" },
		{ IPCKIT_SEEN_LAST_PID, "process 4711 changed it last" },
		{ IPCKIT_SEEN_HOLDER, "process 4711 holds a permit" },
	};
	struct ipckit_sem_info info;

	for (size_t i = 0; i < sizeof(seen) / sizeof(*seen); i++) {
		process.evidence = seen[i].evidence;
		info = posix();
		info.usage.users = (struct ipckit_processes){ &process, 1 };
		CHECK(!is_orphan(&info, 0, seen[i].words));
	}
	info = posix();
	info.usage.holders = (struct ipckit_processes){ &process, 1 };
	CHECK(!is_orphan(&info, 0, "process 4711 holds a permit"));
	info = sysv();
	info.usage.waiting = (struct ipckit_processes){ &process, 1 };
	CHECK(!is_orphan(&info, 0, "process 4711 waits on it"));
}

static void test_incomplete(void)
{
	struct ipckit_sem_info info = posix();

	info.usage.unreadable_processes = ipckit_known(3);
	CHECK(!is_orphan(&info, 0, "3 processes may not be looked at"));
	info.usage.unreadable_processes = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "processes are hidden"));
	info = sysv();
	info.usage.unreadable_processes = ipckit_known(1);
	CHECK(!is_orphan(&info, 0, "1 process may not be looked at"));
}

static void test_sysv(void)
{
	struct ipckit_sem_info info = sysv();

	CHECK(is_orphan(&info, 60 * SECOND, "last used 1 min ago"));
	CHECK(!is_orphan(&info, 100 * SECOND,
			 "not long enough")); /* otime counts, not the older ctime */
	CHECK(!is_orphan(&info, -1, "no age was given"));
	info.otime = ipckit_known(0);
	CHECK(is_orphan(&info, 3600 * SECOND, "last used 2 h ago"));
	info.ctime = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "its last use is unknown"));

	info = sysv();
	slots[1].pid = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "who changed semaphore 1 last cannot be told"));
	info = sysv();
	slots[1].ncnt = ipckit_known(2);
	CHECK(!is_orphan(&info, 0, "2 threads wait on semaphore 1"));
	info = sysv();
	slots[0].zcnt = ipckit_known(1);
	CHECK(!is_orphan(&info, 0, "1 thread waits on semaphore 0"));
	info = sysv();
	slots[0].zcnt = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "who waits on semaphore 0 cannot be told"));
	info = sysv();
	info.semaphores = NULL;
	CHECK(!is_orphan(&info, 0, "its semaphores may not be read"));
}

static void test_others(void)
{
	static const enum ipckit_sem_backend others[] = { IPCKIT_SEM_UNNAMED, IPCKIT_SEM_EVENTFD,
							  IPCKIT_SEM_FILE };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct ipckit_sem_info info = posix();

		info.backend = others[i];
		CHECK(!is_orphan(&info, 0, "no name of its own"));
	}
}

int main(void)
{
	test_posix();
	test_edge();
	test_users();
	test_incomplete();
	test_sysv();
	test_others();
	return unit_done("judging semaphores");
}
