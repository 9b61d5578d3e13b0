/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Programs under heavy traffic that never deadlock: nothing may be found. They print once all have had turns. */

#include "stage.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACTORS 4
#define LOCKS  4
#define TURNS  100 /* of each, before it counts as settled */

static struct shared {
	pthread_mutex_t locks[LOCKS];
	sem_t semaphores[2];
	atomic_uint ready;
} *shared;

static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static unsigned arrived, round_number;
static int ends[ACTORS][2];

static void count_turn(unsigned *turns)
{
	if (++*turns == TURNS && atomic_fetch_add(&shared->ready, 1) + 1 == ACTORS)
		settled();
}

static void lock(unsigned which)
{
	must0(pthread_mutex_lock(&shared->locks[which]), "pthread_mutex_lock");
}

static void unlock(unsigned which)
{
	must0(pthread_mutex_unlock(&shared->locks[which]), "pthread_mutex_unlock");
}

static void work(unsigned amount)
{
	for (volatile unsigned i = 0; i < amount; i++)
		;
}

static void use_lock(unsigned me)
{
	for (unsigned turns = 0;; count_turn(&turns)) {
		lock(0);
		work(200 + me);
		unlock(0);
	}
}

/* Any two, the lower one first; now and then the other way, without waiting. */
static void use_order(unsigned me)
{
	unsigned seed = me + 1;

	for (unsigned turns = 0;; count_turn(&turns)) {
		unsigned low, high;

		seed = seed * 1103515245u + 12345;
		low = seed >> 16 & 1;
		high = low + 1 + (seed >> 18 & 1);
		if (seed >> 20 & 7) {
			lock(low);
			lock(high);
		} else {
			lock(high);
			if (pthread_mutex_trylock(&shared->locks[low])) {
				unlock(high);
				continue;
			}
		}
		work(100);
		unlock(low);
		unlock(high);
	}
}

/* All wait until the last has come. */
static void use_gate(unsigned me)
{
	(void)me;
	for (unsigned turns = 0;; count_turn(&turns)) {
		unsigned mine;

		lock(0);
		mine = round_number;
		if (++arrived == ACTORS) {
			arrived = 0;
			round_number++;
			must0(pthread_cond_broadcast(&gate_moved), "pthread_cond_broadcast");
		}
		while (mine == round_number)
			must0(pthread_cond_wait(&gate_moved, &shared->locks[0]), "pthread_cond_wait");
		unlock(0);
	}
}

/* The ball goes from one half of them to the other; each half takes it in turns. */
static void use_ping_pong(unsigned me)
{
	for (unsigned turns = 0;; count_turn(&turns)) {
		must(sem_wait(&shared->semaphores[me % 2]), "sem_wait");
		must(sem_post(&shared->semaphores[1 - me % 2]), "sem_post");
	}
}

/* A token round a ring: each reads from the one before it. */
static void use_ring(unsigned me)
{
	char byte = 0;

	for (unsigned i = 0; i < ACTORS; i++) {
		if (i != me)
			close(ends[i][0]);
		if (i != (me + 1) % ACTORS)
			close(ends[i][1]);
	}
	if (me == 0)
		must(write(ends[1][1], &byte, 1), "write");
	for (unsigned turns = 0;; count_turn(&turns)) {
		must(read(ends[me][0], &byte, 1), "read");
		must(write(ends[(me + 1) % ACTORS][1], &byte, 1), "write");
	}
}

static void prepare(int scope)
{
	pthread_mutexattr_t attributes;

	shared = shared_memory(sizeof(*shared), NULL);
	must0(pthread_mutexattr_init(&attributes), "pthread_mutexattr_init");
	must0(pthread_mutexattr_setpshared(&attributes, scope), "shared");
	for (unsigned i = 0; i < LOCKS; i++)
		must0(pthread_mutex_init(&shared->locks[i], &attributes), "pthread_mutex_init");
	for (unsigned i = 0; i < 2; i++)
		must(sem_init(&shared->semaphores[i], scope == PTHREAD_PROCESS_SHARED, i == 0), "sem_init");
}

static void play_threads(void (*run)(unsigned me))
{
	prepare(PTHREAD_PROCESS_PRIVATE);
	threads(ACTORS, run);
}

static void play_processes(void (*run)(unsigned me))
{
	prepare(PTHREAD_PROCESS_SHARED);
	processes(ACTORS, run);
}

static void play_lock(long shared_ones)
{
	(shared_ones ? play_processes : play_threads)(use_lock);
}

static void play_order(long shared_ones)
{
	(shared_ones ? play_processes : play_threads)(use_order);
}

static void play_gate(long arg)
{
	(void)arg;
	play_threads(use_gate);
}

static void play_ping_pong(long shared_ones)
{
	(shared_ones ? play_processes : play_threads)(use_ping_pong);
}

static void play_pipes(long arg)
{
	(void)arg;
	for (unsigned i = 0; i < ACTORS; i++)
		must(pipe(ends[i]), "pipe");
	play_processes(use_ring);
}

static void play_sockets(long arg)
{
	(void)arg;
	for (unsigned i = 0; i < ACTORS; i++)
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), "socketpair");
	play_processes(use_ring);
}

static const struct scene scenes[] = {
	{ "lock", play_lock, false, 0, "none" },
	{ "lock-shared", play_lock, true, 0, "none" },
	{ "order", play_order, false, 0, "none" },
	{ "order-shared", play_order, true, 0, "none" },
	{ "gate", play_gate, 0, 0, "none" },
	{ "ping-pong", play_ping_pong, false, 0, "none" },
	{ "ping-pong-shared", play_ping_pong, true, 0, "none" },
	{ "pipes", play_pipes, 0, 0, "none" },
	{ "sockets", play_sockets, 0, 0, "none" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
