/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Mutexes with priority inheritance: what a word says, deadlines, ends, circles, other kinds of use. */

#include "mutexes.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/time.h>

#define PROCESSES 4
#define ROUNDS (UNIT_SANITIZED ? 1000 : 10000)
#define THREADS 4
#define GONE 4194303 /* the last thread id that there can be */

static const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };

/* ---- values ---- */

static const struct {
	const char *what;
	uint32_t value;
	int result;
	bool died;
	uint32_t bits;  /* beside the thread id when it is taken */
	uint32_t after; /* where it is not */
} values[] = {
	{ "free", 0, 0, false, 0, 0 },
	{ "owner died", FUTEX_OWNER_DIED, 0, true, 0, 0 },
	{ "owner died, waiters", FUTEX_OWNER_DIED | FUTEX_WAITERS, 0, true, 0, 0 },
	{ "waiters for nobody", FUTEX_WAITERS, 0, false, 0, 0 },
	{ "nobody", GONE, -ESRCH, false, 0, GONE | FUTEX_WAITERS },
	{ "nobody, waiters", GONE | FUTEX_WAITERS, -ESRCH, false, 0, GONE | FUTEX_WAITERS },
	{ "beyond all thread ids", FUTEX_TID_MASK, -ESRCH, false, 0, FUTEX_TID_MASK | FUTEX_WAITERS },
};

static void test_values(int64_t ns)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		struct ipckit_pi *pi = NULL;
		bool died = !values[i].died;

		set_value(&shared->word, values[i].value);
		CHECK_INT_FOR(values[i].what, pi_within(&shared->word, ns, &died, &pi), values[i].result);
		CHECK_INT_FOR(values[i].what, died, values[i].result ? !values[i].died : values[i].died);
		CHECK_INT_FOR(values[i].what, value_of(&shared->word),
			      values[i].result ? values[i].after : my_tid() | values[i].bits);
		CHECK_FOR(values[i].what, !pi == !!values[i].result);
		CHECK_INT_FOR(values[i].what, ipckit_pi_unlock(pi), 0);
		CHECK_INT_FOR(values[i].what, value_of(&shared->word), values[i].after);
	}
	set_value(&shared->word, 0);
}

static void test_one_at_a_time(void)
{
	struct ipckit_pi *pi = NULL, *second = NULL;
	struct ipckit_mutex *mutex = NULL;
	uint32_t other[2] = { 0 };
	bool died;

	set_value(&shared->word, my_tid());
	CHECK_INT(pi_within(&shared->word, 0, &died, &pi), -EDEADLK);
	CHECK_INT(ipckit_pi_lock(&shared->word, 0, &forever, &died, &pi), -EDEADLK);
	set_value(&shared->word, 0);
	CHECK_INT(pi_within((uint32_t *)((char *)other + 2), 0, &died, &pi), -EINVAL);
	CHECK_INT(ipckit_pi_lock(other, IPCKIT_FUTEX_PRIVATE, &forever, &died, &pi), -EINVAL);
	CHECK_INT(ipckit_pi_wait((uint32_t *)((char *)other + 2), 0, other, 0, &forever, &died, &pi), -EINVAL);
	if (!CHECK_INT(ipckit_pi_lock(&shared->word, 0, &forever, &died, &pi), 0))
		return;
	CHECK_INT(ipckit_pi_lock(&shared->word, 0, &forever, &died, &second), -EDEADLK);
	CHECK_INT(ipckit_pi_lock(other, 0, &forever, &died, &second), -EDEADLK);
	CHECK_INT(ipckit_mutex_lock(other, &forever, &died, &mutex), -EDEADLK);
	CHECK_INT(ipckit_pi_wait(other, 0, &shared->word, 0, &forever, &died, &second), -EDEADLK);
	CHECK_INT(value_of(&shared->word), my_tid());
	CHECK_INT(other[0], 0);
	CHECK_INT(ipckit_pi_unlock(pi), 0);
	CHECK_INT(ipckit_pi_unlock(NULL), 0);
	if (CHECK_INT(ipckit_pi_lock(other, 0, &forever, &died, &second), 0))
		CHECK_INT(ipckit_pi_unlock(second), 0);
}

