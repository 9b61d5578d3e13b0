/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sem-walk.h"
#include "sys.h"

#include <linux/futex.h>
#include <semaphore.h>
#include <string.h>

/* The operations of a blocked semop(2) that are looked at. */
#define OPS_MAX 64

struct threads {
	const struct walk *walk;
	struct seen *seen;
	bool files, sets;
};

/* The tool itself does nothing but wait: other programs may have begun at any time. */
static bool is_tool(const struct threads *threads)
{
	return !strcmp(threads->seen->stat.comm, "semctl-cli");
}

static void tell_since(const struct threads *threads, struct ipckit_process *how)
{
	if (is_tool(threads))
		how->since =
			ipckit_known(proc_start_time(&threads->seen->stat, threads->walk->boot));
}

/* ---- futex words in files ---- */

static bool is_futex(long number)
{
#ifdef SYS_futex_time64
	if (number == SYS_futex_time64)
		return true;
#endif
#ifdef SYS_futex
	if (number == SYS_futex)
		return true;
#endif
	return number == SYS_restart_syscall;
}

/* What sem_wait() sleeps in: a futex that is not private to the process. */
static bool is_futex_wait(const struct proc_syscall *call)
{
	uint64_t op = call->args[1] & ~(uint64_t)FUTEX_CLOCK_REALTIME;

	return is_futex(call->number) && (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET);
}

static bool is_within(const struct hit *hit, uint64_t address)
{
	uint64_t offset;

	if (hit->evidence != IPCKIT_SEEN_MAPPED || address < hit->start || address >= hit->end)
		return false;
	offset = address - hit->start + hit->offset;
	return offset >= hit->info->offset && offset - hit->info->offset < sizeof(sem_t);
}

static int note_futex(struct threads *threads, pid_t tid, uint64_t address)
{
	struct ipckit_process how = { .tid = tid, .evidence = IPCKIT_SEEN_BLOCKED };
	int r = seen_describe(threads->seen);

	if (r)
		return r;
	tell_since(threads, &how);
	/* The tool takes the first of several so. */
	if (!is_tool(threads))
		how.count = ipckit_known(1);
	for (size_t i = 0; i < threads->walk->nhits; i++) {
		struct ipckit_sem_info *info = threads->walk->hits[i].info;

		if (!is_within(&threads->walk->hits[i], address))
			continue;
		info->waiters.value++;
		return walk_add(threads->seen, &how, &info->waiting);
	}
	return 0;
}

/* ---- System V ---- */

static bool is_semop(long number)
{
#ifdef SYS_semop
	if (number == SYS_semop)
		return true;
#endif
#ifdef SYS_semtimedop
	if (number == SYS_semtimedop)
		return true;
#endif
#ifdef SYS_semtimedop_time64
	if (number == SYS_semtimedop_time64)
		return true;
#endif
	return false;
}

/* The value that operation i finds: the set's, and what those before it did to it. */
static bool value_before(const struct sembuf *ops, size_t i, const struct ipckit_sem_info *info,
			 int64_t *out)
{
	const struct ipckit_sem_slot *slot;

	if (!info->semaphores || !info->nsems.known || ops[i].sem_num >= info->nsems.value)
		return false;
	slot = &info->semaphores[ops[i].sem_num];
	*out = slot->value.value;
	for (size_t j = 0; j < i; j++)
		if (ops[j].sem_num == ops[i].sem_num)
			*out += ops[j].sem_op;
	return slot->value.known;
}

/* Which operation of a vector blocks: the only one that can, or the first that the values do not
 * let through, as the kernel goes. NULL where it cannot be told. */
static const struct sembuf *blocking(const struct sembuf *ops, size_t n,
				     const struct ipckit_sem_info *info)
{
	const struct sembuf *only = NULL;
	size_t able = 0;
	int64_t value;

	for (size_t i = 0; i < n; i++) {
		if (ops[i].sem_op > 0)
			continue;
		if (value_before(ops, i, info, &value) &&
		    (ops[i].sem_op ? value + ops[i].sem_op < 0 : value != 0))
			return &ops[i];
		only = &ops[i];
		able++;
	}
	return able == 1 ? only : NULL;
}

