/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_ROWS_H
#define LIB_ROWS_H

#include <ipckit/deadlock.h>

/* The count of a cell, 0 where there is none. */
static inline int64_t rows_find(const struct ipckit_rows *rows, uint32_t process, uint32_t resource)
{
	size_t low, end = ipckit_rows_of(rows, process, &low), high = end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rows->column[middle] < resource)
			low = middle + 1;
		else
			high = middle;
	}
	return low < end && rows->column[low] == resource ? ipckit_rows_count(rows, low) : 0;
}

#endif
