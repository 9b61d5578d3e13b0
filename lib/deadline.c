/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include <ipckit/deadline.h>

#define NS_PER_SEC 1000000000L

static const struct timespec far_future = {
	.tv_sec = sizeof(time_t) == 8 ? (time_t)INT64_MAX : (time_t)INT32_MAX,
	.tv_nsec = NS_PER_SEC - 1,
};

static struct timespec monotonic_now(void)
{
	struct timespec now;

	/* Fails only for clocks that the kernel does not have. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now;
}

/* Whether the clock goes so far. */
static bool add(struct timespec *time, const struct timespec *left)
{
	time->tv_nsec += left->tv_nsec;
	if (time->tv_nsec >= NS_PER_SEC) {
		time->tv_nsec -= NS_PER_SEC;
		if (__builtin_add_overflow(time->tv_sec, 1, &time->tv_sec))
			return false;
	}
	return !__builtin_add_overflow(time->tv_sec, left->tv_sec, &time->tv_sec);
}

/* The point ns nanoseconds after now, ns not negative; -ERANGE where the clock ends before. */
static int point_after(struct timespec now, int64_t ns, struct timespec *out)
{
	const struct timespec left = { .tv_sec = ns / NS_PER_SEC, .tv_nsec = ns % NS_PER_SEC };

	if (!add(&now, &left))
		return -ERANGE;
	*out = now;
	return 0;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

void ipckit_deadline_in(int64_t ns, struct ipckit_deadline *out)
{
	*out = (struct ipckit_deadline){ .kind = IPCKIT_DEADLINE_NONE };
	if (ns == 0)
		out->kind = IPCKIT_DEADLINE_TRY;
	else if (ns > 0 && ns != IPCKIT_FOREVER && !point_after(monotonic_now(), ns, &out->at))
		out->kind = IPCKIT_DEADLINE_AT;
}

static int time_left(const struct ipckit_deadline *deadline, struct timespec *left)
{
	struct timespec now;

	switch (deadline->kind) {
	case IPCKIT_DEADLINE_NONE:
		*left = far_future;
		return 0;
	case IPCKIT_DEADLINE_TRY:
		return -EAGAIN;
	case IPCKIT_DEADLINE_AT:
		break;
	}
	now = monotonic_now();
	if (!is_before(&now, &deadline->at))
		return -ETIMEDOUT;
	left->tv_sec = deadline->at.tv_sec - now.tv_sec;
	left->tv_nsec = deadline->at.tv_nsec - now.tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_nsec += NS_PER_SEC;
		left->tv_sec--;
	}
	return 0;
}

int ipckit_deadline_left(const struct ipckit_deadline *deadline, struct timespec *left)
{
	struct timespec rest;
	int r;

	if (deadline->stop && *deadline->stop)
		return -EINTR;
	r = time_left(deadline, &rest);
	if (!r && left)
		*left = rest;
	return r;
}

int ipckit_deadline_point(const struct ipckit_deadline *deadline, clockid_t clock, struct timespec *room,
			  const struct timespec **out)
{
	struct timespec left;
	int r = ipckit_deadline_left(deadline, &left);

	if (r)
		return r;
	*out = NULL;
	if (deadline->kind == IPCKIT_DEADLINE_NONE)
		return 0;
	*room = deadline->at;
	if (clock != CLOCK_MONOTONIC) {
		clock_gettime(clock, room);
		if (!add(room, &left))
			return 0;
	}
	*out = room;
	return 0;
}

void ipckit_deadline_within(const struct ipckit_deadline *deadline, int64_t ns, struct ipckit_deadline *out)
{
	struct ipckit_deadline part;

	ipckit_deadline_in(ns, &part);
	part.stop = deadline->stop;
	part.endless = deadline->kind == IPCKIT_DEADLINE_NONE || deadline->endless;
	if (deadline->kind == IPCKIT_DEADLINE_TRY || part.kind == IPCKIT_DEADLINE_NONE ||
	    (deadline->kind == IPCKIT_DEADLINE_AT && part.kind == IPCKIT_DEADLINE_AT &&
	     is_before(&deadline->at, &part.at)))
		part = *deadline;
	*out = part;
}

int ipckit_deadline_sleep(const struct ipckit_deadline *deadline, int64_t ns)
{
	struct timespec until = far_future;
	bool cut = false;
	int r;

	if (ns > 0 && ns != IPCKIT_FOREVER && point_after(monotonic_now(), ns, &until))
		until = far_future;
	if (deadline->kind == IPCKIT_DEADLINE_AT && is_before(&deadline->at, &until)) {
		until = deadline->at;
		cut = true;
	}
	for (;;) {
		r = ipckit_deadline_left(deadline, NULL);
		if (r)
			return r;
		if (ns <= 0)
			return 0;
		r = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		if (!r)
			return cut ? -ETIMEDOUT : 0;
		if (r != EINTR)
			return -r;
	}
}
