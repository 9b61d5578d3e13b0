/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stage.h"

#include <pthread.h>
#include <signal.h>

#define HOLD_READ  1
#define WAIT_READ  2
#define PROCESSES  4
#define CATCHES    8

static pthread_rwlock_t *locks;
static long how;

static void lock(pthread_rwlock_t *rwlock, bool read)
{
	must0(read ? pthread_rwlock_rdlock(rwlock) : pthread_rwlock_wrlock(rwlock), "pthread_rwlock");
}

/* Who holds it for reading, nothing tells: all threads may. */
static void announce(unsigned me)
{
	const char *kind = how & WAIT_READ ? "rwlock-read" : "rwlock-write";

	if (how & HOLD_READ)
		waits_for_any(kind, 3);
	else
		waits(kind, 1 - (int)me);
}

static void take_two(unsigned me)
{
	lock(&locks[me], how & HOLD_READ);
	meet(0, 2);
	announce(me);
	lock(&locks[1 - me], how & WAIT_READ);
}

static void ignore(int number)
{
	(void)number;
}

static void prepare(long flags)
{
	const struct sigaction action = { .sa_handler = ignore };
	pthread_rwlockattr_t attributes;

	/* No handler unlocks what a thread holds; but that none does nobody can know. */
	if (flags & CATCHES)
		must(sigaction(SIGTERM, &action, NULL), "sigaction");
	how = flags;
	locks = shared_memory(4096, NULL);
	must0(pthread_rwlockattr_init(&attributes), "pthread_rwlockattr_init");
	if (flags & PROCESSES)
		must0(pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED), "shared");
	for (int i = 0; i < 2; i++)
		must0(pthread_rwlock_init(&locks[i], &attributes), "pthread_rwlock_init");
}

static void play_two(long flags)
{
	prepare(flags);
	(flags & PROCESSES ? processes : threads)(2, take_two);
}

static void upgrade(unsigned me)
{
	lock(&locks[0], true);
	meet(0, 2);
	announce(me);
	lock(&locks[0], false);
}

static void play_upgrade(long flags)
{
	prepare(flags);
	threads(2, upgrade);
}

#ifdef __GLIBC__
/* A reader that reads again behind a writer that waits. */
static void read_again(unsigned me)
{
	if (me == 0)
		lock(&locks[0], true);
	meet(0, 2);
	if (me == 0)
		see_blocked(1);
	waits_for_any(me == 0 ? "rwlock-read" : "rwlock-write", 3);
	lock(&locks[0], me == 0);
}

static void play_again(long flags)
{
	pthread_rwlockattr_t attributes;

	prepare(flags);
	must0(pthread_rwlockattr_init(&attributes), "pthread_rwlockattr_init");
	must0(pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP), "kind");
	must0(pthread_rwlock_init(&locks[0], &attributes), "pthread_rwlock_init");
	threads(2, read_again);
}
#endif

static const struct scene scenes[] = {
	{ "write-write", play_two, 0, 2, "certain" },
	{ "write-read", play_two, WAIT_READ, 2, "certain" },
	{ "read-read", play_two, HOLD_READ, 2, "certain" },
	{ "caught-read-read", play_two, CATCHES | HOLD_READ, 2, "inferred" },
	{ "upgrade", play_upgrade, HOLD_READ, 2, "certain" },
#ifdef __GLIBC__
	{ "read-again", play_again, HOLD_READ, 2, "certain" },
#endif
	{ "shared-write-write", play_two, PROCESSES, 2, "certain" },
	{ "shared-write-read", play_two, PROCESSES | WAIT_READ, 2, "certain" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
