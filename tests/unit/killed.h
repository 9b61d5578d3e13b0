/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KILLED_H
#define KILLED_H

/*
 * What the tests of owners and waiters that are killed share: at random moments, and, stepped through by
 * ptrace(2), after each instruction. Who includes this gives the lock, which a process holds once.
 */

#include "mutexes.h"
#include "one-cpu.h"

#include <sched.h>
#include <sys/ptrace.h>

#define WORKERS 3
/* As many as it takes, or a part of it, another one in each run. */
#define IS_LONG (getenv("IPCKIT_LONG") != NULL)
#define KILLS (IS_LONG ? 1000 : UNIT_SANITIZED ? 60 : 200)
#define LONE (KILLS / 2) /* of them without others that wait */
#define MOST_STEPS 100000
#define LOOKS (IS_LONG ? MOST_STEPS : UNIT_SANITIZED ? 12 : 40) /* as many steps are looked at, where there are more */
#define IN_VAIN 3

/* What a thread sanitizer adds takes too many steps. */
#ifdef UNIT_THREADS
#define STEPPED false
#else
#define STEPPED true
#endif

static int lock(bool *died); /* what has to come */
static void unlock(void);

static int lock_once(void)
{
	bool died;

	if (lock(&died))
		return 9;
	unlock();
	return died;
}

/* ---- at random ---- */

/* Reads what is guarded: half a change is there only if it was told. */
static void look(bool died)
{
	if (died)
		shared->deaths++;
	else if (shared->a != shared->b)
		shared->odd++;
	shared->b = shared->a;
}

static int work(void)
{
	bool died;

	for (;;) {
		if (lock(&died))
			return 9;
		look(died);
		shared->a++;
		/* A kill takes its time to the other processor, and is met by the next system call: some rounds last. */
		for (volatile int i = shared->rounds % 16 ? 2000 : 200000; i > 0; i--)
			;
		shared->b++;
		shared->rounds++;
		unlock();
	}
}

static bool await_round(unsigned from)
{
	int64_t until = now() + LONG_ENOUGH;

	while (shared->rounds == from && now() < until)
		sched_yield();
	return shared->rounds != from;
}

static void test_random(void)
{
	unsigned seed = (unsigned)now(), workers = 1;
	pid_t pids[WORKERS] = { start(work) };
	bool died;

	printf("# seed %u\n", seed);
	for (int i = 0; i < KILLS; i++) {
		unsigned which = (unsigned)i % workers;

		if (!CHECK(await_round(shared->rounds)))
			break;
		usleep((unsigned)rand_r(&seed) % 200);
		kill_off(pids[which]);
		if (!CHECK_INT(lock(&died), 0))
			break;
		look(died);
		unlock();
		pids[which] = start(work);
		while (i == LONE && workers < WORKERS)
			pids[workers++] = start(work);
	}
	for (unsigned i = 0; i < workers; i++)
		kill_off(pids[i]);
	CHECK_INT(shared->odd, 0);
	CHECK(shared->deaths > 0);
	printf("# %u rounds, killed within one: %u\n", shared->rounds, shared->deaths);
}

/* ---- after each instruction ---- */

struct call {
	const char *name;
	uint32_t value;          /* the word before */
	void (*before)(void);    /* in the process that is stepped */
	void (*call)(void);
	void (*hold)(void);      /* what it sleeps for; NULL: nothing */
	void (*give)(bool slept); /* lets it go on, if it slept; what was held is given back */
	bool waited_for;         /* another one sleeps on the word meanwhile */
	int least, most;         /* what the next may be told, wherever it is killed: 1 that its owner died */
	int last;                /* where it has come to its end */
};

static const struct call *current;
static void (*ended_by)(pid_t pid) = kill_off; /* where it has been stepped to */

static void nothing(void)
{
}

static int be_stepped(void)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		return 99;
	current->before();
	raise(SIGSTOP);
	current->call();
	raise(SIGSTOP);
	return 0;
}

static bool is_stopped(pid_t pid, int signal)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == signal;
}

/* A process that is stepped, those that it has to do with, and how it is going. */
struct stepped {
	pid_t pid, waiter;
	bool held, slept;
};

static void start_waiter(struct stepped *stepped)
{
	stepped->waiter = start(lock_once);
	CHECK_FOR(current->name, await_sleeper(&shared->word, stepped->waiter));
}

static void let_go(struct stepped *stepped)
{
	if (stepped->held)
		current->give(stepped->slept);
	stepped->held = false;
}

/* Where a step does not end it is in its system call: then others queue up behind it, and it goes on. */
static bool await_stop(struct stepped *stepped)
{
	siginfo_t info;

	while (stepped->held) {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)stepped->pid, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) || info.si_pid)
			break;
		if (!sleeps(stepped->pid)) {
			sched_yield();
			continue;
		}
		stepped->slept = true;
		if (current->waited_for)
			start_waiter(stepped);
		let_go(stepped);
	}
	return is_stopped(stepped->pid, SIGTRAP);
}

static bool begin_steps(struct stepped *stepped)
{
	*stepped = (struct stepped){ .pid = start(be_stepped), .waiter = -1 };
	if (stepped->pid > 0 && is_stopped(stepped->pid, SIGSTOP))
		return true;
	if (stepped->pid > 0)
		kill_off(stepped->pid);
	return false;
}

