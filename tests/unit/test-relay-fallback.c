/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Relays that go on by another way in the middle, because the kernel refuses the first one; pipes that are
 * full.
 */

#include "relays.h"

#include <ipckit/pipe.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static struct ipckit_flow *flow;

/* ---- calls that are refused from one moment on ---- */

static int refusal;          /* errno of the calls below, 0: they do what they do */
static int granted = 1 << 30; /* so many of them before */

static bool is_refused(void)
{
	if (!refusal || granted-- > 0)
		return false;
	errno = refusal;
	return true;
}

/* In place of those of libc. */
ssize_t splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t size, unsigned flags)
{
	return is_refused() ? -1 : syscall(SYS_splice, in, in_at, out, out_at, size, flags);
}

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t size, unsigned flags)
{
	/* A part at a time, so that there is a middle. */
	size = size < 4096 ? size : 4096;
	return is_refused() ? -1 : syscall(SYS_copy_file_range, in, in_at, out, out_at, size, flags);
}

/* ---- by another way in the middle ---- */

/* The sink is made to append while bytes lie on the way. */
static void check_fallback(enum kind source)
{
	const struct ipckit_flow_spec plain = { 0 };
	const struct ipckit_relay hasty = { .idle = 20 * MS }, patient = { .idle = PATIENCE };
	struct end from = make_end(source, true);
	struct ipckit_flow_state state;
	int to = make_file();

	write_stream(from.other, 0, 5000, 5000);
	if (!CHECK_INT(ipckit_flow_open(from.own, to, &plain, &flow), 0))
		return;
	CHECK_INT(ipckit_relay_run(&hasty, &flow, 1), -ETIMEDOUT);
	fcntl(to, F_SETFL, O_APPEND);
	write_stream(from.other, 5000, 30000, 5000);
	close(from.other);
	from.other = -1;
	CHECK_INT(ipckit_relay_run(&patient, &flow, 1), 0);
	ipckit_flow_look(flow, &state);
	CHECK_INT(state.error, 0);
	CHECK_INT(state.bytes, 30000);
	CHECK_INT(state.method, IPCKIT_FLOW_COPY);
	ipckit_flow_close(flow);
	lseek(to, 0, SEEK_SET);
	CHECK_INT(read_stream(to, -1, 65536), 30000);
	close_end(&from);
	close(to);
}

/* The sink is full, so that bytes lie between; then not even these can be spliced any more. */
static void check_between(enum kind source, enum kind sink, uint64_t bytes)
{
	const struct ipckit_flow_spec pages = { .zero_copy = true };
	const struct ipckit_relay hasty = { .idle = 20 * MS }, patient = { .idle = PATIENCE };
	struct end from = make_end(source, true), to = make_end(sink, false);
	pid_t writer = start_writer(from.other, bytes, 65536), reader;
	struct ipckit_flow_state state;

	close(from.other);
	from.other = -1;
	if (!CHECK_INT(ipckit_flow_open(from.own, to.own, &pages, &flow), 0))
		return;
	CHECK_INT(ipckit_relay_run(&hasty, &flow, 1), -ETIMEDOUT);
	ipckit_flow_look(flow, &state);
	CHECK_INT(state.method, IPCKIT_FLOW_SPLICE_TWICE);
	CHECK(state.read > state.bytes && state.bytes);
	reader = start_reader(to.other, bytes, true, 65536);
	close(to.other);
	to.other = -1;
	refusal = EINVAL;
	granted = 0;
	CHECK_INT(ipckit_relay_run(&patient, &flow, 1), 0);
	refusal = 0;
	ipckit_flow_look(flow, &state);
	CHECK_INT(state.error, 0);
	CHECK_INT(state.read, bytes);
	CHECK_INT(state.bytes, bytes);
	CHECK_INT(state.method, IPCKIT_FLOW_COPY);
	ipckit_flow_close(flow);
	close_end(&to);
	CHECK_INT(wait_for(reader), 0);
	CHECK_INT(wait_for(writer), 0);
	close_end(&from);
}

