/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fan-in: records whole and in the order of their source, however they come; the longest, the last, those that are cut
 * off; messages; sources and sinks that fail.
 */

#include "fans.h"

#include <sys/stat.h>

static const struct ipckit_fan_spec lines = { .separator = '\n', .longest = 1 << 20 };

/* ---- lines by several writers ---- */

struct job {
	unsigned number;  /* of the writer */
	unsigned records;
	unsigned longest; /* bytes of a record, at most */
	unsigned most;    /* bytes of a write, at most */
	char separator;
	bool open_end;    /* the last one has no separator */
};

static size_t make_line(const struct job *job, unsigned i, char *line)
{
	size_t n = (size_t)sprintf(line, "%u %u ", job->number, i);
	unsigned more = below(job->longest);

	while (n < more)
		line[n++] = (char)('a' + i % 26);
	line[n++] = job->separator;
	return n;
}

static int write_lines(int fd, void *arg)
{
	const struct job *job = arg;
	char *data = malloc((size_t)job->records * (job->longest + 32));
	size_t size = 0, n;

	for (unsigned i = 0; i < job->records; i++)
		size += make_line(job, i, data + size);
	size -= job->open_end;
	for (size_t at = 0; at < size; at += n) {
		n = 1 + below(job->most);
		if (n > size - at)
			n = size - at;
		if (!write_all(fd, data + at, n))
			return errno;
	}
	free(data);
	return 0;
}

/* Whether it is what one writer has written as its next one. */
static bool check_line(const char *line, size_t size, unsigned next[MOST_FANS])
{
	unsigned number, i;
	int at;

	if (sscanf(line, "%u %u %n", &number, &i, &at) != 2 || number >= MOST_FANS || i != next[number]++)
		return false;
	for (size_t n = (size_t)at; n < size; n++)
		if (line[n] != (char)('a' + i % 26))
			return false;
	return true;
}

static void check_lines(const char *row, int fd, size_t writers, const struct job *jobs)
{
	FILE *stream = fdopen(fd, "r");
	unsigned next[MOST_FANS] = { 0 };
	char *line = NULL;
	size_t room = 0;
	bool good = true;
	ssize_t n;

	rewind(stream);
	while ((n = getdelim(&line, &room, jobs[0].separator, stream)) > 0) {
		good = good && line[n - 1] == jobs[0].separator;
		line[n - 1] = 0;
		good = good && check_line(line, (size_t)n - 1, next);
	}
	CHECK_FOR(row, good);
	for (size_t i = 0; i < writers; i++)
		CHECK_INT_FOR(row, next[i], jobs[i].records);
	free(line);
	fclose(stream);
}

static const struct {
	const char *row;
	size_t writers;
	enum kind kind;
	struct job job;
} mixes[] = {
	{ "one", 1, PIPE, { .records = 20000, .longest = 100, .most = 100000, .separator = '\n' } },
	{ "three", 3, PIPE, { .records = 2000, .longest = 100, .most = 200, .separator = '\n' } },
	{ "sockets", 4, SOCKET, { .records = 2000, .longest = 300, .most = 5000, .separator = '\n', .open_end = true } },
	{ "NUL", 3, PIPE, { .records = 5000, .longest = 200, .most = 5000, .open_end = true } },
	{ "long ones", 3, PIPE, { .records = 10, .longest = 600000, .most = 100000, .separator = '\n' } },
	{ "bytes", 2, PIPE, { .records = 200, .longest = 100, .most = 1, .separator = '\n' } },
};

