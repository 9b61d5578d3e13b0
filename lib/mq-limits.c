/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "limit.h"
#include "mq-backend.h"
#include "sys.h"

#include <stdlib.h>
#include <sys/resource.h>

/* What the kernel lets nobody pass, and what it takes where nothing is said (its ipc_namespace.h). */
#define HARD_MSGMAX 65536
#define HARD_MSGSIZEMAX (16 * 1024 * 1024)
#define DFLT_MSG 10
#define DFLT_MSGSIZE 8192
#define LIMITS 12

static int64_t default_of(const char *path, const char *most, int64_t otherwise)
{
	struct ipckit_maybe value = limit_sysctl(path), max = limit_sysctl(most);

	if (!value.known)
		return otherwise;
	return max.known && max.value < value.value ? max.value : value.value;
}

void mq_posix_complete(struct ipckit_mq_spec *spec)
{
	if (!spec->maxmsg)
		spec->maxmsg = default_of("fs/mqueue/msg_default", "fs/mqueue/msg_max", DFLT_MSG);
	if (!spec->msgsize)
		spec->msgsize = default_of("fs/mqueue/msgsize_default", "fs/mqueue/msgsize_max", DFLT_MSGSIZE);
}

/* ---- use ---- */

/* What RLIMIT_MSGQUEUE counts, see getrlimit(2): the bytes of the messages, and for each the kernel's
 * struct msg_msg and a node for its priority, of 48 bytes each on 64 bits. */
static struct ipckit_maybe charge(int64_t maxmsg, int64_t msgsize)
{
	const int64_t node = 6 * (int64_t)sizeof(long);
	int64_t nodes = maxmsg < IPCKIT_MQ_PRIORITY_MAX + 1 ? maxmsg : IPCKIT_MQ_PRIORITY_MAX + 1;
	int64_t bytes;

	if (__builtin_add_overflow(msgsize, node, &bytes) || __builtin_mul_overflow(bytes, maxmsg, &bytes) ||
	    __builtin_add_overflow(bytes, nodes * node, &bytes))
		return ipckit_unknown();
	return ipckit_known(bytes);
}

struct use {
	struct ipckit_maybe queues, bytes; /* POSIX: all; of this user */
	struct ipckit_maybe sysv;
};

static void count(const struct ipckit_mq_info *info, struct use *use)
{
	struct ipckit_maybe bytes;

	if (info->backend != IPCKIT_MQ_POSIX) {
		use->sysv.value++;
		return;
	}
	use->queues.value++;
	if (!info->uid.known || info->uid.value != getuid() || !info->maxmsg.known || !info->msgsize.known)
		return;
	bytes = charge(info->maxmsg.value, info->msgsize.value);
	if (bytes.known)
		use->bytes.value += bytes.value;
}

/* What cannot be told is unknown. */
static int look_at_use(struct use *use)
{
	struct ipckit_mq_list list = { 0 };
	int r = ipckit_mq_list(0, &list);

	*use = (struct use){ 0 };
	if (r)
		return r;
	use->queues.known = use->bytes.known = !list.posix_error;
	use->sysv.known = !list.sysv_error;
	for (size_t i = 0; i < list.count; i++)
		count(&list.list[i], use);
	ipckit_mq_list_free(&list);
	return 0;
}

/* ---- each of them ---- */

static struct ipckit_limit rlimit_msgqueue(const struct use *use)
{
	struct ipckit_limit out = limit_make("RLIMIT_MSGQUEUE", limit_soft(RLIMIT_MSGQUEUE), "bytes",
					     "memory of the POSIX queues of one user (ulimit -q)");

	out.used = use->bytes;
	out.estimate = true; /* queues that were removed and are still open are counted by the kernel */
	return out;
}

static struct ipckit_limit queues_max(const struct use *use)
{
	struct ipckit_limit out = limit_make("fs.mqueue.queues_max", limit_sysctl("fs/mqueue/queues_max"),
					     "queues", "POSIX queues in this IPC namespace, but for privileged "
					     "processes");

	out.used = use->queues;
	return out;
}

