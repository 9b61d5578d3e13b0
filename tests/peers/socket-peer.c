/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Sockets as any C program uses them, without libipckit: a client and a server of each kind.
 *
 *   socket-peer send KIND WHERE SIZE...     connects, sends messages of these sizes, and closes
 *   socket-peer receive KIND WHERE COUNT    prints the sizes of so many messages that come; of a stream of what came
 *                                           until its end, COUNT being the connections
 *   socket-peer ask KIND WHERE SIZE...      as send, but each has to come back before the next is sent; then nothing
 *                                           more may come
 *   socket-peer answer KIND WHERE           sends back what comes, until its end
 *
 * KIND: stream, dgram, seqpacket (WHERE: a path, or @NAME), tcp, tcp6, udp, udp6 (WHERE: a port). Who receives or answers
 * listens at WHERE (port 0: any), and prints that first. The bytes are those that a sender begins with, whatever they
 * are cut into; that they are the same is checked.
 *
 * Exit status: the errno value of what failed; 98: not what was to come; 99: a usage error.
 */

#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LARGEST (1u << 20)

static const struct kind {
	const char *name;
	int family, type;
} kinds[] = {
	{ "stream", AF_UNIX, SOCK_STREAM }, { "dgram", AF_UNIX, SOCK_DGRAM }, { "seqpacket", AF_UNIX, SOCK_SEQPACKET },
	{ "tcp", AF_INET, SOCK_STREAM },    { "tcp6", AF_INET6, SOCK_STREAM }, { "udp", AF_INET, SOCK_DGRAM },
	{ "udp6", AF_INET6, SOCK_DGRAM },
};

static const struct kind *kind;
static unsigned char data[LARGEST];

static void check(long r, const char *what)
{
	int error = errno;

	if (r >= 0)
		return;
	fprintf(stderr, "socket-peer: %s: %s\n", what, strerror(error));
	exit(error);
}

static void insist(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "socket-peer: %s\n", what);
	exit(98);
}

static void find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, name))
			kind = &kinds[i];
	if (!kind)
		exit(99);
}

/* ---- the bytes ---- */

static unsigned char byte_at(size_t at)
{
	return (unsigned char)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

static void fill(size_t at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = byte_at(at + i);
}

static void compare(size_t at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		insist(data[i] == byte_at(at + i), "other bytes have come");
}

static size_t size_of(const char *word)
{
	size_t size = strtoul(word, NULL, 0);

	if (size > LARGEST)
		exit(99);
	return size;
}

/* ---- sockets ---- */

static int make(void)
{
	int fd = socket(kind->family, kind->type, 0);

	check(fd, "socket");
	return fd;
}

static int go_to(const char *where)
{
	struct sockaddr_storage at;
	socklen_t length = address_of(kind->family, where, &at);
	int fd = make();

	/* Else nobody could answer. */
	if (kind->family == AF_UNIX && kind->type == SOCK_DGRAM)
		check(bind(fd, (const struct sockaddr *)&(sa_family_t){ AF_UNIX }, sizeof(sa_family_t)), "bind");
	check(connect(fd, (struct sockaddr *)&at, length), where);
	return fd;
}

static void tell(int fd, const char *where)
{
	struct sockaddr_in6 at; /* the port is where IPv4 has it */
	socklen_t length = sizeof(at);

	if (kind->family == AF_UNIX) {
		puts(where);
	} else {
		check(getsockname(fd, (struct sockaddr *)&at, &length), "getsockname");
		printf("%u\n", ntohs(at.sin6_port));
	}
	fflush(stdout);
}

static int stand_at(const char *where)
{
	struct sockaddr_storage at;
	socklen_t length = address_of(kind->family, where, &at);
	int fd = make();

	check(bind(fd, (struct sockaddr *)&at, length), where);
	if (kind->type != SOCK_DGRAM)
		check(listen(fd, 8), where);
	tell(fd, where);
	return fd;
}

static int take(int fd)
{
	if (kind->type == SOCK_DGRAM)
		return fd;
	fd = accept(fd, NULL, NULL);
	check(fd, "accept");
	return fd;
}

/* ---- what goes through ---- */

static void give(int fd, size_t size)
{
	size_t done = 0;
	ssize_t n;

	do {
		n = send(fd, data + done, size - done, MSG_NOSIGNAL);
		check(n, "send");
		done += (size_t)n;
	} while (done < size);
}

static size_t get(int fd, size_t most)
{
	ssize_t n = recv(fd, data, most, 0);

	check(n, "recv");
	return (size_t)n;
}

static void send_all(int fd, char **sizes)
{
	for (size_t at = 0; *sizes; sizes++) {
		fill(at, size_of(*sizes));
		give(fd, size_of(*sizes));
		at += size_of(*sizes);
	}
}

static size_t receive_stream(int fd)
{
	size_t at = 0, n;

	for (; (n = get(fd, LARGEST)); at += n)
		compare(at, n);
	return at;
}

static void receive_all(int listener, int count)
{
	int fd = kind->type == SOCK_SEQPACKET ? take(listener) : listener;
	size_t at = 0, n;

	for (int i = 0; i < count; i++) {
		if (kind->type == SOCK_STREAM) {
			n = receive_stream(take(listener));
		} else {
			n = get(fd, LARGEST);
			compare(at, n);
			at += n;
		}
		printf("%zu\n", n);
	}
	if (kind->type == SOCK_SEQPACKET)
		insist(!get(fd, LARGEST), "more has come");
}

static void ask_all(int fd, char **sizes)
{
	size_t at = 0, size, back, n;

	for (; *sizes; sizes++, at += size) {
		size = size_of(*sizes);
		fill(at, size);
		give(fd, size);
		for (back = 0; back < size; back += n) {
			n = get(fd, kind->type == SOCK_STREAM ? size - back : LARGEST);
			compare(at + back, n);
			insist(n == size || (n && kind->type == SOCK_STREAM), "an answer of another size");
		}
	}
	if (kind->type == SOCK_DGRAM)
		return;
	check(shutdown(fd, SHUT_WR), "shutdown");
	insist(!get(fd, LARGEST), "more has come");
}

static void answer_all(int fd)
{
	struct sockaddr_storage from;
	socklen_t length;
	ssize_t n;

	for (;;) {
		length = sizeof(from);
		n = recvfrom(fd, data, LARGEST, 0, (struct sockaddr *)&from, &length);
		check(n, "recvfrom");
		if (!n && kind->type != SOCK_DGRAM)
			return;
		if (kind->type == SOCK_DGRAM)
			check(sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&from, length), "sendto");
		else
			give(fd, (size_t)n);
	}
}

int main(int argc, char **argv)
{
	const char *verb = argc > 3 ? argv[1] : "";

	if (*verb)
		find_kind(argv[2]);
	if (!strcmp(verb, "send"))
		send_all(go_to(argv[3]), argv + 4);
	else if (!strcmp(verb, "receive") && argc == 5)
		receive_all(stand_at(argv[3]), atoi(argv[4]));
	else if (!strcmp(verb, "ask"))
		ask_all(go_to(argv[3]), argv + 4);
	else if (!strcmp(verb, "answer"))
		answer_all(take(stand_at(argv[3])));
	else
		return 99;
	return 0;
}
