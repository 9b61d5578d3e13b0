/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cells.h"

#include <errno.h>

/* How long a segment that has become too short, with a part of its last page left, may go unnoticed. */
#define LOOK_AT_SIZE_NS 500000000

static char *timeout_text;

static const struct poptOption options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time; 0: only look",
	  "DURATION" },
	POPT_TABLEEND
};

struct condition {
	struct cells_row row;
	enum ipckit_compare op;
	struct ipckit_cell_value value;
	bool removed; /* from the beginning: System V, by its id */
};

static int read_condition(struct cli *cli, struct condition *out)
{
	int r = cells_read(cli, cli->operands[1], NULL, &out->row.cell);

	if (r)
		return r;
	if (ipckit_parse_compare(cli->operands[2], &out->op))
		return cli_usage(cli, cli->operands[2], "not a comparison (eq ne lt le gt ge)");
	return cells_read_value(cli, cli->operands[3], &out->row.cell, cli->operands[3], false, &out->value);
}

/* One that is removed meanwhile is changed by nobody who comes. */
static int check_segment(struct cells_segment *segment, const struct condition *condition)
{
	const struct ipckit_cell *cell = &condition->row.cell;
	uint64_t size;
	int r = condition->removed ? 0 : ipckit_shm_check(segment->shm);

	if (!r)
		r = ipckit_shm_size(segment->shm, &size);
	if (r)
		return r;
	segment->size = size < segment->size ? (size_t)size : segment->size;
	return ipckit_cell_check(segment->size, cell);
}

static int wait_once(const struct cells_segment *segment, const struct condition *condition,
		     const struct ipckit_deadline *deadline, struct ipckit_cell_value *seen)
{
	return ipckit_cell_wait(segment->memory, segment->size, &condition->row.cell, condition->op,
				condition->value, deadline, seen);
}

/* 0 or -errno. */
static int wait_until(struct cells_segment *segment, const struct condition *condition,
		      const struct ipckit_deadline *deadline, struct ipckit_cell_value *seen)
{
	struct ipckit_deadline part;
	int r;

	do {
		ipckit_deadline_within(deadline, LOOK_AT_SIZE_NS, &part);
		r = check_segment(segment, condition) ?: wait_once(segment, condition, &part, seen);
	} while (r == -ETIMEDOUT && !ipckit_deadline_left(deadline, NULL));
	return r;
}

static int fail(struct cli *cli, const struct cells_segment *segment, const struct condition *condition,
		int error)
{
	struct ipckit_cell_value value;
	struct cells_value shown;

	if (error == -EFBIG)
		return cells_fail(cli, segment, &condition->row.cell, error);
	if (error == -EAGAIN &&
	    !ipckit_cell_load(segment->memory, segment->size, &condition->row.cell, &value)) {
		cells_show(&condition->row.cell, value, &shown);
		return cli_fail(cli, segment->object, error, "%s is %s", cli->operands[1], shown.text);
	}
	return shmtool_fail_wait(cli, segment->object, ipckit_shm_backend(segment->shm), error, timeout_text);
}

static int wait_for(struct cli *cli, struct cells_segment *segment, struct condition *condition,
		    int64_t timeout)
{
	struct ipckit_cell_value seen = { 0 };
	struct ipckit_deadline deadline;
	int r;

	condition->removed = ipckit_shm_check(segment->shm) == -EIDRM;
	/* Nothing is held: signals keep their action. */
	ipckit_deadline_in(timeout, &deadline);
	r = wait_until(segment, condition, &deadline, &seen);
	if (r)
		return fail(cli, segment, condition, r);
	cells_show(&condition->row.cell, seen, &condition->row.now);
	return cli_emit_record(cli, &cells_table, &condition->row);
}

static int run(struct cli *cli)
{
	struct cells_segment segment;
	struct condition condition = { 0 };
	int64_t timeout = IPCKIT_FOREVER;
	int r = cli_duration(cli, "--timeout", timeout_text, &timeout) ?: read_condition(cli, &condition) ?:
		cells_open(cli, false, &condition.row, 1, &segment);

	if (r)
		return r;
	r = wait_for(cli, &segment, &condition, timeout);
	ipckit_shm_close(segment.shm);
	return r;
}

const struct cli_verb shmtool_wait = {
	.name = "wait",
	.operands = "OBJECT TYPE@OFFSET CMP VALUE",
	.summary = "wait until a number in a segment is eq, ne, lt, le, gt or ge VALUE",
	.least = 4,
	.most = 4,
	.flags = CLI_NEGATIVE,
	.options = options,
	.table = &cells_table,
	.run = run,
};
