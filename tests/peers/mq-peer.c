/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A program of its own that knows POSIX message queues from libc alone.
 *
 *   mq-peer create NAME MAXMSG MSGSIZE MODE  mq_open(3), exclusive
 *   mq-peer stat NAME                        maxmsg msgsize curmsgs
 *   mq-peer send NAME PRIORITY TEXT...       each a message; blocks while it is full
 *   mq-peer feed NAME N                      the messages 1 to N, likewise
 *   mq-peer receive NAME N                   prints a line "PRIORITY TEXT" for each; blocks
 *   mq-peer take NAME                        prints the bytes of one, and nothing else
 *   mq-peer hold NAME                        keeps it open until it is ended
 *   mq-peer unlink NAME
 *
 * Exit status: the errno value of what failed; 99 for a usage error.
 */

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failed(const char *what)
{
	int error = errno;

	perror(what);
	return error;
}

static int create(const char *name, char **words)
{
	struct mq_attr attr = { .mq_maxmsg = atol(words[0]), .mq_msgsize = atol(words[1]) };
	mode_t mode = (mode_t)strtoul(words[2], NULL, 8);

	return mq_open(name, O_RDWR | O_CREAT | O_EXCL, mode, &attr) == -1 ? failed("mq_open") : 0;
}

static int show(mqd_t mq)
{
	struct mq_attr attr;

	if (mq_getattr(mq, &attr))
		return failed("mq_getattr");
	return printf("%ld %ld %ld\n", attr.mq_maxmsg, attr.mq_msgsize, attr.mq_curmsgs) < 0;
}

static int send_all(mqd_t mq, unsigned priority, char **texts)
{
	for (; *texts; texts++)
		if (mq_send(mq, *texts, strlen(*texts), priority))
			return failed("mq_send");
	return 0;
}

static int feed(mqd_t mq, long n)
{
	char text[24];

	for (long i = 1; i <= n; i++)
		if (mq_send(mq, text, (size_t)snprintf(text, sizeof(text), "%ld", i), 0))
			return failed("mq_send");
	return 0;
}

static int receive(mqd_t mq, long n, int only_bytes)
{
	struct mq_attr attr;
	unsigned priority;
	ssize_t size = 0;
	char *data;

	if (mq_getattr(mq, &attr) || !(data = malloc((size_t)attr.mq_msgsize)))
		return failed("mq_getattr");
	for (; n && (size = mq_receive(mq, data, (size_t)attr.mq_msgsize, &priority)) >= 0; n--) {
		if (!only_bytes)
			printf("%u ", priority);
		fwrite(data, 1, (size_t)size, stdout);
		if (!only_bytes)
			putchar('\n');
	}
	free(data);
	return size < 0 ? failed("mq_receive") : fflush(stdout);
}

static int use(const char *verb, mqd_t mq, int n, char **words)
{
	if (n == 0 && !strcmp(verb, "stat"))
		return show(mq);
	if (n > 1 && !strcmp(verb, "send"))
		return send_all(mq, (unsigned)atol(words[0]), words + 1);
	if (n == 1 && !strcmp(verb, "feed"))
		return feed(mq, atol(words[0]));
	if (n == 1 && !strcmp(verb, "receive"))
		return receive(mq, atol(words[0]), 0);
	if (n == 0 && !strcmp(verb, "take"))
		return receive(mq, 1, 1);
	if (n == 0 && !strcmp(verb, "hold"))
		return pause();
	return 99;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";
	mqd_t mq;

	if (argc == 6 && !strcmp(verb, "create"))
		return create(argv[2], argv + 3);
	if (argc == 3 && !strcmp(verb, "unlink"))
		return mq_unlink(argv[2]) ? failed("mq_unlink") : 0;
	if (argc < 3)
		return 99;
	mq = mq_open(argv[2], O_RDWR);
	return mq == -1 ? failed("mq_open") : use(verb, mq, argc - 3, argv + 3);
}
