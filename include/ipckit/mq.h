/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_MQ_H
#define IPCKIT_MQ_H

/*
 * Message queues, POSIX and System V, behind one handle.
 *
 * Beside the errors named at a function, all of them pass on what the system
 * calls of the backend say: -EACCES or -EPERM (permission), -ENOENT (no such
 * queue), -EMFILE, -ENFILE, -ENOMEM (limits), -EOPNOTSUPP (the backend cannot do
 * it), -ENOSYS (the kernel cannot), and:
 *   -EIDRM       the queue was removed while it was used (System V)
 *   -EBADMSG     what stands under the name is not a queue
 * Handles are not thread-safe; different handles on one queue are.
 */

#include <ipckit/base.h>
#include <ipckit/deadline.h>
#include <ipckit/limit.h>
#include <ipckit/name.h>
#include <ipckit/process.h>
#include <limits.h>

enum ipckit_mq_backend {
	IPCKIT_MQ_POSIX, /* mq_overview(7) */
	IPCKIT_MQ_SYSV,  /* msgget(2) */
};

/* What ipckit_name_parse() accepts for queues; `private` is added by who takes it. */
#define IPCKIT_MQ_NAMES (IPCKIT_TAKES(IPCKIT_NAME_POSIX) | IPCKIT_TAKES_SYSV)

#define IPCKIT_MQ_PRIORITY_MAX 32767 /* POSIX; the least is 0 */
#define IPCKIT_MQ_TYPE_MAX LONG_MAX  /* System V; the least is 1 */

struct ipckit_mq;

/*
 * A message, as the kernel takes and gives it (struct msgbuf of msgop(2)): what
 * ranks it, and its bytes, of which the calls get and give the number.
 */
struct ipckit_mq_message {
	long rank; /* POSIX: priority, 0 to 32767; System V: type, 1 to LONG_MAX */
	char data[];
};

/* ---- opening ---- */

/* Flags of ipckit_mq_open(): what is wanted. None of them: only to look at the queue. */
#define IPCKIT_MQ_SEND 1u
#define IPCKIT_MQ_RECEIVE 2u

/*
 * Opens an existing queue.
 *
 * access: of IPCKIT_MQ_SEND and IPCKIT_MQ_RECEIVE. Of a System V queue that has no key
 * the rights are asked for when it is used. name: not needed after the call. out: closed with ipckit_mq_close().
 * Does not block. Rests on mq_open(3), msgget(2).
 */
IPCKIT_CHECK int ipckit_mq_open(const struct ipckit_name *name, unsigned access, struct ipckit_mq **out);

struct ipckit_mq_spec {
	int64_t maxmsg;  /* POSIX: messages that it holds; 0: the kernel's msg_default */
	int64_t msgsize; /* POSIX: bytes of a message; 0: the kernel's msgsize_default */
	int64_t qbytes;  /* System V: bytes that it holds; 0: the kernel's msgmnb */
	unsigned mode;   /* permission bits, set as they are: no umask */
	bool exclusive;  /* -EEXIST where there is one */
};

/*
 * Makes a queue, or opens what exists for sending and receiving and leaves it alone.
 *
 * POSIX: made under 0600 less the umask and given its mode by fchmod(2) right
 * after. System V: a qbytes other than the kernel's is set by msgctl(2) right
 * after; should that fail the queue is removed again.
 *
 * created: whether this call made it. out: closed with ipckit_mq_close().
 * Errors: -EEXIST; -EINVAL (a geometry that the kernel refuses: see
 * ipckit_mq_limit_hit()); -EBADMSG (there is a POSIX queue of another geometry than
 * the one asked for, or a System V queue of another qbytes); -EMFILE
 * (RLIMIT_MSGQUEUE or RLIMIT_NOFILE); -ENOSPC (queues_max, msgmni); -EPERM (qbytes
 * beyond msgmnb). Rests on mq_open(3), msgget(2), msgctl(2).
 */
IPCKIT_CHECK int ipckit_mq_create(const struct ipckit_name *name, const struct ipckit_mq_spec *spec,
				  bool *created, struct ipckit_mq **out);

/* Closes a handle. NULL is nothing. */
void ipckit_mq_close(struct ipckit_mq *mq);

/* The backend that a name stands for, and that behind a handle. */
enum ipckit_mq_backend ipckit_mq_backend_of(const struct ipckit_name *name);
enum ipckit_mq_backend ipckit_mq_backend(const struct ipckit_mq *mq);

