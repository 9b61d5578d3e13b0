/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "limit.h"
#include "mq-backend.h"
#include "sys.h"
#include "sysv.h"

#define TRUST_NS 200000 /* less than it takes to start a command that changes a queue */
#define YOUNG_S 1
#define YOUNG_LOOKS 20

/* ---- looking ---- */

static int get_existing(key_t key)
{
	return sys_msgget(key, 0);
}

int mq_sysv_find(const struct ipckit_name *name, int *id)
{
	return sysv_find(name, get_existing, id);
}

static int stat_at(int place, void *ds)
{
	return sys_msgctl(place, MSG_STAT_ANY, ds);
}

int mq_sysv_stat(int id, struct msqid_ds *ds)
{
	int r = sys_msgctl(id, IPC_STAT, ds);

	if (r == -EINVAL || r == -EIDRM)
		return -ENOENT;
	return r == -EACCES ? sysv_stat_any(id, stat_at, ds) : r;
}

/* On a queue that was there when it was opened, -EINVAL mostly means that it is no more. */
static int gone(const struct ipckit_mq *mq, int r)
{
	struct msqid_ds ds;

	return r == -EINVAL && mq_sysv_stat(mq->id, &ds) == -ENOENT ? -EIDRM : r;
}

static int64_t size_max(const struct ipckit_mq *mq)
{
	return mq->msgmax < mq->qbytes ? mq->msgmax : mq->qbytes;
}

/* Nothing at all fits into a queue of no bytes. */
static size_t fitting(const struct ipckit_mq *mq)
{
	if (!mq->qbytes)
		return 0;
	return size_max(mq) < INT_MAX ? (size_t)size_max(mq) + 1 : INT_MAX;
}

/* What a queue and a message may hold at most. */
static int look(struct ipckit_mq *mq, struct msqid_ds *ds)
{
	struct msginfo info = { 0 };
	bool informed = sys_msginfo(IPC_INFO, &info) >= 0;
	struct ipckit_maybe msgmax = informed ? ipckit_known(info.msgmax) : limit_sysctl("kernel/msgmax");
	int r = mq_sysv_stat(mq->id, ds);

	if (r == -ENOENT)
		return -EIDRM;
	mq->msgmax = msgmax.known ? msgmax.value : INT64_MAX;
	if (!r)
		mq->qbytes = ds->msg_qbytes < INT64_MAX ? (int64_t)ds->msg_qbytes : INT64_MAX;
	else
		mq->qbytes = informed ? info.msgmnb : INT64_MAX;
	mq->fitting = fitting(mq);
	ipckit_deadline_in(TRUST_NS, &mq->trusted);
	return r;
}

static int sysv_state(struct ipckit_mq *mq, struct ipckit_mq_state *out)
{
	struct msqid_ds ds;
	int r = look(mq, &ds);

	if (r)
		return r;
	*out = (struct ipckit_mq_state){
		.qbytes = mq->qbytes,
		.messages = (int64_t)ds.msg_qnum,
		.bytes = (int64_t)ds.__msg_cbytes,
		.size_max = size_max(mq),
	};
	return 0;
}

/* ---- opening ---- */

/* Of a queue with a key the kernel tells before it is used; of others it is left to the use. */
static bool may(const struct msqid_ds *ds, unsigned access, int id)
{
	int wanted = (access & IPCKIT_MQ_RECEIVE ? 0444 : 0) | (access & IPCKIT_MQ_SEND ? 0222 : 0);
	int r = ds->msg_perm.__key == IPC_PRIVATE ? id : sys_msgget(ds->msg_perm.__key, wanted);

	return r != -EACCES;
}

static int sysv_open(const struct ipckit_name *name, unsigned access, struct ipckit_mq *mq)
{
	struct msqid_ds ds;
	int id = -1;
	int r = mq_sysv_find(name, &id);

	if (!r)
		r = mq_sysv_stat(id, &ds);
	/* That it may not be looked at is told by what it is used for. */
	if (r && r != -EACCES)
		return r;
	if (!r && access && !may(&ds, access, id))
		return -EACCES;
	mq->id = id;
	return 0;
}

/* ---- creation ---- */

static int set_qbytes(int id, int64_t qbytes)
{
	struct msqid_ds ds;
	int r;

	/* The kernel takes an int, and cuts what is more. */
	if (qbytes > INT_MAX)
		return -EPERM;
	r = sys_msgctl(id, IPC_STAT, &ds);
	if (r == -EACCES)
		r = sysv_stat_any(id, stat_at, &ds);
	if (r)
		return r;
	ds.msg_qbytes = (msglen_t)qbytes;
	return sys_msgctl(id, IPC_SET, &ds);
}

static int make(key_t key, const struct ipckit_mq_spec *spec, struct ipckit_mq *mq)
{
	int id = sys_msgget(key, IPC_CREAT | IPC_EXCL | (int)spec->mode);
	int r;

	if (id < 0)
		return id;
	r = spec->qbytes ? set_qbytes(id, spec->qbytes) : 0;
	if (r)
		(void)sys_msgctl(id, IPC_RMID, NULL);
	else
		mq->id = id;
	return r;
}

