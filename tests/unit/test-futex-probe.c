/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the kernel has: against its version, the calls themselves, and filters. */

#include "futexes.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

static const struct ipckit_futex_support *find(const char *name)
{
	const struct ipckit_futex_support *list;
	size_t count;

	if (!CHECK_INT(ipckit_futex_probe(&list, &count), 0))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i].name, name))
			return &list[i];
	return NULL;
}

/* "6.18.44-x" and "2.6.0" as numbers that compare. */
static unsigned version(const char *text)
{
	unsigned parts[3] = { 0 };

	sscanf(text, "%u.%u.%u", &parts[0], &parts[1], &parts[2]);
	return parts[0] << 20 | parts[1] << 10 | (parts[2] > 1023 ? 1023 : parts[2]);
}

/* Somebody's filter may refuse what the version has; backports may have what it has not. */
static void test_versions(void)
{
	const struct ipckit_futex_support *list;
	struct utsname kernel;
	size_t count = 0;

	CHECK_INT(uname(&kernel), 0);
	CHECK_INT(ipckit_futex_probe(&list, &count), 0);
	CHECK(count > 20);
	for (size_t i = 0; i < count; i++) {
		const char *name = list[i].name;
		bool old = !list[i].since || version(kernel.release) < version(list[i].since);
		bool gone = list[i].until && version(kernel.release) >= version(list[i].until);

		for (size_t k = 0; k < i; k++)
			CHECK_FOR(name, strcmp(list[k].name, name) != 0);
		CHECK_FOR(name, !list[i].until || version(list[i].until) > version(list[i].since));
		if (gone || !list[i].since)
			CHECK_FOR(name, !list[i].supported && list[i].error);
		else if (!old && !list[i].supported)
			CHECK_FOR(name, list[i].error == ENOSYS || list[i].error == EPERM);
	}
}

/* The calls that this test makes itself. */
static void test_answers(void)
{
	static const struct {
		const char *name;
		bool supported;
		int error;
	} rows[] = {
		{ "FUTEX_WAIT", true, EAGAIN },
		{ "FUTEX_WAKE", true, 0 },
		{ "FUTEX_FD", false, ENOSYS },
		{ "FUTEX_LOCK_PI", true, EDEADLK },
		{ "FUTEX_UNLOCK_PI", true, 0 },
		{ "FUTEX_TRYLOCK_PI", true, EDEADLK },
		{ "FUTEX_CMP_REQUEUE_PI", true, EAGAIN },
		{ "FUTEX_PRIVATE_FLAG on FUTEX_WAKE", true, 0 },
		{ "FUTEX_CLOCK_REALTIME on FUTEX_WAIT_BITSET", true, EAGAIN },
		{ "FUTEX_CLOCK_REALTIME on FUTEX_WAIT_REQUEUE_PI", true, EAGAIN },
		{ "FUTEX_CLOCK_REALTIME on FUTEX_LOCK_PI", false, ENOSYS },
		{ "set_robust_list", true, EINVAL },
		{ "get_robust_list", true, 0 },
	};
	const struct ipckit_futex_waiter waiter = { &words->a, 1 };
	const struct ipckit_futex_support *found;
	unsigned woken;
	int r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		found = find(rows[i].name);
		if (!CHECK_FOR(rows[i].name, found))
			continue;
		CHECK_INT_FOR(rows[i].name, found->supported, rows[i].supported);
		CHECK_INT_FOR(rows[i].name, found->error, rows[i].error);
	}
	r = ipckit_futex_wait(&words->a, 1, IPCKIT_FUTEX_REALTIME, &past);
	found = find("FUTEX_CLOCK_REALTIME on FUTEX_WAIT");
	CHECK(found && found->error == -r && found->supported == (r == -EAGAIN));
	r = ipckit_futex_waitv(&waiter, 1, 0, &past, &woken);
	found = find("futex_waitv");
	CHECK(found && found->error == -r && found->supported == (r == -EAGAIN));
	r = ipckit_futex_wait_bitset(&words->a, 1, IPCKIT_FUTEX_ALL, IPCKIT_FUTEX_2, &past);
	found = find("futex_wait");
	CHECK(found && found->error == -r && found->supported == (r == -EAGAIN));
	r = ipckit_futex_wake(&words->a, 1, IPCKIT_FUTEX_ALL, IPCKIT_FUTEX_2, &woken);
	found = find("futex_wake");
	CHECK(found && found->error == -r && found->supported == !r);
	r = ipckit_futex_cmp_requeue(&words->a, &words->b, 1, 0, 0, IPCKIT_FUTEX_2, &woken);
	found = find("futex_requeue");
	CHECK(found && found->error == -r && found->supported == (r == -EAGAIN));
}

