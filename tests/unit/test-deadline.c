/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <sys/time.h>

#include <ipckit/deadline.h>

#define MS 1000000LL
#define S 1000000000LL

/* No check below rests on something being quick: this only ends a test that hangs. */
#define LIMIT 60

static volatile sig_atomic_t stop;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * S + now.tv_nsec;
}

static int64_t ns_of(struct timespec time)
{
	return time.tv_sec * S + time.tv_nsec;
}

static struct ipckit_deadline in(int64_t ns)
{
	struct ipckit_deadline deadline;

	memset(&deadline, 0x5a, sizeof(deadline));
	ipckit_deadline_in(ns, &deadline);
	return deadline;
}

static void test_kinds(void)
{
	struct ipckit_deadline deadline = in(0);
	int64_t before = now_ns(), after;

	CHECK_INT(deadline.kind, IPCKIT_DEADLINE_TRY);
	CHECK(!deadline.stop);
	CHECK_INT(in(IPCKIT_FOREVER).kind, IPCKIT_DEADLINE_NONE);
	CHECK(!in(IPCKIT_FOREVER).stop);
	CHECK_INT(in(-1).kind, IPCKIT_DEADLINE_NONE);
	CHECK_INT(in(INT64_MIN).kind, IPCKIT_DEADLINE_NONE);

	deadline = in(1500 * MS);
	after = now_ns();
	CHECK_INT(deadline.kind, IPCKIT_DEADLINE_AT);
	CHECK(!deadline.stop);
	CHECK(deadline.at.tv_nsec >= 0 && deadline.at.tv_nsec < S);
	CHECK(ns_of(deadline.at) >= before + 1500 * MS);
	CHECK(ns_of(deadline.at) <= after + 1500 * MS);

	deadline = in(IPCKIT_FOREVER - 1);
	CHECK_INT(deadline.kind, IPCKIT_DEADLINE_AT);
	CHECK(deadline.at.tv_sec >= INT64_MAX / S);
	CHECK(deadline.at.tv_nsec >= 0 && deadline.at.tv_nsec < S);
}

static void test_left(void)
{
	struct timespec left = { .tv_sec = -5, .tv_nsec = -5 };
	struct ipckit_deadline deadline = in(0);

	CHECK_INT(ipckit_deadline_left(&deadline, &left), -EAGAIN);
	CHECK(left.tv_sec == -5 && left.tv_nsec == -5);

	deadline = in(IPCKIT_FOREVER);
	CHECK_INT(ipckit_deadline_left(&deadline, &left), 0);
	CHECK(left.tv_sec > INT32_MAX / 2 && left.tv_nsec == S - 1);

	deadline = in(3600 * S);
	CHECK_INT(ipckit_deadline_left(&deadline, &left), 0);
	CHECK(ns_of(left) > 0 && ns_of(left) <= 3600 * S);
	CHECK(left.tv_nsec >= 0 && left.tv_nsec < S);
	CHECK_INT(ipckit_deadline_left(&deadline, NULL), 0);

	deadline.at = (struct timespec){ 0 };
	left.tv_sec = -5;
	CHECK_INT(ipckit_deadline_left(&deadline, &left), -ETIMEDOUT);
	CHECK_INT(left.tv_sec, -5);

	/* What has come to an end through stop is no timeout. */
	deadline.stop = &stop;
	stop = 0;
	CHECK_INT(ipckit_deadline_left(&deadline, &left), -ETIMEDOUT);
	stop = 1;
	CHECK_INT(ipckit_deadline_left(&deadline, &left), -EINTR);
	deadline.kind = IPCKIT_DEADLINE_TRY;
	CHECK_INT(ipckit_deadline_left(&deadline, &left), -EINTR);
	deadline.kind = IPCKIT_DEADLINE_NONE;
	CHECK_INT(ipckit_deadline_left(&deadline, &left), -EINTR);
	CHECK_INT(left.tv_sec, -5);
}