/* What the kernel would go by at the thread's end. */
static void test_entry(void)
{
	struct robust_list_head *head = NULL;
	struct ipckit_pi *pi;
	uintptr_t entry;
	size_t size;
	bool died;

	if (!CHECK_INT(ipckit_pi_lock(&shared->word, 0, &forever, &died, &pi), 0))
		return;
	CHECK_INT(syscall(SYS_get_robust_list, 0, &head, &size), 0);
	entry = (uintptr_t)head->list.next;
	CHECK_INT(entry & 1, 1);
	CHECK_INT(entry - 1 + (uintptr_t)head->futex_offset, (uintptr_t)&shared->word);
	CHECK(((struct robust_list *)(entry - 1))->next == &head->list);
	CHECK(!head->list_op_pending);
	CHECK_INT(ipckit_pi_unlock(pi), 0);
}

/* ---- processes that hold and wait ---- */

static struct ipckit_pi *held;

static int lock_and_leave(void)
{
	bool died;

	if (pi_soon(&shared->word, &died, &held))
		return 9;
	return ipckit_pi_unlock(held) ? 8 : died;
}

static int lock_and_end(void)
{
	bool died;

	return pi_soon(&shared->word, &died, &held) ? 9 : 0;
}

static int lock_and_exec(void)
{
	bool died;

	if (pi_soon(&shared->word, &died, &held))
		return 9;
	execl("/bin/sh", "sh", "-c", "exec sleep 1000", (char *)NULL);
	return 9;
}

static int lock_and_stay(void)
{
	bool died;

	if (pi_soon(&shared->word, &died, &held))
		return 9;
	pause();
	return 9;
}

/* Until somebody has a word, or had it. */
static bool await_owner(uint32_t *word)
{
	int64_t until = now() + LONG_ENOUGH;

	while (!value_of(word) && now() < until)
		usleep(200);
	return value_of(word);
}

/* A process that has the word. */
static pid_t start_owner(void)
{
	pid_t pid;

	set_value(&shared->word, 0);
	pid = start(lock_and_stay);
	CHECK(await_owner(&shared->word));
	return pid;
}

/* ---- the ends of a wait ---- */

static volatile sig_atomic_t stop;

static void test_deadline(unsigned flags)
{
	pid_t owner = start_owner();
	struct ipckit_deadline deadline;
	struct ipckit_pi *pi = NULL;
	int64_t began, took;
	bool died;

	CHECK_INT(pi_within(&shared->word, 0, &died, &pi), -EAGAIN);
	ipckit_deadline_in(30 * MS, &deadline);
	began = now();
	CHECK_INT(ipckit_pi_lock(&shared->word, flags, &deadline, &died, &pi), -ETIMEDOUT);
	took = now() - began;
	/* Where it is begun anew on another clock, a little of it may be lost. */
	CHECK(took >= 25 * MS && took < LONG_ENOUGH);
	CHECK_INT(value_of(&shared->word), (uint32_t)owner | FUTEX_WAITERS);

	/* It has passed. */
	CHECK_INT(ipckit_pi_lock(&shared->word, flags, &deadline, &died, &pi), -ETIMEDOUT);
	deadline.stop = &stop;
	stop = 1;
	CHECK_INT(ipckit_pi_lock(&shared->word, flags, &deadline, &died, &pi), -EINTR);
	stop = 0;
	kill_off(owner);
	/* As late, it is free. */
	if (CHECK_INT(ipckit_pi_lock(&shared->word, flags, &deadline, &died, &pi), 0))
		CHECK_INT(ipckit_pi_unlock(pi), 0);
	CHECK(died);
	CHECK_INT(value_of(&shared->word), 0);
}

