/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What a command uses: deadlock-use COMMAND... Prints nanoseconds by the clock and of
 * CPU time, the peak of memory in KiB, and its status; what it prints goes to stderr.
 */

#include "bench.h"

#include <sys/resource.h>

static long long ns_of(struct timeval time)
{
	return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int64_t start;
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: deadlock-use COMMAND...\n");
		return 2;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	start = now_ns();
	status = wait_for(spawn(argv + 1, &actions));
	start = now_ns() - start;
	getrusage(RUSAGE_CHILDREN, &usage);
	printf("%lld %lld %ld %d\n", (long long)start, ns_of(usage.ru_utime) + ns_of(usage.ru_stime),
	       usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
