/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RINGS_H
#define RINGS_H

/* Streams through rings between processes: what the tests of ipckit/ring.h share. */

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ipckit/ring.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND 1000000000LL
#define PATIENCE (5 * SECOND) /* of what has to come; at least as long on a slow machine */
#define BAD_DATA 200          /* exit status of a child that read something else than was written */

static unsigned seed = 1;

static inline unsigned below(unsigned limit)
{
	return (unsigned)rand_r(&seed) % limit;
}

static inline struct ipckit_deadline in(int64_t ns)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns, &deadline);
	return deadline;
}

/* ---- memory ---- */

struct area {
	char *memory;
	size_t size;
};

static inline struct area make_area(size_t capacity)
{
	struct area area = { .size = IPCKIT_RING_DATA + capacity };

	area.memory = mmap(NULL, area.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (area.memory == MAP_FAILED)
		exit(UNIT_SKIP);
	return area;
}

static inline void free_area(struct area *area)
{
	munmap(area->memory, area->size);
}

static inline struct ipckit_ring_end *end_of(const struct area *area, enum ipckit_ring_side side)
{
	return (struct ipckit_ring_end *)(void *)(area->memory + (side == IPCKIT_RING_WRITER ? 64 : 128));
}

static inline bool is_idle(const struct area *area)
{
	const struct ipckit_ring_end *writer = end_of(area, IPCKIT_RING_WRITER);
	const struct ipckit_ring_end *reader = end_of(area, IPCKIT_RING_READER);

	return writer->state == IPCKIT_RING_IDLE && writer->position == reader->position;
}

static inline int join(const struct area *area, enum ipckit_ring_side side, int64_t ns,
		       struct ipckit_ring **out)
{
	const struct ipckit_deadline deadline = in(ns);

	return ipckit_ring_join(area->memory, area->size, side, &deadline, out);
}

/* ---- streams: byte n of each is a function of n ---- */

static inline unsigned char byte_at(uint64_t n)
{
	return (unsigned char)((n * 2654435761u) >> 13);
}

struct job {
	const struct area *area;
	uint64_t bytes;   /* of a writer */
	unsigned most;    /* bytes that are passed on at once */
	int64_t patience; /* ns for each wait */
	volatile sig_atomic_t *joined;
	bool insists;     /* a broken stream is followed by another try */
	unsigned seed;
};

static inline size_t cut(struct iovec parts[2], size_t most)
{
	if (parts[0].iov_len > most)
		parts[0].iov_len = most;
	if (parts[1].iov_len > most - parts[0].iov_len)
		parts[1].iov_len = most - parts[0].iov_len;
	return parts[0].iov_len + parts[1].iov_len;
}

static inline size_t some(struct job *job)
{
	return 1 + (size_t)rand_r(&job->seed) % job->most;
}

static inline int write_bytes(struct job *job, struct ipckit_ring *ring)
{
	uint64_t n = 0;

	while (n < job->bytes) {
		const struct ipckit_deadline deadline = in(job->patience);
		struct iovec parts[2];
		size_t size = some(job);
		int r = ipckit_ring_wait(ring, &deadline, parts);

		if (r)
			return r;
		size = cut(parts, size < job->bytes - n ? size : job->bytes - n);
		for (int i = 0; i < 2; i++)
			for (size_t at = 0; at < parts[i].iov_len; at++)
				((unsigned char *)parts[i].iov_base)[at] = byte_at(n++);
		ipckit_ring_pass(ring, size);
	}
	return 0;
}

static inline uint64_t skipped(const struct area *area)
{
	uint64_t begin = end_of(area, IPCKIT_RING_WRITER)->begin, joined = end_of(area, IPCKIT_RING_READER)->begin;

	return joined > begin ? joined - begin : 0;
}

/* n: where the stream is, 0 at first. Goes on until the wait says something. */
static inline int read_bytes(struct job *job, struct ipckit_ring *ring, uint64_t *n)
{
	for (;;) {
		const struct ipckit_deadline deadline = in(job->patience);
		struct iovec parts[2];
		size_t size = some(job);
		int r = ipckit_ring_wait(ring, &deadline, parts);

		if (r)
			return r;
		/* Another reader may have had the first bytes. */
		if (!ipckit_ring_passed(ring))
			*n = skipped(job->area);
		size = cut(parts, size);
		for (int i = 0; i < 2; i++)
			for (size_t at = 0; at < parts[i].iov_len; at++)
				if (((unsigned char *)parts[i].iov_base)[at] != byte_at((*n)++))
					return -BAD_DATA;
		ipckit_ring_pass(ring, size);
	}
}

static inline int write_stream(struct job *job)
{
	struct ipckit_ring *ring;
	int r = join(job->area, IPCKIT_RING_WRITER, job->patience, &ring);

	if (r)
		return r;
	if (job->joined)
		*job->joined = 1;
	r = write_bytes(job, ring);
	ipckit_ring_leave(ring, !r);
	return r;
}

/* 0: whole, and of the length that is expected. */
static inline int read_stream(struct job *job)
{
	struct ipckit_ring *ring;
	uint64_t n = 0;
	int r = join(job->area, IPCKIT_RING_READER, job->patience, &ring);

	if (r)
		return r;
	if (job->joined)
		*job->joined = 1;
	r = read_bytes(job, ring, &n);
	ipckit_ring_leave(ring, true);
	if (r != -ENODATA)
		return r;
	return n == job->bytes ? 0 : -BAD_DATA;
}

/* ---- processes ---- */

static inline pid_t spawn(int (*work)(struct job *), const struct job *job)
{
	struct job own = *job;
	pid_t pid;
	int r;

	fflush(stdout);
	own.seed = below(1000000);
	pid = fork();
	if (pid)
		return pid;
	do
		r = work(&own);
	while (own.insists && (r == -EPIPE || r == -EOWNERDEAD));
	_exit(-r);
}

/* The exit status, 256 + the signal that it died by, or -1 where it does not end; then it is killed. */
static inline int await(pid_t pid)
{
	const struct ipckit_deadline deadline = in(PATIENCE);
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (!ipckit_deadline_sleep(&deadline, 200000))
			continue;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return -1;
	}
	return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline bool await_flag(const volatile sig_atomic_t *flag)
{
	const struct ipckit_deadline deadline = in(PATIENCE);

	while (!*flag)
		if (ipckit_deadline_sleep(&deadline, 100000))
			return false;
	return true;
}

static inline void end_by_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static inline volatile sig_atomic_t *make_flag(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

static inline struct job job_of(const struct area *area, uint64_t bytes, unsigned most)
{
	return (struct job){ .area = area, .bytes = bytes, .most = most, .patience = PATIENCE };
}

#endif
