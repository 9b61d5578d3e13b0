/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Two processes with two POSIX queues, each of which has one end of each. The names are removed at once. */

#include "stage.h"

#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define SENDS 1
#define TIMED 2

static char names[2][48];
static long how;

static void use(unsigned me)
{
	mqd_t in = must(mq_open(names[me], O_RDONLY), names[me]), out = must(mq_open(names[1 - me], O_WRONLY), "out");
	struct timespec limit;
	char text[64] = "";

	meet(0, 2);
	mq_unlink(names[me]);
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 3600;
	waits(how & SENDS ? "mq-send" : "mq-receive", 1 - (int)me);
	while (how & SENDS)
		must(mq_send(out, text, 1, 0), "mq_send");
	if (how & TIMED)
		must(mq_timedreceive(in, text, sizeof(text), NULL, &limit), "mq_timedreceive");
	must(mq_receive(in, text, sizeof(text), NULL), "mq_receive");
}

static void play(long variant)
{
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 64 };

	how = variant;
	for (int i = 0; i < 2; i++) {
		mqd_t queue;

		snprintf(names[i], sizeof(names[i]), "/ipckit-stage.%d.%d", (int)getpid(), i);
		queue = must(mq_open(names[i], O_CREAT | O_EXCL | O_RDWR, 0600, &attributes), names[i]);
		mq_close(queue);
	}
	processes(2, use);
}

static const struct scene scenes[] = {
	{ "receive", play, 0, 2, "inferred" },
	{ "receive-timed", play, TIMED, 2, "inferred" },
	{ "send", play, SENDS, 2, "inferred" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
