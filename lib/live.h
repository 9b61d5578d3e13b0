/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_LIVE_H
#define LIB_LIVE_H

/*
 * A scan: all threads with the system calls they are in, and the graph that collectors make of that.
 *
 * live-walk.c takes the snapshot and finds threads in it, live-task.c reads what is told of one, live-call.c names
 * its call, live-edges.c keeps the graph, live-graph.c judges it, live.c makes two scans one answer.
 */

#include "proc.h"

#include <ipckit/live.h>

/* ---- the snapshot ---- */

enum live_abi { LIVE_ABI_UNREAD, LIVE_ABI_NATIVE, LIVE_ABI_COMPAT, LIVE_ABI_UNKNOWN };

/* Zombies and kernel threads are none. */
struct live_thread {
	pid_t tid;
	uint32_t process;         /* index */
	uint32_t node;            /* IPCKIT_NONE: none so far */
	bool hidden;              /* its call may not be read */
	bool waits;               /* it has an edge */
	struct proc_syscall call; /* PROC_RUNNING where hidden */
};

struct live_process {
	pid_t pid;
	uint32_t first, nthreads; /* its threads; 0: a zombie, or of the kernel; unless it is hidden */
	uint32_t node;
	bool hidden;              /* may not be looked at, entirely or in part */
	enum live_abi abi;
	/* Of all processes, when live_families() has read them. */
	pid_t parent, tracer, group;
};

/* A node of the graph. */
struct live_point {
	bool process;   /* else a thread */
	bool acts;
	bool told;       /* what follows is known, as far as it ever will be */
	uint32_t index;  /* of it */
	const char *name;
	struct ipckit_maybe uid;
};

/* Signals by which a user ends a program, or it is told of its children: whatever their handlers do, it was not they
 * who were waited for. */
uint64_t live_deaf_to_users(void);
#define LIVE_DEAF_TO_ALL UINT64_MAX

/* How a thread waits, for live_wait(). */
struct live_how {
	enum ipckit_live_kind kind;
	const char *resource, *mode;
	bool any;
	uint64_t deaf; /* signals whose handlers neither end it, nor make come what it waits for: a mask */
	bool open; /* what it waits for has a name, by which others may come: no more than INFERRED. While nobody who
		    * holds it does anything but wait for it the same way, this is an idle worker, and no edge */
	enum ipckit_live_level level;
	const char *reason;
};

struct live_edge {
	struct ipckit_live_edge told;
	uint64_t deaf;
	bool open;
};

struct live_scan {
	int root; /* a directory descriptor of /proc; not closed with the scan */
	bool real; /* it is that, and no tree that stands in for one */
	struct live_thread *threads;    /* by pid, tid */
	size_t nthreads;
	struct live_process *processes; /* by pid */
	size_t nprocesses;
	uint32_t *by_tid;               /* threads */
	int64_t unreadable;             /* processes */
	bool hides;                     /* there are processes that /proc leaves out */
	bool other_pids;                /* there may be some in PID namespaces that are not seen */
	bool families;                  /* have been read */
	bool strangers;                 /* of some processes they may not be read */
	struct live_opens *opens;       /* who has what open; NULL: not asked for yet */
	bool *shared;                   /* by process: others run in its memory; NULL: not asked for yet */
	/* The process that was looked at last. */
	uint32_t open;                  /* IPCKIT_NONE: none */
	int directory, memory;          /* or -errno; memory 0: not opened yet */
	/* The graph. */
	struct live_point *points;
	size_t npoints;
	struct live_edge *edges;
	size_t nedges;
	struct ipckit_texts texts;
};

/* Takes the snapshot. Errors: -ENOMEM, -EMFILE, -ENFILE, -errno of /proc. scan: ended in either case. */
IPCKIT_CHECK int live_scan_begin(int root, struct live_scan *scan);
void live_scan_end(struct live_scan *scan);

/* Index of a thread or process, IPCKIT_NONE where there is none. */
uint32_t live_find_thread(const struct live_scan *scan, pid_t tid);
uint32_t live_find_process(const struct live_scan *scan, pid_t pid);

/*
 * A thread by the id that it has in the PID namespace of a process, as its memory and its calls name it.
 * *out: IPCKIT_NONE where none that is seen has it: it may be gone, see live_is_gone(), or be hidden.
 * Errors: -ENOMEM, -EMFILE, -ENFILE.
 */
IPCKIT_CHECK int live_find_named(struct live_scan *scan, uint32_t process, pid_t tid, uint32_t *out);

