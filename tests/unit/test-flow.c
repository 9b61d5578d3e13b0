/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Every pair of ends, byte for byte, by every method. */

#include "failing.h"
#include "relays.h"

#include <limits.h>
#include <sys/resource.h>

/* How a flow is made, and what is watched. */
struct variant {
	const char *name;
	struct ipckit_flow_spec spec;
	struct ipckit_relay how;
};

static const struct variant variants[] = {
	{ "alone", { 0 }, { .idle = IPCKIT_FOREVER } },
	{ "watched", { 0 }, { .idle = PATIENCE } },
	{ "zero copy", { .zero_copy = true }, { .idle = PATIENCE } },
	{ "buffer", { .buffer = 10000, .high = 6000, .low = 3000 }, { .idle = PATIENCE } },
	{ "large buffer", { .buffer = 1 << 20 }, { .idle = IPCKIT_FOREVER } },
	{ "rate", { .rate = 40000000 }, { .idle = PATIENCE } },
};
#define VARIANTS (sizeof(variants) / sizeof(*variants))

static const enum kind sources[] = { A_FILE, A_PIPE, A_FIFO, A_UNIX, A_UNIX_NOW, A_TCP, A_TCP_NOW };
static const enum kind sinks[] = {
	A_FILE, AN_APPENDED, A_PIPE, A_FIFO, A_UNIX, A_UNIX_NOW, A_TCP, A_TCP_NOW, A_TERMINAL,
};

/* A file is written before; else a process writes. */
static pid_t feed(struct end *from, uint64_t bytes, size_t most)
{
	pid_t pid;

	if (from->other < 0) {
		write_stream(from->own, 0, bytes, most);
		lseek(from->own, 0, SEEK_SET);
		return 0;
	}
	pid = start_writer(from->other, bytes, most);
	close(from->other);
	from->other = -1;
	return pid;
}

static pid_t drain(struct end *to, uint64_t bytes, bool has_end, size_t most)
{
	pid_t pid;

	if (to->other < 0)
		return 0;
	pid = start_reader(to->other, bytes, has_end, most);
	/* A terminal that nobody has open any more says so. */
	if (has_end) {
		close(to->other);
		to->other = -1;
	}
	return pid;
}

static bool holds(int fd, uint64_t bytes)
{
	lseek(fd, 0, SEEK_SET);
	return read_stream(fd, -1, 65536) == (int64_t)bytes;
}

static void check_pair(enum kind source, enum kind sink, uint64_t bytes, const struct variant *variant)
{
	struct end from = make_end(source, true), to = make_end(sink, false);
	struct ipckit_flow_state state = { 0 };
	pid_t writer, reader;
	char row[128];
	int flags_from, flags_to;

	snprintf(row, sizeof(row), "%s to %s, %llu, %s", kind_names[source], kind_names[sink],
		 (unsigned long long)bytes, variant->name);
	flags_from = fcntl(from.own, F_GETFL);
	flags_to = fcntl(to.own, F_GETFL);
	writer = feed(&from, bytes, bytes < 100 ? 1 : 1 + below(65536));
	reader = drain(&to, bytes, sink != A_TERMINAL, 1 + below(65536));
	CHECK_INT_FOR(row, run_flow(&variant->how, from.own, to.own, &variant->spec, &state), 0);
	CHECK_INT_FOR(row, state.error, 0);
	CHECK_FOR(row, state.ended);
	CHECK_INT_FOR(row, state.read, bytes);
	CHECK_INT_FOR(row, state.bytes, bytes);
	CHECK_INT_FOR(row, fcntl(from.own, F_GETFL), flags_from);
	CHECK_INT_FOR(row, fcntl(to.own, F_GETFL), flags_to);
	if (!reader)
		CHECK_FOR(row, holds(to.own, bytes));
	/* A terminal that is closed forgets. */
	if (sink != A_TERMINAL)
		close_end(&to);
	if (writer)
		CHECK_INT_FOR(row, wait_for(writer), 0);
	if (reader)
		CHECK_INT_FOR(row, wait_for(reader), 0);
	close_end(&to);
	close_end(&from);
}

