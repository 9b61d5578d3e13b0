/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_LIVE_SYSV_H
#define LIB_LIVE_SYSV_H

/*
 * Waits for objects of System V. Anybody may come to them by their number, so that those who are named here are
 * only the likely ones: who used them last, or says that it holds them.
 *
 * live-sysv.c finds the waits, and tells those for queues, live-sysv-sem.c those for semaphores, live-sysv-user.c
 * who has to do with an object.
 */

#include "live.h"

enum live_sysv_kind { LIVE_SYSV_SEMAPHORE, LIVE_SYSV_SEND, LIVE_SYSV_RECEIVE };

/* A thread that waits for an object of the reader's IPC namespace. */
struct live_sysv_wait {
	uint32_t thread;
	enum live_sysv_kind kind;
	int id;
	uint64_t ops, nops; /* semaphores: the vector of operations */
	bool timed;
	uint64_t size;      /* SEND: of the message */
	bool takes_all;     /* RECEIVE: of whatever type */
};

/* What a process says that it holds (IPCKIT_HOLD). */
struct live_sysv_record {
	int64_t id, index;
	uint32_t process;
};

struct live_sysv {
	struct live_scan *scan;
	struct live_sysv_wait *waits; /* queues last; by id, thread */
	size_t nwaits;
	uint64_t ipc;                 /* the reader's namespace */
	int64_t boot;                 /* Unix seconds */
	struct live_sysv_record *records;
	size_t nrecords;
	bool recorded;                /* they have been read */
};

/* Whether a process is of the reader's IPC namespace. */
bool live_sysv_shares(struct live_sysv *sysv, uint32_t process);

/*
 * The process that the kernel names as a user; IPCKIT_NONE where it has ended, or another one has got its pid
 * since. last: when that was, Unix seconds. Errors: -ENOMEM, -EMFILE, -ENFILE.
 */
IPCKIT_CHECK int live_sysv_user(struct live_sysv *sysv, pid_t pid, int64_t last, uint32_t *out);

/* Reads the records, once. Errors as above. */
IPCKIT_CHECK int live_sysv_records(struct live_sysv *sysv);

/* An edge, which begins with the first who may end the wait. */
struct live_sysv_edge {
	const struct live_sysv_wait *wait;
	enum ipckit_live_kind kind;
	const char *resource; /* NULL: no memory */
	bool begun;
};
/* Adds one of them, any of whom can; IPCKIT_NONE, and who waits itself, are passed over. Errors: -ENOMEM. */
IPCKIT_CHECK int live_sysv_add(struct live_sysv *sysv, struct live_sysv_edge *edge, uint32_t process);

/* The edge of a wait for a semaphore, if there is one. Errors as above. */
IPCKIT_CHECK int live_sysv_semaphore(struct live_sysv *sysv, const struct live_sysv_wait *wait);

#endif
