/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "futex-call.h"

/* FUTEX_LOCK_PI counts on CLOCK_REALTIME by itself, and refuses the flag that says so. */
int ipckit_futex_lock_pi(uint32_t *word, unsigned flags, const struct timespec *until)
{
	int op = flags & IPCKIT_FUTEX_REALTIME ? FUTEX_LOCK_PI : FUTEX_LOCK_PI2;

	if (flags & IPCKIT_FUTEX_2)
		return -EOPNOTSUPP;
	return futex_until(word, op | futex_bits(flags & ~IPCKIT_FUTEX_REALTIME), 0, until, NULL, 0);
}

int ipckit_futex_trylock_pi(uint32_t *word, unsigned flags)
{
	if (flags & IPCKIT_FUTEX_2)
		return -EOPNOTSUPP;
	return futex_two(word, FUTEX_TRYLOCK_PI | futex_bits(flags), 0, 0, NULL, 0);
}

int ipckit_futex_unlock_pi(uint32_t *word, unsigned flags)
{
	if (flags & IPCKIT_FUTEX_2)
		return -EOPNOTSUPP;
	return futex_two(word, FUTEX_UNLOCK_PI | futex_bits(flags), 0, 0, NULL, 0);
}

int ipckit_futex_wait_requeue_pi(const uint32_t *word, uint32_t value, uint32_t *lock, unsigned flags,
				 const struct timespec *until)
{
	if (flags & IPCKIT_FUTEX_2)
		return -EOPNOTSUPP;
	return futex_until(word, FUTEX_WAIT_REQUEUE_PI | futex_bits(flags), value, until, lock, 0);
}

int ipckit_futex_cmp_requeue_pi(const uint32_t *word, uint32_t *lock, uint32_t expected, uint32_t move,
				unsigned flags, unsigned *affected)
{
	int op = FUTEX_CMP_REQUEUE_PI | futex_bits(flags);

	if (flags & IPCKIT_FUTEX_2)
		return -EOPNOTSUPP;
	return futex_counted(futex_two(word, op, 1, futex_count(move), lock, expected), affected);
}
