/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYSTEMS_H
#define SYSTEMS_H

/* Small systems made cell by cell or at random, and the plainest way of judging them. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ipckit/deadlock.h>

#define SMALL 8 /* processes, and resources */

struct small {
	uint32_t nprocesses, nresources, nends;
	int64_t existing[SMALL];
	int64_t held[SMALL][SMALL], request[SMALL][SMALL], any[SMALL][SMALL];
	bool preemptible[SMALL];
	uint32_t end_of[SMALL];
};

static uint64_t random_state = 88172645463325252u;

/* xorshift64*: the same numbers everywhere. */
static inline uint32_t random_below(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 2685821657736338717u) >> 33) % n;
}

static inline void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static inline struct ipckit_rows rows_of(const struct small *small, const int64_t (*matrix)[SMALL])
{
	struct ipckit_rows_builder builder = { 0 };

	for (uint32_t p = 0; p < small->nprocesses; p++) {
		for (uint32_t r = 0; r < small->nresources; r++) {
			if (matrix[p][r] && ipckit_rows_add(&builder, r, matrix[p][r]))
				abort();
		}
		if (ipckit_rows_end(&builder))
			abort();
	}
	return builder.rows;
}

static inline struct ipckit_system system_of(const struct small *small)
{
	struct ipckit_system system = { .nprocesses = small->nprocesses, .nresources = small->nresources,
					.nends = small->nends };
	uint32_t wrong;

	system.existing = must(calloc(SMALL, sizeof(int64_t)));
	memcpy(system.existing, small->existing, sizeof(small->existing));
	system.preemptible = must(calloc(SMALL, sizeof(bool)));
	memcpy(system.preemptible, small->preemptible, sizeof(small->preemptible));
	system.end_of = must(calloc(SMALL, sizeof(uint32_t)));
	memcpy(system.end_of, small->end_of, sizeof(small->end_of));
	system.allocation = rows_of(small, small->held);
	system.request = rows_of(small, small->request);
	system.any = rows_of(small, small->any);
	if (ipckit_system_complete(&system, &wrong))
		abort();
	return system;
}

/* Systems that are often deadlocked: with rows of any, preemptible resources, ends and requests
 * beyond what exists now and then. */
static inline void random_small(struct small *small, uint32_t most_processes)
{
	uint32_t plain = 1 + random_below(4), single = random_below(2);

	*small = (struct small){ .nprocesses = 1 + random_below(most_processes), .nresources = plain };
	for (uint32_t r = 0; r < plain; r++) {
		small->preemptible[r] = !random_below(12);
		small->existing[r] = random_below(2);
	}
	for (uint32_t p = 0; p < small->nprocesses; p++) {
		for (uint32_t r = 0; r < plain; r++) {
			bool taken = single && small->existing[r];

			if (!random_below(3) && !taken) {
				small->held[p][r] = single ? 1 : 1 + random_below(2);
				small->existing[r] += small->held[p][r];
			}
		}
	}
	for (uint32_t p = 0; p < small->nprocesses && small->nends < 2; p++) {
		if (random_below(6))
			continue;
		small->held[p][small->nresources] = 1;
		small->existing[small->nresources++] = 1;
		small->end_of[small->nends++] = p;
	}
	for (uint32_t p = 0; p < small->nprocesses; p++) {
		for (uint32_t r = 0; r < small->nresources; r++) {
			if (!random_below(3))
				small->request[p][r] = 1 + random_below(small->existing[r] + !random_below(8) ?: 1);
			if (!random_below(6))
				small->any[p][r] = 1 + random_below(small->existing[r] + !random_below(4) ?: 1);
		}
	}
}

static inline bool small_met(const struct small *small, uint32_t p, const int64_t *there)
{
	bool any = false, one = false;

	for (uint32_t r = 0; r < small->nresources; r++) {
		if (small->request[p][r] > there[r])
			return false;
		any = any || small->any[p][r];
		one = one || (small->any[p][r] && small->any[p][r] + small->request[p][r] <= there[r]);
	}
	return one || !any;
}

/* The processes that never finish when those of `ended` are ended at first, both as bits. */
static inline unsigned small_stuck(const struct small *small, unsigned ended, int64_t *there)
{
	unsigned left = (1u << small->nprocesses) - 1;
	bool more = true;

	for (uint32_t r = 0; r < small->nresources; r++) {
		there[r] = small->existing[r];
		for (uint32_t p = 0; p < small->nprocesses && !small->preemptible[r]; p++)
			there[r] -= small->held[p][r];
	}
	while (more) {
		more = false;
		for (uint32_t p = 0; p < small->nprocesses; p++) {
			if (!(left >> p & 1) || (!(ended >> p & 1) && !small_met(small, p, there)))
				continue;
			left &= ~(1u << p);
			more = true;
			for (uint32_t r = 0; r < small->nresources; r++)
				there[r] += small->preemptible[r] ? 0 : small->held[p][r];
		}
	}
	return left;
}

/* Those of the stuck that hold something. */
static inline unsigned small_dead(const struct small *small, unsigned ended, int64_t *there)
{
	unsigned stuck = small_stuck(small, ended, there);

	for (uint32_t p = 0; p < small->nprocesses; p++) {
		bool holds = false;

		for (uint32_t r = 0; r < small->nresources; r++)
			holds = holds || small->held[p][r];
		if (!holds)
			stuck &= ~(1u << p);
	}
	return stuck;
}

#endif
