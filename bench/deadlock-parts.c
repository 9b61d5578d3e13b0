/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What a check is made of, part by part:
 *
 *   deadlock-parts watch|classic FILE
 *   deadlock-parts watch|classic ALLOCATION REQUEST EXISTING
 *
 * Prints in nanoseconds of CPU time what it takes to read the input by read(2)
 * alone, to read it as a system, to detect, and to find the core; then the bytes
 * of the input, the peak of memory after reading it as a system, the bytes of its
 * matrices where each cell is a number of 8 bytes, the cells that are not zero,
 * and how many processes are deadlocked.
 */

#include "input.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define FILES 3

static int64_t cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int64_t peak_bytes(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss * 1024LL;
}

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "deadlock-parts: %s: %s\n", what, why);
	exit(2);
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail(path, "cannot be opened");
	return fd;
}

/* Returns how much there is. */
static int64_t read_bare(char **paths, int n)
{
	static char buffer[256 * 1024];
	int64_t size = 0;

	for (int i = 0; i < n; i++) {
		int fd = open_file(paths[i]);

		for (ssize_t got; (got = read(fd, buffer, sizeof(buffer))) > 0;)
			size += got;
		close(fd);
	}
	return size;
}

static int read_sources(struct source *sources, char **paths, int n, struct model *model, struct problem *problem)
{
	struct mtx_sources matrices = {
		.allocation = &sources[0], .allocation_name = paths[0],
		.request = &sources[1], .request_name = paths[1],
		.existing = &sources[2], .existing_name = paths[2],
	};

	return n == 1 ? read_model(sources, NULL, model, problem) : read_mtx(&matrices, model, problem);
}

static void read_system(char **paths, int n, struct model *model)
{
	struct source sources[FILES];
	struct problem problem = { 0 };
	int fds[FILES];

	for (int i = 0; i < n; i++) {
		fds[i] = open_file(paths[i]);
		if (source_open_fd(&sources[i], fds[i]))
			fail(paths[i], "no memory");
	}
	if (read_sources(sources, paths, n, model, &problem))
		fail(paths[0], *problem.text ? problem.text : "cannot be read");
	for (int i = 0; i < n; i++) {
		source_close(&sources[i]);
		close(fds[i]);
	}
}

static size_t cells_of(const struct ipckit_system *system, const struct ipckit_rows *rows)
{
	return rows->start ? rows->start[system->nprocesses] : 0;
}

int main(int argc, char **argv)
{
	enum ipckit_algorithm algorithm = argc > 1 && !strcmp(argv[1], "classic") ? IPCKIT_CLASSIC : IPCKIT_WATCH;
	struct ipckit_detection detection = { 0 };
	struct ipckit_core core = { 0 };
	const struct ipckit_system *system;
	struct model model = { 0 };
	int64_t at[5], size, peak;

	if (argc != 3 && argc != 2 + FILES) {
		fprintf(stderr, "usage: deadlock-parts watch|classic FILE | ALLOCATION REQUEST EXISTING\n");
		return 2;
	}
	at[0] = cpu_ns();
	size = read_bare(argv + 2, argc - 2);
	at[1] = cpu_ns();
	read_system(argv + 2, argc - 2, &model);
	at[2] = cpu_ns();
	peak = peak_bytes();
	system = &model.system;
	if (ipckit_deadlock_detect(system, algorithm, &detection))
		fail("detection", "no memory");
	at[3] = cpu_ns();
	if (ipckit_deadlock_core(system, &detection, &core))
		fail("core", "no memory");
	at[4] = cpu_ns();
	for (int i = 0; i < 4; i++)
		printf("%lld ", (long long)(at[i + 1] - at[i]));
	printf("%lld %lld %lld %zu %zu\n", (long long)size, (long long)peak,
	       16LL * system->nprocesses * system->nresources,
	       cells_of(system, &system->allocation) + cells_of(system, &system->request), detection.ndead);
	ipckit_core_free(&core);
	ipckit_detection_free(&detection);
	model_free(&model);
	return 0;
}
