/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_PROCESS_H
#define IPCKIT_PROCESS_H

/* Processes found at an IPC object, and how that is known. */

#include <ipckit/base.h>

enum ipckit_evidence {
	IPCKIT_SEEN_MAPPED,   /* has the object mapped (/proc/PID/maps) */
	IPCKIT_SEEN_OPEN,     /* has it open (/proc/PID/fd) */
	IPCKIT_SEEN_BLOCKED,  /* a thread sleeps in a system call on it (/proc/PID/task/TID/syscall) */
	IPCKIT_SEEN_LAST_PID, /* the kernel names it as the last one that changed it */
	IPCKIT_SEEN_HOLDER,   /* an exec run that holds a permit */
};

struct ipckit_process {
	pid_t pid;
	pid_t tid; /* of the blocked thread; pid elsewhere */
	struct ipckit_maybe uid;
	char *command;             /* command line, words separated by blanks; [comm] for kernel threads; NULL if unknown */
	struct ipckit_maybe since; /* Unix seconds: holding or waiting since */
	struct ipckit_maybe count; /* permits held or waited for */
	struct ipckit_maybe index; /* semaphore within a System V set */
	enum ipckit_evidence evidence;
};

struct ipckit_processes {
	struct ipckit_process *list;
	size_t count;
};

#endif
