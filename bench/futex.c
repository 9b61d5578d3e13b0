/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Futexes by the library's calls:
 *
 *   futex pingpong ROUNDS   two processes that hand over to each other by two words, on one processor: prints
 *                           nanoseconds a round trip by the library, by bare system calls, and their ratio
 *   futex wake COUNT        that many threads sleep on a word, and then each needs a lock for a moment: all are
 *                           woken at once. Prints nanoseconds of the call, and until the last one was done
 *   futex requeue COUNT     the same, but one is woken, and the others are moved to the lock
 *
 * Each is the median of some turns; those of pingpong alternate.
 */

#include "bench.h"

#include <linux/futex.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include <ipckit/futex.h>

#define TURNS 9
#define CROWD_TURNS 5

static void fail(const char *what)
{
	fprintf(stderr, "futex: %s\n", what);
	exit(1);
}

static int by_size(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t median(int64_t *times, size_t count)
{
	qsort(times, count, sizeof(*times), by_size);
	return times[count / 2];
}

static long bare(uint32_t *word, int op, uint32_t value, long value2, uint32_t *second, uint32_t value3)
{
	return syscall(SYS_futex, word, op, value, value2, second, value3);
}

/* ---- ping-pong ---- */

struct words {
	_Alignas(64) uint32_t ping;
	_Alignas(64) uint32_t pong;
};

static void wait_by_library(uint32_t *word)
{
	int r = ipckit_futex_wait(word, 0, 0, NULL);

	if (r && r != -EAGAIN && r != -EINTR)
		fail("ipckit_futex_wait");
}

static void wake_by_library(uint32_t *word)
{
	unsigned woken;

	if (ipckit_futex_wake(word, 1, IPCKIT_FUTEX_ALL, 0, &woken))
		fail("ipckit_futex_wake");
}

static void wait_bare(uint32_t *word)
{
	if (bare(word, FUTEX_WAIT, 0, 0, NULL, 0) && errno != EAGAIN && errno != EINTR)
		fail("FUTEX_WAIT");
}

static void wake_bare(uint32_t *word)
{
	if (bare(word, FUTEX_WAKE, 1, 0, NULL, 0) < 0)
		fail("FUTEX_WAKE");
}

struct way {
	void (*wait)(uint32_t *word);
	void (*wake)(uint32_t *word);
};

static const struct way ways[] = { { wait_by_library, wake_by_library }, { wait_bare, wake_bare } };

static inline void send(uint32_t *word, const struct way *way)
{
	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	way->wake(word);
}

static inline void receive(uint32_t *word, const struct way *way)
{
	while (!__atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST))
		way->wait(word);
}

static int64_t play(struct words *words, const struct way *way, long rounds)
{
	pid_t pid = fork();
	int64_t begin;

	if (pid < 0)
		fail("fork");
	if (!pid) {
		for (long i = 0; i <= rounds; i++) {
			receive(&words->ping, way);
			send(&words->pong, way);
		}
		_exit(0);
	}
	/* One round before that is not measured: the other is there. */
	send(&words->ping, way);
	receive(&words->pong, way);
	begin = now_ns();
	for (long i = 0; i < rounds; i++) {
		send(&words->ping, way);
		receive(&words->pong, way);
	}
	begin = now_ns() - begin;
	if (wait_for(pid))
		fail("the other process");
	return begin / rounds;
}

