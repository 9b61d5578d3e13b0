/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ipckit/cell.h>

__attribute__((format(printf, 3, 4))) static int
refuse(struct ipckit_why *why, int error, const char *format, ...)
{
	va_list args;

	if (why) {
		va_start(args, format);
		vsnprintf(why->text, sizeof(why->text), format, args);
		va_end(args);
	}
	return error;
}

static uint64_t all_bits(const struct ipckit_cell *cell)
{
	return UINT64_MAX >> (64 - 8 * cell->size);
}

static uint64_t sign_bit(const struct ipckit_cell *cell)
{
	return 1ull << (8 * cell->size - 1);
}

/* ---- cells ---- */

static const struct {
	const char *name;
	enum ipckit_cell_kind kind;
	unsigned size;
} types[] = {
	{ "i8", IPCKIT_CELL_SIGNED, 1 },  { "u8", IPCKIT_CELL_UNSIGNED, 1 },
	{ "i16", IPCKIT_CELL_SIGNED, 2 }, { "u16", IPCKIT_CELL_UNSIGNED, 2 },
	{ "i32", IPCKIT_CELL_SIGNED, 4 }, { "u32", IPCKIT_CELL_UNSIGNED, 4 },
	{ "i64", IPCKIT_CELL_SIGNED, 8 }, { "u64", IPCKIT_CELL_UNSIGNED, 8 },
	{ "f32", IPCKIT_CELL_REAL, 4 },   { "f64", IPCKIT_CELL_REAL, 8 },
};

static bool is_order(const char *text, bool *swapped)
{
	if (!strcmp(text, "le"))
		*swapped = __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__;
	else if (!strcmp(text, "be"))
		*swapped = __BYTE_ORDER__ != __ORDER_BIG_ENDIAN__;
	else
		return !*text;
	return true;
}

/* cell->type is the word. */
static bool read_type(struct ipckit_cell *cell)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		size_t length = strlen(types[i].name);

		if (strncmp(cell->type, types[i].name, length) != 0)
			continue;
		cell->kind = types[i].kind;
		cell->size = types[i].size;
		return is_order(cell->type + length, &cell->swapped);
	}
	return false;
}

/* The offset, whose digits end at end. */
static int read_offset(const char *text, const char *end, struct ipckit_why *why, uint64_t *out)
{
	char digits[96]; /* more than the longest that fits has, in octal with some zeros before it */
	size_t length = (size_t)(end - text);
	int r = -EINVAL;

	if (length < sizeof(digits)) {
		memcpy(digits, text, length);
		digits[length] = '\0';
		r = ipckit_parse_count(digits, INT64_MAX, out);
	}
	if (r == -ERANGE)
		return refuse(why, r, "the offset is too large");
	if (r)
		return refuse(why, r, "the offset is no number (decimal, 0x hex or 0 octal)");
	return 0;
}

int ipckit_cell_parse(const char *text, struct ipckit_why *why, const char **value, struct ipckit_cell *out)
{
	const char *at = text + strcspn(text, "@="), *equals = at + strcspn(at, "=");
	struct ipckit_cell cell = { 0 };
	int r;

	if (*at != '@')
		return refuse(why, -EINVAL, "not a cell: TYPE@OFFSET%s, such as u32@8%s",
			      value ? "=VALUE" : "", value ? "=1" : "");
	if ((size_t)(at - text) < sizeof(cell.type))
		memcpy(cell.type, text, (size_t)(at - text));
	if (!read_type(&cell))
		return refuse(why, -EINVAL,
			      "there is no such type (i8 to i64, u8 to u64, f32, f64; le or be after "
			      "it for the byte order)");
	if (value && !*equals)
		return refuse(why, -EINVAL, "the value is missing: TYPE@OFFSET=VALUE");
	if (!value && *equals)
		return refuse(why, -EINVAL, "no value is taken here: TYPE@OFFSET");
	r = read_offset(at + 1, equals, why, &cell.offset);
	if (r)
		return r;
	if (value)
		*value = equals + 1;
	*out = cell;
	return 0;
}

/* ---- integers ---- */

static int refuse_integer(struct ipckit_why *why, int error, int64_t least, uint64_t most)
{
	if (error == -ERANGE)
		return refuse(why, error, "the value is not within %" PRId64 " to %" PRIu64, least, most);
	return refuse(why, error, "the value is no integer (decimal, 0x hex or 0 octal)");
}

static int read_signed(const struct ipckit_cell *cell, const char *text, uint64_t most,
		       struct ipckit_why *why, struct ipckit_cell_value *out)
{
	int64_t least = (int64_t)-sign_bit(cell), value;
	int r = ipckit_parse_signed(text, least, INT64_MAX >> (64 - 8 * cell->size), &value);

	if (r)
		return refuse_integer(why, r, least, most);
	out->bits = (uint64_t)value & all_bits(cell);
	return 0;
}

static int read_unsigned(const struct ipckit_cell *cell, const char *text, int64_t least,
			 struct ipckit_why *why, struct ipckit_cell_value *out)
{
	int r = ipckit_parse_count(text + (*text == '+'), all_bits(cell), &out->bits);

