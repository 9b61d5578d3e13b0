/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_HOLD_H
#define IPCKIT_HOLD_H

/*
 * The record that a job leaves of what it holds, for those who look later.
 *
 * The kernel does not tell who holds a permit. So the process that looks after a
 * job's permits has this record as its command line (guardians: POSIX, unnamed
 * and eventfd semaphores), or the job itself has it in the environment variable
 * IPCKIT_HOLD (System V; a line for each run, where a job is an exec run itself).
 * It is one line:
 *
 *   holding job=4711 count=1 since=1790000000.250 at=posix:18:77:0 /jobs
 *
 * state (holding, or waiting), the job's pid in its own PID namespace, permits of
 * each object, Unix time of the state's begin, the objects by kernel identity
 * separated by commas, and the objects as they were written, for people.
 *
 * A record is only evidence together with its process: that of a guardian counts
 * when it has the object mapped or open, that of a job when the pid is the
 * process's own (an environment is inherited).
 */

#include <ipckit/base.h>
#include <ipckit/sem.h>

struct ipckit_hold {
	bool holding; /* false: waiting */
	pid_t job;
	unsigned count;
	int64_t since_ms; /* Unix time, milliseconds */
	char at[8192];    /* "posix:DEV:INODE:OFFSET,sysv:ID:INDEX,eventfd:ID", numbers in hex but ID and INDEX */
	const char *objects; /* parse: points into the text; format: what to write */
};

/* The kernel identity of a semaphore as it stands in ipckit_hold.at. Errors: -ENOSPC. */
IPCKIT_CHECK int ipckit_hold_identity(const struct ipckit_sem *sem, char *text, size_t size);

/* Writes a record. Returns its length, as snprintf(3): size or more means it was cut. Async-signal-unsafe. */
int ipckit_hold_format(const struct ipckit_hold *hold, char *text, size_t size);

/* Reads a record, from its first word to the end of text. Errors: -EBADMSG. Pure. */
IPCKIT_CHECK int ipckit_hold_parse(const char *text, struct ipckit_hold *out);

/* Whether a record's `at` names this identity. Pure. */
bool ipckit_hold_is_at(const struct ipckit_hold *hold, const char *identity);

#endif
