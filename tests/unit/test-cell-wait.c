/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Waiting for a cell: what wakes it, what it notices by itself, and what ends it. */

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipckit/cell.h>

static const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };
static const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };

/* How long a fact is waited for. */
#define PATIENCE_NS 20000000000LL

/* One memory of two pages, as a writer and, mapped for reading alone, a reader sees it. */
static unsigned char *page;
static const unsigned char *view;
static size_t page_size;

static struct ipckit_cell cell_of(const char *text)
{
	struct ipckit_cell cell = { 0 };

	if (!CHECK_FOR(text, !ipckit_cell_parse(text, NULL, NULL, &cell)))
		exit(unit_done("cells"));
	return cell;
}

static struct ipckit_cell_value value_of(const struct ipckit_cell *cell, const char *text)
{
	struct ipckit_cell_value value = { 0 };

	CHECK_FOR(text, !ipckit_cell_parse_value(cell, text, NULL, &value));
	return value;
}

static int64_t clock_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* ---- sleepers ---- */

struct sleeper {
	struct ipckit_cell cell;
	enum ipckit_compare op;
	struct ipckit_cell_value value, seen;
	struct ipckit_deadline deadline;
	const uint32_t *word; /* not NULL: sleeps on it, without limit, by futex(2) itself */
	pthread_t thread;
	pid_t tid;
	int64_t ended; /* when */
	int result;
};

static void *sleeper_run(void *arg)
{
	struct sleeper *sleeper = arg;

	__atomic_store_n(&sleeper->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	if (sleeper->word)
		sleeper->result = (int)syscall(SYS_futex, sleeper->word, FUTEX_WAIT, *sleeper->word, NULL, NULL, 0);
	else
		sleeper->result = ipckit_cell_wait(view, 2 * page_size, &sleeper->cell, sleeper->op, sleeper->value,
						   &sleeper->deadline, &sleeper->seen);
	sleeper->ended = clock_ns();
	return NULL;
}

/* A number out of a file of a thread in /proc, after some words; -1: there is none. */
static long number_of(pid_t tid, const char *file, const char *after)
{
	char path[64], line[256];
	FILE *stream;
	long number = -1;

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", tid, file);
	stream = fopen(path, "re");
	while (stream && number < 0 && fgets(line, sizeof(line), stream))
		if (!strncmp(line, after, strlen(after)) && line[strlen(after)] != 'r')
			number = strtol(line + strlen(after), NULL, 10);
	if (stream)
		fclose(stream);
	return number;
}

static bool sleeps(const struct sleeper *sleeper)
{
	long call = number_of(sleeper->tid, "syscall", "");

	return call == SYS_futex || call == SYS_futex_waitv;
}

/* It has looked so often that it now does so only every 20 ms. */
static bool is_patient(const struct sleeper *sleeper)
{
	return number_of(sleeper->tid, "status", "voluntary_ctxt_switches:") >= 10;
}

static void await(const struct sleeper *sleeper, bool (*fact)(const struct sleeper *sleeper))
{
	int64_t end = clock_ns() + PATIENCE_NS;

	while (!fact(sleeper) && clock_ns() < end)
		sched_yield();
	CHECK_FOR(sleeper->cell.type, fact(sleeper) || clock_ns() < end);
}

static bool has_begun(const struct sleeper *sleeper)
{
	return __atomic_load_n(&sleeper->tid, __ATOMIC_ACQUIRE);
}

static void start_sleeper(struct sleeper *sleeper)
{
	if (!CHECK(!pthread_create(&sleeper->thread, NULL, sleeper_run, sleeper)))
		exit(unit_done("threads"));
	await(sleeper, has_begun);
	await(sleeper, sleeps);
}

static int end_sleeper(struct sleeper *sleeper)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += PATIENCE_NS / 1000000000;
	if (!CHECK_FOR(sleeper->cell.type, !pthread_timedjoin_np(sleeper->thread, NULL, &end)))
		exit(unit_done("waiting for cells"));
	return sleeper->result;
}

