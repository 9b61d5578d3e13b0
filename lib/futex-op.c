/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "futex-call.h"

/* ---- waiting ---- */

int ipckit_futex_wait(const uint32_t *word, uint32_t value, unsigned flags, const struct timespec *timeout)
{
	if (flags & IPCKIT_FUTEX_2)
		return -EOPNOTSUPP;
	return futex_until(word, FUTEX_WAIT | futex_bits(flags), value, timeout, NULL, 0);
}

int ipckit_futex_wait_bitset(const uint32_t *word, uint32_t value, uint32_t bitset, unsigned flags,
			     const struct timespec *until)
{
	if (!(flags & IPCKIT_FUTEX_2))
		return futex_until(word, FUTEX_WAIT_BITSET | futex_bits(flags), value, until, NULL, bitset);
	return (int)sys_result(syscall(SYS_futex_wait, word, (unsigned long)value, (unsigned long)bitset,
				       futex2_bits(flags), until, futex_clock(flags)));
}

int ipckit_futex_waitv(const struct ipckit_futex_waiter *waiters, unsigned count, unsigned flags,
		       const struct timespec *until, unsigned *woken)
{
	struct futex_waitv list[IPCKIT_FUTEX_WAITV_MOST];
	int r;

	if (count == 0 || count > IPCKIT_FUTEX_WAITV_MOST)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++)
		list[i] = (struct futex_waitv){
			.uaddr = (uintptr_t)waiters[i].word,
			.val = waiters[i].value,
			.flags = futex2_bits(flags),
		};
	r = (int)sys_result(syscall(SYS_futex_waitv, list, count, 0, until, futex_clock(flags)));
	return futex_counted(r, woken);
}

/* ---- waking and moving ---- */

/* What takes a number has no clock, and says so as futex(2) does. */
static int wake2(const uint32_t *word, int count, uint32_t bitset, unsigned flags)
{
	if (flags & IPCKIT_FUTEX_REALTIME)
		return -ENOSYS;
	return (int)sys_result(syscall(SYS_futex_wake, word, (unsigned long)bitset, count, futex2_bits(flags)));
}

int ipckit_futex_wake(const uint32_t *word, uint32_t count, uint32_t bitset, unsigned flags, unsigned *woken)
{
	int op = bitset == FUTEX_BITSET_MATCH_ANY ? FUTEX_WAKE : FUTEX_WAKE_BITSET;

	if (flags & IPCKIT_FUTEX_2)
		return futex_counted(wake2(word, futex_count(count), bitset, flags), woken);
	if (!count)
		return bitset ? futex_counted(futex_check(word, word, flags), woken) : -EINVAL;
	return futex_counted(futex_two(word, op | futex_bits(flags), futex_count(count), 0, NULL, bitset), woken);
}

int ipckit_futex_requeue(const uint32_t *from, const uint32_t *to, uint32_t wake, uint32_t move,
			 unsigned flags, unsigned *affected)
{
	if (flags & IPCKIT_FUTEX_2)
		return -EOPNOTSUPP;
	return futex_counted(futex_two(from, FUTEX_REQUEUE | futex_bits(flags), futex_count(wake),
				       futex_count(move), to, 0),
			     affected);
}

static int requeue2(const uint32_t *from, const uint32_t *to, uint32_t expected, int wake, int move,
		    unsigned flags)
{
	const struct futex_waitv words[] = {
		{ .uaddr = (uintptr_t)from, .val = expected, .flags = futex2_bits(flags) },
		{ .uaddr = (uintptr_t)to, .flags = futex2_bits(flags) },
	};

	if (flags & IPCKIT_FUTEX_REALTIME)
		return -ENOSYS;
	return (int)sys_result(syscall(SYS_futex_requeue, words, 0, wake, move));
}

int ipckit_futex_cmp_requeue(const uint32_t *from, const uint32_t *to, uint32_t expected, uint32_t wake,
			     uint32_t move, unsigned flags, unsigned *affected)
{
	int wakes = futex_count(wake), moves = futex_count(move);

	if (flags & IPCKIT_FUTEX_2)
		return futex_counted(requeue2(from, to, expected, wakes, moves, flags), affected);
	return futex_counted(futex_two(from, FUTEX_CMP_REQUEUE | futex_bits(flags), wakes, moves, to, expected),
			     affected);
}

/* ---- what has gone ---- */

int ipckit_futex_fd(const uint32_t *word, int *fd)
{
	int r = futex_two(word, FUTEX_FD, 0, 0, NULL, 0);

	if (r < 0)
		return r;
	*fd = r;
	return 0;
}
