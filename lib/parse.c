/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include <ipckit/deadline.h>
#include <ipckit/parse.h>

/* isdigit() and its like depend on the locale. */
static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_digit(char c, unsigned base)
{
	int digit = digit_of(c);

	return digit >= 0 && (unsigned)digit < base;
}

/*
 * Reads digits up to the first other character, which *end gets. What does not fit
 * is told by *fits rather than at once: the rest may still be malformed, and that
 * is the better thing to complain about.
 */
static uint64_t read_digits(const char *text, unsigned base, const char **end, bool *fits)
{
	uint64_t value = 0;

	for (; is_digit(*text, base); text++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (unsigned)digit_of(*text), &value))
			*fits = false;
	}
	*end = text;
	return value;
}

/* ---- durations ---- */

static const struct {
	const char *suffix;
	int64_t ns;
} duration_units[] = {
	{ "", 1000000000 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 },
	{ "h", 3600000000000 },
	{ "d", 86400000000000 },
};

/*
 * ceil(unit * 0.DIGITS): from the last digit on, since ceil((n + x) / 10) is
 * ceil((n + ceil(x)) / 10).
 */
static uint64_t fraction_of(const char *digits, const char *end, uint64_t unit)
{
	uint64_t sum = 0;

	while (end > digits)
		sum = ((unsigned)digit_of(*--end) * unit + sum + 9) / 10;
	return sum;
}

int ipckit_parse_duration(const char *text, int64_t *out)
{
	const char *whole_end, *fraction, *end;
	uint64_t value;
	bool fits = true;

	if (!strcmp(text, "inf")) {
		*out = IPCKIT_FOREVER;
		return 0;
	}
	value = read_digits(text, 10, &whole_end, &fits);
	fraction = *whole_end == '.' ? whole_end + 1 : whole_end;
	end = fraction > whole_end ? fraction + strspn(fraction, "0123456789") : fraction;
	if (whole_end == text && end == fraction)
		return -EINVAL;

	for (size_t i = 0; i < sizeof(duration_units) / sizeof(*duration_units); i++) {
		uint64_t unit = duration_units[i].ns;

		if (strcmp(end, duration_units[i].suffix))
			continue;
		if (!fits || __builtin_mul_overflow(value, unit, &value) ||
		    __builtin_add_overflow(value, fraction_of(fraction, end, unit), &value) ||
		    value >= IPCKIT_FOREVER)
			return -ERANGE;
		*out = value;
		return 0;
	}
	return -EINVAL;
}

/* ---- points in time ---- */

#define NS_PER_SEC 1000000000
#define DAY 86400
#define DAYS_TO_1970 719528 /* from the beginning of the year 0 */
#define TIME_MAX 253402300799 /* the last second of the year 9999 */

struct moment {
	unsigned year, month, day, hour, minute, second;
	int offset; /* of its clock from UTC, in minutes */
};

static bool skip(const char **text, char c)
{
	bool found = **text == c;

	*text += found;
	return found;
}

/* Exactly n digits. */
static bool read_fixed(const char **text, unsigned n, unsigned *out)
{
	for (*out = 0; n; n--, (*text)++) {
		if (!is_digit(**text, 10))
			return false;
		*out = *out * 10 + (unsigned)digit_of(**text);
	}
	return true;
}

/* "2026-11-21T10:00:00" */
static bool read_date_and_time(const char **text, struct moment *m)
{
	if (!read_fixed(text, 4, &m->year) || !skip(text, '-') || !read_fixed(text, 2, &m->month) ||
	    !skip(text, '-') || !read_fixed(text, 2, &m->day))
		return false;
	if (!skip(text, 'T') && !skip(text, 't') && !skip(text, ' '))
		return false;
	return read_fixed(text, 2, &m->hour) && skip(text, ':') && read_fixed(text, 2, &m->minute) &&
	       skip(text, ':') && read_fixed(text, 2, &m->second);
}

