/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys.h"
#include "users-walk.h"
#include "waiters-call.h"

#include <ipckit/sem.h>
#include <string.h>
#include <sys/msg.h>

/* The operations of a blocked semop(2), and the descriptors of a ppoll(2), that are looked at. */
#define OPS_MAX 64
#define POLLED_MAX 64

struct threads {
	const struct walk *walk;
	struct seen *seen;
	bool files, sysv;
};

/* A thread in a system call on an object perhaps: how has its tid and the call's name. */
typedef int (*call_note)(const struct threads *threads, int dirfd, const struct proc_syscall *call,
			 struct ipckit_process *how);

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

static int add_waiter(const struct threads *threads, const struct ipckit_process *how,
		      struct watched *watched)
{
	watched->usage->waiters.value++;
	return walk_add(threads->seen, how, &watched->usage->waiting);
}

/* Reads the memory of the process under view. False where that may not be. */
static bool read_memory(int dirfd, uint64_t address, void *data, size_t size)
{
	bool done;
	int memory;

	if (proc_memory_open(dirfd, &memory))
		return false;
	done = !proc_memory_read(memory, address, data, size);
	close(memory);
	return done;
}

/* ---- futex words in files ---- */

/* What sem_wait() sleeps in: a futex that is not private to the process. */
static bool is_futex_wait(const struct proc_syscall *call)
{
	struct futex_call wait;

	return futex_call_read(call, &wait) && !wait.private && !wait.pi && !wait.words && !wait.requeue.known;
}

static bool is_within(const struct hit *hit, uint64_t address)
{
	uint64_t offset;

	if (hit->evidence != IPCKIT_SEEN_MAPPED || address < hit->start || address >= hit->end)
		return false;
	offset = address - hit->start + hit->offset;
	return offset >= hit->watched->offset && offset - hit->watched->offset < hit->watched->length;
}

static int note_futex(const struct threads *threads, int dirfd, const struct proc_syscall *call,
		      struct ipckit_process *how)
{
	(void)dirfd;
	if (!is_futex_wait(call))
		return 0;
	for (size_t i = 0; i < threads->walk->nhits; i++) {
		const struct hit *hit = &threads->walk->hits[i];
		int r;

		if (!is_within(hit, call->args[0]))
			continue;
		r = seen_describe(threads->seen);
		if (r)
			return r;
		tell_since(threads, how);
		/* The tool takes the first of several so. */
		if (!is_tool(threads))
			how->count = ipckit_known(1);
		return add_waiter(threads, how, hit->watched);
	}
	return 0;
}

/* ---- POSIX queues ---- */

static int note_descriptor(const struct threads *threads, int fd, struct ipckit_process *how)
{
	for (size_t i = 0; i < threads->walk->nhits; i++) {
		const struct hit *hit = &threads->walk->hits[i];

		if (hit->watched->kind != WATCHED_MQUEUE || hit->fd != fd)
			continue;
		how->flags = hit->flags;
		return add_waiter(threads, how, hit->watched);
	}
	return 0;
}

static int note_mqueue(const struct threads *threads, int dirfd, const struct proc_syscall *call,
		       struct ipckit_process *how)
{
	(void)dirfd;
	return note_descriptor(threads, (int)call->args[0], how);
}

/* So does a wait with a time limit, which mq_timedreceive(3) would count on the wrong clock. */
static int note_poll(const struct threads *threads, int dirfd, const struct proc_syscall *call,
		     struct ipckit_process *how)
{
	struct pollfd polled[POLLED_MAX];
	size_t n = call->args[1];
	int r = 0;

	if (!n || n > POLLED_MAX || !read_memory(dirfd, call->args[0], polled, n * sizeof(*polled)))
		return 0;
	for (size_t i = 0; i < n && !r; i++)
		if (polled[i].events & (POLLIN | POLLOUT))
			r = note_descriptor(threads, polled[i].fd, how);
	return r;
}

/* A timed futex or poll(2) after a stop, with its arguments; others begin again under their own number. */
static int note_resumed(const struct threads *threads, int dirfd, const struct proc_syscall *call,
			struct ipckit_process *how)
{
	if (is_futex_wait(call))
		return note_futex(threads, dirfd, call, how);
	how->call = "poll";
	return note_poll(threads, dirfd, call, how);
}

/* ---- System V ---- */

static int add_sysv_waiter(const struct threads *threads, const struct ipckit_process *how,
			   struct watched *watched)
{
	const struct ipckit_process user = { .tid = threads->seen->pid, .evidence = IPCKIT_SEEN_BLOCKED };
	int r = add_waiter(threads, how, watched);

	return r ? r : walk_add_once(threads->seen, &user, &watched->usage->users);
}

/* The value that operation i finds: the set's, and what those before it did to it. */
static bool value_before(const struct sembuf *ops, size_t i, const struct ipckit_sem_info *info,
			 int64_t *out)
{
	const struct ipckit_sem_slot *slot;

	if (!info || !info->semaphores || !info->nsems.known || ops[i].sem_num >= info->nsems.value)
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
	size_t n = call->args[2];

	if (!n || n > OPS_MAX || !read_memory(dirfd, call->args[1], ops, n * sizeof(*ops)))
		return;
	op = blocking(ops, n, info);
	if (!op)
		return;
	how->index = ipckit_known(op->sem_num);
	how->count = ipckit_known(-op->sem_op);
}

