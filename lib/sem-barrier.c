/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sem-backend.h"

#include <errno.h>

/*
 * A reusable barrier that survives the death of a party at any moment.
 *
 * PLACES starts at the number of parties and counts down as they arrive. The
 * last to come puts tickets for all others in the same operation. Who takes its
 * ticket gives its place back in the same operation, so that the last ticket
 * taken leaves the set as it was at first; until then nobody can arrive for the
 * next round. An arrival leaves undo values: a place to give back, and a ticket
 * to take. The kernel applies both when the process dies; before the round is
 * complete there is no ticket, and it keeps the value at 0 (semop(2)).
 */
enum { PLACES, TICKETS, PARTIES, BARRIER_SEMAPHORES };

static int now(struct ipckit_sem *sem, const struct ipckit_sem_op *ops, size_t n)
{
	const struct ipckit_deadline try = { .kind = IPCKIT_DEADLINE_TRY };

	return ipckit_sem_operate(sem, ops, n, &try);
}

/* No round is being left, and others are still missing: a place is left after mine. */
static int arrive(struct ipckit_sem *sem)
{
	static const struct ipckit_sem_op ops[] = {
		{ .index = TICKETS, .delta = 0 },
		{ .index = PLACES, .delta = -2, .undo = true },
		{ .index = PLACES, .delta = 1, .undo = true },
		{ .index = TICKETS, .delta = 1, .undo = true },
		{ .index = TICKETS, .delta = -1 },
	};

	return now(sem, ops, sizeof(ops) / sizeof(*ops));
}

/* Mine was the last place: tickets for the others, and my place back. */
static int complete(struct ipckit_sem *sem, unsigned parties)
{
	const struct ipckit_sem_op ops[] = {
		{ .index = TICKETS, .delta = 0 },
		{ .index = PLACES, .delta = -1 },
		{ .index = PLACES, .delta = 0 },
		{ .index = PLACES, .delta = 1 },
		{ .index = TICKETS, .delta = (int)parties - 1 },
	};

	return now(sem, ops, parties > 1 ? 5 : 4);
}

/* Until the round is complete; undoes the undo values with what they stand for. */
static int pass(struct ipckit_sem *sem, const struct ipckit_deadline *deadline)
{
	static const struct ipckit_sem_op ops[] = {
		{ .index = TICKETS, .delta = -1, .undo = true },
		{ .index = PLACES, .delta = 1, .undo = true },
	};

	return ipckit_sem_operate(sem, ops, 2, deadline);
}

/* Takes an arrival back, unless there are tickets already. */
static int leave(struct ipckit_sem *sem)
{
	static const struct ipckit_sem_op ops[] = {
		{ .index = TICKETS, .delta = 0 },
		{ .index = PLACES, .delta = 1, .undo = true },
		{ .index = TICKETS, .delta = 1 },
		{ .index = TICKETS, .delta = -1, .undo = true },
	};

	return now(sem, ops, sizeof(ops) / sizeof(*ops));
}

static int await_others(struct ipckit_sem *sem, const struct ipckit_deadline *deadline)
{
	const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };
	int left;
	int r = pass(sem, deadline);

	if (r == 0 || r == -EIDRM)
		return r;
	left = leave(sem);
	if (left != -EAGAIN)
		return left ? left : r;
	/* The round was completed meanwhile: a ticket is there for each party. */
	return pass(sem, &forever);
}

static int parties_of(struct ipckit_sem *sem, unsigned *out)
{
	unsigned values[BARRIER_SEMAPHORES];
	int r;

	if (ipckit_sem_backend(sem) != IPCKIT_SEM_SYSV)
		return -EOPNOTSUPP;
	if (ipckit_sem_count(sem) != BARRIER_SEMAPHORES)
		return -EBADMSG;
	r = ipckit_sem_values(sem, values);
	if (r)
		return r;
	/* Whoever takes the last place gives one back in the same step: there is always one. */
	if (values[PLACES] == 0 || values[PLACES] > values[PARTIES] || values[TICKETS] >= values[PARTIES])
		return -EBADMSG;
	*out = values[PARTIES];
	return 0;
}

int ipckit_sem_create_barrier(const struct ipckit_name *name, unsigned parties, unsigned mode, bool exclusive,
			      bool *created, struct ipckit_sem **out)
{
	const unsigned values[BARRIER_SEMAPHORES] = { [PLACES] = parties, [PARTIES] = parties };
	const struct ipckit_sem_spec spec = {
		.values = values,
		.count = BARRIER_SEMAPHORES,
		.mode = mode,
		.exclusive = exclusive,
	};
	struct ipckit_sem *sem;
	unsigned has;
	int r;

	if (parties == 0)
		return -EINVAL;
	r = ipckit_sem_create(name, &spec, created, &sem);
	if (r)
		return r;
	if (!*created)
		r = parties_of(sem, &has) ?: (has == parties ? 0 : -EBADMSG);
	if (r)
		ipckit_sem_close(sem);
	else
		*out = sem;
	return r;
}

int ipckit_sem_barrier(struct ipckit_sem *sem, const struct ipckit_deadline *deadline)
{
	static const struct ipckit_sem_op round_left[] = { { .index = TICKETS, .delta = 0 } };
	unsigned parties;
	int r;

	for (;;) {
		r = parties_of(sem, &parties);
		if (r)
			return r;
		r = complete(sem, parties);
		if (r != -EAGAIN)
			return r;
		r = arrive(sem);
		if (r == 0)
			return await_others(sem, deadline);
		if (r != -EAGAIN)
			return r;
		/* Places that were free a moment ago, or a round that is being left. */
		r = ipckit_sem_operate(sem, round_left, 1, deadline);
		if (r)
			return r;
	}
}