static void test_lines(void)
{
	for (size_t i = 0; i < sizeof(mixes) / sizeof(*mixes); i++) {
		struct channel from[MOST_FANS], to = make_channel(REGULAR);
		struct ipckit_fan_spec spec = { .separator = mixes[i].job.separator, .longest = 700000 };
		struct ipckit_fan_state states[MOST_FANS];
		struct job jobs[MOST_FANS];
		pid_t writers[MOST_FANS];
		int ins[MOST_FANS];
		uint64_t bytes = 0;

		for (size_t k = 0; k < mixes[i].writers; k++) {
			jobs[k] = mixes[i].job;
			jobs[k].number = (unsigned)k;
			from[k] = make_channel(mixes[i].kind);
			ins[k] = from[k].in;
			writers[k] = spawn(write_lines, from[k].out, &jobs[k]);
			close(from[k].out);
		}
		CHECK_INT_FOR(mixes[i].row, ipckit_fan_in(&forever, &spec, ins, mixes[i].writers, to.out, states), 0);
		for (size_t k = 0; k < mixes[i].writers; k++) {
			CHECK_INT_FOR(mixes[i].row, await(writers[k]), 0);
			CHECK_INT_FOR(mixes[i].row, states[k].records, mixes[i].job.records);
			CHECK_FOR(mixes[i].row, states[k].ended && !states[k].error && !states[k].dropped);
			bytes += states[k].bytes;
			close(ins[k]);
		}
		CHECK_INT_FOR(mixes[i].row, lseek(to.in, 0, SEEK_END), bytes);
		check_lines(mixes[i].row, to.in, mixes[i].writers, jobs);
		close(to.out);
	}
}

/* ---- records by hand ---- */

struct text {
	const char *data;
	size_t size;
};
#define TEXT(s) { s, sizeof(s) - 1 }

/* One source with that, and an empty one; what the sink got is compared. */
static void check_record(const char *row, const struct ipckit_fan_spec *spec, struct text in, struct text out,
			 uint64_t records, int error)
{
	struct channel from[2] = { make_channel(PIPE), make_channel(PIPE) }, to = make_channel(PIPE);
	const int ins[] = { from[0].in, from[1].in };
	struct ipckit_fan_state states[2];
	char got[256];
	size_t n;

	(void)!write(from[0].out, in.data, in.size);
	close(from[0].out);
	close(from[1].out);
	from[0].out = from[1].out = -1;
	CHECK_INT_FOR(row, ipckit_fan_in(&forever, spec, ins, 2, to.out, states), 0);
	close(to.out);
	to.out = -1;
	n = read_all(to.in, got, sizeof(got));
	CHECK_FOR(row, n == out.size && !memcmp(got, out.data, n));
	CHECK_INT_FOR(row, states[0].records, records);
	CHECK_INT_FOR(row, states[0].error, error);
	CHECK_INT_FOR(row, states[0].bytes, n);
	CHECK_FOR(row, states[1].ended && !states[1].error && !states[1].bytes);
	if (!error)
		CHECK_FOR(row, !states[0].dropped);
	else
		CHECK_INT_FOR(row, states[0].dropped + states[0].bytes, in.size);
	close_channel(&from[0]);
	close_channel(&from[1]);
	close_channel(&to);
}

static const struct {
	const char *row;
	int separator;
	unsigned longest, record;
	struct text in, out;
	uint64_t records;
	int error;
} texts[] = {
	{ "nothing", '\n', 5, 0, TEXT(""), TEXT(""), 0, 0 },
	{ "empty lines", '\n', 5, 0, TEXT("\n\n"), TEXT("\n\n"), 2, 0 },
	{ "no end", '\n', 5, 0, TEXT("a\nb"), TEXT("a\nb\n"), 2, 0 },
	{ "the longest", '\n', 5, 0, TEXT("12345\n1\n12345"), TEXT("12345\n1\n12345\n"), 3, 0 },
	{ "too long", '\n', 5, 0, TEXT("1\n123456\n1\n"), TEXT("1\n"), 1, -EMSGSIZE },
	{ "too long at the end", '\n', 5, 0, TEXT("1\n123456"), TEXT("1\n"), 1, -EMSGSIZE },
	{ "only empty ones", '\n', 0, 0, TEXT("\n\n1\n"), TEXT("\n\n"), 2, -EMSGSIZE },
	{ "NUL", 0, 5, 0, TEXT("a\nb\0\0c"), TEXT("a\nb\0\0c\0"), 3, 0 },
	{ "of a size", -1, 0, 3, TEXT("abcdef"), TEXT("abcdef"), 2, 0 },
	{ "of one byte", -1, 0, 1, TEXT("abc"), TEXT("abc"), 3, 0 },
	{ "cut", -1, 0, 3, TEXT("abcde"), TEXT("abc"), 1, -EBADMSG },
	{ "shorter than one", -1, 0, 300000, TEXT("abcde"), TEXT(""), 0, -EBADMSG },
};

