/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * round-trip KIND ROUNDS COMMAND [ARG...]: a byte goes through a command that relays both ways, and one comes back.
 *
 * KIND: unix or tcp. The command has one side of a pair of sockets as its standard input and output, one of another
 * as descriptor 3; the other sides are here, so that nothing but the relay is waited for. Prints the median of the
 * nanoseconds of a round.
 */

#include "bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define WARM 100

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "round-trip: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void make_tcp(int pair[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	check(listener >= 0 && !bind(listener, (struct sockaddr *)&at, size) && !listen(listener, 1) &&
		      !getsockname(listener, (struct sockaddr *)&at, &size),
	      "listen");
	pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(pair[0] >= 0 && !connect(pair[0], (struct sockaddr *)&at, size), "connect");
	pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	check(pair[1] >= 0, "accept");
	close(listener);
	for (int i = 0; i < 2; i++)
		check(!setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)), "TCP_NODELAY");
}

static void make_pair(const char *kind, int pair[2])
{
	if (strcmp(kind, "tcp"))
		check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
	else
		make_tcp(pair);
}

static void pass(int from, int to)
{
	char byte = 'x';

	check(write(from, &byte, 1) == 1, "write");
	check(read(to, &byte, 1) == 1, "read");
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t measure(int near, int far, unsigned rounds)
{
	int64_t *times = calloc(rounds, sizeof(*times)), begin;

	check(times, "memory");
	for (unsigned i = 0; i < rounds + WARM; i++) {
		begin = now_ns();
		pass(near, far);
		pass(far, near);
		if (i >= WARM)
			times[i - WARM] = now_ns() - begin;
	}
	qsort(times, rounds, sizeof(*times), by_size);
	begin = times[rounds / 2];
	free(times);
	return begin;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	int near[2], far[2];
	int64_t median;
	pid_t pid;

	if (argc < 4 || atoi(argv[2]) <= 0) {
		fputs("usage: round-trip KIND ROUNDS COMMAND [ARG...]\n", stderr);
		return 2;
	}
	make_pair(argv[1], near);
	make_pair(argv[1], far);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, near[1], 0);
	posix_spawn_file_actions_adddup2(&actions, near[1], 1);
	posix_spawn_file_actions_adddup2(&actions, far[1], 3);
	pid = spawn(argv + 3, &actions);
	posix_spawn_file_actions_destroy(&actions);
	close(near[1]);
	close(far[1]);
	median = measure(near[0], far[0], (unsigned)atoi(argv[2]));
	close(near[0]);
	close(far[0]);
	check(!wait_for(pid), "the command failed");
	printf("%lld\n", (long long)median);
	return 0;
}
