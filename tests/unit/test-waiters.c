/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who sleeps on words, from a /proc of fixtures, and what the arguments of calls say. */

#include "failing.h"

#include "../../lib/proc.h"
#include "../../lib/sys.h"
#include "../../lib/waiters-call.h"
#include "../../lib/waiters-walk.h"

/* The word at 0x1008 of most processes in the fixtures. */
static const struct ipckit_place first = { .minor = 0x1b, .inode = 77, .offset = 0x4008 };

static int open_root(const char *name)
{
	char path[4096];
	int root;

	snprintf(path, sizeof(path), "%s/tests/fixtures/proc/%s", getenv("srcdir") ?: ".", name);
	return CHECK_FOR(path, proc_open(path, &root) == 0) ? root : -1;
}

static int64_t value(struct ipckit_maybe maybe)
{
	return maybe.known ? maybe.value : -1;
}

/* ---- calls ---- */

static void test_numbers(void)
{
	static const struct {
		const char *what;
		struct proc_syscall call;
		const char *operation; /* NULL: none */
	} rows[] = {
		{ "wait", { PROC_IN_SYSCALL, SYS_futex, { 4096 } }, "FUTEX_WAIT" },
		{ "running", { PROC_RUNNING, SYS_futex, { 4096 } }, NULL },
		{ "blocked elsewhere", { PROC_BLOCKED, SYS_futex, { 4096 } }, NULL },
		{ "wake", { PROC_IN_SYSCALL, SYS_futex, { 4096, FUTEX_WAKE } }, NULL },
		{ "requeue", { PROC_IN_SYSCALL, SYS_futex, { 4096, FUTEX_CMP_REQUEUE_PI } }, NULL },
		{ "try", { PROC_IN_SYSCALL, SYS_futex, { 4096, FUTEX_TRYLOCK_PI } }, NULL },
		{ "none of its", { PROC_IN_SYSCALL, SYS_futex, { 4096, 14 } }, NULL },
		{ "unknown flag", { PROC_IN_SYSCALL, SYS_futex, { 4096, 512 } }, NULL },
		{ "no address", { PROC_IN_SYSCALL, SYS_futex, { 0 } }, NULL },
		{ "the kernel's", { PROC_IN_SYSCALL, SYS_futex, { UINT64_MAX - 4095 } }, NULL },
		{ "64 bits of time", { PROC_IN_SYSCALL, 422, { 4096 } }, "FUTEX_WAIT" },
		{ "waitv", { PROC_IN_SYSCALL, 449, { 4096, 128 } }, "futex_waitv" },
		{ "waitv of none", { PROC_IN_SYSCALL, 449, { 4096, 0 } }, NULL },
		{ "waitv of too many", { PROC_IN_SYSCALL, 449, { 4096, 129 } }, NULL },
		{ "futex_wait", { PROC_IN_SYSCALL, 455, { 4096 } }, "futex_wait" },
		{ "futex_wake", { PROC_IN_SYSCALL, 454, { 4096 } }, NULL },
		{ "resumed", { PROC_IN_SYSCALL, SYS_restart_syscall, { 4096, 0, 0, 8192 } }, "FUTEX_WAIT" },
		{ "resumed lock", { PROC_IN_SYSCALL, SYS_restart_syscall, { 4096, 6, 0, 8192 } }, NULL },
		{ "resumed poll", { PROC_IN_SYSCALL, SYS_restart_syscall, { 4096, 3, 0, 8192 } }, NULL },
		{ "another call", { PROC_IN_SYSCALL, SYS_read, { 4096 } }, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct futex_call call = { 0 };
		bool is = futex_call_read(&rows[i].call, &call);

		CHECK_INT_FOR(rows[i].what, is, rows[i].operation != NULL);
		CHECK_STR_FOR(rows[i].what, call.operation, rows[i].operation);
		CHECK_INT_FOR(rows[i].what, call.unsure, rows[i].operation && rows[i].call.number == SYS_restart_syscall);
	}
}

/* Every operation and flag is read as the kernel reads it. */
static void test_flags(void)
{
	for (unsigned op = 0; op < 16; op++) {
		for (unsigned flags = 0; flags < 4; flags++) {
			const struct proc_syscall in = {
				.state = PROC_IN_SYSCALL,
				.number = SYS_futex,
				.args = { 4096, op | flags << 7, UINT64_MAX, flags, 0x5000, UINT64_MAX },
			};
			bool compares = op == 0 || op == 9 || op == 11, pi = op == 6 || op == 13;
			struct futex_call call;

			CHECK_INT(futex_call_read(&in, &call), compares || pi);
			if (!compares && !pi)
				continue;
			CHECK_INT(call.private, flags & 1);
			CHECK_INT(call.realtime, (flags & 2) || op == 6);
			CHECK_INT(call.timed, flags != 0);
			CHECK_INT(call.pi, pi);
			CHECK_INT(value(call.expected), compares ? (int64_t)UINT32_MAX : -1);
			CHECK_INT(value(call.bitset), op == 9 ? (int64_t)UINT32_MAX : -1);
			CHECK_INT(value(call.requeue), op == 11 ? 0x5000 : -1);
		}
	}
}

static void test_judging(void)
{
	const struct timespec good = { 1, 999999999 }, bad = { 1, 1000000000 }, before = { -1, 0 };
	struct futex_call call = { .address = 4096, .restarted = true, .timed = true };

	CHECK_INT(futex_call_judge("futex_do_wait"), 1);
	CHECK_INT(futex_call_judge("futex_wait_queue"), 1);
	CHECK_INT(futex_call_judge("rt_mutex_schedule"), 1);
	CHECK_INT(futex_call_judge("poll_schedule_timeout.constprop.0"), 0);
	CHECK_INT(futex_call_judge("hrtimer_nanosleep"), 0);
	CHECK_INT(futex_call_judge("do_signal_stop"), -1);
	CHECK_INT(futex_call_judge("0"), -1);
	CHECK_INT(futex_call_judge(""), -1);
	CHECK(futex_call_is_likely(&call, &good) && futex_call_is_likely(&call, NULL));
	CHECK(!futex_call_is_likely(&call, &bad) && !futex_call_is_likely(&call, &before));
	call.timed = false;
	CHECK(!futex_call_is_likely(&call, NULL));
	call.restarted = false;
	CHECK(futex_call_is_likely(&call, NULL));
	call.address++;
	CHECK(!futex_call_is_likely(&call, NULL));
	call = (struct futex_call){ .address = 4096, .bitset = ipckit_known(0) };
	CHECK(!futex_call_is_likely(&call, NULL));
}

/* ---- the walk ---- */

static const struct ipckit_waiter *find(const struct ipckit_waiters *waiters, pid_t tid, int64_t index)
{
	for (size_t i = 0; i < waiters->count; i++)
		if (waiters->list[i].tid == tid && value(waiters->list[i].index) == index)
			return &waiters->list[i];
	return NULL;
}

struct expected {
	pid_t pid, tid;
	int index;
	const char *operation, *flags; /* flags: p private, r realtime, t timed */
	uint64_t address, offset;      /* offset 0: in no file */
	int64_t value, expected, bitset, owner;
};

#define NONE (-1)
#define PI(tid) ((int64_t)(FUTEX_WAITERS | (tid)))

static const struct expected all[] = {
	{ 200, 200, NONE, "FUTEX_WAIT", "", 0x1008, 0x4008, 5, 5, NONE, NONE },
	{ 200, 201, NONE, "FUTEX_WAIT_BITSET", "prt", 0x1008, 0x4008, 5, 5, 0x80000001, NONE },
	{ 200, 202, NONE, "FUTEX_LOCK_PI", "r", 0x1010, 0x4010, PI(200), NONE, NONE, 200 },
	{ 200, 203, NONE, "FUTEX_LOCK_PI2", "t", 0x1014, 0x4014, FUTEX_OWNER_DIED | 201, NONE, NONE, 201 },
	{ 200, 204, NONE, "FUTEX_WAIT_REQUEUE_PI", "t", 0x1008, 0x4008, 5, 6, NONE, NONE },
	{ 200, 205, 0, "futex_waitv", "t", 0x1040, 0x4040, 7, 1, NONE, NONE },
	{ 200, 205, 1, "futex_waitv", "pt", 0x1044, 0x4044, 0, 2, NONE, NONE },
	{ 200, 205, 2, "futex_waitv", "t", 0x2000, 0, NONE, 3, NONE, NONE },
	{ 200, 206, NONE, "futex_wait", "prt", 0x100c, 0x400c, 0, 9, 6, NONE },
	{ 200, 207, NONE, "FUTEX_WAIT", "", 0x1008, 0x4008, 5, 4, NONE, NONE },
	{ 300, 300, NONE, "FUTEX_WAIT", "t", 0x1004, 0x4004, 9, 9, NONE, NONE },
	{ 300, 302, NONE, "FUTEX_WAIT_BITSET", "t", 0x1004, 0x4004, 9, 9, 5, NONE },
#ifdef __LP64__
	{ 300, 306, NONE, "FUTEX_WAIT", "", 0x1004, 0x4004, 9, 9, NONE, NONE },
#endif
	{ 300, 311, NONE, "FUTEX_WAIT", "pt", 0x1004, 0x4004, 9, 9, NONE, NONE },
	/* Its first thread has ended. */
	{ 400, 401, NONE, "FUTEX_WAIT", "", 0x1008, 0x4008, 11, 0, NONE, NONE },
	/* A vector that leads nowhere; a word that is none, and one behind which a line goes on. */
	{ 500, 508, NONE, "futex_waitv", "", 0, 0, NONE, NONE, NONE, NONE },
	{ 500, 511, NONE, "FUTEX_WAIT", "", 0x1001, 1, 0, 1, NONE, NONE },
	{ 500, 512, NONE, "FUTEX_WAIT", "", 0x1008, 8, 0, 2, NONE, NONE },
	/* Without memory, without maps. */
	{ 600, 600, NONE, "FUTEX_LOCK_PI", "r", 0x1008, 0x4008, NONE, NONE, NONE, NONE },
	{ 700, 700, NONE, "FUTEX_WAIT", "", 0x1008, 0, 4, 4, NONE, NONE },
	/* A private mapping that nobody may write to is the file's; one that may is not. */
	{ 900, 900, NONE, "FUTEX_WAIT", "", 0x1008, 0x4008, 0, 0, NONE, NONE },
	{ 900, 901, NONE, "FUTEX_WAIT", "", 0x3008, 0, NONE, 0, NONE, NONE },
};

static void check_waiter(const struct ipckit_waiter *have, const struct expected *want)
{
	char row[32];

	snprintf(row, sizeof(row), "%d %d", (int)want->tid, want->index);
	CHECK_INT_FOR(row, have->pid, want->pid);
	CHECK_STR_FOR(row, have->operation, want->operation);
	CHECK_INT_FOR(row, have->private, strchr(want->flags, 'p') != NULL);
	CHECK_INT_FOR(row, have->realtime, strchr(want->flags, 'r') != NULL);
	CHECK_INT_FOR(row, have->timed, strchr(want->flags, 't') != NULL);
	CHECK_INT_FOR(row, (int64_t)have->word.address, (int64_t)want->address);
	CHECK_INT_FOR(row, have->word.shared, want->offset != 0);
	CHECK_INT_FOR(row, (int64_t)have->word.place.offset, (int64_t)want->offset);
	CHECK_INT_FOR(row, value(have->word.value), want->value);
	CHECK_INT_FOR(row, value(have->expected), want->expected);
	CHECK_INT_FOR(row, value(have->bitset), want->bitset);
	CHECK_INT_FOR(row, value(have->owner), want->owner);
	CHECK_STR_FOR(row, have->word.path,
		      !want->offset ? NULL : want->pid == 500 ? "/dev/shm/other" : "/dev/shm/words");
}

static void check_order(const struct ipckit_waiters *waiters)
{
	for (size_t i = 1; i < waiters->count; i++) {
		const struct ipckit_waiter *a = &waiters->list[i - 1], *b = &waiters->list[i];

		CHECK(a->pid < b->pid || (a->pid == b->pid && (a->tid < b->tid || (a->tid == b->tid &&
								value(a->index) < value(b->index)))));
	}
}

static void test_all(int root)
{
	struct ipckit_waiters waiters;
	const struct ipckit_waiter *waiter;

	if (!CHECK_INT(waiters_look(root, NULL, 0, &waiters), 0))
		return;
	CHECK_INT(waiters.count, sizeof(all) / sizeof(*all));
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		waiter = find(&waiters, all[i].tid, all[i].index);
		if (CHECK_FOR(all[i].operation, waiter))
			check_waiter(waiter, &all[i]);
	}
	check_order(&waiters);
	/* Of 500 a vector could not be read. */
	CHECK_INT(value(waiters.unreadable_processes), 1);
	waiter = find(&waiters, 200, NONE);
	CHECK_STR(waiter->command, "worker -x");
	CHECK_INT(value(waiter->uid), 1000);
	CHECK(waiter->word.place.major == 0 && waiter->word.place.minor == 0x1b && waiter->word.place.inode == 77);
	CHECK_INT(value(find(&waiters, 204, NONE)->requeue), 0x1010);
	CHECK(!waiter->requeue.known);
	waiter = find(&waiters, 300, NONE);
	CHECK_STR(waiter->command, "[worker]");
	CHECK_INT(value(waiter->uid), 1001);
	CHECK_STR(find(&waiters, 401, NONE)->command, "leaderless");
	ipckit_waiters_free(&waiters);
	CHECK(!waiters.list && !waiters.count);
}

