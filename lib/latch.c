/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contend.h"
#include "futex.h"

#include <errno.h>
#include <ipckit/once.h>
#include <limits.h>

int ipckit_latch_down(uint32_t *word, uint32_t count, uint32_t *left)
{
	uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
	int r = 0;

	do {
		if (seen < count)
			return -ERANGE;
	} while (!__atomic_compare_exchange_n(word, &seen, seen - count, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	if (seen == count)
		r = futex_wake(word, INT_MAX);
	if (r < 0)
		return r;
	*left = seen - count;
	return 0;
}

int ipckit_latch_wait(const uint32_t *word, const struct ipckit_deadline *deadline)
{
	uint32_t left;
	int r;

	while ((left = __atomic_load_n(word, __ATOMIC_SEQ_CST))) {
		r = contend_sleep(word, left, CONTEND_LOOK_NS, deadline);
		if (r)
			return r;
	}
	return 0;
}
