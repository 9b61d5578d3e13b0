/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fan-out: every byte to every sink, by tee(2) and by copies, whatever the readers' pace; sinks that fail, hold up the
 * others, or lose what they cannot take.
 */

#include "fans.h"

#include <sys/resource.h>

static const struct ipckit_fan_spec plain = { .separator = -1 };

static unsigned char byte_at(uint64_t n)
{
	return (unsigned char)((n * 2654435761u) >> 13);
}

struct job {
	size_t bytes, most; /* of all; of one call */
	unsigned pause;     /* us after a call, at most */
	const volatile sig_atomic_t *flag; /* not before that */
	bool ends;          /* a reader: goes after these bytes */
	bool gaps;          /* there are, after these */
	bool at_once;       /* a writer: all by one call, or a pipe has no place left before it has as many bytes */
};

static void have_a_rest(const struct job *job)
{
	if (job->pause && !below(4))
		usleep(below(job->pause));
}

static int feed(int fd, void *arg)
{
	const struct job *job = arg;
	unsigned char *data = malloc(job->most);
	size_t n = 0;

	while (n < job->bytes) {
		size_t size = job->at_once ? job->bytes : 1 + below((unsigned)job->most);

		if (size > job->bytes - n)
			size = job->bytes - n;
		for (size_t i = 0; i < size; i++)
			data[i] = byte_at(n + i);
		if (!write_all(fd, data, size))
			return errno;
		n += size;
		have_a_rest(job);
	}
	free(data);
	return 0;
}

static int drain(int fd, void *arg)
{
	const struct job *job = arg;
	unsigned char *data = malloc(job->most);
	size_t n = 0;
	ssize_t size;

	if (job->flag)
		await_flag(job->flag);
	while (!(job->ends && n >= job->bytes) && (size = read(fd, data, 1 + below((unsigned)job->most))) > 0) {
		for (ssize_t i = 0; i < size; i++)
			if (data[i] != byte_at(n++) && !(job->gaps && n > job->bytes))
				return 200;
		have_a_rest(job);
	}
	free(data);
	return job->ends || job->gaps || n == job->bytes ? 0 : 201;
}

/* ---- a run with its processes ---- */

struct run {
	enum kind source;
	size_t count;
	enum kind kinds[MOST_FANS];
	struct job feeds, drains[MOST_FANS];
	struct ipckit_fan_spec spec;
	struct ipckit_relay relay;
	struct ipckit_fan_state states[MOST_FANS];
};

static bool check_file(int fd, size_t bytes)
{
	static unsigned char data[65536];
	size_t n = 0;
	ssize_t size;

	lseek(fd, 0, SEEK_SET);
	while ((size = read(fd, data, sizeof(data))) > 0)
		for (ssize_t i = 0; i < size; i++)
			if (data[i] != byte_at(n++))
				return false;
	return n == bytes;
}

static int fan_out(struct run *run, const char *row)
{
	struct channel from = make_channel(run->source), to[MOST_FANS];
	pid_t feeder, drainers[MOST_FANS];
	int outs[MOST_FANS], r;

	for (size_t i = 0; i < run->count; i++) {
		to[i] = make_channel(run->kinds[i]);
		outs[i] = to[i].out;
		drainers[i] = run->kinds[i] == REGULAR ? 0 : spawn(drain, to[i].in, &run->drains[i]);
	}
	feeder = spawn(feed, from.out, &run->feeds);
	close(from.out);
	for (size_t i = 0; i < run->count; i++)
		if (drainers[i])
			close(to[i].in);
	r = ipckit_fan_out(&run->relay, &run->spec, from.in, outs, run->count, run->states);
	close(from.in);
	CHECK_FOR(row, await(feeder) == (r == -EPIPE ? EPIPE : 0));
	for (size_t i = 0; i < run->count; i++) {
		close(to[i].out);
		if (drainers[i])
			CHECK_INT_FOR(row, await(drainers[i]), 0);
		else
			CHECK_FOR(row, check_file(to[i].in, run->feeds.bytes));
		if (!drainers[i])
			close(to[i].in);
	}
	return r;
}