static void test_word(int root)
{
	static const pid_t sleepers[] = { 200, 201, 204, 207, 401, 600, 900 };
	const size_t count = sizeof(sleepers) / sizeof(*sleepers);
	struct ipckit_place other = first;
	struct ipckit_waiters waiters;

	if (!CHECK_INT(waiters_look(root, &first, 0, &waiters), 0))
		return;
	if (CHECK_INT(waiters.count, count))
		for (size_t i = 0; i < count; i++)
			CHECK_INT(waiters.list[i].tid, sleepers[i]);
	CHECK_INT(value(waiters.unreadable_processes), 1);
	ipckit_waiters_free(&waiters);
	for (int i = 0; i < 5; i++) {
		other = first;
		*(i == 0 ? &other.major : &other.minor) += i < 2;
		other.inode += i == 2;
		other.offset += i == 3;
		other.sysv = i == 4;
		if (CHECK_INT(waiters_look(root, &other, 0, &waiters), 0))
			CHECK_INT(waiters.count, 0);
		ipckit_waiters_free(&waiters);
	}
}

static void test_one(int root)
{
	struct ipckit_waiters waiters = { .count = 47 };

	if (CHECK_INT(waiters_look(root, NULL, 300, &waiters), 0)) {
		CHECK_INT(waiters.count, find(&waiters, 306, NONE) ? 4 : 3);
		CHECK_INT(value(waiters.unreadable_processes), 0);
		ipckit_waiters_free(&waiters);
	}
	if (CHECK_INT(waiters_look(root, &first, 900, &waiters), 0)) {
		CHECK_INT(waiters.count, 1);
		ipckit_waiters_free(&waiters);
	}
	if (CHECK_INT(waiters_look(root, NULL, 1, &waiters), 0)) {
		CHECK_INT(waiters.count, 0);
		ipckit_waiters_free(&waiters);
	}
	waiters.count = 47;
	CHECK_INT(waiters_look(root, NULL, 4711, &waiters), -ESRCH);
	CHECK_INT(waiters.count, 47);
	CHECK_INT(ipckit_waiters_list(&(struct ipckit_waiters_filter){ .pid = -1 }, &waiters), -ESRCH);
}

