/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The snapshot of threads, what is told of one, and two passes over trees that are whole and broken. */

#include "failing.h"

#include "../../lib/live.h"
#include "../../lib/sys.h"
#include "trees.h"

#define IN(number, first) #number " 0x" #first " 0x2 0x3 0x4 0x5 0x6 0x7ffe00 0x7fff00\n"
#define NOBODY "-1 0x0 0x0\n"
#define KERNEL "0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n"

static char call_text[160];

/* A thread in wait4(2); until the next one is asked for. */
static const char *waits_for(int pid)
{
	snprintf(call_text, sizeof(call_text), "%ld 0x%x 0x0 0x0 0x0 0x0 0x0 0x7ffe00 0x7fff00\n",
		 (long)SYS_wait4, (unsigned)pid);
	return call_text;
}

/* ---- parsers ---- */

static void test_status(void)
{
	static const char whole[] = "Name:\ta\nState:\tt (tracing stop)\nPPid:\t4\nTracerPid:\t12\n"
				    "Uid:\t1\t2\t3\t4\nNSpid:\t77\t5\t1\nNSpgid:\t9\t1\nThreads:\t3\n"
				    "SigCgt:\t0000000180000002\n";
	struct live_status status;

	if (CHECK_INT(live_status_parse(whole, &status), 0)) {
		CHECK_INT(status.state, 't');
		CHECK_INT(status.parent, 4);
		CHECK_INT(status.tracer, 12);
		CHECK_INT(status.group, 9);
		CHECK_INT(status.ns_pid, 1);
		CHECK_INT(status.ns_depth, 3);
		CHECK_INT(status.uid.value, 2);
		CHECK_INT(status.threads, 3);
		CHECK_INT(status.caught, 0x180000002);
	}
	CHECK_INT(live_status_parse("", &status), -EBADMSG);
	CHECK_INT(live_status_parse("State:\tS\nTracerPid:\t0\n", &status), -EBADMSG);
	CHECK_INT(live_status_parse("State:\tS\nTracerPid:\tx\nSigCgt:\t0\n", &status), -EBADMSG);
	CHECK_INT(live_status_parse("State:\nTracerPid:\t0\nSigCgt:\t0\n", &status), -EBADMSG);
	/* A name may hold anything but a newline. */
	CHECK_INT(live_status_parse("Name:\tState: R\nState:\tS\nTracerPid:\t0\nSigCgt:\t0", &status), 0);
	CHECK_INT(status.state, 'S');
	CHECK_STR(status.name, "State: R");
	CHECK_INT(live_status_parse("Name:\t a\\nb\\\\n\\\nState:\tS\nTracerPid:\t0\nSigCgt:\t0\n", &status), 0);
	CHECK_STR(status.name, " a\nb\\n\\");
}

static void test_runs(void)
{
	static const char *const bad[] = { "", "1", "1 2", "1 2 ", "1 2 x", "1 2 3", "1 2 3 4\n", "0 0 0\n",
					   "-1 2 3\n", "99999999999999999999 2 3\n" };
	struct live_runs runs;

	CHECK_INT(live_runs_parse("12 5 7\n", &runs), 0);
	CHECK_INT(runs.time, 12);
	CHECK_INT(runs.slices, 7);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT_FOR(bad[i], live_runs_parse(bad[i], &runs), -EBADMSG);
}

static void test_catching(void)
{
	CHECK(!live_catches(0));
	CHECK(!live_catches(0x180000000)); /* the C library's own */
	CHECK(!live_catches(1 << 10 | 1 << 6 | 1 << 7 | 1 << 3 | 1 << 4 | 1u << 30));
	CHECK(live_catches(1 << 13));      /* SIGALRM */
	CHECK(live_catches(0x180000002));
	CHECK(live_catches(0x200000000));
}