/* After so many calls. */
static void check_refused(enum kind source, enum kind sink, int after, int error)
{
	const struct ipckit_relay how = { .idle = PATIENCE };
	struct end from = make_end(source, true), to = make_end(sink, false);
	struct ipckit_flow_state state = { 0 };
	const uint64_t bytes = 3000001; /* more than two calls move */
	pid_t writer = 0, reader = 0;

	if (from.other < 0)
		write_stream(from.own, 0, bytes, 65536);
	else
		writer = start_writer(from.other, bytes, 65536);
	if (to.other >= 0)
		reader = start_reader(to.other, bytes, true, 65536);
	close(from.other);
	close(to.other);
	from.other = to.other = -1;
	lseek(from.own, 0, SEEK_SET);
	refusal = error;
	granted = after;
	CHECK_INT(run_flow(&how, from.own, to.own, NULL, &state), 0);
	refusal = 0;
	CHECK_INT(state.error, 0);
	CHECK_INT(state.bytes, bytes);
	CHECK_INT(state.method, IPCKIT_FLOW_COPY);
	if (!reader) {
		lseek(to.own, 0, SEEK_SET);
		CHECK_INT(read_stream(to.own, -1, 65536), bytes);
	}
	close_end(&to);
	if (reader)
		CHECK_INT(wait_for(reader), 0);
	if (writer)
		CHECK_INT(wait_for(writer), 0);
	close_end(&from);
}

/* ---- pipes that are full ---- */

/* Of little. */
static void check_little(void)
{
	const struct ipckit_relay how = { .idle = IPCKIT_FOREVER };
	struct end from = make_end(A_UNIX_NOW, true), to = make_end(A_PIPE, false);
	struct ipckit_flow_state state = { 0 };
	const uint64_t bytes = 3000;
	uint64_t small;
	pid_t writer, reader;

	CHECK_INT(ipckit_pipe_set_capacity(to.own, 4096, &small), 0);
	writer = start_writer(from.other, bytes, 1);
	reader = start_reader(to.other, bytes, true, 7);
	close(from.other);
	close(to.other);
	from.other = to.other = -1;
	CHECK_INT(run_flow(&how, from.own, to.own, NULL, &state), 0);
	CHECK_INT(state.bytes, bytes);
	close_end(&to);
	CHECK_INT(wait_for(writer), 0);
	CHECK_INT(wait_for(reader), 0);
	close_end(&from);
}

/* All has been given, the sink is full and nobody reads: that is the end, and nothing is waited for. */
static void check_full_at_end(enum kind source, bool resets)
{
	const struct ipckit_relay how = { .idle = PATIENCE };
	struct end from = make_end(source, true), to = make_end(A_PIPE, false);
	struct ipckit_flow_state state = { 0 };
	struct pollfd full = { .fd = to.own, .events = POLLOUT };
	const struct linger now_off = { .l_onoff = 1 };
	static const unsigned char page[4096];
	int64_t begin = now();
	uint64_t room;

	/* Not to be made larger. */
	ipckit_pipe_grow(to.own, 1 << 20);
	CHECK_INT(ipckit_pipe_capacity(to.own, &room), 0);
	/* One place is left, of a page or less. */
	for (uint64_t at = 4096; at < room; at += sizeof(page))
		write_all(to.own, page, sizeof(page));
	write_all(from.other, page, 100);
	if (resets)
		setsockopt(from.other, SOL_SOCKET, SO_LINGER, &now_off, sizeof(now_off));
	close(from.other);
	from.other = -1;
	CHECK_INT(run_flow(&how, from.own, to.own, NULL, &state), 0);
	CHECK(state.ended);
	CHECK_INT(state.error, resets ? -ECONNRESET : 0);
	CHECK_INT(state.bytes, 100);
	CHECK_INT(poll(&full, 1, 0), 0);
	CHECK(now() - begin < PATIENCE / 2);
	close_end(&from);
	close_end(&to);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	check_fallback(A_PIPE);
	check_fallback(A_TCP);
	check_between(A_TCP, A_UNIX_NOW, 4 << 20);
	check_between(A_UNIX, A_TCP_NOW, 12 << 20);
	check_refused(A_PIPE, A_PIPE, 2, EINVAL);
	check_refused(A_PIPE, A_FILE, 2, ENOSYS);
	check_refused(A_TCP, A_PIPE, 2, EOPNOTSUPP);
	check_refused(A_FILE, A_FILE, 0, EXDEV);
	check_refused(A_FILE, A_FILE, 5, EINVAL);
	check_refused(A_FILE, A_FILE, 5, EIO);
	check_little();
	check_full_at_end(A_PIPE, false);
	check_full_at_end(A_TCP, false);
	check_full_at_end(A_TCP, true);
	return unit_done("relay-fallback");
}