	return r ? refuse_integer(why, r == -EINVAL && *text == '-' ? -ERANGE : r, least, all_bits(cell)) : 0;
}

/* ---- reals ---- */

/* The fraction's bits but the one that tells quiet from signalling. */
static unsigned payload_width(const struct ipckit_cell *cell)
{
	return (cell->size == 4 ? FLT_MANT_DIG : DBL_MANT_DIG) - 2;
}

static uint64_t quiet_bit(const struct ipckit_cell *cell)
{
	return 1ull << payload_width(cell);
}

static uint64_t infinity(const struct ipckit_cell *cell)
{
	return all_bits(cell) & ~sign_bit(cell) & ~(2 * quiet_bit(cell) - 1);
}

static uint64_t bits_of(const struct ipckit_cell *cell, double real)
{
	float narrow;
	uint32_t half;
	uint64_t bits;

	if (cell->size == 4) {
		narrow = (float)real;
		memcpy(&half, &narrow, sizeof(half));
		return half;
	}
	memcpy(&bits, &real, sizeof(bits));
	return bits;
}

static double real_of(const struct ipckit_cell *cell, struct ipckit_cell_value value)
{
	uint32_t half = (uint32_t)value.bits;
	float narrow;
	double real;

	if (cell->size == 4) {
		memcpy(&narrow, &half, sizeof(narrow));
		return narrow;
	}
	memcpy(&real, &value.bits, sizeof(real));
	return real;
}

/* In the C locale, for which neither glibc nor musl allocates; a float is rounded once. */
static double read_double(const char *text, unsigned size, const char **end, int *error)
{
	locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(locale);
	int saved = errno;
	char *rest;
	double real;

	errno = 0;
	real = size == 4 ? (double)strtof(text, &rest) : strtod(text, &rest);
	*error = errno;
	errno = saved;
	*end = rest;
	uselocale(before);
	if (locale)
		freelocale(locale);
	return real;
}

static bool is_word(const char **text, const char *word)
{
	size_t length = strlen(word);

	if (strncasecmp(*text, word, length) != 0)
		return false;
	*text += length;
	return true;
}

/* (PAYLOAD) at the end of the text; least: the smallest that makes a NaN. */
static int read_payload(const struct ipckit_cell *cell, const char *text, uint64_t least, uint64_t *out)
{
	size_t length = strlen(text);
	char digits[32];

	if (length < 3 || length - 2 >= sizeof(digits) || text[0] != '(' || text[length - 1] != ')')
		return -EINVAL;
	memcpy(digits, text + 1, length - 2);
	digits[length - 2] = '\0';
	return ipckit_parse_count(digits, quiet_bit(cell) - 1, out) ?: *out < least ? -ERANGE : 0;
}

/* nan, nan(PAYLOAD), snan(PAYLOAD). */
static int read_nan(const struct ipckit_cell *cell, const char *text, uint64_t *out)
{
	uint64_t payload = 0;
	bool signalling = is_word(&text, "snan");
	int r = 0;

	if (!signalling && !is_word(&text, "nan"))
		return -EINVAL;
	if (*text || signalling)
		r = read_payload(cell, text, signalling, &payload);
	if (!r)
		*out = infinity(cell) | payload | (signalling ? 0 : quiet_bit(cell));
	return r;
}

static int read_number(const struct ipckit_cell *cell, const char *text, uint64_t *out)
{
	const char *end;
	double real;
	int error;

	/* What strtod(3) would pass over, or take for itself. */
	if (!*text || !strchr("0123456789.iI", *text))
		return -EINVAL;
	real = read_double(text, cell->size, &end, &error);
	if (*end)
		return -EINVAL;
	/* Between 0 and the smallest of full precision a number is only rounded. */
	if (error == ERANGE && (real == 0 || isinf(real)))
		return -ERANGE;
	*out = bits_of(cell, real);
	return 0;
}

static int read_real(const struct ipckit_cell *cell, const char *text, struct ipckit_why *why,
		     struct ipckit_cell_value *out)
{
	bool negative = *text == '-';
	uint64_t bits = 0;
	int r;

	text += negative || *text == '+';
	r = strchr("nNsS", *text) && *text ? read_nan(cell, text, &bits) : read_number(cell, text, &bits);
	if (r == -ERANGE)
		return refuse(why, r, "the value does not fit into f%u: too large, or too near to 0",
			      8 * cell->size);
	if (r)
		return refuse(why, r, "the value is no number");
	out->bits = bits | (negative ? sign_bit(cell) : 0);
	return 0;
}

int ipckit_cell_parse_value(const struct ipckit_cell *cell, const char *text, struct ipckit_why *why,
			    struct ipckit_cell_value *out)
{
	switch (cell->kind) {
	case IPCKIT_CELL_SIGNED:
		return read_signed(cell, text, all_bits(cell) >> 1, why, out);
	case IPCKIT_CELL_UNSIGNED:
		return read_unsigned(cell, text, 0, why, out);
	default:
		return read_real(cell, text, why, out);
	}
}

