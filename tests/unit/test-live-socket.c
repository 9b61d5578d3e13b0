/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who waits for whom by sockets: real processes, and trees with the kernel's tables of sockets. */

#include "actors.h"
#include "failing.h"

#include "../../lib/live-open.h"
#include "trees.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#define CERTAIN IPCKIT_LIVE_CERTAIN
#define TIMED IPCKIT_LIVE_TIMED
#define INFERRED IPCKIT_LIVE_INFERRED

/* ---- real ones ---- */

static bool pair_of_stream(void)
{
	return !socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static bool pair_of_packets(void)
{
	return !socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds);
}

static bool pair_of_datagrams(void)
{
	return !socketpair(AF_UNIX, SOCK_DGRAM, 0, fds);
}

static bool pair_with_limit(void)
{
	const struct timeval hour = { .tv_sec = 3600 };

	return pair_of_stream() && !setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &hour, sizeof(hour)) &&
	       !setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &hour, sizeof(hour));
}

/* accepted: fds[1] is; else the connection waits to be, and fds[1] listens. */
static bool connect_to(const struct sockaddr *address, socklen_t size, bool accepted)
{
	struct sockaddr_storage at = { 0 };
	socklen_t length = sizeof(at);
	int listener = socket(address->sa_family, SOCK_STREAM, 0);

	fds[0] = socket(address->sa_family, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, address, size) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&at, &length) ||
	    connect(fds[0], (struct sockaddr *)&at, length))
		return false;
	fds[1] = accepted ? accept(listener, NULL, NULL) : listener;
	if (accepted)
		close(listener);
	return fds[1] >= 0;
}

static bool by_tcp(void)
{
	const struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect_to((const struct sockaddr *)&address, sizeof(address), true);
}

static bool by_tcp_unaccepted(void)
{
	const struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect_to((const struct sockaddr *)&address, sizeof(address), false);
}

/* The kernel makes an abstract name up. */
static bool by_unix(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX };

	return connect_to((const struct sockaddr *)&address, sizeof(sa_family_t), true);
}

static bool by_unix_unaccepted(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX };

	return connect_to((const struct sockaddr *)&address, sizeof(sa_family_t), false);
}

static bool listening(void)
{
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	return fds[0] >= 0 && !listen(fds[0], 1);
}

#define BOTH(act, other) { ACTOR(act, 0, KEEP(0, 0)), ACTOR(other, 1, KEEP(1, 1)) }
#define ROWS(name)                                                                                           \
	{ name " read", BOTH(READ, READ), true, CERTAIN, "socket-read", 2, false },                          \
	{ name " received", BOTH(RECEIVE, RECEIVE_MESSAGE), true, CERTAIN, "socket-read", 2, false },        \
	{ name " sent", BOTH(SEND, SEND_MESSAGE), true, CERTAIN, "socket-write", 2, false }

static const struct act_row stream_rows[] = {
	ROWS("stream"),
	{ "not all is seen",
	  { ACTOR(READ, 0, KEEP(0, 0)), ACTOR(READ, 1, KEEP(1, 1)) }, true, INFERRED, "socket-read", 2, true },
	{ "written",
	  { ACTOR(WRITE, 0, KEEP(0, 0)), ACTOR(WRITEV, 1, KEEP(1, 1)) }, true, CERTAIN, "socket-write", 2,
	  false },
	{ "readv",
	  { ACTOR(READV, 0, KEEP(0, 0)), ACTOR(READ, 1, KEEP(1, 1)) }, true, CERTAIN, "socket-read", 2, false },
	{ "spliced from",
	  { ACTOR(SPLICE_FROM, 0, KEEP(0, 0)), ACTOR(READ, 1, KEEP(1, 1)) }, true, CERTAIN, "socket-read", 2,
	  false },
	{ "polled",
	  { ACTOR(POLL, 0, KEEP(0, 0)), ACTOR(READ, 1, KEEP(1, 1)) }, true, CERTAIN, "poll", 2, false },
	{ "watched",
	  { ACTOR(EPOLL, 0, KEEP(0, 0)), ACTOR(SELECT, 1, KEEP(1, 1)) }, true, CERTAIN, "poll", 2, false },
	{ "its own both", { ACTOR(READ, 0, KEEP(0, 1)) }, true, CERTAIN, "socket-read", 1, false },
	{ "a third has the other side",
	  { ACTOR(READ, 0, KEEP(0, 0)), ACTOR(READ, 1, KEEP(1, 1)), ACTOR(PAUSE, 0, KEEP(1, 1)) }, false, 0,
	  "socket-read", 6, false },
	{ "a third may shut it down",
	  { ACTOR(READ, 0, KEEP(0, 0)), ACTOR(READ, 1, KEEP(1, 1)), ACTOR(PAUSE, 0, KEEP(0, 0)) }, false, 0,
	  "socket-read", 6, false },
	{ "a thread may shut it down",
	  { ACTOR(READ, 0, KEEP(0, 0), .thread = true), ACTOR(READ, 1, KEEP(1, 1)) }, false, 0, "socket-read", 3,
	  false },
	{ "the other side is live",
	  { ACTOR(READ, 0, KEEP(0, 0)), ACTOR(PAUSE, 1, KEEP(1, 1)) }, false, 0, "socket-read", 2, false },
	{ "a stopped one may go on",
	  { ACTOR(READ, 0, KEEP(0, 0), .stopped = true), ACTOR(READ, 1, KEEP(1, 1)) }, false, 0, NULL, 0,
	  false },
};

