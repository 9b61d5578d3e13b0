/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Programs that look like deadlocks more than others do, and are none: who can end the wait is where few look.
 * "none" must never be reported, "inferred" at most as that.
 */

#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK 65536

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t semaphore;
static int ends[2];

static void make_pipe(void)
{
	must(pipe2(ends, O_CLOEXEC), "pipe2");
}

static void read_byte(int role)
{
	char byte;

	waits("pipe-read", role);
	must(read(ends[0], &byte, 1), "read");
}

static void ignore(int number)
{
	(void)number;
}

/* ---- what goes on by itself ---- */

/* An event loop until its next timer. */
static void play_loop(long arg)
{
	struct pollfd polled;

	(void)arg;
	make_pipe();
	polled = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	enter(0);
	waits_for_any("poll", 1);
	must(poll(&polled, 1, 3600000), "poll");
}

/* A daemon until it is ended. */
static void play_signal(long arg)
{
	const struct sigaction action = { .sa_handler = ignore };

	(void)arg;
	must(sigaction(SIGTERM, &action, NULL), "sigaction");
	must(sem_init(&semaphore, 0, 0), "sem_init");
	enter(0);
	waits_for_any("semaphore", 1);
	must(sem_wait(&semaphore), "sem_wait");
}

/* ---- children ---- */

static void read_from_parent(unsigned me)
{
	(void)me;
	close(ends[1]);
	read_byte(0);
}

/* The handler has waitpid() return, and the parent would write. */
static void play_interrupted(long arg)
{
	const struct sigaction action = { .sa_handler = ignore };
	pid_t child;

	(void)arg;
	make_pipe();
	must(sigaction(SIGALRM, &action, NULL), "sigaction");
	child = process(read_from_parent, 1);
	close(ends[0]);
	enter(0);
	waits("child", 1);
	must(waitpid(child, NULL, 0), "waitpid");
}

static void be_orphaned(unsigned me)
{
	(void)me;
	close(ends[0]);
	close(ends[1]);
	sleep_for_ever();
}

static void have_child(unsigned me)
{
	process(be_orphaned, 2);
	read_from_parent(me);
}

/* A child's child comes to it, and may end, without any end of that child that reads. */
static void play_subreaper(long arg)
{
	(void)arg;
	make_pipe();
	must(prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl");
	process(have_child, 1);
	close(ends[0]);
	enter(0);
	waits("child", 1);
	must(waitpid(-1, NULL, 0), "waitpid");
}

static void name_queue(char name[48], pid_t maker)
{
	snprintf(name, 48, "/ipckit-stage.%d", (int)maker);
}

static void work(unsigned me)
{
	char name[48], text[64];
	mqd_t queue;

	(void)me;
	name_queue(name, getppid());
	queue = must(mq_open(name, O_RDONLY), name);
	waits("mq-receive", NOBODY);
	must(mq_receive(queue, text, sizeof(text), NULL), "mq_receive");
}

/* A supervisor that has the queue open, and a worker for whom there is nothing to do. */
static void play_supervisor(long arg)
{
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 64 };
	char name[48];
	pid_t child;

	(void)arg;
	name_queue(name, getpid());
	must(mq_open(name, O_CREAT | O_RDWR, 0600, &attributes), name);
	child = process(work, 1);
	enter(0);
	waits("child", 1);
	must(waitpid(child, NULL, 0), "waitpid");
}

/* ---- what processes and threads share, or do not ---- */

static int sleep_in_memory(void *arg)
{
	(void)arg;
	/* Without the C library, whose thread this is not. */
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	while (syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0))
		;
	return 0;
}

/* A process that shares the memory could post. */
static void play_memory(long arg)
{
	char *stack = malloc(STACK);

	(void)arg;
	if (!stack)
		fail("malloc", ENOMEM);
	must(sem_init(&semaphore, 0, 0), "sem_init");
	must(clone(sleep_in_memory, stack + STACK, CLONE_VM | SIGCHLD, NULL), "clone");
	enter(0);
	waits_for_any("semaphore", 1);
	must(sem_wait(&semaphore), "sem_wait");
}

static void lock_in_child(unsigned me)
{
	if (me)
		sleep_for_ever();
	waits("mutex", NOBODY);
	must0(pthread_mutex_lock(&mutex), "pthread_mutex_lock");
}

static void be_copy(unsigned me)
{
	(void)me;
	threads(2, lock_in_child);
}

/* The other thread of the child could unlock what its parent has locked, as handlers of pthread_atfork() do. */
static void play_atfork(long arg)
{
	(void)arg;
	must0(pthread_mutex_lock(&mutex), "pthread_mutex_lock");
	process(be_copy, 2);
	sleep_for_ever();
}

static void *take_apart(void *arg)
{
	(void)arg;
	must(unshare(CLONE_FILES), "unshare");
	meet(0, 2);
	sleep_for_ever();
}

static void hold_apart(unsigned me)
{
	pthread_t thread;

	(void)me;
	must0(pthread_create(&thread, NULL, take_apart, NULL), "pthread_create");
	meet(0, 2);
	close(ends[0]);
	close(ends[1]);
	meet(1, 2);
	pthread_join(thread, NULL);
}

/* A thread that has descriptors of its own has the other end, and not its process. */
static void play_apart(long arg)
{
	(void)arg;
	make_pipe();
	process(hold_apart, 1);
	meet(1, 2);
	enter(0);
	read_byte(NOBODY);
}

static const struct scene scenes[] = {
	{ "loop", play_loop, 0, 1, "none" },
	{ "signal", play_signal, 0, 1, "none" },
	{ "interrupted", play_interrupted, 0, 2, "inferred" },
	{ "subreaper", play_subreaper, 0, 2, "inferred" },
	{ "supervisor", play_supervisor, 0, 2, "none" },
	{ "memory", play_memory, 0, 1, "none" },
	{ "atfork", play_atfork, 0, 1, "none" },
	{ "apart", play_apart, 0, 1, "inferred" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
