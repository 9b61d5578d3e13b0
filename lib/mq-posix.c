/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mq-backend.h"
#include "mq-look.h"
#include "regular.h"
#include "sys.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening ---- */

int mq_posix_open_fd(const struct ipckit_name *name, int flags)
{
	return sys_mq_open(name->text, flags);
}

int mq_posix_look_fd(const struct ipckit_name *name)
{
	int fd;

	/* EAGAIN: somebody asks for a moment whether it is in use; see lease.h. */
	while ((fd = sys_mq_open(name->text, O_RDONLY | O_NONBLOCK)) == -EAGAIN)
		usleep(100);
	return fd == -EACCES ? sys_mq_open(name->text, O_WRONLY | O_NONBLOCK) : fd;
}

static int open_as(const struct ipckit_name *name, unsigned access)
{
	switch (access) {
	case IPCKIT_MQ_SEND:
		return sys_mq_open(name->text, O_WRONLY);
	case IPCKIT_MQ_RECEIVE:
		return sys_mq_open(name->text, O_RDONLY);
	case IPCKIT_MQ_SEND | IPCKIT_MQ_RECEIVE:
		return sys_mq_open(name->text, O_RDWR);
	default:
		return mq_posix_look_fd(name);
	}
}

static int posix_open(const struct ipckit_name *name, unsigned access, struct ipckit_mq *mq)
{
	int fd = open_as(name, access);

	if (fd < 0)
		return fd;
	mq->id = fd;
	mq->no_wait = access == 0;
	return 0;
}

static void posix_close(struct ipckit_mq *mq)
{
	if (mq->id >= 0)
		close(mq->id);
	free(mq->whole);
}

/* ---- creation ---- */

/* For all that the caller has a right to. */
static int open_existing(const struct ipckit_name *name, struct ipckit_mq *mq)
{
	int fd = sys_mq_open(name->text, O_RDWR);

	if (fd == -EACCES)
		fd = sys_mq_open(name->text, O_RDONLY);
	if (fd == -EACCES)
		fd = sys_mq_open(name->text, O_WRONLY);
	if (fd < 0)
		return fd;
	mq->id = fd;
	return 0;
}

static int compare(const struct ipckit_mq *mq, const struct ipckit_mq_spec *spec)
{
	struct mq_attr attr;
	int r = sys_mq_getattr(mq->id, &attr);

	if (r)
		return r;
	if (spec->maxmsg && spec->maxmsg != attr.mq_maxmsg)
		return -EBADMSG;
	return spec->msgsize && spec->msgsize != attr.mq_msgsize ? -EBADMSG : 0;
}

/* The mode last, which may forbid what comes before. */
static int make(const struct ipckit_name *name, const struct ipckit_mq_spec *spec, struct ipckit_mq *mq)
{
	struct ipckit_mq_spec full = *spec;
	struct mq_attr attr = { 0 };
	int r;

	mq_posix_complete(&full);
	if (full.maxmsg > LONG_MAX || full.msgsize > LONG_MAX)
		return -EINVAL;
	attr.mq_maxmsg = (long)full.maxmsg;
	attr.mq_msgsize = (long)full.msgsize;
	r = sys_mq_create(name->text, 0600, spec->maxmsg || spec->msgsize ? &attr : NULL);
	if (r < 0)
		return r;
	mq->id = r;
	r = sys_result(fchmod(mq->id, spec->mode));
	if (r)
		(void)sys_mq_unlink(name->text);
	return r;
}

static int posix_create(const struct ipckit_name *name, const struct ipckit_mq_spec *spec, bool *created,
			struct ipckit_mq *mq)
{
	int r;

	/* What is there is opened without O_CREAT; in between it may come or go. */
	do {
		r = spec->exclusive ? -ENOENT : open_existing(name, mq);
		if (r != -ENOENT) {
			if (!r)
				r = compare(mq, spec);
			if (!r)
				*created = false;
			return r;
		}
		r = make(name, spec, mq);
	} while (r == -EEXIST && !spec->exclusive);
	if (!r)
		*created = true;
	return r;
}