static const struct act_row packet_rows[] = { ROWS("packets") };
static const struct act_row tcp_rows[] = { ROWS("TCP") };
static const struct act_row unix_rows[] = { ROWS("by a name") };

static const struct act_row limit_rows[] = {
	{ "a limit for reading",
	  { ACTOR(READ, 0, KEEP(0, 0)), ACTOR(READ, 1, KEEP(1, 1)) }, true, TIMED, "socket-read", 2, false },
	{ "a limit for writing",
	  { ACTOR(SEND, 0, KEEP(0, 0)), ACTOR(SEND, 1, KEEP(1, 1)) }, true, TIMED, "socket-write", 2, false },
};

static const struct act_row none_rows[] = {
	{ "anybody", { ACTOR(READ, 0, KEEP(0, 0)), ACTOR(READ, 1, KEEP(1, 1)) }, false, 0, NULL, 0, false },
};

static const struct act_row unaccepted_rows[] = {
	{ "not accepted yet", { ACTOR(READ, 0, KEEP(0, 1)) }, false, 0, NULL, 0, false },
	{ "polled", { ACTOR(POLL, 0, KEEP(0, 1)) }, false, 0, NULL, 0, false },
};

static const struct act_row listener_rows[] = {
	{ "a listener is polled", { ACTOR(POLL, 0, KEEP(0, 0)) }, false, 0, NULL, 0, false },
};

#define PLAY(rows, make)                                                   \
	for (size_t row_ = 0; row_ < sizeof(rows) / sizeof(*rows); row_++) \
	actors_play(&rows[row_], make)

static void test_real(void)
{
	PLAY(stream_rows, pair_of_stream);
	PLAY(packet_rows, pair_of_packets);
	PLAY(tcp_rows, by_tcp);
	PLAY(unix_rows, by_unix);
	PLAY(limit_rows, pair_with_limit);
	PLAY(none_rows, pair_of_datagrams);
	PLAY(listener_rows, listening);
	PLAY(unaccepted_rows, by_tcp_unaccepted);
	PLAY(unaccepted_rows, by_unix_unaccepted);
}

/* ---- trees ---- */

static char call_text[160];

static void make_reader(int pid, const char *socket, const char *call)
{
	tree_thread(&(struct tree_thread){ .pid = pid, .tid = pid, .call = call });
	tree_put(tree_name("%d/task/%d/wchan", pid, pid), "wait_woken");
	tree_mkdir(tree_name("%d/fd", pid));
	if (symlinkat(socket, tree, tree_name("%d/fd/5", pid)))
		abort();
}

static const char *in(long number)
{
	snprintf(call_text, sizeof(call_text), "%ld 0x5 0x1000 0x3 0x0 0x0 0x0 0x7ffe00 0x7fff00\n", number);
	return call_text;
}

#define HEADING "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid inode\n"
#define LINE(local, remote, state, sent, got, inode)                                                \
	"   0: 0100007F:" local " 0100007F:" remote " " state " " sent ":" got                      \
	" 00:00000000 00000000     0        0 " inode " 1 0000000000000000 20 4 30 10 -1\n"

