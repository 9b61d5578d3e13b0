/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Waits for semaphores of System V: real sets, and real processes that hold and wait. */

#include "failing.h"
#include "sysv-trees.h"

#define SEMS 4
#define AT 64 /* where a process has its operations */
#ifdef SYS_semtimedop
#define OPERATE SYS_semtimedop
#else
#define OPERATE SYS_semtimedop_time64
#endif

static int set;

/* ---- real processes ---- */

static int ask(int number, int command)
{
	return sys_semctl(set, number, command, (union sys_semun){ .val = 0 });
}

static int count_waiters(void)
{
	int count = 0;

	for (int i = 0; i < SEMS; i++)
		count += ask(i, GETNCNT) + ask(i, GETZCNT);
	return count;
}

static bool come_to(int (*fact)(void), int wanted)
{
	for (int i = 0; i < 5000; i++) {
		if (fact() == wanted)
			return true;
		usleep(1000);
	}
	return CHECK(!"waited for too long");
}

/* Does what it has to, and sleeps. */
static pid_t uses(struct sembuf *ops, size_t n)
{
	pid_t parent = getpid(), pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent && !sys_semtimedop(set, ops, n, NULL))
			pause();
		_exit(1);
	}
	keep(pid);
	return pid;
}

static int last_number;

static int last_user(void)
{
	return ask(last_number, GETPID);
}

/* A process that has done an operation. */
static pid_t did(int number, int op)
{
	pid_t pid = uses(&(struct sembuf){ (unsigned short)number, (short)op, 0 }, 1);

	last_number = number;
	come_to(last_user, pid);
	return pid;
}

static void set_values(unsigned short a, unsigned short b, unsigned short c, unsigned short d)
{
	unsigned short values[SEMS] = { a, b, c, d };

	CHECK_INT(sys_semctl(set, 0, SETALL, (union sys_semun){ .array = values }), 0);
}

/* ---- trees ---- */

static void put_ops(pid_t pid, const struct sembuf *ops, size_t n)
{
	char memory[AT + 80 * sizeof(*ops)] = { 0 };

	memcpy(memory + AT, ops, n * sizeof(*ops));
	tree_put_bytes(tree_name("%d/mem", (int)pid), memory, sizeof(memory));
}

/* A process that waits in the tree as it does in truth. */
static pid_t waits(struct sembuf *ops, size_t n)
{
	int before = count_waiters();
	pid_t pid = uses(ops, n);

	come_to(count_waiters, before + 1);
	put(pid, in(OPERATE, (unsigned)set, AT, (unsigned)n, 0, 0, 0));
	put_ops(pid, ops, n);
	return pid;
}

static pid_t waits_for(int number, int op)
{
	return waits(&(struct sembuf){ (unsigned short)number, (short)op, 0 }, 1);
}

/* What semctl-cli exec leaves in the environment of its job. */
static void put_record(pid_t pid, pid_t job, int number, int64_t since)
{
	char text[200];
	int n = snprintf(text, sizeof(text), "A=b%cIPCKIT_HOLD=holding job=%d count=1 since=%lld.000 ", 0, (int)job,
			 (long long)since);

	n += snprintf(text + n, sizeof(text) - (size_t)n, "at=sysv:9999:0,sysv:%d:%d x", set, number);
	tree_put_bytes(tree_name("%d/environ", (int)pid), text, (size_t)n + 1);
}

#define SEMAPHORE "sysv-semaphore id:%d#%d inferred: %d"

/* ---- semaphores ---- */

