/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-open.h"

#include <errno.h>

static const char *const places[] = { "wq_sleep", "mq_", NULL };

/* Whoever may send ends the wait of one who receives, and the other way round. */
static int add(struct live_scan *scan, uint32_t thread, const struct live_end *end, bool sends)
{
	const struct live_how plain = {
		.kind = sends ? IPCKIT_LIVE_MQ_SEND : IPCKIT_LIVE_MQ_RECEIVE,
		.resource = live_open_name(scan, end),
		.any = true,
		.open = end->named,
		.level = scan->threads[thread].call.args[4] ? IPCKIT_LIVE_TIMED : IPCKIT_LIVE_CERTAIN,
		.reason = "it has a time limit",
	};
	struct live_set set = { 0 };
	int r = plain.resource ? live_set_add_ends(scan, &set, end, sends, !sends) : -ENOMEM;
	size_t before = scan->nedges;

	if (!r)
		r = live_wait_for(scan, thread, &plain, &set);
	if (!r && scan->nedges > before)
		live_weaken(scan, IPCKIT_LIVE_INFERRED, "others may have the queue open");
	live_set_free(&set);
	return r;
}

static int collect(struct live_scan *scan, uint32_t thread)
{
	struct live_end end;
	enum live_call call;
	int r = live_call(scan, thread, &call);

	if (r || (call != LIVE_CALL_MQ_SEND && call != LIVE_CALL_MQ_RECEIVE))
		return r;
	r = live_open_look(scan, scan->threads[thread].process, (int)scan->threads[thread].call.args[0], &end);
	if (r || end.class != LIVE_FILE)
		return r;
	r = live_sleeps_in(scan, thread, places, false);
	return r <= 0 ? r : add(scan, thread, &end, call == LIVE_CALL_MQ_SEND);
}

int live_collect_mq(struct live_scan *scan)
{
	return live_each(scan, collect);
}