static unsigned open_files(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* The thread's list, its descriptors, and time. */
static void test_no_traces(void)
{
	struct robust_list_head *before = NULL, *after = NULL;
	size_t size = 0, size_after = 0;
	unsigned files = open_files();
	int64_t began = now();

	CHECK_INT(syscall(SYS_get_robust_list, 0, &before, &size), 0);
	CHECK(find("FUTEX_WAIT"));
	CHECK_INT(syscall(SYS_get_robust_list, 0, &after, &size_after), 0);
	CHECK(before == after && size == size_after);
	CHECK_INT(open_files(), files);
	CHECK(now() - began < LONG_ENOUGH);
}

/* ---- filters ---- */

/* A call, or an operation of futex(2), says EPERM. */
static int refuse(long call, int op)
{
	const unsigned low = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + low),
		/* Any operation will do where op is less than 0. */
		BPF_JUMP(BPF_JMP | (op < 0 ? BPF_JGE : BPF_JEQ) | BPF_K, op < 0 ? 0 : (uint32_t)op, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = sizeof(filter) / sizeof(*filter), .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return -errno;
	return 0;
}

static const struct filtered {
	const char *name;
	long call;
	int op; /* -1: all */
	const char *left; /* what is not met by it */
} filters[] = {
	{ "FUTEX_UNLOCK_PI", SYS_futex, FUTEX_UNLOCK_PI, "FUTEX_LOCK_PI" },
	{ "FUTEX_LOCK_PI", SYS_futex, FUTEX_LOCK_PI, "FUTEX_TRYLOCK_PI" },
	{ "FUTEX_WAIT", SYS_futex, FUTEX_WAIT, "FUTEX_WAIT_BITSET" },
	{ "FUTEX_WAKE", SYS_futex, FUTEX_WAKE, "FUTEX_PRIVATE_FLAG on FUTEX_WAKE" },
	{ "futex_waitv", 449, -1, "FUTEX_WAIT" },
	{ "futex_wake", 454, -1, "FUTEX_WAIT" },
	{ "futex_wait", 455, -1, "FUTEX_WAIT" },
	{ "futex_requeue", 456, -1, "FUTEX_WAIT" },
	{ "set_robust_list", SYS_set_robust_list, -1, "get_robust_list" },
	{ "get_robust_list", SYS_get_robust_list, -1, "set_robust_list" },
};

/* 0; 1: there can be no filters; 2: it is not seen. */
static int probe_filtered(const void *arg)
{
	const struct filtered *filter = arg;
	const struct ipckit_futex_support *refused, *left;

	if (refuse(filter->call, filter->op))
		return -1;
	refused = find(filter->name);
	left = find(filter->left);
	return refused && !refused->supported && refused->error == EPERM && left && left->supported ? 0 : -2;
}

static void test_filters(void)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		int status = end_of(start_sleeper(probe_filtered, &filters[i]));

		if (status == 1) {
			printf("# no filters here\n");
			return;
		}
		CHECK_INT_FOR(filters[i].name, status, 0);
	}
}

int main(void)
{
	if (!share_words())
		return unit_done("futexes, probe");
	clear_words();
	test_versions();
	test_answers();
	test_no_traces();
	test_filters();
	return unit_done("futexes, probe");
}
