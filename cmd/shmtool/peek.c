/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cells.h"
#include "guard.h"

#include <errno.h>

static const struct poptOption options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)guard_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static int load(struct cli *cli, const struct cells_segment *segment, struct cells_row *row)
{
	struct ipckit_cell_value value = { 0 };
	int r = ipckit_cell_load(segment->memory, segment->size, &row->cell, &value);

	if (r)
		return cells_fail(cli, segment, &row->cell, r);
	cells_show(&row->cell, value, &row->now);
	return 0;
}

static int load_all(struct cli *cli, const struct cells_segment *segment, struct cells_row *rows,
		    size_t count)
{
	struct guard *guard;
	int r = guard_take(cli, &guard);

	if (r)
		return r;
	for (size_t i = 0; i < count && !r; i++)
		r = load(cli, segment, &rows[i]);
	guard_give_unchanged(guard);
	return r;
}

static int peek(struct cli *cli, struct cells_row *rows, size_t count)
{
	struct cells_segment segment;
	int r = 0;

	for (size_t i = 0; i < count && !r; i++)
		r = cells_read(cli, cli->operands[1 + i], NULL, &rows[i].cell);
	if (!r)
		r = cells_open(cli, false, rows, count, &segment);
	if (r)
		return r;
	r = load_all(cli, &segment, rows, count) ?: cli_emit_list(cli, &cells_table, rows, count);
	ipckit_shm_close(segment.shm);
	return r;
}

static int run(struct cli *cli)
{
	size_t count = (size_t)cli->noperands - 1;
	struct cells_row *rows = calloc(count, sizeof(*rows));
	int r = rows ? peek(cli, rows, count) : cli_fail(cli, cli->operands[0], ENOMEM, NULL);

	free(rows);
	return r;
}

const struct cli_verb shmtool_peek = {
	.name = "peek",
	.operands = "OBJECT TYPE@OFFSET...",
	.summary = "print numbers in a segment",
	.least = 2,
	.most = -1,
	.flags = CLI_ANSWERS | CLI_LISTS,
	.options = options,
	.table = &cells_table,
	.run = run,
};
