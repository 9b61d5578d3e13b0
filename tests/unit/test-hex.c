/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Bytes in hex as hexdump -C has them, and the line that tells how far a transfer is. */

#include "unit.h"

#include "../../cmd/cli/internal.h"
#include "../../cmd/shmtool/hex.c"

#include <stdlib.h>

#define MOST 8192

/* ---- hex ---- */

/* All of some bytes, in calls of at most step bytes. */
static const char *dump(uint64_t offset, const void *data, size_t size, size_t step)
{
	static char text[HEX_ROOM(MOST) + HEX_LINE];
	struct hex hex = { .offset = offset };
	const unsigned char *next = data;
	size_t length = 0;

	while (size) {
		size_t n = size < step ? size : step;

		length += hex_put(&hex, next, n, text + length);
		next += n;
		size -= n;
	}
	length += hex_end(&hex, text + length);
	text[length] = '\0';
	return text;
}

static void test_rows(void)
{
	CHECK_STR(dump(0, "", 0, 16), "");
	CHECK_STR(dump(5, "", 0, 16), "00000005\n");
	CHECK_STR(dump(0, "A", 1, 16),
		  "00000000  41                                                |A|\n"
		  "00000001\n");
	CHECK_STR(dump(0, "12345678", 8, 16),
		  "00000000  31 32 33 34 35 36 37 38                           |12345678|\n"
		  "00000008\n");
	CHECK_STR(dump(3, "123456789", 9, 16),
		  "00000003  31 32 33 34 35 36 37 38  39                       |123456789|\n"
		  "0000000c\n");
	CHECK_STR(dump(16, "\x1f !~\x7f\x80\xff|\t\n\r\\\"'%\0", 16, 16),
		  "00000010  1f 20 21 7e 7f 80 ff 7c  09 0a 0d 5c 22 27 25 00  |. !~...|...\\\"'%.|\n"
		  "00000020\n");
}

static void test_offsets(void)
{
	CHECK_STR(dump(0xfffffff0, "0123456789abcdefg", 17, 16),
		  "fffffff0  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
		  "100000000  67                                                |g|\n"
		  "100000001\n");
	CHECK_STR(dump(UINT64_MAX - 1, "x", 1, 16),
		  "fffffffffffffffe  78                                                |x|\n"
		  "ffffffffffffffff\n");
}

static void test_folds(void)
{
	static const char zeros[49];

	CHECK_STR(dump(0, zeros, 32, 16),
		  "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
		  "*\n"
		  "00000020\n");
	/* A last line that is shorter is no repetition. */
	CHECK_STR(dump(0, zeros, 49, 16),
		  "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
		  "*\n"
		  "00000030  00                                                |.|\n"
		  "00000031\n");
	CHECK_STR(dump(0, "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbaaaaaaaaaaaaaaaa", 48, 16),
		  "00000000  61 61 61 61 61 61 61 61  61 61 61 61 61 61 61 61  |aaaaaaaaaaaaaaaa|\n"
		  "00000010  62 62 62 62 62 62 62 62  62 62 62 62 62 62 62 62  |bbbbbbbbbbbbbbbb|\n"
		  "00000020  61 61 61 61 61 61 61 61  61 61 61 61 61 61 61 61  |aaaaaaaaaaaaaaaa|\n"
		  "00000030\n");
}

/* Bytes come back from what is printed, folds included. Returns how many there are. */
static size_t undump(const char *text, unsigned char *data)
{
	size_t n = 0, last = 0;

	for (; *text; text = strchr(text, '\n') + 1) {
		char *end;
		size_t at;

		if (*text == '*') {
			last = n - HEX_ROW;
			continue;
		}
		at = strtoul(text, &end, 16);
		for (; n < at; n++)
			data[n] = data[last + n % HEX_ROW];
		while (end[strspn(end, " ")] != '|' && *end != '\n')
			data[n++] = (unsigned char)strtoul(end, &end, 16);
	}
	return n;
}

/* Runs of every length around what is compared at once, whatever the calls are cut into. */
static void test_runs(void)
{
	static unsigned char data[MOST], back[MOST];
	static const size_t steps[] = { 16, 48, 4096, MOST };
	char *whole;

	for (size_t run = 0; run <= 4160; run += run < 64 || run > 4060 ? 1 : 199) {
		size_t size = 40 + run;

		memset(data, 7, sizeof(data));
		memset(data, 1, 20);
		data[20 + run] = 9;
		whole = strdup(dump(0, data, size, MOST));
		if (!whole)
			return;
		CHECK_INT(undump(whole, back), size);
		CHECK(!memcmp(data, back, size));
		for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
			CHECK_STR(dump(0, data, size, steps[i]), whole);
		free(whole);
	}
}

/* ---- progress ---- */

static const char *progress(int64_t total, uint64_t done, double rate)
{
	static char text[CLI_PROGRESS_TEXT];
	const struct cli_progress progress = {
		.total = total < 0 ? ipckit_unknown() : ipckit_known(total), .done = done, .rate = rate,
	};

	cli_progress_text(&progress, text);
	return text;
}

static void test_progress(void)
{
	CHECK_STR(progress(-1, 1536, 1024), "1.5K  1K/s");
	CHECK_STR(progress(0, 5, 5), "5  5/s");
	CHECK_STR(progress(4096, 1024, 1024), "1K of 4K  25%  1K/s  0:04 left");
	CHECK_STR(progress(4096, 4096, 1024), "4K of 4K  100%  1K/s  0:01 left");
	/* What grows while it is copied. */
	CHECK_STR(progress(4096, 5120, 1024), "5K  1K/s");
	CHECK_STR(progress(INT64_C(8) << 40, 0, 1 << 30), "0 of 8T  0%  1G/s  2:16:33 left");
	/* What stands still, for a while or for ever. */
	CHECK_STR(progress(4096, 1024, 0), "1K of 4K  25%  0/s  -:-- left");
	CHECK_STR(progress(INT64_MAX, 1, 1e-9), "1 of 8E  0%  0/s  -:-- left");
	CHECK(strlen(progress(INT64_MAX, INT64_MAX - 1, 1e18)) < CLI_PROGRESS_TEXT);
}

/* Where stderr is no terminal nothing is drawn, and no clock is read. */
static void test_quiet(void)
{
	struct cli cli = { .quiet = true };
	struct cli_progress progress;

	cli_progress_begin(&cli, ipckit_known(10), &progress);
	cli_progress_step(&progress, 10);
	CHECK(!progress.on);
	CHECK_INT(progress.width, 0);
	cli_progress_end(&progress);
}

int main(void)
{
	test_rows();
	test_offsets();
	test_folds();
	test_runs();
	test_progress();
	test_quiet();
	return unit_done("hex, progress");
}