/* Beyond what a clock can tell. */
static void test_far(unsigned flags)
{
	struct ipckit_deadline deadline = { .kind = IPCKIT_DEADLINE_AT, .at.tv_nsec = 999999999 };
	pid_t owner = start_owner(), waiter;
	struct ipckit_pi *pi;
	bool died = false;

	deadline.at.tv_sec = sizeof(time_t) == 8 ? (time_t)INT64_MAX : (time_t)INT32_MAX;
	fflush(stdout);
	waiter = fork();
	if (waiter == 0)
		_exit(ipckit_pi_lock(&shared->word, flags, &deadline, &died, &pi) ? 9 : died);
	CHECK(await_sleeper(&shared->word, waiter));
	kill_off(owner);
	CHECK_INT(end_of(waiter), 1);
}

/* A kernel before Linux 5.14: FUTEX_LOCK_PI2 is not known. */
static bool forget_lock_pi2(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FUTEX_LOCK_PI2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int run_without(void)
{
	if (!forget_lock_pi2())
		return 77;
	if (ipckit_futex_lock_pi(&shared->other, 0, NULL) != -ENOSYS)
		return 78;
	test_deadline(0);
	test_far(0);
	return unit_failures ? 1 : 0;
}

static void test_without_lock_pi2(void)
{
	int r = end_of(start(run_without));

	if (r == 77)
		printf("# system calls cannot be filtered here\n");
	else
		CHECK_INT(r, 0);
}

/* ---- processes ---- */

static int count(void)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		bool died;

		if (pi_soon(&shared->word, &died, &held) || died)
			return 9;
		shared->a++;
		if (ipckit_pi_unlock(held))
			return 8;
	}
	return 0;
}

static void test_ends(void)
{
	pid_t pid, waiter;

	CHECK_INT(end_of(start(lock_and_end)), 0);
	CHECK_INT(value_of(&shared->word), FUTEX_OWNER_DIED);
	CHECK_INT(end_of(start(lock_and_leave)), 1);
	CHECK_INT(value_of(&shared->word), 0);

	/* Killed, while another one waits. */
	pid = start_owner();
	waiter = start(lock_and_leave);
	CHECK(await_sleeper(&shared->word, waiter));
	kill_off(pid);
	CHECK_INT(end_of(waiter), 1);
	CHECK_INT(value_of(&shared->word), 0);

	/* execve(2) gives it away. */
	pid = start(lock_and_exec);
	CHECK(await_owner(&shared->word));
	CHECK_INT(end_of(start(lock_and_leave)), 1);
	CHECK_INT(waitpid(pid, NULL, WNOHANG), 0);
	kill_off(pid);
	CHECK_INT(value_of(&shared->word), 0);
}

/* ---- circles ---- */

/* One has the first word, and waits for the second. */
static int hold_and_lock(void)
{
	bool died;

	if (ipckit_futex_lock_pi(&shared->other, 0, NULL) || pi_soon(&shared->word, &died, &held))
		return 9;
	return ipckit_pi_unlock(held) || ipckit_futex_unlock_pi(&shared->other, 0) ? 8 : died;
}

static void test_circle(void)
{
	struct ipckit_pi *pi;
	pid_t other;
	bool died;

	if (!CHECK_INT(ipckit_futex_lock_pi(&shared->word, 0, NULL), 0))
		return;
	other = start(hold_and_lock);
	CHECK(await_sleeper(&shared->word, other));
	CHECK_INT(ipckit_mutex_owner(value_of(&shared->other)), other);
	CHECK_INT(ipckit_pi_lock(&shared->other, 0, &forever, &died, &pi), -EDEADLK);
	CHECK_INT(pi_within(&shared->other, SECOND, &died, &pi), -EDEADLK);
	CHECK_INT(ipckit_futex_unlock_pi(&shared->word, 0), 0);
	CHECK_INT(end_of(other), 0);
	CHECK_INT(value_of(&shared->word), 0);
	CHECK_INT(value_of(&shared->other), 0);
}