static struct ipckit_limit msg_max(void)
{
	return limit_make("fs.mqueue.msg_max", limit_sysctl("fs/mqueue/msg_max"), "messages",
			  "messages that a POSIX queue may be made for, but by privileged processes");
}

static struct ipckit_limit msgsize_max(void)
{
	return limit_make("fs.mqueue.msgsize_max", limit_sysctl("fs/mqueue/msgsize_max"), "bytes",
			  "size of messages that a POSIX queue may be made for, but by privileged processes");
}

static struct ipckit_limit hard_msgmax(void)
{
	return limit_make("HARD_MSGMAX", ipckit_known(HARD_MSGMAX), "messages",
			  "messages that privileged processes may make a POSIX queue for");
}

static struct ipckit_limit hard_msgsizemax(void)
{
	return limit_make("HARD_MSGSIZEMAX", ipckit_known(HARD_MSGSIZEMAX), "bytes",
			  "size of messages that privileged processes may make a POSIX queue for");
}

static struct ipckit_limit msgmni(const struct use *use)
{
	struct ipckit_limit out = limit_make("kernel.msgmni", limit_sysctl("kernel/msgmni"), "queues",
					     "System V queues in this IPC namespace");
	struct msginfo info;

	out.used = sys_msginfo(MSG_INFO, &info) < 0 ? use->sysv : ipckit_known(info.msgpool);
	return out;
}

static struct ipckit_limit msgmax(void)
{
	return limit_make("kernel.msgmax", limit_sysctl("kernel/msgmax"), "bytes", "size of a System V message");
}

static struct ipckit_limit msgmnb(void)
{
	return limit_make("kernel.msgmnb", limit_sysctl("kernel/msgmnb"), "bytes",
			  "qbytes that a System V queue gets, and may be given by unprivileged processes");
}

static struct ipckit_limit qbytes_max(void)
{
	return limit_make("INT_MAX", ipckit_known(INT_MAX), "bytes", "qbytes that the kernel can take");
}

int ipckit_mq_limits(struct ipckit_limits *out)
{
	struct ipckit_limit *list;
	struct use use;
	size_t n = 0;

	if (look_at_use(&use) == -ENOMEM)
		return -ENOMEM;
	list = calloc(LIMITS, sizeof(*list));
	if (!list)
		return -ENOMEM;
	list[n++] = rlimit_msgqueue(&use);
	list[n++] = queues_max(&use);
	list[n++] = msg_max();
	list[n++] = limit_make("fs.mqueue.msg_default", limit_sysctl("fs/mqueue/msg_default"), "messages",
			       "messages that a POSIX queue is made for where nothing is said");
	list[n++] = msgsize_max();
	list[n++] = limit_make("fs.mqueue.msgsize_default", limit_sysctl("fs/mqueue/msgsize_default"),
			       "bytes", "size of messages that a POSIX queue is made for where nothing is said");
	list[n++] = hard_msgmax();
	list[n++] = hard_msgsizemax();
	list[n++] = msgmni(&use);
	list[n++] = msgmax();
	list[n++] = msgmnb();
	*out = (struct ipckit_limits){ .list = list, .count = n };
	return 0;
}

/* ---- which one was hit ---- */

/* No descriptor is left, rather than no memory for queues. */
static bool lacks_descriptors(void)
{
	int fd = sys_openat(AT_FDCWD, "/", O_PATH, 0);

	if (fd >= 0)
		close(fd);
	return fd == -EMFILE;
}

static int hit_memory(const struct ipckit_mq_spec *spec, struct ipckit_limit *out)
{
	struct ipckit_mq_spec full = *spec;
	struct use use;

	if (lacks_descriptors())
		return -ENOENT;
	mq_posix_complete(&full);
	(void)look_at_use(&use);
	return limit_hit(rlimit_msgqueue(&use), charge(full.maxmsg, full.msgsize), out);
}

