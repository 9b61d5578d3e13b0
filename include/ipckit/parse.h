/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_PARSE_H
#define IPCKIT_PARSE_H

/*
 * Values as people write them. Every value is consumed whole: leading or
 * trailing white space, signs, empty text, `0x` and rests (`5sfoo`) are
 * -EINVAL; a well-formed number that does not fit is -ERANGE. Nothing here
 * depends on the locale, allocates or does I/O.
 */

#include <ipckit/base.h>
#include <time.h>

/*
 * Reads a duration: `250us`, `100ms`, `5s`, `1.5s`, `2m`, `1h`, `7d`, a bare
 * number in seconds (`2`, `.5`), `0`, or `inf`.
 *
 * out: nanoseconds, rounded up to a whole one; IPCKIT_FOREVER for `inf`.
 * Returns 0, -EINVAL, or -ERANGE (beyond 2^63-2 ns, about 292 years).
 */
IPCKIT_CHECK int ipckit_parse_duration(const char *text, int64_t *out);

/*
 * Reads a point in time: a date and time of RFC 3339 (`2026-11-21T10:00:00Z`, `2026-11-21 10:00:00.25+01:00`),
 * which names its offset from UTC, or `@SECONDS` since 1970, with a fraction or without.
 *
 * out: on CLOCK_REALTIME, rounded up to a whole nanosecond; before 1970 less than 0.
 * Returns 0, -EINVAL, or -ERANGE (no such date or time, or beyond the year 9999). A leap second (`:60`) is none
 * that this clock has: -ERANGE.
 */
IPCKIT_CHECK int ipckit_parse_time(const char *text, struct timespec *out);

/*
 * Reads a size in bytes: decimal digits, then nothing, or K M G T P E (powers
 * of 1024, also written KiB MiB ...), or kB KB MB GB TB PB EB (powers of 1000).
 *
 * Returns 0, -EINVAL, or -ERANGE (beyond 2^63-1).
 */
IPCKIT_CHECK int ipckit_parse_size(const char *text, uint64_t *out);

/*
 * Reads a whole number, decimal, `0x` hexadecimal or `0` octal, at most max.
 *
 * Returns 0, -EINVAL, or -ERANGE.
 */
IPCKIT_CHECK int ipckit_parse_count(const char *text, uint64_t max, uint64_t *out);

/* As ipckit_parse_count(), with an optional `-` (or `+`) before it, in [min, max]. */
IPCKIT_CHECK int ipckit_parse_signed(const char *text, int64_t min, int64_t max, int64_t *out);

/*
 * Reads permission bits: octal (`0600`, `600`), or symbolic as chmod(1) takes
 * them (`u=rw,g+r,o=`; r w x X u g o a + - =), applied to base.
 *
 * base: the mode that symbolic clauses start from. A symbolic clause without a
 * who means a: the umask is not consulted.
 * Returns 0; -EINVAL; -ERANGE where octal digits go beyond 0777.
 */
IPCKIT_CHECK int ipckit_parse_mode(const char *text, unsigned base, unsigned *out);

enum ipckit_compare { IPCKIT_EQ, IPCKIT_NE, IPCKIT_LT, IPCKIT_LE, IPCKIT_GT, IPCKIT_GE };

/* Reads one of eq ne lt le gt ge. Returns 0 or -EINVAL. */
IPCKIT_CHECK int ipckit_parse_compare(const char *text, enum ipckit_compare *out);

#endif