/* Where processes are hidden it is not known how many. */
static void test_hidden(void)
{
	int root = open_root("lines/hidden");
	struct ipckit_waiters waiters;

	if (root >= 0 && CHECK_INT(waiters_look(root, NULL, 0, &waiters), 0)) {
		CHECK(!waiters.unreadable_processes.known);
		ipckit_waiters_free(&waiters);
	}
	close(root);
}

static int fixture;

/* Few entries: many are sorted by the C library, which does without memory where it gets none. */
static int look_at_one(void)
{
	struct ipckit_waiters waiters;
	int r = waiters_look(fixture, NULL, 900, &waiters);

	if (!r)
		ipckit_waiters_free(&waiters);
	return r;
}

static int look_for_other(void)
{
	const struct ipckit_place other = { .inode = 1 };
	struct ipckit_waiters waiters;
	int r = waiters_look(fixture, &other, 0, &waiters);

	if (!r)
		ipckit_waiters_free(&waiters);
	return r;
}

int main(void)
{
	test_numbers();
	test_flags();
	test_judging();
#if defined(__x86_64__) && defined(__LP64__)
	fixture = open_root("waiters");
	if (fixture >= 0) {
		test_all(fixture);
		test_word(fixture);
		test_one(fixture);
		check_failing("one process", look_at_one);
		check_failing("another word", look_for_other);
		close(fixture);
	}
#endif
	test_hidden();
	return unit_done("waiters");
}
