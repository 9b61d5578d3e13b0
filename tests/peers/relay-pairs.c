/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs pipecat between all pairs of kinds of ends, with its own sides of them made by plain system calls, and compares
 * what comes out with what went in, byte by byte:
 *
 *   relay-pairs [--both] [--rotate] SIZE...
 *
 * With --both each side gives and takes at once, and ends what it gives first. With --rotate each pair gets one of the
 * sizes. Works in the current directory. Prints what differs, and how many runs there were; the status is 1 if any
 * failed. To be run as the first process of its kind in a directory: names are fixed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATTERN 1000003
#define MESSAGE 4096
#define ROOM 262144
#define LIMIT_S 60

enum kind { STANDARD, FD, PATH, FIFO, UNIX, ABSTRACT_LISTEN, SEQPACKET, TCP, TCP6_LISTEN, EXEC, KINDS };
static const char *const names[] = { "-", "fd", "path", "fifo", "unix", "unix-listen", "unix-seqpacket", "tcp",
				     "tcp-listen", "exec" };

/* This program's side of an end, and what pipecat is told of it. */
struct side {
	enum kind kind;
	bool gives, takes;
	char word[200], name[64];
	int listener, give, take; /* -1: none, or not yet */
	bool needs_port, messages, same; /* same: give and take are one socket */
	bool found, given_all, taken_all;
	uint64_t give_size, given, take_size, taken;
	int theirs[2]; /* descriptors of pipecat for STANDARD and FD */
};

static unsigned char pattern[PATTERN], buffer[ROOM];
static bool both;
static struct timespec began;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void make_pattern(void)
{
	uint32_t x = 2463534242u;

	for (size_t i = 0; i < PATTERN; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		pattern[i] = (unsigned char)x;
	}
}

/* Whether these bytes are those of the stream from at on. */
static bool matches(const unsigned char *data, size_t size, uint64_t at)
{
	while (size) {
		size_t from = at % PATTERN, n = size < PATTERN - from ? size : PATTERN - from;

		if (memcmp(data, pattern + from, n))
			return false;
		data += n;
		size -= n;
		at += n;
	}
	return true;
}

/* ---- making a side ---- */

static int listen_unix(const char *path, int type)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(at.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 4))
		die(path);
	return fd;
}

static int listen_tcp(unsigned *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof(at);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 4) ||
	    getsockname(fd, (struct sockaddr *)&at, &size))
		die("tcp");
	*port = ntohs(at.sin_port);
	return fd;
}

static void write_file(const char *path, uint64_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		die(path);
	for (uint64_t done = 0; done < size;) {
		size_t from = done % PATTERN, n = PATTERN - from;
		ssize_t wrote = write(fd, pattern + from, size - done < n ? size - done : n);

		if (wrote < 0)
			die(path);
		done += (uint64_t)wrote;
	}
	close(fd);
}

/* Out of the way of those that are put in places. */
static int put_away(int fd)
{
	int away = fcntl(fd, F_DUPFD_CLOEXEC, 20);

	if (away < 0)
		die("descriptors");
	close(fd);
	return away;
}

static void make_pipes(struct side *side)
{
	int pair[2];

	if (side->gives) {
		if (pipe2(pair, O_CLOEXEC))
			die("pipe");
		side->give = pair[1];
		side->theirs[0] = put_away(pair[0]);
	}
	if (side->takes) {
		if (pipe2(pair, O_CLOEXEC))
			die("pipe");
		side->take = pair[0];
		side->theirs[1] = put_away(pair[1]);
	}
}

static void make_pair(struct side *side)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		die("socketpair");
	side->give = side->take = pair[0];
	side->theirs[0] = side->theirs[1] = put_away(pair[1]);
	side->same = true;
}

