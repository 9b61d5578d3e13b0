/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Two processes that hand over to each other by sem_t: pingpong ROUNDS. Prints nanoseconds a round trip. */

#include "bench.h"

#include <semaphore.h>

int main(int argc, char **argv)
{
	int rounds = argc == 2 ? atoi(argv[1]) : 0;
	sem_t *sems = mmap(NULL, 2 * sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t start;
	pid_t pid;

	if (rounds < 1 || sems == MAP_FAILED || sem_init(&sems[0], 1, 0) || sem_init(&sems[1], 1, 0))
		return 2;
	pid = fork();
	if (pid < 0)
		return 2;
	start = now_ns();
	for (int i = 0; i < rounds; i++) {
		if (pid)
			sem_post(&sems[0]);
		while (sem_wait(&sems[pid != 0]) && errno == EINTR)
			;
		if (!pid)
			sem_post(&sems[1]);
	}
	if (!pid)
		return 0;
	printf("%lld\n", (long long)(now_ns() - start) / rounds);
	return wait_for(pid) != 0;
}