static void test_calls(void)
{
	CHECK_INT(live_call_name(SYS_wait4, LIVE_ABI_NATIVE), LIVE_CALL_WAIT4);
	CHECK_INT(live_call_name(SYS_waitid, LIVE_ABI_NATIVE), LIVE_CALL_WAITID);
	CHECK_INT(live_call_name(SYS_read, LIVE_ABI_NATIVE), LIVE_CALL_READ);
	CHECK_INT(live_call_name(7, LIVE_ABI_COMPAT), LIVE_CALL_WAITPID);
	CHECK_INT(live_call_name(114, LIVE_ABI_COMPAT), LIVE_CALL_WAIT4);
	CHECK_INT(live_call_name(240, LIVE_ABI_COMPAT), LIVE_CALL_FUTEX);
	CHECK_INT(live_call_name(0, LIVE_ABI_COMPAT), LIVE_CALL_RESTARTED);
	CHECK_INT(live_call_name(-1, LIVE_ABI_COMPAT), LIVE_CALL_NONE);
	CHECK_INT(live_call_name(-1, LIVE_ABI_NATIVE), LIVE_CALL_NONE);
	CHECK_INT(live_call_name(SYS_getpid, LIVE_ABI_NATIVE), LIVE_CALL_NONE);
	CHECK(live_call_is_wait(SYS_wait4) && live_call_is_wait(114) && !live_call_is_wait(-1));
}

/* ---- the snapshot ---- */

static struct live_thread *thread(struct live_scan *scan, pid_t tid)
{
	uint32_t found = live_find_thread(scan, tid);

	return found == IPCKIT_NONE ? NULL : &scan->threads[found];
}

static void test_snapshot(void)
{
	struct live_thread *found;
	struct live_scan scan;
	uint32_t process;

	tree_begin();
	tree_thread(&(struct tree_thread){ .pid = 30, .tid = 30, .call = IN(61, 28) });
	tree_thread(&(struct tree_thread){ .pid = 30, .tid = 35, .call = "running\n" });
	tree_thread(&(struct tree_thread){ .pid = 30, .tid = 33, .call = "-1 0x7ffe00 0x7fff00\n" });
	tree_thread(&(struct tree_thread){ .pid = 4, .tid = 4, .call = NOBODY });
	tree_thread(&(struct tree_thread){ .pid = 4, .tid = 41, .call = IN(7, 0) });
	tree_thread(&(struct tree_thread){ .pid = 5, .tid = 5, .call = NOBODY });
	tree_thread(&(struct tree_thread){ .pid = 6, .tid = 6, .call = KERNEL });
	tree_put("uptime", "1 1\n");
	tree_put("7", "no directory\n");
	if (CHECK_INT(live_scan_begin(tree, &scan), 0)) {
		CHECK_INT(scan.nprocesses, 4);
		CHECK_INT(scan.nthreads, 4);
		CHECK_INT(scan.unreadable, 0);
		for (size_t i = 1; i < scan.nprocesses; i++)
			CHECK(scan.processes[i - 1].pid < scan.processes[i].pid);
		process = live_find_process(&scan, 30);
		if (CHECK(process != IPCKIT_NONE)) {
			CHECK_INT(scan.processes[process].nthreads, 3);
			CHECK_INT(scan.threads[scan.processes[process].first].tid, 30);
		}
		found = thread(&scan, 30);
		if (CHECK(found)) {
			CHECK_INT(found->call.state, PROC_IN_SYSCALL);
			CHECK_INT(found->call.number, 61);
			CHECK_INT(found->call.args[0], 0x28);
			CHECK_INT(found->process, process);
		}
		CHECK(thread(&scan, 33) && thread(&scan, 33)->call.state == PROC_BLOCKED);
		CHECK(thread(&scan, 35) && thread(&scan, 35)->call.state == PROC_RUNNING);
		/* Zombies and kernel threads. */
		CHECK(!thread(&scan, 4) && !thread(&scan, 5) && !thread(&scan, 6));
		CHECK(thread(&scan, 41));
		CHECK(live_find_process(&scan, 5) != IPCKIT_NONE && live_find_process(&scan, 7) == IPCKIT_NONE);
		/* What is told of a process whose first thread has ended is that of another thread. */
		process = live_find_process(&scan, 4);
		CHECK(faccessat(live_directory(&scan, process), "comm", F_OK, 0) == 0);
		CHECK_INT(live_is_gone(&scan, process, 41), 0);
		CHECK_INT(live_is_gone(&scan, process, 42), 1);
	}
	live_scan_end(&scan);
	tree_end();
}

