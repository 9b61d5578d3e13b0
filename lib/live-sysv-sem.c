/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-sysv.h"
#include "sys.h"

#define OPS_MAX 64 /* that are looked at */

static int ask(int id, int index, int command)
{
	return sys_semctl(id, index, command, (union sys_semun){ .val = 0 });
}

/* The value that operation i finds: the set's, and what those before it did to it. Or -errno. */
static int value_before(int id, const struct sembuf *ops, size_t i)
{
	int value = ask(id, ops[i].sem_num, GETVAL);

	for (size_t j = 0; value >= 0 && j < i; j++)
		if (ops[j].sem_num == ops[i].sem_num)
			value += ops[j].sem_op;
	return value;
}

/* The first that the values do not let through, as the kernel goes: *at is its place. -EAGAIN: there is none, or
 * it does not wait. */
static int find_blocking(int id, const struct sembuf *ops, size_t n, size_t *at)
{
	for (size_t i = 0; i < n; i++) {
		int value = value_before(id, ops, i);

		if (value < 0)
			return value;
		if (ops[i].sem_op ? value + ops[i].sem_op >= 0 : value == 0)
			continue;
		*at = i;
		return ops[i].sem_flg & IPC_NOWAIT ? -EAGAIN : 0;
	}
	return -EAGAIN;
}

/*
 * Whether who used a semaphore last is known to hold it: by taking the last permit, or, where one is taken by a
 * wait for zero and an operation that raises the value, by raising it to what it is.
 */
static bool names_holder(int id, const struct sembuf *ops, size_t n, size_t at)
{
	int value = ask(id, ops[at].sem_num, GETVAL), raised = 0;

	if (ops[at].sem_op)
		return value == 0;
	for (size_t i = at + 1; i < n; i++)
		if (ops[i].sem_num == ops[at].sem_num)
			raised += ops[i].sem_op;
	return raised > 0 && value == raised;
}

static int add_holders(struct live_sysv *sysv, const struct sembuf *ops, size_t n, size_t at, int64_t last,
		       struct live_sysv_edge *edge)
{
	int id = edge->wait->id, pid = ask(id, ops[at].sem_num, GETPID), r;
	uint32_t holder = IPCKIT_NONE;

	/* One of a PID namespace that is not seen. */
	if (pid <= 0)
		return 0;
	r = live_sysv_records(sysv);
	if (!r && names_holder(id, ops, n, at))
		r = live_sysv_user(sysv, pid, last, &holder);
	if (!r)
		r = live_sysv_add(sysv, edge, holder);
	for (size_t i = 0; !r && i < sysv->nrecords; i++)
		if (sysv->records[i].id == id && sysv->records[i].index == ops[at].sem_num)
			r = live_sysv_add(sysv, edge, sysv->records[i].process);
	return r;
}

int live_sysv_semaphore(struct live_sysv *sysv, const struct live_sysv_wait *wait)
{
	struct live_sysv_edge edge = { .wait = wait, .kind = IPCKIT_LIVE_SYSV_SEMAPHORE };
	struct sembuf ops[OPS_MAX];
	struct semid_ds ds;
	size_t at;
	int r;

	if (!wait->nops || wait->nops > OPS_MAX)
		return 0;
	r = live_read(sysv->scan, sysv->scan->threads[wait->thread].process, wait->ops, ops,
		      wait->nops * sizeof(*ops));
	if (r)
		return sys_own_trouble(r);
	if (sys_semctl(wait->id, 0, IPC_STAT, (union sys_semun){ .buf = &ds }) < 0 ||
	    find_blocking(wait->id, ops, wait->nops, &at))
		return 0;
	/* The kernel does not count it: it is being woken. */
	if (ask(wait->id, ops[at].sem_num, ops[at].sem_op ? GETNCNT : GETZCNT) <= 0)
		return 0;
	edge.resource = live_text(sysv->scan, "id:%d#%u", wait->id, ops[at].sem_num);
	return add_holders(sysv, ops, wait->nops, at, ds.sem_otime > ds.sem_ctime ? ds.sem_otime : ds.sem_ctime,
			   &edge);
}
