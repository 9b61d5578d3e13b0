/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <limits.h>

#include <ipckit/hold.h>

static struct ipckit_hold record(void)
{
	struct ipckit_hold hold = {
		.holding = true,
		.job = 4711,
		.count = 1,
		.since_ms = 1790000000250,
		.at = "posix:18:77:0",
		.objects = "/jobs",
	};

	return hold;
}

static void check_format(const struct ipckit_hold *hold, const char *want)
{
	char text[256];

	memset(text, 'x', sizeof(text));
	CHECK_INT(ipckit_hold_format(hold, text, sizeof(text)), strlen(want));
	CHECK_STR(text, want);
}

static void test_format(void)
{
	struct ipckit_hold hold = record();

	check_format(&hold, "holding job=4711 count=1 since=1790000000.250 at=posix:18:77:0 /jobs");
	hold.holding = false;
	hold.job = INT_MAX;
	hold.count = UINT_MAX;
	hold.since_ms = 7;
	strcpy(hold.at, "sysv:42:0,eventfd:9");
	hold.objects = "id:42 fd:3";
	check_format(&hold, "waiting job=2147483647 count=4294967295 since=0.007 "
			    "at=sysv:42:0,eventfd:9 id:42 fd:3");
	hold.since_ms = -5;
	hold.objects = NULL;
	check_format(&hold, "waiting job=2147483647 count=4294967295 since=0.000 "
			    "at=sysv:42:0,eventfd:9");
	/* one line, whatever the objects are called */
	hold.objects = "/a\nb\tc\033[1m\x7f\xff";
	check_format(&hold, "waiting job=2147483647 count=4294967295 since=0.000 "
			    "at=sysv:42:0,eventfd:9 /a?b?c?[1m?\xff");
}

static void test_format_cut(void)
{
	struct ipckit_hold hold = record();
	char whole[256], text[256];
	int length = ipckit_hold_format(&hold, whole, sizeof(whole));

	CHECK_INT(ipckit_hold_format(&hold, NULL, 0), length);
	for (int size = 1; size <= length + 1; size++) {
		memset(text, 'x', sizeof(text));
		CHECK_INT(ipckit_hold_format(&hold, text, size), length);
		CHECK_INT(strlen(text), size - 1);
		CHECK(!memcmp(text, whole, size - 1));
		CHECK_INT(text[size], 'x');
	}
}

static void test_parse(void)
{
	static const char text[] =
		"waiting job=12 count=3 since=1790000000.007 at=posix:1f:abc:40,sysv:7:2 /a b /c";
	struct ipckit_hold hold;

	memset(&hold, 0x5a, sizeof(hold));
	CHECK_INT(ipckit_hold_parse(text, &hold), 0);
	CHECK(!hold.holding);
	CHECK_INT(hold.job, 12);
	CHECK_INT(hold.count, 3);
	CHECK_INT(hold.since_ms, 1790000000007);
	CHECK_STR(hold.at, "posix:1f:abc:40,sysv:7:2");
	CHECK_STR(hold.objects, "/a b /c");
	CHECK(hold.objects == strchr(text, '/'));

	CHECK_INT(ipckit_hold_parse("holding job=2147483647 count=4294967295 since=0.000 "
				    "at=sysv:1:0", &hold),
		  0);
	CHECK(hold.holding);
	CHECK_INT(hold.job, INT_MAX);
	CHECK_INT(hold.count, UINT_MAX);
	CHECK_INT(hold.since_ms, 0);
	CHECK_STR(hold.at, "sysv:1:0");
	CHECK_STR(hold.objects, "");

	CHECK_INT(ipckit_hold_parse("holding job=1 count=1 since=9223372036854774.999 at=sysv:1:0 ",
				    &hold),
		  0);
	CHECK_INT(hold.since_ms, 9223372036854774999);
	CHECK_STR(hold.objects, "");
}

