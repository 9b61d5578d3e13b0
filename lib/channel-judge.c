/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "judge.h"

#include <ipckit/channel.h>
#include <string.h>

static struct ipckit_maybe later(struct ipckit_maybe a, struct ipckit_maybe b)
{
	return !a.known || (b.known && b.value > a.value) ? b : a;
}

static bool is_used(const struct ipckit_channel_info *info, struct ipckit_orphan_verdict *out)
{
	const struct ipckit_channel_user *user = info->users;

	if (!info->nusers)
		return false;
	judge_word(out, "process %d %s", (int)user->pid, user->fd < 0 ? "waits to open it" : "has it open");
	return true;
}

static void judge_socket(const struct ipckit_channel_info *info, int64_t older_than, int64_t now,
			 struct ipckit_orphan_verdict *out)
{
	static const struct judge_words words = { "last used", "", "no socket is bound to it" };

	if (is_used(info, out))
		return;
	/* The kernel's own word, whoever may have one. */
	if (!info->bound.known)
		judge_word(out, "whether a socket is bound to it cannot be told");
	else if (info->bound.value)
		judge_word(out, "a socket is bound to it, of a process that cannot be seen");
	else
		judge_age(later(info->mtime, later(info->atime, info->ctime)), older_than, now, &words, out);
}

static void judge_fifo(const struct ipckit_channel_info *info, int64_t older_than, int64_t now,
		       struct ipckit_orphan_verdict *out)
{
	static const struct judge_words words = { "last used", "", "nobody has it open" };
	const struct ipckit_usage usage = {
		.waiters = ipckit_known(0),
		.unreadable_processes = info->unreadable_processes,
	};

	if (is_used(info, out) || judge_is_hidden(&usage, out))
		return;
	if (info->other_pids)
		judge_word(out, "whether a process of another PID namespace has it open cannot be told");
	else
		judge_age(later(info->mtime, later(info->atime, info->ctime)), older_than, now, &words, out);
}

void ipckit_channel_judge(const struct ipckit_channel_info *info, int64_t older_than, int64_t now,
			  struct ipckit_orphan_verdict *out)
{
	memset(out, 0, sizeof(*out));
	if (info->kind == IPCKIT_CHANNEL_FIFO)
		judge_fifo(info, older_than, now, out);
	else if (info->kind == IPCKIT_CHANNEL_UNIX && info->mode.known)
		judge_socket(info, older_than, now, out);
	else
		judge_word(out, "it has no path of its own to remove");
}
