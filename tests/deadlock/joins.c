/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stage.h"

#include <pthread.h>
#include <time.h>

#define THREADS 4

static pthread_t ids[THREADS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool timed;

static void join(unsigned whom)
{
	struct timespec limit;

	waits("join", (int)whom);
	if (!timed)
		must0(pthread_join(ids[whom], NULL), "pthread_join");
#ifdef __GLIBC__
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 3600;
	must0(pthread_timedjoin_np(ids[whom], NULL, &limit), "pthread_timedjoin_np");
#else
	(void)limit;
#endif
}

static void join_holding(unsigned me)
{
	ids[me] = pthread_self();
	if (me == 0)
		must0(pthread_mutex_lock(&mutex), "pthread_mutex_lock");
	meet(0, 2);
	if (me == 0)
		join(1);
	waits("mutex", 0);
	must0(pthread_mutex_lock(&mutex), "pthread_mutex_lock");
}

static void play_mutex(long arg)
{
	timed = arg;
	threads(2, join_holding);
}

/* Of two that join each other the C library refuses the second, mostly; it looks no further. */
static void join_next(unsigned me)
{
	ids[me] = pthread_self();
	meet(0, THREADS);
	join((me + 1) % THREADS);
}

static void play_ring(long arg)
{
	(void)arg;
	threads(THREADS, join_next);
}

static const struct scene scenes[] = {
	{ "mutex", play_mutex, false, 2, "certain" },
	{ "ring", play_ring, 0, THREADS, "certain" },
#ifdef __GLIBC__
	{ "timed", play_mutex, true, 2, "timed" },
#endif
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
