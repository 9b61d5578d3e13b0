/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <ipckit/mq.h>

#define SECOND INT64_C(1000000000)
#define NOW    INT64_C(1790000000)

static struct ipckit_process process = { .pid = 4711, .tid = 4711 };

/* Left over, unless something is changed. */
static struct ipckit_mq_info posix(void)
{
	return (struct ipckit_mq_info){
		.backend = IPCKIT_MQ_POSIX,
		.messages = ipckit_known(0),
		.notify = ipckit_known(IPCKIT_MQ_NOTIFY_NONE),
		.notify_pid = ipckit_known(0),
		.mtime = ipckit_known(NOW - 3 * 3600 - 5),
		/* Somebody has looked at it. */
		.atime = ipckit_known(NOW),
		.ctime = ipckit_known(NOW),
		.usage.waiters = ipckit_known(0),
		.usage.unreadable_processes = ipckit_known(0),
	};
}

static struct ipckit_mq_info sysv(void)
{
	return (struct ipckit_mq_info){
		.backend = IPCKIT_MQ_SYSV,
		.messages = ipckit_known(0),
		.lspid = ipckit_known(99),
		.lrpid = ipckit_known(0),
		.stime = ipckit_known(NOW - 100),
		.rtime = ipckit_known(0),
		.ctime = ipckit_known(NOW - 7200),
		.usage.waiters = ipckit_known(0),
		.usage.unreadable_processes = ipckit_known(0),
	};
}

static bool judge(const struct ipckit_mq_info *info, int64_t older_than, bool non_empty, const char *words)
{
	struct ipckit_orphan_verdict verdict;

	memset(&verdict, 'x', sizeof(verdict));
	ipckit_mq_judge(info, older_than, non_empty, NOW, &verdict);
	CHECK_FOR(words, memchr(verdict.reason, '\0', sizeof(verdict.reason)) && verdict.reason[0]);
	if (!CHECK_FOR(words, strstr(verdict.reason, words)))
		printf("#   said: %.160s\n", verdict.reason);
	return verdict.orphan;
}

static bool is_orphan(const struct ipckit_mq_info *info, int64_t older_than, const char *words)
{
	return judge(info, older_than, false, words);
}

static void test_posix(void)
{
	struct ipckit_mq_info info = posix();

	CHECK(is_orphan(&info, 3600 * SECOND, "last used 3 h ago, nobody has it open"));
	CHECK(is_orphan(&info, 0, "last used 3 h ago"));
	CHECK(!is_orphan(&info, -1, "no age was given"));
	CHECK(!is_orphan(&info, 4 * 3600 * SECOND, "not long enough"));
	CHECK(!is_orphan(&info, INT64_MAX, "not long enough"));
	info.mtime = ipckit_known(NOW - 10);
	CHECK(!is_orphan(&info, 10 * SECOND, "last used 10 s ago"));
	CHECK(is_orphan(&info, 9 * SECOND, "last used 10 s ago"));
	info.mtime = ipckit_known(NOW + 1);
	CHECK(!is_orphan(&info, 0, "in the future"));
	info.mtime = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "its last use is unknown"));
}

static void test_messages(void)
{
	struct ipckit_mq_info info = posix();

	info.messages = ipckit_known(3);
	CHECK(!is_orphan(&info, 0, "3 messages are in it"));
	CHECK(judge(&info, 0, true, "last used 3 h ago, nobody has it open, 3 messages in it"));
	CHECK(!judge(&info, -1, true, "no age was given"));
	info.messages = ipckit_known(1);
	CHECK(!is_orphan(&info, 0, "1 message is in it"));
	info.messages = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "how many messages are in it is unknown"));
	CHECK(!judge(&info, 0, true, "how many messages are in it is unknown"));
	info = sysv();
	info.messages = ipckit_known(INT64_MAX);
	CHECK(!is_orphan(&info, 0, "messages are in it"));
	CHECK(judge(&info, 0, true, "who used it last is gone, 9223372036854775807 messages in it"));
}

