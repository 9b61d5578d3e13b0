/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lock.h"
#include "sem-backend.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_FIRST_NS 200000
#define PAUSE_LAST_NS 12000000
#define LOOK_EACH 65536

/*
 * The lock by which takers of several keep out of each other's way. Everybody
 * who inherited an eventfd has the same open file description, hence the lock of
 * the process there; all eventfds share one inode, hence the id as the place.
 */
static struct lock_range lock_of(const struct ipckit_sem *sem)
{
	bool eventfd = sem->backend == IPCKIT_SEM_EVENTFD;

	return (struct lock_range){
		.fd = sem->fd,
		.of_process = eventfd,
		.start = (off_t)(eventfd ? sem->inode * 2 : sem->offset),
		.length = 1,
	};
}

/* Pauses of takers that met each other must differ. */
static int64_t random_pause(int64_t longest)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return longest / 2 + (now.tv_nsec ^ (long)getpid() * 7919) % (longest / 2);
}

static int take_rest(struct ipckit_sem *sem, unsigned missing, const struct sem_unit_ops *unit,
		     const struct ipckit_deadline *deadline)
{
	const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };
	unsigned got;
	int r = 0;

	for (got = 0; got < missing; got++) {
		r = unit->take_one(sem, &now);
		/* Millions take their time, too. */
		if (!r && got % LOOK_EACH == LOOK_EACH - 1 && deadline->kind != IPCKIT_DEADLINE_TRY) {
			r = ipckit_deadline_left(deadline, NULL);
			got += r != 0;
		}
		if (r)
			break;
	}
	if (!r)
		return 0;
	/* The first permit was taken before the rest. */
	return unit->give(sem, got + 1) ?: r;
}

/*
 * One attempt: -EAGAIN where some permits were there but not enough. Those are
 * left alone while they can be seen not to suffice, so that takers of one do
 * not meet a value that only seems to be 0.
 */
static int attempt(struct ipckit_sem *sem, unsigned count, const struct sem_unit_ops *unit,
		   const struct ipckit_deadline *deadline)
{
	int64_t value;
	int r = unit->value(sem, &value);

	if (r)
		return r;
	if (value > 0 && value < count)
		return -EAGAIN;
	r = unit->take_one(sem, deadline);
	return r ? r : take_rest(sem, count - 1, unit, deadline);
}

int sem_take_several(struct ipckit_sem *sem, unsigned count, const struct sem_unit_ops *unit,
		     const struct ipckit_deadline *deadline)
{
	struct lock_range lock = lock_of(sem);
	int64_t pause = PAUSE_FIRST_NS;
	int r;

	if (count == 1)
		return unit->take_one(sem, deadline);
	r = lock_take(&lock, deadline);
	/* Who only tries keeps no part while it waits, and need not be refused for one who waits. */
	if (r == -EAGAIN)
		return attempt(sem, count, unit, deadline);
	if (r)
		return r;
	while ((r = attempt(sem, count, unit, deadline)) == -EAGAIN) {
		r = ipckit_deadline_sleep(deadline, random_pause(pause));
		if (r)
			break;
		if (pause < PAUSE_LAST_NS)
			pause *= 2;
	}
	lock_give(&lock);
	return r;
}

int sem_give_below(struct ipckit_sem *sem, unsigned count, unsigned max, const struct sem_unit_ops *unit)
{
	const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };
	struct lock_range lock = lock_of(sem);
	int64_t value;
	int r;

	/* Not the byte that takers hold for as long as they wait. */
	lock.start++;
	r = lock_take(&lock, &forever);
	if (r)
		return r;
	r = unit->value(sem, &value);
	if (!r)
		r = value + count > max ? -ERANGE : unit->give(sem, count);
	lock_give(&lock);
	return r;
}

static int raise_by(struct ipckit_sem *sem, int64_t by, const struct sem_unit_ops *unit)
{
	int r = 0;

	for (int64_t step; by > 0 && !r; by -= step) {
		step = by < UINT32_MAX ? by : UINT32_MAX;
		r = unit->give(sem, (unsigned)step);
	}
	return r;
}

static int lower_by(struct ipckit_sem *sem, int64_t by, const struct sem_unit_ops *unit)
{
	const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };
	int r = 0;

	for (; by > 0 && !r; by--)
		r = unit->take_one(sem, &now);
	return r;
}

/* What is missing is given once: waiters that take of it have it, as with SETVAL. Where
 * others were faster with what is too much, it begins anew. */
int sem_set_by_steps(struct ipckit_sem *sem, int64_t value, const struct sem_unit_ops *unit)
{
	int64_t is;
	int r;

	do {
		r = unit->value(sem, &is);
		if (!r)
			r = is < value ? raise_by(sem, value - is, unit) : lower_by(sem, is - value, unit);
	} while (r == -EAGAIN);
	return r;
}
