/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * From a file, or from memory, into a segment. Much of what that costs is the pages: looking each of them
 * up, or mapping it. So several threads share the work: one has the kernel write to the segment's file,
 * where it is one, the others have it write to its mapping. None of these calls gives SIGBUS, whatever
 * happens to the segment.
 */

#include "supply.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define STEP ((uint64_t)1 << 20)
#define THREADS 4
#define THREAD_LEAST (8 * STEP) /* what a thread is worth being started for */

struct fetching {
	const char *data; /* NULL: a file's, from start on */
	int file;
	uint64_t start;
	int segment;   /* its descriptor, or -1 */
	char *map;     /* where its byte at lies, or NULL */
	uint64_t at, size;
	uint64_t next; /* the first byte that nobody has begun with */
	uint64_t bad;  /* the first step that failed; size: none */
	uint64_t done;
	struct cli_progress *progress; /* of the first thread */
};

/* ---- one step; whether all of it was copied ---- */

/* A write beyond the end would make the segment larger. */
static bool has_room(const struct fetching *fetching, uint64_t end)
{
	struct stat st;

	return !fstat(fetching->segment, &st) && (uint64_t)st.st_size >= fetching->at + end;
}

static bool write_file(const struct fetching *fetching, uint64_t from, uint64_t size)
{
	off_t in = (off_t)(fetching->start + from);

	if (!has_room(fetching, from + size) ||
	    lseek(fetching->segment, (off_t)(fetching->at + from), SEEK_SET) < 0)
		return false;
	while (size) {
		ssize_t n = fetching->data ? write(fetching->segment, fetching->data + from, (size_t)size) :
					     sendfile(fetching->segment, fetching->file, &in, (size_t)size);

		if (!n || (n < 0 && errno != EINTR))
			return false;
		n = n < 0 ? 0 : n;
		from += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return true;
}

/* All at once is cheaper than fault by fault, and one that fails is found by the reading. */
static void populate(char *start, uint64_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t first = (uintptr_t)start & ~(page - 1);

	(void)!madvise((void *)first, (size_t)((uintptr_t)start + size - first), MADV_POPULATE_WRITE);
}

/* From memory to memory by a call that says EFAULT. */
static ssize_t copy_memory(const char *from, char *to, uint64_t size)
{
	struct iovec source = { .iov_base = (void *)from, .iov_len = (size_t)size };
	struct iovec target = { .iov_base = to, .iov_len = (size_t)size };

	return process_vm_writev(getpid(), &source, 1, &target, 1, 0);
}

static bool write_map(const struct fetching *fetching, uint64_t from, uint64_t size)
{
	if (!fetching->data)
		populate(fetching->map + from, size);
	while (size) {
		char *to = fetching->map + from;
		ssize_t n = fetching->data ? copy_memory(fetching->data + from, to, size) :
					     pread(fetching->file, to, (size_t)size, (off_t)(fetching->start + from));

		if (!n || (n < 0 && errno != EINTR))
			return false;
		n = n < 0 ? 0 : n;
		from += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return true;
}

/* ---- sharing the steps ---- */

static void note_bad(struct fetching *fetching, uint64_t from)
{
	uint64_t bad = __atomic_load_n(&fetching->bad, __ATOMIC_RELAXED);

	while (from < bad &&
	       !__atomic_compare_exchange_n(&fetching->bad, &bad, from, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void work(struct fetching *fetching, bool first)
{
	for (;;) {
		uint64_t from = __atomic_fetch_add(&fetching->next, STEP, __ATOMIC_RELAXED), size, done;

		if (from >= fetching->size || __atomic_load_n(&fetching->bad, __ATOMIC_RELAXED) < fetching->size)
			return;
		size = fetching->size - from < STEP ? fetching->size - from : STEP;
		if (!(first && fetching->segment >= 0 ? write_file : write_map)(fetching, from, size))
			note_bad(fetching, from);
		done = __atomic_add_fetch(&fetching->done, size, __ATOMIC_RELAXED);
		if (first)
			cli_progress_step(fetching->progress, done);
	}
}

static void *run_other(void *arg)
{
	work(arg, false);
	return NULL;
}

static unsigned count_threads(const struct fetching *fetching)
{
	uint64_t most = fetching->size / THREAD_LEAST;
	cpu_set_t cpus;
	int n;

	if (!fetching->map || sched_getaffinity(0, sizeof(cpus), &cpus))
		return 1;
	n = CPU_COUNT(&cpus);
	n = n < THREADS ? n : THREADS;
	return most < (uint64_t)n ? (unsigned)most : (unsigned)n;
}

/* Signals are for the first thread. */
static bool start(pthread_t *thread, struct fetching *fetching)
{
	sigset_t all, mask;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	error = pthread_create(thread, NULL, run_other, fetching);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	return !error;
}

static void share(struct fetching *fetching)
{
	unsigned most = count_threads(fetching), n = 0;
	pthread_t others[THREADS];

	while (n + 1 < most && start(&others[n], fetching))
		n++;
	work(fetching, true);
	while (n)
		pthread_join(others[--n], NULL);
}

/* Where the segment lies in memory: all of what others have to write to, or NULL. */
static char *map(struct part *part, uint64_t at, uint64_t size)
{
	void *map;
	size_t mapped;

	if (ipckit_shm_map(part->shm, true, &map, &mapped) || mapped < size || at > mapped - size)
		return NULL;
	return (char *)map + at;
}

uint64_t fetch(struct part *part, uint64_t at, const char *data, int file, uint64_t start, uint64_t size)
{
	bool posix = ipckit_shm_backend(part->shm) == IPCKIT_SHM_POSIX;
	struct fetching fetching = {
		.data = data, .file = file, .start = start, .segment = posix ? ipckit_shm_id(part->shm) : -1, .at = at,
		.size = size, .bad = size, .progress = &part->progress,
	};

	/* A little of memory is written at once. */
	if (data && size < STEP)
		return 0;
	if (!posix || size >= 2 * THREAD_LEAST)
		fetching.map = map(part, at, size);
	if (!fetching.map && !posix)
		return 0;
	share(&fetching);
	return fetching.bad;
}
