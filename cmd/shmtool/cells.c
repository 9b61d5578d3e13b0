/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cells.h"

#include <errno.h>
#include <inttypes.h>

/* ---- rows ---- */

void cells_show(const struct ipckit_cell *cell, struct ipckit_cell_value value, struct cells_value *out)
{
	*out = (struct cells_value){ 0 };
	if (cell->kind == IPCKIT_CELL_REAL)
		out->number.real = ipckit_cell_real(cell, value);
	else if (cell->kind == IPCKIT_CELL_SIGNED)
		out->number.integer = ipckit_known(ipckit_cell_signed(cell, value));
	else if (value.bits <= INT64_MAX)
		out->number.integer = ipckit_known((int64_t)value.bits);
	else
		out->number.real = (double)value.bits;
	ipckit_cell_format(cell, value, out->text);
	snprintf(out->hex, sizeof(out->hex), "0x%0*" PRIx64, (int)(2 * cell->size), value.bits);
}

static const struct cli_field fields[] = {
	CELLS_PLACE_FIELDS,
	CELLS_VALUE_FIELDS,
	{ 0 },
};

const struct cli_table cells_table = { fields, sizeof(struct cells_row), "cells", NULL };

/* ---- operands ---- */

int cells_read(struct cli *cli, const char *text, const char **value, struct ipckit_cell *out)
{
	struct ipckit_why why;

	return ipckit_cell_parse(text, &why, value, out) ? cli_usage(cli, text, "%s", why.text) : 0;
}

int cells_read_value(struct cli *cli, const char *option, const struct ipckit_cell *cell, const char *text,
		     bool step, struct ipckit_cell_value *out)
{
	struct ipckit_why why;
	int r = step ? ipckit_cell_parse_step(cell, text, &why, out)
		     : ipckit_cell_parse_value(cell, text, &why, out);

	return r ? cli_usage(cli, option, "%s", why.text) : 0;
}

/* ---- segments ---- */

static int fail_end(struct cli *cli, const char *object, const struct ipckit_cell *cell, uint64_t size)
{
	return cli_fail(cli, object, EFBIG, "%s@%" PRIu64 " reaches beyond its end: it has %" PRIu64 " bytes",
			cell->type, cell->offset, size);
}

int cells_fail(struct cli *cli, const struct cells_segment *segment, const struct ipckit_cell *cell,
	       int error)
{
	if (error == -EFBIG)
		return fail_end(cli, segment->object, cell, segment->size);
	return shmtool_fail(cli, segment->object, ipckit_shm_backend(segment->shm), error);
}

static int check(struct cli *cli, struct cells_segment *segment, const struct cells_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ipckit_cell_check(segment->size, &rows[i].cell))
			return fail_end(cli, segment->object, &rows[i].cell, segment->size);
	return 0;
}

/* One without bytes cannot be mapped: the cells go before. */
static int map(struct cli *cli, struct cells_segment *segment, bool write, const struct cells_row *rows,
	       size_t count)
{
	uint64_t size = 0;
	int r = ipckit_shm_size(segment->shm, &size);

	if (r)
		return shmtool_fail(cli, segment->object, ipckit_shm_backend(segment->shm), r);
	segment->size = size < SIZE_MAX ? (size_t)size : SIZE_MAX;
	r = check(cli, segment, rows, count);
	if (r)
		return r;
	r = ipckit_shm_map(segment->shm, write, &segment->memory, &segment->size);
	if (r)
		return shmtool_fail(cli, segment->object, ipckit_shm_backend(segment->shm), r);
	return check(cli, segment, rows, count);
}

int cells_open(struct cli *cli, bool write, const struct cells_row *rows, size_t count,
	       struct cells_segment *out)
{
	struct cells_segment segment = { .object = cli->operands[0] };
	int r = shmtool_open(cli, segment.object, IPCKIT_SHM_READ | (write ? IPCKIT_SHM_WRITE : 0),
			     &segment.shm);

	if (r)
		return r;
	r = map(cli, &segment, write, rows, count);
	if (r)
		ipckit_shm_close(segment.shm);
	else
		*out = segment;
	return r;
}
