/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who sleeps on words: real threads in every operation. */

#include "unit.h"

#include "../../lib/sys.h"

#include <ipckit/waiters.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define PAGE 4096
#define FUTEX2_PRIVATE_FLAG 128

/* At the second page of a file. */
static uint32_t *words;
static struct ipckit_word *opened;

enum { PLAIN, TIMED, BITSET, REALTIME, PI, PI2, COND, LOCK, FIRST, SECOND, THIRD, CALL, HIDDEN, LIBC = 64 };

static long futex(uint32_t *word, int op, uint32_t value, const struct timespec *time, uint32_t *other, uint32_t last)
{
	return syscall(SYS_futex, word, op, value, time, other, last);
}

static struct timespec hour_on(clockid_t clock)
{
	struct timespec at;

	clock_gettime(clock, &at);
	at.tv_sec += 3600;
	return at;
}

/* ---- who sleeps ---- */

static uint32_t anonymous;

static void wait_plain(void)
{
	futex(&words[PLAIN], FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void wait_timed(void)
{
	futex(&words[TIMED], FUTEX_WAIT, 7, &(struct timespec){ .tv_sec = 3600 }, NULL, 0);
}

static void wait_bitset(void)
{
	futex(&words[BITSET], FUTEX_WAIT_BITSET, 0, NULL, NULL, 0x80000001);
}

static void wait_realtime(void)
{
	const struct timespec at = hour_on(CLOCK_REALTIME);

	futex(&words[REALTIME], FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &at, NULL, 6);
}

static void lock_pi(void)
{
	futex(&words[PI], FUTEX_LOCK_PI, 0, NULL, NULL, 0);
}

static void lock_pi2(void)
{
	const struct timespec at = hour_on(CLOCK_MONOTONIC);

	futex(&words[PI2], FUTEX_LOCK_PI2, 0, &at, NULL, 0);
}

static void wait_requeue_pi(void)
{
	futex(&words[COND], FUTEX_WAIT_REQUEUE_PI, 0, NULL, &words[LOCK], 0);
}

static void wait_several(void)
{
	struct futex_waitv waiters[] = {
		{ .uaddr = (uintptr_t)&words[FIRST], .flags = FUTEX_32 },
		{ .uaddr = (uintptr_t)&words[SECOND], .flags = FUTEX_32, .val = 2 },
		{ .uaddr = (uintptr_t)&words[THIRD], .flags = FUTEX_32 | FUTEX2_PRIVATE_FLAG },
	};

	syscall(449, waiters, 3, 0, NULL, CLOCK_MONOTONIC);
}

static void wait_by_call(void)
{
	syscall(455, &words[CALL], 0, 5, FUTEX_32, NULL, CLOCK_MONOTONIC);
}

static void wait_private(void)
{
	futex(&words[HIDDEN], FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void wait_anonymous(void)
{
	futex(&anonymous, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void poll_long(void)
{
	struct pollfd none[9] = { 0 };

	for (int i = 0; i < 9; i++)
		none[i].fd = -1;
	poll(none, 9, 3600000);
}

static void sleep_long(void)
{
	syscall(SYS_nanosleep, &(struct timespec){ .tv_sec = 3600 }, NULL);
}

struct sleeper {
	const char *what;
	void (*act)(void);
	const char *operation; /* NULL: is none */
	unsigned rows;
	int word;              /* of the first row; -1: in no file */
	bool private, realtime, timed;
	bool stops;            /* is to be stopped and continued */
	int64_t expected, bitset;
	bool owned;
	pid_t pid;
};

#define NONE (-1)

static struct sleeper sleepers[] = {
	{ "plain", wait_plain, "FUTEX_WAIT", 1, PLAIN, false, false, false, false, 0, NONE, false, 0 },
	{ "plain, stopped", wait_plain, "FUTEX_WAIT", 1, PLAIN, false, false, false, true, 0, NONE, false, 0 },
	{ "timed", wait_timed, "FUTEX_WAIT", 1, TIMED, false, false, true, false, 7, NONE, false, 0 },
	{ "timed, stopped", wait_timed, "FUTEX_WAIT", 1, TIMED, false, false, true, true, 7, NONE, false, 0 },
	{ "bitset", wait_bitset, "FUTEX_WAIT_BITSET", 1, BITSET, false, false, false, false, 0, 0x80000001, false, 0 },
	{ "realtime", wait_realtime, "FUTEX_WAIT_BITSET", 1, REALTIME, false, true, true, false, 0, 6, false, 0 },
	{ "realtime, stopped", wait_realtime, "FUTEX_WAIT_BITSET", 1, REALTIME, false, true, true, true, 0, 6, false, 0 },
	{ "pi", lock_pi, "FUTEX_LOCK_PI", 1, PI, false, true, false, false, NONE, NONE, true, 0 },
	{ "pi2", lock_pi2, "FUTEX_LOCK_PI2", 1, PI2, false, false, true, false, NONE, NONE, true, 0 },
	{ "pi2, stopped", lock_pi2, "FUTEX_LOCK_PI2", 1, PI2, false, false, true, true, NONE, NONE, true, 0 },
	{ "requeue", wait_requeue_pi, "FUTEX_WAIT_REQUEUE_PI", 1, COND, false, false, false, false, 0, NONE, false, 0 },
	{ "waitv", wait_several, "futex_waitv", 3, FIRST, false, false, false, false, 0, NONE, false, 0 },
	{ "waitv, stopped", wait_several, "futex_waitv", 3, FIRST, false, false, false, true, 0, NONE, false, 0 },
	{ "call", wait_by_call, "futex_wait", 1, CALL, false, false, false, false, 0, 5, false, 0 },
	{ "private", wait_private, "FUTEX_WAIT", 1, HIDDEN, true, false, false, false, 0, NONE, false, 0 },
	{ "anonymous", wait_anonymous, "FUTEX_WAIT", 1, -1, false, false, false, false, 0, NONE, false, 0 },
	{ "poll, stopped", poll_long, NULL, 0, 0, false, false, false, true, 0, NONE, false, 0 },
	{ "nanosleep, stopped", sleep_long, NULL, 0, 0, false, false, false, true, 0, NONE, false, 0 },
};

#define SLEEPERS (sizeof(sleepers) / sizeof(*sleepers))

static pid_t start(void (*act)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	act();
	_exit(errno == ENOSYS ? 77 : 1);
}

static void end(pid_t pid)
{
	CHECK(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
}

static bool wait_until(bool (*holds)(pid_t pid), pid_t pid)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	for (int i = 0; i < 10000; i++) {
		if (holds(pid))
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

/* "pid (name) S" */
static char state_of(pid_t pid)
{
	char path[32], line[256] = { 0 }, *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file || !fgets(line, sizeof(line), file))
		*line = '\0';
	if (file)
		fclose(file);
	end = strrchr(line, ')');
	return end ? end[2] : '?';
}

static long call_of(pid_t pid)
{
	char path[32];
	long number = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%ld", &number) != 1)
		number = -1;
	if (file)
		fclose(file);
	return number;
}

/* It is none of the calls before the sleep: of these none lasts. */
static bool sleeps(pid_t pid)
{
	long number = call_of(pid);

	return state_of(pid) == 'S' && (number == SYS_futex || number == 449 || number == 455 || number == SYS_poll ||
					number == SYS_nanosleep || number == SYS_restart_syscall);
}

static bool is_stopped(pid_t pid)
{
	return state_of(pid) == 'T';
}

static bool has_ended(pid_t pid)
{
	return state_of(pid) == 'Z';
}

/* False where the kernel has no such call. */
static bool begin(struct sleeper *sleeper)
{
	int status;

	sleeper->pid = start(sleeper->act);
	if (!wait_until(sleeps, sleeper->pid)) {
		CHECK_FOR(sleeper->what, has_ended(sleeper->pid) && waitpid(sleeper->pid, &status, 0) == sleeper->pid &&
					 WEXITSTATUS(status) == 77);
		return false;
	}
	if (!sleeper->stops)
		return true;
	CHECK(!kill(sleeper->pid, SIGSTOP) && wait_until(is_stopped, sleeper->pid));
	CHECK(!kill(sleeper->pid, SIGCONT) && wait_until(sleeps, sleeper->pid));
	return true;
}

/* ---- what is seen ---- */

static int64_t value(struct ipckit_maybe maybe)
{
	return maybe.known ? maybe.value : -1;
}

static void check_row(const struct sleeper *sleeper, const struct ipckit_waiter *row, unsigned i)
{
	const char *what = sleeper->what;
	bool waitv = sleeper->rows > 1;

	CHECK_FOR(what, row->pid == sleeper->pid && row->tid == sleeper->pid);
	CHECK_STR_FOR(what, row->operation, sleeper->operation);
	CHECK_INT_FOR(what, row->private, sleeper->private || (waitv && i == 2));
	CHECK_INT_FOR(what, row->realtime, sleeper->realtime);
	CHECK_INT_FOR(what, row->timed, sleeper->timed);
	CHECK_INT_FOR(what, value(row->index), waitv ? (int)i : -1);
	CHECK_INT_FOR(what, value(row->bitset), sleeper->bitset);
	CHECK_INT_FOR(what, value(row->expected), waitv && i == 1 ? 2 : sleeper->expected);
	CHECK_INT_FOR(what, value(row->owner), sleeper->owned ? getpid() : -1);
	CHECK_INT_FOR(what, value(row->uid), geteuid());
	CHECK_FOR(what, row->command && strstr(row->command, "test-waiters-live"));
	CHECK_INT_FOR(what, row->word.shared, sleeper->word >= 0);
	if (sleeper->word < 0) {
		CHECK_INT(row->word.address, (uintptr_t)&anonymous);
		CHECK(!row->word.path && row->word.value.known && !row->word.value.value);
		return;
	}
	CHECK_INT_FOR(what, row->word.place.offset, PAGE + 4 * ((unsigned)sleeper->word + i));
	CHECK_INT_FOR(what, row->word.address, (uintptr_t)&words[(unsigned)sleeper->word + i]);
	CHECK_INT_FOR(what, value(row->word.value), words[(unsigned)sleeper->word + i]);
	CHECK_STR_FOR(what, row->word.path, "/dev/shm/words");
	if (sleeper->act == wait_requeue_pi)
		CHECK_INT(value(row->requeue), (intptr_t)&words[LOCK]);
	else
		CHECK(!row->requeue.known);
}

static void check_sleeper(const struct sleeper *sleeper)
{
	const struct ipckit_waiters_filter filter = { .pid = sleeper->pid };
	struct ipckit_waiters waiters;

	if (!CHECK_INT_FOR(sleeper->what, ipckit_waiters_list(&filter, &waiters), 0))
		return;
	if (CHECK_INT_FOR(sleeper->what, waiters.count, sleeper->rows))
		for (unsigned i = 0; i < sleeper->rows; i++)
			check_row(sleeper, &waiters.list[i], i);
	CHECK_INT_FOR(sleeper->what, value(waiters.unreadable_processes), 0);
	ipckit_waiters_free(&waiters);
}

/* All of them at once, and those on one word alone. */
static void check_lists(void)
{
	struct ipckit_waiters waiters;
	size_t rows = 0;

	for (size_t i = 0; i < SLEEPERS; i++)
		rows += sleepers[i].pid ? sleepers[i].rows : 0;
	if (CHECK_INT(ipckit_waiters_list(&(struct ipckit_waiters_filter){ 0 }, &waiters), 0)) {
		size_t ours = 0;

		for (size_t i = 0; i < waiters.count; i++)
			for (size_t j = 0; j < SLEEPERS; j++)
				ours += waiters.list[i].pid == sleepers[j].pid;
		CHECK_INT(ours, rows);
		CHECK(waiters.other_pids);
		ipckit_waiters_free(&waiters);
	}
	if (CHECK_INT(ipckit_waiters_list(&(struct ipckit_waiters_filter){ .word = opened }, &waiters), 0)) {
		if (CHECK_INT(waiters.count, 2))
			CHECK(waiters.list[0].pid == sleepers[0].pid && waiters.list[1].pid == sleepers[1].pid);
		ipckit_waiters_free(&waiters);
	}
}

static void test_operations(void)
{
	words[TIMED] = 7;
	words[SECOND] = 2;
	words[PI] = words[PI2] = (uint32_t)getpid();
	for (size_t i = 0; i < SLEEPERS; i++)
		if (!begin(&sleepers[i]))
			sleepers[i].pid = 0;
	for (size_t i = 0; i < SLEEPERS; i++)
		if (sleepers[i].pid)
			check_sleeper(&sleepers[i]);
	check_lists();
	for (size_t i = 0; i < SLEEPERS; i++)
		if (sleepers[i].pid)
			end(sleepers[i].pid);
}

/* ---- threads, the C library, rights ---- */

static void *wait_in_thread(void *arg)
{
	wait_plain();
	return arg;
}

static void leave_to_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, wait_in_thread, NULL);
	pthread_exit(NULL);
}

static bool is_waiter(pid_t pid)
{
	const struct ipckit_waiters_filter filter = { .word = opened, .pid = pid };
	struct ipckit_waiters waiters;
	bool is;

	if (ipckit_waiters_list(&filter, &waiters))
		return false;
	is = waiters.count == 1 && waiters.list[0].pid == pid && waiters.list[0].tid != pid;
	ipckit_waiters_free(&waiters);
	return is;
}

/* The process goes on without its first thread, of which /proc tells nothing any more. */
static void test_leaderless(void)
{
	pid_t pid = start(leave_to_thread);
	struct ipckit_waiters waiters;

	CHECK(wait_until(has_ended, pid) && wait_until(is_waiter, pid));
	if (CHECK_INT(ipckit_waiters_list(&(struct ipckit_waiters_filter){ .pid = pid }, &waiters), 0)) {
		if (CHECK_INT(waiters.count, 1)) {
			const struct ipckit_waiter *waiter = waiters.list;

			CHECK(waiter->command && strstr(waiter->command, "test-waiters-live"));
			CHECK_STR(waiter->word.path, "/dev/shm/words");
			CHECK_INT(value(waiter->word.value), 0);
			/* By a thread's id, too. */
			pid = waiter->tid;
		}
		ipckit_waiters_free(&waiters);
	}
	if (CHECK_INT(ipckit_waiters_list(&(struct ipckit_waiters_filter){ .pid = pid }, &waiters), 0)) {
		CHECK(waiters.count == 1 && waiters.list[0].pid != pid && waiters.list[0].tid == pid);
		pid = waiters.count ? waiters.list[0].pid : 0;
		ipckit_waiters_free(&waiters);
	}
	if (CHECK(pid > 0))
		end(pid);
}

static pthread_mutex_t *mutex;

static void lock_mutex(void)
{
	pthread_mutex_lock(mutex);
}

static void test_mutex(const char *what, int robust, int protocol, const char *operation)
{
	struct ipckit_waiters waiters;
	pthread_mutexattr_t attr;
	pid_t pid;

	mutex = (pthread_mutex_t *)(void *)&words[LIBC];
	CHECK(!pthread_mutexattr_init(&attr) && !pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) &&
	      !pthread_mutexattr_setrobust(&attr, robust) && !pthread_mutexattr_setprotocol(&attr, protocol) &&
	      !pthread_mutex_init(mutex, &attr) && !pthread_mutex_lock(mutex));
	pid = start(lock_mutex);
	CHECK_FOR(what, wait_until(sleeps, pid));
	if (CHECK_INT(ipckit_waiters_list(&(struct ipckit_waiters_filter){ .pid = pid }, &waiters), 0)) {
		if (CHECK_INT_FOR(what, waiters.count, 1)) {
			const struct ipckit_waiter *waiter = waiters.list;
			int64_t owned = (int64_t)(FUTEX_WAITERS | (unsigned)getpid());

			CHECK_STR_FOR(what, waiter->operation, operation);
			CHECK_INT_FOR(what, waiter->word.place.offset, PAGE + 4 * LIBC);
			CHECK_INT_FOR(what, value(waiter->word.value), robust || protocol ? owned : 2);
			CHECK_INT_FOR(what, value(waiter->owner), protocol ? getpid() : -1);
			CHECK_FOR(what, !waiter->private);
		}
		ipckit_waiters_free(&waiters);
	}
	end(pid);
	CHECK(!pthread_mutex_unlock(mutex) && !pthread_mutex_destroy(mutex));
	memset(mutex, 0, sizeof(*mutex));
}

static pid_t watched;

/* Who has fewer rights than the other is told so, and counts it. */
static void look_without_rights(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	struct ipckit_waiters waiters;

	CHECK(!syscall(SYS_capset, &header, none));
	CHECK_INT(ipckit_waiters_list(&(struct ipckit_waiters_filter){ .pid = watched }, &waiters), -EACCES);
	if (CHECK_INT(ipckit_waiters_list(&(struct ipckit_waiters_filter){ .word = opened }, &waiters), 0)) {
		CHECK_INT(waiters.count, 0);
		CHECK(value(waiters.unreadable_processes) >= 1);
		ipckit_waiters_free(&waiters);
	}
	fflush(stdout);
	_exit(unit_failures != 0);
}

static void test_rights(void)
{
	int status = -1;
	pid_t looker;

	watched = start(wait_plain);
	CHECK(wait_until(sleeps, watched));
	looker = start(look_without_rights);
	CHECK(waitpid(looker, &status, 0) == looker && status == 0);
	end(watched);
	CHECK_INT(ipckit_waiters_list(&(struct ipckit_waiters_filter){ .pid = watched }, &(struct ipckit_waiters){ 0 }),
		  -ESRCH);
}

/* Segments of System V: the identifier of another IPC namespace is another's. */
static uint32_t *attached;

static void wait_attached(void)
{
	futex(attached, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void wait_elsewhere(void)
{
	int id = unshare(CLONE_NEWIPC) ? -1 : shmget(IPC_PRIVATE, PAGE, 0600);

	futex(shmat(id, NULL, 0), FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void test_segment(void)
{
	int id = shmget(IPC_PRIVATE, PAGE, 0600);
	struct ipckit_name name = { .kind = IPCKIT_NAME_ID, .written = "id", .id = id };
	struct ipckit_waiters waiters;
	struct ipckit_word *word;
	pid_t own, other;

	attached = shmat(id, NULL, 0);
	own = start(wait_attached);
	other = start(wait_elsewhere);
	CHECK(wait_until(sleeps, own) && wait_until(sleeps, other));
	if (CHECK_INT(ipckit_word_open(&name, &word), 0)) {
		if (CHECK_INT(ipckit_waiters_list(&(struct ipckit_waiters_filter){ .word = word }, &waiters), 0)) {
			CHECK(waiters.count == 1 && waiters.list[0].pid == own && waiters.list[0].word.place.sysv);
			/* The other may have been of this one before: that is not denied. */
			CHECK_INT(value(waiters.unreadable_processes), 1);
			ipckit_waiters_free(&waiters);
		}
		ipckit_word_close(word);
	}
	end(own);
	end(other);
	CHECK(!shmdt(attached) && !shmctl(id, IPC_RMID, NULL));
}

/* A word of a page that cannot be read any more: the file shrank. */
static void test_shrunk(int fd)
{
	struct ipckit_waiters waiters;
	pid_t pid = start(wait_plain);

	CHECK(wait_until(sleeps, pid) && !ftruncate(fd, 0));
	if (CHECK_INT(ipckit_waiters_list(&(struct ipckit_waiters_filter){ .pid = pid }, &waiters), 0)) {
		if (CHECK_INT(waiters.count, 1))
			CHECK(waiters.list[0].word.shared && !waiters.list[0].word.value.known);
		ipckit_waiters_free(&waiters);
	}
	end(pid);
}

int main(void)
{
	const struct ipckit_name name = { .kind = IPCKIT_NAME_SHM, .written = "/words@4096", .text = "/words", .offset = PAGE };
	int fd = shm_open("/words", O_CREAT | O_EXCL | O_RDWR, 0600);

	if (!CHECK(fd >= 0 && !ftruncate(fd, 2 * PAGE)))
		return unit_done("waiters that live");
	words = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	if (!CHECK(words != MAP_FAILED) || !CHECK_INT(ipckit_word_open(&name, &opened), 0))
		return unit_done("waiters that live");
	test_operations();
	test_leaderless();
	test_mutex("normal", PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE, "FUTEX_WAIT");
	test_mutex("robust", PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE, "FUTEX_WAIT");
	test_mutex("pi", PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT, "FUTEX_LOCK_PI");
	test_mutex("robust pi", PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT, "FUTEX_LOCK_PI");
	test_rights();
	test_segment();
	test_shrunk(fd);
	ipckit_word_close(opened);
	CHECK(!close(fd) && !shm_unlink("/words"));
	return unit_done("waiters that live");
}
