/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Mutexes whose owner can never give them back. */

#include "stage.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t *mutex;
static const char *kind = "mutex";

static void prepare(int protocol, int shared)
{
	pthread_mutexattr_t attributes;

	mutex = shared_memory(4096, NULL);
	must0(pthread_mutexattr_init(&attributes), "pthread_mutexattr_init");
	must0(pthread_mutexattr_setpshared(&attributes, shared), "shared");
	if (protocol != PTHREAD_PRIO_NONE && pthread_mutexattr_setprotocol(&attributes, protocol))
		skip("priority inheritance");
	must0(pthread_mutex_init(mutex, &attributes), "pthread_mutex_init");
}

static void lock(void)
{
	must0(pthread_mutex_lock(mutex), "pthread_mutex_lock");
}

static void lock_orphan(unsigned me)
{
	(void)me;
	waits(kind, NOBODY);
	lock();
	fail("the orphan", 0);
}

static void *lock_and_return(void *arg)
{
	lock();
	return arg;
}

/* The kernel refuses a PI mutex whose owner is gone, and the C library waits on a word of its own, for ever. */
static void play_exited(long protocol)
{
	pthread_t thread;

	prepare((int)protocol, PTHREAD_PROCESS_PRIVATE);
	if (protocol == PTHREAD_PRIO_INHERIT)
		kind = "futex";
	must0(pthread_create(&thread, NULL, lock_and_return, NULL), "pthread_create");
	must0(pthread_join(thread, NULL), "pthread_join");
	enter(0);
	if (protocol == PTHREAD_PRIO_INHERIT)
		waits_for_any(kind, 1);
	else
		waits(kind, NOBODY);
	lock();
	fail("the orphan", 0);
}

/* Who holds it is the first thread, which is a zombie as long as others live. */
static void *lock_after_leader(void *arg)
{
	meet(0, 2);
	enter(0);
	waits(kind, NOBODY);
	lock();
	return arg;
}

static void play_leader(long arg)
{
	pthread_t thread;

	(void)arg;
	prepare(PTHREAD_PRIO_NONE, PTHREAD_PROCESS_PRIVATE);
	lock();
	must0(pthread_create(&thread, NULL, lock_after_leader, NULL), "pthread_create");
	meet(0, 2);
	pthread_exit(NULL);
}

static void lock_and_exit(unsigned me)
{
	(void)me;
	lock();
}

static void play_killed(long arg)
{
	pid_t pid;

	(void)arg;
	prepare(PTHREAD_PRIO_NONE, PTHREAD_PROCESS_SHARED);
	pid = process(lock_and_exit, 1);
	must(waitpid(pid, NULL, 0), "waitpid");
	enter(0);
	lock_orphan(0);
}

/* It is locked in both, and the child's copy has no thread that could open it. */
static void *lock_and_sleep(void *arg)
{
	lock();
	meet(0, 2);
	pause();
	return arg;
}

static void wait_for(pid_t pid)
{
	enter(1);
	waits("child", 0);
	must(waitpid(pid, NULL, 0), "waitpid");
}

static void play_forked(long by_another)
{
	static pthread_mutex_t copied = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;

	mutex = &copied;
	if (by_another) {
		must0(pthread_create(&thread, NULL, lock_and_sleep, NULL), "pthread_create");
		meet(0, 2);
	} else {
		lock();
	}
	wait_for(process(lock_orphan, 0));
}

static const struct scene scenes[] = {
	{ "exited", play_exited, PTHREAD_PRIO_NONE, 1, "certain" },
	{ "exited-pi", play_exited, PTHREAD_PRIO_INHERIT, 1, "certain" },
	{ "leader", play_leader, 0, 1, "certain" },
	{ "killed", play_killed, 0, 1, "certain" },
	{ "forked", play_forked, true, 2, "certain" },
	{ "forked-own", play_forked, false, 2, "certain" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
