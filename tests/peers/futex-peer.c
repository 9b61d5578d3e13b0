/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Futex words as any C program uses them: a mapped file, futex(2), libc's mutexes, without libipckit.
 *
 *   futex-peer get WORD                      prints it
 *   futex-peer set WORD VALUE                stores
 *   futex-peer wait WORD VALUE [MS]          FUTEX_WAIT
 *   futex-peer bitset WORD VALUE MASK        FUTEX_WAIT_BITSET
 *   futex-peer waitv WORD VALUE [WORD VALUE]...     futex_waitv(2); prints the index
 *   futex-peer crowd WORD VALUE THREADS      so many threads wait, each until it is woken
 *   futex-peer wake WORD [COUNT]             FUTEX_WAKE (all); prints how many
 *   futex-peer call WORD OP VALUE [VALUE2 [WORD2 [VALUE3]]]     futex(2) with these arguments; prints the result
 *   futex-peer lock-pi WORD                  FUTEX_LOCK_PI, and FUTEX_UNLOCK_PI later; of no robust list
 *   futex-peer wait-requeue-pi WORD VALUE LOCK     FUTEX_WAIT_REQUEUE_PI, and unlocks likewise
 *   futex-peer init WORD KIND                makes a process-shared pthread_mutex_t. KIND: normal, or robust,
 *                                            pi, recursive, errorcheck, joined by +
 *   futex-peer lock WORD                     pthread_mutex_lock(3), and unlocks later
 *   futex-peer try WORD                      pthread_mutex_trylock(3), and unlocks at once
 *
 * WORD: PATH[@OFFSET], /NAME[@OFFSET] of POSIX shared memory, id:ID[@OFFSET] of a System V segment. What has
 * locked prints "ready", or "owner died", and unlocks when it gets a line, or the end, of standard input. A call
 * that fails prints the error's name, with status 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOM 128

static int fail(const char *what)
{
	fprintf(stderr, "futex-peer: %s: %s\n", what, strerror(errno));
	exit(3);
}

static size_t number(const char *text)
{
	return strtoull(text, NULL, 0);
}

/* ---- words ---- */

static char *map_file(const char *path)
{
	int fd = path[0] == '/' && !strchr(path + 1, '/') ? shm_open(path, O_RDWR, 0) : open(path, O_RDWR);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st))
		fail(path);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fail(path);
	close(fd);
	return map;
}

static char *map_segment(const char *id)
{
	void *map = shmat((int)number(id), NULL, 0);

	if ((intptr_t)map == -1)
		fail(id);
	return map;
}

static void *word_at(const char *text)
{
	char *name = strdup(text), *at = strrchr(name, '@'), *map;
	size_t offset = at ? number(at + 1) : 0;

	if (at)
		*at = '\0';
	map = strncmp(name, "id:", 3) ? map_file(name) : map_segment(name + 3);
	free(name);
	return map + offset;
}

/* ---- calls ---- */

static long futex(void *word, int op, uint32_t value, uintptr_t value2, void *word2, uint32_t value3)
{
	return syscall(SYS_futex, word, op, value, value2, word2, value3);
}

static int tell(long result)
{
	if (result < 0)
		puts(strerrorname_np(errno));
	else
		printf("%ld\n", result);
	return result < 0;
}

static int get(char **words, int count)
{
	(void)count;
	printf("%u\n", __atomic_load_n((uint32_t *)word_at(words[0]), __ATOMIC_SEQ_CST));
	return 0;
}

static int set(char **words, int count)
{
	(void)count;
	__atomic_store_n((uint32_t *)word_at(words[0]), (uint32_t)number(words[1]), __ATOMIC_SEQ_CST);
	return 0;
}

static int wait_for(char **words, int count)
{
	size_t ms = count > 2 ? number(words[2]) : 0;
	struct timespec timeout = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	return tell(futex(word_at(words[0]), FUTEX_WAIT, (uint32_t)number(words[1]),
			  count > 2 ? (uintptr_t)&timeout : 0, NULL, 0));
}

static int wait_bitset(char **words, int count)
{
	(void)count;
	return tell(futex(word_at(words[0]), FUTEX_WAIT_BITSET, (uint32_t)number(words[1]), 0, NULL,
			  (uint32_t)number(words[2])));
}

static int wait_several(char **words, int count)
{
	struct futex_waitv waiters[ROOM] = { 0 };
	unsigned n = 0;

	for (; n < ROOM && 2 * n + 1 < (unsigned)count; n++)
		waiters[n] = (struct futex_waitv){
			.uaddr = (uintptr_t)word_at(words[2 * n]),
			.val = number(words[2 * n + 1]),
			.flags = FUTEX_32,
		};
	return tell(syscall(SYS_futex_waitv, waiters, n, 0, NULL, CLOCK_MONOTONIC));
}

static int wake(char **words, int count)
{
	return tell(futex(word_at(words[0]), FUTEX_WAKE, count > 1 ? (uint32_t)number(words[1]) : INT_MAX, 0, NULL,
			  0));
}

static int call(char **words, int count)
{
	void *word = word_at(words[0]), *word2 = count > 4 ? word_at(words[4]) : NULL;

	return tell(futex(word, (int)number(words[1]), (uint32_t)number(words[2]),
			  count > 3 ? number(words[3]) : 0, word2, count > 5 ? (uint32_t)number(words[5]) : 0));
}

