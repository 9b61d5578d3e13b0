/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-open.h"
#include "live-polled.h"
#include "array.h"
#include "sys.h"

#include <string.h>

static const char *const places[] = { "poll", "select", NULL };

#define NAMES_MAX 3 /* that stand in the name of several */

/* ---- what a descriptor adds ---- */

/* Of each it has to be known who can make it ready: one that anybody can makes the wait no edge. */
static bool is_known(enum live_class class)
{
	return class != LIVE_OTHER && class != LIVE_FILE && class != LIVE_EPOLL && class != LIVE_RING;
}

static bool is_moved(const struct live_polled *polled, const struct live_end *end)
{
	return polled->inode && end->class != LIVE_EVENTFD && end->class != LIVE_PIDFD &&
	       polled->inode != end->inode;
}

/* Fills in what the descriptors are: 1; 0: one of them is not known. */
static int look_at_all(struct live_scan *scan, uint32_t thread, struct live_polling *polling)
{
	for (size_t i = 0; i < polling->count; i++) {
		struct live_polled *polled = &polling->list[i];
		int r = live_open_look(scan, scan->threads[thread].process, polled->fd, &polled->end);

		if (r || !is_known(polled->end.class) || is_moved(polled, &polled->end))
			return r;
	}
	return polling->count > 0;
}

static int fill_set(struct live_scan *scan, uint32_t thread, const struct live_polling *polling,
		    struct live_set *set)
{
	int r = 0;

	for (size_t i = 0; !r && !set->endless && i < polling->count; i++)
		r = live_set_add_ready(scan, set, thread, &polling->list[i].end, polling->list[i].reading,
				       polling->list[i].writing);
	return r;
}

/* ---- epoll ---- */

/* Whether two tell of the same descriptors: those of one epoll do, whoever has it. */
static int watches_same(struct live_scan *scan, const struct live_end *end, const char *text, bool *same)
{
	char *other;
	int r = live_polled_text(scan, end->pid, end->fd, &other);

	if (r)
		return sys_own_trouble(r);
	*same = !strcmp(live_polled_rows(other), live_polled_rows(text));
	free(other);
	return 0;
}

/* Whoever has it may have it watch more. The waiter cannot, where it is its process' only thread. */
static int add_watchers(struct live_scan *scan, uint32_t thread, const struct live_polling *polling,
			struct live_set *set)
{
	const struct live_end any = { .class = LIVE_EPOLL }, *ends;
	uint32_t waiter = scan->threads[thread].process;
	size_t count;
	int r = live_open_find(scan, &any, &ends, &count);

	if (!r && scan->processes[waiter].nthreads > 1)
		r = live_set_add(set, waiter);
	for (size_t i = 0; !r && i < count; i++) {
		bool same = false;

		if (ends[i].process != waiter)
			r = watches_same(scan, &ends[i], polling->text, &same);
		if (!r && same)
			r = live_set_add(set, ends[i].process);
	}
	return r;
}

/* ---- the edge ---- */

static int name_all(struct live_scan *scan, const struct live_polling *polling, const char **out)
{
	const char *text = polling->count == 1 ? live_open_name(scan, &polling->list->end) : "";

	for (size_t i = 0; text && polling->count > 1 && i < polling->count && i < NAMES_MAX; i++) {
		const char *name = live_open_name(scan, &polling->list[i].end);

		text = name ? live_text(scan, "%s%s%s", text, *text ? ", " : "", name) : NULL;
	}
	if (text && polling->count > NAMES_MAX)
		text = live_text(scan, "%s, %zu more", text, polling->count - NAMES_MAX);
	*out = text;
	return text ? 0 : -ENOMEM;
}

/* Whether it waits for the end of a process, and nothing else. */
static bool is_ends(const struct live_polling *polling)
{
	return polling->count == 1 && polling->list->end.class == LIVE_PIDFD;
}

/* An event loop that nobody else can wake, and that goes on by itself after a time, is asleep. */
static bool is_own(const struct live_scan *scan, uint32_t thread, const struct live_set *set)
{
	return set->count == 1 && set->processes[0] == scan->threads[thread].process;
}

static struct live_how make_how(const struct live_polling *polling)
{
	struct live_how how = { .kind = is_ends(polling) ? IPCKIT_LIVE_PIDFD : IPCKIT_LIVE_POLL, .any = true };

	if (polling->timed) {
		how.level = IPCKIT_LIVE_TIMED;
		how.reason = "it has a time limit";
	}
	for (size_t i = 0; i < polling->count; i++)
		how.open = how.open || polling->list[i].end.named;
	return how;
}

static int add(struct live_scan *scan, uint32_t thread, const struct live_polling *polling)
{
	struct live_how how = make_how(polling);
	struct live_set set = { 0 };
	int r = fill_set(scan, thread, polling, &set);

	if (!r && is_ends(polling))
		r = live_child_deaf(scan, thread, &how.deaf);
	if (!r && !set.endless && polling->text)
		r = add_watchers(scan, thread, polling, &set);
	if (!r && !set.endless && polling->timed)
		set.endless = is_own(scan, thread, &set);
	if (!r && !set.endless)
		r = name_all(scan, polling, &how.resource);
	if (!r && !set.endless)
		r = live_wait_for(scan, thread, &how, &set);
	live_set_free(&set);
	return r;
}

static int collect(struct live_scan *scan, uint32_t thread)
{
	struct live_polling polling = { 0 };
	int r = live_polling_read(scan, thread, &polling);

	if (r > 0)
		r = look_at_all(scan, thread, &polling);
	if (r > 0)
		r = live_sleeps_in(scan, thread, places, false);
	if (r > 0)
		r = add(scan, thread, &polling);
	live_polling_free(&polling);
	return r;
}

int live_collect_poll(struct live_scan *scan)
{
	return live_each(scan, collect);
}
