/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Values: each input is read as every kind of value. */

#include "fuzz.h"

#include <errno.h>
#include <inttypes.h>

#include <ipckit/deadline.h>
#include <ipckit/parse.h>

#define UNTOUCHED 0x5a5a5a5a5a5a5a5a

/* No value has white space, and only signed ones and modes have a sign. */
static void check_accepted(const char *text, bool may_be_signed)
{
	HOLDS(*text && !strpbrk(text, " \t\n\r\f\v"));
	HOLDS(may_be_signed || !strpbrk(text, "+-"));
}

static void check_refused(int r)
{
	HOLDS(r == -EINVAL || r == -ERANGE);
}

static void check_duration(const char *text)
{
	int64_t ns = UNTOUCHED, again = 0;
	char spelled[64];
	int r = ipckit_parse_duration(text, &ns);

	if (r) {
		check_refused(r);
		HOLDS(ns == UNTOUCHED);
		return;
	}
	check_accepted(text, false);
	HOLDS(ns >= 0 && (ns == IPCKIT_FOREVER) == !strcmp(text, "inf"));
	if (ns == IPCKIT_FOREVER)
		return;
	snprintf(spelled, sizeof(spelled), "%" PRId64 ".%09" PRId64 "s", ns / 1000000000,
		 ns % 1000000000);
	HOLDS(!ipckit_parse_duration(spelled, &again) && again == ns);
	snprintf(spelled, sizeof(spelled), "%" PRId64 ".%03" PRId64 "us", ns / 1000, ns % 1000);
	HOLDS(!ipckit_parse_duration(spelled, &again) && again == ns);
}

/* Digits may be added to a fraction; only ones that are not 0 lengthen the duration. */
static void check_fraction(const char *text)
{
	size_t digits = strspn(text, "0123456789.");
	int64_t ns, longer;
	char *spelled;

	if (!memchr(text, '.', digits) || ipckit_parse_duration(text, &ns))
		return;
	if (asprintf(&spelled, "%.*s000%s", (int)digits, text, text + digits) < 0)
		exit(1);
	HOLDS(!ipckit_parse_duration(spelled, &longer) && longer == ns);
	spelled[digits + 2] = '1';
	if (!ipckit_parse_duration(spelled, &longer))
		HOLDS(longer >= ns && longer - ns <= 86400000000);
	free(spelled);
}

static void spell_time(const struct timespec *at, char *text, size_t size)
{
	struct tm tm;

	HOLDS(gmtime_r(&at->tv_sec, &tm));
	snprintf(text, size, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		 tm.tm_hour, tm.tm_min, tm.tm_sec, at->tv_nsec);
}

static void check_time(const char *text)
{
	struct timespec at = { .tv_nsec = UNTOUCHED }, again;
	char spelled[64];
	int r = ipckit_parse_time(text, &at);

	if (r) {
		check_refused(r);
		HOLDS(at.tv_nsec == UNTOUCHED);
		return;
	}
	HOLDS(at.tv_nsec >= 0 && at.tv_nsec < 1000000000 && at.tv_sec <= 253402300799);
	/* An offset from UTC may lead before the year 0. */
	if (at.tv_sec >= -62167219200) {
		spell_time(&at, spelled, sizeof(spelled));
		HOLDS(!ipckit_parse_time(spelled, &again) && again.tv_sec == at.tv_sec && again.tv_nsec == at.tv_nsec);
	}
	if (at.tv_sec < 0)
		return;
	snprintf(spelled, sizeof(spelled), "@%" PRId64 ".%09ld", (int64_t)at.tv_sec, at.tv_nsec);
	HOLDS(!ipckit_parse_time(spelled, &again) && again.tv_sec == at.tv_sec && again.tv_nsec == at.tv_nsec);
}

