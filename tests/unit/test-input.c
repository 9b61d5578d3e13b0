/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Records of an input: split, as they arrive, within a limit. */

#include "../../cmd/cli/cli.h"
#include "../../cmd/cli/stop.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINES CLI_RECORDS_LINES
#define NUL CLI_RECORDS_NULL
#define WHOLE CLI_RECORDS_WHOLE
#define BYTES(text) text, sizeof(text) - 1

/* What is read becomes standard input. */
static void give_file(const char *data, size_t size)
{
	FILE *file = tmpfile();

	if (!CHECK(file))
		exit(1);
	fwrite(data, 1, size, file);
	rewind(file);
	dup2(fileno(file), 0);
	fclose(file);
}

static void give_pipe(int *end)
{
	int ends[2];

	if (!CHECK(!pipe2(ends, O_CLOEXEC)))
		exit(1);
	dup2(ends[0], 0);
	close(ends[0]);
	*end = ends[1];
}

/* Records as "[a][b]", one beyond the limit as "!N". */
static const char *split(enum cli_records_mode mode, size_t limit)
{
	static char text[1000];
	struct cli_records records;
	FILE *stream = fmemopen(text, sizeof(text), "w");
	const char *data;
	size_t size;
	int r;

	text[0] = '\0';
	if (!CHECK(stream) || !CHECK_INT(cli_records_open("-", mode, limit, &records), 0))
		exit(1);
	while ((r = cli_records_next(&records, &data, &size)) == 1 || r == -EMSGSIZE) {
		if (r == 1)
			fprintf(stream, "[%.*s]", (int)size, data);
		else
			fprintf(stream, "!%d", (int)records.number);
	}
	CHECK_INT(r, 0);
	CHECK_INT(cli_records_next(&records, &data, &size), 0);
	cli_records_close(&records);
	fclose(stream);
	return text;
}

