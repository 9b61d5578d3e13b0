/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_ARRAY_H
#define LIB_ARRAY_H

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

#endif