/* Of two limits the one that this process is held to: root is thought to be privileged. */
static int hit_either(struct ipckit_limit soft, struct ipckit_limit hard, int64_t wanted,
		      struct ipckit_limit *out)
{
	if (geteuid() == 0 && limit_is_beyond(&hard, wanted))
		return limit_hit(hard, ipckit_known(wanted), out);
	if (limit_is_beyond(&soft, wanted))
		return limit_hit(soft, ipckit_known(wanted), out);
	return limit_is_beyond(&hard, wanted) ? limit_hit(hard, ipckit_known(wanted), out) : -ENOENT;
}

static int hit_geometry(const struct ipckit_mq_spec *spec, struct ipckit_limit *out)
{
	int r = hit_either(msg_max(), hard_msgmax(), spec->maxmsg, out);

	return r ? hit_either(msgsize_max(), hard_msgsizemax(), spec->msgsize, out) : 0;
}

static int hit_posix(int error, const struct ipckit_mq_spec *spec, struct ipckit_limit *out)
{
	struct use use;

	if (!spec)
		return -ENOENT;
	switch (error) {
	case EMFILE:
		return hit_memory(spec, out);
	case EINVAL:
		return hit_geometry(spec, out);
	case ENOSPC:
		(void)look_at_use(&use);
		return limit_hit(queues_max(&use), ipckit_unknown(), out);
	}
	return -ENOENT;
}

static int hit_qbytes(int64_t wanted, struct ipckit_limit *out)
{
	struct ipckit_limit most = msgmnb();

	if (wanted > INT_MAX)
		return limit_hit(qbytes_max(), ipckit_known(wanted), out);
	return limit_is_beyond(&most, wanted) ? limit_hit(most, ipckit_known(wanted), out) : -ENOENT;
}

static int hit_sysv(int error, const struct ipckit_mq_wanted *wanted, struct ipckit_limit *out)
{
	struct use use = { 0 };

	if (error == ENOSPC && wanted->spec)
		return limit_hit(msgmni(&use), ipckit_unknown(), out);
	if (error != EPERM)
		return -ENOENT;
	if (wanted->qbytes)
		return hit_qbytes(*wanted->qbytes, out);
	return wanted->spec ? hit_qbytes(wanted->spec->qbytes, out) : -ENOENT;
}

/* Of a message that is too large for its queue. */
static int hit_size(struct ipckit_mq *mq, uint64_t size, struct ipckit_limit *out)
{
	struct ipckit_maybe needed = size && size <= INT64_MAX ? ipckit_known((int64_t)size) : ipckit_unknown();
	struct ipckit_limit message = msgmax(), queue;
	struct ipckit_mq_state state;

	if (mq->backend == IPCKIT_MQ_SYSV && needed.known && limit_is_beyond(&message, needed.value))
		return limit_hit(message, needed, out);
	if (ipckit_mq_state(mq, &state))
		return -ENOENT;
	/* Without a size it was a copy that failed, for which qbytes does not matter, or an empty message. */
	if (mq->backend == IPCKIT_MQ_SYSV && !size && state.qbytes)
		return limit_hit(message, needed, out);
	if (mq->backend == IPCKIT_MQ_POSIX) {
		queue = limit_make("msgsize", ipckit_known(state.msgsize), "bytes",
				   "size of a message in this queue");
		return limit_hit(queue, needed, out);
	}
	queue = limit_make("qbytes", ipckit_known(state.qbytes), "bytes", "bytes of all messages in this queue");
	queue.used = ipckit_known(state.bytes);
	return limit_hit(queue, needed, out);
}

int ipckit_mq_limit_hit(enum ipckit_mq_backend backend, int error, struct ipckit_mq *mq,
			const struct ipckit_mq_wanted *wanted, struct ipckit_limit *out)
{
	int r;

	if (error == EMSGSIZE)
		return mq ? hit_size(mq, wanted->size, out) : -ENOENT;
	r = backend == IPCKIT_MQ_POSIX ? hit_posix(error, wanted->spec, out) : hit_sysv(error, wanted, out);
	if (r != -ENOENT)
		return r;
	/* -EAGAIN is no limit here. */
	return error == EMFILE || error == ENFILE || error == ENOMEM ? ipckit_limit_of_process(error, out) : r;
}
