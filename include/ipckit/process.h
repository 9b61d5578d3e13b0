/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_PROCESS_H
#define IPCKIT_PROCESS_H

/* Processes found at an IPC object, how that is known, and what follows from it. */

#include <ipckit/base.h>

enum ipckit_evidence {
	IPCKIT_SEEN_MAPPED,   /* has the object mapped (/proc/PID/maps) */
	IPCKIT_SEEN_OPEN,     /* has it open (/proc/PID/fd) */
	IPCKIT_SEEN_BLOCKED,  /* a thread sleeps in a system call on it (/proc/PID/task/TID/syscall) */
	IPCKIT_SEEN_LAST_PID, /* the kernel names it as the last one that used it */
	IPCKIT_SEEN_HOLDER,   /* an exec run that holds a permit */
};

struct ipckit_process {
	pid_t pid;
	pid_t tid; /* of the blocked thread; pid elsewhere */
	struct ipckit_maybe uid;
	char *command;             /* command line, words separated by blanks; [comm] for kernel threads; NULL if unknown */
	struct ipckit_maybe since; /* Unix seconds: holding or waiting since */
	struct ipckit_maybe count; /* semaphores: permits held or waited for */
	struct ipckit_maybe index; /* semaphore within a System V set */
	const char *call;          /* system call that a blocked thread is in ("msgrcv"), static; NULL elsewhere */
	struct ipckit_maybe type;  /* System V queues: the type that a blocked msgrcv(2) selects */
	bool except;               /* any but that type (MSG_EXCEPT) */
	struct ipckit_maybe flags; /* POSIX queues: of the open file description (fcntl(2) F_GETFL); a process
				    * is a user once for each that differs */
	enum ipckit_evidence evidence;
};

struct ipckit_processes {
	struct ipckit_process *list;
	size_t count;
};

/* Who has to do with an object, from one walk over /proc. */
struct ipckit_usage {
	struct ipckit_processes holders, waiting, users;
	struct ipckit_maybe waiters;              /* threads found blocked */
	struct ipckit_maybe unreadable_processes; /* processes that may not be looked at */
	bool other_pids;                          /* there may be processes in PID namespaces that are not seen */
};

/* Why a part of a snapshot is unknown. */
struct ipckit_gap {
	const char *key; /* the snapshot's field, static */
	int error;       /* positive errno value */
};

#define IPCKIT_GAPS 12

struct ipckit_gaps {
	struct ipckit_gap list[IPCKIT_GAPS];
	size_t count;
};

/* Whether an object is left over. */
struct ipckit_orphan_verdict {
	bool orphan;
	char reason[160]; /* why it may be removed, or why it is kept */
};

/*
 * A copy of a descriptor of another process, close-on-exec: of the same open file description, so that nobody sees
 * it come or go. out: closed by the caller. Does not block.
 *
 * Errors: -ESRCH (no such process), -EBADF (it has no such descriptor), -EPERM (it may not be traced), -EMFILE,
 * -ENFILE. Rests on pidfd_open(2), pidfd_getfd(2).
 */
IPCKIT_CHECK int ipckit_process_fd(pid_t pid, int fd, int *out);

#endif