/* "Z", "+01:00"; *fits: whether there is such an offset. */
static bool read_offset(const char **text, int *minutes, bool *fits)
{
	bool negative = **text == '-';
	unsigned hour, minute;

	*minutes = 0;
	if (skip(text, 'Z') || skip(text, 'z'))
		return true;
	if ((!negative && **text != '+') || (++*text, !read_fixed(text, 2, &hour)) || !skip(text, ':') ||
	    !read_fixed(text, 2, &minute))
		return false;
	if (hour > 23 || minute > 59)
		*fits = false;
	*minutes = (int)(hour * 60 + minute) * (negative ? -1 : 1);
	return true;
}

/* ".25" in nanoseconds, 0 where there is none. False: a point without digits. */
static bool read_fraction(const char **text, int64_t *ns)
{
	const char *digits = *text + 1, *end;

	*ns = 0;
	if (**text != '.')
		return true;
	end = digits + strspn(digits, "0123456789");
	*ns = (int64_t)fraction_of(digits, end, NS_PER_SEC);
	*text = end;
	return end > digits;
}

static bool is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool there_is(const struct moment *m)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return m->month >= 1 && m->month <= 12 && m->day >= 1 &&
	       m->day <= days[m->month - 1] + (unsigned)(m->month == 2 && is_leap(m->year)) && m->hour <= 23 &&
	       m->minute <= 59 && m->second <= 59;
}

static int64_t seconds_of(const struct moment *m)
{
	static const unsigned before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	/* Each leap year before this one; the year 0 is one. */
	unsigned leaps = (m->year + 3) / 4 - (m->year + 99) / 100 + (m->year + 399) / 400;
	int64_t days = (int64_t)m->year * 365 + leaps + before[m->month - 1] + (m->day - 1) - DAYS_TO_1970;

	days += m->month > 2 && is_leap(m->year);
	return days * DAY + m->hour * 3600 + m->minute * 60 + m->second - (int64_t)m->offset * 60;
}

static int set_time(int64_t seconds, int64_t ns, struct timespec *out)
{
	seconds += ns == NS_PER_SEC;
	if (seconds > TIME_MAX)
		return -ERANGE;
	*out = (struct timespec){ .tv_sec = (time_t)seconds, .tv_nsec = ns % NS_PER_SEC };
	return 0;
}

static int read_seconds(const char *text, struct timespec *out)
{
	bool fits = true;
	const char *end;
	uint64_t seconds = read_digits(text, 10, &end, &fits);
	int64_t ns;

	if (end == text || !read_fraction(&end, &ns) || *end)
		return -EINVAL;
	return fits && seconds <= TIME_MAX ? set_time((int64_t)seconds, ns, out) : -ERANGE;
}

int ipckit_parse_time(const char *text, struct timespec *out)
{
	struct moment m;
	bool fits = true;
	int64_t ns;

	if (*text == '@')
		return read_seconds(text + 1, out);
	if (!read_date_and_time(&text, &m) || !read_fraction(&text, &ns) || !read_offset(&text, &m.offset, &fits) ||
	    *text)
		return -EINVAL;
	return fits && there_is(&m) ? set_time(seconds_of(&m), ns, out) : -ERANGE;
}

/* ---- sizes ---- */

/* The factor of a suffix, 0 where there is no such one. */
static uint64_t size_unit(const char *suffix)
{
	static const char letters[] = "KMGTPE";
	const char *letter;
	uint64_t base, unit = 1;

	if (!*suffix)
		return 1;
	if (!strcmp(suffix, "kB"))
		return 1000;
	letter = strchr(letters, *suffix);
	if (!letter)
		return 0;
	if (!suffix[1] || !strcmp(suffix + 1, "iB"))
		base = 1024;
	else if (!strcmp(suffix + 1, "B"))
		base = 1000;
	else
		return 0;
	for (const char *p = letters; p <= letter; p++)
		unit *= base;
	return unit;
}

int ipckit_parse_size(const char *text, uint64_t *out)
{
	const char *end;
	bool fits = true;
	uint64_t value = read_digits(text, 10, &end, &fits), unit;

	unit = size_unit(end);
	if (end == text || !unit)
		return -EINVAL;
	if (!fits || __builtin_mul_overflow(value, unit, &value) || value > INT64_MAX)
		return -ERANGE;
	*out = value;
	return 0;
}

