/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The names stay in /dev/shm: run it in a mount namespace of its own. */

#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TIMED 1

static sem_t *semaphores[3];
static unsigned count;
static long how;
static const char *kind;

static void take(unsigned which, bool timed)
{
	struct timespec limit;

	if (!timed) {
		must(sem_wait(semaphores[which]), "sem_wait");
		return;
	}
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 3600;
	must(sem_timedwait(semaphores[which], &limit), "sem_timedwait");
}

static void take_two(unsigned me)
{
	take(me, false);
	meet(0, count);
	waits_for_any(kind, (1u << count) - 1);
	take((me + 1) % count, how & TIMED);
}

static void play_named(long variant)
{
	how = variant;
	count = 2;
	kind = "semaphore";
	for (unsigned i = 0; i < count; i++) {
		char name[48];

		snprintf(name, sizeof(name), "/ipckit-stage.%d.%u", (int)getpid(), i);
		semaphores[i] = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
		if (semaphores[i] == SEM_FAILED)
			fail(name, errno);
	}
	processes(count, take_two);
}

/* Nobody but the threads of this process can post. */
static void play_private(long variant)
{
	static sem_t own[3];

	how = variant;
	count = 3;
	kind = "semaphore";
	for (unsigned i = 0; i < count; i++) {
		must(sem_init(&own[i], 0, 1), "sem_init");
		semaphores[i] = &own[i];
	}
	threads(count, take_two);
}

static const struct scene scenes[] = {
	{ "named", play_named, 0, 2, "inferred" },
	{ "named-timed", play_named, TIMED, 2, "inferred" },
	{ "private", play_private, 0, 3, "certain" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