/* What cannot be understood is nothing that a thread waits for. */
static void test_broken(void)
{
	static const char *const broken[] = { "", "\n", "x\n", "61\n", "61 0x1\n", "61 0x1 0x2 0x3 0x4 0x5 zz 0x7 0x8\n",
					      "99999999999999999999 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n",
					      "-7 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n", "running forever\n" };
	struct live_scan scan;

	tree_begin();
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		int pid = 10 + (int)i;

		tree_thread(&(struct tree_thread){ .pid = pid, .tid = pid, .call = broken[i], .parent = 1 });
	}
	tree_put("50/task/50/status", "State:\n");  /* no syscall */
	tree_put("51/status", "Uid:\tx\n");         /* no task */
	tree_put("52/task/53/comm", "");            /* another thread alone */
	tree_thread(&(struct tree_thread){ .pid = 54, .tid = 54, .call = waits_for(55) });
	tree_thread(&(struct tree_thread){ .pid = 55, .tid = 55, .call = waits_for(54) });
	if (CHECK_INT(live_scan_begin(tree, &scan), 0)) {
		CHECK_INT(scan.nthreads, sizeof(broken) / sizeof(*broken) + 2);
		for (size_t i = 0; i + 2 < scan.nthreads; i++)
			CHECK(scan.threads[i].call.state != PROC_IN_SYSCALL);
		CHECK(live_find_process(&scan, 51) == IPCKIT_NONE);
		CHECK_INT(live_collect_child(&scan), 0);
		CHECK_INT(live_settle(&scan), 0);
	}
	live_scan_end(&scan);
	tree_end();
}

/* Who may not be looked at acts, and is counted. Nothing is refused to root. */
static void test_refused(void)
{
	struct live_scan scan;

	if (!geteuid())
		return;
	tree_begin();
	tree_thread(&(struct tree_thread){ .pid = 20, .tid = 20, .call = waits_for(21) });
	tree_thread(&(struct tree_thread){ .pid = 21, .tid = 21, .call = waits_for(20) });
	tree_thread(&(struct tree_thread){ .pid = 22, .tid = 22, .call = waits_for(20) });
	CHECK_INT(fchmodat(tree, "21/task/21/syscall", 0, 0), 0);
	CHECK_INT(fchmodat(tree, "22", 0, 0), 0);
	if (CHECK_INT(live_scan_begin(tree, &scan), 0)) {
		CHECK_INT(scan.unreadable, 2);
		CHECK(live_is_partial(&scan));
		CHECK(thread(&scan, 21) && thread(&scan, 21)->hidden);
		CHECK(!thread(&scan, 22));
	}
	live_scan_end(&scan);
	CHECK_INT(fchmodat(tree, "22", 0700, 0), 0);
	tree_end();
}

/* ---- names ---- */

static pid_t named(struct live_scan *scan, pid_t pid, pid_t name)
{
	uint32_t found;

	if (live_find_named(scan, live_find_process(scan, pid), name, &found))
		return -1;
	return found == IPCKIT_NONE ? 0 : scan->threads[found].tid;
}

static void test_names(void)
{
	struct live_scan scan;

	tree_begin();
	tree_thread(&(struct tree_thread){ .pid = 70, .tid = 70, .call = "running\n" });
	tree_thread(&(struct tree_thread){ .pid = 80, .tid = 80, .call = "running\n", .name = 1 });
	tree_thread(&(struct tree_thread){ .pid = 80, .tid = 82, .call = "running\n", .name = 70 });
	tree_thread(&(struct tree_thread){ .pid = 90, .tid = 90, .call = "running\n", .name = 5 });
	tree_thread(&(struct tree_thread){ .pid = 95, .tid = 95, .call = "running\n", .name = 6 });
	for (int pid = 70; pid <= 95; pid += 5) {
		const char *space = pid == 70 ? "pid:[1]" : pid == 95 ? "pid:[3]" : "pid:[2]";

		if (pid != 70 && pid != 80 && pid != 90 && pid != 95)
			continue;
		tree_mkdir(tree_name("%d/ns", pid));
		CHECK_INT(symlinkat(space, tree, tree_name("%d/ns/pid", pid)), 0);
	}
	if (CHECK_INT(live_scan_begin(tree, &scan), 0)) {
		CHECK_INT(named(&scan, 70, 90), 90);
		CHECK_INT(named(&scan, 70, 70), 70);
		CHECK_INT(named(&scan, 70, 71), 0);
		CHECK_INT(named(&scan, 80, 70), 82);
		CHECK_INT(named(&scan, 80, 5), 90);
		CHECK_INT(named(&scan, 90, 1), 80);
		CHECK_INT(named(&scan, 90, 6), 0);
		CHECK_INT(live_is_gone(&scan, live_find_process(&scan, 80), 70), 0);
		CHECK_INT(live_is_gone(&scan, live_find_process(&scan, 80), 82), 1);
	}
	live_scan_end(&scan);
	tree_end();
}

