/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-sysv.h"
#include "array.h"
#include "sys.h"
#include "sysv.h"

/* Calls within ipc(2): its first argument. */
enum { WITHIN_SEMOP = 1, WITHIN_SEMTIMEDOP = 4, WITHIN_MSGSND = 11, WITHIN_MSGRCV = 12 };

/* ---- waits ---- */

/* ipc(call, id, count or size, -, pointer, limit); what of a message is asked for lies in memory. */
static bool read_within(const uint64_t *args, struct live_sysv_wait *out)
{
	*out = (struct live_sysv_wait){ .id = (int)args[1], .ops = args[4], .nops = args[2], .size = args[2] };
	switch (args[0] & 0xffff) {
	case WITHIN_SEMTIMEDOP:
		out->timed = args[5];
		/* fall through */
	case WITHIN_SEMOP:
		out->kind = LIVE_SYSV_SEMAPHORE;
		return true;
	case WITHIN_MSGSND:
		out->kind = LIVE_SYSV_SEND;
		return true;
	case WITHIN_MSGRCV:
		out->kind = LIVE_SYSV_RECEIVE;
		return true;
	}
	return false;
}

static bool read_wait(enum live_call call, const uint64_t *args, struct live_sysv_wait *out)
{
	*out = (struct live_sysv_wait){ .id = (int)args[0] };
	switch (call) {
	case LIVE_CALL_SEMTIMEDOP:
		out->timed = args[3];
		/* fall through */
	case LIVE_CALL_SEMOP:
		out->kind = LIVE_SYSV_SEMAPHORE;
		out->ops = args[1];
		out->nops = args[2];
		return true;
	case LIVE_CALL_MSGSND:
		out->kind = LIVE_SYSV_SEND;
		out->size = args[2];
		return true;
	case LIVE_CALL_MSGRCV:
		out->kind = LIVE_SYSV_RECEIVE;
		out->takes_all = !args[3];
		return true;
	case LIVE_CALL_IPC:
		return read_within(args, out);
	default:
		return false;
	}
}

/* The reader's own; where it is not told there is nothing that may be asked. */
static int find_namespace(struct live_sysv *sysv)
{
	int self = sys_openat(sysv->scan->root, "self", O_RDONLY | O_DIRECTORY, 0), r;

	if (self < 0)
		return self;
	r = proc_namespace(self, "ipc", &sysv->ipc);
	close(self);
	return r ? r : proc_boot_time(sysv->scan->root, &sysv->boot);
}

