/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Typed cells: their grammar, values and text, and what they are in memory. */

#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipckit/cell.h>

static struct ipckit_cell cell_of(const char *text)
{
	struct ipckit_cell cell = { 0 };

	if (!CHECK_FOR(text, !ipckit_cell_parse(text, NULL, NULL, &cell)))
		exit(unit_done("cells"));
	return cell;
}

static struct ipckit_cell_value value_of(const struct ipckit_cell *cell, const char *text)
{
	struct ipckit_cell_value value = { 0 };

	CHECK_FOR(text, !ipckit_cell_parse_value(cell, text, NULL, &value));
	return value;
}

/* ---- grammar ---- */

static void test_cells(void)
{
	static const bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	static const struct {
		const char *text, *type;
		enum ipckit_cell_kind kind;
		unsigned size;
		bool swapped;
		uint64_t offset;
	} rows[] = {
		{ "i8@0", "i8", IPCKIT_CELL_SIGNED, 1, false, 0 },
		{ "u8@7", "u8", IPCKIT_CELL_UNSIGNED, 1, false, 7 },
		{ "i16@010", "i16", IPCKIT_CELL_SIGNED, 2, false, 8 },
		{ "u16le@0x10", "u16le", IPCKIT_CELL_UNSIGNED, 2, big, 16 },
		{ "i32be@4", "i32be", IPCKIT_CELL_SIGNED, 4, !big, 4 },
		{ "u32@4096", "u32", IPCKIT_CELL_UNSIGNED, 4, false, 4096 },
		{ "i64le@8", "i64le", IPCKIT_CELL_SIGNED, 8, big, 8 },
		{ "u64be@9223372036854775807", "u64be", IPCKIT_CELL_UNSIGNED, 8, !big, INT64_MAX },
		{ "f32@1", "f32", IPCKIT_CELL_REAL, 4, false, 1 },
		{ "f64be@0X8", "f64be", IPCKIT_CELL_REAL, 8, !big, 8 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *text = rows[i].text, *value = NULL;
		struct ipckit_cell cell, with;
		char assigned[64];

		if (!CHECK_FOR(text, !ipckit_cell_parse(text, NULL, NULL, &cell)))
			continue;
		CHECK_STR_FOR(text, cell.type, rows[i].type);
		CHECK_FOR(text, cell.kind == rows[i].kind && cell.size == rows[i].size);
		CHECK_INT_FOR(text, cell.swapped, rows[i].swapped);
		CHECK_INT_FOR(text, cell.offset, rows[i].offset);
		snprintf(assigned, sizeof(assigned), "%s=1=2", text);
		CHECK_INT_FOR(assigned, ipckit_cell_parse(assigned, NULL, &value, &with), 0);
		CHECK_STR_FOR(assigned, value, "1=2");
		CHECK_FOR(assigned, with.offset == cell.offset && !strcmp(with.type, cell.type));
	}
}

static void test_no_cells(void)
{
	static const struct {
		const char *text;
		bool valued;
		int error;
	} rows[] = {
		{ "", false, -EINVAL },	       { "u32", false, -EINVAL },
		{ "@0", false, -EINVAL },      { "u32@", false, -EINVAL },
		{ "u33@0", false, -EINVAL },   { "u@0", false, -EINVAL },
		{ "U32@0", false, -EINVAL },   { "u32LE@0", false, -EINVAL },
		{ "u32bee@0", false, -EINVAL }, { "u8lebe@0", false, -EINVAL },
		{ "f16@0", false, -EINVAL },   { "u128@0", false, -EINVAL },
		{ " u32@0", false, -EINVAL },  { "u32 @0", false, -EINVAL },
		{ "u32@ 0", false, -EINVAL },  { "u32@-1", false, -EINVAL },
		{ "u32@+1", false, -EINVAL },  { "u32@0x", false, -EINVAL },
		{ "u32@08", false, -EINVAL },  { "u32@1K", false, -EINVAL },
		{ "u32@0@4", false, -EINVAL }, { "u32@0=1", false, -EINVAL },
		{ "u32@0", true, -EINVAL },    { "u32=1", true, -EINVAL },
		{ "=1", true, -EINVAL },       { "u32=1@0", true, -EINVAL },
		{ "u32@9223372036854775808", false, -ERANGE },
		{ "u32@99999999999999999999", false, -ERANGE },
		{ "verylongtype@0", false, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_cell cell = { .offset = 77 };
		struct ipckit_why why = { "" };
		const char *value = NULL;
		int r = ipckit_cell_parse(rows[i].text, &why, rows[i].valued ? &value : NULL, &cell);

		CHECK_INT_FOR(rows[i].text, r, rows[i].error);
		CHECK_FOR(rows[i].text, *why.text && cell.offset == 77 && !value);
	}
}

/* ---- values ---- */

/* Of a type: what a text reads as, and what that is written as (NULL: the same). */
static void test_values(void)
{
	static const struct {
		const char *cell, *text;
		uint64_t bits;
		const char *again;
	} rows[] = {
		{ "i8@0", "-128", 0x80, NULL },
		{ "i8@0", "127", 0x7f, NULL },
		{ "i8@0", "+5", 5, "5" },
		{ "i8@0", "-0x80", 0x80, "-128" },
		{ "u8@0", "255", 0xff, NULL },
		{ "u8@0", "0377", 0xff, "255" },
		{ "u8@0", "+1", 1, "1" },
		{ "i16@0", "-1", 0xffff, NULL },
		{ "u16be@0", "0x1234", 0x1234, "4660" },
		{ "i32@0", "-2147483648", 0x80000000, NULL },
		{ "u32@0", "4294967295", 0xffffffff, NULL },
		{ "i64@0", "-9223372036854775808", 0x8000000000000000, NULL },
		{ "i64@0", "9223372036854775807", INT64_MAX, NULL },
		{ "u64@0", "18446744073709551615", UINT64_MAX, NULL },
		{ "f32@0", "1", 0x3f800000, NULL },
		{ "f32@0", "0.1", 0x3dcccccd, NULL },
		{ "f32@0", "-0", 0x80000000, NULL },
		{ "f32@0", "3.4028235e38", 0x7f7fffff, "3.4028235e+38" },
		{ "f32@0", "1e-45", 1, "1.4013e-45" },
		{ "f32@0", "16777217", 0x4b800000, "16777216" },
		/* Rounded once: by way of a double it would be the one below. */
		{ "f32@0", "1.00000017881393432617187499", 0x3f800001, "1.0000001" },
		{ "f32@0", "1.00000017881393432617187501", 0x3f800002, "1.0000002" },
		{ "f32@0", "inf", 0x7f800000, NULL },
		{ "f32@0", "nan", 0x7fc00000, NULL },
		{ "f32@0", "snan(1)", 0x7f800001, "snan(0x1)" },
		{ "f64@0", "0.1", 0x3fb999999999999a, NULL },
		{ "f64@0", ".5", 0x3fe0000000000000, "0.5" },
		{ "f64@0", "5.", 0x4014000000000000, "5" },
		{ "f64@0", "0.30000000000000004", 0x3fd3333333333334, NULL },
		{ "f64@0", "0x1.8p1", 0x4008000000000000, "3" },
		{ "f64@0", "0x10", 0x4030000000000000, "16" },
		{ "f64@0", "-1e-3", 0xbf50624dd2f1a9fc, "-0.001" },
		{ "f64@0", "1e22", 0x4480f0cf064dd592, "1e+22" },
		{ "f64@0", "123456789012345", 0x42dc12218377de40, NULL },
		{ "f64@0", "1.7976931348623157e308", 0x7fefffffffffffff, "1.7976931348623157e+308" },
		{ "f64@0", "5e-324", 1, "4.94065645841247e-324" },
		{ "f64@0", "-Infinity", 0xfff0000000000000, "-inf" },
		{ "f64@0", "NaN", 0x7ff8000000000000, "nan" },
		{ "f64@0", "-nan", 0xfff8000000000000, NULL },
		{ "f64@0", "nan(0x7)", 0x7ff8000000000007, NULL },
		{ "f64@0", "nan(0x7ffffffffffff)", 0x7fffffffffffffff, NULL },
		{ "f64@0", "-snan(0x7ffffffffffff)", 0xfff7ffffffffffff, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_cell cell = cell_of(rows[i].cell);
		struct ipckit_cell_value value = { 0 };
		char text[IPCKIT_CELL_TEXT];

		if (!CHECK_FOR(rows[i].text, !ipckit_cell_parse_value(&cell, rows[i].text, NULL, &value)))
			continue;
		CHECK_INT_FOR(rows[i].text, value.bits, rows[i].bits);
		ipckit_cell_format(&cell, value, text);
		CHECK_STR_FOR(rows[i].text, text, rows[i].again ?: rows[i].text);
	}
}

static void test_no_values(void)
{
	static const struct {
		const char *cell, *text;
		int error;
	} rows[] = {
		{ "i8@0", "128", -ERANGE },	{ "i8@0", "-129", -ERANGE },
		{ "u8@0", "256", -ERANGE },	{ "u8@0", "-1", -ERANGE },
		{ "u8@0", "", -EINVAL },	{ "u8@0", "-", -ERANGE },
		{ "u8@0", "+-1", -EINVAL },	{ "u8@0", "++1", -EINVAL },
		{ "i16@0", "0x", -EINVAL },	{ "i16@0", "08", -EINVAL },
		{ "i16@0", "0xffff", -ERANGE }, { "i16@0", "1 ", -EINVAL },
		{ "i16@0", " 1", -EINVAL },	{ "i16@0", "1.0", -EINVAL },
		{ "i32@0", "2147483648", -ERANGE },
		{ "u32@0", "4294967296", -ERANGE },
		{ "i64@0", "9223372036854775808", -ERANGE },
		{ "i64@0", "-9223372036854775809", -ERANGE },
		{ "u64@0", "18446744073709551616", -ERANGE },
		{ "u64@0", "1e3", -EINVAL },
		{ "f32@0", "", -EINVAL },	{ "f32@0", "-", -EINVAL },
		{ "f32@0", "3.5e38", -ERANGE }, { "f32@0", "1e-46", -ERANGE },
		{ "f64@0", "1e309", -ERANGE },	{ "f64@0", "-1e309", -ERANGE },
		{ "f64@0", "1e-400", -ERANGE }, { "f64@0", "1,5", -EINVAL },
		{ "f64@0", "1.5x", -EINVAL },	{ "f64@0", " 1", -EINVAL },
		{ "f64@0", "1 ", -EINVAL },	{ "f64@0", "+ 1", -EINVAL },
		{ "f64@0", "--1", -EINVAL },	{ "f64@0", "-+1", -EINVAL },
		{ "f64@0", ".", -EINVAL },	{ "f64@0", "e5", -EINVAL },
		{ "f64@0", "0x", -EINVAL },	{ "f64@0", "1e", -EINVAL },
		{ "f64@0", "0x1p", -EINVAL },	{ "f64@0", "infinit", -EINVAL },
		{ "f64@0", "nano", -EINVAL },	{ "f64@0", "nan()", -EINVAL },
		{ "f64@0", "nan(", -EINVAL },	{ "f64@0", "nan(0x)", -EINVAL },
		{ "f64@0", "nan(1)x", -EINVAL }, { "f64@0", "snan", -EINVAL },
		{ "f64@0", "snan(0)", -ERANGE }, { "f64@0", "nan(0x8000000000000)", -ERANGE },
		{ "f32@0", "nan(0x400000)", -ERANGE }, { "f64@0", "s", -EINVAL },
		{ "f64@0", "nan(00000000000000000000000000000000000000)", -EINVAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_cell cell = cell_of(rows[i].cell);
		struct ipckit_cell_value value = { 77 };
		struct ipckit_why why = { "" };

		CHECK_INT_FOR(rows[i].text, ipckit_cell_parse_value(&cell, rows[i].text, &why, &value), rows[i].error);
		CHECK_FOR(rows[i].text, *why.text && value.bits == 77);
	}
}

static void test_steps(void)
{
	static const struct {
		const char *cell, *text;
		int error;
		uint64_t bits;
	} rows[] = {
		{ "u8@0", "-1", 0, 0xff },	   { "u8@0", "-128", 0, 0x80 },
		{ "u8@0", "-129", -ERANGE, 0 },	   { "u8@0", "255", 0, 0xff },
		{ "u8@0", "+3", 0, 3 },		   { "u8@0", "256", -ERANGE, 0 },
		{ "i8@0", "-128", 0, 0x80 },	   { "i8@0", "128", -ERANGE, 0 },
		{ "u32@0", "-0x10", 0, 0xfffffff0 }, { "u32@0", "-", -EINVAL, 0 },
		{ "u64@0", "-1", 0, UINT64_MAX },  { "u64@0", "18446744073709551615", 0, UINT64_MAX },
		{ "u64@0", "-9223372036854775809", -ERANGE, 0 },
		{ "f32@0", "-0.5", 0, 0xbf000000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_cell cell = cell_of(rows[i].cell);
		struct ipckit_cell_value value = { 0 };
		struct ipckit_why why = { "" };

		CHECK_INT_FOR(rows[i].text, ipckit_cell_parse_step(&cell, rows[i].text, &why, &value), rows[i].error);
		CHECK_INT_FOR(rows[i].text, value.bits, rows[i].bits);
		CHECK_FOR(rows[i].text, !rows[i].error == !*why.text);
	}
}

/* A comma for the point is another locale's: it neither reads nor writes here. */
static void test_locale(void)
{
	static const char *const commas[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR", "nl_NL.UTF-8" };
	const struct ipckit_cell cell = cell_of("f64@0"), narrow = cell_of("f32@0");
	char text[IPCKIT_CELL_TEXT];

	for (size_t i = 0; i < sizeof(commas) / sizeof(*commas); i++)
		if (setlocale(LC_ALL, commas[i]))
			break;
	ipckit_cell_format(&cell, value_of(&cell, "1234567.5"), text);
	CHECK_STR(text, "1234567.5");
	ipckit_cell_format(&narrow, value_of(&narrow, "0.1"), text);
	CHECK_STR(text, "0.1");
	setlocale(LC_ALL, "C");
}

/* Every pattern of bits has a text of its own. */
static void test_texts(void)
{
	static const char *const cells[] = { "i8@0",  "u8@0",  "i16@0", "u16@0",
					     "f32@0", "f64@0", "i64@0", "u64be@0" };
	uint64_t random = 88172645463325252u;

	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
		struct ipckit_cell cell = cell_of(cells[i]);
		unsigned bad = 0;

		for (unsigned n = 0; n < (UNIT_SANITIZED ? 2000u : 65536u); n++) {
			struct ipckit_cell_value value, again;
			char text[IPCKIT_CELL_TEXT];

			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			value.bits = (cell.size <= 2 ? n : random) & UINT64_MAX >> (64 - 8 * cell.size);
			/* Among reals, every second is one that is no number. */
			if (cell.kind == IPCKIT_CELL_REAL && n % 2)
				value.bits |= cell.size == 4 ? 0x7f800000 : 0x7ff0000000000000;
			ipckit_cell_format(&cell, value, text);
			bad += ipckit_cell_parse_value(&cell, text, NULL, &again) || again.bits != value.bits;
		}
		CHECK_INT_FOR(cells[i], bad, 0);
	}
}

static void test_numbers(void)
{
	struct ipckit_cell i16 = cell_of("i16@0"), i64 = cell_of("i64@0"), f32 = cell_of("f32@0"),
			   f64 = cell_of("f64@0");

	CHECK_INT(ipckit_cell_signed(&i16, (struct ipckit_cell_value){ 0x8000 }), -32768);
	CHECK_INT(ipckit_cell_signed(&i16, (struct ipckit_cell_value){ 0x7fff }), 32767);
	CHECK_INT(ipckit_cell_signed(&i64, (struct ipckit_cell_value){ UINT64_MAX }), -1);
	CHECK(ipckit_cell_real(&f32, value_of(&f32, "0.1")) == 0.1);
	CHECK(ipckit_cell_real(&f32, value_of(&f32, "-inf")) == -INFINITY);
	CHECK(isnan(ipckit_cell_real(&f32, value_of(&f32, "nan(5)"))));
	CHECK(ipckit_cell_real(&f64, value_of(&f64, "1e300")) == 1e300);
	CHECK(isnan(ipckit_cell_real(&f64, value_of(&f64, "snan(5)"))));
}

static void test_compare(void)
{
	static const struct {
		const char *cell, *a, *b;
		int order; /* 2: none */
	} rows[] = {
		{ "i8@0", "-1", "1", -1 },	 { "u8@0", "255", "1", 1 },
		{ "i64@0", "-9223372036854775808", "0", -1 },
		{ "u64@0", "18446744073709551615", "9223372036854775807", 1 },
		{ "u16be@0", "256", "1", 1 },	 { "i32be@0", "-5", "-5", 0 },	    { "f64@0", "-0", "0", 0 },
		{ "f32@0", "-inf", "1e-45", -1 }, { "f64@0", "0.5", "0.25", 1 },    { "f64@0", "nan", "nan", 2 },
		{ "f32@0", "1", "-nan", 2 },	 { "f32@0", "snan(1)", "1", 2 },
	};
	static const char *const words[] = { "eq", "ne", "lt", "le", "gt", "ge" };
	static const bool holds[4][6] = {
		{ 0, 1, 1, 1, 0, 0 }, { 1, 0, 0, 1, 0, 1 }, { 0, 1, 0, 0, 1, 1 }, { 0, 1, 0, 0, 0, 0 }
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_cell cell = cell_of(rows[i].cell);
		struct ipckit_cell_value a = value_of(&cell, rows[i].a), b = value_of(&cell, rows[i].b);
		bool unordered;
		int order = ipckit_cell_order(&cell, a, b, &unordered);

		CHECK_INT_FOR(rows[i].a, unordered ? 2 : order, rows[i].order);
		for (unsigned j = 0; j < 6; j++) {
			enum ipckit_compare op;

			CHECK(!ipckit_parse_compare(words[j], &op));
			CHECK_INT_FOR(words[j], ipckit_cell_compare(&cell, a, op, b), holds[rows[i].order + 1][j]);
		}
	}
}

/* ---- memory ---- */

static unsigned char *page;
static size_t page_size;

static struct ipckit_cell_value load(const struct ipckit_cell *cell)
{
	struct ipckit_cell_value value = { 0 };

	CHECK_INT_FOR(cell->type, ipckit_cell_load(page, page_size, cell, &value), 0);
	return value;
}

/* What a value is as bytes, at an aligned and at an odd place, and that nothing else is touched. */
static void test_bytes(void)
{
	static const struct {
		const char *type, *value;
		unsigned char big[8];
	} rows[] = {
		{ "i8", "-2", { 0xfe } },
		{ "u16", "0x1234", { 0x12, 0x34 } },
		{ "i32", "-2", { 0xff, 0xff, 0xff, 0xfe } },
		{ "u64", "0x123456789abcdef", { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef } },
		{ "f32", "1", { 0x3f, 0x80, 0, 0 } },
		{ "f64", "-2", { 0xc0, 0, 0, 0, 0, 0, 0, 0 } },
	};

	for (size_t i = 0; i < 4 * sizeof(rows) / sizeof(*rows); i++) {
		bool big = i % 2, odd = i / 2 % 2;
		struct ipckit_cell_value old = { 1 };
		struct ipckit_cell cell;
		unsigned char want[64];
		char text[32];

		snprintf(text, sizeof(text), "%s%s@%u", rows[i / 4].type, big ? "be" : "le", odd ? 19 : 16);
		cell = cell_of(text);
		memset(page, 0xaa, page_size);
		memset(want, 0xaa, sizeof(want));
		for (unsigned j = 0; j < cell.size; j++)
			want[cell.offset + j] = rows[i / 4].big[big ? j : cell.size - 1 - j];
		CHECK_INT_FOR(text, ipckit_cell_store(page, page_size, &cell, value_of(&cell, rows[i / 4].value), &old), 0);
		CHECK_FOR(text, !memcmp(page, want, sizeof(want)));
		CHECK_INT_FOR(text, old.bits, 0xaaaaaaaaaaaaaaaa >> (64 - 8 * cell.size));
		CHECK_INT_FOR(text, load(&cell).bits, value_of(&cell, rows[i / 4].value).bits);
	}
	memset(page, 0, page_size);
}

static void test_ends(void)
{
	static const struct {
		const char *cell;
		size_t size;
		int error;
	} rows[] = {
		{ "u8@0", 0, -EFBIG },	  { "u8@0", 1, 0 },	   { "u64@0", 7, -EFBIG },  { "u64@0", 8, 0 },
		{ "u32@6", 9, -EFBIG },	  { "u32@6", 10, 0 },	   { "u16@10", 10, -EFBIG }, { "u16@12", 10, -EFBIG },
		{ "u64@9223372036854775807", 4096, -EFBIG },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };
		struct ipckit_cell cell = cell_of(rows[i].cell);
		struct ipckit_cell_value value = { 0 };
		bool swapped, aligned = ipckit_cell_aligned(&cell);
		int error = rows[i].error, changed = error ?: aligned ? 0 : -EOPNOTSUPP;
		size_t size = rows[i].size;

		CHECK_INT_FOR(cell.type, ipckit_cell_check(size, &cell), error);
		CHECK_INT_FOR(cell.type, ipckit_cell_load(page, size, &cell, &value), error);
		CHECK_INT_FOR(cell.type, ipckit_cell_store(page, size, &cell, value, &value), error);
		CHECK_INT_FOR(cell.type, ipckit_cell_wake(page, size, &cell), error);
		CHECK_INT_FOR(cell.type, ipckit_cell_wait(page, size, &cell, IPCKIT_EQ, value, &now, &value), error);
		CHECK_INT_FOR(cell.type, ipckit_cell_add(page, size, &cell, value, &value), changed);
		CHECK_INT_FOR(cell.type, ipckit_cell_swap(page, size, &cell, value, value, &value, &swapped), changed);
	}
}

static void test_add(void)
{
	static const struct {
		const char *cell, *before, *step, *after;
	} rows[] = {
		{ "i8@1", "127", "1", "-128" },	    { "u8@3", "0", "-1", "255" },
		{ "i16be@2", "-32768", "-1", "32767" }, { "u16@6", "65535", "65535", "65534" },
		{ "i32@4", "2147483647", "1", "-2147483648" }, { "u32be@8", "255", "1", "256" },
		{ "i64be@16", "9223372036854775807", "1", "-9223372036854775808" },
		{ "u64@24", "18446744073709551615", "2", "1" },
		{ "f32@32", "0.5", "-0.25", "0.25" }, { "f32be@32", "16777216", "1", "16777216" },
		{ "f64be@40", "0.1", "0.2", "0.30000000000000004" }, { "f64@48", "1e308", "1e308", "inf" },
		{ "f64@48", "inf", "-inf", "-nan" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_cell cell = cell_of(rows[i].cell);
		struct ipckit_cell_value before = value_of(&cell, rows[i].before), step, old = { 1 };
		char text[IPCKIT_CELL_TEXT];

		CHECK_INT(ipckit_cell_store(page, page_size, &cell, before, &old), 0);
		CHECK_INT(ipckit_cell_parse_step(&cell, rows[i].step, NULL, &step), 0);
		CHECK_INT(ipckit_cell_add(page, page_size, &cell, step, &old), 0);
		CHECK_INT_FOR(rows[i].cell, old.bits, before.bits);
		ipckit_cell_format(&cell, load(&cell), text);
		/* The sign of a NaN that arises is the processor's. */
		CHECK_STR_FOR(rows[i].cell, text[0] == 'n' ? "-nan" : text, rows[i].after);
	}
	memset(page, 0, page_size);
}

static void test_swap(void)
{
	struct ipckit_cell cell = cell_of("u16be@2"), real = cell_of("f64@8");
	struct ipckit_cell_value old = { 1 };
	bool swapped = true;

	CHECK_INT(ipckit_cell_swap(page, page_size, &cell, (struct ipckit_cell_value){ 1 },
				   (struct ipckit_cell_value){ 2 }, &old, &swapped), 0);
	CHECK(!swapped && old.bits == 0 && load(&cell).bits == 0);
	CHECK_INT(ipckit_cell_swap(page, page_size, &cell, old, (struct ipckit_cell_value){ 0x102 }, &old,
				   &swapped), 0);
	CHECK(swapped && old.bits == 0 && page[2] == 1 && page[3] == 2);
	/* By bits, not by value. */
	CHECK_INT(ipckit_cell_swap(page, page_size, &real, value_of(&real, "-0"), value_of(&real, "1"), &old,
				   &swapped), 0);
	CHECK(!swapped && load(&real).bits == 0);
	memset(page, 0, page_size);
}

/* ---- many at once ---- */

#define CHILDREN 8
#define TIMES (UNIT_SANITIZED ? 10000 : 100000)

/* Runs work in processes that start together. Those that fail are told by their status. */
static void in_children(const char *row, void (*work)(const void *arg), const void *arg)
{
	pid_t pids[CHILDREN];
	int start[2], status;
	char byte;

	if (!CHECK(!pipe(start)))
		return;
	for (unsigned i = 0; i < CHILDREN; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		close(start[1]);
		if (read(start[0], &byte, 1))
			_exit(1);
		unit_failures = 0;
		alarm(60);
		work(arg);
		_exit(unit_failures != 0);
	}
	close(start[0]);
	close(start[1]);
	for (unsigned i = 0; i < CHILDREN; i++)
		CHECK_FOR(row, pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] && status == 0);
}

static void add_often(const void *arg)
{
	const struct ipckit_cell *cell = arg;
	struct ipckit_cell_value step = { 1 }, old;

	if (cell->kind == IPCKIT_CELL_REAL)
		step = value_of(cell, "1");
	for (unsigned i = 0; i < TIMES; i++)
		if (ipckit_cell_add(page, page_size, cell, step, &old))
			_exit(1);
}

/* The neighbours in the same word are left alone by what is added beside them. */
static void test_sums(void)
{
	static const char *const cells[] = { "u64@0",  "u32be@12", "i16@18",  "u8@21",
					     "f64@24", "f32be@32", "u64be@56" };

	memset(page, 0x11, 64);
	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
		struct ipckit_cell cell = cell_of(cells[i]);
		uint64_t total = (uint64_t)CHILDREN * TIMES & UINT64_MAX >> (64 - 8 * cell.size);
		unsigned char around[64];
		char text[IPCKIT_CELL_TEXT], want[32];

		memset(page + cell.offset, 0, cell.size);
		memcpy(around, page, sizeof(around));
		in_children(cells[i], add_often, &cell);
		ipckit_cell_format(&cell, load(&cell), text);
		/* What is left of either total in an i16 is above 0. */
		snprintf(want, sizeof(want), "%llu", (unsigned long long)total);
		CHECK_STR_FOR(cells[i], text, want);
		memset(page + cell.offset, 0, cell.size);
		CHECK_FOR(cells[i], !memcmp(page, around, sizeof(around)));
	}
	memset(page, 0, page_size);
}

static const struct ipckit_cell lock = { IPCKIT_CELL_UNSIGNED, 4, true, 0, "u32be" };
static const struct ipckit_cell sum = { IPCKIT_CELL_UNSIGNED, 8, false, 17, "u64" };

/* A lock of one swap, over a cell that is not aligned. */
static void add_locked(const void *arg)
{
	const struct ipckit_cell_value free_value = { 0 }, taken = { (uint64_t)getpid() };
	struct ipckit_cell_value old, value;
	bool swapped;

	(void)arg;
	for (unsigned i = 0; i < TIMES / 20; i++) {
		while (ipckit_cell_swap(page, page_size, &lock, free_value, taken, &old, &swapped) == 0 && !swapped)
			usleep(0);
		value = load(&sum);
		value.bits++;
		CHECK_INT(ipckit_cell_store(page, page_size, &sum, value, &old), 0);
		CHECK_INT(ipckit_cell_swap(page, page_size, &lock, taken, free_value, &old, &swapped), 0);
		CHECK(swapped);
	}
}

static void test_lock(void)
{
	in_children("lock", add_locked, NULL);
	CHECK_INT(load(&sum).bits, CHILDREN * (TIMES / 20));
	CHECK_INT(load(&lock).bits, 0);
	memset(page, 0, page_size);
}

int main(void)
{
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	page = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!CHECK(page != MAP_FAILED))
		return unit_done("cells");
	test_cells();
	test_no_cells();
	test_values();
	test_no_values();
	test_steps();
	test_locale();
	test_texts();
	test_numbers();
	test_compare();
	test_bytes();
	test_ends();
	test_add();
	test_swap();
	test_sums();
	test_lock();
	return unit_done("cells");
}
