/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- what there is to tell ---- */

enum {
	POSIX = 1,
	SET = 2,
	SET_OF_ONE = 4,
	EVENTFD = 8,
	UNNAMED = 16,
	SYSV = SET | SET_OF_ONE,
	IN_FILE = POSIX | UNNAMED,
	OWNED = IN_FILE | SYSV,
};

static const char *const backend_words[] = {
	[IPCKIT_SEM_FILE] = "file",	  [IPCKIT_SEM_SYSV] = "sysv",	    [IPCKIT_SEM_POSIX] = "posix",
	[IPCKIT_SEM_UNNAMED] = "unnamed", [IPCKIT_SEM_EVENTFD] = "eventfd",
};

static const char *const evidence_words[] = {
	[IPCKIT_SEEN_MAPPED] = "mapped",     [IPCKIT_SEEN_OPEN] = "open",     [IPCKIT_SEEN_BLOCKED] = "blocked",
	[IPCKIT_SEEN_LAST_PID] = "last pid", [IPCKIT_SEEN_HOLDER] = "holder",
};

#define PROCESS(member) .offset = offsetof(struct ipckit_process, member)
#define SLOT(member) .offset = offsetof(struct ipckit_sem_slot, member)
#define INFO(member) .offset = offsetof(struct semctl_row, info.member)
#define COUNT(member) .count_offset = offsetof(struct semctl_row, info.member)

static const struct cli_field user_fields[] = {
	{ "pid", .type = CLI_INT, PROCESS(pid), .summary = "process" },
	{ "uid", .type = CLI_MAYBE, PROCESS(uid), .flags = CLI_WIDE, .summary = "its user" },
	{ "command", .type = CLI_STRING, PROCESS(command), .summary = "its command line" },
	{ "evidence", .type = CLI_WORD, PROCESS(evidence), .words = evidence_words,
	  .summary = "how that is known: mapped, open, blocked, last pid" },
	{ 0 },
};

static const struct cli_field waiting_fields[] = {
	{ "pid", .type = CLI_INT, PROCESS(pid), .summary = "process" },
	{ "tid", .type = CLI_INT, PROCESS(tid), .summary = "its thread that is blocked" },
	{ "command", .type = CLI_STRING, PROCESS(command), .summary = "its command line" },
	{ "index", .type = CLI_MAYBE, PROCESS(index), .summary = "semaphore of the set" },
	{ "count", .type = CLI_MAYBE, PROCESS(count), .summary = "permits it wants" },
	{ "since", .type = CLI_TIME, PROCESS(since), .summary = "when that began" },
	{ 0 },
};

