/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_LIVE_H
#define IPCKIT_LIVE_H

/*
 * Deadlocks among running processes, from /proc alone: nothing is stopped, traced or changed.
 *
 * A node is a thread, or a process, which can act as long as one of its threads can. An edge says what a thread
 * waits for: all of the nodes that hold it, or any one of those that could end the wait. Who runs, or waits for
 * what is not known or may come from outside, can act; who can never be let go by one that can act is stuck.
 */

#include <ipckit/deadlock.h>
#include <ipckit/waiters.h>

/* How sure a wait is, the surest first. */
enum ipckit_live_level {
	IPCKIT_LIVE_CERTAIN,  /* what it waits for is held by these, and by nobody else */
	IPCKIT_LIVE_TIMED,    /* the wait has a limit */
	IPCKIT_LIVE_INFERRED, /* others may end it, whom nothing shows */
};

/* How it waits. */
enum ipckit_live_kind {
	IPCKIT_LIVE_MEMBERS, /* not at all: a process, which can act as long as one of its threads can */
	IPCKIT_LIVE_FUTEX, /* a word of which no more is known */
	IPCKIT_LIVE_MUTEX,
	IPCKIT_LIVE_ROBUST_MUTEX,
	IPCKIT_LIVE_PI_MUTEX,
	IPCKIT_LIVE_CONDITION,
	IPCKIT_LIVE_SEMAPHORE,
	IPCKIT_LIVE_RWLOCK, /* it is not told which way */
	IPCKIT_LIVE_RWLOCK_READ,
	IPCKIT_LIVE_RWLOCK_WRITE,
	IPCKIT_LIVE_JOIN, /* the end of a thread */
	IPCKIT_LIVE_STDIO, /* the lock of a stream */
	IPCKIT_LIVE_STATIC_INIT, /* a static object that another thread initializes */
	IPCKIT_LIVE_ONCE, /* pthread_once(3), std::call_once */
	IPCKIT_LIVE_FLOCK,
	IPCKIT_LIVE_POSIX_LOCK,
	IPCKIT_LIVE_OFD_LOCK,
	IPCKIT_LIVE_CHILD, /* wait(2) */
	IPCKIT_LIVE_PIDFD, /* the end of a process by its descriptor */
	IPCKIT_LIVE_POLL, /* poll(2), select(2), epoll_wait(2) */
	IPCKIT_LIVE_EVENTFD_READ,
	IPCKIT_LIVE_EVENTFD_WRITE,
	IPCKIT_LIVE_PIPE_READ,
	IPCKIT_LIVE_PIPE_WRITE,
	IPCKIT_LIVE_SOCKET_READ,
	IPCKIT_LIVE_SOCKET_WRITE,
	IPCKIT_LIVE_MQ_SEND, /* POSIX */
	IPCKIT_LIVE_MQ_RECEIVE,
	IPCKIT_LIVE_MESSAGE_SEND, /* System V */
	IPCKIT_LIVE_MESSAGE_RECEIVE,
	IPCKIT_LIVE_SYSV_SEMAPHORE,
};
/* "mutex", "rwlock-read", "mq-send"; NULL for IPCKIT_LIVE_MEMBERS. Static. */
const char *ipckit_live_kind_name(enum ipckit_live_kind kind);

/* What texts point to is freed with the result. */
struct ipckit_live_node {
	pid_t pid, tid;            /* tid 0: the process */
	bool acts;                 /* whatever its edges say: it ran, is traced, or its wait is not known */
	struct ipckit_maybe uid;   /* effective */
	const char *name;          /* the thread's, or that of the process (comm); NULL: not known */
	const char *command;       /* NULL: not known */
	struct ipckit_maybe since; /* threads among the first 256 nodes: Unix seconds when it last ran, about */
};

/* A wait. Of several of one waiter any one ends the wait, and each is then one of `any`. */
struct ipckit_live_edge {
	uint32_t waiter;      /* node */
	enum ipckit_live_kind kind;
	const char *resource; /* "mutex 0x7f1c", "/dev/shm/jobs@64", "pipe:[4711]", "process 12" */
	const char *mode;     /* "read", "write", "exclusive", "shared", or NULL; static */
	uint32_t *holders;    /* nodes, ascending */
	size_t nholders;      /* 0: nobody, for ever (an orphan) */
	bool any;             /* any one of them can end the wait; else all have to */
	uint32_t *owners;     /* those of them that are known to have it now, ascending; none: that is not known */
	size_t nowners;
	enum ipckit_live_level level;
	const char *reason;   /* why it is not CERTAIN, or NULL; static */
};

/*
 * What was found. Node n is process n of the system, in which an edge asks for the end of those who hold it. Where
 * nobody is stuck, and not everything was asked for, all of it is empty.
 */
struct ipckit_live {
	struct ipckit_live_node *nodes; /* those that are stuck; by pid, tid */
	size_t nnodes;
	struct ipckit_live_edge *edges; /* by waiter */
	size_t nedges;
	struct ipckit_system system;
	struct ipckit_detection detection; /* dead: waited for, or waiting for nobody; behind: the others */
	struct ipckit_core core;        /* the knots, the surest first; none that shares nodes with a surer one */
	enum ipckit_live_level *levels; /* by component of the core: the weakest wait that it takes */
	struct ipckit_cycle cycle;      /* a shortest one in those of the first one's level */
	int64_t processes, threads;     /* that were looked at */
	struct ipckit_maybe unreadable_processes; /* that may not be looked at, entirely or in part */
	bool other_pids;                /* there may be processes in PID namespaces that are not seen */
	struct ipckit_texts texts;
};

/* What is told; nothing set: all that is stuck. */
struct ipckit_live_options {
	const pid_t *pids;       /* only what is stuck of these processes, and what that waits for; NULL: of all */
	size_t npids;
	struct ipckit_maybe uid; /* the same by effective user */
	bool everything;         /* all nodes that wait or are waited for, stuck or not */
};

/*
 * Looks for deadlocks: once at all threads; where some are stuck, once more, and who ran between is not. Where that
 * leaves nobody, up to two times again: threads that look about now and then run at such moments.
 *
 * options: NULL: none. out: freed with ipckit_live_free(); one that is all zero may be, too. Does not block. To
 * learn how long threads have waited the calling thread goes to their processors for a moment, and back. Needs for
 * processes of others what ptrace(2) needs (PTRACE_MODE_ATTACH_FSCREDS); those it may not look at are counted, and
 * make what rests on them INFERRED. Errors: -ESRCH (no process has any of the pids), -EOPNOTSUPP (the kernel does
 * not tell when threads run: no schedstat), -ENOENT (nor what they wait in), -ENOMEM, -EMFILE, -ENFILE, -errno of
 * /proc. Rests on proc(5), sched_setaffinity(2).
 */
IPCKIT_CHECK int ipckit_live_scan(const struct ipckit_live_options *options, struct ipckit_live *out);
void ipckit_live_free(struct ipckit_live *live);

#endif
