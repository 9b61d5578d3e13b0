/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_DEADLINE_H
#define IPCKIT_DEADLINE_H

/*
 * Deadlines: the one place for clocks and for ending a wait.
 *
 * A deadline is a point on CLOCK_MONOTONIC (clock_gettime(2)), so that setting
 * the clock neither shortens nor lengthens a wait, and a call interrupted by a
 * signal goes on towards the same point.
 */

#include <ipckit/base.h>
#include <signal.h>
#include <time.h>

/* The duration that never ends, for ipckit_deadline_in(). */
#define IPCKIT_FOREVER INT64_MAX

enum ipckit_deadline_kind {
	IPCKIT_DEADLINE_NONE, /* wait without limit */
	IPCKIT_DEADLINE_TRY,  /* do not wait at all */
	IPCKIT_DEADLINE_AT,   /* wait until .at */
};

struct ipckit_deadline {
	enum ipckit_deadline_kind kind;
	struct timespec at; /* CLOCK_MONOTONIC; only for IPCKIT_DEADLINE_AT */
	bool endless;       /* at is for another look only: the wait goes on then, without limit */

	/*
	 * When not NULL and not 0, waits end with -EINTR. Whoever sets it from a
	 * signal handler must see to it that signals go on arriving (a repeating
	 * timer, say) until the wait has ended: the first may come just before the
	 * system call. Where this is set, the caller also promises a signal at the
	 * deadline for the calls that the kernel cannot time (file locks).
	 */
	const volatile sig_atomic_t *stop;
};

/*
 * Makes the deadline that lies a duration from now.
 *
 * ns: nanoseconds; 0 means do not wait, IPCKIT_FOREVER or less than 0 without
 * limit. Never fails: a point beyond the clock's range is without limit. stop
 * is set to NULL. See clock_gettime(2).
 */
void ipckit_deadline_in(int64_t ns, struct ipckit_deadline *out);

/*
 * Tells whether a wait may go on, and how long.
 *
 * left: gets the time left (at least 1 ns); may be NULL. Meaningless for
 * IPCKIT_DEADLINE_NONE, where it is set to the largest time.
 *
 * Returns 0; -ETIMEDOUT when the deadline has passed; -EAGAIN for
 * IPCKIT_DEADLINE_TRY; -EINTR when *stop is set.
 */
IPCKIT_CHECK int ipckit_deadline_left(const struct ipckit_deadline *deadline, struct timespec *left);

/*
 * Makes the deadline of a part of a wait, after which something is looked at again: ns from now, or the deadline
 * itself where that comes before; stop is the deadline's; endless where that has no limit.
 *
 * ns: nanoseconds, as for ipckit_deadline_in(). Never fails.
 */
void ipckit_deadline_within(const struct ipckit_deadline *deadline, int64_t ns, struct ipckit_deadline *out);

/*
 * Makes the point in time at which a call that counts on a clock is to end the wait.
 *
 * clock: CLOCK_MONOTONIC or CLOCK_REALTIME, of now. room: for the point. out: gets it, or NULL where there is no
 * limit, or none that this clock can have. Returns as ipckit_deadline_left(). See clock_gettime(2).
 */
IPCKIT_CHECK int ipckit_deadline_point(const struct ipckit_deadline *deadline, clockid_t clock, struct timespec *room,
				       const struct timespec **out);

/*
 * Sleeps for a duration, but not beyond the deadline.
 *
 * ns: nanoseconds. Blocks; a signal handler that runs does not shorten it.
 * Returns 0 when the duration has passed, else as ipckit_deadline_left().
 * Rests on clock_nanosleep(2).
 */
IPCKIT_CHECK int ipckit_deadline_sleep(const struct ipckit_deadline *deadline, int64_t ns);

#endif
