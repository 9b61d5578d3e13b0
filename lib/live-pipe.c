/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-open.h"

static const char *const pipe_places[] = { "pipe", "splice", "wait_for_space", NULL };
static const char *const eventfd_places[] = { "eventfd", "do_wait_intr", NULL };

int live_wait_pipe(struct live_scan *scan, uint32_t thread, const struct live_end *end, bool writes)
{
	bool eventfd = end->class == LIVE_EVENTFD;
	struct live_how how = { .any = true, .open = end->named };
	struct live_set set = { 0 };
	int r = live_sleeps_in(scan, thread, eventfd ? eventfd_places : pipe_places, false);

	if (r <= 0)
		return r;
	if (eventfd)
		how.kind = writes ? IPCKIT_LIVE_EVENTFD_WRITE : IPCKIT_LIVE_EVENTFD_READ;
	else
		how.kind = writes ? IPCKIT_LIVE_PIPE_WRITE : IPCKIT_LIVE_PIPE_READ;
	r = live_set_add_ready(scan, &set, thread, end, !writes, writes);
	if (!r)
		r = live_wait_at(scan, thread, &how, end, &set);
	live_set_free(&set);
	return r;
}
