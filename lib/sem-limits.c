/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "limit.h"
#include "proc-scan.h"
#include "proc.h"
#include "sem-backend.h"
#include "sys.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* kernel.sem and what is in use of it. */
struct sysv {
	struct ipckit_maybe semmsl, semmns, semopm, semmni;
	struct ipckit_maybe sets, semaphores;
};

/* "250	32000	32	128" */
static void read_kernel_sem(int root, struct sysv *out)
{
	struct ipckit_maybe *fields[] = { &out->semmsl, &out->semmns, &out->semopm, &out->semmni };
	const char *p;
	char *text;
	uint64_t n;

	if (proc_read(root, "sys/kernel/sem", &text, NULL))
		return;
	p = text;
	for (size_t i = 0; i < 4; i++) {
		scan_blanks(&p);
		if (!scan_below(&p, 10, INT64_MAX, &n))
			break;
		*fields[i] = ipckit_known((int64_t)n);
	}
	free(text);
}

static int count_set(const struct proc_sysvsem *set, void *arg)
{
	struct sysv *sysv = arg;

	sysv->sets.value++;
	sysv->semaphores.value += (int64_t)set->nsems;
	return 0;
}

/* Where IPC_INFO is refused, the table of /proc gives the use all the same. */
static void read_sysv(struct sysv *out)
{
	struct seminfo info = { 0 };
	int root = -1;

	memset(out, 0, sizeof(*out));
	if (sys_semctl(0, 0, SEM_INFO, (union sys_semun){ .info = &info }) >= 0) {
		out->semmsl = ipckit_known(info.semmsl);
		out->semmns = ipckit_known(info.semmns);
		out->semopm = ipckit_known(info.semopm);
		out->semmni = ipckit_known(info.semmni);
		out->sets = ipckit_known(info.semusz);
		out->semaphores = ipckit_known(info.semaem);
		return;
	}
	if (proc_open("/proc", &root))
		return;
	read_kernel_sem(root, out);
	out->sets = out->semaphores = ipckit_known(0);
	if (proc_sysvsem_walk(root, count_set, NULL, out))
		out->sets = out->semaphores = ipckit_unknown();
	close(root);
}

static void fill(struct ipckit_limit *limit, const char *name, struct ipckit_maybe value,
		 struct ipckit_maybe used, const char *unit, const char *what)
{
	memset(limit, 0, sizeof(*limit));
	snprintf(limit->name, sizeof(limit->name), "%s", name);
	limit->value = value;
	limit->used = used;
	limit->unit = unit;
	limit->what = what;
}

static void fill_semmni(const struct sysv *sysv, struct ipckit_limit *out)
{
	fill(out, "kernel.sem semmni", sysv->semmni, sysv->sets, "sets",
	     "sets in this IPC namespace");
}

static void fill_semmns(const struct sysv *sysv, struct ipckit_limit *out)
{
	fill(out, "kernel.sem semmns", sysv->semmns, sysv->semaphores, "semaphores",
	     "semaphores of all sets in this IPC namespace");
}

static void fill_semmsl(const struct sysv *sysv, struct ipckit_limit *out)
{
	fill(out, "kernel.sem semmsl", sysv->semmsl, ipckit_unknown(), "semaphores",
	     "semaphores in one set");
}

static void fill_semopm(const struct sysv *sysv, struct ipckit_limit *out)
{
	fill(out, "kernel.sem semopm", sysv->semopm, ipckit_unknown(), "operations",
	     "operations in one semop(2)");
}

static void fill_semvmx(struct ipckit_limit *out)
{
	fill(out, "SEMVMX", ipckit_known(SEM_SYSV_MAX), ipckit_unknown(), "permits",
	     "value of a System V semaphore");
}

static void fill_value_max(struct ipckit_limit *out)
{
	fill(out, "SEM_VALUE_MAX", ipckit_known(SEM_VALUE_MAX), ipckit_unknown(), "permits",
	     "value of a POSIX semaphore");
}

