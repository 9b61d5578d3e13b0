/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors passed through Unix sockets as any C program passes them, without libipckit.
 *
 *   fds-peer send PATH FD...      connects, and sends them with a greeting
 *   fds-peer receive PATH COUNT   listens and accepts, and prints what can be read from each that came
 *   fds-peer text PATH            connects, and sends bytes alone
 *   fds-peer mute PATH            connects, prints "ready", and is silent until standard input ends
 *   fds-peer memfd TEXT COMMAND   becomes COMMAND, with TEXT in memory as descriptor 9
 *   fds-peer pair COMMAND         likewise, with two sockets that are connected as 8 and 9
 *   fds-peer bound PATH COMMAND   likewise, with a socket that listens at PATH as 9
 *   fds-peer tcp COMMAND          likewise, with one of TCP
 *   fds-peer post FD              posts the semaphore in a file
 *   fds-peer value FD             prints its value
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "fds-peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int checked(int r, const char *what)
{
	return r < 0 ? fail(what) : r;
}

static int make(const char *path, int (*call)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = checked(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	checked(call(fd, (struct sockaddr *)&at, sizeof(at)), path);
	return fd;
}

static int listen_at(const char *path)
{
	int fd = make(path, bind);

	checked(listen(fd, 5), path);
	return fd;
}

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(64 * sizeof(int))];
};

static void send_all(const char *path, char **words, int count)
{
	union control control = { 0 };
	struct iovec data = { .iov_base = (void *)"hello", .iov_len = 5 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = CMSG_SPACE(count * sizeof(int)) };

	control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof(int)), .cmsg_level = SOL_SOCKET,
					 .cmsg_type = SCM_RIGHTS };
	for (int i = 0; i < count; i++)
		((int *)(void *)CMSG_DATA(&control.head))[i] = atoi(words[i]);
	checked((int)sendmsg(make(path, connect), &message, 0), "sendmsg");
}

static void receive_all(const char *path, int count)
{
	union control control;
	char text[256];
	struct iovec data = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	int fd = checked(accept(listen_at(path), NULL, NULL), "accept");

	checked((int)recvmsg(fd, &message, 0), "recvmsg");
	for (int i = 0; i < count; i++) {
		ssize_t n = read(((int *)(void *)CMSG_DATA(CMSG_FIRSTHDR(&message)))[i], text, sizeof(text));

		printf("%.*s", (int)n, text);
	}
}

static sem_t *map(const char *fd)
{
	void *at = mmap(NULL, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED, atoi(fd), 0);

	if (at == MAP_FAILED)
		fail("mmap");
	return at;
}

static int become(char **words)
{
	execvp(words[0], words);
	return fail(words[0]);
}

static void make_memory(const char *text)
{
	int fd = checked(memfd_create("memory", 0), "memfd_create");

	checked((int)write(fd, text, strlen(text)), "write");
	checked((int)lseek(fd, 0, SEEK_SET), "lseek");
	checked(dup2(fd, 9), "dup2");
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";
	int pair[2], value;

	if (!strcmp(verb, "send")) {
		send_all(argv[2], argv + 3, argc - 3);
	} else if (!strcmp(verb, "receive") && argc > 3) {
		receive_all(argv[2], atoi(argv[3]));
	} else if (!strcmp(verb, "text")) {
		checked((int)write(make(argv[2], connect), "hello", 5), "write");
	} else if (!strcmp(verb, "mute")) {
		make(argv[2], connect);
		puts("ready");
		fflush(stdout);
		checked((int)read(STDIN_FILENO, &value, 1), "read");
	} else if (!strcmp(verb, "memfd") && argc > 3) {
		make_memory(argv[2]);
		return become(argv + 3);
	} else if (!strcmp(verb, "pair")) {
		checked(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
		checked(dup2(pair[0], 8) | dup2(pair[1], 9), "dup2");
		return become(argv + 2);
	} else if (!strcmp(verb, "bound") && argc > 3) {
		checked(dup2(listen_at(argv[2]), 9), "dup2");
		return become(argv + 3);
	} else if (!strcmp(verb, "tcp")) {
		checked(dup2(checked(socket(AF_INET, SOCK_STREAM, 0), "socket"), 9), "dup2");
		return become(argv + 2);
	} else if (!strcmp(verb, "post")) {
		checked(sem_post(map(argv[2])), "sem_post");
	} else if (!strcmp(verb, "value")) {
		checked(sem_getvalue(map(argv[2]), &value), "sem_getvalue");
		printf("%d\n", value);
	} else {
		fprintf(stderr, "fds-peer: see its first lines\n");
		return 2;
	}
	return 0;
}
