/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "futex-call.h"

#include <stdlib.h>

/*
 * Each operation is called so that it does nothing and says something that nobody else would: a filter
 * (seccomp(2)) that refuses a call says EPERM or ENOSYS, a kernel without it ENOSYS, or EINVAL for a flag.
 */

/* Words that only this call knows; aligned for those that have a NUMA node beside them. */
struct scene {
	_Alignas(16) uint32_t words[4];
	uint32_t tid;
};

struct trial {
	const char *name, *since, *until;
	int (*run)(struct scene *scene, int argument);
	int argument; /* an operation with its flags, or a clock */
	int answer;   /* of a kernel that has it: 0 or more, or -errno */
};

static const struct timespec past = { .tv_sec = 1 };

/* ---- futex(2) ---- */

/* For a value that the word has not: -EAGAIN. */
static int wait_op(struct scene *scene, int op)
{
	return futex_until(scene->words, op, 1, &past, scene->words + 1, FUTEX_BITSET_MATCH_ANY);
}

static int wake_op(struct scene *scene, int op)
{
	return futex_two(scene->words, op, 1, 0, scene->words + 1, FUTEX_BITSET_MATCH_ANY);
}

static int requeue_op(struct scene *scene, int op)
{
	return futex_two(scene->words, op, 1, 0, scene->words + 1, 1);
}

/* It stores 0 in a word that is 0. */
static int change_op(struct scene *scene, int op)
{
	return futex_two(scene->words, op, 1, 1, scene->words + 1, 0);
}

/* One that the thread has already: -EDEADLK. */
static int lock_op(struct scene *scene, int op)
{
	scene->words[0] = scene->tid;
	return futex_until(scene->words, op, 0, NULL, NULL, 0);
}

static int fd_op(struct scene *scene, int op)
{
	int r = futex_two(scene->words, op, 0, 0, NULL, 0);

	if (r >= 0)
		close(r);
	return r < 0 ? r : 0;
}

/* ---- the others ---- */

static int waitv(struct scene *scene, int clock)
{
	const struct futex_waitv list = { .uaddr = (uintptr_t)scene->words, .val = 1, .flags = FUTEX2_SIZE_U32 };

	return (int)sys_result(syscall(SYS_futex_waitv, &list, 1, 0, &past, clock));
}

static int wake2(struct scene *scene, int flags)
{
	scene->words[1] = UINT32_MAX; /* any node */
	return (int)sys_result(syscall(SYS_futex_wake, scene->words, (unsigned long)FUTEX_BITSET_MATCH_ANY, 1,
				       FUTEX2_SIZE_U32 | flags));
}

static int wait2(struct scene *scene, int clock)
{
	return (int)sys_result(syscall(SYS_futex_wait, scene->words, 1ul, (unsigned long)FUTEX_BITSET_MATCH_ANY,
				       FUTEX2_SIZE_U32, &past, clock));
}

static int requeue2(struct scene *scene, int flags)
{
	const struct futex_waitv words[] = {
		{ .uaddr = (uintptr_t)scene->words, .val = 1, .flags = FUTEX2_SIZE_U32 },
		{ .uaddr = (uintptr_t)(scene->words + 1), .flags = FUTEX2_SIZE_U32 },
	};

	return (int)sys_result(syscall(SYS_futex_requeue, words, flags, 0, 0));
}

/* Of a size that no list's head has. */
static int set_robust_list(struct scene *scene, int size)
{
	return (int)sys_result(syscall(SYS_set_robust_list, scene->words, (size_t)size));
}

static int get_robust_list(struct scene *scene, int tid)
{
	struct robust_list_head *head;
	size_t size;

	(void)scene;
	return (int)sys_result(syscall(SYS_get_robust_list, tid, &head, &size));
}

/* ---- what there is ---- */

