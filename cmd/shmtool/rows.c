/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rows.h"

#include "shmtool.h"

#include <stdio.h>

struct row {
	struct cli_object object;
	struct ipckit_shm_info info;
	struct ipckit_maybe nusers, atime;
	char status[24]; /* words */
};

/* ---- what there is to tell ---- */

enum {
	SYSV = CLI_KEYED,
	POSIX = 2,
	BOTH = SYSV | POSIX,
};

#define INFO(member) CLI_INFO(struct row, member)
#define ROW(member) .offset = offsetof(struct row, member)

static const struct cli_field info_fields[] = {
	CLI_OBJECT_FIELDS("posix or sysv", 0, "System V identifier"),
	{ "size", .type = CLI_SIZE, INFO(size), .summary = "bytes" },
	{ "rss", .type = CLI_SIZE, INFO(rss), .summary = "bytes of it in memory; of POSIX ones also those in swap" },
	{ "swap", .type = CLI_SIZE, INFO(swap), .kinds = SYSV, .flags = CLI_BULKY, .summary = "bytes of it in swap" },
	{ "nattch", .type = CLI_MAYBE, INFO(nattch), .kinds = SYSV, .summary = "attachments" },
	{ "nusers", .heading = "USERS", .type = CLI_MAYBE, ROW(nusers),
	  .summary = "processes found that have it mapped or open; null: none, and some cannot be seen" },
	CLI_OWNER_FIELDS(struct row, BOTH),
	{ "status", .type = CLI_CHARS, ROW(status), .kinds = SYSV, .json_kinds = CLI_NO_KIND,
	  .summary = "which of dest, locked and hugetlb it is, as JSON has them" },
	{ "dest", .type = CLI_TRUTH, INFO(dest), .kinds = SYSV, .flags = CLI_WIDE,
	  .summary = "whether it is marked for destruction: it goes with its last attachment" },
	{ "locked", .type = CLI_TRUTH, INFO(locked), .kinds = SYSV, .flags = CLI_WIDE,
	  .summary = "whether it is kept in memory (SHM_LOCK)" },
	{ "hugetlb", .type = CLI_TRUTH, INFO(hugetlb), .kinds = SYSV, .flags = CLI_WIDE,
	  .summary = "whether it is of huge pages" },
	{ "cpid", .type = CLI_PID, INFO(cpid), .kinds = SYSV, .flags = CLI_BULKY,
	  .summary = "the process that made it; 0: none" },
	{ "lpid", .type = CLI_PID, INFO(lpid), .kinds = SYSV, .flags = CLI_BULKY,
	  .summary = "the last process that attached or detached it; 0: none" },
	{ "atime", .type = CLI_TIME, ROW(atime), .flags = CLI_BULKY,
	  .summary = "System V: last attachment; 0: never; POSIX: last read(2) or mmap(2)" },
	{ "dtime", .type = CLI_TIME, INFO(dtime), .kinds = SYSV, .flags = CLI_BULKY,
	  .summary = "last detachment; 0: never" },
	{ "mtime", .type = CLI_TIME, INFO(mtime), .kinds = POSIX, .flags = CLI_BULKY,
	  .summary = "last write(2) or resize; what is stored in a mapping need not count" },
	{ "ctime", .type = CLI_TIME, INFO(ctime), .summary = "creation or last change" },
	CLI_USER_FIELDS(struct row, cli_user_table),
	{ 0 },
};

static unsigned kind(const void *row)
{
	return ((const struct row *)row)->info.backend == IPCKIT_SHM_SYSV ? SYSV : POSIX;
}

const struct cli_table shmtool_info_table = { info_fields, sizeof(struct row), "segments", kind };

/* ---- how it is looked at ---- */

static bool is_set(const struct ipckit_maybe *flag)
{
	return flag->known && flag->value;
}

static void put_status(const struct ipckit_shm_info *info, char *text, size_t size)
{
	const struct {
		const struct ipckit_maybe *flag;
		const char *word;
	} flags[] = { { &info->dest, "dest" }, { &info->locked, "locked" }, { &info->hugetlb, "hugetlb" } };
	size_t length = 0;

	for (size_t i = 0; i < 3; i++)
		if (is_set(flags[i].flag) && length < size)
			length += (size_t)snprintf(text + length, size - length, "%s%s", length ? " " : "",
						   flags[i].word);
}