static bool is_young(const struct msqid_ds *ds)
{
	return !ds->msg_stime && !ds->msg_rtime && time(NULL) - ds->msg_ctime <= YOUNG_S;
}

/* Whoever has just made it may not have come to set its qbytes yet. */
static int compare(struct ipckit_mq *mq, const struct ipckit_mq_spec *spec)
{
	const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };
	struct msqid_ds ds;
	int r = 0;

	if (!spec->qbytes)
		return 0;
	for (unsigned i = 0; !r; i++) {
		r = mq_sysv_stat(mq->id, &ds);
		if (r || (int64_t)ds.msg_qbytes == spec->qbytes)
			return r;
		if (!is_young(&ds) || i == YOUNG_LOOKS)
			return -EBADMSG;
		r = ipckit_deadline_sleep(&forever, MQ_PAUSE_FIRST_NS);
	}
	return r;
}

static int sysv_create(const struct ipckit_name *name, const struct ipckit_mq_spec *spec, bool *created,
		       struct ipckit_mq *mq)
{
	key_t key;
	int r = ipckit_name_key(name, &key);

	if (r)
		return r;
	/* Between the look and the creation it may come or go. */
	do {
		r = spec->exclusive || key == IPC_PRIVATE ? -ENOENT : sysv_open(name, 0, mq);
		if (!r)
			r = compare(mq, spec);
		if (r != -ENOENT) {
			if (!r)
				*created = false;
			return r;
		}
		r = make(key, spec, mq);
	} while (r == -EEXIST && !spec->exclusive);
	if (!r)
		*created = true;
	return r;
}

/* ---- messages ---- */

/* A msgsnd(2) or msgrcv(2). */
struct transfer {
	struct ipckit_mq *mq;
	const struct ipckit_mq_message *from; /* NULL: receive */
	struct ipckit_mq_message *to;
	size_t size; /* or room */
	long type;
	int flags;
};

/* -EAGAIN where it would have to wait, and may not. */
static ssize_t once(const struct transfer *transfer, int flags)
{
	ssize_t n;

	flags |= transfer->flags;
	if (transfer->from)
		return sys_msgsnd(transfer->mq->id, transfer->from, transfer->size, flags);
	n = sys_msgrcv(transfer->mq->id, transfer->to, transfer->size, transfer->type, flags);
	return n == -ENOMSG ? -EAGAIN : n;
}

/* What never fits is waited with for ever by the kernel. */
static int check_size(struct ipckit_mq *mq, size_t size)
{
	struct msqid_ds ds;
	int r = look(mq, &ds);

	if (r && r != -EACCES)
		return r;
	return size < mq->fitting ? 0 : -EMSGSIZE;
}

/* Before waiting, and after each wait that was in vain, since limits may have been lowered. */
static int recheck(const struct transfer *transfer)
{
	return transfer->from ? check_size(transfer->mq, transfer->size) : 0;
}

/* In the call, which signals end. */
static ssize_t in_call(const struct transfer *transfer, const struct ipckit_deadline *deadline)
{
	ssize_t n;

	do {
		n = ipckit_deadline_left(deadline, NULL);
		if (!n)
			n = recheck(transfer);
		if (n)
			return n;
		n = once(transfer, 0);
	} while (n == -EINTR);
	return n;
}

/* Nobody has promised a signal at the deadline: look, with growing pauses. */
static ssize_t by_looking(const struct transfer *transfer, const struct ipckit_deadline *deadline)
{
	int64_t pause = MQ_PAUSE_FIRST_NS;
	ssize_t n;
	int r;

	do {
		n = recheck(transfer);
		if (n)
			return n;
		r = ipckit_deadline_sleep(deadline, pause);
		if (r && r != -ETIMEDOUT)
			return r;
		n = once(transfer, IPC_NOWAIT);
		pause = mq_longer_pause(pause);
	} while (n == -EAGAIN && !r);
	return n == -EAGAIN ? r : n;
}

/* After a call that would have had to wait. */
static ssize_t go_on(const struct transfer *transfer, const struct ipckit_deadline *deadline)
{
	if (deadline->kind == IPCKIT_DEADLINE_TRY)
		return recheck(transfer) ?: -EAGAIN;
	if (deadline->kind == IPCKIT_DEADLINE_NONE || deadline->stop)
		return in_call(transfer, deadline);
	return by_looking(transfer, deadline);
}

static int send_on(int said, const struct transfer *transfer, const struct ipckit_deadline *deadline)
{
	int r = said == -EMSGSIZE ? check_size(transfer->mq, transfer->size) : said;

	if (!r)
		r = (int)once(transfer, IPC_NOWAIT);
	if (r == -EAGAIN || r == -EINTR) {
		r = (int)go_on(transfer, deadline);
		transfer->mq->crowded = !r;
	}
	/* The queue is gone, or kernel.msgmax was lowered. */
	return r == -EINVAL ? check_size(transfer->mq, transfer->size) ?: r : r;
}