static void test_ring(void)
{
	static const live_collector collectors[] = { live_collect_sysv, NULL };
	struct sembuf first[] = { { 0, -1, 0 }, { 2, 1, 0 } }, second[] = { { 1, -1, 0 }, { 3, 1, 0 } };
	struct ipckit_live live;
	pid_t a, b;

	begin();
	set_values(1, 1, 0, 0);
	a = uses(first, 2);
	last_number = 2;
	come_to(last_user, a);
	b = uses(second, 2);
	last_number = 3;
	come_to(last_user, b);
	/* That they wait is told by others, who wait in truth. */
	waits_for(0, -1);
	waits_for(1, -1);
	put(a, in(OPERATE, (unsigned)set, AT, 1, 0, 0, 0));
	put_ops(a, &(struct sembuf){ 1, -1, 0 }, 1);
	put(b, in(OPERATE, (unsigned)set, AT, 1, 0x100, 0, 0));
	put_ops(b, &(struct sembuf){ 0, -1, 0 }, 1);
	expect("one", a, SEMAPHORE, set, 1, b);
	expect("other", b, SEMAPHORE, set, 0, a);
	if (CHECK_INT(live_look(tree, NULL, collectors, &live), 0)) {
		CHECK(live.detection.deadlocked);
		CHECK_INT(live.core.ncomponents, 1);
		CHECK(live.core.ncomponents && live.levels[0] == IPCKIT_LIVE_INFERRED);
	}
	ipckit_live_free(&live);
	end();
}

static void test_last_user(void)
{
	pid_t holder, waiter;

	begin();
	set_values(1, 0, 0, 0);
	holder = did(0, -1);
	waiter = waits_for(0, -1);
	put_running(holder);
	expect("who took the last", waiter, SEMAPHORE, set, 0, holder);
	put_start(holder, 1ULL << 50);
	expect("one who got its pid later", waiter, "");
	put_start(holder, 5);
	put_link(tree_name("%d/ns/ipc", (int)holder), "ipc:[7]");
	expect("one of another namespace", waiter, "");
	put_link(tree_name("%d/ns/ipc", (int)holder), own_namespace);
	put_link(tree_name("%d/ns/ipc", (int)waiter), "ipc:[7]");
	expect("who waits in another namespace", waiter, "");
	put_link(tree_name("%d/ns/ipc", (int)waiter), own_namespace);
	put_link("self/ns/ipc", "broken");
	expect("where it is not told which is ours", waiter, "");
	put_link("self/ns/ipc", own_namespace);
	put(waiter, in(OPERATE, 0x7fff0000, AT, 1, 0, 0, 0));
	expect("no such set", waiter, "");
	put(waiter, in(OPERATE, (unsigned)set, 1 << 20, 1, 0, 0, 0));
	expect("no such memory", waiter, "");
	put(waiter, in(OPERATE, (unsigned)set, AT, 65, 0, 0, 0));
	expect("too many operations", waiter, "");
	put(waiter, in(OPERATE, (unsigned)set, AT, 0, 0, 0, 0));
	expect("no operations", waiter, "");
	put(waiter, in(OPERATE, (unsigned)set, AT, 1, 0, 0, 0));
	put(holder, "-1 0x0 0x0\n");
	expect("one who has ended", waiter, "");
	end();
}

/* The kernel stops at the first operation that has to wait. */
static void test_operations(void)
{
	struct sembuf ops[] = { { 1, -1, 0 }, { 0, -1, 0 }, { 2, -1, 0 } };
	pid_t holder, waiter;

	begin();
	set_values(1, 1, 0, 0);
	holder = did(0, -1);
	put_running(holder);
	waiter = waits(ops, 3);
	expect("the second", waiter, SEMAPHORE, set, 0, holder);
	ops[1].sem_flg = IPC_NOWAIT;
	put_ops(waiter, ops, 3);
	expect("one that does not wait", waiter, "");
	ops[1] = (struct sembuf){ 7, -1, 0 };
	put_ops(waiter, ops, 3);
	expect("no such semaphore", waiter, "");
	ops[1] = (struct sembuf){ 2, -1, 0 };
	put_ops(waiter, ops, 3);
	expect("one on which nobody is counted", waiter, "");
	put_ops(waiter, ops, 1);
	expect("none that has to", waiter, "");
	end();
}

/* Who used it last need not hold it where more than one is asked for. */
static void test_records(void)
{
	pid_t last, waiter, job;

	begin();
	set_values(2, 0, 0, 0);
	last = did(0, -1);
	put_running(last);
	waiter = waits_for(0, -2);
	expect("a value above 0", waiter, "");
	job = did(1, 1);
	put_running(job);
	put_record(job, job, 0, 2000);
	expect("one who says so", waiter, SEMAPHORE, set, 0, job);
	put_record(job, last, 0, 2000);
	expect("who has inherited it", waiter, "");
	put_record(job, job, 1, 2000);
	expect("of another", waiter, "");
	put_record(job, job, 0, 900);
	put_start(job, 1ULL << 30);
	expect("of an earlier one of its pid", waiter, "");
	put_start(job, 5);
	tree_put_bytes(tree_name("%d/environ", (int)job), "IPCKIT_HOLD=holding job", 24);
	expect("a broken record", waiter, "");
	end();
}

