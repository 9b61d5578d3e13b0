/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

void pool_fail(struct pool *pool, int status)
{
	if (!pool->status)
		pool->status = status;
}

void pool_return(struct pool *pool, struct taken *taken)
{
	int r = taken_give_back(&pool->taking, taken);

	if (!r)
		return;
	cli_fail(pool->cli, pool->taking.object, r, "a message could not be put back");
	pool_fail(pool, CLI_SYSTEM);
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void tell(struct pool *pool, int status)
{
	if (WIFSIGNALED(status))
		cli_warn(pool->cli, "%s: %s was ended by signal %d (%s)", pool->taking.object, pool->cli->command[0],
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		cli_warn(pool->cli, "%s: %s failed with status %d", pool->taking.object, pool->cli->command[0],
			 WEXITSTATUS(status));
}

/* A queue that is full of what others send has no room: then it is kept, and run again, but not for ever. */
static int keep_again(struct pool *pool, const struct taken *taken)
{
	struct taken *larger = cli_array_room(pool->again, pool->nagain, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	pool->again = larger;
	pool->again[pool->nagain++] = *taken;
	return 0;
}

static void requeue(struct pool *pool, struct taken *taken)
{
	int r = taken_send(taken, pool->taking.mq);

	if (!r)
		taken_done(&pool->taking, taken);
	else if (r == -EAGAIN && !pool->ending && pool->messages < pool->count)
		r = keep_again(pool, taken);
	if (!r) {
		pool->requeued++;
		return;
	}
	if (r != -EAGAIN) {
		pool->ending = true;
		pool_fail(pool, taking_fail(&pool->taking, r, NULL));
	}
	pool_return(pool, taken);
}

static void bury(struct pool *pool, struct taken *taken)
{
	int r = taken_send(taken, pool->dead);

	if (!r) {
		pool->dead_lettered++;
		taken_done(&pool->taking, taken);
		return;
	}
	/* Nothing more is taken that might fail, too. */
	pool->ending = true;
	if (r == -EAGAIN)
		/* Not EAGAIN, which says that no message came. */
		r = cli_fail(pool->cli, pool->dead_object, ENOSPC,
			     "it is full: the message is given back, and no more are taken");
	else
		r = mqtool_fail_wanted(pool->cli, pool->dead_object, ipckit_mq_backend(pool->dead), pool->dead, r,
				       &(struct ipckit_mq_wanted){ .size = taken->size });
	pool_fail(pool, r);
	pool_return(pool, taken);
}

/* A journal keeps it for the next run; else this is where it can be read, or nowhere. */
static void report(struct pool *pool, struct taken *taken)
{
	if (!taken->journaled && !taken_tell(&pool->taking, taken, "its message was")) {
		taken_done(&pool->taking, taken);
		return;
	}
	if (!taken->journaled) {
		pool->ending = true;
		pool_fail(pool, CLI_SYSTEM);
	}
	pool_return(pool, taken);
}

void pool_settle(struct pool *pool, struct taken *taken, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		taken_done(&pool->taking, taken);
		return;
	}
	tell(pool, status);
	/* The signal that ends this run, at a terminal, ended it, too. */
	if (pool->stopped && WIFSIGNALED(status)) {
		pool_return(pool, taken);
		return;
	}
	pool->failed++;
	if (pool->requeue) {
		requeue(pool, taken);
	} else if (pool->dead) {
		bury(pool, taken);
	} else {
		pool_fail(pool, exit_status(status));
		report(pool, taken);
	}
}
