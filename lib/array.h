/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_ARRAY_H
#define LIB_ARRAY_H

#include <stdlib.h>

/* Arrays of no elements are made too, so that NULL means that there is no memory. */
static inline void *array_of(size_t n, size_t size)
{
	return reallocarray(NULL, n + 1, size);
}

#endif
