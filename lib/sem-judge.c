/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "judge.h"

#include <inttypes.h>
#include <ipckit/sem.h>
#include <string.h>

static bool is_used(const struct ipckit_sem_info *info, struct ipckit_orphan_verdict *out)
{
	if (judge_is_used(&info->usage, out))
		return true;
	if (!info->in_use.known || !info->in_use.value)
		return false;
	judge_word(out, "somebody who cannot be seen, in another PID namespace perhaps, has it open or mapped");
	return true;
}

/* Whether the kernel counts waiters, found or not, or does not tell who was last. */
static bool is_set_in_doubt(const struct ipckit_sem_info *info, struct ipckit_orphan_verdict *out)
{
	if (!info->semaphores || !info->nsems.known) {
		judge_word(out, "its semaphores may not be read: who waits on it or was last is unknown");
		return true;
	}
	for (int64_t i = 0; i < info->nsems.value; i++) {
		const struct ipckit_sem_slot *slot = &info->semaphores[i];
		int64_t n;

		if (!slot->ncnt.known || !slot->zcnt.known) {
			judge_word(out, "who waits on semaphore %u cannot be told", slot->index);
			return true;
		}
		n = slot->ncnt.value + slot->zcnt.value;
		if (n > 0) {
			judge_word(out, "%" PRId64 " %s on semaphore %u", n,
				   judge_plural(n, "thread waits", "threads wait"), slot->index);
			return true;
		}
		if (!slot->pid.known) {
			judge_word(out,
				   "who changed semaphore %u last cannot be told: none, or another PID namespace's",
				   slot->index);
			return true;
		}
	}
	return false;
}

static bool is_file_in_doubt(const struct ipckit_sem_info *info, struct ipckit_orphan_verdict *out)
{
	if (info->value.known)
		return false;
	judge_word(out, "it may not be read: whether it is a semaphore is unknown");
	return true;
}

/* Whether something is unknown that might speak for it. */
static bool is_in_doubt(const struct ipckit_sem_info *info, struct ipckit_orphan_verdict *out)
{
	/* The kernel's own word that nobody has it, seen or not. */
	if (info->in_use.known)
		return is_file_in_doubt(info, out);
	if (judge_is_hidden(&info->usage, out))
		return true;
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

void ipckit_sem_judge(const struct ipckit_sem_info *info, int64_t older_than, int64_t now,
		      struct ipckit_orphan_verdict *out)
{
	static const struct judge_words set = {
		"last used", "", "nobody waits on it, who changed it last is gone"
	};
	static const struct judge_words file = {
		"created", " (its mtime; posting does not change it)", "nobody has it open or mapped"
	};

	memset(out, 0, sizeof(*out));
	if (info->backend != IPCKIT_SEM_POSIX && info->backend != IPCKIT_SEM_SYSV)
		judge_word(out, "it has no name of its own to remove");
	else if (!is_used(info, out) && !is_in_doubt(info, out))
		judge_age(last_use(info), older_than, now, info->backend == IPCKIT_SEM_SYSV ? &set : &file, out);
}