/* Whether the kernel says, or all could be seen, that nobody has it. */
static bool is_unused(const struct ipckit_shm_info *info)
{
	const struct ipckit_usage *usage = &info->usage;

	if (info->nattch.known || info->in_use.known)
		return !info->nattch.value && !info->in_use.value;
	return usage->unreadable_processes.known && !usage->unreadable_processes.value && !usage->other_pids;
}

static struct ipckit_maybe count_users(const struct ipckit_shm_info *info)
{
	const struct ipckit_processes *users = &info->usage.users;
	int64_t n = 0;

	for (size_t i = 0; i < users->count; i++)
		n += users->list[i].evidence == IPCKIT_SEEN_MAPPED || users->list[i].evidence == IPCKIT_SEEN_OPEN;
	return n || is_unused(info) ? ipckit_known(n) : ipckit_unknown();
}

static struct ipckit_maybe last_use(const struct ipckit_shm_info *info)
{
	if (info->backend == IPCKIT_SHM_POSIX)
		return cli_later(info->ctime, cli_later(info->mtime, info->file_atime));
	return cli_later(info->ctime, cli_later(info->atime, info->dtime));
}

static void fill(void *to, const void *from)
{
	const struct ipckit_shm_info *info = from;
	struct row *row = to;

	row->info = *info;
	row->nusers = count_users(info);
	row->atime = info->backend == IPCKIT_SHM_POSIX ? info->file_atime : info->atime;
	put_status(info, row->status, sizeof(row->status));
	row->object = (struct cli_object){
		.name = info->name,
		.backend = ipckit_shm_backend_name(info->backend),
		.key = info->key,
		.id = info->id,
		.uid = info->uid,
		.last_use = last_use(info),
	};
}

static void clear(void *row)
{
	ipckit_shm_info_free(&((struct row *)row)->info);
}

static int stat_row(const struct ipckit_name *name, unsigned what, void *row)
{
	struct ipckit_shm_info info;
	int r = ipckit_shm_stat(name, what, &info);

	if (!r)
		fill(row, &info);
	return r;
}

static void tell_gaps(struct cli *cli, const struct ipckit_shm_list *all)
{
	cli_objects_unread(cli, "/dev/shm", all->posix_error,
			   "/dev/shm is missing, so no POSIX segments: " CLI_MOUNT_SHM);
	cli_objects_unread(cli, "/proc/sysvipc/shm", all->sysv_error, NULL);
	if (all->left_out)
		cli_note(cli, "%u entr%s of /dev/shm left out: no segments", all->left_out,
			 all->left_out == 1 ? "y" : "ies");
}

static int list(struct cli *cli, unsigned what, struct cli_objects *out)
{
	struct ipckit_shm_list all;
	int r = ipckit_shm_list(what, &all);

	if (r)
		return r;
	tell_gaps(cli, &all);
	r = cli_objects_take(cli->tool->noun, all.list, sizeof(*all.list), &all.count, out);
	ipckit_shm_list_free(&all);
	return r;
}

static void judge(const void *row, int64_t older_than, int64_t now, struct ipckit_orphan_verdict *out)
{
	ipckit_shm_judge(&((const struct row *)row)->info, older_than, now, out);
}

static bool same(const void *judged, const void *now)
{
	const struct row *a = judged, *b = now;

	return a->info.device == b->info.device && a->info.inode == b->info.inode &&
	       a->info.nattch.value == b->info.nattch.value && a->object.last_use.value == b->object.last_use.value;
}

static const char *backend_word(const struct ipckit_name *name)
{
	return ipckit_shm_backend_name(ipckit_shm_backend_of(name));
}

static int fail(struct cli *cli, const struct ipckit_name *name, int error)
{
	if (!name)
		return shmtool_fail(cli, NULL, IPCKIT_SHM_POSIX, error);
	return shmtool_fail(cli, name->written, ipckit_shm_backend_of(name), error);
}

static const char *const backends[] = { "posix", "sysv", NULL };

const struct cli_noun shmtool_noun = {
	.takes = IPCKIT_SHM_NAMES,
	.backends = backends,
	.table = &shmtool_info_table,
	.to_tell = IPCKIT_SHM_USERS,
	.to_judge = IPCKIT_SHM_USERS | IPCKIT_SHM_IN_USE,
	.list = list,
	.stat = stat_row,
	.fill = fill,
	.clear = clear,
	.judge = judge,
	.same = same,
	.remove = ipckit_shm_remove,
	.backend = backend_word,
	.fail = fail,
	.limits = ipckit_shm_limits,
};