static struct run make_run(size_t count, const enum kind *kinds, size_t bytes, size_t most)
{
	struct run run = {
		.count = count,
		.feeds = { .bytes = bytes, .most = most },
		.spec = plain,
		.relay = forever,
	};

	for (size_t i = 0; i < count; i++) {
		run.kinds[i] = kinds[i];
		run.drains[i] = (struct job){ .bytes = bytes, .most = 1 + below(100000) };
	}
	return run;
}

/* ---- every byte, once ---- */

static const struct {
	const char *row;
	enum kind source;
	size_t count;
	enum kind kinds[MOST_FANS];
	bool teed;
} mixes[] = {
	{ "one pipe", PIPE, 1, { PIPE }, true },
	{ "pipes", PIPE, 3, { PIPE, PIPE, PIPE }, true },
	{ "a pipe and a file", PIPE, 2, { PIPE, REGULAR }, false },
	{ "all", PIPE, 4, { REGULAR, SOCKET, PIPE, PIPE }, false },
	{ "from a socket", SOCKET, 2, { PIPE, SOCKET }, false },
};

static void test_bytes(void)
{
	static const size_t sizes[] = { 0, 1, 4095, 4097, 65536, 1500000 };

	for (size_t i = 0; i < sizeof(mixes) / sizeof(*mixes); i++) {
		for (size_t j = 0; j < sizeof(sizes) / sizeof(*sizes); j++) {
			struct run run = make_run(mixes[i].count, mixes[i].kinds, sizes[j], j % 2 ? 70000 : 3000);

			run.source = mixes[i].source;
			CHECK_INT_FOR(mixes[i].row, fan_out(&run, mixes[i].row), 0);
			for (size_t k = 0; k < run.count; k++) {
				CHECK_INT_FOR(mixes[i].row, run.states[k].bytes, sizes[j]);
				CHECK_INT_FOR(mixes[i].row, run.states[k].teed, mixes[i].teed);
				CHECK_FOR(mixes[i].row, !run.states[k].ended && !run.states[k].dropped);
			}
		}
	}
}

/* Readers of different pace: tees are partial, each another part. */
static void test_pace(void)
{
	static const enum kind pipes[] = { PIPE, PIPE, PIPE, PIPE };
	static const enum kind mixed[] = { PIPE, SOCKET, PIPE, REGULAR };

	for (int i = 0; i < (UNIT_SANITIZED ? 4 : 8); i++) {
		struct run run = make_run(4, i % 2 ? mixed : pipes, 1500000, i % 3 ? 60000 : 200);

		if (!(i % 3))
			run.feeds.bytes = 100000;
		for (size_t k = 0; k < 4; k++) {
			run.drains[k].bytes = run.feeds.bytes;
			run.drains[k].most = k % 2 ? 1 + below(300) * (1 + below(300)) : 100000;
			run.drains[k].pause = below(2) * 100;
		}
		CHECK_INT(fan_out(&run, "pace"), 0);
	}
}

static void set_descriptors(rlim_t n)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = n;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Without descriptors for pipes between it goes on by copies. */
static int without_pipes(int fd, void *arg)
{
	struct run *run = arg;
	int null = open("/dev/null", O_WRONLY), r;
	struct channel from = make_channel(PIPE), to[2] = { make_channel(PIPE), make_channel(PIPE) };
	const int outs[] = { to[0].out, to[1].out };

	(void)!write(from.out, "abc", 3);
	close(from.out);
	set_descriptors((rlim_t)null + 7);
	r = ipckit_fan_out(&run->relay, &run->spec, from.in, outs, 2, run->states);
	return r || run->states[0].teed || run->states[1].bytes != 3 || fd < 0;
}

static void test_descriptors(void)
{
	static const enum kind kinds[] = { PIPE, PIPE };
	struct run run = make_run(2, kinds, 3, 3);

	CHECK_INT(await(spawn(without_pipes, 0, &run)), 0);
}

/* ---- sinks that fail ---- */

