/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Rows of file locks, whole and broken, and which of two are in each other's way. */

#include "../../lib/live-lock.h"
#include "unit.h"

#include <errno.h>

#define A_ROW "08:01:77 0 EOF\n"
#define PART(kind, mode, pid, range) #kind "  ADVISORY  " #mode " " #pid " 08:01:77 " range "\n"

static void test_rows(void)
{
	static const char *const bad[] = {
		"", "1", "1:", "1: FLOCK", "x: FLOCK  ADVISORY  WRITE 7 08:01:77 0 EOF",
		"1: FLOCK  ADVISORY  WRITE 7",
		"1: LEASE  ACTIVE    READ 7 08:01:77 0 EOF", "2: DELEG  ACTIVE    READ 7 08:01:77 0 EOF",
		"2: ACCESS ADVISORY  READ 7 08:01:77 0 EOF", "2: FLOCKS ADVISORY  READ 7 08:01:77 0 EOF",
		"2: FLOCK  MANDATORY READ 7 08:01:77 0 EOF", "2: FLOCK  ADVISORY  UNLCK 7 08:01:77 0 EOF",
		"2: POSIX  *NOINODE* WRITE 7 <none>:0 0 EOF", "2: POSIX  ADVISORY  WRITE -2 08:01:77 0 EOF",
		"2: POSIX  ADVISORY  WRITE 9999999999 08:01:77 0 EOF", "2: POSIX  ADVISORY  WRITE 7 08:77 0 EOF",
		"2: POSIX  ADVISORY  WRITE 7 100000000:01:77 0 EOF", "2: POSIX  ADVISORY  WRITE 7 08:01:77 5 4\n",
		"2: POSIX  ADVISORY  WRITE 7 08:01:77 -1 4\n", "2: POSIX  ADVISORY  WRITE 7 08:01:77 0 EOFx",
		"2: POSIX  ADVISORY  WRITE 7 08:01:77 0", "2: POSIX  ADVISORY  WRITE 7 08:01:77 0 4 5",
		"2: POSIX  ADVISORY  WRITE 7 08:01:77 0 9223372036854775808", "2: POSIX ADVISORY WRITE 7 08:01:77",
	};
	static const char behind[] = "12:   -> POSIX  ADVISORY  WRITE 7 fe:1f:18446744073709551615 3 9\n";
	struct live_lock lock;

	if (CHECK_INT(live_lock_parse(behind, &lock), 0)) {
		CHECK(lock.waits && lock.exclusive);
		CHECK_INT(lock.kind, LIVE_LOCK_POSIX);
		CHECK_INT(lock.pid, 7);
		CHECK_INT(lock.major, 0xfe);
		CHECK_INT(lock.minor, 0x1f);
		CHECK(lock.inode == UINT64_MAX);
		CHECK_INT(lock.start, 3);
		CHECK_INT(lock.end, 9);
	}
	if (CHECK_INT(live_lock_parse("1: OFDLCK ADVISORY  READ  -1 08:01:77 5 EOF", &lock), 0)) {
		CHECK(!lock.waits && !lock.exclusive);
		CHECK_INT(lock.kind, LIVE_LOCK_OFD);
		CHECK_INT(lock.pid, -1);
		CHECK_INT(lock.end, LIVE_LOCK_END);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT_FOR(bad[i], live_lock_parse(bad[i], &lock), -EBADMSG);
}

static struct live_lock row(const char *text)
{
	struct live_lock lock = { 0 };

	CHECK_INT_FOR(text, live_lock_parse(text, &lock), 0);
	return lock;
}

static void test_conflicts(void)
{
	static const struct {
		const char *a, *b;
		bool conflict;
	} rows[] = {
		{ "1: FLOCK  ADVISORY  WRITE 1 " A_ROW, "1: FLOCK  ADVISORY  READ 2 " A_ROW, true },
		{ "1: FLOCK  ADVISORY  READ 1 " A_ROW, "1: FLOCK  ADVISORY  READ 2 " A_ROW, false },
		{ "1: FLOCK  ADVISORY  WRITE 1 " A_ROW, "1: POSIX  ADVISORY  WRITE 2 " A_ROW, false },
		{ "1: OFDLCK ADVISORY  WRITE -1 " A_ROW, "1: POSIX  ADVISORY  WRITE 2 " A_ROW, true },
		{ "1: " PART(POSIX, WRITE, 1, "0 4"), "1: " PART(POSIX, WRITE, 2, "4 EOF"), true },
		{ "1: " PART(POSIX, WRITE, 1, "0 4"), "1: " PART(POSIX, WRITE, 2, "5 EOF"), false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct live_lock a = row(rows[i].a), b = row(rows[i].b);

		CHECK_INT_FOR(rows[i].b, live_lock_conflicts(&a, &b), rows[i].conflict);
		CHECK_INT_FOR(rows[i].b, live_lock_conflicts(&b, &a), rows[i].conflict);
	}
}

int main(void)
{
	test_rows();
	test_conflicts();
	return unit_done("live lock row");
}
