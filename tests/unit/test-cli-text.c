/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The pure parts of the runtime: distances, the words of errors, texts and numbers as they are shown. */

#include "../../cmd/cli/internal.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

static void test_distance(void)
{
	static const struct {
		const char *a, *b;
		int distance;
	} pairs[] = {
		{ "", "", 0 }, { "wait", "wait", 0 }, { "wiat", "wait", 1 }, { "wait", "", 4 },
		{ "", "post", 4 }, { "pots", "post", 1 }, { "limit", "limits", 1 },
		{ "kitten", "sitting", 3 }, { "ab", "ba", 1 }, { "abcd", "badc", 2 },
	};
	static const struct {
		const char *typed, *best;
	} near[] = {
		{ "wiat", "wait" }, { "wai", "wait" }, { "wait-zer", "wait-zero" },
		{ "lim", "limits" },
		{ "pst", "post" }, { "bogus", NULL }, { "x", NULL }, { "", NULL }, { "wxyz", NULL },
	};
	static const char *const words[] = { "wait", "wait-zero", "post", "limits" };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		CHECK_INT_FOR(pairs[i].a, cli_distance(pairs[i].a, pairs[i].b), pairs[i].distance);
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
		struct cli_nearest nearest = { .typed = near[i].typed };

		for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
			cli_nearest_offer(&nearest, words[j]);
		CHECK_STR_FOR(near[i].typed, nearest.best, near[i].best);
	}
	/* Longer than what is compared: the rest does not matter, nothing is overrun. */
	char longest[1001];

	memset(longest, 'a', 1000);
	longest[1000] = '\0';
	CHECK_INT(cli_distance(longest, "a"), 62);
	CHECK_INT(cli_distance(longest, longest), 0);
}

static void test_errno(void)
{
	static const struct {
		int error, exit;
		const char *name;
	} known[] = {
		{ EAGAIN, 1, "EAGAIN" }, { EWOULDBLOCK, 1, "EAGAIN" },
		{ ETIMEDOUT, 1, "ETIMEDOUT" },
		{ EBUSY, 1, "EBUSY" }, { EINVAL, 2, "EINVAL" }, { ERANGE, 2, "ERANGE" },
		{ ENOENT, 3, "ENOENT" }, { EEXIST, 4, "EEXIST" }, { EACCES, 5, "EACCES" },
		{ EPERM, 5, "EPERM" }, { EOVERFLOW, 6, "EOVERFLOW" }, { ENOSPC, 6, "ENOSPC" },
		{ EMFILE, 6, "EMFILE" }, { ENFILE, 6, "ENFILE" }, { E2BIG, 6, "E2BIG" },
		{ EDQUOT, 6, "EDQUOT" }, { ENOMEM, 6, "ENOMEM" }, { EIDRM, 7, "EIDRM" },
		{ EOWNERDEAD, 7, "EOWNERDEAD" }, { EBADMSG, 7, "EBADMSG" }, { ELOOP, 7, "ELOOP" },
		{ EFBIG, 7, "EFBIG" }, { EDEADLK, 8, "EDEADLK" }, { EDEADLOCK, 8, "EDEADLK" },
		{ ENOTSUP, 8, "EOPNOTSUPP" }, { EOPNOTSUPP, 8, "EOPNOTSUPP" }, { EIO, 8, "EIO" },
		{ EPIPE, 8, "EPIPE" }, { EINTR, 8, "EINTR" }, { 100000, 8, "UNKNOWN" },
	};
	int seen = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		CHECK_INT_FOR(known[i].name, cli_errno_exit(known[i].error), known[i].exit);
		CHECK_INT_FOR(known[i].name, cli_errno_exit(-known[i].error), known[i].exit);
		CHECK_STR_FOR(known[i].name, cli_errno_name(known[i].error), known[i].name);
		CHECK_STR_FOR(known[i].name, cli_errno_name(-known[i].error), known[i].name);
	}
	for (int error = 1; error < 4096; error++) {
		if (!strerrorname_np(error))
			continue;
		seen++;
		CHECK_FOR(cli_errno_name(error), cli_errno_name(error)[0] == 'E');
		CHECK_FOR(cli_errno_name(error), cli_errno_exit(error) >= CLI_NO);
		CHECK_FOR(cli_errno_name(error), cli_errno_exit(error) <= CLI_SYSTEM);
		CHECK_FOR(cli_errno_name(error), *cli_errno_words(error));
		CHECK_FOR(cli_errno_name(error), strncmp(cli_errno_words(error), "error ", 6));
	}
	CHECK(seen > 130);
	CHECK_STR(cli_errno_words(-ETIMEDOUT), "timed out");
	CHECK_STR(cli_errno_words(EISDIR), "is a directory");
	CHECK_STR(cli_errno_words(EADV), "advertise error");
	CHECK_STR(cli_errno_words(ENOANO), "no anode");
	CHECK_STR(cli_errno_words(ENOTNAM), "not a XENIX named type file");
	CHECK_STR(cli_errno_words(100000), "error 100000");
}