static void fill_eventfd(struct ipckit_limit *out)
{
	fill(out, "eventfd counter", ipckit_known(INT64_MAX), ipckit_unknown(), "permits",
	     "value of an eventfd (2^64-2, as far as it can be shown)");
}

int ipckit_sem_limits(struct ipckit_limits *out)
{
	struct ipckit_limit *list = calloc(8, sizeof(*list));
	struct sysv sysv;
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	read_sysv(&sysv);
	fill_semmni(&sysv, &list[n++]);
	fill_semmns(&sysv, &list[n++]);
	fill_semmsl(&sysv, &list[n++]);
	fill_semopm(&sysv, &list[n++]);
	fill_semvmx(&list[n++]);
	fill_value_max(&list[n++]);
	n += limit_of_mount(SEM_DIRECTORY, &list[n]);
	out->list = list;
	out->count = n;
	return 0;
}

/* ---- which one was hit ---- */

static bool is_full(struct ipckit_maybe limit, struct ipckit_maybe used, unsigned wanted)
{
	return limit.known && used.known && used.value + (int64_t)wanted > limit.value;
}

/* semget(2) looks at semmns before semmni. */
static int hit_space(const struct sysv *sysv, unsigned wanted, struct ipckit_limit *out)
{
	if (is_full(sysv->semmns, sysv->semaphores, wanted ?: 1)) {
		fill_semmns(sysv, out);
		return 0;
	}
	if (is_full(sysv->semmni, sysv->sets, 1)) {
		fill_semmni(sysv, out);
		return 0;
	}
	return -ENOENT;
}

static int hit_sysv(int error, unsigned wanted, struct ipckit_limit *out)
{
	struct sysv sysv;

	read_sysv(&sysv);
	switch (error) {
	case ENOSPC:
		return hit_space(&sysv, wanted, out);
	case EINVAL:
		if (!is_full(sysv.semmsl, ipckit_known(0), wanted))
			return -ENOENT;
		fill_semmsl(&sysv, out);
		return 0;
	case E2BIG:
		fill_semopm(&sysv, out);
		return 0;
	case ERANGE:
	case EOVERFLOW:
		fill_semvmx(out);
		return 0;
	}
	return -ENOENT;
}

/* A file of a semaphore's size that a process may not write. */
static int hit_file_size(struct ipckit_limit *out)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur >= sizeof(sem_t))
		return -ENOENT;
	fill(out, "RLIMIT_FSIZE", ipckit_known((int64_t)limit.rlim_cur), ipckit_unknown(), "bytes",
	     "size of a file that this process may write");
	return 0;
}

static int hit_posix(int error, struct ipckit_limit *out)
{
	switch (error) {
	case ENOSPC:
		return ipckit_limit_of_filesystem(SEM_DIRECTORY, out);
	case EFBIG:
		return hit_file_size(out);
	}
	return -ENOENT;
}

static int hit_value(enum ipckit_sem_backend backend, struct ipckit_limit *out)
{
	switch (backend) {
	case IPCKIT_SEM_POSIX:
	case IPCKIT_SEM_UNNAMED:
		fill_value_max(out);
		return 0;
	case IPCKIT_SEM_EVENTFD:
		fill_eventfd(out);
		return 0;
	default:
		return -ENOENT;
	}
}

int ipckit_sem_limit_hit(enum ipckit_sem_backend backend, int error, unsigned wanted,
			 struct ipckit_limit *out)
{
	int r = -ENOENT;

	if (backend == IPCKIT_SEM_SYSV)
		r = hit_sysv(error, wanted, out);
	else if (error == EOVERFLOW)
		r = hit_value(backend, out);
	else if (backend == IPCKIT_SEM_POSIX)
		r = hit_posix(error, out);
	else if (backend == IPCKIT_SEM_UNNAMED && error == EFBIG)
		r = hit_file_size(out);
	return r == -ENOENT ? ipckit_limit_of_process(error, out) : r;
}