/* The word for a backend: "posix", "sysv". Static. */
const char *ipckit_mq_backend_name(enum ipckit_mq_backend backend);

/* The identifier of a System V queue; of a POSIX one the descriptor, which the handle owns. */
int ipckit_mq_id(const struct ipckit_mq *mq);

/*
 * Tells whether the queue is still there: what is sent to a POSIX queue that was removed is
 * received by those alone who have it open. Does not block.
 * Returns 0, or -EIDRM. System V: 0, since each call on it says so.
 */
IPCKIT_CHECK int ipckit_mq_check(const struct ipckit_mq *mq);

/* Whether two handles are of one queue, under whatever names. */
bool ipckit_mq_same(const struct ipckit_mq *a, const struct ipckit_mq *b);

struct ipckit_mq_state {
	int64_t maxmsg, msgsize; /* POSIX; 0 on System V */
	int64_t qbytes;          /* System V; 0 on POSIX */
	int64_t messages;        /* that are in it now */
	int64_t bytes;           /* System V: of all of them; 0 on POSIX */
	int64_t size_max;        /* bytes of the largest message that can be sent: msgsize, or the
				  * lesser of kernel.msgmax and qbytes */
};

/* What a queue takes and holds. Does not block. Rests on mq_getattr(3), msgctl(2) (MSG_STAT_ANY where
 * a System V queue may not be read). */
IPCKIT_CHECK int ipckit_mq_state(struct ipckit_mq *mq, struct ipckit_mq_state *out);

/* ---- messages ---- */

/*
 * Sends a message.
 *
 * message: rank and size bytes. Blocks while the queue is full, until the deadline.
 * Nothing was sent when the call fails.
 * POSIX: untimed in mq_send(3), else by ppoll(2) on CLOCK_MONOTONIC, which
 * mq_timedsend(3) does not count on. System V: in msgsnd(2), which cannot be timed:
 * a finite deadline needs deadline->stop and a signal at its time, see
 * struct ipckit_deadline; without stop the queue is looked at every 1 to 20 ms.
 * A sender that waits in msgsnd(2) while qbytes is set below its message's size goes on
 * waiting. Handlers of signals that are to end an untimed call must not have SA_RESTART,
 * under which the kernel goes on with mq_send(3) and mq_receive(3), see signal(7).
 *
 * Errors: -EAGAIN, -ETIMEDOUT, -EINTR (see ipckit_deadline), -EIDRM; -EMSGSIZE (larger
 * than state.size_max: on System V this is looked at first, since the kernel would
 * block for ever on more than qbytes); -EINVAL (a rank out of range).
 */
IPCKIT_CHECK int ipckit_mq_send(struct ipckit_mq *mq, const struct ipckit_mq_message *message, size_t size,
				const struct ipckit_deadline *deadline);

/* Which message is received. */
enum ipckit_mq_which {
	IPCKIT_MQ_FIRST,  /* POSIX: the oldest of the highest priority; System V: the oldest */
	IPCKIT_MQ_TYPE,   /* System V, and so are the others: the oldest of a type */
	IPCKIT_MQ_UP_TO,  /* the oldest of the lowest type that is not above a type */
	IPCKIT_MQ_EXCEPT, /* the oldest of another type (MSG_EXCEPT) */
};

struct ipckit_mq_select {
	enum ipckit_mq_which which;
	long type; /* 1 to LONG_MAX; not for IPCKIT_MQ_FIRST */
};

/*
 * Receives a message and removes it from the queue.
 *
 * select: NULL for IPCKIT_MQ_FIRST. room: bytes that fit into message->data.
 * truncate: cut what is larger than room (MSG_NOERROR) instead of leaving it. size: gets the bytes
 * received. Blocks while there is none, as ipckit_mq_send() does. When the call
 * fails nothing was received. POSIX, with room below msgsize: truncate receives into memory of the
 * handle's own first; without it the call fails, since the kernel gives a message only whole.
 *
 * The kernel writes rank and data into message before the call returns: a process
 * that is killed in between leaves them there (see ipckit_journal), but for what POSIX truncates. Before,
 * rank is set to one that no message has: 0 on System V, (long)UINT_MAX on POSIX.
 *
 * Errors: -EAGAIN, -ETIMEDOUT, -EINTR, -EIDRM; -E2BIG (System V: the message is larger than room
 * and stays); -EMSGSIZE (POSIX: room is less than msgsize); -EOPNOTSUPP (POSIX and not
 * IPCKIT_MQ_FIRST); -EINVAL (a type out of range). Rests on mq_receive(3), msgrcv(2), ppoll(2).
 */
