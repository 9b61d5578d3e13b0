/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shmtool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct row {
	struct ipckit_shm_user user;
	char range[40]; /* its addresses, as /proc/PID/maps has them */
};

enum { MAPPED = 1, OPEN = 2 };

#define USER(member) .offset = offsetof(struct row, user.member)

static const struct cli_field fields[] = {
	{ "pid", .type = CLI_INT, USER(pid), .summary = "process" },
	{ "uid", .type = CLI_MAYBE, USER(uid), .flags = CLI_WIDE, .summary = "its user" },
	{ "command", .type = CLI_STRING, USER(command), .summary = "its command line" },
	{ "range", .type = CLI_CHARS, .offset = offsetof(struct row, range), .kinds = MAPPED,
	  .json_kinds = CLI_NO_KIND, .summary = "its addresses in hex: start and end, which JSON has instead" },
	{ "start", .type = CLI_MAYBE, USER(start), .kinds = MAPPED, .flags = CLI_WIDE,
	  .summary = "address of the mapping" },
	{ "end", .type = CLI_MAYBE, USER(end), .kinds = MAPPED, .flags = CLI_WIDE, .summary = "address behind it" },
	{ "offset", .type = CLI_MAYBE, USER(offset), .kinds = MAPPED, .summary = "where in the segment it begins" },
	{ "access", .type = CLI_CHARS, USER(access), .kinds = MAPPED,
	  .summary = "read, write, execute; s: shared, p: private" },
	{ "rss", .type = CLI_SIZE, USER(rss), .kinds = MAPPED, .summary = "bytes of it in memory" },
	{ "pss", .type = CLI_SIZE, USER(pss), .kinds = MAPPED,
	  .summary = "the same, divided by how many have them mapped" },
	{ "swap", .type = CLI_SIZE, USER(swap), .kinds = MAPPED, .summary = "bytes of it in swap" },
	{ "page_size", .heading = "PAGE", .type = CLI_SIZE, USER(page_size), .kinds = MAPPED,
	  .summary = "bytes of a page" },
	{ "evidence", .type = CLI_WORD, USER(evidence), .words = cli_evidence_words,
	  .summary = "how that is known: mapped, or open (and not mapped)" },
	{ 0 },
};

static unsigned kind(const void *row)
{
	return ((const struct row *)row)->user.evidence == IPCKIT_SEEN_MAPPED ? MAPPED : OPEN;
}

static const struct cli_table table = { fields, sizeof(struct row), "users", kind };

/* Of a segment that nobody was seen to use: whether the kernel itself says so. */
static struct ipckit_maybe ask_kernel(const struct ipckit_name *name)
{
	struct ipckit_maybe used = ipckit_unknown();
	struct ipckit_shm_info info;

	if (ipckit_shm_stat(name, IPCKIT_SHM_IN_USE, &info))
		return used;
	used = info.backend == IPCKIT_SHM_SYSV ? info.nattch : info.in_use;
	ipckit_shm_info_free(&info);
	return used;
}

/* Who is not seen may use it all the same. */
static void tell_gaps(struct cli *cli, const struct ipckit_name *name, const struct ipckit_shm_users *users)
{
	const struct ipckit_maybe *unreadable = &users->unreadable_processes;
	struct ipckit_maybe used = users->count ? ipckit_unknown() : ask_kernel(name);

	if (used.known && !used.value)
		return;
	if (used.known)
		cli_warn(cli, "it is in use, by processes that are not seen, or by a descriptor that was inherited");
	if (!unreadable->known)
		cli_warn(cli, "processes are hidden here, and may use it");
	else if (unreadable->value)
		cli_warn(cli, "%" PRId64 " process%s may not be looked at and may use it", unreadable->value,
			 unreadable->value == 1 ? "" : "es");
	if (users->other_pids && !users->count && !used.known)
		cli_warn(cli, "processes of other PID namespaces are not seen, and may use it");
}

static int emit(struct cli *cli, const struct ipckit_shm_users *users)
{
	struct row *rows = calloc(users->count + 1, sizeof(*rows));
	int r;

	if (!rows)
		return cli_fail(cli, NULL, ENOMEM, NULL);
	for (size_t i = 0; i < users->count; i++) {
		struct row *row = &rows[i];

		row->user = users->list[i];
		if (row->user.start.known && row->user.end.known)
			snprintf(row->range, sizeof(row->range), "%" PRIx64 "-%" PRIx64,
				 (uint64_t)row->user.start.value, (uint64_t)row->user.end.value);
	}
	r = cli_emit_list(cli, &table, rows, users->count);
	free(rows);
	return r;
}

static int run(struct cli *cli)
{
	struct ipckit_shm_users users;
	struct ipckit_name name;
	int r = shmtool_name(cli, cli->operands[0], 0, &name);

	if (r)
		return r;
	r = ipckit_shm_find_users(&name, &users);
	if (r) {
		r = shmtool_fail(cli, name.written, ipckit_shm_backend_of(&name), r);
	} else {
		tell_gaps(cli, &name, &users);
		r = emit(cli, &users);
		ipckit_shm_users_free(&users);
	}
	ipckit_name_free(&name);
	return r;
}

const struct cli_verb shmtool_users = {
	.name = "users",
	.operands = "OBJECT",
	.summary = "print each mapping of a segment, and who has it open",
	.least = 1,
	.most = 1,
	.flags = CLI_ANSWERS | CLI_LISTS,
	.table = &table,
	.run = run,
};
