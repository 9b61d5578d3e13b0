/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Rings of mutexes: each actor holds one and waits for the next one's. */

#include "stage.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#define TYPE      0x0f
#define ROBUST    0x10
#define PI        0x20
#define SHARED    0x40
#define PROCESSES 0x80
#define MAPPED    0x100 /* each process elsewhere */
#define TIMED     0x200
#define THREE     0x400

#ifdef __GLIBC__
#define ADAPTIVE PTHREAD_MUTEX_ADAPTIVE_NP
#endif
#define NORMAL     PTHREAD_MUTEX_NORMAL
#define RECURSIVE  PTHREAD_MUTEX_RECURSIVE
#define ERRORCHECK PTHREAD_MUTEX_ERRORCHECK

#define SIZE 65536

static pthread_mutex_t *mutexes;
static int file;
static long how;
static const char *kind;

static void prepare(pthread_mutex_t *mutex, long flags)
{
	pthread_mutexattr_t attributes;

	must0(pthread_mutexattr_init(&attributes), "pthread_mutexattr_init");
	must0(pthread_mutexattr_settype(&attributes, flags & TYPE), "pthread_mutexattr_settype");
	if (flags & ROBUST)
		must0(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST), "robust");
	if ((flags & PI) && pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT))
		skip("priority inheritance");
	if (flags & SHARED)
		must0(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED), "shared");
	must0(pthread_mutex_init(mutex, &attributes), "pthread_mutex_init");
}

static const char *kind_of(long flags)
{
	return flags & PI ? "pi-mutex" : flags & ROBUST ? "robust-mutex" : "mutex";
}

static void lock(pthread_mutex_t *mutex)
{
	must0(pthread_mutex_lock(mutex), "pthread_mutex_lock");
}

static void map_elsewhere(unsigned me)
{
	munmap(mutexes, SIZE);
	if (mmap(NULL, (me + 1) * SIZE * 16, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		fail("mmap", errno);
	mutexes = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (mutexes == MAP_FAILED)
		fail("mmap", errno);
}

static void take_two(unsigned me)
{
	unsigned count = how & THREE ? 3 : 2, next = (me + 1) % count;
	struct timespec limit;

	if (how & MAPPED)
		map_elsewhere(me);
	lock(&mutexes[me]);
	meet(0, count);
	waits(kind, (int)next);
	if (!(how & TIMED))
		lock(&mutexes[next]);
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 3600;
	must0(pthread_mutex_timedlock(&mutexes[next], &limit), "pthread_mutex_timedlock");
}

static void play_ring(long flags)
{
	unsigned count = flags & THREE ? 3 : 2;

	how = flags;
	kind = kind_of(flags);
	mutexes = shared_memory(SIZE, &file);
	for (unsigned i = 0; i < count; i++)
		prepare(&mutexes[i], flags);
	(flags & PROCESSES ? processes : threads)(count, take_two);
}

/* The kernel refuses the second with EDEADLK, and the C library then waits on a word of its stack, for ever. */
static void take_two_pi(unsigned me)
{
	lock(&mutexes[me]);
	meet(0, 2);
	if (me == 0) {
		waits("pi-mutex", 1);
	} else {
		see_blocked(0);
		waits_for_any("futex", 3);
	}
	lock(&mutexes[1 - me]);
}

static void play_pi(long flags)
{
	static pthread_mutex_t two[2];

	mutexes = two;
	prepare(&two[0], flags);
	prepare(&two[1], flags);
	threads(2, take_two_pi);
}

static void take_mixed(unsigned me)
{
	lock(&mutexes[me]);
	meet(0, 2);
	waits(me == 0 ? "mutex" : "pi-mutex", 1 - (int)me);
	lock(&mutexes[1 - me]);
}

static void play_mixed(long flags)
{
	static pthread_mutex_t two[2];

	mutexes = two;
	prepare(&two[0], NORMAL | PI | flags);
	prepare(&two[1], NORMAL);
	threads(2, take_mixed);
}

static void relock(unsigned me)
{
	lock(&mutexes[0]);
	if (how & PI)
		waits_for_any("futex", 1);
	else
		waits(kind, (int)me);
	lock(&mutexes[0]);
}

static void play_relock(long flags)
{
	static pthread_mutex_t one;

	how = flags;
	kind = kind_of(flags);
	mutexes = &one;
	prepare(&one, flags);
	threads(1, relock);
}

/* The one sleeps on a condition that the other would signal, who waits for a mutex that the first holds. */
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void wait_or_signal(unsigned me)
{
	if (me == 0) {
		lock(&mutexes[0]);
		lock(&mutexes[1]);
		meet(0, 2);
		waits_for_any("condition", 3);
		must0(pthread_cond_wait(&condition, &mutexes[1]), "pthread_cond_wait");
		return;
	}
	meet(0, 2);
	waits("mutex", 0);
	lock(&mutexes[0]);
}

static void play_condition(long flags)
{
	static pthread_mutex_t two[2];

	mutexes = two;
	prepare(&two[0], flags);
	prepare(&two[1], flags);
	threads(2, wait_or_signal);
}

static const struct scene scenes[] = {
	{ "normal", play_ring, NORMAL, 2, "certain" },
	{ "recursive", play_ring, RECURSIVE, 2, "certain" },
	{ "errorcheck", play_ring, ERRORCHECK, 2, "certain" },
#ifdef ADAPTIVE
	{ "adaptive", play_ring, ADAPTIVE, 2, "certain" },
#endif
	{ "timed", play_ring, NORMAL | TIMED, 2, "timed" },
	{ "robust", play_ring, NORMAL | ROBUST, 2, "certain" },
	{ "robust-recursive", play_ring, RECURSIVE | ROBUST, 2, "certain" },
	{ "pi", play_pi, NORMAL | PI, 2, "certain" },
	{ "pi-plain", play_mixed, 0, 2, "certain" },
	{ "pi-robust-plain", play_mixed, ROBUST, 2, "certain" },
	{ "shared", play_ring, NORMAL | SHARED | PROCESSES, 2, "certain" },
	{ "shared-recursive", play_ring, RECURSIVE | SHARED | PROCESSES, 2, "certain" },
	{ "three-shared", play_ring, NORMAL | SHARED | PROCESSES | THREE, 3, "certain" },
	{ "three-robust", play_ring, NORMAL | SHARED | ROBUST | PROCESSES | THREE, 3, "certain" },
	{ "three-mapped", play_ring, NORMAL | SHARED | PROCESSES | THREE | MAPPED, 3, "certain" },
	{ "relock", play_relock, NORMAL, 1, "certain" },
	{ "relock-robust", play_relock, NORMAL | ROBUST, 1, "certain" },
	{ "relock-pi", play_relock, NORMAL | PI, 1, "certain" },
	{ "condition", play_condition, NORMAL, 2, "certain" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