/* ---- both passes over one tree ---- */

static const live_collector children[] = { live_collect_child, NULL };

/* What no kernel shows: processes that wait for each other as children. */
static void put_ring(int first, int length)
{
	for (int i = 0; i < length; i++) {
		int pid = first + i;

		tree_thread(&(struct tree_thread){
			.pid = pid, .tid = pid, .call = waits_for(first + (i + 1) % length),
		});
	}
}

static void look(const char *what, size_t nodes, size_t components, enum ipckit_live_level level)
{
	struct ipckit_live live;

	if (!CHECK_INT_FOR(what, live_look(tree, NULL, children, &live), 0))
		return;
	CHECK_INT_FOR(what, live.nnodes, nodes);
	CHECK_INT_FOR(what, live.core.ncomponents, components);
	if (live.core.ncomponents)
		CHECK_INT_FOR(what, live.levels[0], level);
	ipckit_live_free(&live);
	ipckit_live_free(&live);
}

static void test_ring(void)
{
	const struct ipckit_live_options one = { .pids = (pid_t[]){ 12 }, .npids = 1 };
	const struct ipckit_live_options other = { .pids = (pid_t[]){ 99 }, .npids = 1 };
	const struct ipckit_live_options foreign = { .uid = ipckit_known(7) }, own = { .uid = ipckit_known(8) };
	const struct ipckit_live_options none = { .pids = (pid_t[]){ 97 }, .npids = 1 };
	const struct ipckit_live_options all = { .everything = true };
	struct ipckit_live live;

	put_ring(10, 3);
	put_ring(20, 2);
	tree_thread(&(struct tree_thread){ .pid = 30, .tid = 30, .call = waits_for(20) });
	tree_thread(&(struct tree_thread){ .pid = 99, .tid = 99, .call = "running\n" });
	tree_thread(&(struct tree_thread){ .pid = 98, .tid = 98, .call = waits_for(99) });
	look("rings", 11, 2, IPCKIT_LIVE_CERTAIN);
	if (CHECK_INT(live_look(tree, &one, children, &live), 0)) {
		CHECK_INT(live.nnodes, 6);
		CHECK_INT(live.nedges, 6);
		CHECK_INT(live.cycle.length, 6);
		CHECK_INT(live.nodes[0].pid, 10);
		CHECK_INT(live.nodes[0].tid, 0);
		CHECK_INT(live.nodes[1].tid, 10);
		CHECK_STR(live.nodes[1].name, "one");
		CHECK_STR(live.nodes[1].command, "one more");
		CHECK_INT(live.nodes[1].uid.value, 8);
		CHECK(!live.edges[0].kind && live.edges[0].any);
		CHECK_STR(ipckit_live_kind_name(live.edges[1].kind), "child");
		CHECK_STR(live.edges[1].resource, "process 11");
		CHECK_INT(live.edges[1].holders[0], 2);
		CHECK(live.nodes[live.edges[1].holders[0]].pid == 11);
	}
	ipckit_live_free(&live);
	if (CHECK_INT(live_look(tree, &other, children, &live), 0))
		CHECK_INT(live.nnodes, 0);
	ipckit_live_free(&live);
	if (CHECK_INT(live_look(tree, &foreign, children, &live), 0))
		CHECK_INT(live.nnodes, 0);
	ipckit_live_free(&live);
	if (CHECK_INT(live_look(tree, &own, children, &live), 0))
		CHECK_INT(live.nnodes, 11);
	ipckit_live_free(&live);
	if (CHECK_INT(live_look(tree, &all, children, &live), 0)) {
		CHECK_INT(live.nnodes, 13);
		CHECK_INT(live.core.ncomponents, 2);
	}
	ipckit_live_free(&live);
	CHECK_INT(live_look(tree, &none, children, &live), -ESRCH);
}

