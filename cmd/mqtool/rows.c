/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rows.h"

#include "mqtool.h"

#include <errno.h>
#include <string.h>

struct row {
	struct cli_object object;
	struct ipckit_mq_info info;
	const char *notify; /* a word; NULL where unknown */
};

/* ---- what there is to tell ---- */

enum {
	SYSV = CLI_KEYED,
	POSIX = 2,
	BOTH = SYSV | POSIX,
};

#define INFO(member) CLI_INFO(struct row, member)

/* Of calls: those that ask for a type. */
enum { OTHERS = 1, RECEIVES = 2 };

static unsigned kind_of_wait(const void *row)
{
	const char *call = ((const struct ipckit_process *)row)->call;

	return call && strcmp(call, "msgrcv") == 0 ? RECEIVES : OTHERS;
}

static const struct cli_field waiting_fields[] = {
	CLI_PROCESS_PID,
	CLI_PROCESS_TID,
	CLI_PROCESS_COMMAND,
	{ "call", .type = CLI_STRING, CLI_PROCESS(call), .summary = "the system call that it is in" },
	{ "type", .type = CLI_MAYBE, CLI_PROCESS(type), .kinds = RECEIVES,
	  .summary = "msgrcv(2): the message type that it asks for; below 0: up to it" },
	{ "except", .type = CLI_BOOL, CLI_PROCESS(except), .kinds = RECEIVES, .summary = "any but that type" },
	CLI_PROCESS_SINCE,
	{ 0 },
};

static const struct cli_field user_fields[] = {
	CLI_PROCESS_PID,
	CLI_PROCESS_UID,
	CLI_PROCESS_COMMAND,
	{ "flags", .type = CLI_OPEN_FLAGS, CLI_PROCESS(flags),
	  .summary = "how it has it open (open(2)); null: unknown, or a System V queue" },
	CLI_PROCESS_EVIDENCE,
	{ 0 },
};

static const struct cli_table waiting_table = { waiting_fields, sizeof(struct ipckit_process), "waiting", kind_of_wait };
static const struct cli_table user_table = { user_fields, sizeof(struct ipckit_process), "users", NULL };

static const struct cli_field info_fields[] = {
	CLI_OBJECT_FIELDS("posix or sysv", 0, "System V identifier"),
	{ "messages", .type = CLI_MAYBE, INFO(messages), .kinds = BOTH, .json_kinds = CLI_NO_KIND,
	  .summary = "messages in it: curmsgs or qnum, which JSON has instead" },
	{ "bytes", .type = CLI_SIZE, INFO(bytes), .kinds = BOTH, .json_kinds = POSIX,
	  .summary = "bytes of them: of System V queues JSON has cbytes instead" },
	{ "curmsgs", .type = CLI_MAYBE, INFO(messages), .kinds = POSIX, .flags = CLI_WIDE,
	  .summary = "POSIX: messages in it" },
	{ "qnum", .type = CLI_MAYBE, INFO(messages), .kinds = SYSV, .flags = CLI_WIDE,
	  .summary = "System V: messages in it" },
	{ "cbytes", .type = CLI_SIZE, INFO(bytes), .kinds = SYSV, .flags = CLI_WIDE,
	  .summary = "System V: bytes of them" },
	{ "maxmsg", .type = CLI_MAYBE, INFO(maxmsg), .kinds = POSIX, .summary = "messages that it can hold" },
	{ "msgsize", .type = CLI_SIZE, INFO(msgsize), .kinds = POSIX, .summary = "bytes that a message may have" },
	{ "qbytes", .type = CLI_SIZE, INFO(qbytes), .kinds = SYSV, .summary = "bytes that it can hold" },
	{ "waiters", .type = CLI_MAYBE, INFO(usage.waiters), .summary = "threads found blocked on it" },
	CLI_OWNER_FIELDS(struct row, BOTH),
	{ "notify", .type = CLI_WORD, .offset = offsetof(struct row, notify), .kinds = POSIX,
	  .summary = "mq_notify(3): none, signal, silent or thread" },
	{ "notify_signal", .type = CLI_MAYBE, INFO(notify_signal), .kinds = POSIX, .flags = CLI_BULKY,
	  .summary = "the signal of a notification; 0: none" },
	{ "notify_pid", .type = CLI_PID, INFO(notify_pid), .kinds = POSIX, .flags = CLI_BULKY,
	  .summary = "the process that is notified; 0: none" },
	{ "lspid", .type = CLI_PID, INFO(lspid), .kinds = SYSV, .flags = CLI_BULKY,
	  .summary = "the last process that sent; 0: none" },
	{ "lrpid", .type = CLI_PID, INFO(lrpid), .kinds = SYSV, .flags = CLI_BULKY,
	  .summary = "the last process that received; 0: none" },
	{ "stime", .type = CLI_TIME, INFO(stime), .kinds = SYSV, .summary = "last send; 0: never" },
	{ "rtime", .type = CLI_TIME, INFO(rtime), .kinds = SYSV, .summary = "last receipt; 0: never" },
	{ "ctime", .type = CLI_TIME, INFO(ctime), .flags = CLI_BULKY | CLI_LOOKED,
	  .summary = "creation or last change; of POSIX queues each message and look" },
	{ "mtime", .type = CLI_TIME, INFO(mtime), .kinds = POSIX, .flags = CLI_WIDE,
	  .summary = "the last message, or creation" },
	{ "atime", .type = CLI_TIME, INFO(atime), .kinds = POSIX, .flags = CLI_WIDE | CLI_LOOKED,
	  .summary = "the last message or look" },
	CLI_USAGE_FIELDS(struct row, waiting_table, user_table),
	{ 0 },
};

