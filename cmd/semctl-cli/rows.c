/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

/* list, info and clean describe a semaphore alike. */
struct row {
	struct cli_object object;
	struct ipckit_sem_info info;
};

/* ---- what there is to tell ---- */

enum {
	SYSV = CLI_KEYED,
	POSIX = 2,
	SET_OF_ONE = 4,
	EVENTFD = 8,
	UNNAMED = 16,
	IN_FILE = POSIX | UNNAMED,
	OWNED = IN_FILE | SYSV,
};

#define SLOT(member) .offset = offsetof(struct ipckit_sem_slot, member)
#define INFO(member) CLI_INFO(struct row, member)

static const struct cli_field waiting_fields[] = {
	CLI_PROCESS_PID,
	CLI_PROCESS_TID,
	CLI_PROCESS_COMMAND,
	{ "index", .type = CLI_MAYBE, CLI_PROCESS(index), .summary = "semaphore of the set" },
	{ "count", .type = CLI_MAYBE, CLI_PROCESS(count), .summary = "permits it wants" },
	CLI_PROCESS_SINCE,
	{ 0 },
};

static const struct cli_field holder_fields[] = {
	CLI_PROCESS_PID,
	CLI_PROCESS_COMMAND,
	{ "count", .type = CLI_MAYBE, CLI_PROCESS(count), .summary = "permits it holds" },
	CLI_PROCESS_SINCE,
	{ 0 },
};

static const struct cli_field slot_fields[] = {
	{ "index", .type = CLI_UINT, SLOT(index), .summary = "number within the set" },
	{ "value", .type = CLI_MAYBE, SLOT(value), .summary = "permits that are free" },
	{ "ncnt", .type = CLI_MAYBE, SLOT(ncnt), .summary = "threads that wait for permits" },
	{ "zcnt", .type = CLI_MAYBE, SLOT(zcnt), .summary = "threads that wait for 0" },
	{ "pid", .type = CLI_PID, SLOT(pid), .summary = "the last one that changed it" },
	{ 0 },
};

static const struct cli_table waiting_table = { waiting_fields, sizeof(struct ipckit_process), "waiting", NULL };
static const struct cli_table holder_table = { holder_fields, sizeof(struct ipckit_process), "holders", NULL };
static const struct cli_table slot_table = { slot_fields, sizeof(struct ipckit_sem_slot), "semaphores", NULL };

#define OBJECT_FIELDS \
	CLI_OBJECT_FIELDS("posix, sysv, eventfd or unnamed", EVENTFD, "System V identifier, or that of an eventfd")

static const struct cli_field info_fields[] = {
	OBJECT_FIELDS,
	{ "nsems", .type = CLI_MAYBE, INFO(nsems), .kinds = SYSV, .summary = "semaphores in the set" },
	{ "value", .type = CLI_MAYBE, INFO(value), .kinds = IN_FILE | EVENTFD | SET_OF_ONE,
	  .summary = "permits that are free" },
	{ "waiters", .type = CLI_MAYBE, INFO(usage.waiters), .kinds = OWNED, .summary = "threads found blocked on it" },
	{ "waiters_recorded", .type = CLI_MAYBE, INFO(waiters_recorded), .kinds = IN_FILE, .flags = CLI_WIDE,
	  .summary = "libc's own count, too high after a waiter was killed" },
	{ "semaphores", .type = CLI_ROWS, INFO(semaphores), .kinds = SYSV, .flags = CLI_BULKY,
	  .count_offset = offsetof(struct row, info.nsems.value), .rows = &slot_table,
	  .summary = "each semaphore of the set" },
	CLI_OWNER_FIELDS(struct row, OWNED),
	{ "size", .type = CLI_SIZE, INFO(size), .kinds = IN_FILE, .flags = CLI_WIDE, .summary = "bytes of its file" },
	{ "mtime", .type = CLI_TIME, INFO(mtime), .kinds = IN_FILE,
	  .summary = "when it was created: posting does not change it" },
	{ "otime", .type = CLI_TIME, INFO(otime), .kinds = SYSV, .summary = "last operation; 0: never" },
	{ "ctime", .type = CLI_TIME, INFO(ctime), .kinds = SYSV,
	  .summary = "creation, or last change of owner, mode or values by semctl(2)" },
	{ "holders", CLI_PROCESSES(struct row, holders), .rows = &holder_table,
	  .summary = "exec runs that hold permits" },
	CLI_USAGE_FIELDS(struct row, waiting_table, cli_user_table),
	{ 0 },
};