static void test_parse_refuses(void)
{
	static const char *const rows[] = {
		"",
		"holding",
		"holding ",
		"held job=1 count=1 since=0.000 at=sysv:1:0 /x",
		" holding job=1 count=1 since=0.000 at=sysv:1:0 /x",
		"holding  job=1 count=1 since=0.000 at=sysv:1:0 /x",
		"holding count=1 job=1 since=0.000 at=sysv:1:0 /x",
		"holding job= count=1 since=0.000 at=sysv:1:0 /x",
		"holding job=0 count=1 since=0.000 at=sysv:1:0 /x",
		"holding job=-1 count=1 since=0.000 at=sysv:1:0 /x",
		"holding job=0x1 count=1 since=0.000 at=sysv:1:0 /x",
		"holding job=2147483648 count=1 since=0.000 at=sysv:1:0 /x",
		"holding job=99999999999999999999 count=1 since=0.000 at=sysv:1:0 /x",
		"holding job=1 count=0 since=0.000 at=sysv:1:0 /x",
		"holding job=1 count=4294967296 since=0.000 at=sysv:1:0 /x",
		"holding job=1 count=1 since=0 at=sysv:1:0 /x",
		"holding job=1 count=1 since=0. at=sysv:1:0 /x",
		"holding job=1 count=1 since=0.00 at=sysv:1:0 /x",
		"holding job=1 count=1 since=0.0000 at=sysv:1:0 /x",
		"holding job=1 count=1 since=-1.000 at=sysv:1:0 /x",
		"holding job=1 count=1 since=.000 at=sysv:1:0 /x",
		"holding job=1 count=1 since=9223372036854775.000 at=sysv:1:0 /x",
		"holding job=1 count=1 since=0.000 /x",
		"holding job=1 count=1 since=0.000 at= /x",
		"holding job=1 count=1 since=0.000 at=sysv /x",
		"holding job=1 count=1 since=0.000 at=sysv: /x",
		"holding job=1 count=1 since=0.000 at=:1 /x",
		"holding job=1 count=1 since=0.000 at=sysv:1: /x",
		"holding job=1 count=1 since=0.000 at=sysv:1:g /x",
		"holding job=1 count=1 since=0.000 at=sysv:1:0, /x",
		"holding job=1 count=1 since=0.000 at=,sysv:1:0 /x",
		"holding job=1 count=1 since=0.000 at=sysv:1:0,,sysv:1:1 /x",
		"holding job=1 count=1 since=0.000 at=sysv:1:0\t/x",
	};
	struct ipckit_hold hold, before;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		memset(&hold, 0x5a, sizeof(hold));
		before = hold;
		CHECK_INT_FOR(rows[i], ipckit_hold_parse(rows[i], &hold), -EBADMSG);
		CHECK_FOR(rows[i], !memcmp(&hold, &before, sizeof(hold)));
	}
}

/* Cut before its identities are whole a record is none. */
static void test_parse_cut(void)
{
	struct ipckit_hold hold = record(), again;
	char text[256];
	int length = ipckit_hold_format(&hold, text, sizeof(text));
	int whole = (int)(strstr(text, ":77") + 3 - text);

	for (int size = length; size > whole; size--) {
		text[size] = '\0';
		if (text[size - 1] != ':')
			CHECK_INT_FOR(text, ipckit_hold_parse(text, &again), 0);
	}
	text[strstr(text, "at=posix:") + 9 - text] = '\0';
	for (int size = (int)strlen(text); size >= 0; size--) {
		text[size] = '\0';
		CHECK_INT_FOR(text, ipckit_hold_parse(text, &again), -EBADMSG);
	}
}

/* As many identities as there is room for, and one more byte. */
static void test_parse_long(void)
{
	static const char head[] = "holding job=1 count=1 since=0.000 at=";
	struct ipckit_hold hold;
	char text[sizeof(hold.at) + 512];
	size_t room = sizeof(hold.at) - 1, start = sizeof(head) - 1;

	memset(text, 'a', sizeof(text));
	memcpy(text, head, start);
	memcpy(text + start, "posix:", 6);
	strcpy(text + start + room, " /x");
	CHECK_INT(ipckit_hold_parse(text, &hold), 0);
	CHECK_INT(strlen(hold.at), room);
	CHECK_STR(hold.objects, "/x");
	text[start + room] = 'a';
	strcpy(text + start + room + 1, " /x");
	CHECK_INT(ipckit_hold_parse(text, &hold), -EBADMSG);
}

static void test_is_at(void)
{
	struct ipckit_hold hold = record();

	strcpy(hold.at, "posix:18:77:0,sysv:7:2,eventfd:9");
	CHECK(ipckit_hold_is_at(&hold, "posix:18:77:0"));
	CHECK(ipckit_hold_is_at(&hold, "sysv:7:2"));
	CHECK(ipckit_hold_is_at(&hold, "eventfd:9"));
	CHECK(!ipckit_hold_is_at(&hold, "posix:18:77"));
	CHECK(!ipckit_hold_is_at(&hold, "posix:18:77:00"));
	CHECK(!ipckit_hold_is_at(&hold, "ix:18:77:0"));
	CHECK(!ipckit_hold_is_at(&hold, "sysv:7:22"));
	CHECK(!ipckit_hold_is_at(&hold, "sysv:7:"));
	CHECK(!ipckit_hold_is_at(&hold, "eventfd:"));
	CHECK(!ipckit_hold_is_at(&hold, "eventfd:99"));
	CHECK(!ipckit_hold_is_at(&hold, "sysv:7:2,eventfd:9"));
	CHECK(!ipckit_hold_is_at(&hold, ""));
	CHECK(!ipckit_hold_is_at(&hold, ","));
	strcpy(hold.at, "");
	CHECK(!ipckit_hold_is_at(&hold, ""));
	CHECK(!ipckit_hold_is_at(&hold, "sysv:7:2"));
}

int main(void)
{
	test_format();
	test_format_cut();
	test_parse();
	test_parse_refuses();
	test_parse_cut();
	test_parse_long();
	test_is_at();
	return unit_done("hold");
}
