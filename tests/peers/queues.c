/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What others do with queues, beside messages.
 *
 *   queues notify NAME signal N      registers itself, mq_notify(3), and sleeps until it is ended:
 *   queues notify NAME silent|thread SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD
 *   queues open NAME r|w|rw[n]...    opens it so (n: O_NONBLOCK), once for each, and sleeps likewise
 *   queues many N                    makes N private queues of System V
 *   queues send ID                   sends to one of them, and sleeps likewise
 *
 * Exit status: the errno value of what failed; 99 for a usage error.
 */

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

static int failed(const char *what)
{
	int error = errno;

	perror(what);
	return error;
}

/* SIGEV_THREAD of the C library starts no thread before there is a message. */
static void ignore(union sigval value)
{
	(void)value;
}

static int be_notified(const char *name, const char *kind, const char *signal)
{
	struct sigevent event = { .sigev_notify_function = ignore };
	mqd_t mq;

	if (signal && !strcmp(kind, "signal"))
		event.sigev_notify = SIGEV_SIGNAL;
	else if (!signal && !strcmp(kind, "silent"))
		event.sigev_notify = SIGEV_NONE;
	else if (!signal && !strcmp(kind, "thread"))
		event.sigev_notify = SIGEV_THREAD;
	else
		return 99;
	if (signal)
		event.sigev_signo = atoi(signal);
	mq = mq_open(name, O_RDWR);
	if (mq == -1)
		return failed("mq_open");
	return mq_notify(mq, &event) ? failed("mq_notify") : pause();
}

static int open_so(const char *name, char **ways)
{
	for (; *ways; ways++) {
		int flags = strchr(*ways, 'n') ? O_NONBLOCK : 0;

		if (!strchr(*ways, 'w'))
			flags |= O_RDONLY;
		else
			flags |= strchr(*ways, 'r') ? O_RDWR : O_WRONLY;
		if (mq_open(name, flags) == -1)
			return failed("mq_open");
	}
	return pause();
}

static int make_many(long n)
{
	for (; n > 0; n--)
		if (msgget(IPC_PRIVATE, 0600) == -1)
			return failed("msgget");
	return 0;
}

static int send_one(int id)
{
	const struct { long type; char data[4]; } message = { .type = 1, .data = "text" };

	return msgsnd(id, &message, sizeof(message.data), 0) ? failed("msgsnd") : pause();
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if ((argc == 4 || argc == 5) && !strcmp(verb, "notify"))
		return be_notified(argv[2], argv[3], argv[4]);
	if (argc > 3 && !strcmp(verb, "open"))
		return open_so(argv[2], argv + 3);
	if (argc == 3 && !strcmp(verb, "many"))
		return make_many(atol(argv[2]));
	if (argc == 3 && !strcmp(verb, "send"))
		return send_one(atoi(argv[2]));
	return 99;
}
