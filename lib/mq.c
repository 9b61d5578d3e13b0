/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mq-backend.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static const struct mq_ops *const backends[] = {
	[IPCKIT_MQ_POSIX] = &mq_posix_ops,
	[IPCKIT_MQ_SYSV] = &mq_sysv_ops,
};

enum ipckit_mq_backend ipckit_mq_backend_of(const struct ipckit_name *name)
{
	return name->kind == IPCKIT_NAME_POSIX ? IPCKIT_MQ_POSIX : IPCKIT_MQ_SYSV;
}

enum ipckit_mq_backend ipckit_mq_backend(const struct ipckit_mq *mq)
{
	return mq->backend;
}

const char *ipckit_mq_backend_name(enum ipckit_mq_backend backend)
{
	return backends[backend]->name;
}

int ipckit_mq_id(const struct ipckit_mq *mq)
{
	return mq->id;
}

/* ---- opening ---- */

static struct ipckit_mq *mq_new(const struct ipckit_name *name)
{
	struct ipckit_mq *mq = calloc(1, sizeof(*mq));

	if (!mq)
		return NULL;
	mq->backend = ipckit_mq_backend_of(name);
	mq->ops = backends[mq->backend];
	mq->id = -1;
	return mq;
}

int ipckit_mq_open(const struct ipckit_name *name, unsigned access, struct ipckit_mq **out)
{
	struct ipckit_mq *mq;
	int r;

	if (access & ~(IPCKIT_MQ_SEND | IPCKIT_MQ_RECEIVE))
		return -EINVAL;
	mq = mq_new(name);
	if (!mq)
		return -ENOMEM;
	r = mq->ops->open(name, access, mq);
	if (r)
		ipckit_mq_close(mq);
	else
		*out = mq;
	return r;
}

/* Of a geometry each backend has its own part. */
static int check_spec(const struct ipckit_name *name, const struct ipckit_mq_spec *spec)
{
	bool posix = ipckit_mq_backend_of(name) == IPCKIT_MQ_POSIX;

	if (spec->maxmsg < 0 || spec->msgsize < 0 || spec->qbytes < 0 || spec->mode > 0777)
		return -EINVAL;
	if (posix ? spec->qbytes : spec->maxmsg || spec->msgsize)
		return -EOPNOTSUPP;
	return 0;
}

int ipckit_mq_create(const struct ipckit_name *name, const struct ipckit_mq_spec *spec, bool *created,
		     struct ipckit_mq **out)
{
	struct ipckit_mq *mq;
	int r = check_spec(name, spec);

	if (r)
		return r;
	mq = mq_new(name);
	if (!mq)
		return -ENOMEM;
	r = mq->ops->create(name, spec, created, mq);
	if (r)
		ipckit_mq_close(mq);
	else
		*out = mq;
	return r;
}

void ipckit_mq_close(struct ipckit_mq *mq)
{
	if (!mq)
		return;
	if (mq->ops->close)
		mq->ops->close(mq);
	free(mq);
}

int ipckit_mq_check(const struct ipckit_mq *mq)
{
	struct stat st;

	if (mq->backend == IPCKIT_MQ_SYSV)
		return 0;
	if (fstat(mq->id, &st))
		return -errno;
	return st.st_nlink ? 0 : -EIDRM;
}

bool ipckit_mq_same(const struct ipckit_mq *a, const struct ipckit_mq *b)
{
	struct stat x, y;

	if (a->backend != b->backend)
		return false;
	if (a->backend == IPCKIT_MQ_SYSV)
		return a->id == b->id;
	return !fstat(a->id, &x) && !fstat(b->id, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int ipckit_mq_state(struct ipckit_mq *mq, struct ipckit_mq_state *out)
{
	return mq->ops->state(mq, out);
}

/* ---- messages ---- */

int ipckit_mq_send(struct ipckit_mq *mq, const struct ipckit_mq_message *message, size_t size,
		   const struct ipckit_deadline *deadline)
{
	if (message->rank < mq->ops->rank_min || message->rank > mq->ops->rank_max)
		return -EINVAL;
	if (deadline->stop && *deadline->stop)
		return -EINTR;
	return mq->ops->send(mq, message, size, deadline);
}

int ipckit_mq_receive(struct ipckit_mq *mq, const struct ipckit_mq_select *select,
		      struct ipckit_mq_message *message, size_t room, bool truncate, size_t *size,
		      const struct ipckit_deadline *deadline)
{
	static const struct ipckit_mq_select first = { .which = IPCKIT_MQ_FIRST };

	if (!select)
		select = &first;
	if (select->which > IPCKIT_MQ_EXCEPT || (select->which != IPCKIT_MQ_FIRST && select->type < 1))
		return -EINVAL;
	if (deadline->stop && *deadline->stop)
		return -EINTR;
	return mq->ops->receive(mq, select, message, room, truncate, size, deadline);
}

int ipckit_mq_peek(struct ipckit_mq *mq, size_t index, struct ipckit_mq_message *message, size_t room,
		   size_t *size)
{
	return mq->ops->peek ? mq->ops->peek(mq, index, message, room, size) : -EOPNOTSUPP;
}

static int wait_by_looking(struct ipckit_mq *mq, int64_t messages, const struct ipckit_deadline *deadline)
{
	struct ipckit_mq_state state;
	int64_t pause = MQ_PAUSE_FIRST_NS;
	int r;

	for (;;) {
		r = mq->ops->state(mq, &state);
		if (r)
			return r;
		if (state.messages >= messages)
			return 0;
		if (state.maxmsg && messages > state.maxmsg)
			return -ERANGE;
		r = ipckit_deadline_sleep(deadline, pause);
		/* What came during the last pause is seen too. */
		if (r == -ETIMEDOUT && !mq->ops->state(mq, &state) && state.messages >= messages)
			return 0;
		if (r)
			return r;
		pause = mq_longer_pause(pause);
	}
}

int ipckit_mq_wait(struct ipckit_mq *mq, int64_t messages, const struct ipckit_deadline *deadline)
{
	if (messages < 1)
		return -EINVAL;
	if (deadline->stop && *deadline->stop)
		return -EINTR;
	if (messages == 1 && mq->ops->wait)
		return mq->ops->wait(mq, deadline);
	return wait_by_looking(mq, messages, deadline);
}

int ipckit_mq_notify(struct ipckit_mq *mq, const struct ipckit_deadline *deadline, struct ipckit_maybe *sender)
{
	return mq->ops->notify ? mq->ops->notify(mq, deadline, sender) : -EOPNOTSUPP;
}

/* ---- the object ---- */

int ipckit_mq_set(const struct ipckit_name *name, const struct ipckit_mq_change *change)
{
	enum ipckit_mq_backend backend = ipckit_mq_backend_of(name);

	if ((change->mode && *change->mode > 0777) || (change->qbytes && *change->qbytes < 0))
		return -EINVAL;
	if (change->qbytes && backend != IPCKIT_MQ_SYSV)
		return -EOPNOTSUPP;
	return backends[backend]->set(name, change);
}

int ipckit_mq_remove(const struct ipckit_name *name)
{
	return backends[ipckit_mq_backend_of(name)]->remove(name);
}