static int note_semop(const struct threads *threads, int dirfd, const struct proc_syscall *call,
		      struct ipckit_process *how)
{
	struct watched *set = index_find(&threads->walk->sets, (int)call->args[0]);
	int r;

	if (!set)
		return 0;
	r = seen_describe(threads->seen);
	if (r)
		return r;
	tell_since(threads, how);
	tell_operation(dirfd, call, set->set, how);
	return add_sysv_waiter(threads, how, set);
}

static int note_msgsnd(const struct threads *threads, int dirfd, const struct proc_syscall *call,
		       struct ipckit_process *how)
{
	struct watched *queue = index_find(&threads->walk->queues, (int)call->args[0]);

	(void)dirfd;
	return queue ? add_sysv_waiter(threads, how, queue) : 0;
}

static int note_msgrcv(const struct threads *threads, int dirfd, const struct proc_syscall *call,
		       struct ipckit_process *how)
{
	how->type = ipckit_known((long)call->args[3]);
	how->except = how->type.value > 0 && call->args[4] & MSG_EXCEPT;
	return note_msgsnd(threads, dirfd, call, how);
}

/* ---- threads ---- */

/* The numbers are those of this architecture. */
static const struct call {
	long number;
	const char *name;
	bool sysv;
	call_note note;
} calls[] = {
#ifdef SYS_futex
	{ SYS_futex, "futex", false, note_futex },
#endif
#ifdef SYS_futex_time64
	{ SYS_futex_time64, "futex", false, note_futex },
#endif
	{ SYS_restart_syscall, "futex", false, note_resumed },
#ifdef SYS_mq_timedsend
	{ SYS_mq_timedsend, "mq_timedsend", false, note_mqueue },
#endif
#ifdef SYS_mq_timedsend_time64
	{ SYS_mq_timedsend_time64, "mq_timedsend", false, note_mqueue },
#endif
#ifdef SYS_mq_timedreceive
	{ SYS_mq_timedreceive, "mq_timedreceive", false, note_mqueue },
#endif
#ifdef SYS_mq_timedreceive_time64
	{ SYS_mq_timedreceive_time64, "mq_timedreceive", false, note_mqueue },
#endif
#ifdef SYS_poll
	{ SYS_poll, "poll", false, note_poll },
#endif
#ifdef SYS_ppoll
	{ SYS_ppoll, "ppoll", false, note_poll },
#endif
#ifdef SYS_ppoll_time64
	{ SYS_ppoll_time64, "ppoll", false, note_poll },
#endif
#ifdef SYS_semop
	{ SYS_semop, "semop", true, note_semop },
#endif
#ifdef SYS_semtimedop
	{ SYS_semtimedop, "semtimedop", true, note_semop },
#endif
#ifdef SYS_semtimedop_time64
	{ SYS_semtimedop_time64, "semtimedop", true, note_semop },
#endif
#ifdef SYS_msgsnd
	{ SYS_msgsnd, "msgsnd", true, note_msgsnd },
#endif
#ifdef SYS_msgrcv
	{ SYS_msgrcv, "msgrcv", true, note_msgrcv },
#endif
};

static int note_call(const struct threads *threads, int dirfd, pid_t tid, const struct proc_syscall *call)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		struct ipckit_process how = {
			.tid = tid, .call = calls[i].name, .evidence = IPCKIT_SEEN_BLOCKED
		};

		if (calls[i].number != call->number)
			continue;
		if (calls[i].sysv ? !threads->sysv : !threads->files)
			return 0;
		return calls[i].note(threads, dirfd, call, &how);
	}
	return 0;
}

/* Who has it mapped, or a queue open, may be waiting. */
static void doubt(const struct threads *threads, int error)
{
	for (size_t i = 0; threads->files && i < threads->walk->nhits; i++) {
		struct watched *watched = threads->walk->hits[i].watched;

		if (!can_block(watched))
			continue;
		watched->usage->waiters = ipckit_unknown();
		gaps_note(watched->gaps, "waiters", error);
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
	const struct threads *threads = arg;
	struct proc_syscall call;
	int r = dirfd < 0 ? dirfd : proc_syscall_read(dirfd, &call);

	if (sys_is_denial(r)) {
		if (!may_wait(threads, dirfd))
			return 0;
		threads->seen->denied = true;
		doubt(threads, -r);
		return 0;
	}
	if (sys_lacks_resources(r))
		return r;
	/* A thread that has ended meanwhile does not wait. */
	if (r || call.state != PROC_IN_SYSCALL)
		return 0;
	return note_call(threads, dirfd, tid, &call);
}

int note_blocked(const struct walk *walk, struct seen *seen, bool files, bool sysv)
{
	struct threads threads = { .walk = walk, .seen = seen, .files = files, .sysv = sysv };

	return seen_allow(seen, proc_walk(seen->dirfd, "task", look_at_thread, &threads));
}