static void stay_here(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

static int pingpong(long rounds)
{
	struct words *words = mmap(NULL, sizeof(*words), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t times[2][TURNS], library, plain;

	if (words == MAP_FAILED)
		fail("mmap");
	stay_here();
	for (int turn = 0; turn < 2 * TURNS; turn++) {
		int way = turn % 2 ^ (turn / 2 % 2);

		times[way][turn / 2] = play(words, &ways[way], rounds);
	}
	library = median(times[0], TURNS);
	plain = median(times[1], TURNS);
	printf("%lld %lld %.3f\n", (long long)library, (long long)plain, (double)library / (double)plain);
	return 0;
}

/* ---- crowds ---- */

/* A word that all wait for, and a lock that each then takes: 0 free, 1 held, 2 held and others may wait. */
static struct {
	_Alignas(64) uint32_t go;
	_Alignas(64) uint32_t lock;
	_Alignas(64) uint32_t done;
	bool moved; /* who was woken may leave others at the lock */
} crowd;

static void take(uint32_t state)
{
	uint32_t free = 0;

	if (state == 1 && __atomic_compare_exchange_n(&crowd.lock, &free, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	while (__atomic_exchange_n(&crowd.lock, 2, __ATOMIC_SEQ_CST)) {
		int r = ipckit_futex_wait(&crowd.lock, 2, 0, NULL);

		if (r && r != -EAGAIN && r != -EINTR)
			fail("the lock");
	}
}

static void give(void)
{
	if (__atomic_exchange_n(&crowd.lock, 0, __ATOMIC_SEQ_CST) == 2)
		wake_by_library(&crowd.lock);
}

static void *member(void *arg)
{
	while (!__atomic_load_n(&crowd.go, __ATOMIC_SEQ_CST))
		wait_by_library(&crowd.go);
	take(crowd.moved ? 2 : 1);
	crowd.done++;
	if (crowd.done == (uint32_t)(uintptr_t)arg)
		wake_by_library(&crowd.done);
	give();
	return NULL;
}

static void release(bool moves)
{
	unsigned count;
	int r;

	__atomic_store_n(&crowd.go, 1, __ATOMIC_SEQ_CST);
	if (moves)
		r = ipckit_futex_cmp_requeue(&crowd.go, &crowd.lock, 1, 1, IPCKIT_FUTEX_ALL, 0, &count);
	else
		r = ipckit_futex_wake(&crowd.go, IPCKIT_FUTEX_ALL, IPCKIT_FUTEX_ALL, 0, &count);
	if (r)
		fail("the call");
}

static void await_done(uint32_t count)
{
	for (;;) {
		uint32_t done = __atomic_load_n(&crowd.done, __ATOMIC_SEQ_CST);

		if (done == count)
			return;
		if (ipckit_futex_wait(&crowd.done, done, 0, NULL) == -EFAULT)
			fail("the end");
	}
}

/* So many that sleep: moved from the word to itself. */
static void await_sleepers(long count)
{
	while (bare(&crowd.go, FUTEX_REQUEUE, 0, INT_MAX, &crowd.go, 0) != count)
		sleep_ns(1000000);
}

static void turn(pthread_t *threads, long count, bool moves, int64_t *call, int64_t *all)
{
	pthread_attr_t attr;
	int64_t begin;

	memset(&crowd, 0, sizeof(crowd));
	crowd.moved = moves;
	if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN + 16384))
		fail("pthread_attr_setstacksize");
	for (long i = 0; i < count; i++)
		if (pthread_create(&threads[i], &attr, member, (void *)(uintptr_t)count))
			fail("pthread_create");
	await_sleepers(count);
	begin = now_ns();
	release(moves);
	*call = now_ns() - begin;
	await_done((uint32_t)count);
	*all = now_ns() - begin;
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	pthread_attr_destroy(&attr);
}

static int herd(long count, bool moves)
{
	pthread_t *threads = calloc((size_t)count, sizeof(*threads));
	int64_t calls[CROWD_TURNS], alls[CROWD_TURNS];

	if (!threads)
		fail("calloc");
	for (int i = 0; i < CROWD_TURNS; i++)
		turn(threads, count, moves, &calls[i], &alls[i]);
	free(threads);
	printf("%lld %lld\n", (long long)median(calls, CROWD_TURNS), (long long)median(alls, CROWD_TURNS));
	return 0;
}

int main(int argc, char **argv)
{
	long count = argc == 3 ? atol(argv[2]) : 0;

	if (count > 0 && !strcmp(argv[1], "pingpong"))
		return pingpong(count);
	if (count > 0 && count < 100000 && !strcmp(argv[1], "wake"))
		return herd(count, false);
	if (count > 0 && count < 100000 && !strcmp(argv[1], "requeue"))
		return herd(count, true);
	fprintf(stderr, "usage: futex pingpong ROUNDS | futex wake COUNT | futex requeue COUNT\n");
	return 2;
}