static int posix_state(struct ipckit_mq *mq, struct ipckit_mq_state *out)
{
	struct mq_attr attr;
	int r = sys_mq_getattr(mq->id, &attr);

	if (r)
		return r;
	*out = (struct ipckit_mq_state){
		.maxmsg = attr.mq_maxmsg,
		.msgsize = attr.mq_msgsize,
		.messages = attr.mq_curmsgs,
		.size_max = attr.mq_msgsize,
	};
	return 0;
}

/* ---- messages ---- */

/* Sets O_NONBLOCK only where it is not so yet: mostly it is, and each message costs one call. */
static int set_waiting(struct ipckit_mq *mq, bool wait)
{
	int r;

	if (mq->no_wait == !wait)
		return 0;
	r = sys_mq_set_flags(mq->id, wait ? 0 : O_NONBLOCK);
	if (!r)
		mq->no_wait = !wait;
	return r;
}

/* After a call that has said -EAGAIN or -EINTR: 0 where it is to be made again. */
static int wait_ready(struct ipckit_mq *mq, int said, short events, const struct ipckit_deadline *deadline)
{
	struct timespec left;
	int r = ipckit_deadline_left(deadline, &left);

	if (r || said == -EINTR)
		return r;
	if (deadline->kind == IPCKIT_DEADLINE_NONE) {
		/* A process that has the description from this one has set its flag. */
		mq->no_wait = true;
		return set_waiting(mq, true);
	}
	r = sys_poll(mq->id, events, &left);
	return r < 0 && r != -EINTR ? r : 0;
}

/* The descriptor was opened for what the permissions gave. */
static int denied(int r)
{
	return r == -EBADF ? -EACCES : r;
}

static int posix_send(struct ipckit_mq *mq, const struct ipckit_mq_message *message, size_t size,
		      const struct ipckit_deadline *deadline)
{
	int r = set_waiting(mq, deadline->kind == IPCKIT_DEADLINE_NONE);

	while (!r) {
		r = sys_mq_send(mq->id, message->data, size, (unsigned)message->rank);
		if (r != -EAGAIN && r != -EINTR)
			return denied(r);
		r = wait_ready(mq, r, POLLOUT, deadline);
	}
	return r;
}

/*
 * The kernel writes the priority right into the rank, of which it fills the half that
 * counts least: a process killed before the call returns has it there with the data.
 * Before, the rank is made one that no message has.
 */
static unsigned *priority_of(struct ipckit_mq_message *message)
{
	unsigned *halves = (unsigned *)(void *)&message->rank;
	size_t last = sizeof(message->rank) / sizeof(*halves) - 1;

	message->rank = (long)UINT_MAX;
	return halves + (__BYTE_ORDER == __LITTLE_ENDIAN ? 0 : last);
}

static ssize_t receive(struct ipckit_mq *mq, void *data, size_t room, unsigned *priority,
		       const struct ipckit_deadline *deadline)
{
	ssize_t n = set_waiting(mq, deadline->kind == IPCKIT_DEADLINE_NONE);

	while (!n) {
		n = sys_mq_receive(mq->id, data, room, priority);
		if (n != -EAGAIN && n != -EINTR)
			return denied((int)n);
		n = wait_ready(mq, (int)n, POLLIN, deadline);
	}
	return n;
}

/* Room for a message as it is before it is cut. */
static int make_whole(struct ipckit_mq *mq)
{
	struct mq_attr attr;
	int r;

	if (mq->whole)
		return 0;
	r = sys_mq_getattr(mq->id, &attr);
	if (r)
		return r;
	mq->whole = malloc((size_t)attr.mq_msgsize);
	if (!mq->whole)
		return -ENOMEM;
	mq->msgsize = attr.mq_msgsize;
	return 0;
}