/* ---- counts ---- */

int ipckit_parse_count(const char *text, uint64_t max, uint64_t *out)
{
	const char *digits = text, *end;
	unsigned base = 10;
	bool fits = true;
	uint64_t value;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		digits += 2;
	} else if (text[0] == '0') {
		base = 8;
	}
	value = read_digits(digits, base, &end, &fits);
	if (end == digits || *end)
		return -EINVAL;
	if (!fits || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

int ipckit_parse_signed(const char *text, int64_t min, int64_t max, int64_t *out)
{
	bool negative = *text == '-';
	uint64_t magnitude;
	int64_t value;
	int r;

	if (*text == '-' || *text == '+')
		text++;
	r = ipckit_parse_count(text, (uint64_t)INT64_MAX + negative, &magnitude);
	if (r)
		return r;
	value = (int64_t)(negative ? -magnitude : magnitude);
	if (value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

/* ---- modes ---- */

#define MODE_ALL 0777u
#define MODE_X 0111u

static const char *read_who(const char *text, unsigned *who)
{
	for (*who = 0;; text++) {
		if (*text == 'u')
			*who |= 0700;
		else if (*text == 'g')
			*who |= 0070;
		else if (*text == 'o')
			*who |= 0007;
		else if (*text == 'a')
			*who |= MODE_ALL;
		else
			break;
	}
	if (!*who)
		*who = MODE_ALL;
	return text;
}

/* The bits after an operator, for user, group and others alike: one of ugo, or any of rwxX. */
static const char *read_bits(const char *text, unsigned mode, unsigned *bits)
{
	*bits = 0;
	if (*text == 'u' || *text == 'g' || *text == 'o') {
		unsigned shift = *text == 'u' ? 6 : *text == 'g' ? 3 : 0;

		*bits = (mode >> shift & 7) * MODE_X;
		return text + 1;
	}
	for (;; text++) {
		if (*text == 'r')
			*bits |= 0444;
		else if (*text == 'w')
			*bits |= 0222;
		else if (*text == 'x')
			*bits |= MODE_X;
		else if (*text == 'X')
			*bits |= mode & MODE_X ? MODE_X : 0;
		else
			return text;
	}
}

/* One clause, `[ugoa...][-+=][rwxX...|u|g|o]...`: NULL where it is none. */
static const char *read_clause(const char *text, unsigned *mode)
{
	unsigned who, bits;

	text = read_who(text, &who);
	if (!*text || !strchr("+-=", *text))
		return NULL;
	while (*text && strchr("+-=", *text)) {
		char operator = *text;

		text = read_bits(text + 1, *mode, &bits);
		if (operator == '=')
			*mode &= ~who;
		if (operator == '-')
			*mode &= ~(who & bits);
		else
			*mode |= who & bits;
	}
	return text;
}

int ipckit_parse_mode(const char *text, unsigned base, unsigned *out)
{
	unsigned mode = base & MODE_ALL;
	const char *end;
	bool fits = true;

	if (is_digit(*text, 8)) {
		uint64_t octal = read_digits(text, 8, &end, &fits);

		if (*end)
			return -EINVAL;
		if (!fits || octal > MODE_ALL)
			return -ERANGE;
		*out = octal;
		return 0;
	}
	for (;; text = end + 1) {
		end = read_clause(text, &mode);
		if (!end || (*end && *end != ','))
			return -EINVAL;
		if (!*end)
			break;
	}
	*out = mode;
	return 0;
}

/* ---- comparisons ---- */

int ipckit_parse_compare(const char *text, enum ipckit_compare *out)
{
	static const char *const words[] = {
		[IPCKIT_EQ] = "eq", [IPCKIT_NE] = "ne", [IPCKIT_LT] = "lt",
		[IPCKIT_LE] = "le", [IPCKIT_GT] = "gt", [IPCKIT_GE] = "ge",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcmp(text, words[i])) {
			*out = (enum ipckit_compare)i;
			return 0;
		}
	}
	return -EINVAL;
}
