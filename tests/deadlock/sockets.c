/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Two processes, each with one end of a connection: both read, or both write what nobody reads. */

#include "stage.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WRITES   1
#define MESSAGES 2 /* by sendmsg and recvmsg */

static int ends[2];
static long how;

static void send_all(int fd)
{
	static char data[65536];
	struct iovec part = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	for (;;) {
		if (how & MESSAGES)
			must(sendmsg(fd, &message, 0), "sendmsg");
		else
			must(send(fd, data, sizeof(data), 0), "send");
	}
}

static void receive(int fd)
{
	char byte;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (how & MESSAGES)
		must(recvmsg(fd, &message, 0), "recvmsg");
	else
		must(read(fd, &byte, 1), "read");
}

static void use(unsigned me)
{
	close(ends[1 - me]);
	meet(0, 2);
	waits(how & WRITES ? "socket-write" : "socket-read", 1 - (int)me);
	if (how & WRITES)
		send_all(ends[me]);
	receive(ends[me]);
}

static void play_pair(long variant)
{
	how = variant;
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	processes(2, use);
}

static void connect_to(int listener, struct sockaddr *address, socklen_t size)
{
	must(bind(listener, address, size), "bind");
	must(listen(listener, 1), "listen");
	must(getsockname(listener, address, &size), "getsockname");
	ends[0] = must(socket(address->sa_family, SOCK_STREAM, 0), "socket");
	must(connect(ends[0], address, size), "connect");
	ends[1] = must(accept(listener, NULL, NULL), "accept");
	close(listener);
	processes(2, use);
}

/* By an abstract name. */
static void play_unix(long variant)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "ipckit-stage.%d", (int)getpid());

	how = variant;
	connect_to(must(socket(AF_UNIX, SOCK_STREAM, 0), "socket"), (struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length));
}

static void play_tcp(long variant)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	how = variant;
	connect_to(must(socket(AF_INET, SOCK_STREAM, 0), "socket"), (struct sockaddr *)&address, sizeof(address));
}

static void play_tcp6(long variant)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int listener = socket(AF_INET6, SOCK_STREAM, 0);

	how = variant;
	if (listener < 0)
		skip("IPv6");
	connect_to(listener, (struct sockaddr *)&address, sizeof(address));
}

static const struct scene scenes[] = {
	{ "pair-read", play_pair, 0, 2, "certain" },
	{ "pair-write", play_pair, WRITES, 2, "certain" },
	{ "pair-messages", play_pair, MESSAGES, 2, "certain" },
	{ "unix", play_unix, 0, 2, "certain" },
	{ "tcp-read", play_tcp, 0, 2, "certain" },
	{ "tcp-write", play_tcp, WRITES, 2, "certain" },
	{ "tcp6", play_tcp6, MESSAGES, 2, "certain" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
