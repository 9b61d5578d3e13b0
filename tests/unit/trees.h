/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TREES_H
#define TREES_H

/* Trees that stand in for /proc, made file by file: for one source file of a program, after unit.h. */

#include "../../lib/proc.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char tree_path[] = "/tmp/ipckit-tree-XXXXXX";
static int tree = -1;

static void tree_begin(void)
{
	if (!mkdtemp(strcpy(tree_path, "/tmp/ipckit-tree-XXXXXX")) || proc_open(tree_path, &tree))
		abort();
}

static int tree_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void tree_end(void)
{
	close(tree);
	CHECK_INT(nftw(tree_path, tree_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* A file with a text, and the directories above it. path: "%d" may stand in it. */
__attribute__((format(printf, 1, 2))) static const char *tree_name(const char *format, ...)
{
	static char name[256];
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	return name;
}

static void tree_put_bytes(const char *path, const void *data, size_t size)
{
	char above[256];
	int fd;

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(above, sizeof(above), "%.*s", (int)(p - path), path);
		if (mkdirat(tree, above, 0700) && errno != EEXIST)
			abort();
	}
	fd = openat(tree, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}

static void tree_put(const char *path, const char *text)
{
	tree_put_bytes(path, text, strlen(text));
}

static void tree_mkdir(const char *path)
{
	if (mkdirat(tree, path, 0700))
		abort();
}

/* A thread in a call, as the kernel shows it, and all that is asked of it later. */
struct tree_thread {
	int pid, tid;
	const char *call;   /* of the file syscall */
	int parent, tracer, group;
	int name;           /* in an inner PID namespace, 0: it is in none */
	unsigned long caught;
	char state;         /* 0: S */
	int threads;        /* 0: 1 */
};

static void tree_thread(const struct tree_thread *thread)
{
	char text[512], levels[32] = "";

	if (thread->name)
		snprintf(levels, sizeof(levels), "\t%d", thread->name);
	snprintf(text, sizeof(text),
		 "Name:\tone\nState:\t%c (so)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\nUid:\t7\t8\t9\t10\n"
		 "Gid:\t1\t1\t1\t1\nNSpid:\t%d%s\nNSpgid:\t%d%s\nVmSize:\t 4 kB\nThreads:\t%d\nSigCgt:\t%016lx\n",
		 thread->state ?: 'S', thread->pid, thread->tid, thread->parent, thread->tracer, thread->tid, levels,
		 thread->group, levels, thread->threads ?: 1, thread->caught);
	tree_put(tree_name("%d/task/%d/syscall", thread->pid, thread->tid), thread->call);
	tree_put(tree_name("%d/task/%d/schedstat", thread->pid, thread->tid), "100 20 3\n");
	tree_put(tree_name("%d/task/%d/comm", thread->pid, thread->tid), "one\n");
	tree_put(tree_name("%d/task/%d/status", thread->pid, thread->tid), text);
	if (thread->tid != thread->pid)
		return;
	tree_put(tree_name("%d/status", thread->pid), text);
	tree_put_bytes(tree_name("%d/cmdline", thread->pid), "one\0more", 9);
#ifdef __LP64__
	tree_put_bytes(tree_name("%d/auxv", thread->pid), (unsigned long[4]){ 6, 4096 }, 32);
#else
	tree_put_bytes(tree_name("%d/auxv", thread->pid), (unsigned long[4]){ 6, 4096 }, 16);
#endif
}

#endif
