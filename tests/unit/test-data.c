/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Payloads as fields, and streams: each line and each run of bytes is written, or taken back. */

#include "../../cmd/cli/internal.h"
#include "../../cmd/cli/stop.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- a tool ---- */

struct row {
	int64_t rank;
	const void *data;
	size_t size;
	const char *name;
};

static const struct cli_field fields[] = {
	{ .name = "rank", .type = CLI_INTEGER, .offset = offsetof(struct row, rank) },
	{ .name = "data", .type = CLI_DATA, .offset = offsetof(struct row, data),
	  .count_offset = offsetof(struct row, size) },
	{ .name = "name", .type = CLI_STRING, .offset = offsetof(struct row, name) },
	{ .name = NULL },
};

static const struct cli_table table = { .fields = fields, .size = sizeof(struct row), .key = "rows" };

#define ROW(rank, bytes) { rank, bytes, sizeof(bytes) - 1, "n" }

/* The last byte of some is the beginning of a character: nothing is to be read behind it. */
static const struct row rows[] = {
	ROW(0, "hi"),
	ROW(1, "a\tb\\c\nd\re"),
	ROW(2, "a\0b"),
	ROW(3, "caf\xc3\xa9\x1b[m\xc2\x9b"),
	ROW(4, "x\xff\xe2\x82"),
	{ 5, NULL, 0, "n" },
	ROW(6, ""),
	ROW(7, "-"),
	ROW(8, "\0"),
	ROW(9, "0123456\xf0"),
	ROW(10, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
};
#define NROWS (sizeof(rows) / sizeof(*rows))

/* Each row's bytes at the end of memory of their own, for a sanitizer to watch over. */
static struct row tight(size_t i)
{
	static char *kept[NROWS];
	struct row row = rows[i];

	if (!row.data || !row.size)
		return row;
	kept[i] = malloc(row.size);
	if (!kept[i])
		exit(1);
	row.data = memcpy(kept[i], row.data, row.size);
	return row;
}

static int run_record(struct cli *cli)
{
	struct row row = tight((size_t)atoi(cli->operands[0]));

	return cli_emit_record(cli, &table, &row);
}

static int run_line(struct cli *cli)
{
	struct row row = tight((size_t)atoi(cli->operands[0]));

	return cli_emit_line(cli, &table, &row);
}

static int run_list(struct cli *cli)
{
	struct row list[NROWS];
	struct cli_filter filter;
	int status = cli_filter_read(cli, &filter);

	for (size_t i = 0; i < NROWS; i++)
		list[i] = tight(i);
	if (!status)
		status = cli_filter_sort(cli, &filter, &table, list, NROWS);
	return status ?: cli_emit_list(cli, &table, list, NROWS);
}

/* What a stream did, where its parent sees it. */
static struct log {
	int emitted, failed; /* calls that succeeded, and that did not */
	int ended;           /* calls of end() */
	bool written;        /* what it was told */
	int emitted_then;
} *seen;

static int end_stream(void *arg, bool written)
{
	struct log *log = arg;

	log->ended++;
	log->written = written;
	log->emitted_then = log->emitted;
	return 0;
}

static int emit_one(struct cli *cli, bool raw, int i)
{
	static char bytes[4000];
	struct row row = { i, bytes, sizeof(bytes), "n" };

	memset(bytes, 'a' + i % 26, sizeof(bytes));
	return raw ? cli_emit_bytes(cli, bytes, sizeof(bytes)) : cli_emit_line(cli, &table, &row);
}

/* stream COUNT [raw] [deadline] [fail] [again]: what is there of them, in any order. */
static bool is_asked(const struct cli *cli, const char *word)
{
	for (int i = 1; i < cli->noperands; i++)
		if (!strcmp(cli->operands[i], word))
			return true;
	return false;
}

static int run_stream(struct cli *cli)
{
	bool raw = is_asked(cli, "raw");
	int count = atoi(cli->operands[0]), status = 0;
	struct ipckit_deadline deadline;

	if (raw)
		cli_raw(cli);
	if (is_asked(cli, "deadline") && cli_deadline(1000000, &deadline))
		return 99;
	cli_undo_with(cli, end_stream, seen);
	if (is_asked(cli, "again"))
		cli_undo_with(cli, end_stream, seen);
	for (int i = 0; i < count && !status; i++) {
		status = emit_one(cli, raw, i);
		if (status)
			seen->failed++;
		else
			seen->emitted++;
	}
	return !status && is_asked(cli, "fail") ? cli_fail(cli, "it", EIDRM, NULL) : status;
}

static const struct poptOption list_options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_filter_options, 0, NULL, NULL },
	POPT_TABLEEND,
};

