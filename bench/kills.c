/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Jobs that are killed: kills TIMES FILE COMMAND...
 *
 * Starts COMMAND, which is to become `job FILE hold`, and kills it by SIGKILL: every
 * other one as soon as the job is at work, the rest at any moment of the way there.
 * Prints nanoseconds, and how many were at work when they were killed. A job that does
 * not get to work within 10 s, because permits were lost, ends it with status 1.
 */

#include "bench.h"

#include <signal.h>

#define PATIENCE_NS 10000000000LL
#define START_NS 2000000 /* longer than most starts take */

static bool is_at_work(struct counters *counters, pid_t pid)
{
	return atomic_load(&counters->entered) == pid;
}

static void await(struct counters *counters, pid_t pid)
{
	int64_t end = now_ns() + PATIENCE_NS;

	while (!is_at_work(counters, pid)) {
		if (now_ns() > end) {
			fprintf(stderr, "kills: a job did not get to work\n");
			kill(pid, SIGKILL);
			exit(1);
		}
		sleep_ns(50000);
	}
}

static int kill_one(struct counters *counters, char **command, bool working)
{
	pid_t pid = spawn(command, NULL);
	int was_working;

	if (working)
		await(counters, pid);
	else
		sleep_ns(random() % START_NS);
	was_working = is_at_work(counters, pid);
	kill(pid, SIGKILL);
	if (!WIFSIGNALED(wait_for(pid))) {
		fprintf(stderr, "kills: %s ended by itself\n", command[0]);
		exit(1);
	}
	return was_working;
}

int main(int argc, char **argv)
{
	int times = argc > 3 ? atoi(argv[1]) : 0, working = 0;
	struct counters *counters;
	int64_t start = now_ns();

	if (times < 1) {
		fprintf(stderr, "usage: kills TIMES FILE COMMAND...\n");
		return 2;
	}
	counters = map_counters(argv[2]);
	for (int i = 0; i < times; i++)
		working += kill_one(counters, argv + 3, i % 2);
	printf("%lld %d\n", (long long)(now_ns() - start), working);
	return 0;
}
