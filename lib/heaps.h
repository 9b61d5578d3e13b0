/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_HEAPS_H
#define LIB_HEAPS_H

/*
 * Many heaps in one array, the least amount on top, four children each (D. B. Johnson,
 * Priority Queues with Update and Finding Minimum Spanning Trees, Information Processing
 * Letters 4 (3), 1975). Together they hold no more than a number known from the start, and
 * nothing is allocated after that.
 *
 * A heap is a block of the array, of twice the size when it is full. Blocks that were left
 * are taken up when the end of the array is reached: by then there were so many pushes as
 * to pay for going through it.
 */

#include <stdbool.h>

#include <ipckit/deadlock.h>

struct watcher {
	int64_t wanted;
	uint32_t node, shift;
};

struct heap {
	int64_t least; /* what the top wants; INT64_MAX where there is none, too */
	size_t at;     /* its block; 0: none */
};

/* The first of a block is no watcher: wanted is how many follow, node the heap, shift the block's size as a power of 2. */
struct heaps {
	struct heap *heap;
	struct watcher *array; /* in memory, at a multiple of a cache line */
	void *memory;
	uint32_t count;
	size_t used, room;
};

/* most: watchers, of all heaps. Returns 0 or -ENOMEM; heaps_free() frees what it has in any case. */
int heaps_alloc(struct heaps *heaps, uint32_t count, size_t most);
void heaps_free(struct heaps *heaps);
/* To be done before any use. */
void heaps_clear(struct heaps *heaps);
/* to: allocated for the same count and number. */
void heaps_copy(const struct heaps *from, struct heaps *to);

void heaps_push(struct heaps *heaps, uint32_t heap, uint32_t node, int64_t wanted);
/* Takes the top off if it wants at most that much. */
bool heaps_pop(struct heaps *heaps, uint32_t heap, int64_t available, uint32_t *node);

/* Fetches what a pop looks at first, if there is something to take off. */
static inline void heaps_prefetch(const struct heaps *heaps, uint32_t heap, int64_t available)
{
	if (heaps->heap[heap].least <= available)
		__builtin_prefetch(&heaps->array[heaps->heap[heap].at]);
}

#endif
