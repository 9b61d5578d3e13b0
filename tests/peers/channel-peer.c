/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A program of its own that has sockets and pipes, and says which.
 *
 *   channel-peer listen KIND WHERE BACKLOG N   a listener, and N connections that it does not accept
 *   channel-peer pair KIND N                   two connected sockets; a child has the second, which has sent N bytes
 *   channel-peer leave KIND WHERE              a path whose socket is gone
 *   channel-peer bind KIND WHERE               a socket that does not listen
 *   channel-peer pipes PROCESSES PIPES         so many children, which share so many pipes among them
 *
 * KIND: stream, dgram, seqpacket (WHERE: a path, or @NAME), tcp, tcp6, udp, udp6 (WHERE: a port, 0 for any). Prints
 * "INODE ADDRESS" for listen and bind, "INODE INODE CHILD" for pair, "ready" for pipes, and lasts until it is killed.
 *
 * Exit status: the errno value of what failed; 99 for a usage error.
 */

#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void check(long r, const char *what)
{
	int error = errno;

	if (r >= 0)
		return;
	perror(what);
	exit(error);
}

static const struct kind {
	const char *name;
	int family, type;
} kinds[] = {
	{ "stream", AF_UNIX, SOCK_STREAM }, { "dgram", AF_UNIX, SOCK_DGRAM }, { "seqpacket", AF_UNIX, SOCK_SEQPACKET },
	{ "tcp", AF_INET, SOCK_STREAM },    { "tcp6", AF_INET6, SOCK_STREAM }, { "udp", AF_INET, SOCK_DGRAM },
	{ "udp6", AF_INET6, SOCK_DGRAM },
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	exit(99);
}

static int make(const struct kind *kind)
{
	int fd = socket(kind->family, kind->type, 0);

	check(fd, "socket");
	return fd;
}

static unsigned long inode_of(int fd)
{
	struct stat st;

	check(fstat(fd, &st), "fstat");
	return st.st_ino;
}

static void bind_to(int fd, const struct kind *kind, const char *where)
{
	struct sockaddr_storage at;
	socklen_t length = address_of(kind->family, where, &at);

	check(bind(fd, (struct sockaddr *)&at, length), "bind");
}

static void connect_to(int fd, int listener)
{
	struct sockaddr_storage at;
	socklen_t length = sizeof(at);

	check(getsockname(listener, (struct sockaddr *)&at, &length), "getsockname");
	check(connect(fd, (struct sockaddr *)&at, length), "connect");
}

static void print_address(int fd, const char *where)
{
	struct sockaddr_in6 at;
	socklen_t length = sizeof(at);
	const struct sockaddr_in *four = (const void *)&at;

	check(getsockname(fd, (struct sockaddr *)&at, &length), "getsockname");
	if (at.sin6_family == AF_INET)
		printf("%lu 127.0.0.1:%u\n", inode_of(fd), ntohs(four->sin_port));
	else if (at.sin6_family == AF_INET6)
		printf("%lu [::1]:%u\n", inode_of(fd), ntohs(at.sin6_port));
	else
		printf("%lu %s\n", inode_of(fd), where);
}

__attribute__((noreturn)) static void last(void)
{
	fflush(stdout);
	for (;;)
		pause();
}

static int run_listen(char **words)
{
	const struct kind *kind = find_kind(words[0]);
	int fd = make(kind);

	bind_to(fd, kind, words[1]);
	check(listen(fd, atoi(words[2])), "listen");
	for (int i = atoi(words[3]); i > 0; i--)
		connect_to(make(kind), fd);
	print_address(fd, words[1]);
	last();
}

static int run_bind(char **words)
{
	const struct kind *kind = find_kind(words[0]);
	int fd = make(kind);

	bind_to(fd, kind, words[1]);
	print_address(fd, words[1]);
	last();
}

static void make_pair(const struct kind *kind, int fds[2])
{
	int listener;

	if (kind->family == AF_UNIX) {
		check(socketpair(AF_UNIX, kind->type, 0, fds), "socketpair");
		return;
	}
	listener = make(kind);
	bind_to(listener, kind, "0");
	fds[1] = make(kind);
	if (kind->type == SOCK_STREAM)
		check(listen(listener, 1), "listen");
	else
		bind_to(fds[1], kind, "0");
	connect_to(fds[1], listener);
	if (kind->type == SOCK_STREAM) {
		fds[0] = accept(listener, NULL, NULL);
		check(fds[0], "accept");
		close(listener);
		return;
	}
	connect_to(listener, fds[1]);
	fds[0] = listener;
}

static int run_pair(char **words)
{
	static char data[65536];
	int fds[2], ready[2];
	char byte;
	pid_t child;

	make_pair(find_kind(words[0]), fds);
	if (atoi(words[1]) > (int)sizeof(data))
		return 99;
	check(send(fds[1], data, (size_t)atoi(words[1]), 0), "send");
	check(pipe(ready), "pipe");
	child = fork();
	check(child, "fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		close(ready[0]);
		close(ready[1]);
		last();
	}
	close(ready[1]);
	/* Its end: the child has what it will have. */
	while (read(ready[0], &byte, 1) < 0 && errno == EINTR)
		;
	close(ready[0]);
	printf("%lu %lu %d\n", inode_of(fds[0]), inode_of(fds[1]), (int)child);
	close(fds[1]);
	last();
}

static int run_pipes(char **words)
{
	int processes = atoi(words[0]), each = atoi(words[1]) / processes, fds[2];

	for (int i = 0; i < processes; i++) {
		for (int j = 0; j < each; j++)
			check(pipe(fds), "pipe");
		switch (fork()) {
		case -1:
			check(-1, "fork");
			break;
		case 0:
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			last();
		}
		check(close_range(3, ~0u, 0), "close_range");
	}
	puts("ready");
	last();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *verb;
		int words;
		int (*run)(char **words);
	} verbs[] = {
		{ "listen", 4, run_listen }, { "pair", 2, run_pair }, { "bind", 2, run_bind }, { "pipes", 2, run_pipes }
	};

	if (argc == 4 && !strcmp(argv[1], "leave")) {
		bind_to(make(find_kind(argv[2])), find_kind(argv[2]), argv[3]);
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(argv[1], verbs[i].verb) && argc == verbs[i].words + 2)
			return verbs[i].run(argv + 2);
	return 99;
}
