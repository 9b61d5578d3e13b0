/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cells.h"
#include "guard.h"

#include <errno.h>

static int add;
static char *cas_text;

static const struct poptOption options[] = {
	{ "add", 'a', POPT_ARG_NONE, &add, 0,
	  "add VALUE to what is there, atomically, and print both; integers wrap around", NULL },
	{ "cas", 0, POPT_ARG_STRING, &cas_text, 0,
	  "store VALUE only if OLD is there, bit for bit and atomically, and print what was; else status 1",
	  "OLD" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)guard_options, 0, NULL, NULL },
	POPT_TABLEEND
};

enum { SIMPLE = 1, COMPARED = 2 };

static const struct cli_field fields[] = {
	CELLS_PLACE_FIELDS,
	{ "old", .type = CLI_NUMBER, CELLS_ROW(old.number), .flags = CLI_WIDE,
	  .summary = "the value that was there, as a number; null: no finite one" },
	{ "old_text", .heading = "OLD", .type = CLI_CHARS, CELLS_ROW(old.text),
	  .summary = "the old value as text, exact" },
	CELLS_VALUE_FIELDS,
	{ "old_hex", .type = CLI_CHARS, CELLS_ROW(old.hex), .flags = CLI_WIDE,
	  .summary = "the bits of the old value" },
	{ "swapped", .type = CLI_BOOL, CELLS_ROW(swapped), .kinds = COMPARED, .flags = CLI_WIDE,
	  .summary = "--cas: whether the old value was OLD, and VALUE is there now" },
	{ 0 },
};

static unsigned kind(const void *row)
{
	return ((const struct cells_row *)row)->compared ? COMPARED : SIMPLE;
}

static const struct cli_table table = { fields, sizeof(struct cells_row), "cells", kind };

/* What is to be done; for each row a value. */
struct poke {
	struct cli *cli;
	struct cells_segment segment;
	struct cells_row *rows;
	struct ipckit_cell_value *values, expected;
	size_t count;
};

/* ---- operands ---- */

static int read_cell(struct poke *poke, size_t i)
{
	const char *text = poke->cli->operands[1 + i], *value;
	struct ipckit_cell *cell = &poke->rows[i].cell;
	int r = cells_read(poke->cli, text, &value, cell);

	if (r)
		return r;
	if ((add || cas_text) && !ipckit_cell_aligned(cell))
		return cli_usage(poke->cli, text,
				 "%s is for cells at a multiple of their size, here of %u: others cannot be "
				 "changed in one step",
				 add ? "--add" : "--cas", cell->size);
	return cells_read_value(poke->cli, text, cell, value, add, &poke->values[i]);
}

static int read_all(struct poke *poke)
{
	int r = 0;

	if (add && cas_text)
		return cli_usage(poke->cli, NULL, "--add and --cas exclude each other");
	if (cas_text && poke->count > 1)
		return cli_usage(poke->cli, poke->cli->operands[2], "--cas takes one cell");
	for (size_t i = 0; i < poke->count && !r; i++)
		r = read_cell(poke, i);
	if (!r && cas_text)
		r = cells_read_value(poke->cli, "--cas", &poke->rows[0].cell, cas_text, false,
				     &poke->expected);
	return r;
}

/* ---- changes ---- */

static int change(struct poke *poke, size_t i)
{
	struct cells_row *row = &poke->rows[i];
	struct cells_segment *segment = &poke->segment;
	struct ipckit_cell_value value = poke->values[i], old = { 0 };
	int r;

	if (add) {
		r = ipckit_cell_add(segment->memory, segment->size, &row->cell, value, &old);
		value = ipckit_cell_sum(&row->cell, old, value);
	} else if (cas_text) {
		row->compared = true;
		r = ipckit_cell_swap(segment->memory, segment->size, &row->cell, poke->expected, value, &old,
				     &row->swapped);
		value = row->swapped ? value : old;
	} else {
		r = ipckit_cell_store(segment->memory, segment->size, &row->cell, value, &old);
	}
	if (r)
		return cells_fail(poke->cli, segment, &row->cell, r);
	cells_show(&row->cell, old, &row->old);
	cells_show(&row->cell, value, &row->now);
	return 0;
}

/* Those that wait would wait for the lock, too: they are woken after it. */
static int wake(struct poke *poke)
{
	int r = 0;

	for (size_t i = 0; i < poke->count && !r; i++)
		if (!cas_text || poke->rows[i].swapped)
			r = ipckit_cell_wake(poke->segment.memory, poke->segment.size, &poke->rows[i].cell);
	return r ? shmtool_fail(poke->cli, poke->segment.object, ipckit_shm_backend(poke->segment.shm), r)
		 : 0;
}

static int take_guard(struct poke *poke, struct guard **out)
{
	int r = 0;

	for (size_t i = 0; i < poke->count && !r; i++)
		r = guard_spares(poke->cli, poke->segment.shm, poke->rows[i].cell.offset, poke->rows[i].cell.size);
	return r ?: guard_take(poke->cli, out);
}

static int change_all(struct poke *poke)
{
	struct guard *guard;
	size_t done = 0;
	int r = take_guard(poke, &guard);

	if (r)
		return r;
	for (; done < poke->count && !r; done += !r)
		r = change(poke, done);
	/* A change that is not whole is told to the lock's next holder by not giving it back. */
	if (r && done)
		return r;
	if (r || (cas_text && !poke->rows[0].swapped))
		guard_give_unchanged(guard);
	else
		guard_give(guard);
	return r ?: wake(poke);
}

static int poke_all(struct poke *poke)
{
	int r = read_all(poke) ?: cells_open(poke->cli, true, poke->rows, poke->count, &poke->segment);

	if (r)
		return r;
	r = change_all(poke) ?: cli_emit_list(poke->cli, &table, poke->rows, poke->count);
	ipckit_shm_close(poke->segment.shm);
	return r ?: cas_text && !poke->rows[0].swapped ? CLI_NO : CLI_OK;
}

static int run(struct cli *cli)
{
	struct poke poke = { .cli = cli, .count = (size_t)cli->noperands - 1 };
	int r;

	if (!add && !cas_text)
		cli_acts(cli);
	poke.rows = calloc(poke.count, sizeof(*poke.rows));
	poke.values = calloc(poke.count, sizeof(*poke.values));
	r = poke.rows && poke.values ? poke_all(&poke) : cli_fail(cli, cli->operands[0], ENOMEM, NULL);
	free(poke.rows);
	free(poke.values);
	return r;
}

const struct cli_verb shmtool_poke = {
	.name = "poke",
	.operands = "OBJECT TYPE@OFFSET=VALUE...",
	.summary = "store numbers in a segment, or add to them, and wake who waits for them",
	.least = 2,
	.most = -1,
	.flags = CLI_ANSWERS | CLI_LISTS | CLI_NEGATIVE,
	.options = options,
	.table = &table,
	.run = run,
};