static const struct {
	const char *what;
	long number;
	const char *table;
	bool found;
} tables[] = {
	{ "connected", SYS_read, LINE("0011", "0022", "01", "00000000", "00000000", "71") LINE("0022", "0011",
	"01", "00000000", "00000000", "72"), true },
	{ "something is to be read", SYS_read, LINE("0011", "0022", "01", "00000000", "00000001",
	"71") LINE("0022", "0011", "01", "00000000", "00000000", "72"), false },
	{ "something is on its way", SYS_read, LINE("0011", "0022", "01", "00000000", "00000000",
	"71") LINE("0022", "0011", "01", "00000001", "00000000", "72"), false },
	{ "both are full", SYS_write, LINE("0011", "0022", "01", "00000009", "00000009", "71") LINE("0022",
	"0011", "01", "00000009", "00000009", "72"), true },
	{ "one has read all", SYS_write, LINE("0011", "0022", "01", "00000009", "00000009", "71") LINE("0022",
	"0011", "01", "00000009", "00000000", "72"), false },
	{ "one has sent all", SYS_write, LINE("0011", "0022", "01", "00000000", "00000009", "71") LINE("0022",
	"0011", "01", "00000009", "00000009", "72"), false },
	{ "one is not known", SYS_read, LINE("0011", "0022", "01", "00000000", "00000000", "71"), false },
	{ "one is connected elsewhere", SYS_read, LINE("0011", "0022", "01", "00000000", "00000000",
	"71") LINE("0022", "0033", "01", "00000000", "00000000", "72"), false },
	{ "a listener", SYS_read, LINE("0011", "0000", "0A", "00000000", "00000000", "71") LINE("0022", "0011",
	"01", "00000000", "00000000", "72"), false },
	{ "none", SYS_read, "", false },
	{ "nonsense", SYS_read, "   0: x:y\n\n", false },
};

static int look_at_tree(void)
{
	static const live_collector collectors[] = { see_all, live_collect_transfer, live_collect_poll, NULL };
	const struct ipckit_live_options all = { .everything = true };
	struct ipckit_live result;
	int r = live_look(tree, &all, collectors, &result);

	if (r)
		return r;
	r = result.core.ncomponents ? 0 : -ENOENT;
	ipckit_live_free(&result);
	return r;
}

static void make_tables(size_t i)
{
	char text[1024];

	tree_begin();
	make_reader(30, "socket:[71]", in(tables[i].number));
	make_reader(31, "socket:[72]", in(tables[i].number));
	snprintf(text, sizeof(text), "%s%s", HEADING, tables[i].table);
	tree_put("self/net/tcp", text);
}

static void test_trees(void)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		make_tables(i);
		CHECK_INT_FOR(tables[i].what, look_at_tree(), tables[i].found ? 0 : -ENOENT);
		tree_end();
	}
	make_tables(0);
	tree_put("30/task/30/wchan", "__lock_sock");
	CHECK_INT_FOR("a lock of the kernel", look_at_tree(), -ENOENT);
	tree_end();
	make_tables(0);
	check_failing("connected", look_at_tree);
	tree_end();
}

/* i386: the call's number, and where its arguments lie. */
static void test_socketcall(void)
{
	static const struct {
		unsigned call;
		bool found;
	} calls[] = {
		{ 10, true }, { 12, true }, { 17, true }, { 9, false }, { 5, false }, { 3, false }, { 0, false },
	};
	char memory[4096 + 4] = "";

	memory[4096] = 5;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		make_tables(0);
		snprintf(call_text, sizeof(call_text), "102 0x%x 0x1000 0x0 0x0 0x0 0x0 0x7ffe00 0x7fff00\n",
			 calls[i].call);
		tree_put("30/task/30/syscall", call_text);
		tree_put_bytes("30/auxv", (unsigned[4]){ 6, 4096 }, 16);
		tree_put_bytes("30/mem", memory, sizeof(memory));
		CHECK_INT_FOR(call_text, look_at_tree(), calls[i].found ? 0 : -ENOENT);
		tree_put_bytes("30/mem", memory, 4096);
		CHECK_INT_FOR("no memory there", look_at_tree(), -ENOENT);
		tree_end();
	}
}

int main(void)
{
	if (!actors_begin())
		return unit_skip("live socket", "nothing is told of threads here");
	test_trees();
	test_socketcall();
	test_real();
	return unit_done("live socket");
}
