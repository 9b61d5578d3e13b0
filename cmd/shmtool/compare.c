/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct row {
	bool equal;
	struct ipckit_maybe offset, size, other_size;
};

#define ROW(member) .offset = offsetof(struct row, member)

static const struct cli_field fields[] = {
	{ "equal", .type = CLI_BOOL, ROW(equal), .summary = "whether they are the same" },
	{ "offset", .type = CLI_MAYBE, ROW(offset),
	  .summary = "the first byte that differs, or that only one of them has; null: none" },
	{ "size", .type = CLI_SIZE, ROW(size), .summary = "bytes of the segment" },
	{ "other_size", .type = CLI_SIZE, ROW(other_size),
	  .summary = "bytes of the other; null: a stream that was not read to its end" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct row), "comparisons", NULL };

/* What the segment is compared with: one of these. */
struct other {
	struct part part;
	struct supply supply;
	bool is_part;
};

/* ---- the other side ---- */

static bool begins(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* The path of a file, or NULL: it is to be a name. A bare word is neither, and refused like one that is no
 * name. */
static const char *path_of(const char *text)
{
	const char *slash = strchr(text, '/');

	if (begins(text, "file:"))
		return text + strlen("file:");
	if (!strcmp(text, "-"))
		return text;
	if (!slash || memchr(text, ':', (size_t)(slash - text)))
		return NULL;
	return slash == text && !strchr(text + 1, '/') ? NULL : text;
}

static int open_other(struct cli *cli, const char *text, struct other *out)
{
	const char *path = path_of(text);

	*out = (struct other){ .supply = { .fd = -1 } };
	out->is_part = !path;
	if (!path)
		return part_open_whole(cli, text, IPCKIT_SHM_READ, &out->part);
	/* A file may be called -, too. */
	return supply_open(cli, path == text || strcmp(path, "-") ? path : "./-", &out->supply);
}

static void close_other(struct other *other)
{
	if (other->is_part)
		part_close(&other->part);
	else
		supply_close(&other->supply);
}

/* Bytes from a place on, fewer only at its end. Negative: the exit status of what was reported. */
static ssize_t read_other(struct other *other, uint64_t at, char *data)
{
	struct part *part = &other->part;
	size_t size;
	int r;

	if (!other->is_part)
		return supply_read(&other->supply, at, data, PART_CHUNK);
	size = part_next(part->size - at);
	r = part_read(part, at, data, size);
	return r ? -r : (ssize_t)size;
}

/* ---- comparing ---- */

struct comparing {
	struct part part;
	struct other other;
	struct row row;
	char a[PART_CHUNK], b[PART_CHUNK];
};

static size_t first_difference(const char *a, const char *b, size_t size)
{
	size_t i = 0;

	if (!memcmp(a, b, size))
		return size;
	while (a[i] == b[i])
		i++;
	return i;
}

/* What is read of a stream is all of it only where its end was seen. */
static void settle(struct comparing *comparing, uint64_t at, size_t last, size_t same, bool equal)
{
	const struct other *other = &comparing->other;
	struct row *row = &comparing->row;

	*row = (struct row){ .equal = equal, .size = ipckit_known((int64_t)comparing->part.size) };
	if (!equal)
		row->offset = ipckit_known((int64_t)(at + same));
	if (other->is_part)
		row->other_size = ipckit_known((int64_t)other->part.size);
	else if (other->supply.ended)
		row->other_size = ipckit_known((int64_t)other->supply.size);
	else if (last < PART_CHUNK)
		row->other_size = ipckit_known((int64_t)(at + last));
}

/* Returns 0, or the exit status of what went wrong. */
static int compare(struct comparing *comparing)
{
	struct part *part = &comparing->part;

	for (uint64_t at = 0;;) {
		size_t n = part_next(part->size - at), both, same;
		ssize_t m = read_other(&comparing->other, at, comparing->b);
		int r;

		if (m < 0)
			return (int)-m;
		both = n < (size_t)m ? n : (size_t)m;
		r = part_read(part, at, comparing->a, both);
		if (r)
			return r;
		same = first_difference(comparing->a, comparing->b, both);
		if (same < both || n != (size_t)m || !n) {
			settle(comparing, at, (size_t)m, same, same == n && n == (size_t)m);
			return 0;
		}
		at += n;
		cli_progress_step(&part->progress, at);
	}
}

/* ---- the verb ---- */

static int answer(struct comparing *comparing)
{
	struct part *part = &comparing->part;
	struct row *row = &comparing->row;
	int r;

	cli_progress_begin(part->cli, ipckit_known((int64_t)part->size), &part->progress);
	r = compare(comparing);
	cli_progress_end(&part->progress);
	if (!r)
		r = cli_emit_record(part->cli, &table, row);
	return r ?: row->equal ? CLI_OK : CLI_NO;
}

static int open_and_answer(struct cli *cli, struct comparing *comparing)
{
	int r = part_open_whole(cli, cli->operands[0], IPCKIT_SHM_READ, &comparing->part);

	if (r)
		return r;
	r = open_other(cli, cli->operands[1], &comparing->other);
	if (!r) {
		r = answer(comparing);
		close_other(&comparing->other);
	}
	part_close(&comparing->part);
	return r;
}

static int run(struct cli *cli)
{
	struct comparing *comparing = malloc(sizeof(*comparing));
	int r;

	if (!comparing)
		return cli_fail(cli, NULL, ENOMEM, NULL);
	r = open_and_answer(cli, comparing);
	free(comparing);
	return r;
}

const struct cli_verb shmtool_compare = {
	.name = "compare",
	.operands = "OBJECT OBJECT|FILE",
	.summary = "compare a segment with another, with a file (a path, or file:PATH) or standard input (-)",
	.least = 2,
	.most = 2,
	.flags = CLI_ANSWERS,
	.table = &table,
	.run = run,
};
