/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <ipckit/channel.h>

#define SECOND INT64_C(1000000000)
#define NOW    INT64_C(1790000000)

static struct ipckit_channel_user user = { .pid = 4711, .fd = 3 };

static struct ipckit_channel_info left_over(enum ipckit_channel_kind kind)
{
	return (struct ipckit_channel_info){
		.kind = kind,
		.mode = ipckit_known(0600),
		.atime = ipckit_known(NOW - 4 * 3600),
		.mtime = ipckit_known(NOW - 3 * 3600 - 5),
		.ctime = ipckit_known(NOW - 5 * 3600),
		.bound = ipckit_known(0),
		.unreadable_processes = ipckit_known(0),
	};
}

static bool is_orphan(const struct ipckit_channel_info *info, int64_t older_than, const char *words)
{
	struct ipckit_orphan_verdict verdict;

	memset(&verdict, 'x', sizeof(verdict));
	ipckit_channel_judge(info, older_than, NOW, &verdict);
	CHECK_FOR(words, memchr(verdict.reason, '\0', sizeof(verdict.reason) - 1) && verdict.reason[0]);
	if (!CHECK_FOR(words, strstr(verdict.reason, words)))
		printf("#   said: %.160s\n", verdict.reason);
	return verdict.orphan;
}

static void test_judge_fifo(void)
{
	struct ipckit_channel_info info = left_over(IPCKIT_CHANNEL_FIFO);

	CHECK(is_orphan(&info, 3600 * SECOND, "last used 3 h ago, nobody has it open"));
	CHECK(is_orphan(&info, 0, "nobody has it open"));
	CHECK(!is_orphan(&info, -1, "no age was given"));
	CHECK(!is_orphan(&info, 4 * 3600 * SECOND, "not long enough"));
	info.atime = ipckit_known(NOW - 10);
	CHECK(!is_orphan(&info, 3600 * SECOND, "last used 10 s ago"));
	info.other_pids = true;
	CHECK(!is_orphan(&info, 0, "another PID namespace"));
	info.unreadable_processes = ipckit_known(2);
	CHECK(!is_orphan(&info, 0, "2 processes may not be looked at and might use it"));
	info.unreadable_processes = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "processes are hidden"));
	info.users = &user;
	info.nusers = 1;
	CHECK(!is_orphan(&info, 0, "process 4711 has it open"));
	user.fd = -1;
	CHECK(!is_orphan(&info, 0, "process 4711 waits to open it"));
	user.fd = 3;
}

static void test_judge_others(void)
{
	struct ipckit_channel_info info = left_over(IPCKIT_CHANNEL_UNIX), pipe = { .kind = IPCKIT_CHANNEL_PIPE };

	/* The kernel's word holds whoever cannot be seen. */
	info.other_pids = true;
	info.unreadable_processes = ipckit_known(2);
	CHECK(is_orphan(&info, 0, "last used 3 h ago, no socket is bound to it"));
	CHECK(!is_orphan(&info, -1, "no age was given"));
	info.bound = ipckit_known(1);
	CHECK(!is_orphan(&info, 0, "a socket is bound to it"));
	info.bound = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "cannot be told"));
	info.users = &user;
	info.nusers = 1;
	CHECK(!is_orphan(&info, 0, "process 4711 has it open"));
	info.mode = ipckit_unknown();
	CHECK(!is_orphan(&info, 0, "no path"));
	CHECK(!is_orphan(&pipe, 0, "no path"));
}

int main(void)
{
	test_judge_fifo();
	test_judge_others();
	return unit_done("channel-judge");
}
