/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Message queues by the bare calls, what mqtool is measured against:
 *
 *   mq-bare send QUEUE [TEXT]    sends the text, or each line of standard input
 *   mq-bare recv QUEUE COUNT     receives, and writes each message as a line by one write(2)
 *   mq-bare make COUNT           makes System V queues
 *
 * A QUEUE is /NAME, or the key of a System V queue.
 */

#include "bench.h"

#include <mqueue.h>
#include <sys/msg.h>

#define ROOM 8192

struct message {
	long type;
	char data[ROOM + 1];
};

struct queue {
	bool posix;
	mqd_t fd;
	int id;
};

static void fail(const char *what)
{
	fprintf(stderr, "mq-bare: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct queue open_queue(const char *name, int flags)
{
	struct queue queue = { .posix = *name == '/' };

	if (queue.posix)
		queue.fd = mq_open(name, flags);
	else
		queue.id = msgget((key_t)strtoul(name, NULL, 0), 0);
	if (queue.posix ? queue.fd < 0 : queue.id < 0)
		fail(name);
	return queue;
}

static void send_one(const struct queue *queue, struct message *message, const char *data, size_t size)
{
	if (queue->posix) {
		if (mq_send(queue->fd, data, size, 0))
			fail("mq_send");
		return;
	}
	if (size > ROOM)
		exit(2);
	memcpy(message->data, data, size);
	if (msgsnd(queue->id, message, size, 0))
		fail("msgsnd");
}

static size_t receive_one(const struct queue *queue, struct message *message)
{
	ssize_t n = queue->posix ? mq_receive(queue->fd, message->data, ROOM, NULL)
				 : msgrcv(queue->id, message, ROOM, 0, 0);

	if (n < 0)
		fail("receiving");
	return (size_t)n;
}

static void send_all(const struct queue *queue, const char *text)
{
	static char buffer[65536];
	static struct message message = { .type = 1 };
	size_t end = 0;

	if (text) {
		send_one(queue, &message, text, strlen(text));
		return;
	}
	for (ssize_t n; (n = read(STDIN_FILENO, buffer + end, sizeof(buffer) - end)) > 0;) {
		char *line = buffer, *newline;

		end += (size_t)n;
		while ((newline = memchr(line, '\n', (size_t)(buffer + end - line)))) {
			send_one(queue, &message, line, (size_t)(newline - line));
			line = newline + 1;
		}
		end -= (size_t)(line - buffer);
		memmove(buffer, line, end);
	}
}

static void receive_lines(const struct queue *queue, long count)
{
	static struct message message;

	while (count-- > 0) {
		size_t size = receive_one(queue, &message);

		message.data[size++] = '\n';
		if (write(STDOUT_FILENO, message.data, size) != (ssize_t)size)
			fail("writing");
	}
}

static int make(long count)
{
	while (count-- > 0)
		if (msgget(IPC_PRIVATE, 0600) < 0)
			fail("msgget");
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	struct queue queue;

	if (!strcmp(what, "make"))
		return make(atol(argv[2]));
	if (!strcmp(what, "recv") && argc == 4) {
		queue = open_queue(argv[2], O_RDONLY);
		receive_lines(&queue, atol(argv[3]));
	} else if (!strcmp(what, "send") && argc <= 4) {
		queue = open_queue(argv[2], O_WRONLY);
		send_all(&queue, argv[3]);
	} else {
		fprintf(stderr, "usage: mq-bare send QUEUE [TEXT] | recv QUEUE COUNT | make COUNT\n");
		return 2;
	}
	return 0;
}