#define VERB(verb_name, ...)                                                                 \
	&(const struct cli_verb){ .name = verb_name, .operands = "", .summary = "Does it.", .most = -1, \
				  .flags = CLI_ANSWERS, .table = &table, __VA_ARGS__ }

static const struct cli_verb *const verbs[] = {
	VERB("record", .run = run_record),
	VERB("line", .run = run_line),
	VERB("list", .options = list_options, .run = run_list),
	VERB("stream", .run = run_stream),
	NULL,
};

static const struct cli_tool tool = { .name = "tool", .summary = "Tries things.", .verbs = verbs };

/* ---- a run of it ---- */

static struct run {
	int status; /* negative: of a signal */
	char out[500000], err[2000];
	size_t size;
} run;

static pid_t start(int out, int err, const char *line)
{
	char words[200], *argv[20] = { "tool" }, *rest = words;
	int argc = 1;
	pid_t pid;

	memset(seen, 0, sizeof(*seen));
	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	snprintf(words, sizeof(words), "%s", line);
	while (rest)
		argv[argc++] = strsep(&rest, " ");
	dup2(out, 1);
	dup2(err, 2);
	exit(cli_main(&tool, argc, argv));
}

static void finish(pid_t pid)
{
	int status;

	if (!CHECK(waitpid(pid, &status, 0) == pid))
		exit(1);
	run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static size_t read_file(FILE *file, char *buffer, size_t size)
{
	size_t n;

	rewind(file);
	n = fread(buffer, 1, size - 1, file);
	buffer[n] = '\0';
	fclose(file);
	return n;
}

static void try_on(int out, const char *line)
{
	FILE *err = tmpfile();

	finish(start(out, fileno(err), line));
	read_file(err, run.err, sizeof(run.err));
}

static void try(const char *line)
{
	FILE *out = tmpfile();

	try_on(fileno(out), line);
	run.size = read_file(out, run.out, sizeof(run.out));
}

/* ---- fields ---- */

static void test_records(void)
{
	static const struct {
		const char *line, *out;
	} tries[] = {
		{ "record 0", "{\"rank\":0,\"data\":\"hi\",\"name\":\"n\"}\n" },
		{ "record 1", "{\"rank\":1,\"data\":\"a\\tb\\\\c\\nd\\re\",\"name\":\"n\"}\n" },
		{ "record 2", "{\"rank\":2,\"data_base64\":\"YQBi\",\"name\":\"n\"}\n" },
		{ "record 3", "{\"rank\":3,\"data\":\"caf\xc3\xa9\\u001B[m\xc2\x9b\",\"name\":\"n\"}\n" },
		{ "record 4", "{\"rank\":4,\"data_base64\":\"eP/igg==\",\"name\":\"n\"}\n" },
		{ "record 5", "{\"rank\":5,\"data\":null,\"name\":\"n\"}\n" },
		{ "record 6", "{\"rank\":6,\"data\":\"\",\"name\":\"n\"}\n" },
		{ "record 8", "{\"rank\":8,\"data_base64\":\"AA==\",\"name\":\"n\"}\n" },
		{ "record 9", "{\"rank\":9,\"data_base64\":\"MDEyMzQ1NvA=\",\"name\":\"n\"}\n" },
		{ "record 10", "{\"rank\":10,\"data\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\",\"name\":\"n\"}\n" },
		{ "record 2 -o data", "{\"data_base64\":\"YQBi\"}\n" },
		{ "line 2", "{\"rank\":2,\"data_base64\":\"YQBi\",\"name\":\"n\"}\n" },
		{ "record 0 --plain", "0\thi\tn\n" },
		{ "record 1 --plain", "1\ta\\tb\\\\c\\nd\\re\tn\n" },
		{ "record 2 --plain", "2\ta\\x00b\tn\n" },
		{ "record 3 --plain", "3\tcaf\xc3\xa9\x1b[m\xc2\x9b\tn\n" },
		{ "record 4 --plain", "4\tx\\xff\\xe2\\x82\tn\n" },
		{ "record 5 --plain", "5\t-\tn\n" },
		{ "record 6 --plain", "6\t\tn\n" },
		{ "record 7 --plain", "7\t\\-\tn\n" },
		{ "record 9 --plain", "9\t0123456\\xf0\tn\n" },
		{ "line 10 --plain", "10\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\tn\n" },
		{ "record 1 --table", "rank  1\ndata  a\\tb\\c\\nd\\re\nname  n\n" },
		{ "record 2 --table", "rank  2\ndata  a\\x00b\nname  n\n" },
		{ "record 3 --table", "rank  3\ndata  caf\xc3\xa9\\x1b[m\\xc2\\x9b\nname  n\n" },
		{ "record 4 --table", "rank  4\ndata  x\\xff\\xe2\\x82\nname  n\n" },
		{ "record 5 --table", "rank  5\ndata  -\nname  n\n" },
		{ "line 2 --table", "RANK\tDATA\tNAME\n2\ta\\x00b\tn\n" },
		{ "list -o rank --plain --sort data", "6\n7\n8\n0\n2\n4\n9\n1\n10\n3\n5\n" },
	};

	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		try(tries[i].line);
		CHECK_INT_FOR(tries[i].line, run.status, 0);
		CHECK_STR_FOR(tries[i].line, run.out, tries[i].out);
		CHECK_STR_FOR(tries[i].line, run.err, "");
	}
	try("list --table");
	CHECK_INT(run.status, 0);
	CHECK(strstr(run.out, "caf\xc3\xa9\\x1b[m\\xc2\\x9b") && strstr(run.out, "a\\x00b"));
	try("list");
	CHECK(strstr(run.out, "{\"rank\":4,\"data_base64\":\"eP/igg==\",\"name\":\"n\"},{\"rank\":5,\"data\":null,"));
}

