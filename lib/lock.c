/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lock.h"
#include "sys.h"

#define POLL_FIRST_NS 100000
#define POLL_LAST_NS 10000000

static int lock_now(const struct lock_range *range)
{
	int r = sys_lock(range->fd, range->of_process ? F_SETLK : F_OFD_SETLK, F_WRLCK, range->start,
			 range->length);

	return r == -EACCES ? -EAGAIN : r;
}

/* The kernel queues us, so that takers get it in turn; signals end the call. */
static int lock_queued(const struct lock_range *range, const struct ipckit_deadline *deadline)
{
	int command = range->of_process ? F_SETLKW : F_OFD_SETLKW;
	int r;

	do {
		r = ipckit_deadline_left(deadline, NULL);
		if (r)
			return r;
		r = sys_lock(range->fd, command, F_WRLCK, range->start, range->length);
	} while (r == -EINTR);
	return r;
}

/* Nobody has promised a signal at the deadline: look, with growing pauses. */
static int lock_polled(const struct lock_range *range, const struct ipckit_deadline *deadline)
{
	int64_t pause = POLL_FIRST_NS;
	int r;

	while ((r = lock_now(range)) == -EAGAIN) {
		r = ipckit_deadline_sleep(deadline, pause);
		if (r)
			return r;
		if (pause < POLL_LAST_NS)
			pause *= 2;
	}
	return r;
}

int lock_take(const struct lock_range *range, const struct ipckit_deadline *deadline)
{
	int r = lock_now(range);

	if (r != -EAGAIN || deadline->kind == IPCKIT_DEADLINE_TRY)
		return r;
	if (deadline->kind == IPCKIT_DEADLINE_NONE || deadline->stop)
		return lock_queued(range, deadline);
	return lock_polled(range, deadline);
}

void lock_give(const struct lock_range *range)
{
	(void)sys_lock(range->fd, range->of_process ? F_SETLK : F_OFD_SETLK, F_UNLCK, range->start,
		       range->length);
}
