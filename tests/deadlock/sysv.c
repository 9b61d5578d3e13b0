/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Sets and queues live as long as the IPC namespace: run it in one of its own. */

#include "stage.h"

#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <time.h>

#define SENDS 1
#define TIMED 1

static int ids[2];
static long how;

static void take(unsigned number, bool timed)
{
	struct sembuf operation = { .sem_num = (unsigned short)number, .sem_op = -1 };
	struct timespec limit = { .tv_sec = 3600 };

	must(timed ? semtimedop(ids[0], &operation, 1, &limit) : semop(ids[0], &operation, 1), "semop");
}

static void take_two(unsigned me)
{
	take(me, false);
	meet(0, 2);
	waits("sysv-semaphore", 1 - (int)me);
	take(1 - me, how & TIMED);
}

static void play_semaphores(long variant)
{
	unsigned short values[2] = { 1, 1 };

	how = variant;
	ids[0] = must(semget(IPC_PRIVATE, 2, 0600), "semget");
	must(semctl(ids[0], 0, SETALL, values), "SETALL");
	processes(2, take_two);
}

struct text {
	long type;
	char text[1024];
};

/* Each reads from the queue into which the other would write; or each writes into one that is full. */
static void use_queues(unsigned me)
{
	struct text text = { .type = 1 };

	meet(0, 2);
	waits(how & SENDS ? "message-send" : "message-receive", 1 - (int)me);
	while (how & SENDS)
		must(msgsnd(ids[1 - me], &text, sizeof(text.text), 0), "msgsnd");
	must(msgrcv(ids[me], &text, sizeof(text.text), 0, 0), "msgrcv");
}

/* The kernel tells of a queue who sent and who received last. */
static void exchange(unsigned me)
{
	struct text text = { .type = 1 };

	must(msgsnd(ids[1 - me], &text, 1, 0), "msgsnd");
	must(msgrcv(ids[me], &text, sizeof(text.text), 0, 0), "msgrcv");
	meet(1, 2);
	use_queues(me);
}

static void play_queues(long variant)
{
	how = variant;
	for (int i = 0; i < 2; i++)
		ids[i] = must(msgget(IPC_PRIVATE, 0600), "msgget");
	processes(2, exchange);
}

static const struct scene scenes[] = {
	{ "semaphores", play_semaphores, 0, 2, "inferred" },
	{ "semaphores-timed", play_semaphores, TIMED, 2, "inferred" },
	{ "queues-receive", play_queues, 0, 2, "inferred" },
	{ "queues-send", play_queues, SENDS, 2, "inferred" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