static void make_side(struct side *side)
{
	unsigned port;
	char path[80];

	switch (side->kind) {
	case STANDARD:
		strcpy(side->word, "-");
		make_pipes(side);
		break;
	case FD:
		snprintf(side->word, sizeof(side->word), "fd:%d", 8 + (side->name[0] == 'b'));
		if (both)
			make_pair(side);
		else
			make_pipes(side);
		break;
	case PATH:
		snprintf(side->word, sizeof(side->word), "./%s.file", side->name);
		unlink(side->word);
		if (side->gives)
			write_file(side->word, side->give_size);
		side->given_all = true;
		break;
	case FIFO:
		snprintf(side->word, sizeof(side->word), "./%s.fifo", side->name);
		unlink(side->word);
		if (mkfifo(side->word, 0600))
			die(side->word);
		break;
	case UNIX:
	case SEQPACKET:
		side->messages = side->kind == SEQPACKET;
		side->listener = listen_unix(side->name, side->messages ? SOCK_SEQPACKET : SOCK_STREAM);
		snprintf(side->word, sizeof(side->word), "%s:%s", names[side->kind], side->name);
		side->same = true;
		break;
	case ABSTRACT_LISTEN:
		snprintf(side->word, sizeof(side->word), "unix-listen:@ipckit-%s-%d", side->name, (int)getpid());
		side->same = true;
		break;
	case TCP:
		side->listener = listen_tcp(&port);
		snprintf(side->word, sizeof(side->word), "tcp:127.0.0.1:%u", port);
		side->same = true;
		break;
	case TCP6_LISTEN:
		strcpy(side->word, "tcp-listen:[::1]:0");
		side->needs_port = side->same = true;
		break;
	case EXEC:
		snprintf(side->word, sizeof(side->word), side->gives ? "exec:cat %s.file" : "exec:cat >%s.file", side->name);
		snprintf(path, sizeof(path), "%s.file", side->name);
		unlink(path);
		if (side->gives)
			write_file(path, side->give_size);
		side->given_all = true;
		break;
	default:
		abort();
	}
}

/* ---- connecting ---- */

static unsigned ports[2];

static int connect_now(int family, const void *at, socklen_t size)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && !connect(fd, at, size))
		return fd;
	if (errno != ECONNREFUSED && errno != ENOENT)
		die("connect");
	close(fd);
	return -1;
}

static int find_other(struct side *side)
{
	struct sockaddr_in6 tcp = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_un unix_at = { .sun_family = AF_UNIX };
	const char *name = strchr(side->word, '@');

	switch (side->kind) {
	case ABSTRACT_LISTEN:
		strcpy(unix_at.sun_path + 1, name + 1);
		return connect_now(AF_UNIX, &unix_at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)));
	case TCP6_LISTEN:
		tcp.sin6_port = htons((uint16_t)ports[side->name[0] == 'b']);
		return tcp.sin6_port ? connect_now(AF_INET6, &tcp, sizeof(tcp)) : -1;
	case FIFO:
		return open(side->word, (side->gives ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
	default:
		return accept4(side->listener, NULL, NULL, SOCK_CLOEXEC);
	}
}

static bool is_there(const struct side *side)
{
	return side->found || side->kind == STANDARD || side->kind == FD || side->kind == PATH || side->kind == EXEC;
}

static void look_for(struct side *side)
{
	int fd = is_there(side) ? -1 : find_other(side);

	if (fd < 0)
		return;
	side->found = true;
	if (side->gives || side->same)
		side->give = fd;
	if (side->takes || side->same)
		side->take = fd;
}

/* ---- moving ---- */

static void finish_giving(struct side *side)
{
	side->given_all = true;
	if (side->same)
		shutdown(side->give, SHUT_WR);
	else
		close(side->give);
	if (!side->same)
		side->give = -1;
}