static const struct cli_field holder_fields[] = {
	{ "pid", .type = CLI_INT, PROCESS(pid), .summary = "process" },
	{ "command", .type = CLI_STRING, PROCESS(command), .summary = "its command line" },
	{ "count", .type = CLI_MAYBE, PROCESS(count), .summary = "permits it holds" },
	{ "since", .type = CLI_TIME, PROCESS(since), .summary = "when that began" },
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

static const struct cli_table user_table = { user_fields, sizeof(struct ipckit_process), "users", NULL };
static const struct cli_table waiting_table = { waiting_fields, sizeof(struct ipckit_process), "waiting", NULL };
static const struct cli_table holder_table = { holder_fields, sizeof(struct ipckit_process), "holders", NULL };
static const struct cli_table slot_table = { slot_fields, sizeof(struct ipckit_sem_slot), "semaphores", NULL };

/* clang-format off */
#define OBJECT_FIELDS									\
	{ "backend", .type = CLI_WORD, INFO(backend), .words = backend_words,		\
	  .summary = "posix, sysv, eventfd or unnamed" },				\
	{ "name", .type = CLI_STRING, INFO(name),					\
	  .summary = "the name by which the tools take it" },				\
	{ "key", .type = CLI_KEY, INFO(key), .kinds = SYSV,				\
	  .summary = "System V key; 0: private" },					\
	{ "id", .type = CLI_MAYBE, INFO(id), .kinds = SYSV | EVENTFD, .flags = CLI_WIDE,	\
	  .summary = "System V identifier, or that of an eventfd" }
/* clang-format on */

static const struct cli_field info_fields[] = {
	OBJECT_FIELDS,
	{ "nsems", .type = CLI_MAYBE, INFO(nsems), .kinds = SYSV, .summary = "semaphores in the set" },
	{ "value", .type = CLI_MAYBE, INFO(value), .kinds = IN_FILE | EVENTFD | SET_OF_ONE,
	  .summary = "permits that are free" },
	{ "waiters", .type = CLI_MAYBE, INFO(waiters), .kinds = OWNED, .summary = "threads found blocked on it" },
	{ "waiters_recorded", .type = CLI_MAYBE, INFO(waiters_recorded), .kinds = IN_FILE, .flags = CLI_WIDE,
	  .summary = "libc's own count, too high after a waiter was killed" },
	{ "semaphores", .type = CLI_ROWS, INFO(semaphores), .kinds = SYSV, .flags = CLI_BULKY, COUNT(nsems.value),
	  .rows = &slot_table, .summary = "each semaphore of the set" },
	{ "mode", .type = CLI_MODE, INFO(mode), .kinds = OWNED, .summary = "permissions" },
	{ "uid", .type = CLI_MAYBE, INFO(uid), .kinds = OWNED, .flags = CLI_WIDE, .summary = "owner, by number" },
	{ "user", .type = CLI_USER, INFO(uid), .kinds = OWNED, .summary = "owner" },
	{ "gid", .type = CLI_MAYBE, INFO(gid), .kinds = OWNED, .flags = CLI_WIDE, .summary = "group, by number" },
	{ "group", .type = CLI_GROUP, INFO(gid), .kinds = OWNED, .flags = CLI_WIDE, .summary = "group" },
	{ "cuid", .type = CLI_MAYBE, INFO(cuid), .kinds = SYSV, .flags = CLI_WIDE, .summary = "creator, by number" },
	{ "cgid", .type = CLI_MAYBE, INFO(cgid), .kinds = SYSV, .flags = CLI_WIDE,
	  .summary = "creator's group, by number" },
	{ "size", .type = CLI_SIZE, INFO(size), .kinds = IN_FILE, .flags = CLI_WIDE, .summary = "bytes of its file" },
	{ "mtime", .type = CLI_TIME, INFO(mtime), .kinds = IN_FILE,
	  .summary = "when it was created: posting does not change it" },
	{ "otime", .type = CLI_TIME, INFO(otime), .kinds = SYSV, .summary = "last operation; 0: never" },
	{ "ctime", .type = CLI_TIME, INFO(ctime), .kinds = SYSV,
	  .summary = "creation, or last change of owner, mode or values by semctl(2)" },
	{ "holders", .type = CLI_ROWS, INFO(holders.list), .flags = CLI_DETAIL, COUNT(holders.count),
	  .rows = &holder_table, .summary = "exec runs that hold permits" },
	{ "waiting", .type = CLI_ROWS, INFO(waiting.list), .flags = CLI_DETAIL, COUNT(waiting.count),
	  .rows = &waiting_table, .summary = "threads that wait for it" },
	{ "users", .type = CLI_ROWS, INFO(users.list), .flags = CLI_DETAIL, COUNT(users.count),
	  .rows = &user_table, .summary = "processes that have it or use it" },
	{ "unreadable_processes", .type = CLI_MAYBE, INFO(unreadable_processes), .flags = CLI_DETAIL,
	  .summary = "processes that may not be looked at and may use it" },
	{ "unreadable", .type = CLI_GAPS, INFO(gaps), .flags = CLI_BULKY, COUNT(ngaps),
	  .summary = "why a value is unknown" },
	{ 0 },
};

#define ROW(member) .offset = offsetof(struct semctl_row, member)

static const struct cli_field clean_fields[] = {
	OBJECT_FIELDS,
	{ "orphan", .type = CLI_BOOL, ROW(orphan), .summary = "whether it is left over" },
	{ "removed", .type = CLI_BOOL, ROW(removed), .summary = "whether this run removed it" },
	{ "reason", .type = CLI_STRING, ROW(reason), .summary = "why, or why not" },
	{ 0 },
};

static unsigned kind(const void *row)
{
	const struct ipckit_sem_info *info = &((const struct semctl_row *)row)->info;

	switch (info->backend) {
	case IPCKIT_SEM_POSIX:
		return POSIX;
	case IPCKIT_SEM_SYSV:
		return info->nsems.value == 1 ? SET_OF_ONE : SET;
	case IPCKIT_SEM_EVENTFD:
		return EVENTFD;
	default:
		return UNNAMED;
	}
}

const struct cli_table semctl_info_table = { info_fields, sizeof(struct semctl_row), "semaphores", kind };
const struct cli_table semctl_clean_table = { clean_fields, sizeof(struct semctl_row), "semaphores", kind };

/* ---- which of them ---- */

static bool matches(const struct ipckit_sem_info *info, const struct cli_filter *filter)
{
	if (filter->backend && strcmp(filter->backend, ipckit_sem_backend_name(info->backend)) != 0)
		return false;
	if (filter->name && fnmatch(filter->name, info->name, 0) != 0)
		return false;
	if (filter->uid.known && (!info->uid.known || info->uid.value != filter->uid.value))
		return false;
	return !filter->key.known || (info->key.known && (int32_t)info->key.value == filter->key.value);
}

/* The newest use that is known; a POSIX one tells only when it was made. */
static struct ipckit_maybe last_use(const struct ipckit_sem_info *info)
{
	struct ipckit_maybe use = info->mtime;

	if (info->ctime.known)
		use = info->ctime;
	if (info->otime.known && (!use.known || info->otime.value > use.value))
		use = info->otime;
	return use;
}

static bool is_older(const struct ipckit_sem_info *info, int64_t older_than, int64_t now)
{
	struct ipckit_maybe use = last_use(info);
	int64_t least = older_than / 1000000000 + (older_than % 1000000000 != 0);
	int64_t age;

	/* Times are whole seconds, cut: the true age is anything above age - 1. */
	if (older_than <= 0)
		return true;
	return use.known && !__builtin_sub_overflow(now, use.value, &age) && age > least;
}

static bool is_orphan(const struct ipckit_sem_info *info, const struct cli_filter *filter, int64_t now)
{
	struct ipckit_sem_verdict verdict;

	ipckit_sem_judge(info, filter->older_than < 0 ? 0 : filter->older_than, now, &verdict);
	return verdict.orphan;
}

static int check_backend(struct cli *cli, const struct cli_filter *filter)
{
	if (!filter->backend || strcmp(filter->backend, "posix") == 0 || strcmp(filter->backend, "sysv") == 0)
		return 0;
	return cli_usage(cli, "--backend", "\"%s\" is not a backend that can be listed (posix, sysv)", filter->backend);
}

static void tell_gaps(struct cli *cli, const struct ipckit_sem_list *all)
{
	if (all->posix_error == ENODEV)
		cli_warn(cli, "/dev/shm is missing, so no POSIX semaphores: "
			      "mkdir -m 1777 /dev/shm && mount -t tmpfs tmpfs /dev/shm");
	else if (all->posix_error)
		cli_warn(cli, "/dev/shm: %s", cli_errno_words(all->posix_error));
	if (all->sysv_error)
		cli_warn(cli, "/proc/sysvipc/sem: %s", cli_errno_words(all->sysv_error));
	if (all->left_out)
		cli_note(cli, "%u file%s named like semaphores in /dev/shm left out: no semaphores", all->left_out,
			 all->left_out == 1 ? "" : "s");
}

int semctl_rows_read(struct cli *cli, const struct cli_filter *filter, const struct cli_table *table, unsigned what,
		     struct semctl_rows *out)
{
	int64_t now = time(NULL);
	int r = check_backend(cli, filter);

	*out = (struct semctl_rows){ 0 };
	if (r)
		return r;
	r = ipckit_sem_list(filter->orphans ? what | IPCKIT_SEM_IN_USE : what, &out->all);
	if (!r) {
		out->list = calloc(out->all.count + 1, sizeof(*out->list));
		r = out->list ? 0 : -ENOMEM;
	}
	if (r)
		return semctl_fail(cli, NULL, IPCKIT_SEM_POSIX, r);
	for (size_t i = 0; i < out->all.count; i++) {
		struct ipckit_sem_info *info = &out->all.list[i];

		if (!matches(info, filter) || !is_older(info, filter->older_than, now))
			continue;
		if (filter->orphans && !is_orphan(info, filter, now))
			continue;
		out->list[out->count++].info = *info;
	}
	tell_gaps(cli, &out->all);
	return cli_filter_sort(cli, filter, table, out->list, out->count);
}

void semctl_rows_free(struct semctl_rows *rows)
{
	free(rows->list);
	ipckit_sem_list_free(&rows->all);
}