/* A socket that was not read to its end is reset. */
static bool is_gone(int error)
{
	return error == -EPIPE || error == -ECONNRESET;
}

static void test_gone(void)
{
	static const enum kind pipes[] = { PIPE, PIPE, PIPE }, others[] = { SOCKET, PIPE, REGULAR };

	for (int i = 0; i < 8; i++) {
		struct run run = make_run(3, i % 2 ? pipes : others, 3000000, 100000);
		size_t gone = i % 4 / 2;

		run.drains[gone].ends = true;
		run.drains[gone].bytes = i < 4 ? 0 : 1 + below(200000);
		CHECK_INT(fan_out(&run, "gone"), 0);
		for (size_t k = 0; k < 3; k++) {
			CHECK_INT(run.states[k].ended, k == gone);
			CHECK(k == gone ? is_gone(run.states[k].error) : !run.states[k].error);
			CHECK(run.states[k].bytes == 3000000 || k == gone);
		}
	}
}

static int ended;

static void count_ended(void *arg, struct ipckit_flow *flow)
{
	ended += arg == &ended && !flow;
}

/* Also while nothing comes. */
static void test_none_left(void)
{
	for (int i = 0; i < 2; i++) {
		struct channel from = make_channel(PIPE);
		struct channel to[2] = { make_channel(PIPE), make_channel(i ? SOCKET : PIPE) };
		const struct ipckit_relay relay = { .idle = IPCKIT_FOREVER, .ended = count_ended, .arg = &ended };
		const int outs[] = { to[0].out, to[1].out };
		struct ipckit_fan_state states[2];

		close(to[0].in);
		close(to[1].in);
		ended = 0;
		CHECK_INT(ipckit_fan_out(&relay, &plain, from.in, outs, 2, states), -EPIPE);
		CHECK_INT(ended, 2);
		CHECK_INT(states[1].error, -EPIPE);
		to[0].in = to[1].in = -1;
		close_channel(&to[0]);
		close_channel(&to[1]);
		close_channel(&from);
	}
}

static void test_full(void)
{
	struct channel from = make_channel(PIPE), to = make_channel(PIPE);
	const int outs[] = { open("/dev/full", O_WRONLY), to.out };
	struct ipckit_fan_state states[2];
	char text[8] = "";

	(void)!write(from.out, "abc", 3);
	close(from.out);
	CHECK_INT(ipckit_fan_out(&forever, &plain, from.in, outs, 2, states), 0);
	CHECK_INT(states[0].error, -ENOSPC);
	CHECK_INT(states[0].bytes, 0);
	CHECK_INT(states[1].error, 0);
	CHECK_INT(read(to.in, text, sizeof(text)), 3);
	close(outs[0]);
	close(from.in);
	close_channel(&to);
}

/* ---- sinks that are slow ---- */

static void test_held_up(void)
{
	for (int i = 0; i < 2; i++) {
		struct channel from = make_channel(PIPE), to[2] = { make_channel(PIPE), make_channel(PIPE) };
		const struct ipckit_relay relay = { .idle = 30 * MS };
		const int outs[] = { to[0].out, to[1].out };
		struct job feeds = { .bytes = 3000000, .most = 3000 };
		struct job drains = { .bytes = SIZE_MAX, .most = 4096, .ends = true };
		struct ipckit_fan_spec spec = plain;
		struct ipckit_fan_state states[2];
		pid_t feeder = spawn(feed, from.out, &feeds), drainer;
		int64_t began = now();

		/* The second way is by copies. */
		spec.separator = i ? '\n' : -1;
		drainer = spawn(drain, to[1].in, &drains);
		CHECK_INT(ipckit_fan_out(&relay, &spec, from.in, outs, 2, states), -ETIMEDOUT);
		CHECK(now() - began >= relay.idle);
		CHECK_INT(states[0].teed, !i);
		CHECK(states[0].bytes < 3000000 && !states[1].dropped && states[0].dropped);
		CHECK_INT(states[1].bytes, states[0].bytes + states[0].dropped);
		close_channel(&from);
		close_channel(&to[0]);
		close_channel(&to[1]);
		CHECK_INT(await(feeder), EPIPE);
		CHECK_INT(await(drainer), 0);
	}
}