/*
 * Whether a process has no thread of that name, now: 1 (or it has ended and is a zombie), 0, -ENOMEM, -EMFILE,
 * -ENFILE. 0 where its threads may not be listed.
 */
IPCKIT_CHECK int live_is_gone(struct live_scan *scan, uint32_t process, pid_t tid);

/* A directory descriptor of a process (where its first thread has ended, of another: there are its maps, descriptors
 * and memory), and one of its memory: -errno where they may not be had. They are the scan's, and good until it is
 * asked for those of another process. */
IPCKIT_CHECK int live_directory(struct live_scan *scan, uint32_t process);
IPCKIT_CHECK int live_memory(struct live_scan *scan, uint32_t process);
/* Reads from it: 0, -EFAULT, or as live_memory(). */
IPCKIT_CHECK int live_read(struct live_scan *scan, uint32_t process, uint64_t address, void *data, size_t size);

/* Parent, tracer and group of all processes. Errors: -ENOMEM, -EMFILE, -ENFILE. */
IPCKIT_CHECK int live_families(struct live_scan *scan);

/* Whether some processes may not be looked at, or are not seen: no set of holders is complete then. */
static inline bool live_is_partial(const struct live_scan *scan)
{
	return scan->unreadable || scan->hides || scan->other_pids;
}

/* ---- live-task.c: a thread ---- */

/* "PID/task/TID/FILE". It is wanted so often that snprintf(3) would take a twentieth of a scan. */
#define LIVE_PATH_ROOM 48
void live_path(char path[LIVE_PATH_ROOM], pid_t pid, pid_t tid, const char *file);

struct live_status {
	char name[64];               /* "": not told */
	char state;
	pid_t parent, tracer, group; /* as the reader sees them, 0: none that it sees */
	pid_t ns_pid;                /* in the innermost PID namespace; 0: not told */
	unsigned ns_depth;           /* 1: that is the reader's */
	uint64_t caught;             /* SigCgt */
	uint64_t threads;
	struct ipckit_maybe uid;
};
IPCKIT_CHECK int live_status_parse(const char *text, struct live_status *out); /* -EBADMSG */
IPCKIT_CHECK int live_status_read(int root, pid_t pid, pid_t tid, struct live_status *out);

/* When a thread ran: both change whenever it does. */
struct live_runs {
	uint64_t time, slices; /* ns on a processor; how often it got there */
};
IPCKIT_CHECK int live_runs_parse(const char *text, struct live_runs *out); /* -EBADMSG: or none are counted */
IPCKIT_CHECK int live_runs_read(int root, pid_t pid, pid_t tid, struct live_runs *out);

/* ---- live-kind.c ---- */

/* What the thing is called of which the address follows: "mutex", "stream lock"; NULL where it is no word. Static. */
const char *live_kind_what(enum ipckit_live_kind kind);
/* Whether it is held, and given back by who has it: not by a handler that happens to come. */
bool live_kind_is_lock(enum ipckit_live_kind kind);

/* ---- live-task.c: signals ---- */

/* Whether a process catches signals whose handlers may let a thread go. */
bool live_catches(uint64_t caught);
/* Whether one of them may be what a program waits for, and not just a user's interrupt. */
bool live_awaits(uint64_t caught);

/* ---- live-call.c: its call, by the ABI of its process ---- */

enum live_call {
	LIVE_CALL_NONE, /* no call, one of which nothing is known here, or of an unknown ABI */
	LIVE_CALL_RESTARTED,
	LIVE_CALL_FUTEX, LIVE_CALL_FUTEX_WAITV, LIVE_CALL_FUTEX_WAIT,
	LIVE_CALL_WAIT4, LIVE_CALL_WAITPID, LIVE_CALL_WAITID,
	LIVE_CALL_FLOCK, LIVE_CALL_FCNTL,
	LIVE_CALL_READ, LIVE_CALL_WRITE, LIVE_CALL_READV, LIVE_CALL_WRITEV,
	LIVE_CALL_SPLICE, LIVE_CALL_TEE, LIVE_CALL_SENDFILE,
	LIVE_CALL_RECVFROM, LIVE_CALL_RECVMSG, LIVE_CALL_SENDTO, LIVE_CALL_SENDMSG, LIVE_CALL_SOCKETCALL,
	LIVE_CALL_POLL, LIVE_CALL_PPOLL, LIVE_CALL_SELECT, LIVE_CALL_PSELECT, LIVE_CALL_EPOLL_WAIT,
	LIVE_CALL_SEMOP, LIVE_CALL_SEMTIMEDOP, LIVE_CALL_IPC,
	LIVE_CALL_MSGSND, LIVE_CALL_MSGRCV, LIVE_CALL_MQ_SEND, LIVE_CALL_MQ_RECEIVE,
};
/* Pure; abi: LIVE_ABI_NATIVE or _COMPAT. */
enum live_call live_call_name(long number, enum live_abi abi);
/* Whether the number is one of these by any ABI: else nothing has to be known of the process. Pure. */
bool live_call_is_wait(long number);
IPCKIT_CHECK int live_call(struct live_scan *scan, uint32_t thread, enum live_call *out); /* as live_families() */

