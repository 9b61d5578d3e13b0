/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_PROC_SCAN_H
#define LIB_PROC_SCAN_H

/* What the line parsers of /proc share. */

#include <stdbool.h>
#include <stdint.h>

static inline unsigned scan_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 99;
}

/* Reads digits and goes past them; false where there are none or they do not fit. */
static inline bool scan_number(const char **at, unsigned base, uint64_t *out)
{
	const char *p = *at;
	uint64_t n = 0;

	for (; scan_digit(*p) < base; p++)
		if (__builtin_mul_overflow(n, base, &n) ||
		    __builtin_add_overflow(n, scan_digit(*p), &n))
			return false;
	if (p == *at)
		return false;
	*at = p;
	*out = n;
	return true;
}

/* As scan_number(), at most max. */
static inline bool scan_below(const char **at, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t n;

	if (!scan_number(at, base, &n) || n > max)
		return false;
	*out = n;
	return true;
}

/* As scan_number() in decimal, with an optional `-`. */
static inline bool scan_signed(const char **at, int64_t *out)
{
	bool minus = **at == '-';
	uint64_t n;

	*at += minus;
	if (!scan_below(at, 10, INT64_MAX, &n))
		return false;
	*out = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

static inline bool scan_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static inline void scan_blanks(const char **at)
{
	while (**at == ' ' || **at == '\t')
		(*at)++;
}

#endif
