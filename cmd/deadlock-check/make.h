/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_MAKE_H
#define DEADLOCK_MAKE_H

/*
 * Making systems: what make.c has for the kinds. The same recipe makes the same
 * system everywhere, so all that is random comes from here, in a fixed order.
 */

#include "output.h"

#define RING_MOST 5

struct maker {
	const struct recipe *recipe;
	struct ipckit_system *system; /* with existing and available, to be filled in */
	uint64_t state;
	uint32_t degree;
	bool *taken;     /* by resource: pick()'s, all false between two calls */
	int64_t *now;    /* by resource: what is available at a point of the order in which processes finish */
	uint32_t *order; /* in which they finish; the last nring of them never do. KIND_SAFE, KIND_DEADLOCKED */
	uint32_t nring;
	uint32_t ring[RING_MOST]; /* the resource that the process at each place of the ring holds */
};

/* 0 to bound-1; bound is not 0. */
uint32_t below(struct maker *maker, uint32_t bound);
/* 1 to most; most is at least 1. */
int64_t count_to(struct maker *maker, int64_t most);

/* Different columns, ascending; the other one has must among them. */
void pick(struct maker *maker, uint32_t *columns, uint32_t count);
void pick_with(struct maker *maker, uint32_t *columns, uint32_t count, uint32_t must);

/* Into rows that are all zero; whoever frees the system frees them, on failure, too. */
int rows_alloc(uint32_t nrows, size_t room, bool counts, struct ipckit_rows *out);
/* Gives back what was not needed. */
void rows_trim(struct ipckit_rows *rows, size_t ncells);

/* Everybody holds degree cells, those in the ring their resource of it among them. */
int make_allocation(struct maker *maker);
/* What the process at a place of the ring holds; IPCKIT_NONE of those that are not in it. */
uint32_t ring_resource_of(const struct maker *maker, uint32_t process);
/* Adds what a process holds to now. -ERANGE beyond 2^63-1. */
int release(struct maker *maker, uint32_t process);
/* Makes existing of available and all that is held; now is what is available at first. */
int add_up(struct maker *maker);
/* Room for a request of degree cells each. */
int request_alloc(struct maker *maker, bool counts);

static inline int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- the kinds ---- */

int make_chain(struct maker *maker);
int make_random(struct maker *maker);
int make_safe(struct maker *maker); /* KIND_SAFE, KIND_DEADLOCKED; has a claim */

#endif