#define FUTEX(operation, brought, gone, how, says) \
	{ .name = #operation, .since = brought, .until = gone, .run = how, .argument = operation, .answer = says }
#define WITH(flag, operation, brought, gone, how, says)                                                     \
	{ .name = #flag " on " #operation, .since = brought, .until = gone, .run = how, .argument = operation | (flag), \
	  .answer = says }
#define OTHER(call, brought, how, with, says) \
	{ .name = call, .since = brought, .run = how, .argument = with, .answer = says }

static const struct trial trials[] = {
	FUTEX(FUTEX_WAIT, "2.6.0", NULL, wait_op, -EAGAIN),
	FUTEX(FUTEX_WAKE, "2.6.0", NULL, wake_op, 0),
	FUTEX(FUTEX_FD, "2.6.0", "2.6.26", fd_op, 0),
	FUTEX(FUTEX_REQUEUE, "2.6.0", NULL, requeue_op, 0),
	FUTEX(FUTEX_CMP_REQUEUE, "2.6.7", NULL, requeue_op, -EAGAIN),
	FUTEX(FUTEX_WAKE_OP, "2.6.14", NULL, change_op, 0),
	FUTEX(FUTEX_LOCK_PI, "2.6.18", NULL, lock_op, -EDEADLK),
	FUTEX(FUTEX_UNLOCK_PI, "2.6.18", NULL, lock_op, 0),
	FUTEX(FUTEX_TRYLOCK_PI, "2.6.18", NULL, lock_op, -EDEADLK),
	FUTEX(FUTEX_WAIT_BITSET, "2.6.25", NULL, wait_op, -EAGAIN),
	FUTEX(FUTEX_WAKE_BITSET, "2.6.25", NULL, wake_op, 0),
	FUTEX(FUTEX_WAIT_REQUEUE_PI, "2.6.31", NULL, wait_op, -EAGAIN),
	FUTEX(FUTEX_CMP_REQUEUE_PI, "2.6.31", NULL, requeue_op, -EAGAIN),
	FUTEX(FUTEX_LOCK_PI2, "5.14", NULL, lock_op, -EDEADLK),
	WITH(FUTEX_PRIVATE_FLAG, FUTEX_WAKE, "2.6.22", NULL, wake_op, 0),
	WITH(FUTEX_CLOCK_REALTIME, FUTEX_WAIT, "4.5", "5.13", wait_op, -EAGAIN),
	WITH(FUTEX_CLOCK_REALTIME, FUTEX_WAIT_BITSET, "2.6.28", NULL, wait_op, -EAGAIN),
	WITH(FUTEX_CLOCK_REALTIME, FUTEX_WAIT_REQUEUE_PI, "2.6.31", NULL, wait_op, -EAGAIN),
	WITH(FUTEX_CLOCK_REALTIME, FUTEX_LOCK_PI, NULL, NULL, lock_op, -EDEADLK),
	WITH(FUTEX_CLOCK_REALTIME, FUTEX_LOCK_PI2, "5.14", NULL, lock_op, -EDEADLK),
	OTHER("futex_waitv", "5.16", waitv, CLOCK_MONOTONIC, -EAGAIN),
	OTHER("CLOCK_REALTIME on futex_waitv", "5.16", waitv, CLOCK_REALTIME, -EAGAIN),
	OTHER("futex_wake", "6.7", wake2, 0, 0),
	OTHER("futex_wait", "6.7", wait2, CLOCK_MONOTONIC, -EAGAIN),
	OTHER("CLOCK_REALTIME on futex_wait", "6.7", wait2, CLOCK_REALTIME, -EAGAIN),
	OTHER("futex_requeue", "6.7", requeue2, 0, -EAGAIN),
	OTHER("FUTEX2_PRIVATE on futex_wake", "6.7", wake2, FUTEX2_PRIVATE, 0),
	OTHER("FUTEX2_NUMA on futex_wake", "6.16", wake2, FUTEX2_NUMA, 0),
	OTHER("FUTEX2_MPOL on futex_wake", "6.16", wake2, FUTEX2_MPOL, 0),
	OTHER("set_robust_list", "2.6.17", set_robust_list, 1, -EINVAL),
	OTHER("get_robust_list", "2.6.17", get_robust_list, 0, 0),
};

#define TRIALS (sizeof(trials) / sizeof(*trials))

int ipckit_futex_probe(const struct ipckit_futex_support **out, size_t *count)
{
	static struct ipckit_futex_support answers[TRIALS];
	const uint32_t tid = (uint32_t)syscall(SYS_gettid);

	for (size_t i = 0; i < TRIALS; i++) {
		const struct trial *trial = &trials[i];
		struct scene scene = { .tid = tid };
		int r = trial->run(&scene, trial->argument);

		answers[i] = (struct ipckit_futex_support){
			.name = trial->name,
			.supported = r == trial->answer,
			.since = trial->since,
			.until = trial->until,
			.error = r < 0 ? -r : 0,
		};
	}
	*out = answers;
	*count = TRIALS;
	return 0;
}
