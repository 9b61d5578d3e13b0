/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lock-word.h"
#include "contend.h"
#include "futex.h"

#include <errno.h>

int lock_word_take(uint32_t *word, enum lock_word as, const struct ipckit_deadline *deadline)
{
	uint32_t seen = LOCK_WORD_FREE;
	int r;

	while (!__atomic_compare_exchange_n(word, &seen, as, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		if (seen > LOCK_WORD_WAITED_FOR)
			return -EBADMSG;
		r = contend_await(word, seen, LOCK_WORD_WAITED_FOR, CONTEND_LOOK_NS, deadline);
		if (r)
			return r;
		/* Who sleeps as well is not known: whoever was woken says that there may be more. */
		as = LOCK_WORD_WAITED_FOR;
		seen = LOCK_WORD_FREE;
	}
	return 0;
}

int ipckit_lock_take(uint32_t *word, const struct ipckit_deadline *deadline)
{
	return lock_word_take(word, LOCK_WORD_HELD, deadline);
}

int ipckit_lock_give(uint32_t *word)
{
	uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
	int r;

	do {
		if (seen > LOCK_WORD_WAITED_FOR)
			return -EBADMSG;
		if (seen == LOCK_WORD_FREE)
			return -EPERM;
	} while (!__atomic_compare_exchange_n(word, &seen, LOCK_WORD_FREE, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	r = seen == LOCK_WORD_WAITED_FOR ? futex_wake(word, 1) : 0;
	return r < 0 ? r : 0;
}