static struct sleeper sleeper_at(const char *cell)
{
	struct sleeper sleeper = { .cell = cell_of(cell), .op = IPCKIT_NE, .deadline = forever };

	return sleeper;
}

static void store(const struct ipckit_cell *cell, struct ipckit_cell_value value)
{
	struct ipckit_cell_value old;

	CHECK_INT_FOR(cell->type, ipckit_cell_store(page, 2 * page_size, cell, value, &old), 0);
}

static void clear(void)
{
	memset(page, 0, 2 * page_size);
}

/* ---- what is waited for ---- */

static void test_at_once(void)
{
	static const struct {
		const char *cell, *value;
		enum ipckit_compare op;
		const char *against;
		int result;
	} rows[] = {
		{ "u32@0", "5", IPCKIT_EQ, "5", 0 },	   { "u32@0", "5", IPCKIT_NE, "5", -EAGAIN },
		{ "i8@3", "-1", IPCKIT_LT, "0", 0 },	   { "u8@3", "255", IPCKIT_LT, "0", -EAGAIN },
		{ "i16be@6", "-2", IPCKIT_GE, "-2", 0 },   { "u16@3", "515", IPCKIT_GT, "514", 0 },
		{ "u64@8", "4294967296", IPCKIT_LE, "4294967295", -EAGAIN },
		{ "u64be@8", "72057594037927936", IPCKIT_EQ, "72057594037927936", 0 },
		{ "i64@13", "-3", IPCKIT_EQ, "-3", 0 },	   { "f64@16", "0.5", IPCKIT_GT, "0.25", 0 },
		{ "f32be@20", "-0", IPCKIT_EQ, "0", 0 },   { "f64@16", "nan", IPCKIT_EQ, "nan", -EAGAIN },
		{ "f64@16", "nan", IPCKIT_NE, "nan", 0 },  { "f64@19", "1e300", IPCKIT_GT, "1e299", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_cell cell = cell_of(rows[i].cell);
		struct ipckit_cell_value value = value_of(&cell, rows[i].value), seen = { 77 };
		int r;

		store(&cell, value);
		r = ipckit_cell_wait(view, page_size, &cell, rows[i].op, value_of(&cell, rows[i].against), &now, &seen);
		CHECK_INT_FOR(rows[i].cell, r, rows[i].result);
		CHECK_INT_FOR(rows[i].cell, seen.bits, r ? 77 : value.bits);
	}
	clear();
}

/* The words that a cell touches: it is there that it sleeps, and there that it wakes. */
static const struct {
	const char *cell;
	unsigned first, count;
} touched[] = {
	{ "u32@0", 0, 1 },    { "u8@7", 4, 1 },	    { "i16be@10", 8, 1 }, { "u16@7", 4, 2 },	{ "f32be@6", 4, 2 },
	{ "u64@16", 16, 2 },  { "f64be@16", 16, 2 }, { "i64@20", 20, 2 },  { "u64be@21", 20, 3 }, { "i64@22", 20, 3 },
	{ "u16@4095", 4092, 2 }, { "i64@4090", 4088, 3 },
};

#define NTOUCHED (sizeof(touched) / sizeof(*touched))

/* Who sleeps in the kernel on a word, with no limit of its own. */
static void test_wake(void)
{
	for (size_t i = 0; i < NTOUCHED; i++) {
		struct ipckit_cell cell = cell_of(touched[i].cell);

		for (unsigned j = 0; j < touched[i].count; j++) {
			struct sleeper sleeper = { .word = (const uint32_t *)(view + touched[i].first) + j };

			start_sleeper(&sleeper);
			CHECK_INT_FOR(touched[i].cell, ipckit_cell_wake(page, 2 * page_size, &cell), 0);
			CHECK_INT_FOR(touched[i].cell, end_sleeper(&sleeper), 0);
		}
	}
}

static long wake_word(unsigned offset)
{
	return syscall(SYS_futex, page + offset, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void *lock_run(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

static bool waits_for_lock(const struct sleeper *sleeper)
{
	return *(volatile uint32_t *)sleeper->word & FUTEX_WAITERS;
}

/* Who waits for a lock of which the kernel knows the owner is no sleeper, and no failure. */
static void test_wake_lock(void)
{
	pthread_mutex_t *mutex = (void *)page;
	struct sleeper sleeper = { .cell = cell_of("u32@0"), .word = (void *)page };
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (!CHECK(!pthread_mutex_init(mutex, &attr) && !pthread_mutex_lock(mutex)))
		return;
	if (!CHECK(!pthread_create(&sleeper.thread, NULL, lock_run, mutex)))
		exit(unit_done("threads"));
	await(&sleeper, waits_for_lock);
	CHECK_INT(wake_word(0), -1);
	CHECK_INT(ipckit_cell_wake(page, page_size, &sleeper.cell), 0);
	CHECK(!pthread_mutex_unlock(mutex));
	end_sleeper(&sleeper);
	clear();
}

/* A wake-up for nothing is slept over. */
static void test_sleeps(void)
{
	for (size_t i = 0; i < NTOUCHED; i++) {
		struct sleeper sleeper = sleeper_at(touched[i].cell);
		int64_t end = clock_ns() + PATIENCE_NS;
		long woken = 0;

		start_sleeper(&sleeper);
		for (unsigned j = 0; j < touched[i].count; j++) {
			/* It looks about in between. */
			for (woken = 0; !woken && clock_ns() < end;)
				woken = wake_word(touched[i].first + 4 * j);
			if (!CHECK_INT_FOR(touched[i].cell, woken, 1))
				exit(unit_done("waiting for cells"));
		}
		CHECK_INT_FOR(touched[i].cell, wake_word(touched[i].first + 4 * touched[i].count), 0);
		store(&sleeper.cell, value_of(&sleeper.cell, "1"));
		CHECK_INT_FOR(touched[i].cell, end_sleeper(&sleeper), 0);
		CHECK_FOR(touched[i].cell, sleeper.seen.bits != 0);
		clear();
	}
}

static int by_size(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* From a store to the end of a patient wait for it, in the median of some. */
static int64_t latency(const char *waited, const char *written, bool wake)
{
	struct ipckit_cell cell = cell_of(written);
	int64_t times[5], start;

	for (unsigned i = 0; i < 5; i++) {
		struct sleeper sleeper = sleeper_at(waited);

		start_sleeper(&sleeper);
		await(&sleeper, is_patient);
		start = clock_ns();
		store(&cell, value_of(&cell, "1"));
		if (wake)
			CHECK_INT_FOR(waited, ipckit_cell_wake(page, page_size, &cell), 0);
		CHECK_INT_FOR(waited, end_sleeper(&sleeper), 0);
		times[i] = sleeper.ended - start;
		clear();
	}
	qsort(times, 5, sizeof(*times), by_size);
	return times[2];
}

/* Other processes may be in the way: one time of twelve is enough. */
static void check_latency(const char *waited, const char *written, bool wake, int64_t most)
{
	int64_t best = INT64_MAX;

	for (unsigned i = 0; i < 12 && best > most; i++) {
		int64_t took = latency(waited, written, wake);

		best = took < best ? took : best;
	}
	CHECK_FOR(waited, best <= most);
}

/* Who wakes is noticed long before the next look; who does not, by that. */
static void test_latency(void)
{
	check_latency("u32@0", "u32@0", true, 3000000);
	check_latency("u64@8", "u8@12", true, 3000000);
	check_latency("u16be@7", "u16be@7", true, 3000000);
	check_latency("u32@0", "u32@0", false, 25000000);
	check_latency("f64be@8", "u32@8", false, 25000000);
}

/* A neighbour in the same word that changes all the time is no wake-up, and hides none. */
static void test_busy(void)
{
	struct sleeper sleeper = sleeper_at("u16@4");
	int64_t start;

	start_sleeper(&sleeper);
	start = clock_ns();
	while (clock_ns() - start < 50000000)
		for (unsigned i = 0; i < 10000; i++)
			__atomic_fetch_add((uint16_t *)(page + 6), 1, __ATOMIC_RELAXED);
	CHECK_INT(pthread_tryjoin_np(sleeper.thread, NULL), EBUSY);
	store(&sleeper.cell, (struct ipckit_cell_value){ 1 });
	for (unsigned i = 0; i < 1000000; i++)
		__atomic_fetch_add((uint16_t *)(page + 6), 1, __ATOMIC_RELAXED);
	CHECK_INT(end_sleeper(&sleeper), 0);
	CHECK_INT(sleeper.seen.bits, 1);
	clear();
}

/* Two that hand a number back and forth: if wake-ups were lost, each turn would last until the next look. */
#define TURNS 2000

static void take_turns(const struct ipckit_cell *mine, const struct ipckit_cell *other)
{
	struct ipckit_deadline deadline;
	struct ipckit_cell_value seen, old;

	for (unsigned i = 1; i <= TURNS; i++) {
		ipckit_deadline_in(PATIENCE_NS, &deadline);
		if (mine->offset < other->offset) {
			CHECK_INT(ipckit_cell_store(page, page_size, other, (struct ipckit_cell_value){ i }, &old), 0);
			CHECK_INT(ipckit_cell_wake(page, page_size, other), 0);
		}
		if (!CHECK_INT(ipckit_cell_wait(view, page_size, mine, IPCKIT_EQ, (struct ipckit_cell_value){ i },
						&deadline, &seen), 0))
			return;
		if (mine->offset > other->offset) {
			CHECK_INT(ipckit_cell_store(page, page_size, other, (struct ipckit_cell_value){ i }, &old), 0);
			CHECK_INT(ipckit_cell_wake(page, page_size, other), 0);
		}
	}
}

static void test_turns(void)
{
	const struct ipckit_cell left = cell_of("u64@8"), right = cell_of("u16be@18");
	int64_t start = clock_ns();
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		unit_failures = 0;
		take_turns(&right, &left);
		_exit(unit_failures != 0);
	}
	take_turns(&left, &right);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	/* Others may have the processor. */
	CHECK(clock_ns() - start < TURNS * 10000000LL);
	clear();
}

/* ---- what ends it ---- */

static volatile sig_atomic_t never;

static void on_tick(int signal)
{
	(void)signal;
}

static void start_alarms(void (*handler)(int))
{
	const struct sigaction action = { .sa_handler = handler };
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void end_alarms(void)
{
	const struct itimerval none = { 0 };

	setitimer(ITIMER_REAL, &none, NULL);
	signal(SIGALRM, SIG_IGN);
}

static const char *const ended[] = { "u32@0", "u64@8", "i64@21" };

/* Signals that are for something else go on interrupting meanwhile. The deadline lies between two looks. */
static void test_timeouts(void)
{
	int64_t best = INT64_MAX, took;

	start_alarms(on_tick);
	for (size_t i = 0; i < 2 * sizeof(ended) / sizeof(*ended); i++) {
		struct ipckit_cell cell = cell_of(ended[i / 2]);
		struct ipckit_cell_value one = { 1 }, seen = { 77 };
		struct ipckit_deadline deadline;
		int64_t start = clock_ns();

		ipckit_deadline_in(70000000, &deadline);
		deadline.stop = i % 2 ? &never : NULL;
		CHECK_INT(ipckit_cell_wait(view, page_size, &cell, IPCKIT_EQ, one, &deadline, &seen), -ETIMEDOUT);
		took = clock_ns() - start;
		CHECK(took >= 70000000);
		best = took < best ? took : best;
		/* It has passed, and yet there is a look. */
		CHECK_INT(ipckit_cell_wait(view, page_size, &cell, IPCKIT_EQ, one, &deadline, &seen), -ETIMEDOUT);
		CHECK_INT(ipckit_cell_wait(view, page_size, &cell, IPCKIT_EQ, one, &now, &seen), -EAGAIN);
		CHECK_INT(seen.bits, 77);
		CHECK_INT(ipckit_cell_wait(view, page_size, &cell, IPCKIT_NE, one, &deadline, &seen), 0);
		CHECK_INT(seen.bits, 0);
	}
	CHECK(best < 80000000);
	end_alarms();
}

#ifndef LATE_SIGNALS

static volatile sig_atomic_t stopped;

static void on_alarm(int signal)
{
	(void)signal;
	stopped = 1;
}

static void test_stop(void)
{
	for (size_t i = 0; i < 2 * sizeof(ended) / sizeof(*ended); i++) {
		struct ipckit_cell cell = cell_of(ended[i / 2]);
		struct ipckit_cell_value one = { 1 }, seen = { 0 };
		struct ipckit_deadline deadline;

		ipckit_deadline_in(i % 2 ? PATIENCE_NS : -1, &deadline);
		deadline.stop = &stopped;
		stopped = 0;
		start_alarms(on_alarm);
		CHECK_INT(ipckit_cell_wait(view, page_size, &cell, IPCKIT_EQ, one, &deadline, &seen), -EINTR);
		end_alarms();
		CHECK_INT(ipckit_cell_wait(view, page_size, &cell, IPCKIT_EQ, one, &deadline, &seen), -EINTR);
	}
}

#endif

static void on_bus(int signal)
{
	(void)signal;
	_exit(7);
}

/* The file shrinks under the sleeper: the next look finds out. */
static void test_truncated(void)
{
	int fd = memfd_create("cells", MFD_CLOEXEC), status = -1, said = -1, pipes[2];
	struct ipckit_cell cell = cell_of("u32@4096");
	struct ipckit_cell_value one = { 1 }, seen;
	void *memory;
	char byte = 0;
	pid_t pid;

	if (!CHECK(fd >= 0 && !ftruncate(fd, 2 * (off_t)page_size) && !pipe(pipes)))
		return;
	memory = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cell.offset = page_size;
	pid = fork();
	if (!pid) {
		signal(SIGBUS, on_bus);
		said = ipckit_cell_wait(memory, 2 * page_size, &cell, IPCKIT_NE, one, &now, &seen);
		said = said || write(pipes[1], &byte, 1) != 1;
		said = said ?: ipckit_cell_wait(memory, 2 * page_size, &cell, IPCKIT_EQ, one, &forever, &seen);
		_exit(said == -EFAULT ? 7 : 1);
	}
	CHECK(read(pipes[0], &byte, 1) == 1);
	CHECK(!ftruncate(fd, 0));
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 7);
	munmap(memory, 2 * page_size);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

/* ---- memory of both kinds ---- */

static bool map_file(void)
{
	int fd = memfd_create("cells", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, 2 * (off_t)page_size))
		return false;
	page = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	view = mmap(NULL, 2 * page_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return page != MAP_FAILED && view != MAP_FAILED;
}

static bool map_sysv(void)
{
	int id = shmget(IPC_PRIVATE, 2 * page_size, 0600);

	if (id < 0)
		return false;
	page = shmat(id, NULL, 0);
	view = shmat(id, NULL, SHM_RDONLY);
	shmctl(id, IPC_RMID, NULL);
	return page != (void *)-1 && view != (void *)-1;
}

static void test_all(void)
{
	test_at_once();
	test_wake();
	test_wake_lock();
	test_sleeps();
	test_latency();
	test_busy();
	test_turns();
	test_timeouts();
#ifndef LATE_SIGNALS
	test_stop();
#endif
}

int main(void)
{
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	if (CHECK(map_file()))
		test_all();
	if (CHECK(map_sysv()))
		test_all();
	test_truncated();
	return unit_done("waiting for cells");
}
