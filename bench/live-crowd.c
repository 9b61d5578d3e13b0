/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What a scan for deadlocks costs among many threads:
 *
 *   live-crowd idle|blocked ROUNDS [COMMAND...]
 *
 * 213 processes with 5,027 threads. idle: the first of each sleeps, the others wait on a condition for what it has
 * to do. blocked: two of each have what the other waits for, and the others wait for the first of them; so all
 * threads are stuck. Prints the median of a scan's CPU time in nanoseconds, and how many processes, threads and
 * stuck threads were seen by the last one; then runs COMMAND, and ends the crowd.
 */

#include "bench.h"

#include <ipckit/live.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

#define PROCESSES 213
#define THREADS   5027
#define ROUNDS_MAX 1000

static pthread_mutex_t locks[2] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t both;
static atomic_int *ready; /* threads that are about to wait */

static void fail(const char *what)
{
	fprintf(stderr, "live-crowd: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void *wait_for_work(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&locks[0]);
	atomic_fetch_add(ready, 1);
	for (;;)
		pthread_cond_wait(&work, &locks[0]);
	return NULL;
}

static void *wait_for_lock(void *arg)
{
	(void)arg;
	atomic_fetch_add(ready, 1);
	pthread_mutex_lock(&locks[0]);
	return NULL;
}

static void *lock_second(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&locks[1]);
	pthread_barrier_wait(&both);
	atomic_fetch_add(ready, 1);
	pthread_mutex_lock(&locks[0]);
	return NULL;
}

static void start(void *(*run)(void *arg))
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 65536);
	errno = pthread_create(&thread, &attributes, run, NULL);
	if (errno)
		_exit(2);
}

static void be_idle(int threads)
{
	for (int i = 1; i < threads; i++)
		start(wait_for_work);
	atomic_fetch_add(ready, 1);
	for (;;)
		pause();
}

static void be_blocked(int threads)
{
	pthread_barrier_init(&both, NULL, 2);
	pthread_mutex_lock(&locks[0]);
	start(lock_second);
	pthread_barrier_wait(&both);
	for (int i = 2; i < threads; i++)
		start(wait_for_lock);
	atomic_fetch_add(ready, 1);
	pthread_mutex_lock(&locks[1]);
}

/* All are about to wait, and soon do. */
static void make_crowd(pid_t pids[PROCESSES], bool blocked)
{
	ready = mmap(NULL, sizeof(*ready), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ready == MAP_FAILED)
		fail("mmap");
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			fail("fork");
		if (pids[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(blocked ? be_blocked : be_idle)(THREADS / PROCESSES + (i < THREADS % PROCESSES));
		_exit(2);
	}
	for (int i = 0; atomic_load(ready) < THREADS; i++) {
		if (i == 60000) {
			errno = ETIMEDOUT;
			fail("the crowd");
		}
		sleep_ns(1000000);
	}
	sleep_ns(500000000);
}

static int64_t cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static size_t count_threads(const struct ipckit_live *live)
{
	size_t count = 0;

	for (size_t i = 0; i < live->nnodes; i++)
		count += live->nodes[i].tid != 0;
	return count;
}

static void measure(int rounds)
{
	int64_t times[ROUNDS_MAX];

	for (int i = 0; i < rounds; i++) {
		struct ipckit_live live;
		int64_t begin = cpu_ns();

		errno = -ipckit_live_scan(NULL, &live);
		if (errno)
			fail("scan");
		times[i] = cpu_ns() - begin;
		if (i == rounds - 1) {
			qsort(times, (size_t)rounds, sizeof(*times), by_time);
			printf("%lld %lld %lld %zu\n", (long long)times[rounds / 2], (long long)live.processes,
			       (long long)live.threads, count_threads(&live));
		}
		ipckit_live_free(&live);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 0;
	pid_t pids[PROCESSES];

	if (rounds < 1 || rounds > ROUNDS_MAX || (strcmp(argv[1], "idle") && strcmp(argv[1], "blocked"))) {
		fprintf(stderr, "usage: live-crowd idle|blocked ROUNDS [COMMAND...]\n");
		return 2;
	}
	make_crowd(pids, !strcmp(argv[1], "blocked"));
	measure(rounds);
	if (argc > 3)
		wait_for(spawn(argv + 3, NULL));
	for (int i = 0; i < PROCESSES; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < PROCESSES; i++)
		wait_for(pids[i]);
	return 0;
}
