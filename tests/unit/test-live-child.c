/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Real processes that wait for children, in the live /proc: what is told of them, and what keeps them from it. */

#include "unit.h"

#include "../../lib/live.h"
#include "../../lib/sys.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

enum how { BY_PID, BY_ANY, BY_GROUP, BY_WAITID, BY_PIDFD, WITH_HANDLER, WITH_THREAD, FOR_STOPS };

static int root;
static pid_t parent, child;
static int reading; /* the child's descriptor of the pipe that its parent can write to */
static int feed = -1; /* the end of it for writing, or -1 */

static void do_nothing(int signal)
{
	(void)signal;
}

static void *sleep_on(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void wait_for(pid_t pid, enum how how)
{
	siginfo_t info;
	pthread_t thread;

	if (how == WITH_HANDLER)
		signal(SIGALRM, do_nothing);
	if (how == WITH_THREAD && pthread_create(&thread, NULL, sleep_on, NULL))
		_exit(1);
	if (how == BY_WAITID)
		waitid(P_PID, (id_t)pid, &info, WEXITED);
	else if (how == FOR_STOPS)
		waitid(P_PID, (id_t)pid, &info, WSTOPPED);
	else if (how == BY_PIDFD)
		waitid(P_PIDFD, (id_t)syscall(SYS_pidfd_open, pid, 0), &info, WEXITED);
	else
		waitpid(how == BY_PID ? pid : how == BY_GROUP ? 0 : -1, NULL, 0);
	_exit(0);
}

/* The parent has the writing end, waits, and so never writes. */
static void be_parent(int told, enum how how)
{
	int ends[2];
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pipe(ends))
		_exit(1);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[1]);
		while (read(ends[0], &byte, 1) == 1)
			;
		_exit(0);
	}
	if (write(told, (int[2]){ child, ends[0] }, 2 * sizeof(int)) != 2 * sizeof(int))
		_exit(1);
	wait_for(child, how);
}

static bool is_in(pid_t pid, long a, long b)
{
	char path[64], text[PROC_SYSCALL_ROOM];
	struct proc_syscall call;

	snprintf(path, sizeof(path), "%d/syscall", (int)pid);
	return proc_read_into(root, path, text, sizeof(text)) > 0 && !proc_syscall_parse(text, &call) &&
	       call.state == PROC_IN_SYSCALL && (call.number == a || call.number == b);
}

static bool comes_to(pid_t pid, long a, long b)
{
	for (int i = 0; i < 5000; i++) {
		if (is_in(pid, a, b))
			return true;
		usleep(1000);
	}
	return false;
}

static bool begin(enum how how)
{
	int told[2], words[2] = { 0 };
	bool good;

	if (pipe(told))
		return false;
	parent = fork();
	if (!parent)
		be_parent(told[1], how);
	close(told[1]);
	good = CHECK(read(told[0], words, sizeof(words)) == sizeof(words));
	child = words[0];
	reading = words[1];
	good = good && CHECK(comes_to(parent, SYS_wait4, SYS_waitid)) && CHECK(comes_to(child, SYS_read, SYS_read));
	close(told[0]);
	return good;
}

static void end(void)
{
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
}

/* Within 20 s. */
static bool is_read(int fd)
{
	int left = 1;

	for (int i = 0; left && i < 20000; i++) {
		if (ioctl(fd, FIONREAD, &left))
			return false;
		if (left)
			usleep(1000);
	}
	return !left;
}

/* What a collector of pipes would say: the child waits for its parent. */
static int collect_pipe(struct live_scan *scan)
{
	const struct live_how how = { .kind = IPCKIT_LIVE_PIPE_READ, .resource = "pipe", .any = true };
	uint32_t thread = live_find_thread(scan, child), process = live_find_process(scan, parent);
	enum live_call call;
	int r;

	/* Between the two looks the child runs, and reads on. */
	if (feed >= 0) {
		CHECK(write(feed, "x", 1) == 1);
		CHECK(is_read(feed) && comes_to(child, SYS_read, SYS_read));
	}
	if (thread == IPCKIT_NONE || process == IPCKIT_NONE)
		return 0;
	r = live_call(scan, thread, &call);
	if (r || call != LIVE_CALL_READ)
		return r;
	r = live_wait(scan, thread, &how);
	return r ? r : live_held_by_process(scan, process);
}

static const live_collector alone[] = { live_collect_child, NULL };
static const live_collector with_pipe[] = { live_collect_child, collect_pipe, NULL };

