/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMTOOL_CELLS_H
#define SHMTOOL_CELLS_H

/* Cells as operands and as rows: what peek, poke and wait have alike. */

#include "shmtool.h"

#include <ipckit/cell.h>

/* A value in the ways in which it is printed. */
struct cells_value {
	struct cli_number number; /* a real also where an integer does not fit into an int64_t */
	char text[IPCKIT_CELL_TEXT];
	char hex[20];
};

struct cells_row {
	struct ipckit_cell cell;
	struct cells_value now, old; /* old: poke */
	bool compared, swapped;      /* poke --cas */
};

void cells_show(const struct ipckit_cell *cell, struct ipckit_cell_value value, struct cells_value *out);

extern const struct cli_table cells_table; /* of struct cells_row; peek and wait */

/* clang-format off */
#define CELLS_ROW(member) .offset = offsetof(struct cells_row, member)
#define CELLS_PLACE_FIELDS									\
	{ "type", .type = CLI_CHARS, CELLS_ROW(cell.type), .summary = "type of the cell" },	\
	{ "offset", .type = CLI_INTEGER, CELLS_ROW(cell.offset),				\
	  .summary = "where it begins in the segment" }
#define CELLS_VALUE_FIELDS									\
	{ "value", .type = CLI_NUMBER, CELLS_ROW(now.number), .flags = CLI_WIDE,		\
	  .summary = "the value as a number; null: no finite one" },				\
	{ "text", .heading = "VALUE", .type = CLI_CHARS, CELLS_ROW(now.text),			\
	  .summary = "the value as text, exact" },						\
	{ "hex", .type = CLI_CHARS, CELLS_ROW(now.hex), .flags = CLI_WIDE,			\
	  .summary = "its bits" }
/* clang-format on */

/* ---- operands: 0 or the exit status ---- */

/* TYPE@OFFSET, or with value not NULL TYPE@OFFSET=VALUE, as ipckit_cell_parse(). */
int cells_read(struct cli *cli, const char *text, const char **value, struct ipckit_cell *out);

/* What is stored in a cell or compared with it; step: what is added to it. option: for the message. */
int cells_read_value(struct cli *cli, const char *option, const struct ipckit_cell *cell, const char *text,
		     bool step, struct ipckit_cell_value *out);

/* ---- segments ---- */

struct cells_segment {
	const char *object;
	struct ipckit_shm *shm;
	void *memory;
	size_t size;
};

/* Opens and maps the segment of the first operand, which all cells of the rows have to lie in. 0 or the exit
 * status, and then there is nothing to close. */
int cells_open(struct cli *cli, bool write, const struct cells_row *rows, size_t count,
	       struct cells_segment *out);

/* Reports what a call on a cell says. */
int cells_fail(struct cli *cli, const struct cells_segment *segment, const struct ipckit_cell *cell,
	       int error);

#endif