/*
 * Kills the call after so many steps, or where it ends, and has another one lock. Returns the steps that it
 * took, or -1 where it cannot be stepped; next: what lock_once() said.
 */
static long step(long steps, int *next, bool *slept)
{
	struct stepped stepped;
	long i;

	set_value(&shared->word, current->value);
	if (!begin_steps(&stepped))
		return -1;
	if (current->hold) {
		current->hold();
		stepped.held = true;
	} else if (current->waited_for) {
		start_waiter(&stepped);
	}
	for (i = 0; i < steps; i++)
		if (ptrace(PTRACE_SINGLESTEP, stepped.pid, NULL, NULL) || !await_stop(&stepped))
			break;
	ended_by(stepped.pid);
	let_go(&stepped);
	*next = end_of(stepped.waiter > 0 ? stepped.waiter : start(lock_once));
	*slept = stepped.slept;
	return i;
}

/* Whether processes can be stepped here. */
static bool test_call(const struct call *call)
{
	int64_t began = now();
	bool good = true, slept = false;
	long all, apart, looks = 0, told = 0, after = 0;
	int next;

	current = call;
	all = step(MOST_STEPS, &next, &slept);
	if (all <= 0)
		return false;
	CHECK_FOR(call->name, all < MOST_STEPS);
	CHECK_INT_FOR(call->name, next, call->last);
	CHECK_INT_FOR(call->name, slept, !!call->hold);
	apart = all / LOOKS + 1;
	for (long i = now() % apart; i < all && good; i += apart, looks++) {
		long taken = step(i, &next, &slept);

		/* It may come to its end with fewer: how often it looks around depends on the others. */
		good = CHECK_FOR(call->name, taken == i || (call->hold && taken > i / 2 && next == call->last)) &&
		       CHECK_FOR(call->name, next >= call->least && next <= call->most) &&
		       CHECK_INT_FOR(call->name, value_of(&shared->word), 0);
		if (!good)
			printf("# %ld of %ld steps, the next says %d\n", taken, i, next);
		told += next == 1;
		after += slept;
	}
	/* Few looks may all come before what is told, or after it. */
	if (call->least != call->most && !UNIT_SANITIZED)
		CHECK_FOR(call->name, told > 0 && (call->last || told < looks));
	/* Each second it would be found without having been woken. */
	CHECK_FOR(call->name, now() - began < all * SECOND / 2);
	printf("# %s: %ld steps, one in %ld, after %ld of these the next is told; asleep before: %ld\n", call->name,
	       all, apart, told, after);
	return true;
}

/* On one processor: the two take turns in any case. */
__attribute__((unused)) static void test_calls(const struct call *calls, size_t count)
{
	cpu_set_t before;

	CHECK_INT(sched_getaffinity(0, sizeof(before), &before), 0);
	stay_here();
	for (size_t i = 0; STEPPED && i < count; i++) {
		if (test_call(&calls[i]))
			continue;
		printf("# processes cannot be stepped here\n");
		break;
	}
	CHECK_INT(sched_setaffinity(0, sizeof(before), &before), 0);
}

/* ---- a waiter that is served, and never knows ---- */

/* It is woken, but does not run before it is killed: there is one processor, and others come first. */
static int lock_idly(void)
{
	const struct sched_param none = { 0 };

	return sched_setscheduler(0, SCHED_IDLE, &none) ? 9 : lock_once();
}

/* Two sleep, and the first is killed in its turn. value: the word in between; second: what it is told. */
static bool serve_in_vain(uint32_t *value, pid_t *first, int *second)
{
	pid_t pid;
	bool died;

	set_value(&shared->word, 0);
	if (!CHECK_INT(lock(&died), 0))
		return false;
	*first = start(lock_idly);
	CHECK(await_sleeper(&shared->word, *first));
	pid = start(lock_once);
	CHECK(await_sleeper(&shared->word, pid));
	unlock();
	*value = value_of(&shared->word);
	kill(*first, SIGKILL);
	CHECK(end_of(*first) >= 0);
	*second = end_of(pid);
	return CHECK(*second == 0 || *second == 1);
}

/* The word is free, and the one who was woken has not taken it. */
__attribute__((unused)) static bool is_free(uint32_t value, pid_t first)
{
	(void)first;
	return value == 0;
}

/* is_given: whether the first one had been served. Returns how often the second was told of its death. */
__attribute__((unused)) static int test_in_vain(bool (*is_given)(uint32_t value, pid_t first))
{
	int given = 0, told = 0, second;
	cpu_set_t before;
	uint32_t value;
	pid_t first;

	CHECK_INT(sched_getaffinity(0, sizeof(before), &before), 0);
	stay_here();
	for (int i = 0; i < IN_VAIN && serve_in_vain(&value, &first, &second); i++) {
		given += is_given(value, first);
		told += second;
	}
	printf("# served in vain: %d of %d, told %d\n", given, IN_VAIN, told);
	CHECK_INT(sched_setaffinity(0, sizeof(before), &before), 0);
	return told;
}

#endif
