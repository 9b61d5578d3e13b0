/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pool.h"
#include "../cli/command.h"
#include "../cli/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_FIRST_NS 1000000
#define LOOK_LAST_NS 20000000
#define LOOK_LONG_NS 900000000

/* ---- a command ---- */

/* The message as a file that has no name: read from its start, and ended where it ends. */
static int make_input(const struct taken *taken, int *out)
{
	int fd = memfd_create("message", MFD_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		return -errno;
	while (done < taken->size) {
		ssize_t n = write(fd, taken->message->data + done, taken->size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			n = n ? -errno : -ENOSPC;
			close(fd);
			return (int)n;
		}
		done += (size_t)n;
	}
	lseek(fd, 0, SEEK_SET);
	*out = fd;
	return 0;
}

static int set_number(const char *name, long long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", number);
	return setenv(name, text, 1) ? -errno : 0;
}

static int set_environment(const struct pool *pool, const struct taken *taken)
{
	bool posix = ipckit_mq_backend(pool->taking.mq) == IPCKIT_MQ_POSIX;

	if (setenv("IPCKIT_QUEUE", pool->taking.object, 1))
		return -errno;
	unsetenv(posix ? "IPCKIT_TYPE" : "IPCKIT_PRIORITY");
	return set_number(posix ? "IPCKIT_PRIORITY" : "IPCKIT_TYPE", taken->message->rank) ?:
	       set_number("IPCKIT_SIZE", (long long)taken->size);
}

static struct worker *free_worker(struct pool *pool)
{
	struct worker *worker = pool->workers;

	while (worker->pid)
		worker++;
	return worker;
}

static int fail_start(const struct pool *pool, int error)
{
	struct ipckit_limit limit;

	if (!ipckit_limit_of_process(-error, &limit))
		return cli_fail_limit(pool->cli, pool->taking.object, error, &limit);
	return cli_fail(pool->cli, pool->taking.object, error, NULL);
}

/* Whether the message has a worker; else it is given back, and the pool ends. */
static void start(struct pool *pool, struct taken *taken)
{
	struct worker *worker = free_worker(pool);
	int input = -1;
	int r = taken_keep(taken) ?: set_environment(pool, taken) ?: make_input(taken, &input);

	if (r)
		r = fail_start(pool, r);
	else
		r = cli_spawn(pool->cli, input, &worker->pid);
	if (input >= 0)
		close(input);
	if (r) {
		pool->ending = true;
		pool_fail(pool, r);
		pool_return(pool, taken);
		return;
	}
	worker->taken = *taken;
	worker->pidfd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
	pool->running++;
	pool->messages++;
}

/* ---- signals ---- */

static void pass_on(struct pool *pool, int signal)
{
	for (size_t i = 0; i < pool->parallel; i++)
		if (pool->workers[i].pid)
			kill(pool->workers[i].pid, signal);
}

/* The first one ends the taking, and lets the commands end; those that follow are for them, too. */
static void look_for_stop(struct pool *pool)
{
	int signal = cli_stop_take();

	if (!signal)
		return;
	if (pool->stopped)
		pass_on(pool, signal);
	else
		pool->stopped = signal;
	pool->ending = true;
}

/* ---- ends ---- */

/* Those that have ended: what becomes of their messages. */
static void reap(struct pool *pool)
{
	for (size_t i = 0; i < pool->parallel; i++) {
		struct worker *worker = &pool->workers[i];
		int status;

		if (!worker->pid || waitpid(worker->pid, &status, WNOHANG) == 0)
			continue;
		if (worker->pidfd >= 0)
			close(worker->pidfd);
		worker->pid = 0;
		pool->running--;
		/* A signal to all of a process group is here before one that it ended can be waited for. */
		look_for_stop(pool);
		pool_settle(pool, &worker->taken, status);
	}
}

/* ---- waiting ---- */

/* Until a command ends, or for at most a time; less than 0: without limit. */
static void wait_for_end(struct pool *pool, int most_ms, bool queue)
{
	struct pollfd list[pool->parallel + 1];
	nfds_t n = 0;

	if (queue)
		list[n++] = (struct pollfd){ .fd = ipckit_mq_id(pool->taking.mq), .events = POLLIN };
	for (size_t i = 0; i < pool->parallel; i++) {
		if (!pool->workers[i].pid)
			continue;
		list[n++] = (struct pollfd){ .fd = pool->workers[i].pidfd, .events = POLLIN };
		/* Without a descriptor for it there is nothing to wait on. */
		if (pool->workers[i].pidfd < 0)
			most_ms = LOOK_LAST_NS / 1000000;
	}
	(void)!poll(list, n, most_ms);
}

/*
 * Takes a message, or waits a while for what comes first: one, or the end of a
 * command. System V queues cannot be polled: while commands run they are looked at.
 */
static int take(struct pool *pool, const struct ipckit_deadline *deadline, int64_t *nap, struct taken *out)
{
	const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };
	bool posix = ipckit_mq_backend(pool->taking.mq) == IPCKIT_MQ_POSIX;
	struct timespec left;
	int r;

	if (!pool->running)
		return taking_next(&pool->taking, deadline, out);
	r = taking_next(&pool->taking, &now, out);
	if (r != -EAGAIN)
		return r;
	r = ipckit_deadline_left(deadline, &left);
	if (r)
		return r;
	if (left.tv_sec || left.tv_nsec > (posix ? LOOK_LONG_NS : *nap))
		left = (struct timespec){ .tv_nsec = posix ? LOOK_LONG_NS : *nap };
	*nap = *nap * 2 > LOOK_LAST_NS ? LOOK_LAST_NS : *nap * 2;
	wait_for_end(pool, (int)(left.tv_nsec / 1000000), posix);
	return -EINPROGRESS;
}