/* All at once: what is read next ends in the middle of a line. */
static int feed_lines(int fd, void *arg)
{
	enum { LINES = 30000, LONGEST = 120 };
	char *data = malloc(LINES * LONGEST);
	size_t size = 0;
	bool good;

	(void)arg;
	for (int i = 0; i < LINES; i++) {
		size += (size_t)sprintf(data + size, "%d ", i);
		for (unsigned n = below(100); n; n--)
			data[size++] = 'x';
		data[size++] = '\n';
	}
	good = write_all(fd, data, size);
	free(data);
	return !good;
}

/* Sees whole lines, in their order, some of them missing. */
static int drain_lines(int fd, void *arg)
{
	FILE *stream = fdopen(fd, "r");
	char line[256], end;
	int last = -1, i;

	await_flag(arg);
	while (fgets(line, sizeof(line), stream)) {
		if (sscanf(line, "%d%c", &i, &end) != 2 || end != ' ' || i <= last || line[strlen(line) - 1] != '\n')
			return 200;
		last = i;
	}
	return last < 0;
}

struct dropping {
	volatile sig_atomic_t *flag;
	struct ipckit_fan_state *states;
};

static void look_for_drops(void *arg)
{
	const struct dropping *dropping = arg;

	/* Then the rest is let go. */
	if (dropping->states[0].dropped > 500000)
		*dropping->flag = 1;
}

static void test_dropped_lines(void)
{
	struct channel from = make_channel(REGULAR), to = make_channel(PIPE), file = make_channel(REGULAR);
	const struct ipckit_fan_spec spec = { .drop_slow = true, .separator = '\n' };
	const int outs[] = { to.out, file.out };
	struct ipckit_fan_state states[2];
	struct dropping dropping = { .flag = make_flag(), .states = states };
	const struct ipckit_relay relay = {
		.idle = IPCKIT_FOREVER, .period = MS / 10, .tick = look_for_drops, .arg = &dropping,
	};
	pid_t drainer = spawn(drain_lines, to.in, (void *)(uintptr_t)dropping.flag);

	CHECK_INT(feed_lines(from.out, NULL), 0);
	lseek(from.in, 0, SEEK_SET);
	close(to.in);
	CHECK_INT(ipckit_fan_out(&relay, &spec, from.in, outs, 2, states), 0);
	CHECK(!states[1].dropped && states[0].dropped > 500000);
	CHECK_INT(states[0].bytes + states[0].dropped, states[1].bytes);
	close(to.out);
	CHECK_INT(await(drainer), 0);
	close_channel(&from);
	close_channel(&file);
}

/* Of pipes: the one that is full from the beginning does not hold up the other. */
static void test_dropped_tees(void)
{
	struct channel from = make_channel(PIPE), to[2] = { make_channel(PIPE), make_channel(PIPE) };
	const struct ipckit_fan_spec spec = { .drop_slow = true, .separator = -1 };
	struct job feeds = { .bytes = 3000000, .most = 5000 }, fills = { .bytes = 65536, .most = 65536, .at_once = true };
	struct job drains[] = {
		{ .bytes = 65536, .most = 70000, .gaps = true },
		{ .bytes = 500000, .most = 70000, .gaps = true },
	};
	struct ipckit_fan_state states[2];
	struct dropping dropping = { .flag = make_flag(), .states = states };
	const struct ipckit_relay relay = {
		.idle = IPCKIT_FOREVER, .period = MS / 10, .tick = look_for_drops, .arg = &dropping,
	};
	pid_t drainers[2], feeder = spawn(feed, from.out, &feeds);
	const int outs[] = { to[0].out, to[1].out };

	CHECK_INT(feed(to[0].out, &fills), 0);
	drains[0].flag = dropping.flag;
	close(from.out);
	for (int i = 0; i < 2; i++) {
		drainers[i] = spawn(drain, to[i].in, &drains[i]);
		close(to[i].in);
	}
	CHECK_INT(ipckit_fan_out(&relay, &spec, from.in, outs, 2, states), 0);
	close(from.in);
	close(to[0].out);
	close(to[1].out);
	CHECK(states[0].teed && states[1].teed && states[0].dropped > 500000);
	CHECK_INT(states[0].bytes + states[0].dropped, 3000000);
	/* Once the first one reads again it may be the faster. */
	CHECK_INT(states[1].bytes + states[1].dropped, 3000000);
	CHECK_INT(await(feeder), 0);
	CHECK_INT(await(drainers[0]), 0);
	CHECK_INT(await(drainers[1]), 0);
}