static void give(struct side *side)
{
	size_t from = side->given % PATTERN, n = PATTERN - from;
	ssize_t wrote;

	if (n > side->give_size - side->given)
		n = side->give_size - side->given;
	if (side->messages && n > MESSAGE)
		n = MESSAGE;
	if (side->same) {
		wrote = send(side->give, pattern + from, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else {
		fcntl(side->give, F_SETFL, O_NONBLOCK);
		wrote = write(side->give, pattern + from, n);
	}
	if (wrote < 0 && errno != EAGAIN)
		printf("%s: giving failed after %llu bytes: %s\n", side->word, (unsigned long long)side->given,
		       strerror(errno));
	if (wrote < 0 && errno != EAGAIN)
		side->given_all = true;
	if (wrote > 0)
		side->given += (uint64_t)wrote;
}

static bool take(struct side *side)
{
	ssize_t n = side->same ? recv(side->take, buffer, ROOM, MSG_DONTWAIT) : read(side->take, buffer, ROOM);

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0) {
		side->taken_all = true;
		if (n < 0)
			printf("%s: %s\n", side->word, strerror(errno));
		return n == 0;
	}
	if (!matches(buffer, (size_t)n, side->taken)) {
		printf("%s: other bytes within %zd from %llu\n", side->word, n, (unsigned long long)side->taken);
		return false;
	}
	side->taken += (uint64_t)n;
	return true;
}

static bool check_file(struct side *side)
{
	char path[80];

	snprintf(path, sizeof(path), "%s.file", side->name);
	side->take = open(path, O_RDONLY | O_CLOEXEC);
	if (side->take < 0) {
		printf("%s: %s\n", side->word, strerror(errno));
		return false;
	}
	while (!side->taken_all)
		if (!take(side))
			return false;
	return true;
}

/* ---- pipecat ---- */

static void place(const struct side *side)
{
	if (side->kind == STANDARD) {
		if (side->theirs[0] >= 0)
			dup2(side->theirs[0], 0);
		if (side->theirs[1] >= 0)
			dup2(side->theirs[1], 1);
	} else if (side->kind == FD) {
		dup2(side->theirs[side->theirs[0] < 0], atoi(side->word + 3));
	}
}

static pid_t start(struct side sides[2], int *told)
{
	char *words[] = { "pipecat", "relay", sides[0].word, sides[1].word, both ? "--both" : NULL, NULL };
	bool output = sides[1].kind == STANDARD || (both && sides[0].kind == STANDARD);
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC))
		die("pipe");
	pair[0] = put_away(pair[0]);
	pair[1] = put_away(pair[1]);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		int nothing = open("/dev/null", O_RDWR);

		dup2(nothing, 0);
		if (!output)
			dup2(pair[1], 1);
		else
			dup2(pair[1], 2);
		place(&sides[0]);
		place(&sides[1]);
		execvp(words[0], words);
		_exit(127);
	}
	close(pair[1]);
	*told = pair[0];
	return pid;
}

static void close_theirs(struct side *side)
{
	for (int i = 0; i < 2; i++)
		if (side->theirs[i] >= 0 && (i == 0 || side->theirs[1] != side->theirs[0]))
			close(side->theirs[i]);
}

/* The ports that it chose, a line each. */
static void read_ports(struct side sides[2], int told)
{
	char c = 0;

	ports[0] = ports[1] = 0;
	for (int i = 0; i < 2; i++) {
		while (sides[i].needs_port && read(told, &c, 1) == 1 && c != '\n')
			ports[i] = ports[i] * 10 + (unsigned)(c - '0');
	}
}

static bool is_late(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - began.tv_sec > LIMIT_S;
}

static bool is_done(const struct side *side)
{
	bool by_file = side->kind == PATH || side->kind == EXEC;

	return (!side->gives || side->given_all) && (!side->takes || side->taken_all || by_file);
}