/* ---- streams ---- */

/* Whether the output is that of COUNT lines or runs of bytes. */
static bool is_whole(const char *out, size_t size, int count, bool raw)
{
	size_t each = 4000, at = 0;

	for (int i = 0; i < count; i++) {
		char before[60];
		int n = raw ? 0 : snprintf(before, sizeof(before), "{\"rank\":%d,\"data\":\"", i);

		if (at + (size_t)n + each > size || (n && memcmp(out + at, before, (size_t)n)))
			return false;
		at += (size_t)n;
		for (size_t j = 0; j < each; j++)
			if (out[at + j] != 'a' + i % 26)
				return false;
		at += each;
		if (raw)
			continue;
		if (at + 13 > size || memcmp(out + at, "\",\"name\":\"n\"}\n", 14))
			return false;
		at += 14;
	}
	return at == size;
}

static void check_end(const char *line, int emitted, int failed, bool written)
{
	CHECK_INT_FOR(line, seen->emitted, emitted);
	CHECK_INT_FOR(line, seen->failed, failed);
	CHECK_INT_FOR(line, seen->ended, 1);
	CHECK_INT_FOR(line, seen->written, written);
	CHECK_INT_FOR(line, seen->emitted_then, emitted);
}

static void test_streams(void)
{
	for (int raw = 0; raw < 2; raw++) {
		const char *line = raw ? "stream 20 raw again" : "stream 20 again";

		try(line);
		CHECK_INT(run.status, 0);
		CHECK(is_whole(run.out, run.size, 20, raw));
		check_end(line, 20, 0, true);
	}
	try("stream 3 raw fail");
	CHECK_INT(run.status, 7);
	CHECK(is_whole(run.out, run.size, 3, true));
	CHECK_STR(run.err, "tool stream: it: removed while it was used\n");
	check_end("stream 3 raw fail", 3, 0, false);
	try("stream 0 raw fail");
	CHECK_INT(run.status, 7);
	CHECK_INT(run.size, 0);
	try("stream 0 fail");
	CHECK(strstr(run.out, "\"EIDRM\""));
	try("stream 3 raw -q");
	CHECK_INT(run.status, 0);
	CHECK_INT(run.size, 0);
	check_end("stream 3 raw -q", 3, 0, true);
}