int ipckit_cell_parse_step(const struct ipckit_cell *cell, const char *text, struct ipckit_why *why,
			   struct ipckit_cell_value *out)
{
	if (cell->kind != IPCKIT_CELL_UNSIGNED)
		return ipckit_cell_parse_value(cell, text, why, out);
	if (*text == '-')
		return read_signed(cell, text, all_bits(cell), why, out);
	return read_unsigned(cell, text, (int64_t)-sign_bit(cell), why, out);
}

/* ---- values as text and as numbers ---- */

static void format_nan(const struct ipckit_cell *cell, uint64_t bits, char *text)
{
	const char *sign = bits & sign_bit(cell) ? "-" : "";
	uint64_t payload = bits & (quiet_bit(cell) - 1);
	bool quiet = bits & quiet_bit(cell);

	if (quiet && !payload)
		snprintf(text, IPCKIT_CELL_TEXT, "%snan", sign);
	else
		snprintf(text, IPCKIT_CELL_TEXT, "%s%snan(0x%" PRIx64 ")", sign, quiet ? "" : "s", payload);
}

/* As few digits as tell it from its neighbours. */
static void format_number(const struct ipckit_cell *cell, struct ipckit_cell_value value, char *text)
{
	locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(locale);
	int digits = cell->size == 4 ? FLT_DIG : DBL_DIG;
	int most = cell->size == 4 ? FLT_DECIMAL_DIG : DBL_DECIMAL_DIG;
	double real = real_of(cell, value), again;

	do {
		snprintf(text, IPCKIT_CELL_TEXT, "%.*g", digits, real);
		again = cell->size == 4 ? (double)strtof(text, NULL) : strtod(text, NULL);
	} while (again != real && digits++ < most);
	uselocale(before);
	if (locale)
		freelocale(locale);
}

static bool is_nan(const struct ipckit_cell *cell, struct ipckit_cell_value value)
{
	return cell->kind == IPCKIT_CELL_REAL && (value.bits & ~sign_bit(cell)) > infinity(cell);
}

void ipckit_cell_format(const struct ipckit_cell *cell, struct ipckit_cell_value value,
			char text[IPCKIT_CELL_TEXT])
{
	if (cell->kind == IPCKIT_CELL_SIGNED)
		snprintf(text, IPCKIT_CELL_TEXT, "%" PRId64, ipckit_cell_signed(cell, value));
	else if (cell->kind == IPCKIT_CELL_UNSIGNED)
		snprintf(text, IPCKIT_CELL_TEXT, "%" PRIu64, value.bits);
	else if (is_nan(cell, value))
		format_nan(cell, value.bits, text);
	else
		format_number(cell, value, text);
}

double ipckit_cell_real(const struct ipckit_cell *cell, struct ipckit_cell_value value)
{
	char text[IPCKIT_CELL_TEXT];
	const char *end;
	int error;

	if (cell->size == 8 || is_nan(cell, value))
		return real_of(cell, value);
	format_number(cell, value, text);
	return read_double(text, 8, &end, &error);
}

int64_t ipckit_cell_signed(const struct ipckit_cell *cell, struct ipckit_cell_value value)
{
	uint64_t sign = sign_bit(cell);

	return (int64_t)((value.bits ^ sign) - sign);
}

/* ---- arithmetic ---- */

struct ipckit_cell_value ipckit_cell_sum(const struct ipckit_cell *cell, struct ipckit_cell_value value,
					 struct ipckit_cell_value step)
{
	uint64_t bits;

	if (cell->kind != IPCKIT_CELL_REAL)
		bits = (value.bits + step.bits) & all_bits(cell);
	else if (cell->size == 4)
		bits = bits_of(cell, (float)real_of(cell, value) + (float)real_of(cell, step));
	else
		bits = bits_of(cell, real_of(cell, value) + real_of(cell, step));
	return (struct ipckit_cell_value){ bits };
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

int ipckit_cell_order(const struct ipckit_cell *cell, struct ipckit_cell_value a, struct ipckit_cell_value b,
		      bool *unordered)
{
	*unordered = is_nan(cell, a) || is_nan(cell, b);
	if (*unordered)
		return 0;
	switch (cell->kind) {
	case IPCKIT_CELL_SIGNED:
		return ORDER(ipckit_cell_signed(cell, a), ipckit_cell_signed(cell, b));
	case IPCKIT_CELL_UNSIGNED:
		return ORDER(a.bits, b.bits);
	default:
		return ORDER(real_of(cell, a), real_of(cell, b));
	}
}

bool ipckit_cell_compare(const struct ipckit_cell *cell, struct ipckit_cell_value a, enum ipckit_compare op,
			 struct ipckit_cell_value b)
{
	bool unordered;
	int order = ipckit_cell_order(cell, a, b, &unordered);

	if (unordered)
		return op == IPCKIT_NE;
	switch (op) {
	case IPCKIT_EQ:
		return order == 0;
	case IPCKIT_NE:
		return order != 0;
	case IPCKIT_LT:
		return order < 0;
	case IPCKIT_LE:
		return order <= 0;
	case IPCKIT_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}
