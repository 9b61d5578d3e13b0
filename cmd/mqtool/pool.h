/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MQTOOL_POOL_H
#define MQTOOL_POOL_H

/* The workers of exec: one COMMAND for each message, several at a time. */

#include "taking.h"

/* One that runs, or none where pid is 0. */
struct worker {
	pid_t pid;
	int pidfd;
	struct taken taken;
};

struct pool {
	struct cli *cli;
	struct taking taking;
	struct worker *workers;
	size_t parallel, running;
	uint64_t count;            /* how many messages to take */
	bool all;                  /* end when none is there */
	int64_t timeout;           /* of the wait for each message */
	const char *timeout_text;

	bool requeue;
	struct ipckit_mq *dead;    /* where messages go whose command failed, or NULL */
	const char *dead_object;
	struct taken *again;       /* failed, and with no room in the queue: run again */
	size_t nagain;

	bool ending;               /* no more messages are taken */
	int stopped;               /* the signal that began that, or 0 */
	int status;                /* the first failure's */
	uint64_t messages, failed, requeued, dead_lettered;
};

/* Works until the end, and until all that was taken is done with. Returns the exit status. */
int pool_work(struct pool *pool);

/* settle.c: what becomes of a message. status: as wait(2) gives it. */
void pool_settle(struct pool *pool, struct taken *taken, int status);
/* It could not be given to a command at all. */
void pool_return(struct pool *pool, struct taken *taken);
/* Notes the first failure's exit status. */
void pool_fail(struct pool *pool, int status);

#endif