static void test_notification(void)
{
	static const enum ipckit_mq_notification kinds[] = { IPCKIT_MQ_NOTIFY_SIGNAL, IPCKIT_MQ_NOTIFY_SILENT,
							     IPCKIT_MQ_NOTIFY_THREAD };
	struct ipckit_mq_info info = posix();

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		info.notify = ipckit_known(kinds[i]);
		info.notify_pid = ipckit_known(4711);
		CHECK(!is_orphan(&info, 0, "process 4711 is registered for its notification"));
		info.notify_pid = ipckit_unknown();
		CHECK(!is_orphan(&info, 0, "of another PID namespace is registered"));
	}
	info.notify = info.notify_pid = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "it may not be read"));
	info.in_use = ipckit_known(0);
	CHECK(!is_orphan(&info, 0, "it may not be read"));
}

static void test_other_pids(void)
{
	struct ipckit_mq_info info = sysv();

	info.usage.other_pids = true;
	CHECK(!is_orphan(&info, 0, "nobody has received from it yet"));
	CHECK(!is_orphan(&info, -1, "no age was given"));
	info.rtime = ipckit_known(NOW - 90);
	CHECK(is_orphan(&info, 0, "last used"));
	info = posix();
	info.usage.other_pids = true;
	CHECK(is_orphan(&info, 0, "last used"));
}

static void test_users(void)
{
	static const struct {
		enum ipckit_evidence evidence;
		const char *words;
	} seen[] = {
		{ IPCKIT_SEEN_OPEN, "process 4711 has it open" },
		{ IPCKIT_SEEN_BLOCKED, "process 4711 waits on it" },
		{ IPCKIT_SEEN_LAST_PID, "process 4711 " },
	};
	struct ipckit_mq_info info;

	for (size_t i = 0; i < sizeof(seen) / sizeof(*seen); i++) {
		process.evidence = seen[i].evidence;
		info = posix();
		info.usage.users = (struct ipckit_processes){ &process, 1 };
		CHECK(!is_orphan(&info, 0, seen[i].words));
	}
	info = sysv();
	info.usage.waiting = (struct ipckit_processes){ &process, 1 };
	CHECK(!is_orphan(&info, 0, "process 4711 waits on it"));
	info = sysv();
	info.usage.waiters = ipckit_known(2);
	CHECK(!is_orphan(&info, 0, "2 threads wait on it"));
}

static void test_incomplete(void)
{
	struct ipckit_mq_info both[] = { posix(), sysv() };

	for (size_t i = 0; i < 2; i++) {
		both[i].usage.unreadable_processes = ipckit_known(3);
		CHECK(!is_orphan(&both[i], 0, "3 processes may not be looked at"));
		both[i].usage.unreadable_processes = ipckit_unknown();
		CHECK(!is_orphan(&both[i], 0, "processes are hidden"));
		both[i].usage.unreadable_processes = ipckit_known(0);
		both[i].usage.waiters = ipckit_unknown();
		CHECK(!is_orphan(&both[i], 0, "who waits on it cannot be told"));
	}
}

/* The kernel's own word outweighs what may not be looked at. */
static void test_in_use(void)
{
	struct ipckit_mq_info info = posix();

	info.in_use = ipckit_known(1);
	CHECK(!is_orphan(&info, 0, "somebody who cannot be seen"));
	info.in_use = ipckit_known(0);
	info.usage.unreadable_processes = ipckit_known(3);
	info.usage.waiters = ipckit_unknown();
	CHECK(is_orphan(&info, 0, "nobody has it open"));
	info = sysv();
	info.in_use = ipckit_known(0);
	info.usage.unreadable_processes = ipckit_known(3);
	CHECK(!is_orphan(&info, 0, "3 processes may not be looked at"));
}

static void test_sysv(void)
{
	struct ipckit_mq_info info = sysv();

	CHECK(is_orphan(&info, 60 * SECOND, "last used 1 min ago, nobody waits on it, who used it last is gone"));
	CHECK(!is_orphan(&info, 100 * SECOND, "not long enough"));
	CHECK(!is_orphan(&info, -1, "no age was given"));
	info.rtime = ipckit_known(NOW - 5);
	CHECK(is_orphan(&info, 0, "last used 5 s ago"));
	info.rtime = info.stime = ipckit_known(0);
	CHECK(is_orphan(&info, 3600 * SECOND, "last used 2 h ago"));
	info.rtime = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "its last use is unknown"));
	info = sysv();
	info.lspid = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "who sent to it last cannot be told"));
	info = sysv();
	info.lrpid = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "who received from it last cannot be told"));
}

int main(void)
{
	test_posix();
	test_messages();
	test_notification();
	test_other_pids();
	test_users();
	test_incomplete();
	test_in_use();
	test_sysv();
	return unit_done("judging queues");
}