/* ---- live-edges.c: the graph ---- */

/* A text that lives as long as the scan; NULL: no memory. */
const char *live_text(struct live_scan *scan, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Begins an edge of a thread; those that follow are its holders. Returns 0 or -ENOMEM. */
IPCKIT_CHECK int live_wait(struct live_scan *scan, uint32_t thread, const struct live_how *how);
IPCKIT_CHECK int live_held_by_thread(struct live_scan *scan, uint32_t thread);
IPCKIT_CHECK int live_held_by_process(struct live_scan *scan, uint32_t process);
/* One of its holders, any of which could end the wait, is known to have it. */
IPCKIT_CHECK int live_owned_by_process(struct live_scan *scan, uint32_t process);
/* Makes the last edge weaker, if it is not as weak already. reason: static. */
void live_weaken(struct live_scan *scan, enum ipckit_live_level level, const char *reason);

void live_edge_free(struct ipckit_live_edge *edge);
/* Ends the graph: threads of processes that hold become nodes, edges are put in order. Returns 0 or -ENOMEM. */
IPCKIT_CHECK int live_settle(struct live_scan *scan);
/* Keeps of a node what its status says. Returns 0 or -ENOMEM. */
IPCKIT_CHECK int live_note(struct live_scan *scan, uint32_t node, const struct live_status *status);
/* The edges of a node, then, are those from *first up to the returned index. */
size_t live_edges_of(const struct live_scan *scan, uint32_t node, size_t *first);

/* ---- live-graph.c: pure ---- */

struct live_graph {
	uint32_t nnodes;
	const bool *acts;                     /* by node */
	const struct ipckit_live_edge *edges; /* by waiter */
	size_t nedges;
};

/* The system in which nodes whose wait is weaker than `weakest` act. Returns 0 or -ENOMEM. */
IPCKIT_CHECK int live_graph_system(const struct live_graph *graph, enum ipckit_live_level weakest,
				   struct ipckit_system *out);

/* Who is stuck, by node; *any: whether somebody is. stuck: room for all. Returns 0 or -ENOMEM. */
IPCKIT_CHECK int live_graph_reduce(const struct live_graph *graph, bool *stuck, bool *any);

/* The judgement of a result with nodes and edges. Returns 0 or -ENOMEM; what there is is freed with the result. */
IPCKIT_CHECK int live_graph_judge(struct ipckit_live *live);

/* ---- collectors: each adds the waits that it knows ---- */

typedef int (*live_collector)(struct live_scan *scan);

/* Has a function look at each thread that has no edge yet, until one does not return 0, which is returned. */
IPCKIT_CHECK int live_each(struct live_scan *scan, int (*collect)(struct live_scan *scan, uint32_t thread));

IPCKIT_CHECK int live_collect_child(struct live_scan *scan);
IPCKIT_CHECK int live_collect_futex(struct live_scan *scan);
IPCKIT_CHECK int live_collect_lock(struct live_scan *scan);
IPCKIT_CHECK int live_collect_mq(struct live_scan *scan);
IPCKIT_CHECK int live_collect_poll(struct live_scan *scan);
IPCKIT_CHECK int live_collect_sysv(struct live_scan *scan);
IPCKIT_CHECK int live_collect_transfer(struct live_scan *scan); /* pipes, eventfds, sockets */

/* live-child.c: a mask as live_how.deaf, of a wait for the end of a process. Errors: -ENOMEM, -EMFILE, -ENFILE. */
IPCKIT_CHECK int live_child_deaf(struct live_scan *scan, uint32_t thread, uint64_t *out);

/* ---- live.c ---- */

/* As ipckit_live_scan(), below a directory descriptor of /proc, by some collectors (the last one is NULL). */
IPCKIT_CHECK int live_look(int root, const struct ipckit_live_options *options, const live_collector *collectors,
			   struct ipckit_live *out);

#endif