/* What failed and found no room is sent back now, or run again. */
static bool take_again(struct pool *pool, struct taken *out)
{
	while (pool->nagain) {
		struct taken taken = pool->again[--pool->nagain];

		if (!taken_send(&taken, pool->taking.mq)) {
			taken_done(&pool->taking, &taken);
			continue;
		}
		*out = taken;
		return true;
	}
	return false;
}

/* The end of the messages, or of the wait for them. */
static void end(struct pool *pool, int r)
{
	pool->ending = true;
	if (r == -EINTR) {
		look_for_stop(pool);
		return;
	}
	if (pool->all && (r == -EAGAIN || r == -ETIMEDOUT))
		return;
	pool_fail(pool, taking_fail(&pool->taking, r, pool->timeout_text));
}

/* One more message for a worker that is free. */
static void serve(struct pool *pool, struct ipckit_deadline *deadline, int64_t *nap)
{
	struct taken taken;
	int r = 0;

	if (!take_again(pool, &taken)) {
		/* The count is reached, and what was to be run again has been. */
		if (pool->messages >= pool->count)
			return;
		r = take(pool, deadline, nap, &taken);
	}
	if (r == -EINPROGRESS)
		return;
	if (!r) {
		start(pool, &taken);
		*nap = LOOK_FIRST_NS;
		r = cli_deadline(pool->timeout, deadline);
	}
	if (r)
		end(pool, r);
}

int pool_work(struct pool *pool)
{
	struct ipckit_deadline deadline;
	int64_t nap = LOOK_FIRST_NS;
	int r = cli_deadline(pool->timeout, &deadline);

	if (r)
		return taking_fail(&pool->taking, r, NULL);
	cli_hold_faults();
	while (!pool->ending || pool->running) {
		look_for_stop(pool);
		reap(pool);
		if (pool->messages >= pool->count && !pool->nagain)
			pool->ending = true;
		if (!pool->ending && pool->running < pool->parallel)
			serve(pool, &deadline, &nap);
		else if (pool->running)
			wait_for_end(pool, -1, false);
	}
	while (pool->nagain)
		pool_return(pool, &pool->again[--pool->nagain]);
	free(pool->again);
	pool->again = NULL;
	return pool->status;
}
