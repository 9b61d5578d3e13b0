/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contend.h"
#include "futex.h"

#include <errno.h>
#include <linux/futex.h>

/* An owner and its death, or sleepers and no owner, are states of PI mutexes, if of any. */
bool contend_is_mutex(uint32_t value)
{
	uint32_t owner = value & FUTEX_TID_MASK;

	if (value & FUTEX_OWNER_DIED)
		return !owner;
	return owner ? owner < CONTEND_TIDS : !value;
}

int contend_sleep(const uint32_t *word, uint32_t value, int64_t ns, const struct ipckit_deadline *deadline)
{
	struct ipckit_deadline look;
	int r = ipckit_deadline_left(deadline, NULL);

	if (r)
		return r;
	ipckit_deadline_within(deadline, ns, &look);
	r = futex_sleep(word, value, &look);
	return r == -ETIMEDOUT || r == -EAGAIN ? 0 : r;
}

int contend_await(uint32_t *word, uint32_t seen, uint32_t marked, int64_t ns,
		  const struct ipckit_deadline *deadline)
{
	if (deadline->kind == IPCKIT_DEADLINE_TRY)
		return ipckit_deadline_left(deadline, NULL);
	/* Before the deadline is looked at: who was woken and gives up leaves the mark for those that still sleep. */
	if (seen != marked &&
	    !__atomic_compare_exchange_n(word, &seen, marked, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return 0;
	return contend_sleep(word, marked, ns, deadline);
}

int contend_own(struct robust *robust, const struct ipckit_deadline *deadline, uint32_t *seen)
{
	bool waiters = false;
	int r;

	for (;;) {
		*seen = __atomic_load_n(robust->word, __ATOMIC_SEQ_CST);
		if (!contend_is_mutex(*seen))
			return -EBADMSG;
		if (!(*seen & FUTEX_TID_MASK)) {
			if (robust_take(robust, *seen, waiters))
				return 0;
			continue;
		}
		r = contend_await(robust->word, *seen, *seen | FUTEX_WAITERS, CONTEND_LOOK_NS, deadline);
		if (r)
			return r;
		/* Who sleeps as well is not known: whoever was woken says that there may be more. */
		waiters = true;
	}
}
