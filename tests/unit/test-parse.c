/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <time.h>

#include <ipckit/deadline.h>
#include <ipckit/parse.h>

#define UNTOUCHED 0x5a5a5a5a5a5a5a5a
#define MS 1000000LL
#define S 1000000000LL

static void test_duration(void)
{
	static const struct {
		const char *text;
		int r;
		int64_t ns;
	} rows[] = {
		{ "250us", 0, 250000 },
		{ "100ms", 0, 100 * MS },
		{ "5s", 0, 5 * S },
		{ "1.5s", 0, 1500 * MS },
		{ "2m", 0, 120 * S },
		{ "1h", 0, 3600 * S },
		{ "7d", 0, S * 86400 * 7 },
		{ "3", 0, 3 * S },
		{ "0", 0, 0 },
		{ "0s", 0, 0 },
		{ "0.0h", 0, 0 },
		{ "007", 0, 7 * S },
		{ "1.25", 0, 1250 * MS },
		{ ".5", 0, 500 * MS },
		{ ".5ms", 0, 500000 },
		{ "5.", 0, 5 * S },
		{ "inf", 0, IPCKIT_FOREVER },
		/* rounded up to a whole nanosecond, and exactly */
		{ "0.1us", 0, 100 },
		{ "0.0001us", 0, 1 },
		{ "0.0010us", 0, 1 },
		{ "0.00100000000000000000000000000000000000000001us", 0, 2 },
		{ "0.0000000000000000000000000000000000000000000000000001h", 0, 1 },
		{ "1.000000001", 0, S + 1 },
		{ "1.0000000001", 0, S + 1 },
		{ "0.999999999999999999999999999s", 0, S },
		{ "0.333333333333m", 0, 19999999999 + 1 },
		/* the largest, and one more */
		{ "9223372036.854775806", 0, INT64_MAX - 1 },
		{ "9223372036.854775807", -ERANGE, 0 },
		{ "9223372036854775.806us", 0, INT64_MAX - 1 },
		{ "9223372036854775.8061us", -ERANGE, 0 },
		{ "106751d", 0, S * 86400 * 106751 },
		{ "106752d", -ERANGE, 0 },
		{ "18446744073709551616us", -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
		{ "99999999999999999999h", -ERANGE, 0 },
		{ "99999999999999999999x", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ ".", -EINVAL, 0 },
		{ ".s", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "5sfoo", -EINVAL, 0 },
		{ "5 s", -EINVAL, 0 },
		{ " 5s", -EINVAL, 0 },
		{ "5s ", -EINVAL, 0 },
		{ "5s\n", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "0x", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "1,5s", -EINVAL, 0 },
		{ "1.5.5s", -EINVAL, 0 },
		{ "1s2s", -EINVAL, 0 },
		{ "5S", -EINVAL, 0 },
		{ "5ns", -EINVAL, 0 },
		{ "5w", -EINVAL, 0 },
		{ "infinity", -EINVAL, 0 },
		{ "Inf", -EINVAL, 0 },
		{ "infs", -EINVAL, 0 },
		{ "nan", -EINVAL, 0 },
		{ "\xd9\xa1s", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ns = UNTOUCHED;

		CHECK_INT_FOR(rows[i].text, ipckit_parse_duration(rows[i].text, &ns), rows[i].r);
		CHECK_INT_FOR(rows[i].text, ns, rows[i].r ? UNTOUCHED : rows[i].ns);
	}
}

static void test_time(void)
{
	static const struct {
		const char *text;
		int r;
		int64_t seconds;
		long ns;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0, 0, 0 },
		{ "2026-11-21T10:00:00Z", 0, 1795255200, 0 },
		{ "2026-11-21 10:00:00z", 0, 1795255200, 0 },
		{ "2026-11-21t10:00:00.25Z", 0, 1795255200, 250 * MS },
		{ "2026-11-21T11:30:00+01:30", 0, 1795255200, 0 },
		{ "2026-11-20T23:00:00-11:00", 0, 1795255200, 0 },
		{ "2026-11-21T10:00:00-00:00", 0, 1795255200, 0 },
		{ "2026-11-22T09:59:00+23:59", 0, 1795255200, 0 },
		{ "2000-02-29T12:00:00Z", 0, 951825600, 0 },
		{ "1969-12-31T23:59:59.5Z", 0, -1, 500 * MS },
		{ "0000-01-01T00:00:00Z", 0, -62167219200, 0 },
		{ "0000-01-01T00:00:00+23:59", 0, -62167219200 - 86340, 0 },
		{ "9999-12-31T23:59:59.999999999Z", 0, 253402300799, 999999999 },
		{ "@0", 0, 0, 0 },
		{ "@1795255200.25", 0, 1795255200, 250 * MS },
		{ "@007", 0, 7, 0 },
		{ "@253402300799.999999999", 0, 253402300799, 999999999 },
		/* rounded up */
		{ "@1.0000000001", 0, 1, 1 },
		{ "@1.9999999999", 0, 2, 0 },
		{ "1970-01-01T00:00:00.99999999999999999999Z", 0, 1, 0 },
		/* no such time */
		{ "2026-02-29T10:00:00Z", -ERANGE, 0, 0 },
		{ "1900-02-29T10:00:00Z", -ERANGE, 0, 0 },
		{ "2026-00-21T10:00:00Z", -ERANGE, 0, 0 },
		{ "2026-13-21T10:00:00Z", -ERANGE, 0, 0 },
		{ "2026-11-00T10:00:00Z", -ERANGE, 0, 0 },
		{ "2026-11-31T10:00:00Z", -ERANGE, 0, 0 },
		{ "2026-11-21T24:00:00Z", -ERANGE, 0, 0 },
		{ "2026-11-21T10:60:00Z", -ERANGE, 0, 0 },
		{ "2016-12-31T23:59:60Z", -ERANGE, 0, 0 },
		{ "2026-11-21T10:00:00+24:00", -ERANGE, 0, 0 },
		{ "2026-11-21T10:00:00+01:60", -ERANGE, 0, 0 },
		{ "9999-12-31T23:59:59-00:01", -ERANGE, 0, 0 },
		{ "9999-12-31T23:59:59.9999999999Z", -ERANGE, 0, 0 },
		{ "@253402300800", -ERANGE, 0, 0 },
		{ "@253402300799.9999999999", -ERANGE, 0, 0 },
		{ "@99999999999999999999", -ERANGE, 0, 0 },
		{ "@18446744073709551617", -ERANGE, 0, 0 },
		/* no time at all */
		{ "", -EINVAL, 0, 0 },
		{ "@", -EINVAL, 0, 0 },
		{ "@.5", -EINVAL, 0, 0 },
		{ "@5.", -EINVAL, 0, 0 },
		{ "@-5", -EINVAL, 0, 0 },
		{ "@+5", -EINVAL, 0, 0 },
		{ "@ 5", -EINVAL, 0, 0 },
		{ "@5s", -EINVAL, 0, 0 },
		{ "@0x5", -EINVAL, 0, 0 },
		{ "@99999999999999999999z", -EINVAL, 0, 0 },
		{ "5", -EINVAL, 0, 0 },
		{ "now", -EINVAL, 0, 0 },
		{ "10:00:00Z", -EINVAL, 0, 0 },
		{ "2026-11-21", -EINVAL, 0, 0 },
		{ "2026-11-21T10:00Z", -EINVAL, 0, 0 },
		{ "2026-11-21T10:00:00", -EINVAL, 0, 0 },
		{ "2026-11-21T10:00:00+", -EINVAL, 0, 0 },
		{ "2026-11-21T10:00:00+01", -EINVAL, 0, 0 },
		{ "2026-11-21T10:00:00+0100", -EINVAL, 0, 0 },
		{ "2026-11-21T10:00:00+01:0", -EINVAL, 0, 0 },
		{ "2026-11-21T10:00:00+01:000", -EINVAL, 0, 0 },
		{ "2026-11-21T10:00:00 Z", -EINVAL, 0, 0 },
		{ "2026-11-21T10:00:00ZZ", -EINVAL, 0, 0 },
		{ "2026-11-21T10:00:00Z ", -EINVAL, 0, 0 },
		{ " 2026-11-21T10:00:00Z", -EINVAL, 0, 0 },
		{ "2026-11-21T10:00:00.Z", -EINVAL, 0, 0 },
		{ "2026-11-21T10:00:00,5Z", -EINVAL, 0, 0 },
		{ "2026-11-21_10:00:00Z", -EINVAL, 0, 0 },
		{ "2026-11-21  10:00:00Z", -EINVAL, 0, 0 },
		{ "2026-11-1T10:00:00Z", -EINVAL, 0, 0 },
		{ "2026-1-21T10:00:00Z", -EINVAL, 0, 0 },
		{ "026-11-21T10:00:00Z", -EINVAL, 0, 0 },
		{ "12026-11-21T10:00:00Z", -EINVAL, 0, 0 },
		{ "-026-11-21T10:00:00Z", -EINVAL, 0, 0 },
		{ "+2026-11-21T10:00:00Z", -EINVAL, 0, 0 },
		{ "2026/11/21T10:00:00Z", -EINVAL, 0, 0 },
		{ "20261121T100000Z", -EINVAL, 0, 0 },
		/* what is malformed is so before it is out of range */
		{ "2026-13-21T10:00:00", -EINVAL, 0, 0 },
		{ "2026-11-21T10:00:60Zx", -EINVAL, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct timespec at = { UNTOUCHED, 0x5a5a };

		CHECK_INT_FOR(rows[i].text, ipckit_parse_time(rows[i].text, &at), rows[i].r);
		CHECK_INT_FOR(rows[i].text, at.tv_sec, rows[i].r ? UNTOUCHED : rows[i].seconds);
		CHECK_INT_FOR(rows[i].text, at.tv_nsec, rows[i].r ? 0x5a5a : rows[i].ns);
	}
}

/* What timegm(3) makes of the first and the last days of all months. */
static void check_month(int year, int month)
{
	static const int days[] = { 1, 27, 28, 29, 30, 31 };

	for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++) {
		struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = days[i], .tm_hour = 12 };
		struct timespec at = { 0 };
		char text[64];
		int64_t want = timegm(&tm);
		bool there = tm.tm_mday == days[i];

		snprintf(text, sizeof(text), "%04d-%02d-%02dT12:00:00Z", year, month, days[i]);
		if (ipckit_parse_time(text, &at) != (there ? 0 : -ERANGE) || (there && at.tv_sec != want))
			CHECK_INT_FOR(text, at.tv_sec, want);
	}
}