static void test_records(void)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const struct ipckit_fan_spec spec = {
			.separator = texts[i].separator, .longest = texts[i].longest, .record = texts[i].record,
		};

		check_record(texts[i].row, &spec, texts[i].in, texts[i].out, texts[i].records, texts[i].error);
	}
}

/* Longer than what is read at once; one byte longer than it may be. */
static void test_long_record(void)
{
	static char data[400001], got[400001];

	memset(data, 'x', sizeof(data));
	for (int more = 0; more < 2; more++) {
		for (int size = 100000; size <= 400000; size += 100000) {
			struct channel from = make_channel(REGULAR), to = make_channel(REGULAR);
			const struct ipckit_fan_spec spec = { .separator = '\n', .longest = (uint64_t)(size - more) };
			struct ipckit_fan_state state;

			(void)!write(from.out, data, (size_t)size);
			lseek(from.in, 0, SEEK_SET);
			CHECK_INT(ipckit_fan_in(&forever, &spec, &from.in, 1, to.out, &state), 0);
			CHECK_INT(state.error, more ? -EMSGSIZE : 0);
			lseek(to.in, 0, SEEK_SET);
			CHECK_INT(read_all(to.in, got, sizeof(got)), more ? 0 : size + 1);
			close_channel(&from);
			close_channel(&to);
		}
	}
}

/* Of two that write them in pieces. */
static int write_record(int fd, void *arg)
{
	char record[1000];

	memset(record, *(const char *)arg, sizeof(record));
	for (int i = 0; i < 300; i++) {
		size_t n = below(sizeof(record));

		if (!write_all(fd, record, n) || !write_all(fd, record, sizeof(record) - n))
			return 1;
	}
	return 0;
}

static void test_sized_records(void)
{
	struct channel from[2] = { make_channel(PIPE), make_channel(SOCKET) }, to = make_channel(REGULAR);
	const struct ipckit_fan_spec spec = { .separator = -1, .record = 1000 };
	const int ins[] = { from[0].in, from[1].in };
	struct ipckit_fan_state states[2];
	char letters[] = "ab", record[1000];
	pid_t writers[2];
	bool good = true;
	int count[2] = { 0 };

	for (int i = 0; i < 2; i++) {
		writers[i] = spawn(write_record, from[i].out, &letters[i]);
		close(from[i].out);
	}
	CHECK_INT(ipckit_fan_in(&forever, &spec, ins, 2, to.out, states), 0);
	lseek(to.in, 0, SEEK_SET);
	while (read_all(to.in, record, sizeof(record)) == sizeof(record)) {
		for (size_t i = 1; i < sizeof(record); i++)
			good = good && record[i] == record[0];
		count[record[0] == 'b']++;
	}
	CHECK(good);
	for (int i = 0; i < 2; i++) {
		CHECK_INT(count[i], 300);
		CHECK_INT(await(writers[i]), 0);
		close(from[i].in);
	}
	close_channel(&to);
}

/* ---- messages ---- */