static int look_failing(void)
{
	struct ipckit_live live;
	int r = live_look(tree, NULL, children, &live);

	if (!r)
		ipckit_live_free(&live);
	return r;
}

/* What keeps a ring from being one. */
static void test_excuses(void)
{
	const struct tree_thread plain = { .pid = 10, .tid = 10, .call = "" };
	struct tree_thread thread = plain;

	tree_begin();
	put_ring(10, 2);
	look("ring", 4, 1, IPCKIT_LIVE_CERTAIN);
	check_failing("a ring", look_failing);
	thread.call = waits_for(11);
	thread.caught = 1 << 13;
	tree_thread(&thread);
	/* The wait may end with EINTR. */
	look("with a handler", 4, 1, IPCKIT_LIVE_INFERRED);
	thread.caught = 1 << 1;
	tree_thread(&thread);
	look("with a handler of interrupts", 4, 1, IPCKIT_LIVE_CERTAIN);
	thread.caught = 0;
	thread.tracer = 4;
	tree_thread(&thread);
	look("traced", 0, 0, 0);
	thread.tracer = 0;
	thread.state = 't';
	tree_thread(&thread);
	look("in a tracing stop", 0, 0, 0);
	thread.state = 'T';
	tree_thread(&thread);
	look("stopped", 4, 1, IPCKIT_LIVE_CERTAIN);
	thread.state = 0;
	thread.threads = 2;
	tree_thread(&thread);
	look("with a thread that was not seen", 0, 0, 0);
	tree_thread(&(struct tree_thread){ .pid = 10, .tid = 12, .call = "running\n", .threads = 2 });
	look("with a thread that runs", 0, 0, 0);
	thread.pid = 10;
	tree_thread(&(struct tree_thread){ .pid = 10, .tid = 12, .call = NOBODY, .threads = 2 });
	look("with a thread that has ended", 0, 0, 0);
	tree_thread(&(struct tree_thread){ .pid = 10, .tid = 12, .call = waits_for(11), .threads = 2 });
	look("with two that wait", 5, 1, IPCKIT_LIVE_CERTAIN);
	tree_put("11/task/11/schedstat", "0 0 0\n");
	look("not told when it runs", 0, 0, 0);
	tree_put("11/task/11/schedstat", "rubbish\n");
	look("told badly when it runs", 0, 0, 0);
	tree_put("11/task/11/schedstat", "5 5 5\n");
	tree_put("11/task/11/status", "State:\n");
	look("with a broken status", 0, 0, 0);
	tree_thread(&(struct tree_thread){ .pid = 11, .tid = 11, .call = waits_for(10) });
	tree_put("11/auxv", "");
	look("of an unknown ABI", 0, 0, 0);
	tree_end();
}

/* Waits for one of several children: who they are, and who else may end them. */
static void test_several(void)
{
	struct tree_thread one = { .pid = 11, .tid = 11, .call = "", .parent = 10, .group = 10 };
	struct tree_thread waiter = { .pid = 10, .tid = 10, .call = "", .group = 10 };

	tree_begin();
	waiter.call = waits_for(-1);
	tree_thread(&waiter);
	one.call = waits_for(10);
	tree_thread(&one);
	look("any child", 4, 1, IPCKIT_LIVE_CERTAIN);
	waiter.call = waits_for(0);
	tree_thread(&waiter);
	look("any of its group", 4, 1, IPCKIT_LIVE_CERTAIN);
	waiter.call = waits_for(-10);
	tree_thread(&waiter);
	look("any of that group", 4, 1, IPCKIT_LIVE_CERTAIN);
	waiter.call = waits_for(-12);
	tree_thread(&waiter);
	look("any of a group that has none", 0, 0, 0);
	waiter.call = waits_for(-1);
	waiter.threads = 2;
	tree_thread(&waiter);
	tree_thread(&(struct tree_thread){ .pid = 10, .tid = 12, .call = waits_for(11), .threads = 2 });
	look("another thread may start one", 5, 1, IPCKIT_LIVE_INFERRED);
	unlinkat(tree, "10/task/12/syscall", 0);
	waiter.threads = 1;
	waiter.call = waits_for(-1);
	tree_thread(&waiter);
	look("alone again", 4, 1, IPCKIT_LIVE_CERTAIN);
	tree_thread(&(struct tree_thread){ .pid = 13, .tid = 13, .call = "running\n", .parent = 10 });
	look("one that runs", 0, 0, 0);
	tree_thread(&(struct tree_thread){ .pid = 13, .tid = 13, .call = NOBODY, .parent = 10, .state = 'Z' });
	look("one that has ended", 0, 0, 0);
	tree_thread(&(struct tree_thread){ .pid = 13, .tid = 13, .call = "running\n", .parent = 1 });
	look("no child", 4, 1, IPCKIT_LIVE_CERTAIN);
	tree_thread(&(struct tree_thread){ .pid = 13, .tid = 13, .call = "running\n", .parent = 1, .tracer = 10 });
	look("one that it traces", 0, 0, 0);
	tree_put("13/task/13/status", "rubbish\n");
	look("one of which it is not told", 4, 1, IPCKIT_LIVE_INFERRED);
	tree_end();
}

