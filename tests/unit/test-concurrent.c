/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Threads with handles of their own on one semaphore of each kind: never more
 * permits out than there are, none lost, whatever way a take ends. Under a thread
 * sanitizer (tests/tsan) it also looks for data races in the library.
 */

#include <errno.h>
#include <fcntl.h>
#include <ipckit/sem.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "unit.h"

#define THREADS 6
#define ROUNDS 400
#define CAPACITY 5

struct subject {
	const char *kind;
	struct ipckit_name name;
	atomic_int out;      /* permits that are taken */
	atomic_int too_many; /* times that more were than there are */
	atomic_int odd;      /* results that must not be */
	atomic_int taken;    /* takes that went well */
	atomic_int in_vain;
};

struct worker {
	struct subject *subject;
	unsigned seed;
	pthread_t thread;
};

static const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };

static struct ipckit_name parse(const char *text)
{
	struct ipckit_name name = { 0 };

	if (!CHECK(ipckit_name_parse(text, IPCKIT_SEM_NAMES | IPCKIT_TAKES(IPCKIT_NAME_PRIVATE), NULL,
				     &name) == 0))
		exit(unit_done("concurrent"));
	return name;
}

/* Waits for ever, for a moment, or not at all. */
static struct ipckit_deadline any_deadline(unsigned *seed)
{
	static const int64_t ns[] = { IPCKIT_FOREVER, 2000000, 0 };
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns[rand_r(seed) % 3], &deadline);
	return deadline;
}

static void use(struct subject *subject, struct ipckit_sem *sem, unsigned count)
{
	if (atomic_fetch_add(&subject->out, (int)count) + (int)count > CAPACITY)
		atomic_fetch_add(&subject->too_many, 1);
	sched_yield();
	atomic_fetch_sub(&subject->out, (int)count);
	if (ipckit_sem_give(sem, count, 0))
		atomic_fetch_add(&subject->odd, 1);
	atomic_fetch_add(&subject->taken, 1);
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct subject *subject = worker->subject;
	struct ipckit_sem *sem;

	if (ipckit_sem_open(&subject->name, &sem)) {
		atomic_fetch_add(&subject->odd, 1);
		return NULL;
	}
	for (int i = 0; i < ROUNDS; i++) {
		unsigned count = rand_r(&worker->seed) % 4 ? 1 : 2 + rand_r(&worker->seed) % (CAPACITY - 1);
		struct ipckit_deadline deadline = any_deadline(&worker->seed);
		int r = ipckit_sem_take(sem, count, 0, &deadline);

		if (r == 0)
			use(subject, sem, count);
		else if (deadline.kind == IPCKIT_DEADLINE_NONE || (r != -EAGAIN && r != -ETIMEDOUT))
			atomic_fetch_add(&subject->odd, 1);
		else
			atomic_fetch_add(&subject->in_vain, 1);
	}
	ipckit_sem_close(sem);
	return NULL;
}

static void run(struct subject *subject)
{
	struct worker workers[THREADS];
	struct ipckit_sem *sem;
	int64_t value = -1;

	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .subject = subject, .seed = i + 1 };
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			exit(99);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	CHECK_INT_FOR(subject->kind, subject->too_many, 0);
	CHECK_INT_FOR(subject->kind, subject->odd, 0);
	CHECK_INT_FOR(subject->kind, subject->taken + subject->in_vain, THREADS * ROUNDS);
	CHECK_FOR(subject->kind, subject->taken > THREADS);
	if (CHECK_FOR(subject->kind, ipckit_sem_open(&subject->name, &sem) == 0)) {
		CHECK_INT_FOR(subject->kind, ipckit_sem_value(sem, &value), 0);
		CHECK_INT_FOR(subject->kind, value, CAPACITY);
		ipckit_sem_close(sem);
	}
}

static void run_named(const char *kind, const char *text)
{
	const unsigned values[] = { CAPACITY };
	const struct ipckit_sem_spec spec = { .values = values, .count = 1, .mode = 0600, .exclusive = true };
	struct subject subject = { .kind = kind, .name = parse(text) };
	struct ipckit_sem *sem;
	bool created;

	if (CHECK_INT_FOR(kind, ipckit_sem_create(&subject.name, &spec, &created, &sem), 0)) {
		ipckit_sem_close(sem);
		run(&subject);
	}
	/* What is a place in a file goes with its file. */
	(void)!ipckit_sem_remove(&subject.name);
	ipckit_name_free(&subject.name);
}

static void run_unnamed(void)
{
	char path[] = "/tmp/test-concurrent.XXXXXX", text[64];
	int fd = mkstemp(path);

	if (!CHECK(fd >= 0 && ftruncate(fd, 4096) == 0))
		return;
	snprintf(text, sizeof(text), "%s@64", path);
	run_named("unnamed", text);
	close(fd);
	unlink(path);
}

static void run_eventfd(void)
{
	struct subject subject = { .kind = "eventfd" };
	char text[16];
	int fd = eventfd(CAPACITY, EFD_SEMAPHORE | EFD_CLOEXEC);

	if (!CHECK(fd >= 0))
		return;
	snprintf(text, sizeof(text), "fd:%d", fd);
	subject.name = parse(text);
	run(&subject);
	ipckit_name_free(&subject.name);
	close(fd);
}

/* ---- a wait that another thread ends ---- */

static volatile sig_atomic_t stop;

static void on_stop(int signal)
{
	(void)signal;
	stop = 1;
}

static void *wait_for_stop(void *arg)
{
	struct ipckit_deadline deadline = forever;
	struct ipckit_sem *sem;
	intptr_t r;

	deadline.stop = &stop;
	r = ipckit_sem_open(arg, &sem);
	if (r)
		return (void *)r;
	r = ipckit_sem_take(sem, 2, 0, &deadline);
	ipckit_sem_close(sem);
	return (void *)r;
}

__attribute__((unused)) static void stop_waiter(const char *text)
{
	const struct ipckit_sem_spec spec = { .count = 1, .mode = 0600, .exclusive = true };
	struct sigaction action = { .sa_handler = on_stop };
	struct ipckit_name name = parse(text);
	struct ipckit_sem *sem;
	pthread_t thread;
	bool created;
	void *r = NULL;

	if (!CHECK_INT_FOR(text, ipckit_sem_create(&name, &spec, &created, &sem), 0))
		return;
	stop = 0;
	sigaction(SIGUSR1, &action, NULL);
	if (pthread_create(&thread, NULL, wait_for_stop, &name))
		exit(99);
	/* One comes just before the call, another finds it waiting. */
	while (pthread_tryjoin_np(thread, &r) == EBUSY) {
		pthread_kill(thread, SIGUSR1);
		usleep(1000);
	}
	CHECK_INT_FOR(text, (intptr_t)r, -EINTR);
	ipckit_sem_close(sem);
	CHECK_INT_FOR(text, ipckit_sem_remove(&name), 0);
	ipckit_name_free(&name);
}

int main(void)
{
	run_named("posix", "/test-concurrent");
	run_named("sysv", "key:0x7e57c0");
	run_unnamed();
	run_eventfd();
#ifndef LATE_SIGNALS
	stop_waiter("/test-concurrent");
	stop_waiter("key:0x7e57c0");
#endif
	return unit_done("concurrent");
}
