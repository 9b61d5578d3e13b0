/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who uses shared memory, in fixtures: segments, and what only looks like one; files that are mapped or open. */

#include "walked.h"

#include "../../lib/shm-device.h"

#include <errno.h>
#include <sys/sysmacros.h>

enum { TWICE, FIRST, HUGE, OWN, UNSEEN, FREE, MAPPED, OPENED, OBJECTS };

static struct shm_devices devices;
static const pid_t last[] = { 165, 166 };

static struct ipckit_usage usages[OBJECTS];
static struct ipckit_gaps gaps[OBJECTS];
static struct watched watched[OBJECTS];

static void clear(void)
{
	for (size_t i = 0; i < OBJECTS; i++)
		usage_clear(&usages[i]);
	memset(usages, 0, sizeof(usages));
	memset(gaps, 0, sizeof(gaps));
}

static void watch_segment(int which, int64_t id, int64_t nattch)
{
	watched[which] = (struct watched){
		.kind = WATCHED_SEGMENT,
		.id = id,
		.devices = &devices,
		.nattch = ipckit_known(nattch),
	};
}

static void set_up(void)
{
	clear();
	watch_segment(TWICE, 42, 3);
	watch_segment(FIRST, 0, 1);
	watch_segment(HUGE, 44, 1);
	watch_segment(OWN, 45, 2);
	watch_segment(UNSEEN, 47, 5);
	watch_segment(FREE, 46, 0);
	watched[FREE].last_pids = last;
	watched[FREE].nlast_pids = 2;
	watched[FREE].last_use = ipckit_known(1000710);
	watched[MAPPED] = (struct watched){ .kind = WATCHED_FILE, .device = makedev(0, 0x1b), .inode = 90 };
	watched[OPENED] = (struct watched){ .kind = WATCHED_FILE };
	for (size_t i = 0; i < OBJECTS; i++) {
		watched[i].usage = &usages[i];
		watched[i].gaps = &gaps[i];
	}
}

static void check_all(void)
{
	for (size_t i = 0; i < OBJECTS; i++) {
		CHECK(usages[i].unreadable_processes.known && !usages[i].unreadable_processes.value);
		CHECK(!usages[i].waiting.count && !usages[i].holders.count && !gaps[i].count);
	}
}

static void test_segments(void)
{
	const struct ipckit_process *found;
	char text[256];

	/* 162 has left the IPC namespace, and its mapping is the one that was missing. */
	CHECK_STR(pids(&usages[TWICE].users, text), "160 162");
	CHECK_INT(watched[TWICE].mapped, 3);
	CHECK_STR(pids(&usages[FIRST].users, text), "164");
	CHECK_STR(pids(&usages[HUGE].users, text), "163");
	CHECK_INT(watched[HUGE].page_size, 2 << 20);
	CHECK_INT(watched[FIRST].page_size, 4096);
	/* The reader counts, and is no user. */
	CHECK_STR(pids(&usages[OWN].users, text), "160");
	CHECK_INT(watched[OWN].mapped, 2);
	/* Some are missing, but it cannot be told that 162 is one of them. */
	CHECK_STR(pids(&usages[UNSEEN].users, text), "160");
	CHECK_INT(watched[UNSEEN].foreign, 1);
	/* What has it mapped has another namespace's; 166 began later. */
	CHECK_STR(pids(&usages[FREE].users, text), "165");
	CHECK_INT(watched[FREE].page_size, 0);
	found = find(&usages[FREE].users, 165, 165);
	CHECK(found && found->evidence == IPCKIT_SEEN_LAST_PID);
	found = find(&usages[TWICE].users, 160, 160);
	CHECK(found && found->evidence == IPCKIT_SEEN_MAPPED && unit_same(found->command, "worker"));
}

static void test_files(void)
{
	const struct ipckit_process *found;
	char text[256];

	CHECK_STR(pids(&usages[MAPPED].users, text), "160");
	CHECK_STR(pids(&usages[OPENED].users, text), "165");
	found = find(&usages[MAPPED].users, 160, 160);
	CHECK(found && found->evidence == IPCKIT_SEEN_MAPPED);
	found = find(&usages[OPENED].users, 165, 165);
	CHECK(found && found->evidence == IPCKIT_SEEN_OPEN && !found->flags.known);
}

/* A process that cannot be understood may have it: unless the kernel's count is complete. */
static void test_unreadable(void)
{
	int root = open_fixture();

	if (root < 0)
		return;
	set_up();
	watched[MAPPED].inode = 77;
	CHECK_INT(users_fill(root, watched, OBJECTS), 0);
	CHECK_INT(usages[TWICE].unreadable_processes.value, 1);
	CHECK_INT(usages[FREE].unreadable_processes.value, 0);
	CHECK_INT(usages[MAPPED].unreadable_processes.value, 1);
	CHECK(usages[MAPPED].waiters.known && usages[TWICE].waiters.known);
	clear();
	close(root);
}

static void test_device(void)
{
	static const char *const others[] = {
		"", "/SYSV", "/SYSV00000000", "/SYSV0000000A (deleted)", "/memfd:SYSV00000000 (deleted)",
		"/SYSV00000000 (deleted) (deleted)", "/dev/zero (deleted)", "/SYSV000000000 (deleted)",
	};
	struct proc_map map = { .minor = 1, .path = "/SYSVdeadbeef (deleted)" };

	CHECK(shm_device_of(&devices, &map) == &devices.list[0]);
	map.minor = 0x11;
	CHECK(shm_device_of(&devices, &map) == &devices.list[1]);
	map.minor = 0x1b;
	CHECK(!shm_device_of(&devices, &map));
	map.minor = 1;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		map.path = others[i];
		CHECK_FOR(others[i], !shm_device_of(&devices, &map));
	}
}

int main(void)
{
	char path[4096];
	int root;

	devices.list[devices.count++] = (struct shm_device){ makedev(0, 1), 4096 };
	devices.list[devices.count++] = (struct shm_device){ makedev(0, 0x11), 2 << 20 };
	snprintf(path, sizeof(path), "%s/tests/fixtures/proc/shm", getenv("srcdir") ?: ".");
	if (CHECK_INT_FOR(path, proc_open(path, &root), 0)) {
		set_up();
		identify(root, "files/segment", &watched[OPENED].device, &watched[OPENED].inode);
		CHECK_INT(users_fill(root, watched, OBJECTS), 0);
		test_segments();
		test_files();
		check_all();
		clear();
		close(root);
	}
	test_unreadable();
	test_device();
	return unit_done("users of shared memory");
}
