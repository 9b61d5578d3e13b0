/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "judge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define SECOND INT64_C(1000000000)

void judge_word(struct ipckit_orphan_verdict *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(out->reason, sizeof(out->reason), format, args);
	va_end(args);
}

const char *judge_plural(int64_t n, const char *one, const char *more)
{
	return n == 1 ? one : more;
}

/* ---- who uses it ---- */

static const char *seen_words(enum ipckit_evidence evidence)
{
	switch (evidence) {
	case IPCKIT_SEEN_MAPPED:
		return "has it mapped";
	case IPCKIT_SEEN_OPEN:
		return "has it open";
	case IPCKIT_SEEN_BLOCKED:
		return "waits on it";
	case IPCKIT_SEEN_LAST_PID:
		return "changed it last and still runs";
	case IPCKIT_SEEN_HOLDER:
		return "holds a permit";
	}
	return "uses it";
}

bool judge_is_used(const struct ipckit_usage *usage, struct ipckit_orphan_verdict *out)
{
	const struct ipckit_processes *found[] = { &usage->holders, &usage->waiting, &usage->users };
	const char *const verbs[] = { "holds a permit", "waits on it", NULL };

	for (size_t i = 0; i < 3; i++) {
		const struct ipckit_process *first = found[i]->list;

		if (!found[i]->count)
			continue;
		judge_word(out, "process %d %s", (int)first->pid,
			   verbs[i] ?: seen_words(first->evidence));
		return true;
	}
	if (!usage->waiters.known || usage->waiters.value <= 0)
		return false;
	judge_word(out, "%" PRId64 " %s on it", usage->waiters.value,
		   judge_plural(usage->waiters.value, "thread waits", "threads wait"));
	return true;
}

bool judge_is_hidden(const struct ipckit_usage *usage, struct ipckit_orphan_verdict *out)
{
	const struct ipckit_maybe *unreadable = &usage->unreadable_processes;

	if (!unreadable->known)
		judge_word(out, "processes are hidden: who uses it is unknown");
	else if (unreadable->value > 0)
		judge_word(out, "%" PRId64 " %s may not be looked at and might use it",
			   unreadable->value,
			   judge_plural(unreadable->value, "process", "processes"));
	else if (!usage->waiters.known)
		judge_word(out, "who waits on it cannot be told");
	else
		return false;
	return true;
}

/* ---- its age ---- */

/* An age in the largest unit that it fills: "3 h". */
static const char *age_words(int64_t seconds, char text[32])
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	size_t i = 0;

	while (i < 3 && seconds < units[i].seconds)
		i++;
	snprintf(text, 32, "%" PRId64 " %s", seconds / units[i].seconds, units[i].name);
	return text;
}

/* Times are whole seconds, cut: the true age is anything above age - 1. */
static bool is_older(int64_t age, int64_t older_than)
{
	return older_than == 0 || age - 1 >= older_than / SECOND + (older_than % SECOND != 0);
}

void judge_age(struct ipckit_maybe last_use, int64_t older_than, int64_t now, const struct judge_words *words,
	       struct ipckit_orphan_verdict *out)
{
	char text[32];
	int64_t age;

	if (older_than < 0) {
		judge_word(out, "no age was given: scripts hold nothing between two commands");
		return;
	}
	if (!last_use.known) {
		judge_word(out, "its last use is unknown");
		return;
	}
	if (__builtin_sub_overflow(now, last_use.value, &age) || age < 0) {
		judge_word(out, "its last use lies in the future: the clock was set");
		return;
	}
	out->orphan = is_older(age, older_than);
	judge_word(out, "%s %s ago%s, %s", words->used, age_words(age, text), words->note,
		   out->orphan ? words->orphan : "not long enough");
}