/* The nanosecond part borrows from the seconds. */
/* A point on the other clock is as far from its now, at some moment of the call, as the deadline is from its own. */
static void check_realtime(int64_t ns)
{
	struct ipckit_deadline deadline = in(ns);
	const struct timespec *point = NULL;
	struct timespec before, after, room;
	int64_t soonest = ns_of(deadline.at) - now_ns(), latest;

	clock_gettime(CLOCK_REALTIME, &before);
	CHECK_INT(ipckit_deadline_point(&deadline, CLOCK_REALTIME, &room, &point), 0);
	clock_gettime(CLOCK_REALTIME, &after);
	latest = ns_of(deadline.at) - now_ns();
	if (!CHECK(point == &room))
		return;
	CHECK(room.tv_nsec >= 0 && room.tv_nsec < S);
	CHECK(ns_of(room) >= ns_of(before) + latest && ns_of(room) <= ns_of(after) + soonest);
}

static void test_point(void)
{
	struct ipckit_deadline deadline = in(3600 * S);
	const struct timespec *point = NULL;
	struct timespec room;

	CHECK_INT(ipckit_deadline_point(&deadline, CLOCK_MONOTONIC, &room, &point), 0);
	CHECK(point == &room && ns_of(room) == ns_of(deadline.at));
	for (int64_t ns = 3600 * S; ns < 3602 * S; ns += S / 10)
		check_realtime(ns);
	deadline.at.tv_sec = sizeof(time_t) == 8 ? (time_t)INT64_MAX : (time_t)INT32_MAX;
	CHECK_INT(ipckit_deadline_point(&deadline, CLOCK_REALTIME, &room, &point), 0);
	CHECK(!point);
	point = &room;
	deadline = in(IPCKIT_FOREVER);
	CHECK_INT(ipckit_deadline_point(&deadline, CLOCK_MONOTONIC, &room, &point), 0);
	CHECK(!point);
	deadline = in(0);
	CHECK_INT(ipckit_deadline_point(&deadline, CLOCK_REALTIME, &room, &point), -EAGAIN);
	deadline = in(1);
	while (now_ns() <= ns_of(deadline.at))
		;
	CHECK_INT(ipckit_deadline_point(&deadline, CLOCK_REALTIME, &room, &point), -ETIMEDOUT);
	stop = 1;
	deadline.stop = &stop;
	CHECK_INT(ipckit_deadline_point(&deadline, CLOCK_MONOTONIC, &room, &point), -EINTR);
	stop = 0;
}

static void test_left_borrows(void)
{
	struct ipckit_deadline deadline = { .kind = IPCKIT_DEADLINE_AT };
	struct timespec left;

	for (int i = 0; i < 1000; i++) {
		clock_gettime(CLOCK_MONOTONIC, &deadline.at);
		deadline.at.tv_sec += 100;
		deadline.at.tv_nsec = i % 2 ? 0 : S - 1;
		if (!CHECK_INT(ipckit_deadline_left(&deadline, &left), 0) ||
		    !CHECK(left.tv_nsec >= 0 && left.tv_nsec < S) ||
		    !CHECK(left.tv_sec >= 0 && left.tv_sec <= 101))
			break;
	}
}

static bool is_same(const struct ipckit_deadline *a, const struct ipckit_deadline *b)
{
	return a->kind == b->kind && a->stop == b->stop &&
	       (a->kind != IPCKIT_DEADLINE_AT || ns_of(a->at) == ns_of(b->at));
}

/* Whichever of the two comes first, and the flag is the deadline's. */
static void test_within(void)
{
	struct ipckit_deadline whole = in(3600 * S), part, left;

	whole.stop = &stop;
	stop = 0;
	ipckit_deadline_within(&whole, S, &part);
	left = in(2 * S);
	CHECK(part.kind == IPCKIT_DEADLINE_AT && part.stop == &stop && ns_of(part.at) < ns_of(left.at));
	CHECK_INT(ipckit_deadline_left(&part, NULL), 0);
	ipckit_deadline_within(&whole, 7200 * S, &part);
	CHECK(is_same(&part, &whole));
	ipckit_deadline_within(&whole, IPCKIT_FOREVER, &part);
	CHECK(is_same(&part, &whole));

	whole.kind = IPCKIT_DEADLINE_NONE;
	ipckit_deadline_within(&whole, S, &part);
	CHECK(part.kind == IPCKIT_DEADLINE_AT && part.stop == &stop);
	ipckit_deadline_within(&whole, IPCKIT_FOREVER, &part);
	CHECK(is_same(&part, &whole));

	whole.kind = IPCKIT_DEADLINE_TRY;
	ipckit_deadline_within(&whole, S, &part);
	CHECK(is_same(&part, &whole));
	whole = (struct ipckit_deadline){ .kind = IPCKIT_DEADLINE_AT };
	ipckit_deadline_within(&whole, S, &part);
	CHECK_INT(ipckit_deadline_left(&part, NULL), -ETIMEDOUT);
}

