/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * connections COUNT AT-ONCE COMMAND [ARG...]: so many connections through a command that serves them at a port and
 * relays each to a server here, which answers with what it is sent.
 *
 * In the arguments of the command {port} becomes a port that is free, {path} the Unix socket at which the server is.
 * Prints the nanoseconds that they took together, and how many did not get back what they had sent.
 */

#include "bench.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SIZE 1000 /* bytes of a question */
#define MOST 1024

static char path[sizeof(((struct sockaddr_un *)0)->sun_path)], port[8];

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "connections: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- the server ---- */

static bool answer(int fd)
{
	char data[SIZE];
	ssize_t n = read(fd, data, sizeof(data));

	return n > 0 && write(fd, data, (size_t)n) == n;
}

static void serve(int listener)
{
	struct pollfd polled[MOST] = { { .fd = listener, .events = POLLIN } };
	nfds_t count = 1;

	for (;;) {
		check(poll(polled, count, -1) > 0, "poll");
		for (nfds_t i = count; --i;)
			if (polled[i].revents && !answer(polled[i].fd)) {
				close(polled[i].fd);
				polled[i] = polled[--count];
			}
		if (!polled[0].revents || count == MOST)
			continue;
		polled[count] = (struct pollfd){ .fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), .events = POLLIN };
		check(polled[count].fd >= 0, "accept");
		count++;
	}
}

static pid_t start_server(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	snprintf(path, sizeof(path), "%s/connections.%d", getenv("TMPDIR") ?: "/tmp", (int)getpid());
	strcpy(at.sun_path, path);
	check(listener >= 0 && !bind(listener, (struct sockaddr *)&at, sizeof(at)) && !listen(listener, MOST), "listen");
	pid = fork();
	check(pid >= 0, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(listener);
	}
	close(listener);
	return pid;
}

/* ---- the command ---- */

static struct sockaddr_in target = { .sin_family = AF_INET };

static void choose_port(void)
{
	socklen_t size = sizeof(target);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(fd >= 0 && !bind(fd, (struct sockaddr *)&target, size) &&
		      !getsockname(fd, (struct sockaddr *)&target, &size),
	      "bind");
	close(fd);
	snprintf(port, sizeof(port), "%u", ntohs(target.sin_port));
}

static void fill_in(char **words, const char *name, const char *value)
{
	char *at, *text;

	for (; *words; words++) {
		at = strstr(*words, name);
		if (!at)
			continue;
		check(asprintf(&text, "%.*s%s%s", (int)(at - *words), *words, value, at + strlen(name)) >= 0, "memory");
		*words = text;
	}
}

/* Its output would be ours. */
static pid_t start_command(char **command)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	pid = spawn(command, &actions);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

/* ---- the clients ---- */

static int begin(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	check(fd >= 0, "socket");
	if (connect(fd, (struct sockaddr *)&target, sizeof(target)) && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static void await_command(pid_t pid)
{
	for (int i = 0; i < 1000; i++) {
		int fd = begin(0);

		if (fd >= 0) {
			close(fd);
			return;
		}
		check(!waitpid(pid, NULL, WNOHANG), "the command has ended");
		sleep_ns(10000000);
	}
	check(false, "the command does not listen");
}

struct client {
	size_t sent, got;
};

static const char question[SIZE] = { 1, 2, 3, 4 };

/* 1: goes on; 0: has all; -1: is broken. */
static int go_on(struct pollfd *polled, struct client *client)
{
	char data[SIZE];
	ssize_t n;

	if (client->sent < SIZE) {
		n = send(polled->fd, question + client->sent, SIZE - client->sent, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN ? 1 : -1;
		client->sent += (size_t)n;
		polled->events = client->sent < SIZE ? POLLOUT : POLLIN;
		return 1;
	}
	n = recv(polled->fd, data, SIZE - client->got, 0);
	if (n <= 0)
		return n < 0 && errno == EAGAIN ? 1 : -1;
	if (memcmp(data, question + client->got, (size_t)n))
		return -1;
	client->got += (size_t)n;
	return client->got < SIZE;
}

static unsigned run_all(unsigned left, unsigned at_once)
{
	static struct pollfd polled[MOST];
	static struct client clients[MOST];
	unsigned count = 0, broken = 0;

	while (left || count) {
		for (; left && count < at_once; left--) {
			int fd = begin(SOCK_NONBLOCK);

			broken += fd < 0;
			if (fd < 0)
				continue;
			polled[count] = (struct pollfd){ .fd = fd, .events = POLLOUT };
			clients[count++] = (struct client){ 0 };
		}
		check(!count || poll(polled, count, 60000) > 0, "nothing moves");
		for (unsigned i = count; i--;) {
			int r = polled[i].revents ? go_on(&polled[i], &clients[i]) : 1;

			if (r > 0)
				continue;
			broken += r < 0;
			close(polled[i].fd);
			polled[i] = polled[--count];
			clients[i] = clients[count];
		}
	}
	return broken;
}

int main(int argc, char **argv)
{
	unsigned count = argc > 3 ? (unsigned)atoi(argv[1]) : 0, at_once = argc > 3 ? (unsigned)atoi(argv[2]) : 0, broken;
	pid_t server, command;
	int64_t start;

	if (!count || !at_once || at_once >= MOST) {
		fputs("usage: connections COUNT AT-ONCE COMMAND [ARG...]\n", stderr);
		return 2;
	}
	server = start_server();
	choose_port();
	fill_in(argv + 3, "{port}", port);
	fill_in(argv + 3, "{path}", path);
	command = start_command(argv + 3);
	await_command(command);
	start = now_ns();
	broken = run_all(count, at_once);
	start = now_ns() - start;
	kill(command, SIGTERM);
	wait_for(command);
	kill(server, SIGKILL);
	wait_for(server);
	unlink(path);
	printf("%lld %u\n", (long long)start, broken);
	return 0;
}