/* Who has just waited has just looked, too, and would wait again: then that is one call. */
static bool waits_at_once(struct ipckit_mq *mq, const struct ipckit_deadline *deadline)
{
	if (mq->crowded)
		mq->crowded = !ipckit_deadline_left(&mq->trusted, NULL);
	return mq->crowded && (deadline->kind == IPCKIT_DEADLINE_NONE ||
			       (deadline->kind == IPCKIT_DEADLINE_AT && deadline->stop));
}

/*
 * Mostly there is room, and it is one call. Before it waits in the kernel a sender looks
 * whether its message can ever fit.
 */
static int sysv_send(struct ipckit_mq *mq, const struct ipckit_mq_message *message, size_t size,
		     const struct ipckit_deadline *deadline)
{
	int r = -EMSGSIZE;

	if (size < mq->fitting)
		r = sys_msgsnd(mq->id, message, size, waits_at_once(mq, deadline) ? 0 : IPC_NOWAIT);
	if (!r)
		return 0;
	return send_on(r, &(struct transfer){ .mq = mq, .from = message, .size = size }, deadline);
}

static long type_of(const struct ipckit_mq_select *select)
{
	switch (select->which) {
	case IPCKIT_MQ_TYPE:
	case IPCKIT_MQ_EXCEPT:
		return select->type;
	case IPCKIT_MQ_UP_TO:
		return -select->type;
	default:
		return 0;
	}
}

static size_t at_most(size_t room)
{
	return room < INT_MAX ? room : INT_MAX;
}

static int sysv_receive(struct ipckit_mq *mq, const struct ipckit_mq_select *select,
			struct ipckit_mq_message *message, size_t room, bool truncate, size_t *size,
			const struct ipckit_deadline *deadline)
{
	int flags = (select->which == IPCKIT_MQ_EXCEPT ? MSG_EXCEPT : 0) | (truncate ? MSG_NOERROR : 0);
	bool wait = deadline->kind == IPCKIT_DEADLINE_NONE;
	long type = type_of(select);
	ssize_t n;

	message->rank = 0; /* that of no message, as long as there is none */
	room = at_most(room);
	n = sys_msgrcv(mq->id, message, room, type, flags | (wait ? 0 : IPC_NOWAIT));
	if (n == -ENOMSG || n == -EINTR)
		n = go_on(&(struct transfer){
			.mq = mq, .to = message, .size = room, .type = type, .flags = flags,
		}, deadline);
	if (n < 0)
		return gone(mq, (int)n);
	*size = (size_t)n;
	return 0;
}

static int sysv_peek(struct ipckit_mq *mq, size_t index, struct ipckit_mq_message *message, size_t room,
		     size_t *size)
{
	ssize_t n;

	if (index > LONG_MAX)
		return -ENOMSG;
	n = sys_msgrcv(mq->id, message, at_most(room), (long)index, MSG_COPY | IPC_NOWAIT);
	if (n < 0)
		return gone(mq, (int)n);
	*size = (size_t)n;
	return 0;
}

/* ---- the object ---- */

static int sysv_set(const struct ipckit_name *name, const struct ipckit_mq_change *change)
{
	struct msqid_ds ds, now;
	int id;
	int r = mq_sysv_find(name, &id);

	if (!r)
		r = mq_sysv_stat(id, &ds);
	if (r)
		return r;
	if (change->qbytes && *change->qbytes > INT_MAX)
		return -EPERM;
	if (change->mode)
		ds.msg_perm.mode = (unsigned short)*change->mode;
	if (change->qbytes)
		ds.msg_qbytes = (msglen_t)*change->qbytes;
	if (change->uid != (uid_t)-1)
		ds.msg_perm.uid = change->uid;
	if (change->gid != (gid_t)-1)
		ds.msg_perm.gid = change->gid;
	r = sys_msgctl(id, IPC_SET, &ds);
	if (r == -EIDRM)
		return -ENOENT;
	/* Of a queue that is still there it is the owner, whom this user namespace does not know. */
	return r == -EINVAL && mq_sysv_stat(id, &now) == -ENOENT ? -ENOENT : r;
}

static int sysv_remove(const struct ipckit_name *name)
{
	int id;
	int r = mq_sysv_find(name, &id);

	if (!r)
		r = sys_msgctl(id, IPC_RMID, NULL);
	return r == -EINVAL || r == -EIDRM ? -ENOENT : r;
}

const struct mq_ops mq_sysv_ops = {
	.name = "sysv",
	.open = sysv_open,
	.create = sysv_create,
	.state = sysv_state,
	.send = sysv_send,
	.receive = sysv_receive,
	.peek = sysv_peek,
	.set = sysv_set,
	.remove = sysv_remove,
	.rank_min = 1,
	.rank_max = LONG_MAX,
};