static void test_utf8(void)
{
	static const struct {
		const char *text;
		bool valid;
		const char *repaired;
	} texts[] = {
		{ "", true, "" },
		{ "plain", true, "plain" },
		{ "\xc3\xa9", true, "\xc3\xa9" },
		{ "\xe2\x82\xac", true, "\xe2\x82\xac" },
		{ "\xf0\x9f\x98\x80", true, "\xf0\x9f\x98\x80" },
		{ "\xf4\x8f\xbf\xbf", true, "\xf4\x8f\xbf\xbf" },
		{ "\xff", false, "\xef\xbf\xbd" },
		{ "a\x80z", false, "a\xef\xbf\xbdz" },
		{ "\xc3", false, "\xef\xbf\xbd" },
		{ "\xc3z", false, "\xef\xbf\xbdz" },
		{ "\xc0\x80", false, "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc1\xbf", false, "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xe0\x9f\xbf", false, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\xa0\x80", false, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x8f\xbf\xbf", false, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf4\x90\x80\x80", false, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xe2\x82", false, "\xef\xbf\xbd\xef\xbf\xbd" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *repaired = cli_utf8_repair(texts[i].text);
		json_t *accepted = json_string(texts[i].text);

		CHECK_FOR(texts[i].repaired, cli_utf8_valid(texts[i].text) == texts[i].valid);
		CHECK_FOR(texts[i].repaired, (accepted != NULL) == texts[i].valid);
		CHECK_STR(repaired, texts[i].repaired);
		CHECK_FOR(texts[i].repaired, cli_utf8_valid(repaired));
		json_decref(accepted);
		free(repaired);
	}
}

static void test_safe(void)
{
	char out[200] = "";
	FILE *stream = fmemopen(out, sizeof(out), "w");

	cli_put_safe(stream, "a\nb\tc\r\x1b[31m\x7f\xff\xc3\xa9\xc2\x9bz\\");
	fclose(stream);
	CHECK_STR(out, "a\\nb\\tc\\r\\x1b[31m\\x7f\\xff\xc3\xa9\\xc2\\x9bz\\");
	CHECK_INT(cli_safe_width("a\n\x1b\xff\xc3\xa9z"), 1 + 2 + 4 + 4 + 1 + 1);
	CHECK_INT(cli_safe_width(""), 0);
}

static void test_base64(void)
{
	static const char *const pairs[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfb", "//77" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *encoded = cli_base64(pairs[i][0], strlen(pairs[i][0]));

		CHECK_STR(encoded, pairs[i][1]);
		free(encoded);
	}
}

static void test_human(void)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0" }, { 1023, "1023" }, { 1024, "1K" }, { 1536, "1.5K" }, { 1075, "1K" },
		{ 1076, "1.1K" }, { 10485760, "10M" }, { 1048575, "1M" }, { 1048524, "1023.9K" },
		{ INT64_C(1) << 40, "1T" }, { INT64_MAX, "8E" }, { INT64_MIN, "-8E" },
		{ -2048, "-2K" },
		{ (INT64_C(1) << 60) - 1, "1E" }, { INT64_C(3) << 59, "1.5E" },
	};
	static const struct {
		int64_t time;
		const char *text;
	} ages[] = {
		{ 0, "never" }, { 1000000, "0s ago" }, { 999941, "59s ago" }, { 999940, "1m ago" },
		{ 1000000 - 3600 * 3 - 100, "3h ago" }, { 1000000 - 86400 * 5, "5d ago" },
		{ 1000000 + 300, "in 5m" }, { 1000000 - INT64_C(86400) * 365 * 2, "2y ago" },
		{ INT64_MAX, "in 292471208677y" }, { INT64_MIN, "292471208677y ago" },
	};
	char text[64];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		cli_human_size(sizes[i].bytes, text, sizeof(text));
		CHECK_STR(text, sizes[i].text);
	}
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		cli_human_age(ages[i].time, 1000000, text, sizeof(text));
		CHECK_STR(text, ages[i].text);
	}
}

int main(void)
{
	test_distance();
	test_errno();
	test_utf8();
	test_safe();
	test_base64();
	test_human();
	return unit_done("cli text");
}
