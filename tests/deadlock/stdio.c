/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stage.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

static FILE *streams[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void open_streams(void)
{
	for (int i = 0; i < 2; i++) {
		streams[i] = fopen("/dev/null", "w");
		if (!streams[i])
			fail("/dev/null", errno);
	}
}

static void take_two(unsigned me)
{
	flockfile(streams[me]);
	meet(0, 2);
	waits("stdio", 1 - (int)me);
	fputs("never", streams[1 - me]);
}

static void play_two(long arg)
{
	(void)arg;
	open_streams();
	threads(2, take_two);
}

static void mix(unsigned me)
{
	if (me == 0)
		flockfile(streams[0]);
	else
		must0(pthread_mutex_lock(&mutex), "pthread_mutex_lock");
	meet(0, 2);
	waits(me == 0 ? "mutex" : "stdio", 1 - (int)me);
	if (me == 0)
		must0(pthread_mutex_lock(&mutex), "pthread_mutex_lock");
	fputs("never", streams[0]);
}

static void play_mutex(long arg)
{
	(void)arg;
	open_streams();
	threads(2, mix);
}

static const struct scene scenes[] = {
	{ "two", play_two, 0, 2, "certain" },
	{ "mutex", play_mutex, 0, 2, "certain" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