static const struct cli_field clean_fields[] = {
	OBJECT_FIELDS,
	CLI_CLEAN_FIELDS,
	{ 0 },
};

static unsigned kind(const void *row)
{
	const struct ipckit_sem_info *info = &((const struct row *)row)->info;

	switch (info->backend) {
	case IPCKIT_SEM_POSIX:
		return POSIX;
	case IPCKIT_SEM_SYSV:
		return info->nsems.value == 1 ? SYSV | SET_OF_ONE : SYSV;
	case IPCKIT_SEM_EVENTFD:
		return EVENTFD;
	default:
		return UNNAMED;
	}
}

const struct cli_table semctl_info_table = { info_fields, sizeof(struct row), "semaphores", kind };
const struct cli_table semctl_clean_table = { clean_fields, sizeof(struct row), "semaphores", kind };

/* ---- how it is looked at ---- */

static void fill(void *to, const void *from)
{
	const struct ipckit_sem_info *info = from;
	struct row *row = to;

	row->info = *info;
	row->object = (struct cli_object){
		.name = info->name,
		.backend = ipckit_sem_backend_name(info->backend),
		.key = info->key,
		.id = info->id,
		.uid = info->uid,
		/* A POSIX one tells only when it was made. */
		.last_use = cli_later(info->mtime, cli_later(info->ctime, info->otime)),
	};
}

static void clear(void *row)
{
	ipckit_sem_info_free(&((struct row *)row)->info);
}

static int stat_row(const struct ipckit_name *name, unsigned what, void *row)
{
	struct ipckit_sem_info info;
	int r = ipckit_sem_stat(name, what, &info);

	if (!r)
		fill(row, &info);
	return r;
}

static void tell_gaps(struct cli *cli, const struct ipckit_sem_list *all)
{
	cli_objects_unread(cli, "/dev/shm", all->posix_error,
			   "/dev/shm is missing, so no POSIX semaphores: " CLI_MOUNT_SHM);
	cli_objects_unread(cli, "/proc/sysvipc/sem", all->sysv_error, NULL);
	if (all->left_out)
		cli_note(cli, "%u file%s named like semaphores in /dev/shm left out: no semaphores", all->left_out,
			 all->left_out == 1 ? "" : "s");
}

static int list(struct cli *cli, unsigned what, struct cli_objects *out)
{
	struct ipckit_sem_list all;
	int r = ipckit_sem_list(what, &all);

	if (r)
		return r;
	tell_gaps(cli, &all);
	r = cli_objects_take(cli->tool->noun, all.list, sizeof(*all.list), &all.count, out);
	ipckit_sem_list_free(&all);
	return r;
}

static void judge(const void *row, int64_t older_than, int64_t now, struct ipckit_orphan_verdict *out)
{
	ipckit_sem_judge(&((const struct row *)row)->info, older_than, now, out);
}

static bool same(const void *judged, const void *now)
{
	const struct ipckit_sem_info *a = &((const struct row *)judged)->info, *b = &((const struct row *)now)->info;

	return a->device == b->device && a->inode == b->inode && a->value.value == b->value.value &&
	       a->otime.value == b->otime.value && a->ctime.value == b->ctime.value;
}

static const char *backend_word(const struct ipckit_name *name)
{
	return ipckit_sem_backend_name(ipckit_sem_backend_of(name));
}

static int fail(struct cli *cli, const struct ipckit_name *name, int error)
{
	return name ? cli_sem_fail_find(cli, name, error) : cli_sem_fail(cli, NULL, IPCKIT_SEM_POSIX, error);
}

static const char *const backends[] = { "posix", "sysv", NULL };

const struct cli_noun semctl_noun = {
	.takes = IPCKIT_SEM_NAMES,
	.backends = backends,
	.table = &semctl_info_table,
	.to_tell = IPCKIT_SEM_USERS,
	.to_judge = IPCKIT_SEM_USERS | IPCKIT_SEM_IN_USE,
	.list = list,
	.stat = stat_row,
	.fill = fill,
	.clear = clear,
	.judge = judge,
	.same = same,
	.remove = ipckit_sem_remove,
	.backend = backend_word,
	.fail = fail,
	.limits = ipckit_sem_limits,
};