/* ---- messages ---- */

static void test_messages(void)
{
	static const char *const texts[] = { "one", "", "three", "x" };
	struct channel from = make_channel(SEQPACKET), to[2] = { make_channel(SEQPACKET), make_channel(PIPE) };
	const int outs[] = { to[0].out, to[1].out };
	struct ipckit_fan_state states[2];
	char text[64];

	for (size_t i = 0; i < 4; i++)
		(void)!send(from.out, texts[i], strlen(texts[i]), 0);
	shutdown(from.out, SHUT_WR);
	CHECK_INT(ipckit_fan_out(&forever, &plain, from.in, outs, 2, states), 0);
	for (size_t i = 0; i < 4; i++)
		CHECK_INT_FOR(texts[i], recv(to[0].in, text, sizeof(text), MSG_DONTWAIT), strlen(texts[i]));
	CHECK_INT(recv(to[0].in, text, sizeof(text), MSG_DONTWAIT), -1);
	CHECK_INT(read(to[1].in, text, sizeof(text)), 9);
	CHECK_INT(states[0].bytes, 9);
	CHECK_INT(states[0].records, 4);
	close_channel(&from);
	close_channel(&to[0]);
	close_channel(&to[1]);
}

/* ---- how it ends ---- */

static void test_ends(void)
{
	struct channel from = make_channel(SOCKET), to = make_channel(PIPE), file = make_channel(REGULAR);
	volatile sig_atomic_t stop = 0;
	struct ipckit_relay relay = { .stop = &stop };
	struct ipckit_fan_state state;
	char text[8];

	(void)!write(from.out, "abc", 3);
	CHECK_INT(ipckit_fan_out(&relay, &plain, from.in, &to.out, 1, &state), -EAGAIN);
	CHECK_INT(state.bytes, 3);
	stop = 1;
	CHECK_INT(ipckit_fan_out(&relay, &plain, from.in, &to.out, 1, &state), -EINTR);
	stop = 0;
	relay.idle = 20 * MS;
	CHECK_INT(ipckit_fan_out(&relay, &plain, from.in, &to.out, 1, &state), -ETIMEDOUT);
	/* What came before a reset is given on. */
	(void)!write(from.out, "de", 2);
	(void)!write(from.in, "unread", 6);
	close(from.out);
	from.out = -1;
	CHECK_INT(ipckit_fan_out(&relay, &plain, from.in, &to.out, 1, &state), -ECONNRESET);
	CHECK_INT(read(to.in, text, sizeof(text)), 3 + (int)state.bytes);
	CHECK_INT(ipckit_fan_out(&relay, &plain, file.in, &file.out, 1, &state), -EINVAL);
	CHECK_INT(ipckit_fan_out(&relay, &plain, to.in, &to.out, 1, &state), -EINVAL);
	CHECK_INT(ipckit_fan_out(&relay, &plain, to.out, &file.out, 1, &state), -EBADF);
	CHECK_INT(ipckit_fan_out(&relay, &plain, file.in, &to.in, 1, &state), -EBADF);
	close_channel(&from);
	close_channel(&to);
	close_channel(&file);
}

int main(void)
{
	limit_time();
	test_bytes();
	test_pace();
	test_descriptors();
	test_gone();
	test_none_left();
	test_full();
	test_held_up();
	test_dropped_lines();
	test_dropped_tees();
	test_messages();
	test_ends();
	return unit_done("fan-out");
}
