/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BENCH_H
#define BENCH_H

/* What the drivers share: time, and a file of counters that jobs and their driver map. */

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct counters {
	atomic_int next;   /* jobs that workers have begun with */
	atomic_int inside; /* jobs at work now */
	atomic_int most;   /* the most there ever were at once */
	atomic_int done;
	atomic_int entered; /* pid of the last job that came to work */
};

static inline int64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static inline void sleep_ns(long ns)
{
	const struct timespec time = { .tv_nsec = ns };

	nanosleep(&time, NULL);
}

static inline struct counters *map_counters(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *map = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, sizeof(struct counters)))
		map = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	close(fd);
	return map;
}

static inline pid_t spawn(char **command, const posix_spawn_file_actions_t *actions)
{
	pid_t pid;
	int error = posix_spawnp(&pid, command[0], actions, NULL, command, environ);

	if (error) {
		fprintf(stderr, "%s: %s\n", command[0], strerror(error));
		exit(2);
	}
	return pid;
}

static inline int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			exit(2);
	return status;
}

#endif