static void test_messages(void)
{
	struct channel from = make_channel(SEQPACKET), to = make_channel(SEQPACKET);
	struct ipckit_fan_state state;
	char text[64] = "";

	(void)!write(from.out, "one", 3);
	(void)!send(from.out, "", 0, 0);
	(void)!write(from.out, "two\nthree\n", 10);
	shutdown(from.out, SHUT_WR);
	CHECK_INT(ipckit_fan_in(&forever, &lines, &from.in, 1, to.out, &state), 0);
	CHECK_INT(state.records, 4);
	CHECK_INT(recv(to.in, text, sizeof(text), MSG_DONTWAIT), 4);
	CHECK(!memcmp(text, "one\n", 4));
	CHECK_INT(recv(to.in, text, sizeof(text), MSG_DONTWAIT), 1);
	CHECK_INT(recv(to.in, text, sizeof(text), MSG_DONTWAIT), 4);
	CHECK_INT(recv(to.in, text, sizeof(text), MSG_DONTWAIT), 6);
	CHECK(!memcmp(text, "three\n", 6));
	CHECK_INT(recv(to.in, text, sizeof(text), MSG_DONTWAIT), -1);
	close_channel(&from);
	close_channel(&to);
}

/* ---- FIFOs that are opened before their writers ---- */

static struct channel make_fifo(const char *path)
{
	struct channel fifo = { -1, -1 };

	if (!mkfifo(path, 0600))
		fifo.in = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fifo.in < 0)
		exit(UNIT_SKIP);
	return fifo;
}

struct coming {
	const char *path;
	int64_t at;
};

static void come(void *arg)
{
	struct coming *coming = arg;
	int fd;

	if (!coming->path || now() < coming->at)
		return;
	fd = open(coming->path, O_WRONLY | O_NONBLOCK);
	CHECK_INT(write(fd, "late\n", 5), 5);
	close(fd);
	coming->path = NULL;
}

/* Who comes in time, who writes nothing, and who never comes: in a directory of its own. */
static void test_fifos(void)
{
	struct channel fifos[] = { make_fifo("late"), make_fifo("silent"), make_fifo("never") }, to = make_channel(PIPE);
	const int ins[] = { fifos[0].in, fifos[1].in, fifos[2].in };
	struct coming coming = { .path = "late", .at = now() + 60 * MS };
	struct ipckit_relay relay = { .idle = 20 * MS, .period = MS, .tick = come, .arg = &coming };
	struct ipckit_fan_spec spec = lines;
	struct ipckit_fan_state states[3];
	char text[64] = "";

	fifos[1].out = open("silent", O_WRONLY | O_CLOEXEC);
	/* It is silent only when each has had its writer. */
	CHECK_INT(ipckit_fan_in(&relay, &spec, ins, 2, to.out, states), -ETIMEDOUT);
	CHECK(!coming.path && states[0].ended && !states[0].error && !states[1].ended);
	CHECK_INT(read(to.in, text, sizeof(text)), 5);
	ipckit_deadline_in(30 * MS, &spec.opening);
	CHECK_INT(ipckit_fan_in(&relay, &spec, &ins[1], 2, to.out, states), -ETIMEDOUT);
	CHECK(!states[0].ended && !states[0].error);
	CHECK(states[1].ended && states[1].error == -ETIMEDOUT);
	ipckit_deadline_in(0, &spec.opening);
	CHECK_INT(write(fifos[1].out, "end", 3), 3);
	close(fifos[1].out);
	fifos[1].out = -1;
	CHECK_INT(ipckit_fan_in(&relay, &spec, &ins[1], 2, to.out, states), 0);
	CHECK_INT(states[0].bytes, 4);
	CHECK_INT(states[1].error, -ETIMEDOUT);
	for (size_t i = 0; i < 3; i++)
		close_channel(&fifos[i]);
	close_channel(&to);
}

static void enter_own_directory(char path[])
{
	if (!mkdtemp(path) || chdir(path))
		exit(UNIT_SKIP);
}

static void leave_directory(const char *path)
{
	unlink("late");
	unlink("silent");
	unlink("never");
	CHECK(!chdir("/"));
	rmdir(path);
}

/* ---- how it ends ---- */

