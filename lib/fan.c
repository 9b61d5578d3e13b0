/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock.h"
#include "fan.h"

static int64_t point(const struct ipckit_deadline *deadline)
{
	switch (deadline->kind) {
	case IPCKIT_DEADLINE_NONE:
		return IPCKIT_FOREVER;
	case IPCKIT_DEADLINE_TRY:
		return 0;
	case IPCKIT_DEADLINE_AT:
		break;
	}
	return deadline->at.tv_sec * CLOCK_SECOND + deadline->at.tv_nsec;
}

void fan_begin(struct fan_pace *pace, const struct ipckit_relay *relay, const struct ipckit_deadline *opening)
{
	*pace = (struct fan_pace){ .relay = relay, .moved = true, .late = point(opening) };
	if (relay->period)
		pace->due = clock_after(clock_read(), relay->period);
}

static void tick(struct fan_pace *pace)
{
	const struct ipckit_relay *relay = pace->relay;
	int64_t at;

	if (!relay->period)
		return;
	at = clock_read();
	if (at < pace->due)
		return;
	pace->due = clock_after(at, relay->period);
	if (relay->tick)
		relay->tick(relay->arg);
}

int fan_step(struct fan_pace *pace)
{
	tick(pace);
	return pace->relay->stop && *pace->relay->stop ? -EINTR : 0;
}

/* ms until the next thing to do, -1: none. */
static int patience(const struct fan_pace *pace)
{
	const struct ipckit_relay *relay = pace->relay;
	int64_t until, left;

	if (!relay->idle)
		return 0;
	until = clock_after(pace->still, relay->idle);
	if (relay->period && pace->due < until)
		until = pace->due;
	if (pace->late < until)
		until = pace->late;
	if (until == IPCKIT_FOREVER)
		return -1;
	left = until - clock_read();
	if (left <= 0)
		return 0;
	left = left / CLOCK_MS + 1;
	return left > INT_MAX ? INT_MAX : (int)left;
}

static int check_idle(const struct fan_pace *pace)
{
	int64_t idle = pace->relay->idle;

	if (!idle)
		return -EAGAIN;
	return idle != IPCKIT_FOREVER && clock_read() - pace->still >= idle ? -ETIMEDOUT : 0;
}

int fan_wait(struct fan_pace *pace, struct pollfd *polled, size_t count)
{
	int r = fan_step(pace);

	if (r)
		return r;
	if (pace->moved && pace->relay->idle != IPCKIT_FOREVER)
		pace->still = clock_read();
	pace->moved = false;
	r = sys_result(poll(polled, count, patience(pace)));
	if (r > 0)
		return 0;
	/* -EINTR: what came decides, at the next step. */
	return r == -EINTR ? 0 : r ?: check_idle(pace);
}

bool fan_is_late(struct fan_pace *pace)
{
	if (pace->late == IPCKIT_FOREVER || clock_read() < pace->late)
		return false;
	pace->late = IPCKIT_FOREVER;
	return true;
}

void fan_end(const struct ipckit_relay *relay, struct ipckit_fan_state *state, int error)
{
	state->ended = true;
	state->error = error;
	if (relay->ended)
		relay->ended(relay->arg, NULL);
}

bool fan_is_circle(int from, int to)
{
	struct stat a, b;

	return !sys_fstat(from, &a) && !sys_fstat(to, &b) && (S_ISREG(a.st_mode) || S_ISFIFO(a.st_mode)) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}
