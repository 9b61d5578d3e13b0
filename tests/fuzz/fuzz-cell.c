/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Typed cells and their values, as people write them; and any bits as values. */

#include "fuzz.h"

#include <errno.h>

#include <ipckit/cell.h>

static const char *const types[] = { "i8@0",  "u8@0",  "i16@0", "u16@0", "i32@0",   "u32@0",
				     "i64@0", "u64@0", "f32@0", "f64@0", "u16be@8", "f64be@1" };

#define NTYPES (sizeof(types) / sizeof(*types))

/* What is written is read as the same again, bit for bit. */
static void check_text(const struct ipckit_cell *cell, struct ipckit_cell_value value)
{
	struct ipckit_cell_value again = { 0 };
	char text[IPCKIT_CELL_TEXT];

	ipckit_cell_format(cell, value, text);
	HOLDS(strlen(text) < sizeof(text));
	HOLDS(!ipckit_cell_parse_value(cell, text, NULL, &again));
	HOLDS(again.bits == value.bits);
}

static void check_order(const struct ipckit_cell *cell, struct ipckit_cell_value a,
			struct ipckit_cell_value b)
{
	bool unordered, other;
	int order = ipckit_cell_order(cell, a, b, &unordered);

	HOLDS(ipckit_cell_order(cell, b, a, &other) == -order && other == unordered);
	HOLDS(ipckit_cell_compare(cell, a, IPCKIT_NE, b) == !ipckit_cell_compare(cell, a, IPCKIT_EQ, b));
	HOLDS(ipckit_cell_compare(cell, a, IPCKIT_LT, b) + ipckit_cell_compare(cell, a, IPCKIT_GE, b) ==
	      !unordered);
}

static void check_value(const struct ipckit_cell *cell, const char *text, uint64_t bits)
{
	struct ipckit_cell_value value = { 0x5a5a }, step = { 0x5a5a }, sum;
	struct ipckit_why why = { "" };
	int r = ipckit_cell_parse_value(cell, text, &why, &value);

	HOLDS(r == 0 || r == -EINVAL || r == -ERANGE);
	HOLDS(!r == !*why.text);
	if (r) {
		HOLDS(value.bits == 0x5a5a);
	} else {
		HOLDS(!(value.bits & ~(UINT64_MAX >> (64 - 8 * cell->size))));
		check_text(cell, value);
		check_order(cell, value, (struct ipckit_cell_value){ bits });
		/* A value is a step. */
		HOLDS(!ipckit_cell_parse_step(cell, text, NULL, &step));
		HOLDS(step.bits == value.bits);
	}
	if (!ipckit_cell_parse_step(cell, text, NULL, &step)) {
		sum = ipckit_cell_sum(cell, (struct ipckit_cell_value){ bits }, step);
		HOLDS(!(sum.bits & ~(UINT64_MAX >> (64 - 8 * cell->size))));
		check_text(cell, sum);
	}
}

static void check_cell(const char *text, uint64_t bits)
{
	struct ipckit_cell cell, before;
	const char *value = NULL;
	struct ipckit_why why = { "" };
	int r;

	memset(&cell, 0x5a, sizeof(cell));
	before = cell;
	r = ipckit_cell_parse(text, &why, strchr(text, '=') ? &value : NULL, &cell);
	HOLDS(r == 0 || r == -EINVAL || r == -ERANGE);
	HOLDS(!r == !*why.text);
	if (r) {
		HOLDS(!memcmp(&cell, &before, sizeof(cell)) && !value);
		return;
	}
	HOLDS(cell.size && cell.size <= 8 && !(cell.size & (cell.size - 1)) && cell.offset <= INT64_MAX);
	HOLDS(!strncmp(text, cell.type, strlen(cell.type)) && text[strlen(cell.type)] == '@');
	if (value)
		check_value(&cell, value, bits & UINT64_MAX >> (64 - 8 * cell.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	uint64_t bits = 0;

	memcpy(&bits, data + (size > 8 ? size - 8 : 0), size < 8 ? size : 8);
	check_cell(text, bits);
	for (size_t i = 0; i < NTYPES; i++) {
		struct ipckit_cell cell;
		struct ipckit_cell_value value;

		HOLDS(!ipckit_cell_parse(types[i], NULL, NULL, &cell));
		value.bits = bits & UINT64_MAX >> (64 - 8 * cell.size);
		check_text(&cell, value);
		check_value(&cell, text, value.bits);
	}
	free(text);
	return 0;
}