/* Through memory of the handle's own, where a message may be larger than there is room. */
static ssize_t receive_cut(struct ipckit_mq *mq, struct ipckit_mq_message *message, size_t room,
			   const struct ipckit_deadline *deadline)
{
	unsigned priority = 0;
	ssize_t n = make_whole(mq);

	if (n)
		return n;
	if (room >= (size_t)mq->msgsize)
		return receive(mq, message->data, room, priority_of(message), deadline);
	n = receive(mq, mq->whole, (size_t)mq->msgsize, &priority, deadline);
	if (n < 0)
		return n;
	if ((size_t)n > room)
		n = (ssize_t)room;
	memcpy(message->data, mq->whole, (size_t)n);
	message->rank = (long)priority;
	return n;
}

static int posix_receive(struct ipckit_mq *mq, const struct ipckit_mq_select *select,
			 struct ipckit_mq_message *message, size_t room, bool truncate, size_t *size,
			 const struct ipckit_deadline *deadline)
{
	ssize_t n;

	if (select->which != IPCKIT_MQ_FIRST)
		return -EOPNOTSUPP;
	if (truncate && mq->whole)
		n = receive_cut(mq, message, room, deadline);
	else
		n = receive(mq, message->data, room, priority_of(message), deadline);
	/* The kernel says so at once, whether there is a message or not. */
	if (n == -EMSGSIZE && truncate)
		n = receive_cut(mq, message, room, deadline);
	if (n < 0)
		return (int)n;
	*size = (size_t)n;
	return 0;
}

static int posix_wait(struct ipckit_mq *mq, const struct ipckit_deadline *deadline)
{
	const struct timespec now = { 0 };
	struct timespec left;
	int r = sys_poll(mq->id, POLLIN, &now);

	while (r == 0 || r == -EINTR) {
		r = ipckit_deadline_left(deadline, &left);
		if (r)
			return r;
		r = sys_poll(mq->id, POLLIN, deadline->kind == IPCKIT_DEADLINE_NONE ? NULL : &left);
	}
	return r > 0 ? 0 : r;
}

/* ---- the object ---- */

static int change_fd(int fd, const struct ipckit_mq_change *change)
{
	int r = change->mode ? sys_result(fchmod(fd, *change->mode)) : 0;

	if (r || (change->uid == (uid_t)-1 && change->gid == (gid_t)-1))
		return r;
	return sys_result(fchown(fd, change->uid, change->gid));
}

/* Another namespace's queue may have the same name. */
static bool is_own_mount(void)
{
	struct mq_mount mount;
	bool own;

	if (mq_mount_open(&mount))
		return false;
	own = !mq_mount_ask_kernel(&mount) && mount.owner != MQ_MOUNT_FOREIGN;
	mq_mount_close(&mount);
	return own;
}

/*
 * An owner who has taken the rights from himself cannot open his queue, but change its
 * file where that is mounted. Of which namespace that is, only a privileged caller can
 * find out so; for others it is taken for their own.
 */
static int change_file(const struct ipckit_name *name, const struct ipckit_mq_change *change)
{
	char path[MQ_PATH_MAX];
	int r;

	if (!is_own_mount())
		return -EACCES;
	if ((size_t)snprintf(path, sizeof(path), MQ_DIRECTORY "%s", name->text) >= sizeof(path))
		return -ENAMETOOLONG;
	r = change->mode ? regular_chmod(path, *change->mode) : 0;
	if (r || (change->uid == (uid_t)-1 && change->gid == (gid_t)-1))
		return r;
	return regular_chown(path, change->uid, change->gid);
}

static int posix_set(const struct ipckit_name *name, const struct ipckit_mq_change *change)
{
	int fd = mq_posix_look_fd(name);
	int r;

	if (fd == -EACCES)
		return change_file(name, change);
	if (fd < 0)
		return fd;
	r = change_fd(fd, change);
	close(fd);
	return r;
}

static int posix_remove(const struct ipckit_name *name)
{
	return sys_mq_unlink(name->text);
}

const struct mq_ops mq_posix_ops = {
	.name = "posix",
	.open = posix_open,
	.create = posix_create,
	.close = posix_close,
	.state = posix_state,
	.send = posix_send,
	.receive = posix_receive,
	.wait = posix_wait,
	.notify = mq_posix_notify,
	.set = posix_set,
	.remove = posix_remove,
	.rank_min = 0,
	.rank_max = IPCKIT_MQ_PRIORITY_MAX,
};
