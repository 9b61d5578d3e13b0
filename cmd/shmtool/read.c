/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard.h"
#include "part.h"

static int string;

static const struct poptOption options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)part_options, 0, NULL, NULL },
	{ "string", 0, POPT_ARG_NONE, &string, 0, "stop before the first NUL", NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)guard_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct row {
	struct ipckit_maybe offset, bytes;
	const char *data;
	size_t size;
};

#define ROW(member) .offset = offsetof(struct row, member)

static const struct cli_field fields[] = {
	{ "offset", .type = CLI_MAYBE, ROW(offset), .summary = "where the bytes begin" },
	{ "size", .type = CLI_SIZE, ROW(bytes), .summary = "how many bytes" },
	{ "data", .type = CLI_DATA, ROW(data), .count_offset = offsetof(struct row, size), .summary = "the bytes" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct row), "parts", NULL };

/* ---- printing ---- */

static int print_row(struct part *part, const char *data)
{
	struct row row = { .offset = ipckit_known((int64_t)part->offset), .data = data };

	row.size = part_printed(data, (size_t)part->length, string);
	row.bytes = ipckit_known((int64_t)row.size);
	return cli_emit_record(part->cli, &table, &row);
}

static int print_copy(struct part *part, const char *data)
{
	uint64_t size = part_printed(data, (size_t)part->length, string);
	int r = 0;

	for (uint64_t done = 0, n; done < size && !r; done += n) {
		n = part_next(size - done);
		r = cli_emit_bytes(part->cli, data + done, (size_t)n);
		cli_progress_step(&part->progress, done);
	}
	return r;
}

/* ---- the verb ---- */

/* The lock is held while the bytes are copied, not while somebody reads what is printed. */
static int copy_locked(struct part *part, char **data)
{
	struct guard *guard;
	int r = guard_take(part->cli, &guard);

	if (r)
		return r;
	part_watch(part);
	r = part_copy(part, data);
	cli_progress_end(&part->progress);
	guard_give_unchanged(guard);
	return r;
}

static int read_copy(struct part *part, bool json)
{
	char *data = NULL;
	int r = copy_locked(part, &data);

	if (!r)
		r = json ? print_row(part, data) : print_copy(part, data);
	part_forget(part, data);
	return r;
}

static int run(struct cli *cli)
{
	bool json = cli->format == CLI_FORMAT_JSON;
	struct part part;
	int r;

	if (!json)
		cli_raw(cli);
	r = guard_open(cli) ?: part_open(cli, cli->operands[0], IPCKIT_SHM_READ, &part);
	if (r)
		return r;
	r = json || guard_wanted() ? read_copy(&part, json) : part_print(&part, string);
	part_close(&part);
	return r;
}

const struct cli_verb shmtool_read = {
	.name = "read",
	.operands = "OBJECT",
	.summary = "print the bytes of a segment, as they are; a length beyond the end is cut there",
	.least = 1,
	.most = 1,
	.flags = CLI_TEXT,
	.options = options,
	.table = &table,
	.run = run,
};