static void check_pairs(void)
{
	static const uint64_t sizes[] = { 0, 1, PIPE_BUF - 1, PIPE_BUF, PIPE_BUF + 1, 65536 };
	size_t turn = 0;

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		for (size_t k = 0; k < sizeof(sinks) / sizeof(*sinks); k++) {
			for (size_t n = turn % 3; n < sizeof(sizes) / sizeof(*sizes); n += UNIT_SANITIZED ? 3 : 1)
				check_pair(sources[i], sinks[k], sizes[n], &variants[turn++ % VARIANTS]);
			for (size_t v = turn % 2; v < VARIANTS; v += UNIT_SANITIZED ? 2 : 1)
				check_pair(sources[i], sinks[k], 300001, &variants[v]);
		}
	}
}

/* ---- which method ---- */

static void check_method(enum kind source, enum kind sink, const struct ipckit_flow_spec *spec, const char *want)
{
	struct end from = make_end(source, true), to = make_end(sink, false);
	struct ipckit_flow_state state;
	struct ipckit_flow *flow;
	char row[64];

	snprintf(row, sizeof(row), "%s to %s", kind_names[source], kind_names[sink]);
	if (CHECK_INT_FOR(row, ipckit_flow_open(from.own, to.own, spec, &flow), 0)) {
		ipckit_flow_look(flow, &state);
		CHECK_STR_FOR(row, ipckit_flow_method_name(state.method), want);
		ipckit_flow_close(flow);
	}
	close_end(&from);
	close_end(&to);
}

static void check_methods(void)
{
	const struct ipckit_flow_spec plain = { 0 }, zero_copy = { .zero_copy = true }, buffer = { .buffer = 1 };

	check_method(A_PIPE, A_PIPE, &plain, "splice");
	check_method(A_PIPE, A_FILE, &plain, "splice");
	check_method(A_PIPE, A_NULL, &plain, "splice");
	check_method(A_FIFO, A_UNIX_NOW, &plain, "splice");
	check_method(A_FIFO, A_TCP_NOW, &plain, "copy");
	check_method(A_FIFO, A_TCP_NOW, &zero_copy, "splice");
	check_method(A_UNIX, A_TCP_NOW, &plain, "copy");
	check_method(A_UNIX, A_TCP_NOW, &zero_copy, "splice-twice");
	check_method(A_TCP, A_PIPE, &plain, "splice");
	check_method(A_PIPE, A_TCP, &plain, "copy");
	check_method(A_PIPE, AN_APPENDED, &plain, "copy");
	check_method(A_PIPE, A_TERMINAL, &plain, "copy");
	check_method(A_FILE, A_FILE, &plain, "copy-range");
	check_method(A_FILE, A_PIPE, &plain, "copy");
	check_method(A_FILE, A_PIPE, &zero_copy, "splice");
	check_method(A_FILE, A_UNIX_NOW, &plain, "copy");
	check_method(A_FILE, A_UNIX_NOW, &zero_copy, "splice-twice");
	check_method(A_TCP, A_UNIX_NOW, &plain, "splice-twice");
	check_method(A_PIPE, A_PIPE, &buffer, "buffered");
}

/* ---- files that are not what they seem ---- */

static void check_proc(void)
{
	int from = open("/proc/self/status", O_RDONLY | O_CLOEXEC), to = make_file();
	struct ipckit_flow_state state;

	CHECK_INT(run_flow(NULL, from, to, NULL, &state), 0);
	CHECK_INT(state.error, 0);
	CHECK(state.bytes > 100);
	CHECK_INT(lseek(to, 0, SEEK_END), state.bytes);
	close(from);
	close(to);
}