static void test_zero(void)
{
	struct sembuf lock[] = { { 0, 0, 0 }, { 0, 1, 0 } };
	pid_t holder, waiter;

	begin();
	set_values(0, 0, 0, 0);
	holder = did(0, 1);
	put_running(holder);
	waiter = waits(lock, 2);
	expect("a lock", waiter, SEMAPHORE, set, 0, holder);
	put_ops(waiter, lock, 1);
	expect("a wait for zero alone", waiter, "");
	lock[1].sem_op = 2;
	put_ops(waiter, lock, 2);
	expect("a lock of another value", waiter, "");
	end();
}

/* Who took the last and only waits for one more is an idle worker: somebody else will post. */
static void test_idle(void)
{
	static const live_collector collectors[] = { live_collect_sysv, NULL };
	struct ipckit_live live;
	pid_t holder, waiter;

	begin();
	set_values(1, 0, 0, 0);
	holder = did(0, -1);
	waiter = waits_for(0, -1);
	put(holder, in(OPERATE, (unsigned)set, AT, 1, 0, 0, 0));
	put_ops(holder, &(struct sembuf){ 0, -1, 0 }, 1);
	expect("one of two", waiter, SEMAPHORE, set, 0, holder);
	expect("the other", holder, "");
	if (CHECK_INT(live_look(tree, NULL, collectors, &live), 0))
		CHECK_INT(live.nnodes, 0);
	ipckit_live_free(&live);
	end();
}

/* ---- ipc(2), which programs of 32 bits use ---- */

static void test_within(void)
{
	static const unsigned calls[] = { 1, 4, 4 | 1 << 16 };
	pid_t holder, waiter;

	if (sizeof(long) != 8)
		return;
	begin();
	set_values(1, 0, 0, 0);
	holder = did(0, -1);
	waiter = waits_for(0, -1);
	put_running(holder);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		put(waiter, in(117, calls[i], (unsigned)set, 1, 0, AT, 0));
		tree_put_bytes(tree_name("%d/auxv", (int)waiter), (unsigned[4]){ 6, 4096, 0, 0 }, 16);
		expect("semop", waiter, SEMAPHORE, set, 0, holder);
	}
	put(waiter, in(117, 13, (unsigned)set, 1, 0, AT, 0));
	tree_put_bytes(tree_name("%d/auxv", (int)waiter), (unsigned[4]){ 6, 4096, 0, 0 }, 16);
	expect("another call", waiter, "");
	put(waiter, in(420, (unsigned)set, AT, 1, 0, 0, 0));
	tree_put_bytes(tree_name("%d/auxv", (int)waiter), (unsigned[4]){ 6, 4096, 0, 0 }, 16);
	expect("semtimedop_time64", waiter, SEMAPHORE, set, 0, holder);
	end();
}

/* ---- no memory ---- */

static int collect_failing(void)
{
	struct live_scan scan;
	int r = live_scan_begin(tree, &scan);

	if (!r)
		r = live_collect_sysv(&scan);
	live_scan_end(&scan);
	return r;
}

static void test_failing(void)
{
	pid_t holder;

	begin();
	set_values(1, 0, 0, 0);
	holder = did(0, -1);
	waits_for(0, -1);
	put_running(holder);
	put_record(holder, holder, 0, 2000);
	check_failing("semaphores", collect_failing);
	end();
}

int main(void)
{
	set = find_own_namespace() ? sys_result(semget(IPC_PRIVATE, SEMS, 0600)) : -ENOSYS;
	if (set < 0)
		return unit_skip("live sysv", "there is no set to be had");
	test_ring();
	test_last_user();
	test_operations();
	test_records();
	test_zero();
	test_idle();
	test_within();
	test_failing();
	CHECK_INT(sys_semctl(set, 0, IPC_RMID, (union sys_semun){ .val = 0 }), 0);
	return unit_done("live sysv");
}
