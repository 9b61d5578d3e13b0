/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_ARRAY_H
#define LIB_ARRAY_H

#include <stdint.h>
#include <stdlib.h>

/* Arrays of no elements are made too, so that NULL means that there is no memory. */
static inline void *array_of(size_t n, size_t size)
{
	return reallocarray(NULL, n + 1, size);
}

/*
 * Room for one more behind n elements of an array that grows in no other way: it is
 * doubled whenever a power of two is full. The array, perhaps moved, or NULL, and
 * then it is as it was.
 */
static inline void *array_room(void *list, size_t n, size_t size)
{
	return n & (n - 1) ? list : reallocarray(list, n ? n * 2 : 1, size);
}

/* The order of two numbers of one type, as qsort(3) wants it. */
#define array_order(a, b) (((a) > (b)) - ((a) < (b)))

static inline int array_by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return array_order(x, y);
}

/* Puts numbers in order, each once. Returns how many that are. */
static inline size_t array_sort_numbers(uint32_t *list, size_t count)
{
	size_t kept = 0;

	if (!count)
		return 0;
	qsort(list, count, sizeof(*list), array_by_number);
	for (size_t i = 0; i < count; i++)
		if (!kept || list[kept - 1] != list[i])
			list[kept++] = list[i];
	return kept;
}

#endif