static int look_at(struct live_sysv *sysv, uint32_t thread)
{
	const struct live_thread *waiter = &sysv->scan->threads[thread];
	struct live_sysv_wait wait, *larger;
	enum live_call call;
	int r = live_call(sysv->scan, thread, &call);

	if (r || !read_wait(call, waiter->call.args, &wait))
		return r;
	wait.thread = thread;
	r = sysv->ipc ? 0 : find_namespace(sysv);
	if (r)
		return r;
	if (!live_sysv_shares(sysv, waiter->process))
		return 0;
	larger = array_room(sysv->waits, sysv->nwaits, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	sysv->waits = larger;
	larger[sysv->nwaits++] = wait;
	return 0;
}

/* ---- queues ---- */

static int stat_at(int place, void *ds)
{
	return sys_msgctl(place, MSG_STAT_ANY, ds);
}

static int stat_queue(int id, struct msqid_ds *ds)
{
	int r = sys_msgctl(id, IPC_STAT, ds);

	return r == -EACCES ? sysv_stat_any(id, stat_at, ds) : r;
}

/* Whether the queue is as the wait has found it: else it is being woken. */
static bool is_blocked(const struct live_sysv_wait *wait, const struct msqid_ds *ds)
{
	if (wait->kind == LIVE_SYSV_RECEIVE)
		return !ds->msg_qnum || !wait->takes_all;
	return wait->size > ds->msg_qbytes || ds->__msg_cbytes > ds->msg_qbytes - wait->size ||
	       ds->msg_qnum >= ds->msg_qbytes;
}

/* Whether a process of a PID namespace that is not seen has used it. */
static bool has_unseen(const struct msqid_ds *ds)
{
	return (ds->msg_stime && !ds->msg_lspid) || (ds->msg_rtime && !ds->msg_lrpid);
}

static int add_last(struct live_sysv *sysv, struct live_sysv_edge *edge, pid_t pid, int64_t time)
{
	uint32_t user;
	int r = live_sysv_user(sysv, pid, time, &user);

	return r ? r : live_sysv_add(sysv, edge, user);
}

/* Those who wait for the other thing, or have threads that do not wait. The rest is as stuck as this one. */
static int add_others(struct live_sysv *sysv, struct live_sysv_edge *edge, size_t first, size_t end)
{
	const struct live_scan *scan = sysv->scan;
	uint32_t last = IPCKIT_NONE;
	int r = 0;

	for (size_t i = first; !r && i < end; i++) {
		const struct live_sysv_wait *other = &sysv->waits[i];
		uint32_t process = scan->threads[other->thread].process;

		if (process == last || (other->kind == edge->wait->kind && scan->processes[process].nthreads == 1))
			continue;
		last = process;
		r = live_sysv_add(sysv, edge, process);
	}
	return r;
}

/* first, end: the waits for the same queue. */
static int add_queue(struct live_sysv *sysv, const struct live_sysv_wait *wait, size_t first, size_t end)
{
	struct live_sysv_edge edge = {
		.wait = wait,
		.kind = wait->kind == LIVE_SYSV_SEND ? IPCKIT_LIVE_MESSAGE_SEND : IPCKIT_LIVE_MESSAGE_RECEIVE,
	};
	struct msqid_ds ds;
	int r;

	if (stat_queue(wait->id, &ds) || !is_blocked(wait, &ds) || has_unseen(&ds))
		return 0;
	edge.resource = live_text(sysv->scan, "id:%d", wait->id);
	r = add_last(sysv, &edge, ds.msg_lspid, ds.msg_stime);
	if (!r)
		r = add_last(sysv, &edge, ds.msg_lrpid, ds.msg_rtime);
	return r ? r : add_others(sysv, &edge, first, end);
}

/* ---- all ---- */

static int by_object(const void *a, const void *b)
{
	const struct live_sysv_wait *x = a, *y = b;
	bool queue = x->kind != LIVE_SYSV_SEMAPHORE, other = y->kind != LIVE_SYSV_SEMAPHORE;

	if (queue != other)
		return queue - other;
	return array_order(x->id, y->id) ?: array_order(x->thread, y->thread);
}

static bool is_same_queue(const struct live_sysv_wait *a, const struct live_sysv_wait *b)
{
	return a->kind != LIVE_SYSV_SEMAPHORE && b->kind != LIVE_SYSV_SEMAPHORE && a->id == b->id;
}

static int add_edges(struct live_sysv *sysv)
{
	size_t first = 0, end = 0;
	int r = 0;

	for (size_t i = 0; !r && i < sysv->nwaits; i++) {
		const struct live_sysv_wait *wait = &sysv->waits[i];

		if (wait->kind == LIVE_SYSV_SEMAPHORE) {
			r = live_sysv_semaphore(sysv, wait);
			continue;
		}
		if (i >= end)
			for (first = end = i; end < sysv->nwaits && is_same_queue(wait, &sysv->waits[end]);)
				end++;
		r = add_queue(sysv, wait, first, end);
	}
	return r;
}

int live_collect_sysv(struct live_scan *scan)
{
	struct live_sysv sysv = { .scan = scan };
	int r = 0;

	for (uint32_t t = 0; !r && t < scan->nthreads; t++)
		r = look_at(&sysv, t);
	if (sysv.nwaits)
		qsort(sysv.waits, sysv.nwaits, sizeof(*sysv.waits), by_object);
	if (!r)
		r = add_edges(&sysv);
	free(sysv.waits);
	free(sysv.records);
	return sys_own_trouble(r);
}
