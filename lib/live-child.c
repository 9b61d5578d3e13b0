/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include "sys.h"
#include "users-walk.h"

#include <stdlib.h>
#include <sys/wait.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define ANCESTORS_MAX 64 /* generations that are looked at */

/* Whom a call waits for. */
struct child_wait {
	idtype_t type;
	pid_t id;  /* as the process names it; P_PIDFD: the descriptor */
	bool ends; /* an end is among what it waits for */
};

static struct child_wait read_wait4(const uint64_t *args)
{
	pid_t id = (pid_t)args[0];

	if (id > 0)
		return (struct child_wait){ P_PID, id, true };
	if (id == -1)
		return (struct child_wait){ P_ALL, 0, true };
	return (struct child_wait){ P_PGID, -id, true };
}

static struct child_wait read_waitid(const uint64_t *args)
{
	return (struct child_wait){ (idtype_t)args[0], (pid_t)args[1], (unsigned)args[3] & WEXITED };
}

/*
 * Which handlers do not end a wait for a child: those of signals that mean the end anyway. The tools here only pass
 * signals on to the child, and wait again.
 */
int live_child_deaf(struct live_scan *scan, uint32_t thread, uint64_t *out)
{
	int dirfd = live_directory(scan, scan->threads[thread].process);
	char *command = NULL;
	int r = dirfd < 0 ? dirfd : proc_command(dirfd, &command);

	*out = !r && command && holders_is_tool(command) ? LIVE_DEAF_TO_ALL : live_deaf_to_users();
	free(command);
	return sys_own_trouble(r);
}

/* A child that has ended is a process without threads, which acts: the waiter is just being told. */
static int add_one(struct live_scan *scan, uint32_t thread, uint32_t child)
{
	struct live_how how = { .kind = IPCKIT_LIVE_CHILD, .any = true };
	int r;

	if (child == IPCKIT_NONE)
		return 0;
	r = live_child_deaf(scan, thread, &how.deaf);
	if (r)
		return r;
	how.resource = live_text(scan, "process %d", (int)scan->processes[child].pid);
	if (!how.resource)
		return -ENOMEM;
	r = live_wait(scan, thread, &how);
	return r ? r : live_held_by_process(scan, child);
}

static int add_named(struct live_scan *scan, uint32_t thread, pid_t pid)
{
	uint32_t process = scan->threads[thread].process, child;
	int r = live_find_named(scan, process, pid, &child);

	if (r || child == IPCKIT_NONE)
		return r;
	return add_one(scan, thread, scan->threads[child].process);
}

static int add_by_descriptor(struct live_scan *scan, uint32_t thread, int fd)
{
	int dirfd = live_directory(scan, scan->threads[thread].process);
	uint64_t pid;
	int r = dirfd < 0 ? dirfd : proc_fdinfo_field(dirfd, fd, "Pid:", 10, &pid);

	if (r)
		return sys_own_trouble(r);
	return pid > INT32_MAX ? 0 : add_one(scan, thread, live_find_process(scan, (pid_t)pid));
}

/* Whether a process can be one of those of a wait for any of several: its tracer is told of it, too. */
static bool is_awaited(const struct live_process *process, const struct live_process *waiter, pid_t group)
{
	return (process->parent == waiter->pid || process->tracer == waiter->pid) &&
	       (!group || process->group == group);
}

/* Groups of an inner PID namespace go by other numbers: then all children are taken. */
static int own_group(struct live_scan *scan, const struct live_process *waiter, pid_t id, pid_t *group)
{
	struct live_status status;
	int r = live_status_read(scan->root, waiter->pid, waiter->pid, &status);

	*group = 0;
	if (r)
		return sys_own_trouble(r);
	if (!id)
		*group = waiter->group;
	else if (status.ns_depth == 1)
		*group = id;
	return 0;
}

/* Descendants that are no children become such when their parents end, where a process is a subreaper, which is not
 * told; so do all orphans, where it is the first one of its PID namespace. */
static bool may_adopt(const struct live_scan *scan, const struct live_process *waiter)
{
	for (uint32_t p = 0; p < scan->nprocesses; p++) {
		pid_t parent = scan->processes[p].parent;
		bool child = parent == waiter->pid;

		for (unsigned depth = 0; !child && parent > 0 && depth < ANCESTORS_MAX; depth++) {
			uint32_t next = live_find_process(scan, parent);

			parent = next == IPCKIT_NONE ? 0 : scan->processes[next].parent;
			if (parent == waiter->pid)
				return true;
		}
	}
	return false;
}

static bool is_first(const struct live_scan *scan, const struct live_process *waiter)
{
	struct live_status status;

	return live_status_read(scan->root, waiter->pid, waiter->pid, &status) || status.ns_pid == 1;
}

static void tell_doubts(struct live_scan *scan, const struct live_process *waiter)
{
	if (waiter->nthreads > 1)
		live_weaken(scan, IPCKIT_LIVE_INFERRED, "another thread of it may start a child");
	if (scan->hides || scan->strangers)
		live_weaken(scan, IPCKIT_LIVE_INFERRED, "there may be children that are not seen");
	if (may_adopt(scan, waiter) || is_first(scan, waiter))
		live_weaken(scan, IPCKIT_LIVE_INFERRED, "children of its children may become its own");
}

static int add_any(struct live_scan *scan, uint32_t thread, pid_t group)
{
	const struct live_process *waiter = &scan->processes[scan->threads[thread].process];
	struct live_how how = { .kind = IPCKIT_LIVE_CHILD, .any = true };
	bool found = false;
	int r;

	for (uint32_t p = 0; !found && p < scan->nprocesses; p++)
		found = is_awaited(&scan->processes[p], waiter, group);
	/* Who has none that is seen waits for others than these. */
	if (!found)
		return 0;
	how.resource = live_text(scan, "any child of process %d", (int)waiter->pid);
	if (!how.resource)
		return -ENOMEM;
	r = live_child_deaf(scan, thread, &how.deaf);
	if (r)
		return r;
	r = live_wait(scan, thread, &how);
	for (uint32_t p = 0; !r && p < scan->nprocesses; p++)
		if (is_awaited(&scan->processes[p], waiter, group))
			r = live_held_by_process(scan, p);
	if (!r)
		tell_doubts(scan, waiter);
	return r;
}

static int add_several(struct live_scan *scan, uint32_t thread, const struct child_wait *wait)
{
	const struct live_process *waiter = &scan->processes[scan->threads[thread].process];
	pid_t group = 0;
	int r = live_families(scan);

	if (!r && wait->type == P_PGID)
		r = own_group(scan, waiter, wait->id, &group);
	return r ? r : add_any(scan, thread, group);
}

static int collect(struct live_scan *scan, uint32_t thread)
{
	const uint64_t *args = scan->threads[thread].call.args;
	struct child_wait wait = { 0 };
	enum live_call call;
	int r = live_call(scan, thread, &call);

	if (r)
		return r;
	if (call == LIVE_CALL_WAIT4 || call == LIVE_CALL_WAITPID)
		wait = read_wait4(args);
	else if (call == LIVE_CALL_WAITID)
		wait = read_waitid(args);
	if (!wait.ends)
		return 0;
	if (wait.type == P_PID)
		return add_named(scan, thread, wait.id);
	if (wait.type == (idtype_t)P_PIDFD)
		return add_by_descriptor(scan, thread, wait.id);
	return add_several(scan, thread, &wait);
}

int live_collect_child(struct live_scan *scan)
{
	return live_each(scan, collect);
}