static void check_same(void)
{
	int file = make_file(), again = open_again(file, O_RDWR), pair[2];
	const struct ipckit_flow_spec plain = { 0 };
	struct ipckit_flow_state state;
	struct ipckit_flow *flow;

	write_stream(file, 0, 100, 100);
	lseek(file, 0, SEEK_SET);
	CHECK_INT(ipckit_flow_open(file, again, &plain, &flow), -EINVAL);
	/* Nothing is left to be read. */
	lseek(file, 0, SEEK_END);
	CHECK_INT(run_flow(NULL, file, again, NULL, &state), 0);
	CHECK_INT(state.bytes, 0);
	close(file);
	close(again);
	make_pair(A_PIPE, pair);
	CHECK_INT(ipckit_flow_open(pair[0], pair[1], &plain, &flow), -EINVAL);
	CHECK_INT(ipckit_flow_open(pair[1], pair[1], &plain, &flow), -EBADF);
	CHECK_INT(ipckit_flow_open(pair[0], pair[0], &plain, &flow), -EBADF);
	close(pair[0]);
	CHECK_INT(ipckit_flow_open(pair[0], pair[1], &plain, &flow), -EBADF);
	pair[0] = open("/", O_RDONLY | O_CLOEXEC);
	CHECK_INT(ipckit_flow_open(pair[0], pair[1], &plain, &flow), -EISDIR);
	close(pair[0]);
	close(pair[1]);
}

/* Only what is behind the position is given, and a hole is nothing but zeros. */
static void check_part(void)
{
	const struct ipckit_flow_spec synced = { .sync = true };
	int from = make_file(), to = make_file();
	struct ipckit_flow_state state;
	char bytes[10] = "", zeros[10] = "";

	need(!ftruncate(from, 5000000), "a file");
	need(pwrite(from, "end", 3, 4999997) == 3, "a file");
	lseek(from, 100, SEEK_SET);
	CHECK_INT(run_flow(NULL, from, to, &synced, &state), 0);
	CHECK_INT(state.error, 0);
	CHECK_INT(state.bytes, 4999900);
	CHECK_INT(lseek(from, 0, SEEK_CUR), 5000000);
	CHECK_INT(pread(to, bytes, 10, 4999890), 10);
	CHECK(!memcmp(bytes, "\0\0\0\0\0\0\0end", 10));
	CHECK_INT(pread(to, bytes, 10, 1000), 10);
	CHECK(!memcmp(bytes, zeros, 10));
	close(from);
	close(to);
}

/* ---- what cannot be had ---- */

static struct end lacking_from, lacking_to;

static int relay_nothing(void)
{
	const struct ipckit_relay how = { .idle = 0 };
	struct ipckit_flow_state state;
	int r = run_flow(&how, lacking_from.own, lacking_to.own, NULL, &state);

	return r == -EAGAIN ? 0 : r;
}

/* Without a descriptor for the pipe between two sockets there is no flow; memory as ever. */
static void check_lacking(void)
{
	const struct ipckit_flow_spec plain = { 0 }, huge = { .buffer = UINT64_MAX / 2 };
	struct rlimit before, limit;
	struct ipckit_flow *flow;

	lacking_from = make_end(A_TCP, true);
	lacking_to = make_end(A_UNIX_NOW, false);
	check_failing("relay", relay_nothing);
	CHECK_INT(ipckit_flow_open(lacking_from.own, lacking_to.own, &huge, &flow), -ENOMEM);
	getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	limit.rlim_cur = 1;
	setrlimit(RLIMIT_NOFILE, &limit);
	CHECK_INT(ipckit_flow_open(lacking_from.own, lacking_to.own, &plain, &flow), -EMFILE);
	setrlimit(RLIMIT_NOFILE, &before);
	close_end(&lacking_from);
	close_end(&lacking_to);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	check_methods();
	check_proc();
	check_same();
	check_part();
	check_lacking();
	check_pairs();
	return unit_done("flow");
}
