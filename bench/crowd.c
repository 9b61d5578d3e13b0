/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Workers that run jobs: crowd WORKERS JOBS FILE COMMAND...
 *
 * Each worker runs COMMAND, which is to run `job FILE`, again and again until all of
 * them have run JOBS together. Prints nanoseconds, the most jobs that were inside at
 * once, and how many were done.
 */

#include "bench.h"

static void work(struct counters *counters, int jobs, char **command)
{
	while (atomic_fetch_add(&counters->next, 1) < jobs) {
		int status = wait_for(spawn(command, NULL));

		if (status) {
			fprintf(stderr, "crowd: %s: wait status %#x\n", command[0], status);
			exit(1);
		}
	}
	exit(0);
}

int main(int argc, char **argv)
{
	int workers = argc > 4 ? atoi(argv[1]) : 0, jobs = argc > 4 ? atoi(argv[2]) : 0, failed = 0;
	struct counters *counters;
	int64_t start;

	if (workers < 1 || jobs < 1) {
		fprintf(stderr, "usage: crowd WORKERS JOBS FILE COMMAND...\n");
		return 2;
	}
	counters = map_counters(argv[3]);
	memset(counters, 0, sizeof(*counters));
	start = now_ns();
	for (int i = 0; i < workers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 2;
		if (!pid)
			work(counters, jobs, argv + 4);
	}
	for (int i = 0; i < workers; i++)
		failed += wait_for(-1) != 0;
	printf("%lld %d %d\n", (long long)(now_ns() - start), atomic_load(&counters->most),
	       atomic_load(&counters->done));
	return failed != 0;
}