static unsigned kind(const void *row)
{
	return ((const struct row *)row)->info.backend == IPCKIT_MQ_SYSV ? SYSV : POSIX;
}

const struct cli_table mqtool_info_table = { info_fields, sizeof(struct row), "queues", kind };

/* ---- how it is looked at ---- */

static const char *const notifications[] = {
	[IPCKIT_MQ_NOTIFY_NONE] = "none",
	[IPCKIT_MQ_NOTIFY_SIGNAL] = "signal",
	[IPCKIT_MQ_NOTIFY_SILENT] = "silent",
	[IPCKIT_MQ_NOTIFY_THREAD] = "thread",
};

/* Of a queue's file each message sets mtime; the other times change when it is looked at. */
static struct ipckit_maybe last_use(const struct ipckit_mq_info *info)
{
	if (info->backend == IPCKIT_MQ_POSIX)
		return info->mtime;
	return cli_later(info->ctime, cli_later(info->stime, info->rtime));
}

static void fill(void *to, const void *from)
{
	const struct ipckit_mq_info *info = from;
	struct row *row = to;

	row->info = *info;
	row->notify = info->notify.known ? notifications[info->notify.value] : NULL;
	row->object = (struct cli_object){
		.name = info->name,
		.backend = ipckit_mq_backend_name(info->backend),
		.key = info->key,
		.id = info->id,
		.uid = info->uid,
		.last_use = last_use(info),
	};
}

static void clear(void *row)
{
	ipckit_mq_info_free(&((struct row *)row)->info);
}

static int stat_row(const struct ipckit_name *name, unsigned what, void *row)
{
	struct ipckit_mq_info info;
	int r = ipckit_mq_stat(name, what, &info);

	if (!r)
		fill(row, &info);
	return r;
}

#define MOUNT "mount -t mqueue mqueue /dev/mqueue"

static void tell_gaps(struct cli *cli, const struct ipckit_mq_list *all)
{
	if (all->posix_error == EXDEV)
		cli_warn(cli, "/dev/mqueue is the mount of another IPC namespace, so no POSIX queues: " MOUNT);
	else
		cli_objects_unread(cli, "/dev/mqueue", all->posix_error,
				   "/dev/mqueue is missing, so no POSIX queues: mkdir -p /dev/mqueue && " MOUNT);
	cli_objects_unread(cli, "/proc/sysvipc/msg", all->sysv_error, NULL);
	if (all->left_out)
		cli_note(cli, "%u entr%s of /dev/mqueue left out: no queues", all->left_out,
			 all->left_out == 1 ? "y" : "ies");
}

static int list(struct cli *cli, unsigned what, struct cli_objects *out)
{
	struct ipckit_mq_list all;
	int r = ipckit_mq_list(what, &all);

	if (r)
		return r;
	tell_gaps(cli, &all);
	r = cli_objects_take(cli->tool->noun, all.list, sizeof(*all.list), &all.count, out);
	ipckit_mq_list_free(&all);
	return r;
}

int mqtool_non_empty;

static void judge(const void *row, int64_t older_than, int64_t now, struct ipckit_orphan_verdict *out)
{
	ipckit_mq_judge(&((const struct row *)row)->info, older_than, mqtool_non_empty, now, out);
}

static bool same(const void *judged, const void *now)
{
	const struct row *a = judged, *b = now;

	return a->info.device == b->info.device && a->info.inode == b->info.inode &&
	       a->info.messages.value == b->info.messages.value && a->object.last_use.value == b->object.last_use.value;
}

static const char *backend_word(const struct ipckit_name *name)
{
	return ipckit_mq_backend_name(ipckit_mq_backend_of(name));
}

static int fail(struct cli *cli, const struct ipckit_name *name, int error)
{
	if (!name)
		return mqtool_fail(cli, NULL, IPCKIT_MQ_POSIX, NULL, error);
	return mqtool_fail(cli, name->written, ipckit_mq_backend_of(name), NULL, error);
}

static const char *const backends[] = { "posix", "sysv", NULL };

const struct cli_noun mqtool_noun = {
	.takes = IPCKIT_MQ_NAMES,
	.backends = backends,
	.table = &mqtool_info_table,
	.to_tell = IPCKIT_MQ_USERS,
	.to_judge = IPCKIT_MQ_USERS | IPCKIT_MQ_IN_USE,
	.list = list,
	.stat = stat_row,
	.fill = fill,
	.clear = clear,
	.judge = judge,
	.same = same,
	.remove = ipckit_mq_remove,
	.backend = backend_word,
	.fail = fail,
	.limits = ipckit_mq_limits,
};
