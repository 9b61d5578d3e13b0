/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Fences: how long they stand, behind whom, and what outlives the parent that held a lock. */

#include "fences.h"

#include <sys/time.h>

/* ---- commands ---- */

static int stay(void)
{
	add(room->ready, 1);
	return await(&room->ended, 1) ? 0 : 9;
}

static int leave_a_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		return stay();
	return pid > 0 && await(&room->ready, 1) ? 0 : 9;
}

/* Others of the same file do not matter: neither the descriptor of another description, nor a copy. */
static int close_others(void)
{
	int copy = dup(fd), mine = fd;

	if (!open_anew() || close(fd) || close(copy))
		return 9;
	fd = mine;
	return stay();
}

/* The last one does. */
static int close_all(void)
{
	add(room->ready, 1);
	if (!await(&room->ended, 1) || close(fd))
		return 9;
	pause();
	return 9;
}

static const struct role roles[] = {
	{ "stay", stay },
	{ "leave a child", leave_a_child },
	{ "close others", close_others },
	{ "close all", close_all },
};

/* ---- one fence ---- */

static const char *role;

static int fenced(void)
{
	return open_anew() && !set_fence(IPCKIT_FENCE_OWNER, 0) ? become(role) : 9;
}

static pid_t start_fenced(const char *what)
{
	pid_t pid;

	role = what;
	room->ready = room->ended = 0;
	pid = start(fenced);
	CHECK(await(&room->ready, 1));
	return pid;
}

static void test_none(void)
{
	const struct ipckit_deadline try = { .kind = IPCKIT_DEADLINE_TRY };

	CHECK_INT(await_fence(0), 0);
	CHECK_INT(set_fence(IPCKIT_FENCE_OWNER, 0), 0);
	CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
	/* One's own is none. */
	CHECK_INT(await_fence(0), 0);
	ipckit_fence_clear(fd, OFFSET, IPCKIT_FENCE_OWNER);
	CHECK_INT(ipckit_fence_set(-1, OFFSET, IPCKIT_FENCE_OWNER, &try), -EBADF);
	CHECK_INT(ipckit_fence_await(-1, OFFSET, IPCKIT_FENCE_OWNER, &try), -EBADF);
	CHECK_INT(ipckit_fence_forbid(-1, OFFSET, IPCKIT_FENCE_READER), -EBADF);
	for (uint64_t offset = UINT64_MAX; offset > UINT64_MAX - 8; offset--) {
		CHECK_INT(ipckit_fence_set(fd, offset, IPCKIT_FENCE_READER, &try), -EINVAL);
		CHECK_INT(ipckit_fence_await(fd, offset, IPCKIT_FENCE_READER, &try), -EINVAL);
		CHECK_INT(ipckit_fence_forbid(fd, offset, IPCKIT_FENCE_READER), -EINVAL);
	}
}

/* It survives execve(2). */
static void test_deadline(void)
{
	pid_t pid = start_fenced("stay");
	int64_t began = now();

	CHECK_INT(await_fence(0), -EAGAIN);
	CHECK_INT(await_fence(150 * MS), -ETIMEDOUT);
	CHECK(now() - began >= 150 * MS);
	kill_off(pid);
	CHECK_INT(await_fence(0), 0);
}

/* Of the word alone, and of one kind. */
static void test_extent(void)
{
	const struct ipckit_deadline try = { .kind = IPCKIT_DEADLINE_TRY };
	pid_t pid = start_fenced("stay");

	CHECK_INT(ipckit_fence_await(fd, OFFSET + sizeof(uint32_t), IPCKIT_FENCE_OWNER, &try), 0);
	CHECK_INT(ipckit_fence_await(fd, OFFSET - sizeof(uint32_t), IPCKIT_FENCE_READER, &try), 0);
	CHECK_INT(ipckit_fence_await(fd, OFFSET, IPCKIT_FENCE_READER, &try), 0);
	CHECK_INT(ipckit_fence_forbid(fd, OFFSET, IPCKIT_FENCE_READER), 0);
	CHECK_INT(ipckit_fence_forbid(fd, OFFSET, IPCKIT_FENCE_OWNER), -EAGAIN);
	ipckit_fence_clear(fd, OFFSET, IPCKIT_FENCE_READER);
	kill_off(pid);
}

static volatile sig_atomic_t stop;

static void set_stop(int signal)
{
	(void)signal;
	stop = 1;
}

static void test_stop(void)
{
	const struct itimerval timer = { .it_interval.tv_usec = 5000, .it_value.tv_usec = 5000 }, never = { 0 };
	struct ipckit_deadline deadline = { .kind = IPCKIT_DEADLINE_NONE, .stop = &stop };
	struct sigaction action = { .sa_handler = set_stop };
	pid_t pid = start_fenced("stay");

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	CHECK_INT(ipckit_fence_await(fd, OFFSET, IPCKIT_FENCE_OWNER, &deadline), -EINTR);
	setitimer(ITIMER_REAL, &never, NULL);
	kill_off(pid);
}

/* ---- behind whom ---- */

static int await_and_tell(void)
{
	add(room->ready, 1);
	return await_fence(LONG_ENOUGH) ? 9 : load(room->ended) == 1;
}

