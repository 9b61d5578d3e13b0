/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Relays when something goes wrong: a side that is gone, a sink that takes no more. What was given on is known. */

#include "relays.h"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* ---- a side that is gone ---- */

/* Runs while another process has the other side of the sink for a while, and nothing comes. */
static void check_gone(enum kind sink, bool resets, int want)
{
	struct end from = make_end(A_PIPE, true), to = make_end(sink, false);
	const struct linger now_off = { .l_onoff = 1 };
	struct ipckit_flow_state state = { 0 };
	const char *row = kind_names[sink];
	int64_t begin = now();
	pid_t pid = fork();

	if (!pid) {
		close_others(to.other);
		usleep(30000);
		if (resets)
			setsockopt(to.other, SOL_SOCKET, SO_LINGER, &now_off, sizeof(now_off));
		_exit(0);
	}
	close(to.other);
	to.other = -1;
	CHECK_INT_FOR(row, run_flow(NULL, from.own, to.own, NULL, &state), 0);
	CHECK_INT_FOR(row, state.error, want);
	CHECK_INT_FOR(row, state.side, IPCKIT_FLOW_TO);
	CHECK_FOR(row, now() - begin < PATIENCE);
	wait_for(pid);
	close_end(&from);
	close_end(&to);
}

/* The source breaks the connection after some bytes, which are given on. */
static void check_reset(enum kind source)
{
	struct end from = make_end(source, true);
	const struct linger now_off = { .l_onoff = 1 };
	struct ipckit_flow_state state = { 0 };
	const char *row = kind_names[source];
	int to = make_file();
	pid_t pid = fork();

	if (!pid) {
		close_others(from.other);
		write_stream(from.other, 0, 1000, 1000);
		usleep(30000);
		setsockopt(from.other, SOL_SOCKET, SO_LINGER, &now_off, sizeof(now_off));
		_exit(0);
	}
	close(from.other);
	from.other = -1;
	CHECK_INT_FOR(row, run_flow(NULL, from.own, to, NULL, &state), 0);
	CHECK_INT_FOR(row, state.error, -ECONNRESET);
	CHECK_INT_FOR(row, state.side, IPCKIT_FLOW_FROM);
	CHECK_INT_FOR(row, state.bytes, 1000);
	wait_for(pid);
	close_end(&from);
	close(to);
}

/* ---- a sink that takes no more ---- */

static void check_full(enum kind source, uint64_t bytes, const struct ipckit_flow_spec *spec, int to, int want,
		       int64_t taken)
{
	struct end from = make_end(source, true);
	struct ipckit_flow_state state = { 0 };
	pid_t pid = start_writer(from.other, bytes, 65536);
	const char *row = kind_names[source];

	close(from.other);
	from.other = -1;
	CHECK_INT_FOR(row, run_flow(NULL, from.own, to, spec, &state), 0);
	CHECK_INT_FOR(row, state.error, want);
	CHECK_INT_FOR(row, state.side, IPCKIT_FLOW_TO);
	CHECK_INT_FOR(row, state.bytes, taken < 0 ? lseek(to, 0, SEEK_END) : taken);
	CHECK_FOR(row, state.read >= state.bytes);
	close_end(&from);
	wait_for(pid);
}

static void check_dev_full(void)
{
	const struct ipckit_flow_spec buffer = { .buffer = 1000 }, plain = { 0 };
	int to = open("/dev/full", O_WRONLY | O_CLOEXEC);

	check_full(A_PIPE, 100, &plain, to, -ENOSPC, 0);
	check_full(A_TCP, 100, &plain, to, -ENOSPC, 0);
	check_full(A_UNIX, 100, &buffer, to, -ENOSPC, 0);
	close(to);
}

