/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Journals whose process is killed after any of its instructions: it is stepped through
 * a call by ptrace(2), and ended at each step in turn, or at a part of them where they are
 * many (more of them with IPCKIT_LONG=1).
 */

#include "one-cpu.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipckit/journal.h>

#define TEXT "a message of some length, and a little more"
#define STEPS (getenv("IPCKIT_LONG") ? 1000000 : 40000) /* in all, for one call */
#define LAST 20                                  /* of a call: where things are made known */

static char path[300];
static struct ipckit_journal *journal;
static struct ipckit_journal_slot slot;

static void need(int r)
{
	if (r)
		_exit(99);
}

static void open_journal(void)
{
	need(ipckit_journal_open(path, IPCKIT_MQ_SYSV, "key:7", &journal));
}

static void take(void)
{
	need(ipckit_journal_slot(journal, 100, &slot));
}

static void note(void)
{
	ipckit_journal_received(journal, &slot, strlen(TEXT));
}

static void done(void)
{
	ipckit_journal_done(journal, &slot);
}

static void open_and_take(void)
{
	open_journal();
	take();
}

/* As the kernel does. */
static void take_message(void)
{
	open_and_take();
	slot.message->rank = 5;
	memcpy(slot.message->data, TEXT, strlen(TEXT));
}

static void take_and_note(void)
{
	take_message();
	note();
}

/* One that was handled, and one that is left. */
static void leave(void)
{
	take_and_note();
	done();
	take();
	slot.message->rank = 5;
	memcpy(slot.message->data, TEXT, strlen(TEXT));
	ipckit_journal_close(journal);
}

static void take_again(void)
{
	take_and_note();
	done();
}

struct call {
	const char *name;
	void (*before)(void);
	void (*call)(void);
	int least, most; /* messages that are left when it is killed */
};

static void nothing(void)
{
}

static const struct call calls[] = {
	{ "opening a new one", nothing, open_journal, 0, 0 },
	{ "opening one with a message", leave, open_journal, 1, 1 },
	{ "taking a new slot", open_journal, take, 0, 0 },
	{ "taking a slot again", take_again, take, 0, 0 },
	{ "noting", take_message, note, 1, 1 },
	{ "done", take_and_note, done, 0, 1 },
	{ "done without noting", take_message, done, 0, 1 },
};

static void be_stepped(const struct call *call)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(99);
	call->before();
	raise(SIGSTOP);
	call->call();
	raise(SIGSTOP);
	_exit(0);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Kills the call after so many steps, or where it ends. Returns the steps that it took, or -1. */
static long step(const struct call *call, long steps)
{
	pid_t pid;
	long i;
	int status;

	unlink(path);
	pid = fork();
	if (!pid)
		be_stepped(call);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP) {
		if (pid > 0 && !WIFEXITED(status))
			end(pid);
		return -1;
	}
	for (i = 0; i < steps; i++) {
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid ||
		    !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
			break;
	}
	end(pid);
	return i;
}

static void check_file(const struct call *call, long steps)
{
	struct ipckit_journal *after;
	struct ipckit_journal_slot left;
	char row[100];
	int n, r;

	snprintf(row, sizeof(row), "%s, killed after %ld steps", call->name, steps);
	r = ipckit_journal_open(path, IPCKIT_MQ_SYSV, "key:7", &after);
	if (!CHECK_INT_FOR(row, r, 0))
		return;
	n = (int)ipckit_journal_left(after);
	CHECK_FOR(row, n >= call->least && n <= call->most);
	if (n) {
		ipckit_journal_get_left(after, 0, &left);
		CHECK_INT_FOR(row, left.size, strlen(TEXT));
		CHECK_FOR(row, !memcmp(left.message->data, TEXT, strlen(TEXT)));
		CHECK_INT_FOR(row, left.message->rank, 5);
		ipckit_journal_done(after, &left);
	}
	CHECK_INT_FOR(row, ipckit_journal_slot(after, 100, &left), 0);
	ipckit_journal_close(after);
}

/* Whether processes can be stepped here. */
static bool test_call(const struct call *call)
{
	long all = step(call, 1000000), apart;

	if (all <= 0)
		return false;
	apart = 1 + all * all / 2 / STEPS;
	for (long i = 0; i <= all; i += i + LAST < all ? apart : 1) {
		if (!CHECK_FOR(call->name, step(call, i) >= 0))
			break;
		check_file(call, i);
	}
	printf("# %s: %ld steps, one in %ld\n", call->name, all, apart);
	return true;
}

int main(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%s/journal-kill.%d", base ? base : "/tmp", (int)getpid());
	stay_here();
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!test_call(&calls[i]))
			return unit_skip("killed journals", "no process can be stepped here");
	unlink(path);
	return unit_done("killed journals");
}
