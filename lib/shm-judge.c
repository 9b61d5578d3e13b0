/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "judge.h"
#include "shm-look.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- System V: the kernel counts who has it mapped ---- */

static bool is_attached(const struct ipckit_shm_info *info, struct ipckit_orphan_verdict *out)
{
	if (!info->nattch.known)
		judge_word(out, "whether somebody has it attached is unknown");
	else if (!info->nattch.value)
		return false;
	else if (info->dest.known && info->dest.value)
		judge_word(out, "marked for destruction: it goes by itself, with the last of %" PRId64 " %s",
			   info->nattch.value, judge_plural(info->nattch.value, "attachment", "attachments"));
	else if (!judge_is_used(&info->usage, out))
		judge_word(out, "attached %" PRId64 " %s, by whom cannot be seen", info->nattch.value,
			   judge_plural(info->nattch.value, "time", "times"));
	return true;
}

static bool is_pid(struct ipckit_maybe pid, pid_t of)
{
	return pid.known && pid.value == of;
}

/* Nobody has it attached: who is found made it, or used it last. */
static bool is_alive(const struct ipckit_shm_info *info, struct ipckit_orphan_verdict *out)
{
	const struct ipckit_process *user = info->usage.users.list;
	bool made;

	if (!info->usage.users.count)
		return false;
	if (user->evidence != IPCKIT_SEEN_LAST_PID)
		return judge_is_used(&info->usage, out);
	made = is_pid(info->cpid, user->pid);
	judge_word(out, "process %d, which %s, still runs", (int)user->pid,
		   !made				 ? "used it last"
		   : is_pid(info->lpid, user->pid) ? "made it and used it last"
						   : "made it");
	return true;
}

static bool is_pid_in_doubt(const struct ipckit_shm_info *info, struct ipckit_orphan_verdict *out)
{
	/* What a process may have mapped needs no look, but that all of them are seen. */
	if (!info->usage.unreadable_processes.known)
		return judge_is_hidden(&info->usage, out);
	if (info->cpid.known && info->lpid.known)
		return false;
	judge_word(out, "who %s cannot be told: a process of another PID namespace, which may live",
		   info->cpid.known ? "used it last" : "made it");
	return true;
}

static void judge_sysv(const struct ipckit_shm_info *info, int64_t older_than, int64_t now,
		       struct ipckit_orphan_verdict *out)
{
	const struct judge_words words = {
		.used = "last used",
		.note = "",
		.orphan = "nobody has it attached, who made it and who used it last are gone",
	};

	if (is_attached(info, out) || is_alive(info, out) || is_pid_in_doubt(info, out))
		return;
	/* The kernel's word is enough without an age. */
	judge_age(shm_last_use(info), older_than < 0 ? 0 : older_than, now, &words, out);
}

/* ---- POSIX: nobody counts ---- */

static bool is_open(const struct ipckit_shm_info *info, struct ipckit_orphan_verdict *out)
{
	if (judge_is_used(&info->usage, out))
		return true;
	if (!info->in_use.known || !info->in_use.value)
		return false;
	judge_word(out, "somebody who cannot be seen, in another PID namespace perhaps, has it open or mapped");
	return true;
}

/* in_use is the kernel's own word that nobody has it open, seen or not. */
static bool is_user_in_doubt(const struct ipckit_shm_info *info, struct ipckit_orphan_verdict *out)
{
	if (info->in_use.known)
		return false;
	if (judge_is_hidden(&info->usage, out))
		return true;
	if (info->usage.other_pids)
		judge_word(out, "whether a process of another PID namespace has it open cannot be told");
	return info->usage.other_pids;
}

static void judge_posix(const struct ipckit_shm_info *info, int64_t older_than, int64_t now,
			struct ipckit_orphan_verdict *out)
{
	const struct judge_words words = {
		.used = "last used",
		.note = " (stores into a mapping do not always show)",
		.orphan = "nobody has it open or mapped",
	};

	if (!is_open(info, out) && !is_user_in_doubt(info, out))
		judge_age(shm_last_use(info), older_than, now, &words, out);
}

void ipckit_shm_judge(const struct ipckit_shm_info *info, int64_t older_than, int64_t now,
		      struct ipckit_orphan_verdict *out)
{
	memset(out, 0, sizeof(*out));
	if (info->backend == IPCKIT_SHM_SYSV)
		judge_sysv(info, older_than, now, out);
	else
		judge_posix(info, older_than, now, out);
}