/* A thread that runs between the passes of each pair, or of the first one: the collector of the second pass is where
 * that is made so. */
static int collected, changing;
enum { RUNS = 1, SLICES, VANISHES, RUNS_ONCE, CHANGES };

static int collect_and_run(struct live_scan *scan)
{
	char text[32];

	if (++collected % 2)
		return live_collect_child(scan);
	if (changing == RUNS || (changing == RUNS_ONCE && collected == 2)) {
		snprintf(text, sizeof(text), "%d 20 3\n", 100 + collected);
		tree_put("11/task/11/schedstat", text);
	} else if (changing == SLICES) {
		snprintf(text, sizeof(text), "100 20 %d\n", 3 + collected);
		tree_put("11/task/11/schedstat", text);
	} else if (changing == VANISHES && collected == 2) {
		unlinkat(tree, "11/task/11/schedstat", 0);
	}
	return live_collect_child(scan);
}

static void test_running(void)
{
	static const live_collector collectors[] = { collect_and_run, NULL };

	tree_begin();
	for (changing = 0; changing < CHANGES; changing++) {
		bool found = !changing || changing == RUNS_ONCE;
		struct ipckit_live live;

		put_ring(10, 2);
		collected = 0;
		if (CHECK_INT(live_look(tree, NULL, collectors, &live), 0))
			CHECK_INT(live.nnodes, found ? 4 : 0);
		CHECK_INT(collected, !changing ? 2 : found ? 4 : 6);
		ipckit_live_free(&live);
	}
	tree_end();
}

/* Who waits for all of several is held up by those that are stuck: the others are not told. */
static int collect_both(struct live_scan *scan)
{
	const struct live_how how = { .kind = IPCKIT_LIVE_FUTEX };
	int r = live_wait(scan, live_find_thread(scan, 12), &how);

	if (!r)
		r = live_held_by_process(scan, live_find_process(scan, 13));
	if (!r)
		r = live_held_by_process(scan, live_find_process(scan, 10));
	return r ? r : live_collect_child(scan);
}

static void test_both(void)
{
	static const live_collector collectors[] = { collect_both, NULL };
	struct ipckit_live live;

	tree_begin();
	put_ring(10, 2);
	tree_thread(&(struct tree_thread){ .pid = 12, .tid = 12, .call = "running\n" });
	tree_thread(&(struct tree_thread){ .pid = 13, .tid = 13, .call = "running\n" });
	if (CHECK_INT(live_look(tree, NULL, collectors, &live), 0) && CHECK_INT(live.nnodes, 5)) {
		CHECK_INT(live.nodes[4].tid, 12);
		CHECK_INT(live.detection.nbehind, 1);
		CHECK_INT(live.detection.behind[0], 4);
		CHECK_INT(live.edges[4].kind, IPCKIT_LIVE_FUTEX);
		CHECK_INT(live.edges[4].nholders, 1);
		CHECK_INT(live.edges[4].holders[0], 0);
	}
	ipckit_live_free(&live);
	tree_end();
}

int main(void)
{
	test_status();
	test_runs();
	test_catching();
	test_calls();
	test_snapshot();
	test_broken();
	test_refused();
	test_names();
	test_running();
	test_excuses();
	test_several();
	test_both();
	tree_begin();
	test_ring();
	tree_end();
	return unit_done("live walk");
}