/* ---- other kinds of use ---- */

static int lock_plainly(void)
{
	struct ipckit_mutex *mutex;
	bool died;

	if (lock_soon(&shared->word, &died, &mutex))
		return 9;
	ipckit_mutex_unlock(mutex);
	return died;
}

/* One that sleeps as on a mutex of the other kind: nobody can queue up behind it, and it is woken. */
static void test_plain_sleeper(void)
{
	struct ipckit_pi *pi;
	pid_t sleeper;
	bool died;

	if (!CHECK_INT(ipckit_pi_lock(&shared->word, 0, &forever, &died, &pi), 0))
		return;
	sleeper = start(lock_plainly);
	CHECK(await_sleeper(&shared->word, sleeper));
	CHECK_INT(end_of(start(lock_and_leave)), 9);
	CHECK_INT(ipckit_pi_unlock(pi), 0);
	CHECK_INT(end_of(sleeper), 0);
	CHECK_INT(value_of(&shared->word), 0);
}

/* The word says one thing, and the kernel knows another: nobody is left waiting for one that is not told of. */
static void test_contradiction(void)
{
	pid_t owner = start_owner(), waiter = start(lock_and_leave);
	struct ipckit_pi *pi;
	bool died;

	CHECK(await_sleeper(&shared->word, waiter));
	set_value(&shared->word, 0);
	if (CHECK_INT(ipckit_pi_lock(&shared->word, 0, &forever, &died, &pi), 0)) {
		CHECK_INT(end_of(start(lock_and_leave)), 9);
		set_value(&shared->word, my_tid() | FUTEX_WAITERS);
		CHECK_INT(ipckit_pi_unlock(pi), -EINVAL);
	}
	CHECK_INT(value_of(&shared->word), FUTEX_WAITERS | FUTEX_OWNER_DIED);
	kill_off(owner);
	CHECK_INT(end_of(waiter), 1);
	CHECK_INT(value_of(&shared->word), 0);
}

static void test_taken_away(void)
{
	struct ipckit_pi *pi;
	bool died;

	if (!CHECK_INT(ipckit_pi_lock(&shared->word, 0, &forever, &died, &pi), 0))
		return;
	set_value(&shared->word, 1);
	CHECK_INT(ipckit_pi_unlock(pi), -EPERM);
	CHECK_INT(value_of(&shared->word), 1);
	set_value(&shared->word, 0);
	if (CHECK_INT(ipckit_pi_lock(&shared->word, 0, &forever, &died, &pi), 0))
		CHECK_INT(ipckit_pi_unlock(pi), 0);
}

/* ---- threads ---- */

static volatile bool failed; /* their checks are not counted in there */

static void *count_in_thread(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		struct ipckit_pi *pi;
		bool died;

		if (ipckit_pi_lock(&shared->word, 0, &forever, &died, &pi)) {
			failed = true;
			break;
		}
		shared->a++;
		if (ipckit_pi_unlock(pi))
			failed = true;
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];

	shared->a = 0;
	for (unsigned i = 0; i < THREADS; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, count_in_thread, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(!failed);
	CHECK_INT(shared->a, (uint64_t)THREADS * (ROUNDS / 4));
	CHECK_INT(value_of(&shared->word), 0);
}

int main(void)
{
	if (!share())
		return unit_done("PI mutex");
	test_values(0);
	test_values(SECOND);
	test_values(-1);
	test_one_at_a_time();
	test_entry();
	test_deadline(0);
	test_deadline(IPCKIT_FUTEX_REALTIME);
	test_far(0);
	test_far(IPCKIT_FUTEX_REALTIME);
	test_without_lock_pi2();
	test_ends();
	test_circle();
	test_plain_sleeper();
	test_contradiction();
	test_taken_away();
	check_count(count, PROCESSES, ROUNDS);
	test_threads();
	return unit_done("PI mutex");
}