static void test_sinks(void)
{
	struct channel from = make_channel(PIPE), to = make_channel(PIPE);
	struct ipckit_fan_state state;
	int full = open("/dev/full", O_WRONLY);

	(void)!write(from.out, "abc\nd", 5);
	CHECK_INT(ipckit_fan_in(&forever, &lines, &from.in, 1, full, &state), -ENOSPC);
	CHECK_INT(state.bytes, 0);
	CHECK_INT(state.dropped, 5);
	/* While nothing comes. */
	close(to.in);
	CHECK_INT(ipckit_fan_in(&forever, &lines, &from.in, 1, to.out, &state), -EPIPE);
	close(full);
	to.in = -1;
	close_channel(&from);
	close_channel(&to);
}

static int ended;

static void count_ended(void *arg, struct ipckit_flow *flow)
{
	ended += arg == &ended && !flow;
}

static void test_ends(void)
{
	struct channel from[2] = { make_channel(SOCKET), make_channel(PIPE) }, to = make_channel(PIPE);
	struct channel file = make_channel(REGULAR);
	const int ins[] = { from[0].in, from[1].in };
	volatile sig_atomic_t stop = 0;
	struct ipckit_relay relay = { .stop = &stop, .ended = count_ended, .arg = &ended };
	struct ipckit_fan_spec nonsense = { .separator = -1 };
	struct ipckit_fan_state states[2];
	char text[64] = "";

	(void)!write(from[0].out, "abc", 3);
	CHECK_INT(ipckit_fan_in(&relay, &lines, ins, 2, to.out, states), -EAGAIN);
	CHECK_INT(states[0].dropped, 3);
	stop = 1;
	CHECK_INT(ipckit_fan_in(&relay, &lines, ins, 2, to.out, states), -EINTR);
	stop = 0;
	relay.idle = 20 * MS;
	CHECK_INT(ipckit_fan_in(&relay, &lines, ins, 2, to.out, states), -ETIMEDOUT);
	CHECK_INT(ended, 0);
	/* One is reset, and the other goes on; what came before that is passed on. */
	(void)!write(from[1].out, "other", 5);
	close(from[1].out);
	(void)!write(from[0].in, "unread", 6);
	close(from[0].out);
	from[0].out = from[1].out = -1;
	CHECK_INT(ipckit_fan_in(&relay, &lines, ins, 2, to.out, states), 0);
	CHECK_INT(states[0].error, -ECONNRESET);
	CHECK_INT(states[1].error, 0);
	CHECK_INT(ended, 2);
	CHECK_INT(read(to.in, text, sizeof(text)), 6);
	CHECK(!memcmp(text, "other\n", 6));
	CHECK_INT(ipckit_fan_in(&relay, &lines, &file.in, 1, file.out, states), -EINVAL);
	CHECK_INT(ipckit_fan_in(&relay, &lines, &to.in, 1, to.out, states), -EINVAL);
	CHECK_INT(ipckit_fan_in(&relay, &nonsense, &file.in, 1, to.out, states), -EINVAL);
	nonsense.record = UINT64_MAX;
	CHECK_INT(ipckit_fan_in(&relay, &nonsense, &file.in, 1, to.out, states), -EINVAL);
	nonsense = (struct ipckit_fan_spec){ .separator = '\n', .longest = UINT64_MAX };
	CHECK_INT(ipckit_fan_in(&relay, &nonsense, &file.in, 1, to.out, states), -EINVAL);
	CHECK_INT(ipckit_fan_in(&relay, &lines, &to.out, 1, file.out, states), -EBADF);
	close_channel(&from[0]);
	close_channel(&from[1]);
	close_channel(&to);
	close_channel(&file);
}

int main(void)
{
	char path[] = "/tmp/fan-in.XXXXXX";

	limit_time();
	test_lines();
	test_records();
	test_long_record();
	test_sized_records();
	test_messages();
	enter_own_directory(path);
	test_fifos();
	leave_directory(path);
	test_sinks();
	test_ends();
	return unit_done("fan-in");
}