static void test_sleep(void)
{
	struct ipckit_deadline deadline = in(IPCKIT_FOREVER);
	int64_t begin = now_ns();

	CHECK_INT(ipckit_deadline_sleep(&deadline, 20 * MS), 0);
	CHECK(now_ns() - begin >= 20 * MS);
	CHECK_INT(ipckit_deadline_sleep(&deadline, 0), 0);
	CHECK_INT(ipckit_deadline_sleep(&deadline, -1), 0);

	begin = now_ns();
	deadline = in(20 * MS);
	CHECK_INT(ipckit_deadline_sleep(&deadline, 3600 * S), -ETIMEDOUT);
	CHECK(now_ns() - begin >= 20 * MS);
	CHECK_INT(ipckit_deadline_sleep(&deadline, 1), -ETIMEDOUT);
	CHECK_INT(ipckit_deadline_sleep(&deadline, 0), -ETIMEDOUT);
	deadline = in(20 * MS);
	CHECK_INT(ipckit_deadline_sleep(&deadline, IPCKIT_FOREVER), -ETIMEDOUT);

	deadline = in(3600 * S);
	CHECK_INT(ipckit_deadline_sleep(&deadline, MS), 0);
	deadline = in(0);
	CHECK_INT(ipckit_deadline_sleep(&deadline, MS), -EAGAIN);
}

#ifndef LATE_SIGNALS

static volatile sig_atomic_t ticks;

static void set_timer(int64_t first_us, int64_t interval_us)
{
	struct itimerval timer = {
		.it_value = { .tv_usec = first_us },
		.it_interval = { .tv_usec = interval_us },
	};

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void tick(int signal)
{
	(void)signal;
	ticks++;
}

static void tick_and_stop(int signal)
{
	(void)signal;
	if (++ticks == 3)
		stop = 1;
}

static void handle(void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(SIGALRM, &action, NULL);
}

/* Signals that do not mean to stop neither end nor shorten a sleep. */
static void test_signals_do_not_shorten(int flags)
{
	struct ipckit_deadline deadline = in(IPCKIT_FOREVER);
	int64_t begin = now_ns();

	handle(tick, flags);
	ticks = stop = 0;
	deadline.stop = &stop;
	set_timer(1000, 1000);
	CHECK_INT(ipckit_deadline_sleep(&deadline, 50 * MS), 0);
	CHECK(now_ns() - begin >= 50 * MS);
	CHECK(ticks > 0);

	deadline = in(50 * MS);
	begin = now_ns();
	CHECK_INT(ipckit_deadline_sleep(&deadline, 3600 * S), -ETIMEDOUT);
	CHECK(now_ns() - begin >= 50 * MS);
	set_timer(0, 0);
}

static void test_stop(int64_t timeout, int64_t sleep)
{
	struct ipckit_deadline deadline = in(timeout);

	handle(tick_and_stop, SA_RESTART);
	ticks = stop = 0;
	deadline.stop = &stop;
	set_timer(1000, 1000);
	CHECK_INT(ipckit_deadline_sleep(&deadline, sleep), -EINTR);
	set_timer(0, 0);
	CHECK(ticks >= 3);
	CHECK_INT(ipckit_deadline_sleep(&deadline, sleep), -EINTR);
	CHECK_INT(ipckit_deadline_sleep(&deadline, 0), -EINTR);
}

#endif

/* Ends a test that hangs; alarm(2) would share its timer with setitimer(2). */
static void limit_time(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGTERM };
	struct itimerspec time = { .it_value.tv_sec = LIMIT };
	timer_t timer;

	CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	CHECK(!timer_settime(timer, 0, &time, NULL));
}

int main(void)
{
	limit_time();
	test_kinds();
	test_left();
	test_left_borrows();
	test_point();
	test_within();
	test_sleep();
#ifndef LATE_SIGNALS
	test_signals_do_not_shorten(0);
	test_signals_do_not_shorten(SA_RESTART);
	test_stop(IPCKIT_FOREVER, IPCKIT_FOREVER);
	test_stop(IPCKIT_FOREVER, 3600 * S);
	test_stop(3600 * S, IPCKIT_FOREVER);
#endif
	return unit_done("deadline");
}
