/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOCKS_H
#define LOCKS_H

/* What the tests of locks that are built on words share, beside what those of mutexes do. */

#include "mutexes.h"

#include <ipckit/lock.h>
#include <limits.h>
#include <sys/time.h>

/* Words of their own, beside `shared`. */
static struct words {
	uint32_t cond, full, spare;
	volatile pid_t holder;
	volatile unsigned done, slow;
	uint32_t many[1024];
} *words;

static inline bool share_words(void)
{
	void *page = mmap(NULL, sizeof(*words), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	words = page == MAP_FAILED ? NULL : page;
	return CHECK(words) && share();
}

static inline struct ipckit_deadline in(int64_t ns)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns, &deadline);
	return deadline;
}

static unsigned holder_died;

/* Whether a process sleeps in futex(2) on a word, by what it called it with: it may have been moved. */
static inline bool sleeps_on(pid_t pid, const uint32_t *word)
{
	unsigned long address;
	char path[40];
	long number;
	FILE *file;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	n = fscanf(file, "%ld %lx", &number, &address);
	fclose(file);
	return n == 2 && number == SYS_futex && address == (unsigned long)word;
}

static inline bool await_sleep(pid_t pid, const uint32_t *word)
{
	int64_t until = now() + LONG_ENOUGH;

	while (!sleeps_on(pid, word)) {
		if (now() > until)
			return false;
		usleep(200);
	}
	return true;
}

static inline bool sleeps_here(pid_t pid)
{
	return sleeps_on(pid, &shared->word) || sleeps_on(pid, &words->cond);
}

/* Whether all that are not done sleep, though nobody has said that the lock is his. */
static inline bool all_sleep(const pid_t *pids, unsigned count)
{
	const unsigned done = words->done;
	unsigned asleep = 0;

	if (words->holder || !value_of(&shared->word))
		return false;
	for (unsigned i = 0; i < count; i++)
		asleep += sleeps_here(pids[i]);
	return asleep == count - done && done < count && words->done == done;
}

static inline void give_back(void)
{
	words->holder = 0;
	CHECK_INT(ipckit_lock_give(&shared->word), 0);
	holder_died++;
}

/*
 * Until so many are done; pids: of them. One that was killed may have had a lock which belongs to nobody: that is
 * so where it said so, or where all others are seen to sleep twice, since none of them takes it twice. Then it is
 * given back.
 */
static inline void await_done(const pid_t *pids, unsigned count, pid_t killed)
{
	int64_t until = now() + LONG_ENOUGH;

	while (words->done < count && now() < until) {
		if (killed && (words->holder == killed || (all_sleep(pids, count) && all_sleep(pids, count))))
			give_back();
		usleep(1000);
	}
	CHECK(words->done >= count);
	/* It was the last one. */
	if (killed && words->done >= count && value_of(&shared->word))
		give_back();
}

/* ---- side by side, since what dies in vain costs others a second ---- */

#define GROUPS 30

static void (*group_test)(unsigned seed);
static unsigned group_seed;

static inline int run_group(void)
{
	if (!share_words())
		return 1;
	group_test(group_seed);
	fflush(stdout);
	return unit_failures ? 1 : 0;
}

/* Each with words of its own. */
static inline void run_groups(void (*test)(unsigned seed))
{
	const unsigned seed = (unsigned)now();
	pid_t pids[GROUPS];

	printf("# seeds from %u\n", seed);
	group_test = test;
	for (unsigned i = 0; i < GROUPS; i++) {
		group_seed = seed + i;
		pids[i] = start(run_group);
	}
	for (unsigned i = 0; i < GROUPS; i++) {
		int status = -1;

		CHECK_INT(waitpid(pids[i], &status, 0), pids[i]);
		CHECK_INT(status, 0);
	}
}

/* ---- signals that do not end a wait, and then one that does ---- */

static volatile sig_atomic_t stop, ticks, stop_at;

static void tick(int signal)
{
	(void)signal;
	ticks++;
	if (stop_at && ticks >= stop_at)
		stop = 1;
}

static inline void tick_each(long us)
{
	const struct itimerval timer = { .it_interval.tv_usec = us, .it_value.tv_usec = us };
	struct sigaction action = { .sa_handler = tick };

	ticks = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static inline void tick_no_more(void)
{
	tick_each(0);
	stop = stop_at = 0;
}

#endif