/* ---- many threads ---- */

static struct {
	uint32_t *word, value;
	atomic_size_t here; /* threads that wait for nothing of their libraries any more */
} crowded;

static void *wait_in_crowd(void *arg)
{
	atomic_fetch_add(&crowded.here, 1);
	while (futex(crowded.word, FUTEX_WAIT, crowded.value, 0, NULL, 0) && errno == EINTR)
		;
	return arg;
}

static int crowd(char **words, int count)
{
	size_t n = number(words[2]);
	pthread_t *threads = calloc(n, sizeof(*threads));
	pthread_attr_t attr;

	(void)count;
	crowded.word = word_at(words[0]);
	crowded.value = (uint32_t)number(words[1]);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN + 4096);
	for (size_t i = 0; i < n; i++)
		if ((errno = pthread_create(&threads[i], &attr, wait_in_crowd, NULL)))
			fail("pthread_create");
	while (atomic_load(&crowded.here) < n)
		usleep(1000);
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return 0;
}

/* ---- locks ---- */

static void has_it(int owner_died)
{
	char byte;

	puts(owner_died ? "owner died" : "ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0 && byte != '\n')
		;
}

static int unlock_pi(uint32_t *word)
{
	uint32_t tid = (uint32_t)gettid();

	if (__atomic_compare_exchange_n(word, &tid, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return 0;
	return futex(word, FUTEX_UNLOCK_PI, 0, 0, NULL, 0) ? tell(-1) : 0;
}

static int have_pi(uint32_t *word)
{
	has_it((__atomic_load_n(word, __ATOMIC_SEQ_CST) & FUTEX_OWNER_DIED) != 0);
	return unlock_pi(word);
}

static int lock_pi(char **words, int count)
{
	uint32_t *word = word_at(words[0]), free_word = 0;

	(void)count;
	if (!__atomic_compare_exchange_n(word, &free_word, (uint32_t)gettid(), 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST) &&
	    futex(word, FUTEX_LOCK_PI, 0, 0, NULL, 0))
		return tell(-1);
	return have_pi(word);
}

static int wait_requeue_pi(char **words, int count)
{
	uint32_t *lock = word_at(words[2]);

	(void)count;
	if (futex(word_at(words[0]), FUTEX_WAIT_REQUEUE_PI, (uint32_t)number(words[1]), 0, lock, 0))
		return tell(-1);
	return have_pi(lock);
}

static int init(char **words, int count)
{
	pthread_mutexattr_t attr;
	char *kind;

	(void)count;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	for (kind = strtok(words[1], "+"); kind; kind = strtok(NULL, "+")) {
		if (strcmp(kind, "robust") == 0)
			pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
		else if (strcmp(kind, "pi") == 0)
			pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
		else if (strcmp(kind, "recursive") == 0)
			pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
		else if (strcmp(kind, "errorcheck") == 0)
			pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
		else if (strcmp(kind, "normal"))
			return 2;
	}
	errno = pthread_mutex_init(word_at(words[0]), &attr);
	return errno ? tell(-1) : 0;
}

/* Its owner's death is no failure of a lock. */
static int took(pthread_mutex_t *mutex, int r)
{
	errno = r == EOWNERDEAD ? pthread_mutex_consistent(mutex) : r;
	return errno ? tell(-1) : 0;
}

static int lock(char **words, int count)
{
	pthread_mutex_t *mutex = word_at(words[0]);
	int r = pthread_mutex_lock(mutex);

	(void)count;
	if (took(mutex, r))
		return 1;
	has_it(r == EOWNERDEAD);
	errno = pthread_mutex_unlock(mutex);
	return errno ? tell(-1) : 0;
}

static int try(char **words, int count)
{
	pthread_mutex_t *mutex = word_at(words[0]);
	int r = pthread_mutex_trylock(mutex);

	(void)count;
	if (took(mutex, r))
		return 1;
	puts(r == EOWNERDEAD ? "owner died" : "ready");
	errno = pthread_mutex_unlock(mutex);
	return errno ? tell(-1) : 0;
}

static const struct {
	const char *name;
	int least, most;
	int (*run)(char **words, int count);
} verbs[] = {
	{ "get", 1, 1, get },
	{ "set", 2, 2, set },
	{ "wait", 2, 3, wait_for },
	{ "bitset", 3, 3, wait_bitset },
	{ "waitv", 2, 2 * ROOM, wait_several },
	{ "crowd", 3, 3, crowd },
	{ "wake", 1, 2, wake },
	{ "call", 3, 6, call },
	{ "lock-pi", 1, 1, lock_pi },
	{ "wait-requeue-pi", 3, 3, wait_requeue_pi },
	{ "init", 2, 2, init },
	{ "lock", 1, 1, lock },
	{ "try", 1, 1, try },
};

int main(int argc, char **argv)
{
	int r = 2;

	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0 && argc - 2 >= verbs[i].least && argc - 2 <= verbs[i].most)
			r = verbs[i].run(argv + 2, argc - 2);
	return fflush(stdout) ? 3 : r;
}
