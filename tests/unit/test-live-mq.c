/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who waits for whom by POSIX queues: real processes. */

#include "actors.h"

#include <mqueue.h>
#include <stdio.h>

#define INFERRED IPCKIT_LIVE_INFERRED

static char names[2][48];
static bool kept; /* the names are */

/* 0, 1: what can be received from both and sent to them; 2, 3: sent alone; 4, 5: received alone. */
static bool two_queues(void)
{
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 64 };
	bool good = true;

	for (int i = 0; i < 2; i++) {
		snprintf(names[i], sizeof(names[i]), "/ipckit-test.%d.%d", (int)getpid(), i);
		fds[i] = mq_open(names[i], O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
		fds[2 + i] = mq_open(names[i], O_WRONLY);
		fds[4 + i] = mq_open(names[i], O_RDONLY);
		good = good && fds[i] >= 0 && fds[2 + i] >= 0 && fds[4 + i] >= 0;
		if (!kept)
			mq_unlink(names[i]);
	}
	return good;
}

static void remove_queues(void)
{
	mq_unlink(names[0]);
	mq_unlink(names[1]);
}

#define FIRST(act, ...) ACTOR(act, 4, KEEP(4, 3), ##__VA_ARGS__)
#define SECOND(act) ACTOR(act, 5, KEEP(5, 2))

static const struct act_row rows[] = {
	{ "both receive", { FIRST(MQ_RECEIVE), SECOND(MQ_RECEIVE) }, true, INFERRED, "mq-receive", 2, false },
	{ "with a limit", { FIRST(MQ_TIMED), SECOND(MQ_RECEIVE) }, true, INFERRED, "mq-receive", 2, false },
	{ "both send",
	  { ACTOR(MQ_SEND, 2, KEEP(2, 5)), ACTOR(MQ_SEND, 3, KEEP(3, 4)) }, true, INFERRED, "mq-send", 2,
	  false },
	{ "a third may send",
	  { FIRST(MQ_RECEIVE), SECOND(MQ_RECEIVE), ACTOR(PAUSE, 0, KEEP(2, 2)) }, false, 0, "mq-receive", 6,
	  false },
	{ "a third may only receive",
	  { FIRST(MQ_RECEIVE), SECOND(MQ_RECEIVE), ACTOR(PAUSE, 0, KEEP(4, 4)) }, true, INFERRED, "mq-receive",
	  2, false },
	{ "nobody may send", { ACTOR(MQ_RECEIVE, 4, KEEP(4, 4)) }, false, 0, NULL, 0, false },
	{ "stopped", { FIRST(MQ_RECEIVE, .stopped = true), SECOND(MQ_RECEIVE) }, false, 0, NULL, 0, false },
	{ "each has the ends of both",
	  { ACTOR(MQ_RECEIVE, 0, KEEP(0, 1)), ACTOR(MQ_RECEIVE, 1, KEEP(0, 1)) }, true, INFERRED, "mq-receive",
	  3, false },
};

/* By their names others may come. */
static const struct act_row named_rows[] = {
	{ "queues with names",
	  { FIRST(MQ_RECEIVE), SECOND(MQ_RECEIVE) }, true, INFERRED, "mq-receive", 2, false },
	{ "an idle worker", { ACTOR(MQ_RECEIVE, 0, KEEP(0, 0)) }, false, 0, NULL, 0, false },
	{ "two of them",
	  { ACTOR(MQ_RECEIVE, 0, KEEP(0, 0)), ACTOR(MQ_RECEIVE, 0, KEEP(0, 0)) }, false, 0, NULL, 0, false },
};

int main(void)
{
	if (!actors_begin())
		return unit_skip("live mq", "nothing is told of threads here");
	memset(fds, 0xff, sizeof(fds));
	if (!two_queues())
		return unit_skip("live mq", "there are no POSIX queues here");
	for (int i = 0; i < FDS; i++)
		close(fds[i]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		actors_play(&rows[i], two_queues);
	kept = true;
	for (size_t i = 0; i < sizeof(named_rows) / sizeof(*named_rows); i++) {
		actors_play(&named_rows[i], two_queues);
		remove_queues();
	}
	return unit_done("live mq");
}
