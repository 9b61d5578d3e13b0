/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Two mutexes with priority inheritance held at once, by a process that is killed after each of its instructions,
 * or whose signal's handler gives them back there. The next always gets both, and is told of each that was held.
 */

#include "killed.h"
#include "pi-words.h"

static struct ipckit_pi *held;

/* What the next one is told: 1 of the first, 2 of the second; across processes. */
static volatile int *told_of;

static int lock(bool *died)
{
	bool each[2] = { false };
	unsigned failed;
	int r = lock_words(words, 2, LONG_ENOUGH, each, &failed, &held);

	*told_of = each[0] + 2 * each[1];
	*died = each[0] || each[1];
	return r;
}

static void unlock(void)
{
	if (ipckit_pi_unlock(held))
		_exit(9);
}

/* ---- after each instruction ---- */

static void try_both(void)
{
	bool each[2];
	unsigned failed;

	(void)!lock_words(words, 2, 0, each, &failed, &held);
}

/* Process 1 has the second. */
static void take_second(void)
{
	set_value(&shared->other, 1);
}

/* To read a clock takes now more steps, now less. */
static void wait_for_both(void)
{
	const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };
	bool each[2];
	unsigned failed;

	if (ipckit_pi_lock_words(words, 2, 0, &forever, each, &failed, &held))
		_exit(9);
}

static void hold_second(void)
{
	bool died;

	CHECK_INT(pi_within(&shared->other, 0, &died, &held), 0);
}

static void give(bool slept)
{
	(void)slept;
	unlock();
}

/* A call that is ended wherever, and what the next may be told in its course. */
static const struct course {
	struct call call;
	int marks[4]; /* what the next is told, in this order; -1: no more */
	int given_up; /* where the handler gave them back */
} courses[] = {
	{
		.call = { .name = "locking two", .before = nothing, .call = try_both },
		.marks = { 0, 1, 3, -1 },
	},
	{
		.call = { .name = "locking two, one left", .value = FUTEX_OWNER_DIED, .before = nothing, .call = try_both },
		.marks = { 1, 3, -1 },
		.given_up = 1,
	},
	{
		.call = { .name = "unlocking two", .before = try_both, .call = unlock },
		.marks = { 3, 1, 0, -1 },
	},
	{
		.call = {
			.name = "unlocking two for one that waits",
			.before = try_both,
			.call = unlock,
			.waited_for = true,
		},
		.marks = { 3, 1, 0, -1 },
	},
	{
		.call = {
			.name = "trying two in vain",
			.before = take_second,
			.call = try_both,
		},
		.marks = { 0, 1, 0, -1 },
	},
	{
		.call = {
			.name = "trying two in vain, one left",
			.value = FUTEX_OWNER_DIED,
			.before = take_second,
			.call = try_both,
		},
		.marks = { 1, -1 },
		.given_up = 1,
	},
	{
		.call = {
			.name = "waiting for the second",
			.before = nothing,
			.call = wait_for_both,
			.hold = hold_second,
			.give = give,
		},
		.marks = { 0, 1, 3, -1 },
	},
};

#define PASSES (IS_LONG ? 250 : UNIT_SANITIZED ? 12 : 40) /* looked at in each course */

static void give_up(int signal)
{
	(void)signal;
	ipckit_pi_give_up();
	_exit(0);
}

/* The second is free again for the next one. */
static void free_second(void)
{
	uint32_t value = value_of(&shared->other);

	if (ipckit_mutex_owner(value) == 1)
		set_value(&shared->other, 0);
}

static void end_by_kill(pid_t pid)
{
	kill_off(pid);
	free_second();
}

static void end_by_handler(pid_t pid)
{
	CHECK(!ptrace(PTRACE_DETACH, pid, NULL, (void *)SIGUSR1));
	CHECK_INT(end_of(pid), 0);
	free_second();
}

static long step_by(void (*end)(pid_t pid), long steps, int *next)
{
	bool slept;

	set_value(&shared->other, 0);
	ended_by = end;
	return step(steps, next, &slept);
}

/* Whether the next may be told this in its turn: as before, or what comes after that. Few looks may miss that. */
static bool goes_on(const struct course *course, int *at)
{
	if (*told_of == course->marks[*at])
		return true;
	do
		++*at;
	while (UNIT_SANITIZED && course->marks[*at] != -1 && *told_of != course->marks[*at]);
	return *told_of == course->marks[*at];
}

static bool is_good(const struct course *course, int next, bool told)
{
	return CHECK_FOR(course->call.name, told) && CHECK_FOR(course->call.name, next == !!*told_of) &&
	       CHECK_INT_FOR(course->call.name, value_of(&shared->word), 0) &&
	       CHECK_INT_FOR(course->call.name, value_of(&shared->other), 0);
}

/* Whether processes can be stepped here. */
static bool test_course(const struct course *course)
{
	int next, at = 0;
	bool good = true;
	long all, apart;

	current = &course->call;
	all = step_by(end_by_kill, MOST_STEPS, &next);
	if (all <= 0)
		return false;
	apart = all / PASSES + 1;
	for (long i = 0; i < all && good; i += apart) {
		step_by(end_by_kill, i, &next);
		good = is_good(course, next, goes_on(course, &at));
		if (!good)
			printf("# killed after %ld of %ld steps, the next is told %d\n", i, all, *told_of);
	}
	CHECK_INT_FOR(course->call.name, course->marks[at + 1], -1);
	for (long i = 0; i < all && good && course->call.before != try_both; i += apart) {
		step_by(end_by_handler, i, &next);
		good = is_good(course, next, *told_of == course->given_up);
		if (!good)
			printf("# given up after %ld of %ld steps, the next is told %d\n", i, all, *told_of);
	}
	printf("# %s: %ld steps, one in %ld\n", course->call.name, all, apart);
	return true;
}

static void test_courses(void)
{
	cpu_set_t before;

	signal(SIGUSR1, give_up);
	CHECK_INT(sched_getaffinity(0, sizeof(before), &before), 0);
	stay_here();
	for (size_t i = 0; STEPPED && i < sizeof(courses) / sizeof(*courses); i++) {
		if (test_course(&courses[i]))
			continue;
		printf("# processes cannot be stepped here\n");
		break;
	}
	CHECK_INT(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void)
{
	void *page = mmap(NULL, sizeof(*told_of), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (!CHECK(page != MAP_FAILED) || !share_words())
		return unit_done("several PI mutexes, killed");
	told_of = page;
	test_random();
	/* What is linked at its first call takes no steps then. */
	take_second();
	try_both();
	free_second();
	test_courses();
	close_words();
	return unit_done("several PI mutexes, killed");
}
