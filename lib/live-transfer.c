/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-open.h"
#include "sys.h"

#include <string.h>

/* ---- where a thread sleeps ---- */

static int read_place(const struct live_scan *scan, uint32_t thread, char place[64])
{
	const struct live_thread *found = &scan->threads[thread];
	char path[LIVE_PATH_ROOM];
	ssize_t n;

	live_path(path, scan->processes[found->process].pid, found->tid, "wchan");
	n = proc_read_into(scan->root, path, place, 64);
	if (n < 0)
		*place = '\0';
	return sys_own_trouble((int)n);
}

static bool is_told(const char *place)
{
	return *place && strcmp(place, "0");
}

int live_sleeps_in(struct live_scan *scan, uint32_t thread, const char *const *words, bool surely)
{
	const struct live_thread *found = &scan->threads[thread];
	struct live_status status;
	char place[64];
	int r = read_place(scan, thread, place);

	if (r)
		return r;
	if (is_told(place))
		return proc_place_is(place, words);
	if (surely)
		return 0;
	r = live_status_read(scan->root, scan->processes[found->process].pid, found->tid, &status);
	if (r)
		return sys_own_trouble(r);
	return status.state == 'S';
}

/* ---- between two descriptors ---- */

/* Through which descriptor a thread is about to read or write. */
struct transfer {
	int fd;
	bool writes;
};

/* A place that sockets of TCP share for both ways tells that it is the socket, where only one of both is. */
static int is_the_socket(struct live_scan *scan, uint32_t thread, int fd, int other)
{
	uint32_t process = scan->threads[thread].process;
	struct live_end end, end2;
	int r = live_open_look(scan, process, fd, &end);

	if (!r)
		r = live_open_look(scan, process, other, &end2);
	return r ? r : end.class == LIVE_SOCKET && end2.class != LIVE_SOCKET;
}

/* For which of the two it waits shows in where it sleeps. */
static int read_two(struct live_scan *scan, uint32_t thread, int from, int to, struct transfer *out)
{
	static const char *const reads[] = { "readable", "_read", "data_wait", "wait_data", "recv", "more_packets",
					     "ipipe", NULL };
	static const char *const writes[] = { "writable", "_write", "wait_for_space", "wait_memory", "alloc_send",
					      "opipe", NULL };
	char place[64];
	int r = read_place(scan, thread, place);
	bool in = !r && proc_place_is(place, reads), both;

	if (r)
		return r;
	both = in == proc_place_is(place, writes);
	if (both && strcmp(place, "wait_woken"))
		return 0;
	if (both) {
		r = is_the_socket(scan, thread, from, to);
		in = r == 1;
		if (!r)
			r = is_the_socket(scan, thread, to, from);
		if (r <= 0)
			return r;
	}
	*out = (struct transfer){ .fd = in ? from : to, .writes = !in };
	return 1;
}

/* ---- calls ---- */

static int one(int fd, bool writes, struct transfer *out)
{
	*out = (struct transfer){ .fd = fd, .writes = writes };
	return 1;
}

/* The call's number is its first argument, and where the others lie the second one. */
static int read_socketcall(struct live_scan *scan, uint32_t thread, struct transfer *out)
{
	enum { SEND = 9, RECEIVE = 10, SEND_TO = 11, RECEIVE_FROM = 12, SEND_MESSAGE = 16, RECEIVE_MESSAGE = 17 };
	const struct live_thread *found = &scan->threads[thread];
	uint64_t call = found->call.args[0];
	bool writes = call == SEND || call == SEND_TO || call == SEND_MESSAGE;
	uint32_t fd;
	int r;

	if (!writes && call != RECEIVE && call != RECEIVE_FROM && call != RECEIVE_MESSAGE)
		return 0;
	r = live_read(scan, found->process, found->call.args[1], &fd, sizeof(fd));
	if (r)
		return sys_own_trouble(r);
	return one((int)fd, writes, out);
}

/* 1; 0: none that is known. */
static int read_transfer(struct live_scan *scan, uint32_t thread, struct transfer *out)
{
	const uint64_t *args = scan->threads[thread].call.args;
	enum live_call call;
	int r = live_call(scan, thread, &call);

	if (r)
		return r;
	switch (call) {
	case LIVE_CALL_READ:
	case LIVE_CALL_READV:
	case LIVE_CALL_RECVFROM:
	case LIVE_CALL_RECVMSG:
		return one((int)args[0], false, out);
	case LIVE_CALL_WRITE:
	case LIVE_CALL_WRITEV:
	case LIVE_CALL_SENDTO:
	case LIVE_CALL_SENDMSG:
		return one((int)args[0], true, out);
	case LIVE_CALL_SOCKETCALL:
		return read_socketcall(scan, thread, out);
	case LIVE_CALL_SPLICE:
		return read_two(scan, thread, (int)args[0], (int)args[2], out);
	case LIVE_CALL_TEE:
		return read_two(scan, thread, (int)args[0], (int)args[1], out);
	case LIVE_CALL_SENDFILE:
		return read_two(scan, thread, (int)args[1], (int)args[0], out);
	default:
		return 0;
	}
}

/* ---- edges ---- */

static int collect(struct live_scan *scan, uint32_t thread)
{
	struct transfer transfer;
	struct live_end end;
	int r = read_transfer(scan, thread, &transfer);

	if (r <= 0)
		return r;
	r = live_open_look(scan, scan->threads[thread].process, transfer.fd, &end);
	if (r)
		return r;
	switch (end.class) {
	case LIVE_PIPE:
	case LIVE_FIFO:
	case LIVE_EVENTFD:
		return live_wait_pipe(scan, thread, &end, transfer.writes);
	case LIVE_SOCKET:
		return live_wait_socket(scan, thread, &end, transfer.writes);
	default:
		return 0;
	}
}

int live_collect_transfer(struct live_scan *scan)
{
	return live_each(scan, collect);
}