static bool pump(struct side sides[2])
{
	while (!is_done(&sides[0]) || !is_done(&sides[1])) {
		struct pollfd fds[4];

		if (is_late())
			return false;
		for (int i = 0; i < 2; i++) {
			struct side *side = &sides[i];

			look_for(side);
			if (side->gives && side->give >= 0 && !side->given_all && side->given == side->give_size)
				finish_giving(side);
			fds[2 * i] = (struct pollfd){ .fd = side->gives && !side->given_all ? side->give : -1, .events = POLLOUT };
			fds[2 * i + 1] = (struct pollfd){ .fd = side->takes && !side->taken_all ? side->take : -1, .events = POLLIN };
		}
		if (is_done(&sides[0]) && is_done(&sides[1]))
			break;
		poll(fds, 4, is_there(&sides[0]) && is_there(&sides[1]) ? 100 : 1);
		for (int i = 0; i < 2; i++) {
			if (fds[2 * i].fd >= 0 && fds[2 * i].revents)
				give(&sides[i]);
			if (fds[2 * i + 1].fd >= 0 && fds[2 * i + 1].revents && !take(&sides[i]))
				return false;
		}
	}
	return true;
}

static void close_side(struct side *side)
{
	if (side->listener >= 0)
		close(side->listener);
	if (side->give >= 0)
		close(side->give);
	if (side->take >= 0 && side->take != side->give)
		close(side->take);
}

static bool check_taken(struct side *side)
{
	if (!side->takes)
		return true;
	if ((side->kind == PATH || side->kind == EXEC) && !check_file(side))
		return false;
	if (side->taken == side->take_size)
		return true;
	printf("%s: %llu bytes in place of %llu\n", side->word, (unsigned long long)side->taken,
	       (unsigned long long)side->take_size);
	return false;
}

static bool run(enum kind source, enum kind sink, uint64_t there, uint64_t back)
{
	struct side sides[] = {
		{ .kind = source, .gives = true, .takes = both, .name = "a", .give_size = there, .take_size = back },
		{ .kind = sink, .gives = both, .takes = true, .name = "b", .give_size = back, .take_size = there },
	};
	int told, status = 0;
	bool well;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &began);
	for (int i = 0; i < 2; i++) {
		sides[i].listener = sides[i].give = sides[i].take = sides[i].theirs[0] = sides[i].theirs[1] = -1;
		make_side(&sides[i]);
	}
	pid = start(sides, &told);
	close_theirs(&sides[0]);
	close_theirs(&sides[1]);
	read_ports(sides, told);
	well = pump(sides);
	if (!well)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	well = well && check_taken(&sides[0]) && check_taken(&sides[1]) && !status;
	close(told);
	close_side(&sides[0]);
	close_side(&sides[1]);
	if (!well)
		printf("FAILED: %s to %s, %llu bytes, %llu back: status %#x\n", sides[0].word, sides[1].word,
		       (unsigned long long)there, (unsigned long long)back, (unsigned)status);
	return well;
}

/* Those that go both ways. */
static bool is_left_out(enum kind source, enum kind sink)
{
	return both && (source == PATH || source == FIFO || source == EXEC || sink == PATH || sink == FIFO || sink == EXEC ||
			(source == STANDARD && sink == STANDARD));
}

int main(int argc, char **argv)
{
	unsigned runs = 0, failed = 0, turn = 0;
	bool rotate = false;
	int first = 1;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_pattern();
	for (; first < argc && argv[first][0] == '-'; first++) {
		both |= !strcmp(argv[first], "--both");
		rotate |= !strcmp(argv[first], "--rotate");
	}
	for (int source = 0; source < KINDS; source++)
		for (int sink = 0; sink < KINDS; sink++) {
			if (is_left_out(source, sink))
				continue;
			turn++;
			for (int i = first; i < argc; i++) {
				int other = first + (i - first + 1 + (int)turn) % (argc - first);

				if (rotate && (i - first) != (int)turn % (argc - first))
					continue;
				runs++;
				failed += !run(source, sink, strtoull(argv[i], NULL, 0),
					       both ? strtoull(argv[other], NULL, 0) : 0);
			}
		}
	printf("%u runs, %u failed\n", runs, failed);
	return failed != 0;
}
