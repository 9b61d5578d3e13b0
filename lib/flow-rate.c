/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock.h"
#include "flow.h"

/* So often a second it is worth while to move something; what was not used is not kept for longer. */
#define PARTS 20
#define KEPT 10
#define ENOUGH 65536

static int64_t clamp(unsigned __int128 value)
{
	return value > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)value;
}

static int64_t bytes_in(uint64_t rate, int64_t ns)
{
	return clamp((unsigned __int128)rate * (uint64_t)ns / (uint64_t)CLOCK_SECOND);
}

/* Rounded up. */
static int64_t time_of(uint64_t rate, int64_t bytes)
{
	return clamp(((unsigned __int128)(uint64_t)bytes * (uint64_t)CLOCK_SECOND + rate - 1) / rate);
}

static int64_t part_of(uint64_t rate, unsigned parts)
{
	int64_t part = clamp(rate / parts);

	return part ?: 1;
}

static void earn(struct ipckit_flow *flow, int64_t now)
{
	uint64_t rate = flow->spec.rate;
	int64_t bytes;

	if (!flow->paid_at)
		flow->paid_at = now;
	bytes = bytes_in(rate, now - flow->paid_at);
	if (!bytes)
		return;
	flow->earned += bytes;
	flow->paid_at += time_of(rate, bytes);
	if (flow->earned > part_of(rate, KEPT)) {
		flow->earned = part_of(rate, KEPT);
		flow->paid_at = now;
	}
}

size_t flow_allowed(struct ipckit_flow *flow, int64_t now, int64_t *wake)
{
	int64_t enough = part_of(flow->spec.rate ?: 1, PARTS);

	*wake = IPCKIT_FOREVER;
	if (!flow->spec.rate)
		return SIZE_MAX;
	earn(flow, now);
	if (enough > ENOUGH)
		enough = ENOUGH;
	if (flow->earned >= enough)
		return (size_t)flow->earned;
	*wake = time_of(flow->spec.rate, enough - flow->earned);
	return 0;
}