/* What the file has in the end is what is said that it took. */
static void check_small_disk(void)
{
	const struct ipckit_flow_spec buffer = { .buffer = 100000 }, plain = { 0 };
	char path[] = "/tmp/relay.XXXXXX", name[64];
	int to;

	need(mkdtemp(path), "a directory");
	if (mount("relay", path, "tmpfs", 0, "size=80k")) {
		printf("# no mount here: %s\n", strerror(errno));
		rmdir(path);
		return;
	}
	snprintf(name, sizeof(name), "%s/x", path);
	for (int i = 0; i < 4; i++) {
		to = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | (i == 1 ? O_APPEND : 0), 0600);
		check_full(i == 2 ? A_TCP : A_PIPE, 300000, i == 3 ? &buffer : &plain, to, -ENOSPC, -1);
		CHECK_INT(lseek(to, 0, SEEK_END), 81920);
		lseek(to, 0, SEEK_SET);
		CHECK_INT(read_stream(to, -1, 65536), 81920);
		close(to);
	}
	umount(path);
	rmdir(path);
}

/* Without SIGXFSZ, which would end the process. */
static void check_file_limit(void)
{
	const struct ipckit_flow_spec zero_copy = { .zero_copy = true }, plain = { 0 };
	struct rlimit before, limit;
	struct ipckit_flow_state state = { 0 };
	struct end from;
	int to;

	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	from = make_end(A_FILE, true);
	write_stream(from.own, 0, 300000, 65536);
	lseek(from.own, 0, SEEK_SET);
	limit.rlim_cur = 100001;
	need(!setrlimit(RLIMIT_FSIZE, &limit), "a limit");
	for (int i = 0; i < 2; i++) {
		to = make_file();
		if (i)
			fcntl(to, F_SETFL, O_APPEND);
		check_full(A_PIPE, 300000, &plain, to, -EFBIG, -1);
		CHECK_INT(lseek(to, 0, SEEK_END), 100001);
		close(to);
	}
	to = make_file();
	CHECK_INT(run_flow(NULL, from.own, to, &zero_copy, &state), 0);
	CHECK_INT(state.error, -EFBIG);
	CHECK_INT(state.bytes, 100001);
	close(to);
	setrlimit(RLIMIT_FSIZE, &before);
	close_end(&from);
}

/* All that there is fits exactly: that is no failure, whether the end is known already or comes later. */
static void check_exact_limit(void)
{
	static const enum kind sources[] = { A_FILE, A_PIPE, A_TCP };
	struct rlimit before, limit;

	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 100001;
	need(!setrlimit(RLIMIT_FSIZE, &limit), "a limit");
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		struct end from = make_end(sources[i], true);
		struct ipckit_flow_state state = { 0 };
		const char *row = kind_names[sources[i]];
		int to = make_file();
		pid_t writer = 0;

		if (from.other < 0)
			write_stream(from.own, 0, 100001, 65536);
		else
			writer = start_writer(from.other, 100001, 65536);
		close(from.other);
		from.other = -1;
		lseek(from.own, 0, SEEK_SET);
		CHECK_INT_FOR(row, run_flow(NULL, from.own, to, NULL, &state), 0);
		CHECK_INT_FOR(row, state.error, 0);
		CHECK_INT_FOR(row, state.bytes, 100001);
		if (writer)
			CHECK_INT_FOR(row, wait_for(writer), 0);
		close_end(&from);
		close(to);
	}
	setrlimit(RLIMIT_FSIZE, &before);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	check_gone(A_PIPE, false, -EPIPE);
	check_gone(A_FIFO, false, -EPIPE);
	check_gone(A_UNIX, false, -EPIPE);
	check_gone(A_UNIX_NOW, false, -EPIPE);
	check_gone(A_TCP, true, -ECONNRESET);
	check_gone(A_TCP_NOW, true, -ECONNRESET);
	check_gone(A_TERMINAL, false, -EIO);
	check_reset(A_TCP);
	check_reset(A_TCP_NOW);
	check_dev_full();
	check_small_disk();
	check_file_limit();
	check_exact_limit();
	return unit_done("relay-faults");
}
