/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Relays of messages: each one whole, none of them lost, answers to who asked. */

#include "relays.h"

#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un last_sender;
static socklen_t last_length;
static size_t sizes_sum;
static unsigned passed;

static void note(void *arg, struct ipckit_flow *flow, const struct sockaddr *from, socklen_t length, size_t size)
{
	(void)arg;
	(void)flow;
	passed++;
	sizes_sum += size;
	last_length = from ? length : 0;
	if (last_length)
		memcpy(&last_sender, from, length < sizeof(last_sender) ? length : sizeof(last_sender));
}

static void make_sockets(int type, int pair[2])
{
	need(!socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair), "sockets");
}

/* By a name that the kernel chooses, which is nobody else's. */
static int make_bound(void)
{
	const struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	need(fd >= 0 && !bind(fd, (const struct sockaddr *)&at, sizeof(at.sun_family)), "a datagram socket");
	return fd;
}

static void connect_to(int fd, int server)
{
	struct sockaddr_un at;
	socklen_t size = sizeof(at);

	need(!getsockname(server, (struct sockaddr *)&at, &size) && !connect(fd, (struct sockaddr *)&at, size),
	     "a connection");
}

static void check_boundaries(int type)
{
	static const size_t sizes[] = { 1, 0, 4096, 5, 60000, 0, 3 };
	const struct ipckit_relay how = { .idle = 50 * MS, .passed = note };
	struct ipckit_flow_state state = { 0 };
	static char data[70000];
	int in[2], out[2];

	make_sockets(type, in);
	make_sockets(type, out);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		CHECK_INT(send(in[0], data, sizes[i], 0), sizes[i]);
	passed = 0;
	sizes_sum = 0;
	CHECK_INT(run_flow(&how, in[1], out[0], NULL, &state), -ETIMEDOUT);
	CHECK_INT(passed, 7);
	CHECK_INT(sizes_sum, 64105);
	CHECK_INT(state.messages, 7);
	CHECK_INT(state.bytes, 64105);
	CHECK_INT(state.method, IPCKIT_FLOW_MESSAGES);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		CHECK_INT(recv(out[1], data, sizeof(data), MSG_DONTWAIT), sizes[i]);
	if (type == SOCK_SEQPACKET) {
		close(in[0]);
		CHECK_INT(run_flow(&how, in[1], out[0], NULL, &state), 0);
		CHECK(state.ended && !state.error);
	} else {
		close(in[0]);
	}
	close(in[1]);
	close(out[0]);
	close(out[1]);
}

/* A stream comes in parts, and no message is cut. */
static void check_too_long(void)
{
	const struct ipckit_relay how = { .idle = PATIENCE };
	struct ipckit_flow_state state = { 0 };
	static char data[300000];
	int in[2], out[2], size = 1 << 20;

	make_sockets(SOCK_DGRAM, in);
	make_sockets(SOCK_DGRAM, out);
	setsockopt(in[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	size = 1;
	setsockopt(out[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	CHECK_INT(send(in[0], data, 200000, 0), 200000);
	CHECK_INT(run_flow(&how, in[1], out[0], NULL, &state), 0);
	CHECK_INT(state.error, -EMSGSIZE);
	CHECK_INT(state.side, IPCKIT_FLOW_TO);
	CHECK_INT(state.refused, 200000);
	CHECK_INT(state.messages, 0);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
}

/* Takes whole messages until it has so many bytes of the stream. */
static pid_t start_taker(int fd, uint64_t bytes)
{
	static unsigned char data[70000];
	pid_t pid = fork();
	uint64_t n = 0;

	if (pid)
		return pid;
	alarm(60);
	close_others(fd);
	while (n < bytes) {
		ssize_t size = recv(fd, data, sizeof(data), 0);

		for (ssize_t i = 0; i < size; i++)
			if (data[i] != byte_at(n++))
				_exit(1);
	}
	_exit(0);
}

/* More messages than the sink keeps at once, from a stream. */
static void check_many(bool addressed)
{
	const struct ipckit_relay how = { .idle = PATIENCE };
	const uint64_t bytes = 400000;
	struct end from = make_end(A_PIPE, true);
	struct ipckit_flow_state state = { 0 };
	struct ipckit_flow_spec spec = { 0 };
	struct ipckit_address address = { .length = sizeof(address.at) };
	int server = make_bound(), client = make_bound();
	pid_t writer = start_writer(from.other, bytes, 65536), reader = start_taker(server, bytes);

	close(from.other);
	from.other = -1;
	getsockname(server, (struct sockaddr *)&address.at, &address.length);
	if (addressed)
		spec.receiver = &address;
	else
		connect_to(client, server);
	CHECK_INT(run_flow(&how, from.own, client, &spec, &state), 0);
	CHECK_INT(state.error, 0);
	CHECK_INT(state.bytes, bytes);
	CHECK(state.messages >= bytes / 8192);
	CHECK_INT(wait_for(reader), 0);
	CHECK_INT(wait_for(writer), 0);
	close_end(&from);
	close(server);
	close(client);
}

/*
 * What comes last is empty, and the sender has gone. Of a socket that the kernel was told to mark messages of
 * it is a message, else it cannot be told from the end.
 */
static void check_last_empty(bool marked)
{
	struct ipckit_flow_state state = { 0 };
	int in[2], out[2], on = marked;
	char byte;

	make_sockets(SOCK_SEQPACKET, in);
	make_sockets(SOCK_SEQPACKET, out);
	CHECK_INT(setsockopt(in[1], SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on)), 0);
	CHECK_INT(send(in[0], "x", 1, 0), 1);
	CHECK_INT(send(in[0], "", 0, 0), 0);
	close(in[0]);
	CHECK_INT(run_flow(NULL, in[1], out[0], NULL, &state), 0);
	CHECK(state.ended && !state.error);
	CHECK_INT(state.messages, marked ? 2 : 1);
	CHECK_INT(recv(out[1], &byte, 1, MSG_DONTWAIT), 1);
	CHECK_INT(recv(out[1], &byte, 1, MSG_DONTWAIT), marked ? 0 : -1);
	close(in[1]);
	close(out[0]);
	close(out[1]);
}

/* Nobody takes what an address is sent: that is idle, however often it is tried. */
static void check_stuck(void)
{
	struct ipckit_relay how = { .idle = 50 * MS };
	struct end from = make_end(A_PIPE, true);
	struct ipckit_flow_state state = { 0 };
	struct ipckit_address address = { .length = sizeof(address.at) };
	const struct ipckit_flow_spec spec = { .receiver = &address };
	int server = make_bound(), client = make_bound();
	pid_t writer = start_writer(from.other, 1 << 20, 65536);
	int64_t begin = now();

	getsockname(server, (struct sockaddr *)&address.at, &address.length);
	CHECK_INT(run_flow(&how, from.own, client, &spec, &state), -ETIMEDOUT);
	CHECK(now() - begin >= 49 * MS);
	CHECK(state.read > state.bytes);
	how.idle = 0;
	CHECK_INT(run_flow(&how, from.own, client, &spec, &state), -EAGAIN);
	kill(writer, SIGKILL);
	wait_for(writer);
	close_end(&from);
	close(server);
	close(client);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	check_boundaries(SOCK_SEQPACKET);
	check_boundaries(SOCK_DGRAM);
	check_too_long();
	check_many(false);
	check_many(true);
	check_last_empty(false);
	check_last_empty(true);
	check_stuck();
	return unit_done("relay-messages");
}