IPCKIT_CHECK int ipckit_mq_receive(struct ipckit_mq *mq, const struct ipckit_mq_select *select,
				   struct ipckit_mq_message *message, size_t room, bool truncate, size_t *size,
				   const struct ipckit_deadline *deadline);

/*
 * Copies a message without removing it (System V; elsewhere -EOPNOTSUPP).
 *
 * index: 0 is the oldest. Does not block.
 * Errors: -ENOMSG (there are not so many), -E2BIG (larger than room), -ENOSYS (a kernel without
 * CONFIG_CHECKPOINT_RESTORE), -EIDRM. Rests on msgrcv(2), MSG_COPY.
 */
IPCKIT_CHECK int ipckit_mq_peek(struct ipckit_mq *mq, size_t index, struct ipckit_mq_message *message,
				size_t room, size_t *size);

/*
 * Waits until there are messages, and takes none.
 *
 * messages: at least 1. POSIX: one is waited for by ppoll(2); several, and on System V
 * any number, by looking every 1 to 20 ms. A message that comes and is taken by
 * somebody else in between may go unseen.
 * Errors: -EAGAIN, -ETIMEDOUT, -EINTR, -EIDRM; -ERANGE (more than maxmsg, so that they never can be there).
 */
IPCKIT_CHECK int ipckit_mq_wait(struct ipckit_mq *mq, int64_t messages, const struct ipckit_deadline *deadline);

/*
 * Waits for the kernel's notification that a message came to an empty queue (POSIX; elsewhere
 * -EOPNOTSUPP). Returns at once where the queue is not empty.
 *
 * The process is the queue's registered one meanwhile, of which there is at most one, and blocks
 * SIGRTMIN+1, by which it is told, in the calling thread. sender: gets the pid of the sender, unknown
 * where the queue was not empty or the sender is of another PID namespace.
 * Errors: -EBUSY (another process is registered), -EAGAIN, -ETIMEDOUT, -EINTR. Rests on mq_notify(3), sigtimedwait(2).
 */
IPCKIT_CHECK int ipckit_mq_notify(struct ipckit_mq *mq, const struct ipckit_deadline *deadline,
				  struct ipckit_maybe *sender);

/* ---- the object ---- */

struct ipckit_mq_change {
	const unsigned *mode;  /* NULL: left as it is, and so below */
	const int64_t *qbytes; /* System V only */
	uid_t uid;             /* (uid_t)-1 */
	gid_t gid;             /* (gid_t)-1 */
};

/* Changes a queue in one step (POSIX: mode and owner are two). Errors: -EPERM (qbytes beyond msgmnb, or
 * not the owner). Rests on fchmod(2), fchown(2), msgctl(2) IPC_SET. */
IPCKIT_CHECK int ipckit_mq_set(const struct ipckit_name *name, const struct ipckit_mq_change *change);

/* Removes the queue of a name: System V users get -EIDRM, a POSIX one lives on until its users
 * close it. Rests on mq_unlink(3), msgctl(2). */
IPCKIT_CHECK int ipckit_mq_remove(const struct ipckit_name *name);

/* ---- looking ---- */

enum ipckit_mq_notification {
	IPCKIT_MQ_NOTIFY_NONE,   /* nobody is registered */
	IPCKIT_MQ_NOTIFY_SIGNAL, /* SIGEV_SIGNAL */
	IPCKIT_MQ_NOTIFY_SILENT, /* SIGEV_NONE: registered, and told nothing */
	IPCKIT_MQ_NOTIFY_THREAD, /* SIGEV_THREAD */
};

struct ipckit_mq_info {
	enum ipckit_mq_backend backend;
	char *name;                          /* "/jobs", "id:7" */
	struct ipckit_maybe key, id;         /* System V */
	struct ipckit_maybe messages;        /* curmsgs, qnum */
	struct ipckit_maybe bytes;           /* of all messages: QSIZE, cbytes */
	struct ipckit_maybe maxmsg, msgsize; /* POSIX */
	struct ipckit_maybe qbytes;          /* System V */
	struct ipckit_maybe notify;          /* POSIX: an ipckit_mq_notification */
	struct ipckit_maybe notify_signal, notify_pid; /* 0: none; unknown: of another PID namespace */
	struct ipckit_maybe lspid, lrpid;    /* System V: last sender and receiver; 0: none */
	struct ipckit_maybe stime, rtime;    /* System V: last send and receipt, Unix seconds; 0: never */
	struct ipckit_maybe ctime;           /* creation or last change */
	struct ipckit_maybe mtime, atime;    /* POSIX: of the queue's file; mtime is the last message's. That it is
					      * looked at here sets atime and ctime, after they were read */
	struct ipckit_maybe mode, uid, gid, cuid, cgid;
	struct ipckit_maybe in_use;          /* POSIX: 1 if anybody anywhere has it open */
	struct ipckit_usage usage;
	struct ipckit_gaps gaps;
	uint64_t device, inode;              /* of the file of a POSIX one */
};