static void check_size(const char *text)
{
	uint64_t size = UNTOUCHED, again = 0;
	char spelled[32];
	int r = ipckit_parse_size(text, &size);

	if (r) {
		check_refused(r);
		HOLDS(size == UNTOUCHED);
		return;
	}
	check_accepted(text, false);
	HOLDS(size <= INT64_MAX);
	snprintf(spelled, sizeof(spelled), "%" PRIu64, size);
	HOLDS(!ipckit_parse_size(spelled, &again) && again == size);
	if (size % 1024 == 0) {
		snprintf(spelled, sizeof(spelled), "%" PRIu64 "KiB", size / 1024);
		HOLDS(!ipckit_parse_size(spelled, &again) && again == size);
	}
	if (size % 1000000 == 0) {
		snprintf(spelled, sizeof(spelled), "%" PRIu64 "MB", size / 1000000);
		HOLDS(!ipckit_parse_size(spelled, &again) && again == size);
	}
}

static void check_count(const char *text, uint64_t max)
{
	static const char *const formats[] = { "%" PRIu64, "0x%" PRIx64, "0%" PRIo64 };
	uint64_t count = UNTOUCHED, again = 0;
	char spelled[32];
	int r = ipckit_parse_count(text, max, &count);

	if (r) {
		check_refused(r);
		HOLDS(count == UNTOUCHED);
		return;
	}
	check_accepted(text, false);
	HOLDS(count <= max && count == strtoull(text, NULL, 0));
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		snprintf(spelled, sizeof(spelled), formats[i], count);
		HOLDS(!ipckit_parse_count(spelled, max, &again) && again == count);
	}
}

static void check_signed(const char *text, int64_t min, int64_t max)
{
	int64_t value = UNTOUCHED, again = 0;
	char spelled[32];
	int r = ipckit_parse_signed(text, min, max, &value);

	if (r) {
		check_refused(r);
		HOLDS(value == UNTOUCHED);
		return;
	}
	check_accepted(text, true);
	HOLDS(value >= min && value <= max && value == strtoll(text, NULL, 0));
	snprintf(spelled, sizeof(spelled), "%" PRId64, value);
	HOLDS(!ipckit_parse_signed(spelled, min, max, &again) && again == value);
}

static void check_mode(const char *text, unsigned base)
{
	unsigned mode = 0x5a5a, again = 0;
	char spelled[32];
	int r = ipckit_parse_mode(text, base, &mode);

	if (r) {
		check_refused(r);
		HOLDS(mode == 0x5a5a);
		/* Whether a mode is one does not hang on what it is applied to. */
		HOLDS(ipckit_parse_mode(text, ~base, &mode) == r);
		return;
	}
	check_accepted(text, true);
	HOLDS(mode <= 0777);
	snprintf(spelled, sizeof(spelled), "%04o", mode);
	HOLDS(!ipckit_parse_mode(spelled, ~base, &again) && again == mode);
	snprintf(spelled, sizeof(spelled), "u=%s%s%s,g=%s%s%s,o=%s%s%s", mode & 0400 ? "r" : "",
		 mode & 0200 ? "w" : "", mode & 0100 ? "x" : "", mode & 0040 ? "r" : "",
		 mode & 0020 ? "w" : "", mode & 0010 ? "x" : "", mode & 0004 ? "r" : "",
		 mode & 0002 ? "w" : "", mode & 0001 ? "x" : "");
	HOLDS(!ipckit_parse_mode(spelled, ~base, &again) && again == mode);
}

static void check_compare(const char *text)
{
	enum ipckit_compare compare = 77;
	int r = ipckit_parse_compare(text, &compare);

	if (r)
		HOLDS(r == -EINVAL && compare == 77);
	else
		HOLDS(strlen(text) == 2 && compare <= IPCKIT_GE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	check_duration(text);
	check_fraction(text);
	check_time(text);
	check_size(text);
	check_count(text, UINT64_MAX);
	check_count(text, 255);
	check_signed(text, INT64_MIN, INT64_MAX);
	check_signed(text, -32768, 32767);
	check_mode(text, 0);
	check_mode(text, 0640);
	check_compare(text);
	free(text);
	return 0;
}
