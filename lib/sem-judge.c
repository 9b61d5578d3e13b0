/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <ipckit/sem.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

__attribute__((format(printf, 2, 3))) static void word(struct ipckit_sem_verdict *out,
						       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(out->reason, sizeof(out->reason), format, args);
	va_end(args);
}

static const char *plural(int64_t n, const char *one, const char *more)
{
	return n == 1 ? one : more;
}

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

/* Whether a process was found at it. */
static bool is_used(const struct ipckit_sem_info *info, struct ipckit_sem_verdict *out)
{
	const struct ipckit_processes *found[] = { &info->holders, &info->waiting, &info->users };
	const char *const verbs[] = { "holds a permit", "waits on it", NULL };

	for (size_t i = 0; i < 3; i++) {
		const struct ipckit_process *first = found[i]->list;

		if (!found[i]->count)
			continue;
		word(out, "process %d %s", (int)first->pid,
		     verbs[i] ?: seen_words(first->evidence));
		return true;
	}
	if (info->waiters.known && info->waiters.value > 0) {
		word(out, "%" PRId64 " %s on it", info->waiters.value,
		     plural(info->waiters.value, "thread waits", "threads wait"));
		return true;
	}
	if (info->in_use.known && info->in_use.value) {
		word(out, "somebody who cannot be seen, in another PID namespace perhaps, has it open or mapped");
		return true;
	}
	return false;
}

/* Whether the kernel counts waiters, found or not, or does not tell who was last. */
static bool is_set_in_doubt(const struct ipckit_sem_info *info, struct ipckit_sem_verdict *out)
{
	if (!info->semaphores || !info->nsems.known) {
		word(out, "its semaphores may not be read: who waits on it or was last is unknown");
		return true;
	}
	for (int64_t i = 0; i < info->nsems.value; i++) {
		const struct ipckit_sem_slot *slot = &info->semaphores[i];

		if (!slot->ncnt.known || !slot->zcnt.known) {
			word(out, "who waits on semaphore %u cannot be told", slot->index);
			return true;
		}
		if (slot->ncnt.value > 0 || slot->zcnt.value > 0) {
			word(out, "%" PRId64 " %s on semaphore %u",
			     slot->ncnt.value + slot->zcnt.value,
			     plural(slot->ncnt.value + slot->zcnt.value, "thread waits",
				    "threads wait"),
			     slot->index);
			return true;
		}
		if (!slot->pid.known) {
			word(out,
			     "who changed semaphore %u last cannot be told: none, or another PID namespace's",
			     slot->index);
			return true;
		}
	}
	return false;
}

static bool is_file_in_doubt(const struct ipckit_sem_info *info, struct ipckit_sem_verdict *out)
{
	if (info->value.known)
		return false;
	word(out, "it may not be read: whether it is a semaphore is unknown");
	return true;
}

/* Whether something is unknown that might speak for it. */
static bool is_in_doubt(const struct ipckit_sem_info *info, struct ipckit_sem_verdict *out)
{
	/* The kernel's own word that nobody has it, seen or not. */
	if (info->in_use.known)
		return is_file_in_doubt(info, out);
	if (!info->unreadable_processes.known) {
		word(out, "processes are hidden: who uses it is unknown");
		return true;
	}
	if (info->unreadable_processes.value > 0) {
		word(out, "%" PRId64 " %s may not be looked at and might use it",
		     info->unreadable_processes.value,
		     plural(info->unreadable_processes.value, "process", "processes"));
		return true;
	}
	if (!info->waiters.known) {
		word(out, "who waits on it cannot be told");
		return true;
	}
	return info->backend == IPCKIT_SEM_SYSV ? is_set_in_doubt(info, out)
						: is_file_in_doubt(info, out);
}

static struct ipckit_maybe last_use(const struct ipckit_sem_info *info)
{
	if (info->backend != IPCKIT_SEM_SYSV)
		return info->mtime;
	if (!info->otime.known || !info->ctime.known)
		return ipckit_unknown();
	return info->otime.value > info->ctime.value ? info->otime : info->ctime;
}

/* Times are whole seconds, cut: the true age is anything above age - 1. */
static bool is_older(int64_t age, int64_t older_than)
{
	return older_than == 0 || age - 1 >= older_than / SECOND + (older_than % SECOND != 0);
}

static void judge_age(const struct ipckit_sem_info *info, int64_t older_than, int64_t now,
		      struct ipckit_sem_verdict *out)
{
	bool set = info->backend == IPCKIT_SEM_SYSV;
	struct ipckit_maybe use = last_use(info);
	char text[32];
	int64_t age;

	if (!use.known) {
		word(out, "its last use is unknown");
		return;
	}
	if (__builtin_sub_overflow(now, use.value, &age) || age < 0) {
		word(out, "its last use lies in the future: the clock was set");
		return;
	}
	age_words(age, text);
	out->orphan = is_older(age, older_than);
	if (set)
		word(out, "last used %s ago%s", text,
		     out->orphan ? ", nobody waits on it, who changed it last is gone"
				 : ", not long enough");
	else
		word(out, "created %s ago (its mtime; posting does not change it)%s", text,
		     out->orphan ? ", nobody has it open or mapped" : ", not long enough");
}

void ipckit_sem_judge(const struct ipckit_sem_info *info, int64_t older_than, int64_t now,
		      struct ipckit_sem_verdict *out)
{
	memset(out, 0, sizeof(*out));
	if (info->backend != IPCKIT_SEM_POSIX && info->backend != IPCKIT_SEM_SYSV)
		word(out, "it has no name of its own to remove");
	else if (is_used(info, out) || is_in_doubt(info, out))
		return;
	else if (older_than < 0)
		word(out, "no age was given: scripts hold nothing between two commands");
	else
		judge_age(info, older_than, now, out);
}
