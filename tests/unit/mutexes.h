/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MUTEXES_H
#define MUTEXES_H

/* What the tests of robust mutexes share: a page of memory that processes share, and processes that sleep. */

#include "unit.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ipckit/mutex.h>

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)
#define LONG_ENOUGH (20 * SECOND) /* for what comes at once, or is looked for each second */

/* The mutex guards the numbers that are not volatile: a and b are equal, but for a moment. */
static struct shared {
	uint32_t word;
	uint64_t a, b;
	volatile unsigned rounds, odd, deaths;
	uint32_t condition, other; /* more words */
	pthread_mutex_t libc;
} *shared;

static inline bool share(void)
{
	void *page = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	shared = page == MAP_FAILED ? NULL : page;
	return CHECK(shared);
}

static inline uint32_t value_of(uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void set_value(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t my_tid(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

static inline int64_t now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * SECOND + at.tv_nsec;
}

static inline int lock_within(uint32_t *word, int64_t ns, bool *died, struct ipckit_mutex **out)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns, &deadline);
	return ipckit_mutex_lock(word, &deadline, died, out);
}

/* What has to come, by a wake-up, an owner's end or a look each second: -ETIMEDOUT where it took longer. */
static inline int lock_soon(uint32_t *word, bool *died, struct ipckit_mutex **out)
{
	int64_t until = now() + LONG_ENOUGH;
	int r = lock_within(word, 2 * LONG_ENOUGH, died, out);

	return r || now() < until ? r : -ETIMEDOUT;
}

/* The same of those with priority inheritance, on the kernel's clock that has no jumps. */
static inline int pi_within(uint32_t *word, int64_t ns, bool *died, struct ipckit_pi **out)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns, &deadline);
	return ipckit_pi_lock(word, 0, &deadline, died, out);
}

static inline int pi_soon(uint32_t *word, bool *died, struct ipckit_pi **out)
{
	int64_t until = now() + LONG_ENOUGH;
	int r = pi_within(word, 2 * LONG_ENOUGH, died, out);

	return r || now() < until ? r : -ETIMEDOUT;
}

/* In a process of its own, which ends with what run returns. */
static inline pid_t start(int (*run)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(run());
	return pid;
}

/* The status of a process that ends in time: that of exit(3), 128 and the signal, or -1: it had to be killed. */
static inline int end_of(pid_t pid)
{
	int64_t until = now() + LONG_ENOUGH;
	int status;
	pid_t r;

	if (pid < 0)
		return -1;
	while (!(r = waitpid(pid, &status, WNOHANG)) && now() < until)
		usleep(200);
	if (r == pid)
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -1;
}

static inline void kill_off(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* As in /proc: 'S' where it sleeps; 0: it is gone. */
static inline char state_of(pid_t pid)
{
	char path[32], text[512], *name_end;
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	name_end = strrchr(text, ')');
	return name_end && name_end[1] ? name_end[2] : 0;
}

static inline bool sleeps(pid_t pid)
{
	return state_of(pid) == 'S';
}

/* Until a process sleeps on a word that is held. */
static inline bool await_sleeper(uint32_t *word, pid_t pid)
{
	int64_t until = now() + LONG_ENOUGH;

	while (!(value_of(word) & FUTEX_WAITERS) || !sleeps(pid)) {
		if (now() > until)
			return false;
		usleep(200);
	}
	return true;
}

/* In many processes; whether all end with 0. */
static inline bool run_all(int (*const *run)(void), unsigned count)
{
	pid_t pids[count];
	bool good = true;

	for (unsigned i = 0; i < count; i++)
		pids[i] = start(run[i]);
	for (unsigned i = 0; i < count; i++)
		good = CHECK_INT(end_of(pids[i]), 0) && good;
	return good;
}

/* That nobody counts while another does: each process goes round so often, in the lock of shared->word. */
static inline void check_count(int (*count)(void), unsigned processes, uint64_t rounds)
{
	int (*run[processes])(void);

	for (unsigned i = 0; i < processes; i++)
		run[i] = count;
	shared->a = 0;
	run_all(run, processes);
	CHECK_INT(shared->a, processes * rounds);
	CHECK_INT(value_of(&shared->word), 0);
}

#endif