static void test_refused(void)
{
	static const char *const lines[] = { "stream 5", "stream 5 raw", "stream 5 raw deadline",
					     "stream 5 --plain deadline" };
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), ends[2];

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		try_on(full, lines[i]);
		CHECK_INT_FOR(lines[i], run.status, 8);
		CHECK_STR_FOR(lines[i], run.err, "tool stream: standard output: no space left\n");
		check_end(lines[i], 0, 1, false);
		if (!CHECK(!pipe2(ends, O_CLOEXEC)))
			continue;
		close(ends[0]);
		try_on(ends[1], lines[i]);
		CHECK_INT_FOR(lines[i], run.status, -SIGPIPE);
		CHECK_STR_FOR(lines[i], run.err, "");
		check_end(lines[i], 0, 0, false);
		signal(SIGPIPE, SIG_IGN);
		try_on(ends[1], lines[i]);
		signal(SIGPIPE, SIG_DFL);
		CHECK_INT_FOR(lines[i], run.status, 8);
		CHECK_STR_FOR(lines[i], run.err, "tool stream: standard output: broken pipe\n");
		check_end(lines[i], 0, 1, false);
		close(ends[1]);
	}
	close(full);
}

/* ---- a full pipe ---- */

static pid_t start_on_pipe(const char *line, int flags, int *end)
{
	FILE *err = tmpfile();
	int ends[2];
	pid_t pid;

	if (!CHECK(!pipe2(ends, O_CLOEXEC)) || !CHECK(fcntl(ends[1], F_SETPIPE_SZ, 4096) == 4096))
		exit(1);
	fcntl(ends[1], F_SETFL, flags);
	pid = start(ends[1], fileno(err), line);
	close(ends[1]);
	fclose(err);
	*end = ends[0];
	return pid;
}

static void drain(int end)
{
	ssize_t n;

	for (run.size = 0; (n = read(end, run.out + run.size, sizeof(run.out) - run.size)) > 0;)
		run.size += (size_t)n;
	close(end);
}

static void pause_for(long ns)
{
	nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

/* Waits until the pipe is full, and a bit, so that its writer sleeps and is interrupted. */
static void await_full(int end)
{
	struct pollfd fd = { .fd = end, .events = POLLIN };

	CHECK_INT(poll(&fd, 1, 10000), 1);
	pause_for(30000000);
}

static void test_waits(void)
{
	static const char *const lines[] = { "stream 50", "stream 50 raw", "stream 50 deadline",
					     "stream 50 raw deadline" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
			int end;
			pid_t pid = start_on_pipe(lines[i], flags, &end);

			await_full(end);
			drain(end);
			finish(pid);
			CHECK_INT_FOR(lines[i], run.status, 0);
			CHECK_FOR(lines[i], is_whole(run.out, run.size, 50, strstr(lines[i], "raw")));
			check_end(lines[i], 50, 0, true);
		}
	}
}

static void test_stops(void)
{
	static const char *const lines[] = { "stream 50 deadline", "stream 50 raw deadline" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
			int end;
			pid_t pid = start_on_pipe(lines[i], flags, &end);

			await_full(end);
			kill(pid, SIGTERM);
			finish(pid);
			close(end);
			CHECK_INT_FOR(lines[i], run.status, -SIGTERM);
			CHECK_FOR(lines[i], seen->emitted < 3);
			check_end(lines[i], seen->emitted, 0, false);
		}
	}
}

/* What a run without a stream prints at its end is written likewise. */
static void test_end_interrupted(void)
{
	int end;
	pid_t pid = start_on_pipe("stream 0 deadline fail", 0, &end);

	drain(end);
	finish(pid);
	CHECK_INT(run.status, 7);
	CHECK(memmem(run.out, run.size, "EIDRM", 5));
	check_end("stream 0 deadline fail", 0, 0, false);
}

int main(void)
{
	unsetenv("IPCKIT_FORMAT");
	unsetenv("POSIXLY_CORRECT");
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!CHECK(seen != MAP_FAILED))
		return unit_done("data");
	test_records();
	test_streams();
	test_refused();
	test_waits();
	test_stops();
	test_end_interrupted();
	return unit_done("data");
}