static const struct ipckit_live_node *find_node(const struct ipckit_live *live, pid_t tid)
{
	for (size_t i = 0; i < live->nnodes; i++)
		if (live->nodes[i].tid == tid)
			return &live->nodes[i];
	return NULL;
}

static bool look(const char *what, const live_collector *collectors, bool want, enum ipckit_live_level level)
{
	const struct ipckit_live_options options = { .pids = &parent, .npids = 1 };
	struct ipckit_live live;
	bool good;

	if (!CHECK_INT_FOR(what, collectors ? live_look(root, &options, collectors, &live) :
					      ipckit_live_scan(&options, &live), 0))
		return false;
	good = CHECK_INT_FOR(what, live.detection.deadlocked, want);
	if (want && good) {
		const struct ipckit_live_node *waiter = find_node(&live, parent), *reader = find_node(&live, child);

		CHECK_INT_FOR(what, live.nnodes, 4);
		CHECK_INT_FOR(what, live.core.ncomponents, 1);
		CHECK_INT_FOR(what, live.levels[0], level);
		CHECK_INT_FOR(what, live.cycle.length, 4);
		CHECK_FOR(what, waiter && waiter->pid == parent && waiter->uid.known && waiter->command && waiter->name);
		CHECK_FOR(what, reader && reader->pid == child);
		if (waiter && waiter->since.known) {
			int64_t age = time(NULL) - waiter->since.value;

			CHECK_FOR(what, age >= -1 && age < 60);
		}
	}
	CHECK_FOR(what, live.threads > 2 && live.processes > 2);
	ipckit_live_free(&live);
	return good;
}

static void test_ways(void)
{
	static const struct {
		const char *what;
		enum how how;
		bool found;
		enum ipckit_live_level level;
	} rows[] = {
		{ "by pid", BY_PID, true, IPCKIT_LIVE_CERTAIN },
		{ "any child", BY_ANY, true, IPCKIT_LIVE_CERTAIN },
		{ "any of the group", BY_GROUP, true, IPCKIT_LIVE_CERTAIN },
		{ "waitid", BY_WAITID, true, IPCKIT_LIVE_CERTAIN },
		{ "pidfd", BY_PIDFD, true, IPCKIT_LIVE_CERTAIN },
		{ "with a handler", WITH_HANDLER, true, IPCKIT_LIVE_INFERRED },
		{ "with a thread that is live", WITH_THREAD, false, 0 },
		{ "for stops alone", FOR_STOPS, false, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (begin(rows[i].how)) {
			/* A child that only waits for what nothing is known of is live. */
			look(rows[i].what, alone, false, 0);
			look(rows[i].what, with_pipe, rows[i].found, rows[i].level);
		}
		end();
	}
}

/* One who is traced may be made to do anything. */
static void test_traced(void)
{
	if (begin(BY_PID) && !ptrace(PTRACE_SEIZE, child, NULL, NULL)) {
		look("traced", with_pipe, false, 0);
		CHECK(!ptrace(PTRACE_INTERRUPT, child, NULL, NULL));
		CHECK(waitpid(child, NULL, __WALL) == child);
		look("in a tracing stop", with_pipe, false, 0);
	}
	end();
}

/* A stopped one goes on waiting when it is continued. */
static void test_stopped(void)
{
	if (begin(BY_PID)) {
		kill(parent, SIGSTOP);
		CHECK(waitpid(parent, NULL, WUNTRACED) == parent);
		look("stopped", with_pipe, true, IPCKIT_LIVE_CERTAIN);
		kill(parent, SIGCONT);
		CHECK(comes_to(parent, SYS_wait4, SYS_wait4));
		look("continued", with_pipe, true, IPCKIT_LIVE_CERTAIN);
	}
	end();
}

/* The child is written to: an edge that is wrong is taken back by who ran. */
static void test_busy(void)
{
	char path[64];

	if (begin(BY_PID)) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)child, reading);
		feed = open(path, O_WRONLY | O_CLOEXEC);
		CHECK(feed >= 0);
		for (int i = 0; i < 5; i++)
			look("written to", with_pipe, false, 0);
		close(feed);
		feed = -1;
	}
	end();
}

int main(void)
{
	struct live_runs runs;

	if (proc_open("/proc", &root))
		return unit_skip("live child", "there is no /proc");
	if (live_runs_read(root, getpid(), getpid(), &runs))
		return unit_skip("live child", "the kernel does not tell when threads run");
	test_ways();
	test_traced();
	test_stopped();
	test_busy();
	close(root);
	return unit_done("live child");
}