struct ipckit_mq_list {
	struct ipckit_mq_info *list;
	size_t count;
	unsigned left_out; /* entries of the mount that are no queues */
	int posix_error;   /* positive errno where the mount could not be read: ENODEV where it is missing,
			    * EXDEV where it is that of another IPC namespace (of an empty one the kernel
			    * tells that to CAP_SYS_ADMIN alone); else 0 */
	int sysv_error;    /* likewise for /proc/sysvipc/msg */
};

/* How much ipckit_mq_stat() and ipckit_mq_list() look at. */
#define IPCKIT_MQ_USERS 1u  /* fill usage: a walk over /proc */
#define IPCKIT_MQ_IN_USE 2u /* fill in_use, where no user was found: asks the kernel for a lease (fcntl(2)) */

/*
 * Looks at one queue. What may not be read is unknown, with the reason among the gaps.
 *
 * A POSIX queue is looked at through a descriptor of its own, which needs no mount; where it may not be
 * opened, through its entry in /dev/mqueue. out: freed with ipckit_mq_info_free(). Does not block.
 * Errors: -ENOENT, -ENOMEM. Rests on mq_getattr(3), mq_overview(7), proc(5), msgctl(2).
 */
IPCKIT_CHECK int ipckit_mq_stat(const struct ipckit_name *name, unsigned what, struct ipckit_mq_info *out);

/* Frees what ipckit_mq_stat() filled; safe on a zeroed struct. */
void ipckit_mq_info_free(struct ipckit_mq_info *info);

/*
 * Looks at every queue of this IPC namespace: System V from /proc/sysvipc/msg, POSIX from /dev/mqueue.
 * With IPCKIT_MQ_USERS one walk over /proc serves all. A missing mount is no error: it is told in out.
 * out: freed with ipckit_mq_list_free(). Does not block. Errors: -ENOMEM, -EMFILE, -ENFILE.
 */
IPCKIT_CHECK int ipckit_mq_list(unsigned what, struct ipckit_mq_list *out);

/* Frees what ipckit_mq_list() filled; safe on a zeroed struct. */
void ipckit_mq_list_free(struct ipckit_mq_list *list);

/*
 * Judges whether a queue is left over. Pure.
 *
 * info: from a snapshot with IPCKIT_MQ_USERS and IPCKIT_MQ_IN_USE. older_than: nanoseconds that must have passed since the
 * last use that is known; less than 0: not given, which keeps everything. non_empty: whether messages
 * in it are no reason to keep it. now: Unix seconds.
 */
void ipckit_mq_judge(const struct ipckit_mq_info *info, int64_t older_than, bool non_empty, int64_t now,
		     struct ipckit_orphan_verdict *out);

/* ---- limits ---- */

/*
 * Every limit on queues, its value and its use. RLIMIT_MSGQUEUE's use is summed up over the user's
 * queues that can be seen, an estimate.
 *
 * out: freed with ipckit_limits_free(). Does not block. Errors: -ENOMEM.
 * Rests on mq_overview(7), getrlimit(2), proc(5), msgctl(2) (MSG_INFO).
 */
IPCKIT_CHECK int ipckit_mq_limits(struct ipckit_limits *out);

/* What was asked for when a call failed, as far as it matters. */
struct ipckit_mq_wanted {
	const struct ipckit_mq_spec *spec; /* of a creation, else NULL */
	const int64_t *qbytes;             /* of a change, else NULL */
	uint64_t size;                     /* of a message, else 0 */
};

/*
 * Names the limit behind a failure.
 *
 * error: positive errno value that a call on a queue of this backend gave. mq: the queue of the call,
 * or NULL. Returns 0 and fills out, or -ENOENT where no limit explains the error.
 */
IPCKIT_CHECK int ipckit_mq_limit_hit(enum ipckit_mq_backend backend, int error, struct ipckit_mq *mq,
				     const struct ipckit_mq_wanted *wanted, struct ipckit_limit *out);

#endif