static void test_split(void)
{
	static const struct {
		const char *data;
		size_t size;
		enum cli_records_mode mode;
		size_t limit;
		const char *want;
	} rows[] = {
		{ BYTES(""), LINES, SIZE_MAX, "" },
		{ BYTES("\n"), LINES, SIZE_MAX, "[]" },
		{ BYTES("a"), LINES, SIZE_MAX, "[a]" },
		{ BYTES("a\n"), LINES, SIZE_MAX, "[a]" },
		{ BYTES("a\n\nb"), LINES, SIZE_MAX, "[a][][b]" },
		{ BYTES("a\r\nb\n\n"), LINES, SIZE_MAX, "[a\r][b][]" },
		{ BYTES(""), NUL, SIZE_MAX, "" },
		{ BYTES("a\nb\0\0c\0"), NUL, SIZE_MAX, "[a\nb][][c]" },
		{ BYTES("a\0b"), NUL, SIZE_MAX, "[a][b]" },
		{ BYTES(""), WHOLE, SIZE_MAX, "[]" },
		{ BYTES("a\nb\n"), WHOLE, SIZE_MAX, "[a\nb\n]" },
		{ BYTES("abc\nabcd\nab\n"), LINES, 3, "[abc]!2[ab]" },
		{ BYTES("abcd"), LINES, 3, "!1" },
		{ BYTES("abcd\n"), LINES, 3, "!1" },
		{ BYTES("abc"), LINES, 3, "[abc]" },
		{ BYTES("\na\n\n"), LINES, 0, "[]!2[]" },
		{ BYTES("abcd\0a\0"), NUL, 3, "!1[a]" },
		{ BYTES("abcd"), WHOLE, 4, "[abcd]" },
		{ BYTES("abcd\n"), WHOLE, 4, "!1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int end;

		give_file(rows[i].data, rows[i].size);
		CHECK_STR_FOR(rows[i].data, split(rows[i].mode, rows[i].limit), rows[i].want);
		give_pipe(&end);
		CHECK(write(end, rows[i].data, rows[i].size) == (ssize_t)rows[i].size);
		close(end);
		CHECK_STR_FOR(rows[i].data, split(rows[i].mode, rows[i].limit), rows[i].want);
	}
}

/* ---- any bytes, any lengths ---- */

#define MANY 3000

static size_t length_of(size_t i)
{
	return i % 1000 == 999 ? 200000 : i * 37 % 517;
}

static void check_many(char *bytes, enum cli_records_mode mode, size_t limit)
{
	struct cli_records records;
	const char *data;
	size_t size;

	if (!CHECK_INT(cli_records_open(NULL, mode, limit, &records), 0))
		return;
	CHECK_STR(records.name, "standard input");
	for (size_t i = 0; i < MANY; i++) {
		size_t length = length_of(i);
		int r = cli_records_next(&records, &data, &size);

		memset(bytes, (int)(i % 255) + 1, length);
		for (size_t j = 0; j < length; j++)
			if (bytes[j] == '\n')
				bytes[j] = '\0';
		if (!CHECK_INT(r, length > limit ? -EMSGSIZE : 1) ||
		    (r == 1 && !CHECK(size == length && !memcmp(data, bytes, length))) ||
		    !CHECK_INT(records.number, i + 1))
			break;
	}
	CHECK_INT(cli_records_next(&records, &data, &size), 0);
	cli_records_close(&records);
}

static void write_many(FILE *stream)
{
	for (size_t i = 0; i < MANY; i++) {
		int c = (int)(i % 255) + 1;

		for (size_t j = 0; j < length_of(i); j++)
			putc(c == '\n' ? '\0' : c, stream);
		putc('\n', stream);
	}
}

static void test_many(void)
{
	char *bytes = malloc(200000);
	int status;

	for (int k = 0; k < 2 && CHECK(bytes); k++) {
		int end;
		pid_t pid;

		give_pipe(&end);
		pid = fork();
		if (!pid) {
			FILE *stream = fdopen(end, "w");

			close(0);
			write_many(stream);
			_exit(fclose(stream) != 0);
		}
		close(end);
		check_many(bytes, LINES, k ? 1000 : SIZE_MAX);
		CHECK(waitpid(pid, &status, 0) == pid && !status);
	}
	free(bytes);
}

/* ---- as they arrive ---- */

static void test_arrival(void)
{
	struct cli_records records;
	const char *data;
	size_t size;
	int end;

	give_pipe(&end);
	fcntl(0, F_SETFL, O_NONBLOCK);
	if (!CHECK_INT(cli_records_open("-", LINES, SIZE_MAX, &records), 0))
		return;
	CHECK(write(end, "a\nb\nc", 5) == 5);
	CHECK(cli_records_next(&records, &data, &size) == 1 && size == 1 && *data == 'a');
	CHECK(cli_records_next(&records, &data, &size) == 1 && size == 1 && *data == 'b');
	CHECK(write(end, "d\n", 2) == 2);
	CHECK(cli_records_next(&records, &data, &size) == 1 && size == 2 && !memcmp(data, "cd", 2));
	/* It does not block, and is waited for. */
	if (!fork()) {
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
		_exit(write(end, "e\n", 2) != 2);
	}
	CHECK(cli_records_next(&records, &data, &size) == 1 && size == 1 && *data == 'e');
	wait(NULL);
	close(end);
	CHECK_INT(cli_records_next(&records, &data, &size), 0);
	cli_records_close(&records);
	CHECK(fcntl(0, F_GETFD) >= 0);
}

/* ---- files ---- */

static void test_open(void)
{
	char directory[] = "/tmp/ipckit-input.XXXXXX", path[100];
	struct cli_records records = { .number = 77 };
	const char *data;
	size_t size;

	if (!CHECK(mkdtemp(directory)))
		return;
	snprintf(path, sizeof(path), "%s/f", directory);
	CHECK_INT(cli_records_open(path, LINES, SIZE_MAX, &records), -ENOENT);
	CHECK_INT(records.number, 77);
	CHECK_INT(mkfifo(path, 0600), 0);
	if (!fork()) {
		int fd = open(path, O_WRONLY);

		_exit(write(fd, "through a FIFO\n", 15) != 15);
	}
	if (CHECK_INT(cli_records_open(path, LINES, SIZE_MAX, &records), 0)) {
		CHECK_STR(records.name, path);
		CHECK(cli_records_next(&records, &data, &size) == 1 && size == 14 &&
		      !memcmp(data, "through a FIFO", 14));
		CHECK_INT(cli_records_next(&records, &data, &size), 0);
		cli_records_close(&records);
	}
	wait(NULL);
	if (CHECK_INT(cli_records_open(directory, LINES, SIZE_MAX, &records), 0)) {
		CHECK_INT(cli_records_next(&records, &data, &size), -EISDIR);
		cli_records_close(&records);
	}
	unlink(path);
	rmdir(directory);
	cli_records_close(&(struct cli_records){ 0 });
}

/* ---- signals ---- */

/* A deadline's timer interrupts all the time, which ends nothing; a signal does. */
static void read_interrupted(int end)
{
	struct ipckit_deadline deadline;
	struct cli_records records;
	const char *data;
	size_t size;
	pid_t pid;

	CHECK_INT(cli_deadline(1000000, &deadline), 0);
	CHECK_INT(cli_records_open("-", LINES, SIZE_MAX, &records), 0);
	pid = fork();
	if (!pid) {
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
		(void)!write(end, "late\n", 5);
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
		kill(getppid(), SIGTERM);
		_exit(0);
	}
	CHECK(cli_records_next(&records, &data, &size) == 1 && size == 4);
	CHECK(!cli_stopped());
	CHECK_INT(cli_records_next(&records, &data, &size), -EINTR);
	CHECK(cli_stopped());
	cli_records_close(&records);
	waitpid(pid, NULL, 0);
	cli_stop_die();
}

static void test_signals(void)
{
	int end, status;
	pid_t pid;

	fflush(stdout);
	give_pipe(&end);
	pid = fork();
	if (!pid) {
		read_interrupted(end);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	close(end);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

/* ---- speed ---- */

#define FAST 1000000

static void test_speed(void)
{
	FILE *file = tmpfile();
	struct cli_records records;
	struct timespec from, to;
	const char *data;
	size_t size, count = 0, bytes = 0;
	double seconds;

	if (!CHECK(file))
		return;
	for (int i = 0; i < FAST; i++)
		fprintf(file, "%032d\n", i);
	rewind(file);
	dup2(fileno(file), 0);
	fclose(file);
	if (!CHECK_INT(cli_records_open("-", LINES, SIZE_MAX, &records), 0))
		return;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	while (cli_records_next(&records, &data, &size) == 1) {
		count++;
		bytes += size;
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	cli_records_close(&records);
	seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	printf("# %d lines of 32 bytes: %.3f s\n", FAST, seconds);
	CHECK_INT(count, FAST);
	CHECK_INT(bytes, FAST * 32);
	CHECK(UNIT_SANITIZED || seconds < 0.5);
}

int main(void)
{
	test_split();
	test_many();
	test_arrival();
	test_open();
	test_signals();
	test_speed();
	return unit_done("input");
}
