/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "judge.h"
#include "mq-look.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A notification lasts no longer than its process has the queue open. */
static bool is_registered(const struct ipckit_mq_info *info, struct ipckit_orphan_verdict *out)
{
	if (!info->notify.known || info->notify.value == IPCKIT_MQ_NOTIFY_NONE)
		return false;
	if (info->notify_pid.known && info->notify_pid.value > 0)
		judge_word(out, "process %d is registered for its notification", (int)info->notify_pid.value);
	else
		judge_word(out, "a process of another PID namespace is registered for its notification");
	return true;
}

static bool is_used(const struct ipckit_mq_info *info, struct ipckit_orphan_verdict *out)
{
	if (judge_is_used(&info->usage, out) || is_registered(info, out))
		return true;
	if (!info->in_use.known || !info->in_use.value)
		return false;
	judge_word(out, "somebody who cannot be seen, in another PID namespace perhaps, has it open");
	return true;
}

static bool is_last_pid_in_doubt(const struct ipckit_mq_info *info, struct ipckit_orphan_verdict *out)
{
	if (info->lspid.known && info->lrpid.known)
		return false;
	judge_word(out, "who %s last cannot be told: none, or another PID namespace's",
		   info->lspid.known ? "received from it" : "sent to it");
	return true;
}

/* The kernel does not count who waits on a System V queue, and who waits for the first message left no trace. */
static bool is_receiver_in_doubt(const struct ipckit_mq_info *info, struct ipckit_orphan_verdict *out)
{
	if (info->backend != IPCKIT_MQ_SYSV || !info->usage.other_pids || !info->rtime.known || info->rtime.value)
		return false;
	judge_word(out, "nobody has received from it yet: who waits for that in another PID namespace cannot be told");
	return true;
}

/* Whether something is unknown that might speak for it. */
static bool is_in_doubt(const struct ipckit_mq_info *info, struct ipckit_orphan_verdict *out)
{
	bool posix = info->backend == IPCKIT_MQ_POSIX;

	/* in_use is the kernel's own word that nobody has it open, seen or not. */
	if (!(posix && info->in_use.known) && judge_is_hidden(&info->usage, out))
		return true;
	if (!posix)
		return is_last_pid_in_doubt(info, out);
	if (info->notify.known)
		return false;
	judge_word(out, "it may not be read: whether a process is registered for its notification is unknown");
	return true;
}

static bool is_filled(const struct ipckit_mq_info *info, bool non_empty, struct ipckit_orphan_verdict *out)
{
	if (!info->messages.known)
		judge_word(out, "how many messages are in it is unknown");
	else if (info->messages.value > 0 && !non_empty)
		judge_word(out, "%" PRId64 " %s in it", info->messages.value,
			   judge_plural(info->messages.value, "message is", "messages are"));
	else
		return false;
	return true;
}

/* Of a queue's file each message sets mtime; the other times change when it is looked at. */
static struct ipckit_maybe last_use(const struct ipckit_mq_info *info)
{
	return info->backend == IPCKIT_MQ_POSIX ? info->mtime : mq_sysv_last_use(info);
}

void ipckit_mq_judge(const struct ipckit_mq_info *info, int64_t older_than, bool non_empty, int64_t now,
		     struct ipckit_orphan_verdict *out)
{
	struct judge_words words = { .used = "last used", .note = "" };
	char orphan[96], lost[40] = "";

	memset(out, 0, sizeof(*out));
	if (is_used(info, out) || is_in_doubt(info, out) || is_filled(info, non_empty, out) ||
	    (older_than >= 0 && is_receiver_in_doubt(info, out)))
		return;
	if (info->messages.value > 0)
		snprintf(lost, sizeof(lost), ", %" PRId64 " %s in it", info->messages.value,
			 judge_plural(info->messages.value, "message", "messages"));
	snprintf(orphan, sizeof(orphan), "%s%s",
		 info->backend == IPCKIT_MQ_POSIX ? "nobody has it open"
						  : "nobody waits on it, who used it last is gone",
		 lost);
	words.orphan = orphan;
	judge_age(last_use(info), older_than, now, &words, out);
}