static void test_calendar(void)
{
	for (int year = 0; year <= 9999; year++)
		for (int month = 1; month <= 12; month++)
			check_month(year, month);
	CHECK(true);
}

static void test_size(void)
{
	static const struct {
		const char *text;
		int r;
		uint64_t size;
	} rows[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "010", 0, 10 },
		{ "64K", 0, 65536 },
		{ "64KiB", 0, 65536 },
		{ "10M", 0, 10 << 20 },
		{ "2G", 0, 2ull << 30 },
		{ "1T", 0, 1ull << 40 },
		{ "1P", 0, 1ull << 50 },
		{ "1E", 0, 1ull << 60 },
		{ "1EiB", 0, 1ull << 60 },
		{ "5kB", 0, 5000 },
		{ "5KB", 0, 5000 },
		{ "10MB", 0, 10000000 },
		{ "1GB", 0, 1000000000 },
		{ "1TB", 0, 1000000000000 },
		{ "1PB", 0, 1000000000000000 },
		{ "9EB", 0, 9000000000000000000 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
		{ "7E", 0, 7ull << 60 },
		{ "8E", -ERANGE, 0 },
		{ "16E", -ERANGE, 0 },
		{ "10EB", -ERANGE, 0 },
		{ "99999999999999999999Q", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "K", -EINVAL, 0 },
		{ "0x", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "1.5K", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 K", -EINVAL, 0 },
		{ "1K ", -EINVAL, 0 },
		{ "1k", -EINVAL, 0 },
		{ "1m", -EINVAL, 0 },
		{ "1mB", -EINVAL, 0 },
		{ "1kiB", -EINVAL, 0 },
		{ "1Ki", -EINVAL, 0 },
		{ "1KBs", -EINVAL, 0 },
		{ "1B", -EINVAL, 0 },
		{ "1Z", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t size = UNTOUCHED;

		CHECK_INT_FOR(rows[i].text, ipckit_parse_size(rows[i].text, &size), rows[i].r);
		CHECK_INT_FOR(rows[i].text, size, rows[i].r ? UNTOUCHED : rows[i].size);
	}
}

static void test_count(void)
{
	static const struct {
		const char *text;
		uint64_t max;
		int r;
		uint64_t value;
	} rows[] = {
		{ "0", 0, 0, 0 },
		{ "1", 0, -ERANGE, 0 },
		{ "42", 42, 0, 42 },
		{ "43", 42, -ERANGE, 0 },
		{ "0x2a", 42, 0, 42 },
		{ "0X2A", 42, 0, 42 },
		{ "0x0000000000000000000000000000002a", 42, 0, 42 },
		{ "052", 42, 0, 42 },
		{ "00", 42, 0, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "0xffffffffffffffff", UINT64_MAX, 0, UINT64_MAX },
		{ "01777777777777777777777", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
		{ "0x10000000000000000", UINT64_MAX, -ERANGE, 0 },
		{ "02000000000000000000000", UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999", UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999z", UINT64_MAX, -EINVAL, 0 },
		{ "", UINT64_MAX, -EINVAL, 0 },
		{ "0x", UINT64_MAX, -EINVAL, 0 },
		{ "0xg", UINT64_MAX, -EINVAL, 0 },
		{ "x1", UINT64_MAX, -EINVAL, 0 },
		{ "08", UINT64_MAX, -EINVAL, 0 },
		{ "1a", UINT64_MAX, -EINVAL, 0 },
		{ "-1", UINT64_MAX, -EINVAL, 0 },
		{ "+1", UINT64_MAX, -EINVAL, 0 },
		{ "-0", UINT64_MAX, -EINVAL, 0 },
		{ " 1", UINT64_MAX, -EINVAL, 0 },
		{ "1 ", UINT64_MAX, -EINVAL, 0 },
		{ "1.0", UINT64_MAX, -EINVAL, 0 },
		{ "1K", UINT64_MAX, -EINVAL, 0 },
		{ "5sfoo", UINT64_MAX, -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t value = UNTOUCHED;
		int r = ipckit_parse_count(rows[i].text, rows[i].max, &value);

		CHECK_INT_FOR(rows[i].text, r, rows[i].r);
		CHECK_INT_FOR(rows[i].text, value, rows[i].r ? UNTOUCHED : rows[i].value);
	}
}

static void test_signed(void)
{
	static const struct {
		const char *text;
		int64_t min, max;
		int r;
		int64_t value;
	} rows[] = {
		{ "0", -1, 1, 0, 0 },
		{ "-0", 0, 1, 0, 0 },
		{ "+1", -1, 1, 0, 1 },
		{ "-1", -1, 1, 0, -1 },
		{ "2", -1, 1, -ERANGE, 0 },
		{ "-2", -1, 1, -ERANGE, 0 },
		{ "5", 6, 9, -ERANGE, 0 },
		{ "-0x10", INT64_MIN, INT64_MAX, 0, -16 },
		{ "-010", INT64_MIN, INT64_MAX, 0, -8 },
		{ "9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, -ERANGE, 0 },
		{ "-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN },
		{ "-9223372036854775809", INT64_MIN, INT64_MAX, -ERANGE, 0 },
		{ "-99999999999999999999", INT64_MIN, INT64_MAX, -ERANGE, 0 },
		{ "", INT64_MIN, INT64_MAX, -EINVAL, 0 },
		{ "-", INT64_MIN, INT64_MAX, -EINVAL, 0 },
		{ "+", INT64_MIN, INT64_MAX, -EINVAL, 0 },
		{ "--1", INT64_MIN, INT64_MAX, -EINVAL, 0 },
		{ "+-1", INT64_MIN, INT64_MAX, -EINVAL, 0 },
		{ "- 1", INT64_MIN, INT64_MAX, -EINVAL, 0 },
		{ " -1", INT64_MIN, INT64_MAX, -EINVAL, 0 },
		{ "-0x", INT64_MIN, INT64_MAX, -EINVAL, 0 },
		{ "1-", INT64_MIN, INT64_MAX, -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t value = UNTOUCHED;
		int r = ipckit_parse_signed(rows[i].text, rows[i].min, rows[i].max, &value);

		CHECK_INT_FOR(rows[i].text, r, rows[i].r);
		CHECK_INT_FOR(rows[i].text, value, rows[i].r ? UNTOUCHED : rows[i].value);
	}
}

/* The modes are what chmod(1) of coreutils makes of a file of mode base under umask 0. */
static void test_mode(void)
{
	static const struct {
		const char *text;
		unsigned base;
		int r;
		unsigned mode;
	} rows[] = {
		{ "0600", 0777, 0, 0600 },
		{ "600", 0777, 0, 0600 },
		{ "000000000000000000000000000600", 0777, 0, 0600 },
		{ "0", 0777, 0, 0 },
		{ "777", 0, 0, 0777 },
		{ "1000", 0, -ERANGE, 0 },
		{ "7777", 0, -ERANGE, 0 },
		{ "99999", 0, -EINVAL, 0 },
		{ "77777777777777777777777777777", 0, -ERANGE, 0 },
		{ "77777777777777777777777777777,", 0, -EINVAL, 0 },
		{ "u=rw,g+r,o=", 0007, 0, 0640 },
		{ "u=rw,g+r", 0640, 0, 0640 },
		{ "+x", 0640, 0, 0751 },
		{ "=r", 0640, 0, 0444 },
		{ "+w", 0, 0, 0222 },
		{ "a=rwx", 0, 0, 0777 },
		{ "ugo=rw", 0, 0, 0666 },
		{ "uuu=r", 0, 0, 0400 },
		{ "u=", 0640, 0, 0040 },
		{ "a+", 0640, 0, 0640 },
		{ "u+-x", 0640, 0, 0640 },
		{ "u++x", 0640, 0, 0740 },
		{ "u+x-w", 0640, 0, 0540 },
		{ "u=rw+x-r", 0640, 0, 0340 },
		{ "u-r+w=x", 0640, 0, 0140 },
		{ "u=g", 0640, 0, 0440 },
		{ "g=u+w", 0640, 0, 0660 },
		{ "o=u,u=", 0640, 0, 0046 },
		{ "a=g", 0640, 0, 0444 },
		{ "a-g", 0640, 0, 0200 },
		{ "a=rX", 0640, 0, 0444 },
		{ "a=rX", 0641, 0, 0555 },
		{ "u+x,a+X", 0640, 0, 0751 },
		{ "u=rw", 07000, 0, 0600 },
		{ "u=go", 0640, -EINVAL, 0 },
		{ "ug=rwo", 0640, -EINVAL, 0 },
		{ "u=rw,", 0640, -EINVAL, 0 },
		{ ",u=rw", 0640, -EINVAL, 0 },
		{ "u=rw,,g=r", 0640, -EINVAL, 0 },
		{ ",", 0640, -EINVAL, 0 },
		{ "", 0640, -EINVAL, 0 },
		{ "u", 0640, -EINVAL, 0 },
		{ "rwx", 0640, -EINVAL, 0 },
		{ "u=rw g=r", 0640, -EINVAL, 0 },
		{ " 600", 0640, -EINVAL, 0 },
		{ "600 ", 0640, -EINVAL, 0 },
		{ "-1", 0640, -EINVAL, 0 },
		{ "888", 0640, -EINVAL, 0 },
		{ "0x1ff", 0640, -EINVAL, 0 },
		{ "=600", 0640, -EINVAL, 0 },
		{ "600,u=r", 0640, -EINVAL, 0 },
		/* no such bits on IPC objects */
		{ "u+s", 0640, -EINVAL, 0 },
		{ "+t", 0640, -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		unsigned mode = 0x5a5a;

		CHECK_INT_FOR(rows[i].text, ipckit_parse_mode(rows[i].text, rows[i].base, &mode),
			      rows[i].r);
		CHECK_INT_FOR(rows[i].text, mode, rows[i].r ? 0x5a5a : rows[i].mode);
	}
}

static void test_compare(void)
{
	static const char *const words[] = { "eq", "ne", "lt", "le", "gt", "ge" };
	static const char *const bad[] = { "", "e", "eqq", "EQ", "=", "==", " eq", "eq " };
	enum ipckit_compare compare;

	for (unsigned i = 0; i < 6; i++) {
		compare = (i + 1) % 6;
		CHECK_INT_FOR(words[i], ipckit_parse_compare(words[i], &compare), 0);
		CHECK_INT_FOR(words[i], compare, i);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		compare = IPCKIT_GT;
		CHECK_INT_FOR(bad[i], ipckit_parse_compare(bad[i], &compare), -EINVAL);
		CHECK_INT_FOR(bad[i], compare, IPCKIT_GT);
	}
}

/* Every number of up to five characters of an alphabet, against strtoull(3). */
static void test_count_exhaustively(void)
{
	static const char alphabet[] = "0178afxX-+ ";
	char text[6] = "", *end;
	unsigned wrong = 0, tried = 0;
	int index[5] = { -1, -1, -1, -1, -1 };

	for (;;) {
		int at = 0;
		uint64_t value = UNTOUCHED, want;
		bool good;

		while (at < 5 && ++index[at] == (int)sizeof(alphabet) - 1)
			index[at++] = 0;
		if (at == 5)
			break;
		for (int i = 0; i < 5; i++)
			text[i] = index[i] < 0 ? '\0' : alphabet[index[i]];
		errno = 0;
		want = strtoull(text, &end, 0);
		good = *text && !*end && !errno && !strpbrk(text, "-+ ");
		tried++;
		if (ipckit_parse_count(text, UINT64_MAX, &value) != (good ? 0 : -EINVAL) ||
		    value != (good ? want : UNTOUCHED))
			wrong++;
	}
	CHECK(tried > 100000);
	CHECK_INT(wrong, 0);
}

int main(void)
{
	/* Nothing may depend on it: in a locale with a decimal comma, where there is one. */
	if (!setlocale(LC_ALL, "de_DE.UTF-8"))
		setlocale(LC_ALL, "");
	test_duration();
	test_time();
	test_calendar();
	test_size();
	test_count();
	test_signed();
	test_mode();
	test_compare();
	test_count_exhaustively();
	return unit_done("parse");
}
