/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heaps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE 64

/*
 * Where blocks begin, since 0 stands for none. They are of a multiple of 4, the top is number 1,
 * and the children of i are the four from 4i-2 on: these share a line of the cache.
 */
#define FIRST 2
#define LEAST_SHIFT 2

/* ---- blocks ---- */

/* So large that it has room for half as many again, and at most four times as many. */
static uint32_t fitting_shift(size_t n)
{
	uint32_t shift = LEAST_SHIFT;

	while ((size_t)1 << shift < n + n / 2 + 1)
		shift++;
	return shift;
}

/* Moves the blocks that are in use to the front, those that became too large cut. */
static void compact(struct heaps *heaps)
{
	struct watcher *array = heaps->array;
	size_t to = FIRST, size;

	for (size_t from = FIRST; from < heaps->used; from += size) {
		struct heap *heap = &heaps->heap[array[from].node];
		size_t n = array[from].wanted;
		uint32_t shift = fitting_shift(n);

		size = (size_t)1 << array[from].shift;
		if (heap->at != from)
			continue;
		heap->at = n ? to : 0;
		if (!n)
			continue;
		if (shift < array[from].shift)
			array[from].shift = shift;
		memmove(&array[to], &array[from], (n + 1) * sizeof(*array));
		to += (size_t)1 << array[to].shift;
	}
	heaps->used = to;
}

/* A block of the heap's own with room for one more: compacted blocks are at most four times
 * as large as what is in them, so that another of twice one's size always fits. */
static struct watcher *grow(struct heaps *heaps, uint32_t number)
{
	struct heap *heap = &heaps->heap[number];
	uint32_t shift = heap->at ? heaps->array[heap->at].shift + 1 : LEAST_SHIFT;
	struct watcher *block;

	if (heaps->room - heaps->used < (size_t)1 << shift)
		compact(heaps);
	block = &heaps->array[heaps->used];
	if (heap->at)
		memcpy(block, &heaps->array[heap->at], sizeof(*block) << (shift - 1));
	else
		block->wanted = 0;
	block->node = number;
	block->shift = shift;
	heap->at = heaps->used;
	heaps->used += (size_t)1 << shift;
	return block;
}

/* ---- heaps ---- */

void heaps_push(struct heaps *heaps, uint32_t number, uint32_t node, int64_t wanted)
{
	struct heap *heap = &heaps->heap[number];
	struct watcher *block = &heaps->array[heap->at];
	size_t at;

	if (!heap->at || (size_t)block->wanted + 1 == (size_t)1 << block->shift)
		block = grow(heaps, number);
	at = ++block->wanted;
	for (size_t above; at > 1 && block[above = (at + 2) / 4].wanted > wanted; at = above)
		block[at] = block[above];
	block[at] = (struct watcher){ .wanted = wanted, .node = node };
	heap->least = block[1].wanted;
}

/* The least of up to four, without branches that would be mispredicted. */
static size_t least_of(const struct watcher *block, size_t first, size_t n)
{
	size_t a = first, b;

	if (first + 3 > n) {
		for (b = first + 1; b <= n; b++)
			a = block[b].wanted < block[a].wanted ? b : a;
		return a;
	}
	a += block[first + 1].wanted < block[first].wanted;
	b = first + 2 + (block[first + 3].wanted < block[first + 2].wanted);
	return block[b].wanted < block[a].wanted ? b : a;
}

/* Fills the top's place from below, and what is open then with the last one. */
static void close_gap(struct watcher *block, size_t n)
{
	struct watcher last = block[n + 1];
	size_t at = 1;

	for (size_t child; (child = 4 * at - 2) <= n; at = child) {
		child = least_of(block, child, n);
		if (block[child].wanted >= last.wanted)
			break;
		block[at] = block[child];
	}
	block[at] = last;
}

bool heaps_pop(struct heaps *heaps, uint32_t number, int64_t available, uint32_t *node)
{
	struct heap *heap = &heaps->heap[number];
	struct watcher *block = &heaps->array[heap->at];

	if (heap->least > available || !heap->at || !block->wanted)
		return false;
	*node = block[1].node;
	if (--block->wanted)
		close_gap(block, block->wanted);
	heap->least = block->wanted ? block[1].wanted : INT64_MAX;
	return true;
}

/* ---- making and freeing ---- */

int heaps_alloc(struct heaps *heaps, uint32_t count, size_t most)
{
	size_t size;

	*heaps = (struct heaps){ .count = count };
	if (__builtin_mul_overflow(most, 8, &heaps->room) || __builtin_add_overflow(heaps->room, 8, &heaps->room) ||
	    __builtin_mul_overflow(heaps->room, sizeof(*heaps->array), &size) ||
	    __builtin_add_overflow(size, LINE, &size))
		return -ENOMEM;
	heaps->heap = reallocarray(NULL, count + (size_t)1, sizeof(*heaps->heap));
	heaps->memory = malloc(size);
	heaps->array = (void *)(((uintptr_t)heaps->memory + LINE - 1) & -(uintptr_t)LINE);
	return heaps->heap && heaps->memory ? 0 : -ENOMEM;
}

void heaps_free(struct heaps *heaps)
{
	free(heaps->heap);
	free(heaps->memory);
	*heaps = (struct heaps){ 0 };
}

void heaps_clear(struct heaps *heaps)
{
	for (uint32_t i = 0; i < heaps->count; i++)
		heaps->heap[i] = (struct heap){ .least = INT64_MAX };
	heaps->used = FIRST;
}

void heaps_copy(const struct heaps *from, struct heaps *to)
{
	memcpy(to->heap, from->heap, from->count * sizeof(*from->heap));
	memcpy(to->array, from->array, from->used * sizeof(*from->array));
	to->used = from->used;
}
