/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What scans for deadlocks cost a program that is looked at: live-target ROUNDS
 *
 * Two pairs of threads hand a turn to and fro, on a processor of their own where there are two. In each round four
 * periods of them are counted: without, with, with, without ten scans a second. Prints the turns in a second
 * without and with, medians; the median of the rounds' ratios, with to without; that of the turns in a second of
 * their CPU time; the scans, and how many of them have found something.
 */

#include "bench.h"

#include <ipckit/live.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/prctl.h>

#define PERIOD_NS 200000000LL
#define SCAN_NS   100000000L
#define ROUNDS_MAX 1000

static struct shared {
	sem_t turns[2][2];
	atomic_ullong count;
} *shared;

static long scans, found;

struct period {
	double turns, cpu_turns; /* in a second */
};

static void fail(const char *what)
{
	fprintf(stderr, "live-target: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void *take_turns(void *arg)
{
	sem_t *own = arg, *pair = shared->turns[(own - shared->turns[0]) / 2];
	sem_t *other = own == &pair[0] ? &pair[1] : &pair[0];

	for (;;) {
		while (sem_wait(own))
			;
		atomic_fetch_add(&shared->count, 1);
		sem_post(other);
	}
	return NULL;
}

static void be_target(void)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 1; i < 4; i++)
		if (pthread_create(&thread, NULL, take_turns, &shared->turns[0][0] + i))
			_exit(2);
	take_turns(&shared->turns[0][0]);
}

/* Which of the processors that may be used, the first being 0; one alone is left to both. */
static void go_to(int which)
{
	cpu_set_t may, set;

	if (sched_getaffinity(0, sizeof(may), &may) || CPU_COUNT(&may) < 2)
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &may) || which--)
			continue;
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		(void)!sched_setaffinity(0, sizeof(set), &set);
	}
}

static int64_t cpu_ns(pid_t pid)
{
	struct timespec time;
	clockid_t clock;

	errno = clock_getcpuclockid(pid, &clock);
	if (errno || clock_gettime(clock, &time))
		fail("its CPU time");
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void scan(void)
{
	struct ipckit_live live;

	errno = -ipckit_live_scan(NULL, &live);
	if (errno)
		fail("scan");
	scans++;
	found += live.nnodes > 0;
	ipckit_live_free(&live);
}

static struct period count_period(pid_t pid, bool scanning)
{
	int64_t begin = now_ns(), cpu = cpu_ns(pid);
	unsigned long long count = atomic_load(&shared->count);
	double turns;

	for (int64_t next = begin; now_ns() - begin < PERIOD_NS; next += SCAN_NS) {
		if (scanning)
			scan();
		if (next + SCAN_NS > now_ns())
			sleep_ns(next + SCAN_NS - now_ns());
	}
	turns = (double)(atomic_load(&shared->count) - count) * 1e9;
	return (struct period){ turns / (double)(now_ns() - begin), turns / (double)(cpu_ns(pid) - cpu) };
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *list, int n)
{
	qsort(list, (size_t)n, sizeof(*list), by_size);
	return list[n / 2];
}

static void measure(pid_t pid, int rounds)
{
	double without[ROUNDS_MAX], with[ROUNDS_MAX], ratio[ROUNDS_MAX], cpu_ratio[ROUNDS_MAX];

	for (int i = 0; i < rounds; i++) {
		struct period a = count_period(pid, false), b = count_period(pid, true);
		struct period c = count_period(pid, true), d = count_period(pid, false);

		without[i] = (a.turns + d.turns) / 2;
		with[i] = (b.turns + c.turns) / 2;
		ratio[i] = with[i] / without[i];
		cpu_ratio[i] = (b.cpu_turns + c.cpu_turns) / (a.cpu_turns + d.cpu_turns);
	}
	printf("%.0f %.0f %.4f %.4f %ld %ld\n", median(without, rounds), median(with, rounds),
	       median(ratio, rounds), median(cpu_ratio, rounds), scans, found);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0;
	pid_t pid;

	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: live-target ROUNDS\n");
		return 2;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fail("mmap");
	for (int i = 0; i < 4; i++)
		sem_init(&shared->turns[0][0] + i, 1, i % 2 == 0);
	pid = fork();
	if (pid < 0)
		fail("fork");
	go_to(pid ? 1 : 0);
	if (!pid)
		be_target();
	sleep_ns(100000000);
	measure(pid, rounds);
	kill(pid, SIGKILL);
	wait_for(pid);
	return 0;
}
