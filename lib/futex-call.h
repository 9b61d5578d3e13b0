/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_FUTEX_CALL_H
#define LIB_FUTEX_CALL_H

/* The calls of futexes as the kernel has them, each normalised to -errno: what ipckit/futex.h is made of. */

#include "sys.h"

#include <ipckit/futex.h>
#include <linux/futex.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
/* Linux 6.7: newer than the headers of many systems. */
#ifndef SYS_futex_wake
#define SYS_futex_wake 454
#endif
#ifndef SYS_futex_wait
#define SYS_futex_wait 455
#endif
#ifndef SYS_futex_requeue
#define SYS_futex_requeue 456
#endif
#ifndef FUTEX2_SIZE_U32
#define FUTEX2_SIZE_U32 0x02
#endif
#ifndef FUTEX2_NUMA
#define FUTEX2_NUMA 0x04
#endif
#ifndef FUTEX2_MPOL
#define FUTEX2_MPOL 0x08 /* Linux 6.16 */
#endif
#ifndef FUTEX2_PRIVATE
#define FUTEX2_PRIVATE FUTEX_PRIVATE_FLAG
#endif

/* The bits of an operation of futex(2): what does not go with it is the kernel's to refuse. */
static inline int futex_bits(unsigned flags)
{
	return (flags & IPCKIT_FUTEX_PRIVATE ? FUTEX_PRIVATE_FLAG : 0) |
	       (flags & IPCKIT_FUTEX_REALTIME ? FUTEX_CLOCK_REALTIME : 0);
}

/* The flags of a word of the newer calls. */
static inline unsigned futex2_bits(unsigned flags)
{
	return FUTEX2_SIZE_U32 | (flags & IPCKIT_FUTEX_PRIVATE ? FUTEX2_PRIVATE : 0);
}

static inline clockid_t futex_clock(unsigned flags)
{
	return flags & IPCKIT_FUTEX_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

/* A count for the kernel, which reads it as int. */
static inline int futex_count(uint32_t count)
{
	return count > INT_MAX ? INT_MAX : (int)count;
}

/* For operations that wait. */
static inline int futex_until(const uint32_t *word, int op, uint32_t value, const struct timespec *timeout,
			      const uint32_t *second, uint32_t value3)
{
	return (int)sys_result(syscall(SYS_futex, word, op, value, timeout, second, value3));
}

/* For operations that have a second number in the place of the timeout. */
static inline int futex_two(const uint32_t *word, int op, int value, int value2, const uint32_t *second,
			    uint32_t value3)
{
	return (int)sys_result(syscall(SYS_futex, word, op, value, (long)value2, second, value3));
}

/* What the kernel says of the two words, of whose sleepers it moves none to the other. */
static inline int futex_check(const uint32_t *word, const uint32_t *second, unsigned flags)
{
	return futex_two(word, FUTEX_REQUEUE | futex_bits(flags), 0, 0, second, 0);
}

/* 0, and the count that the kernel gave; or its error. */
static inline int futex_counted(int r, unsigned *count)
{
	if (r < 0)
		return r;
	*count = (unsigned)r;
	return 0;
}

#endif
