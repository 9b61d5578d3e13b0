/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_H
#define UNIT_H

/*
 * The harness of the C tests: checks that count, and one summary.
 *
 *	int main(void)
 *	{
 *		CHECK(1 + 1 == 2);
 *		return unit_done("sums");
 *	}
 *
 * A failed check says where it stands and goes on. Where checks run in a loop over
 * a table, CHECK_FOR() also says which row it was.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Whether a sanitizer makes each step dear: loops are shorter then. */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define UNIT_THREADS true
#elif __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define UNIT_SANITIZED true
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define UNIT_THREADS true
#endif
/* A thread sanitizer lets handlers run late: what waits for them may wait for ever. */
#ifdef UNIT_THREADS
#define LATE_SIGNALS
#define UNIT_SANITIZED true
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(UNIT_SANITIZED)
#define UNIT_SANITIZED true
#endif
#ifndef UNIT_SANITIZED
#define UNIT_SANITIZED false
#endif

#define UNIT_SKIP 77 /* what Automake takes for skipped */

static unsigned unit_checks, unit_failures;

__attribute__((format(printf, 5, 6), unused)) static bool
unit_check(bool good, const char *expr, const char *file, int line, const char *format, ...)
{
	va_list args;

	unit_checks++;
	if (good)
		return true;
	unit_failures++;
	printf("# %s:%d: failed: %s", file, line, expr);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	return false;
}

/* Whether expr holds; true and false are returned, so that what depends on it can be left out. */
#define CHECK(expr) unit_check(!!(expr), #expr, __FILE__, __LINE__, "%s", "")

/* The same, for the row of a table that row describes. */
#define CHECK_FOR(row, expr) unit_check(!!(expr), #expr, __FILE__, __LINE__, " [%s]", row)

/* Two integers that are to be equal; both are shown. */
#define CHECK_INT(have, want)                                                                \
	({                                                                                   \
		long long have_ = (have), want_ = (want);                                    \
		unit_check(have_ == want_, #have " == " #want, __FILE__, __LINE__,           \
			   ": have %lld, want %lld", have_, want_);                          \
	})

#define CHECK_INT_FOR(row, have, want)                                                       \
	({                                                                                   \
		long long have_ = (have), want_ = (want);                                    \
		unit_check(have_ == want_, #have " == " #want, __FILE__, __LINE__,           \
			   " [%s]: have %lld, want %lld", row, have_, want_);                \
	})

/* Two strings that are to be equal; NULL equals only NULL. */
__attribute__((unused)) static bool unit_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

#define CHECK_STR(have, want)                                                                \
	({                                                                                   \
		const char *have_ = (have), *want_ = (want);                                 \
		unit_check(unit_same(have_, want_), #have " == " #want, __FILE__, __LINE__,  \
			   ": have \"%s\", want \"%s\"", have_ ?: "(null)", want_ ?: "(null)"); \
	})

#define CHECK_STR_FOR(row, have, want)                                                       \
	({                                                                                   \
		const char *have_ = (have), *want_ = (want);                                 \
		unit_check(unit_same(have_, want_), #have " == " #want, __FILE__, __LINE__,  \
			   " [%s]: have \"%s\", want \"%s\"", row, have_ ?: "(null)",        \
			   want_ ?: "(null)");                                               \
	})

/* Prints the summary and gives the status for main(); no check at all is a failure. */
__attribute__((unused)) static int unit_done(const char *name)
{
	bool good = unit_checks && !unit_failures;

	printf("1..1\n%s 1 - %s: %u checks, %u failed\n", good ? "ok" : "not ok", name, unit_checks,
	       unit_failures);
	return !good;
}

/* Says why nothing was tested and gives the status for main(). */
__attribute__((unused)) static int unit_skip(const char *name, const char *why)
{
	printf("1..1\nok 1 - %s # SKIP %s\n", name, why);
	return UNIT_SKIP;
}

#endif
