/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUTEXES_H
#define FUTEXES_H

/* What the tests of the bare operations share: words in a file that processes map, and processes that sleep. */

#include "mutexes.h"

#include <fcntl.h>
#include <stddef.h>

#include <ipckit/futex.h>

#define PAGE ((size_t)4096)
#define MOST_SLEEPERS 8

/* What the kernel has and the library does not do: bare calls. */
static inline int bare(const uint32_t *word, int op, uint32_t value, long value2, const uint32_t *second,
		       uint32_t value3)
{
	long r = syscall(SYS_futex, word, op, value, value2, second, value3);

	return r < 0 ? -errno : (int)r;
}

/* The words: in a page of a file that this process and its children map, twice. */
static struct words {
	uint32_t a, b, c, d;
	volatile unsigned order[MOST_SLEEPERS], arrived; /* of those that were woken */
	volatile int flag;
} *words, *other;
static int words_fd = -1;

/* Places where there is no word: of no page, of one that may not be touched, not be written, has no more file. */
static struct {
	uint32_t *unmapped, *untouchable, *read_only, *shrunk, *unaligned;
} bad;

static inline int file_of(size_t size)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir ? dir : "/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	return CHECK(fd >= 0 && ftruncate(fd, (off_t)size) == 0) ? fd : -1;
}

static inline void *map_of(int fd, size_t size, int protection)
{
	void *map = mmap(NULL, size, protection, MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? NULL : map;
}

/* All of the places, or none: false. */
static inline bool share_words(void)
{
	int fd = file_of(2 * PAGE);
	char *map = map_of(fd, 2 * PAGE, PROT_READ | PROT_WRITE);

	words_fd = file_of(PAGE);
	words = map_of(words_fd, PAGE, PROT_READ | PROT_WRITE);
	other = map_of(words_fd, PAGE, PROT_READ | PROT_WRITE);
	bad.unmapped = (uint32_t *)PAGE; /* below what mmap(2) gives anybody */
	bad.untouchable = map_of(words_fd, PAGE, PROT_NONE);
	bad.read_only = map_of(words_fd, PAGE, PROT_READ);
	if (!CHECK(map && words && other && bad.untouchable && bad.read_only))
		return false;
	bad.shrunk = (uint32_t *)(void *)(map + PAGE);
	bad.unaligned = (uint32_t *)(void *)((char *)words + 2); /* never dereferenced */
	return CHECK(ftruncate(fd, (off_t)PAGE) == 0) && !close(fd);
}

static inline void clear_words(void)
{
	memset(words, 0, sizeof(*words));
}

/* ---- points in time ---- */

static const struct timespec past = { .tv_sec = 1 };
/* Longer than all that is waited for: that it comes to this is a failure, and no hang. */
static const struct timespec long_enough = { .tv_sec = 2 * LONG_ENOUGH / SECOND };

static inline struct timespec in(clockid_t clock, int64_t ns)
{
	struct timespec at;

	clock_gettime(clock, &at);
	ns += at.tv_nsec;
	return (struct timespec){ .tv_sec = at.tv_sec + ns / SECOND, .tv_nsec = ns % SECOND };
}

/* ---- processes ---- */

/* The call that a process is blocked in, -1 where it is not. */
static inline long call_of(pid_t pid)
{
	char path[40], text[128] = "";
	FILE *file;
	long number;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return -1;
	if (!fgets(text, sizeof(text), file) || sscanf(text, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

static inline bool is_asleep(pid_t pid)
{
	long call = call_of(pid);

	return call == SYS_futex || call == 449 || call == 455;
}

static inline bool has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid;
}

/* Until it sleeps on a word. */
static inline bool await_asleep(pid_t pid)
{
	int64_t until = now() + LONG_ENOUGH;

	while (!is_asleep(pid)) {
		if (now() > until || has_ended(pid))
			return false;
		usleep(200);
	}
	return true;
}

/* A process that ends with the errno value that run has returned as -errno. */
static inline pid_t start_sleeper(int (*run)(const void *arg), const void *arg)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(-run(arg));
	return pid;
}

/* The same, when it sleeps. */
static inline pid_t start_asleep(int (*run)(const void *arg), const void *arg)
{
	pid_t pid = start_sleeper(run, arg);

	CHECK(pid > 0 && await_asleep(pid));
	return pid;
}

/* In the first PID namespace alone, which tests/isolate leaves. */
static inline bool has_kernel_threads(void)
{
	FILE *file = fopen("/proc/2/comm", "r");
	char name[16] = "";

	if (!file)
		return false;
	(void)!fgets(name, sizeof(name), file);
	fclose(file);
	return !strcmp(name, "kthreadd\n");
}

/* How many sleep on a shared word: moved from it to itself. */
static inline int sleepers(uint32_t *word)
{
	return bare(word, FUTEX_REQUEUE, 0, INT32_MAX, word, 0);
}

static inline bool await_sleepers(uint32_t *word, int count)
{
	int64_t until = now() + LONG_ENOUGH;

	while (sleepers(word) != count) {
		if (now() > until)
			return false;
		usleep(50);
	}
	return true;
}

/* ---- sleepers on a word that is 0 ---- */

struct sleeper {
	uint32_t *word;
	uint32_t bitset;
	unsigned number;
};

/* Enters its number into the order of those that were woken. */
static inline int sleep_on(const void *arg)
{
	const struct sleeper *sleeper = arg;
	int r = ipckit_futex_wait_bitset(sleeper->word, 0, sleeper->bitset, 0, NULL);

	words->order[__atomic_fetch_add(&words->arrived, 1, __ATOMIC_SEQ_CST)] = sleeper->number;
	return r;
}

/* So many, one after the other. */
static inline void put_to_sleep(uint32_t *word, unsigned count, pid_t *pids)
{
	for (unsigned i = 0; i < count; i++) {
		const struct sleeper sleeper = { word, IPCKIT_FUTEX_ALL, i + 1 };

		pids[i] = start_asleep(sleep_on, &sleeper);
	}
}

static inline void end_all(const pid_t *pids, unsigned count)
{
	CHECK(bare(&words->a, FUTEX_WAKE, INT32_MAX, 0, NULL, 0) >= 0);
	CHECK(bare(&words->b, FUTEX_WAKE, INT32_MAX, 0, NULL, 0) >= 0);
	for (unsigned i = 0; i < count; i++)
		CHECK_INT(end_of(pids[i]), 0);
}

#endif