static pid_t start_waiter(void)
{
	uint32_t ready = load(room->ready);
	pid_t pid = start(await_and_tell);

	CHECK(await(&room->ready, ready + 1));
	CHECK_INT(await_fence(20 * MS), -ETIMEDOUT);
	CHECK_INT(waitpid(pid, NULL, WNOHANG), 0);
	return pid;
}

/* Each fence that there is. */
static void test_two(void)
{
	pid_t first = start_fenced("stay"), second, waiter;

	second = start_fenced("stay");
	kill_off(first);
	waiter = start_waiter();
	room->ended = 1;
	kill_off(second);
	CHECK_INT(end_of(waiter), 1);
}

/* What the command has started is behind it. */
static void test_grandchild(void)
{
	pid_t pid = start_fenced("leave a child"), waiter;
	int status;

	CHECK_INT(end_of(pid), 0);
	waiter = start_waiter();
	room->ended = 1;
	CHECK_INT(end_of(waiter), 1);
	CHECK(waitpid(-1, &status, 0) > 0);
	CHECK_INT(status, 0);
}

static void test_closed(void)
{
	pid_t pid = start_fenced("close others");

	CHECK_INT(await_fence(20 * MS), -ETIMEDOUT);
	kill_off(pid);
	pid = start_fenced("close all");
	CHECK_INT(await_fence(0), -EAGAIN);
	room->ended = 1;
	CHECK_INT(await_fence(LONG_ENOUGH), 0);
	CHECK_INT(waitpid(pid, NULL, WNOHANG), 0);
	kill_off(pid);
}

/* Taken down while the command goes on, by who has the description, too. */
static void test_cleared(void)
{
	const int before = fd;
	pid_t pid;
	int mine;

	if (!CHECK(open_anew()) || !CHECK_INT(set_fence(IPCKIT_FENCE_OWNER, 0), 0))
		return;
	room->ready = room->ended = 0;
	pid = start(stay);
	CHECK(await(&room->ready, 1));
	mine = fd;
	fd = before;
	CHECK_INT(await_fence(0), -EAGAIN);
	ipckit_fence_clear(mine, OFFSET, IPCKIT_FENCE_OWNER);
	CHECK_INT(await_fence(0), 0);
	close(mine);
	kill_off(pid);
}

/* ---- forbidden ---- */

static int set_and_stay(void)
{
	return open_anew() && !set_fence(IPCKIT_FENCE_READER, LONG_ENOUGH) ? stay() : 9;
}

static void test_forbidden(void)
{
	const int before = fd;
	int other;
	pid_t pid;

	CHECK_INT(ipckit_fence_forbid(fd, OFFSET, IPCKIT_FENCE_READER), 0);
	if (!CHECK(open_anew()))
		return;
	other = fd;
	CHECK_INT(set_fence(IPCKIT_FENCE_READER, 0), -EAGAIN);
	CHECK_INT(set_fence(IPCKIT_FENCE_READER, 30 * MS), -ETIMEDOUT);
	CHECK_INT(ipckit_fence_forbid(fd, OFFSET, IPCKIT_FENCE_READER), -EAGAIN);
	CHECK_INT(set_fence(IPCKIT_FENCE_OWNER, 0), 0);
	close(other);
	fd = before;
	room->ready = room->ended = 0;
	pid = start(set_and_stay);
	usleep(20000);
	CHECK_INT(load(room->ready), 0);
	ipckit_fence_clear(fd, OFFSET, IPCKIT_FENCE_READER);
	CHECK(await(&room->ready, 1));
	CHECK_INT(ipckit_fence_forbid(fd, OFFSET, IPCKIT_FENCE_READER), -EAGAIN);
	kill_off(pid);
	CHECK_INT(ipckit_fence_forbid(fd, OFFSET, IPCKIT_FENCE_READER), 0);
	ipckit_fence_clear(fd, OFFSET, IPCKIT_FENCE_READER);
}

/* ---- commands that outlive who held the lock ---- */

static int run_a_stayer(void)
{
	bool died;

	return !open_anew() || lock(&died) ? 9 : run("stay", false);
}

/* As one that became another user: it is not killed with its parent. */
static void test_left(bool with_pi)
{
	bool died = false;
	pid_t parent, left;

	room->pi = with_pi;
	room->ready = room->ended = 0;
	parent = start(run_a_stayer);
	CHECK(await(&room->ready, 1));
	kill_off(parent);
	if (!CHECK_INT(lock(&died), 0))
		return;
	CHECK(died);
	CHECK_INT(await_fence(0), -EAGAIN);
	room->ended = 1;
	CHECK_INT(await_fence(LONG_ENOUGH), 0);
	left = waitpid(-1, NULL, 0);
	CHECK(left > 0 && left != parent);
	unlock();
	CHECK_INT(load(room->word), 0);
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return play(roles, sizeof(roles) / sizeof(*roles), argv);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || !make_room())
		return unit_skip("fence", "no memory that is a file");
	test_none();
	test_deadline();
	test_extent();
	test_stop();
	test_two();
	test_grandchild();
	test_closed();
	test_cleared();
	test_forbidden();
	test_left(false);
	test_left(true);
	return unit_done("fence");
}