static void tell_operation(int dirfd, const struct proc_syscall *call,
			   const struct ipckit_sem_info *info, struct ipckit_process *how)
{
	struct sembuf ops[OPS_MAX];
	const struct sembuf *op;
	size_t n = call->args[2], size = n * sizeof(*ops);
	int fd;

	if (!n || n > OPS_MAX)
		return;
	fd = sys_openat(dirfd, "mem", O_RDONLY, 0);
	if (fd < 0)
		return;
	op = pread(fd, ops, size, (off_t)call->args[1]) == (ssize_t)size ? blocking(ops, n, info)
									 : NULL;
	close(fd);
	if (!op)
		return;
	how->index = ipckit_known(op->sem_num);
	how->count = ipckit_known(-op->sem_op);
}

/* A process of several threads is one user. */
static int note_set_user(struct seen *seen, struct ipckit_sem_info *info)
{
	const struct ipckit_process how = { .tid = seen->pid, .evidence = IPCKIT_SEEN_BLOCKED };

	if (info->users.count && info->users.list[info->users.count - 1].pid == seen->pid)
		return 0;
	return walk_add(seen, &how, &info->users);
}

static int note_semop(struct threads *threads, int dirfd, pid_t tid,
		      const struct proc_syscall *call)
{
	struct ipckit_sem_info *info = walk_find_set(threads->walk, (int)call->args[0]);
	struct ipckit_process how = { .tid = tid, .evidence = IPCKIT_SEEN_BLOCKED };
	int r;

	if (!info)
		return 0;
	r = seen_describe(threads->seen);
	if (r)
		return r;
	tell_since(threads, &how);
	tell_operation(dirfd, call, info, &how);
	info->waiters.value++;
	r = walk_add(threads->seen, &how, &info->waiting);
	return r ? r : note_set_user(threads->seen, info);
}

/* ---- threads ---- */

/* Who has it mapped may be waiting. */
static void doubt(const struct threads *threads, int error)
{
	for (size_t i = 0; threads->files && i < threads->walk->nhits; i++) {
		struct ipckit_sem_info *info = threads->walk->hits[i].info;

		if (info->backend == IPCKIT_SEM_EVENTFD)
			continue;
		info->waiters = ipckit_unknown();
		sem_note_gap(info, "waiters", error);
	}
}

/* A stopped waiter has left the kernel's queue, but goes on waiting when it is continued. */
static bool may_wait(const struct threads *threads, int dirfd)
{
	struct proc_stat stat;
	int r;

	if (threads->files || threads->walk->set_waiters || dirfd < 0)
		return true;
	r = proc_stat_read(dirfd, &stat);
	return r ? r != -ESRCH && r != -ENOENT : stat.state == 'T' || stat.state == 't';
}

static int look_at_thread(int dirfd, pid_t tid, void *arg)
{
	struct threads *threads = arg;
	struct proc_syscall call;
	int r = dirfd < 0 ? dirfd : proc_syscall_read(dirfd, &call);

	if (r == -EACCES || r == -EPERM) {
		if (!may_wait(threads, dirfd))
			return 0;
		threads->seen->denied = true;
		doubt(threads, -r);
		return 0;
	}
	if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
		return r;
	/* A thread that has ended meanwhile does not wait. */
	if (r || call.state != PROC_IN_SYSCALL)
		return 0;
	if (threads->files && is_futex_wait(&call))
		return note_futex(threads, tid, call.args[0]);
	if (threads->sets && is_semop(call.number))
		return note_semop(threads, dirfd, tid, &call);
	return 0;
}

int note_blocked(const struct walk *walk, struct seen *seen, bool files, bool sets)
{
	struct threads threads = { .walk = walk, .seen = seen, .files = files, .sets = sets };

	return seen_allow(seen, proc_walk(seen->dirfd, "task", look_at_thread, &threads));
}
