/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_WAITERS_H
#define IPCKIT_WAITERS_H

/* Who sleeps on futex words, and what a thread's robust list holds: from /proc, without stopping anybody. */

#include <ipckit/process.h>
#include <ipckit/word.h>

/* What the entries of a list point into; freed with it. */
struct ipckit_texts {
	char **list;
	size_t count;
};

/* Where an address of a process lies. */
struct ipckit_spot {
	uint64_t address;          /* 0: not known */
	bool shared;               /* in a file or segment that others can map: place is known */
	struct ipckit_place place;
	const char *path;          /* as /proc/PID/maps shows it; NULL: none, or not shared */
	struct ipckit_maybe value; /* of the word now, unsigned */
};

struct ipckit_waiter {
	pid_t pid, tid;
	struct ipckit_maybe uid;      /* effective */
	const char *command;          /* NULL if unknown */
	const char *operation;        /* "FUTEX_WAIT_BITSET", "futex_waitv" ...; static */
	bool private;                 /* met by threads of its process only, wherever the word lies */
	bool realtime;                /* CLOCK_REALTIME, by flag or because the operation knows no other */
	bool timed;                   /* the wait has a limit */
	struct ipckit_maybe expected; /* the value that it found; operations that compare */
	struct ipckit_maybe bitset;   /* of operations that are given one */
	struct ipckit_maybe owner;    /* the thread id in the word, of operations of PI; of its owner's PID namespace */
	struct ipckit_maybe requeue;  /* FUTEX_WAIT_REQUEUE_PI: the address of the lock that it is to be moved to */
	struct ipckit_maybe index;    /* futex_waitv: which of its words (one entry each; unknown: of all of them) */
	struct ipckit_spot word;      /* as the call named it: where FUTEX_REQUEUE has moved a sleeper, nothing tells */
};

struct ipckit_waiters {
	struct ipckit_waiter *list; /* by pid, tid, index */
	size_t count;
	struct ipckit_texts texts;
	struct ipckit_maybe unreadable_processes; /* processes that may not be looked at, entirely or in part */
	bool other_pids; /* there may be processes in PID namespaces that are not seen */
};

/* Which. None of both: all. */
struct ipckit_waiters_filter {
	const struct ipckit_word *word; /* in this one, or NULL */
	pid_t pid;                      /* of this process, or of that of this thread, or 0 */
};

/*
 * Every thread that sleeps in an operation of futex(2), futex_waitv(2) or futex_wait(2), also one that was
 * stopped in it, which goes on waiting when it is continued (restart_syscall(2)). out: freed with
 * ipckit_waiters_free(). What may not be read is unknown in the entry (word.value), or counted. Errors: -ESRCH (no
 * such process), -EACCES (the one that was asked for may not be looked at), -ENOMEM, -EMFILE, -ENFILE, -errno of
 * /proc. Does not block. Rests on proc(5).
 */
IPCKIT_CHECK int ipckit_waiters_list(const struct ipckit_waiters_filter *filter, struct ipckit_waiters *out);
void ipckit_waiters_free(struct ipckit_waiters *waiters);

struct ipckit_robust_lock {
	struct ipckit_spot word;
	uint64_t node;             /* the address of its entry */
	bool pi, pending;          /* pending: being taken or given (list_op_pending) */
	struct ipckit_maybe owner; /* the thread id in the word */
	bool owner_died, waiters;  /* where the value is known */
};

struct ipckit_robust {
	pid_t pid, tid;
	uint64_t head;        /* address of the list; 0: the thread has none */
	int64_t futex_offset; /* from an entry to its word */
	struct ipckit_robust_lock *list; /* in the order of the list; a pending one that is not in it comes last */
	size_t count;
	bool cut;             /* the list led out of the memory, or has more than 2,048 entries: these are not all */
	struct ipckit_texts texts;
};

/*
 * A thread's robust list: get_robust_list(2). Of a thread that runs it may change while it is read. out: freed
 * with ipckit_robust_free(). Errors: -ESRCH, -EPERM (ptrace(2)'s rules), -EOPNOTSUPP (a process whose words have
 * another size than here: of 32 bits), -ENOMEM, -errno of /proc. Does not block.
 */
IPCKIT_CHECK int ipckit_robust_read(pid_t tid, struct ipckit_robust *out);
void ipckit_robust_free(struct ipckit_robust *robust);

#endif
