/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include "array.h"
#include "live-open.h"
#include "spots.h"
#include "sys.h"

#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>

/* ---- threads ---- */

static int add_thread(struct live_scan *scan, const struct live_thread *thread)
{
	struct live_thread *larger = array_room(scan->threads, scan->nthreads, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	scan->threads = larger;
	larger[scan->nthreads++] = *thread;
	return 0;
}

/* Neither zombies nor threads of the kernel have a stack pointer, or go on in any code of theirs. */
static bool is_nobody(const char *text)
{
	static const char nowhere[] = " 0x0 0x0";
	size_t length = strcspn(text, "\n"), tail = sizeof(nowhere) - 1;

	return length > tail && !memcmp(text + length - tail, nowhere, tail);
}

/* A call that cannot be understood is one of which nothing is known. */
static int visit_thread(int task, const char *name, pid_t tid, void *arg)
{
	struct live_scan *scan = arg;
	struct live_process *process = &scan->processes[scan->nprocesses - 1];
	struct live_thread thread = { .tid = tid, .node = IPCKIT_NONE, .process = process->pid };
	char path[LIVE_PATH_ROOM], text[PROC_SYSCALL_ROOM];
	ssize_t r = -EACCES;

	/* The name is a number's, but may have zeros before it. */
	if (strlen(name) > sizeof(path) - sizeof("/syscall"))
		return 0;
	strcpy(stpcpy(path, name), "/syscall");
	/* What one of them refuses all do. */
	if (!process->hidden)
		r = proc_read_into(task, path, text, sizeof(text));
	if (sys_is_denial((int)r))
		thread.hidden = process->hidden = true;
	else if (r < 0)
		return sys_own_trouble((int)r);
	else if (is_nobody(text))
		return 0;
	if (thread.hidden || proc_syscall_parse(text, &thread.call))
		thread.call = (struct proc_syscall){ .state = PROC_RUNNING };
	return add_thread(scan, &thread);
}

/* ---- processes ---- */

/* One that is refused, but has nothing that could be looked at, is a zombie or of the kernel. */
static int judge_hidden(struct live_scan *scan, int dirfd, size_t first)
{
	struct live_process *process = &scan->processes[scan->nprocesses - 1];
	int r;

	if (!process->hidden)
		return 0;
	r = dirfd < 0 ? 1 : proc_has_memory(dirfd);
	if (r < 0)
		return r;
	process->hidden = r;
	scan->unreadable += r;
	if (!r)
		scan->nthreads = first;
	return 0;
}

static int visit_process(int dirfd, pid_t pid, void *arg)
{
	struct live_scan *scan = arg;
	struct live_process *larger = array_room(scan->processes, scan->nprocesses, sizeof(*larger));
	size_t first = scan->nthreads;
	int r = dirfd;

	if (!larger)
		return -ENOMEM;
	scan->processes = larger;
	larger[scan->nprocesses++] = (struct live_process){ .pid = pid, .node = IPCKIT_NONE };
	if (dirfd >= 0)
		r = proc_walk_names(dirfd, "task", visit_thread, scan);
	if (sys_lacks_resources(r))
		return r;
	if (r == -ESRCH || r == -ENOENT) {
		scan->nprocesses--;
		scan->nthreads = first;
		return 0;
	}
	if (r < 0)
		larger[scan->nprocesses - 1].hidden = true;
	return judge_hidden(scan, dirfd, first);
}

/* ---- order ---- */

static int by_pid(const void *a, const void *b)
{
	return array_order(((const struct live_process *)a)->pid, ((const struct live_process *)b)->pid);
}

/* While they are read, process is the pid. */
static int by_process(const void *a, const void *b)
{
	const struct live_thread *x = a, *y = b;

	return array_order(x->process, y->process) ?: array_order(x->tid, y->tid);
}

static int by_tid(const void *a, const void *b, void *threads)
{
	const struct live_thread *list = threads;

	return array_order(list[*(const uint32_t *)a].tid, list[*(const uint32_t *)b].tid);
}

static void share_out(struct live_scan *scan)
{
	uint32_t t = 0;

	for (size_t p = 0; p < scan->nprocesses; p++) {
		struct live_process *process = &scan->processes[p];

		process->first = t;
		for (; t < scan->nthreads && scan->threads[t].process == (uint32_t)process->pid; t++)
			scan->threads[t].process = (uint32_t)p;
		process->nthreads = t - process->first;
	}
}

static int put_in_order(struct live_scan *scan)
{
	scan->by_tid = array_of(scan->nthreads, sizeof(*scan->by_tid));
	if (!scan->by_tid)
		return -ENOMEM;
	if (scan->nprocesses)
		qsort(scan->processes, scan->nprocesses, sizeof(*scan->processes), by_pid);
	if (scan->nthreads)
		qsort(scan->threads, scan->nthreads, sizeof(*scan->threads), by_process);
	share_out(scan);
	for (uint32_t t = 0; t < scan->nthreads; t++)
		scan->by_tid[t] = t;
	qsort_r(scan->by_tid, scan->nthreads, sizeof(*scan->by_tid), by_tid, scan->threads);
	return 0;
}

static bool is_real(int root)
{
	struct statfs fs;

	return !fstatfs(root, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

int live_scan_begin(int root, struct live_scan *scan)
{
	int r = proc_hides(root);

	*scan = (struct live_scan){ .root = root, .real = is_real(root), .hides = r > 0, .open = IPCKIT_NONE };
	if (r >= 0)
		r = proc_walk(root, ".", visit_process, scan);
	return r ? r : put_in_order(scan);
}

static void close_process(struct live_scan *scan)
{
	if (scan->open == IPCKIT_NONE)
		return;
	if (scan->directory >= 0)
		close(scan->directory);
	if (scan->memory > 0)
		close(scan->memory);
	scan->open = IPCKIT_NONE;
}

void live_scan_end(struct live_scan *scan)
{
	close_process(scan);
	for (size_t i = 0; i < scan->nedges; i++)
		live_edge_free(&scan->edges[i].told);
	free(scan->edges);
	free(scan->points);
	free(scan->by_tid);
	free(scan->shared);
	free(scan->threads);
	free(scan->processes);
	live_opens_free(scan->opens);
	texts_free(&scan->texts);
	*scan = (struct live_scan){ .open = IPCKIT_NONE };
}

/* ---- finding ---- */

uint32_t live_find_thread(const struct live_scan *scan, pid_t tid)
{
	size_t low = 0, high = scan->nthreads;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (scan->threads[scan->by_tid[middle]].tid < tid)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == scan->nthreads || scan->threads[scan->by_tid[low]].tid != tid)
		return IPCKIT_NONE;
	return scan->by_tid[low];
}

uint32_t live_find_process(const struct live_scan *scan, pid_t pid)
{
	const struct live_process key = { .pid = pid }, *found = NULL;

	if (scan->nprocesses)
		found = bsearch(&key, scan->processes, scan->nprocesses, sizeof(key), by_pid);
	return found ? (uint32_t)(found - scan->processes) : IPCKIT_NONE;
}

int live_each(struct live_scan *scan, int (*collect)(struct live_scan *scan, uint32_t thread))
{
	int r = 0;

	for (uint32_t t = 0; !r && t < scan->nthreads; t++)
		if (!scan->threads[t].waits)
			r = collect(scan, t);
	return r;
}

/* ---- what is asked for later ---- */

static int open_process(struct live_scan *scan, uint32_t index)
{
	const struct live_process *process = &scan->processes[index];
	pid_t first = process->nthreads ? scan->threads[process->first].tid : process->pid;
	char name[40];

	/* The first thread has the least id, but where ids have wrapped around. */
	for (uint32_t i = 0; i < process->nthreads && first != process->pid; i++)
		if (scan->threads[process->first + i].tid == process->pid)
			first = process->pid;
	if (first == process->pid)
		snprintf(name, sizeof(name), "%d", (int)first);
	else
		snprintf(name, sizeof(name), "%d/task/%d", (int)process->pid, (int)first);
	return sys_openat(scan->root, name, O_RDONLY | O_DIRECTORY, 0);
}

int live_directory(struct live_scan *scan, uint32_t process)
{
	if (scan->open == process)
		return scan->directory;
	close_process(scan);
	scan->directory = open_process(scan, process);
	scan->memory = 0;
	scan->open = process;
	return scan->directory;
}

int live_memory(struct live_scan *scan, uint32_t process)
{
	int dirfd = live_directory(scan, process), memory, r;

	if (dirfd < 0 || scan->memory)
		return dirfd < 0 ? dirfd : scan->memory;
	r = proc_memory_open(dirfd, &memory);
	scan->memory = r ? r : memory;
	return scan->memory;
}

int live_read(struct live_scan *scan, uint32_t process, uint64_t address, void *data, size_t size)
{
	int memory = live_memory(scan, process);

	return memory < 0 ? memory : proc_memory_read(memory, address, data, size);
}

int live_families(struct live_scan *scan)
{
	struct live_status status;

	for (size_t p = 0; !scan->families && p < scan->nprocesses; p++) {
		struct live_process *process = &scan->processes[p];
		int r = live_status_read(scan->root, process->pid, process->pid, &status);

		if (sys_lacks_resources(r))
			return r;
		if (r && r != -ESRCH && r != -ENOENT)
			scan->strangers = true;
		if (r)
			continue;
		process->parent = status.parent;
		process->tracer = status.tracer;
		process->group = status.group;
	}
	scan->families = true;
	return 0;
}

/* ---- names in PID namespaces ---- */

static uint64_t pid_namespace(struct live_scan *scan, uint32_t process)
{
	int dirfd = live_directory(scan, process);
	uint64_t namespace;

	return dirfd < 0 || proc_namespace(dirfd, "pid", &namespace) ? 0 : namespace;
}

static int find_among(struct live_scan *scan, uint32_t process, pid_t name, uint32_t *out)
{
	const struct live_process *found = &scan->processes[process];
	struct live_status status;

	for (uint32_t t = found->first; t < found->first + found->nthreads; t++) {
		int r = live_status_read(scan->root, found->pid, scan->threads[t].tid, &status);

		if (sys_lacks_resources(r))
			return r;
		if (!r && status.ns_pid == name) {
			*out = t;
			return 0;
		}
	}
	return 0;
}

/* One of an inner namespace: those of the process are looked at first, then those of others in it. */
static int find_inside(struct live_scan *scan, uint32_t process, pid_t name, uint32_t *out)
{
	uint64_t namespace = pid_namespace(scan, process);
	int r = find_among(scan, process, name, out);

	for (uint32_t p = 0; !r && namespace && *out == IPCKIT_NONE && p < scan->nprocesses; p++)
		if (p != process && scan->processes[p].nthreads && pid_namespace(scan, p) == namespace)
			r = find_among(scan, p, name, out);
	return r;
}

int live_find_named(struct live_scan *scan, uint32_t process, pid_t tid, uint32_t *out)
{
	const struct live_process *found = &scan->processes[process];
	struct live_status status;
	int r;

	*out = IPCKIT_NONE;
	if (!found->nthreads)
		return 0;
	r = live_status_read(scan->root, found->pid, scan->threads[found->first].tid, &status);
	if (r || !status.ns_depth)
		return sys_own_trouble(r);
	if (status.ns_depth > 1)
		return find_inside(scan, process, tid, out);
	*out = live_find_thread(scan, tid);
	return 0;
}

struct naming {
	struct live_scan *scan;
	pid_t pid, name;
};

/* 1: it is there, and no zombie. */
static int visit_name(int task, const char *entry, pid_t tid, void *arg)
{
	struct naming *naming = arg;
	struct live_status status;
	int r = live_status_read(naming->scan->root, naming->pid, tid, &status);

	(void)task;
	(void)entry;
	if (r)
		return r == -ESRCH || r == -ENOENT ? 0 : r;
	if ((status.ns_depth ? status.ns_pid : tid) != naming->name)
		return 0;
	return status.state != 'Z' && status.state != 'X';
}

int live_is_gone(struct live_scan *scan, uint32_t process, pid_t tid)
{
	struct naming naming = { scan, scan->processes[process].pid, tid };
	char path[32];
	int r;

	snprintf(path, sizeof(path), "%d/task", (int)naming.pid);
	r = proc_walk_names(scan->root, path, visit_name, &naming);
	if (sys_lacks_resources(r))
		return r;
	return r == 0 || r == -ENOENT || r == -ESRCH;
}
