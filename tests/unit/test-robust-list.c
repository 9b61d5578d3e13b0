/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Robust lists: of memory that holds anything, and of threads that hold mutexes. */

#include "unit.h"

#include "../../lib/sys.h"
#include "../../lib/waiters-walk.h"

#include <elf.h>
#include <ipckit/mutex.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* ---- lists in a file that is taken for memory ---- */

#define HEAD    0x1000u
#define OFFSET  (-8)
#define NODE(i) (0x2000u + 64u * (i)) /* its word stands 8 bytes before */
#define MOST    2048u

static int memory;

static void put(uint64_t address, const void *data, size_t size)
{
	CHECK(pwrite(memory, data, size, (off_t)address) == (ssize_t)size);
}

static void put_pointer(uint64_t address, uint64_t to)
{
	uintptr_t pointer = (uintptr_t)to;

	put(address, &pointer, sizeof(pointer));
}

static void put_word(unsigned i, uint32_t value)
{
	put(NODE(i) + (uint64_t)OFFSET, &value, sizeof(value));
}

static void put_head(uint64_t first, long offset, uint64_t pending)
{
	const struct robust_list_head head = {
		.list.next = (struct robust_list *)(uintptr_t)first,
		.futex_offset = offset,
		.list_op_pending = (struct robust_list *)(uintptr_t)pending,
	};

	put(HEAD, &head, sizeof(head));
}

/* Entries 0 to n - 1, each with 100 + i in its word, the last of which leads to `end`. */
static void put_list(unsigned n, uint64_t end)
{
	put_head(n ? NODE(0) : HEAD, OFFSET, 0);
	for (unsigned i = 0; i < n; i++) {
		put_pointer(NODE(i), i + 1 < n ? NODE(i + 1) : end);
		put_word(i, 100 + i);
	}
}

static void begin(void)
{
	CHECK(!ftruncate(memory, 0) && !ftruncate(memory, NODE(MOST + 10)));
}

static struct ipckit_robust follow(uint64_t head)
{
	struct ipckit_robust robust = { .head = head };

	CHECK_INT(robust_follow(memory, &robust), 0);
	return robust;
}

static void expect(const char *what, size_t count, bool cut)
{
	struct ipckit_robust robust = follow(HEAD);

	CHECK_INT_FOR(what, robust.count, count);
	CHECK_INT_FOR(what, robust.cut, cut);
	ipckit_robust_free(&robust);
}

static void test_plain(void)
{
	struct ipckit_robust robust;

	begin();
	put_list(3, HEAD);
	put_pointer(NODE(0), NODE(1) | 1);
	put_word(1, 77 | FUTEX_WAITERS);
	put_word(2, FUTEX_OWNER_DIED);
	robust = follow(HEAD);
	CHECK_INT(robust.futex_offset, OFFSET);
	CHECK(!robust.cut);
	if (CHECK_INT(robust.count, 3)) {
		const struct ipckit_robust_lock *lock = robust.list;

		CHECK(lock[0].node == NODE(0) && lock[0].word.address == NODE(0) + (uint64_t)OFFSET);
		CHECK(lock[0].owner.value == 100 && !lock[0].pi && !lock[0].pending && !lock[0].waiters);
		CHECK(lock[1].node == NODE(1) && lock[1].pi && lock[1].owner.value == 77 && lock[1].waiters);
		CHECK(!lock[1].owner_died && !lock[2].pi && lock[2].owner_died && !lock[2].waiters);
		CHECK(lock[2].owner.known && !lock[2].owner.value && lock[2].word.value.value == FUTEX_OWNER_DIED);
	}
	ipckit_robust_free(&robust);
	CHECK(!robust.list && !robust.count);
}

static void test_pending(void)
{
	struct ipckit_robust robust;

	begin();
	put_list(2, HEAD);
	put_word(5, 9);
	put_head(NODE(0), OFFSET, NODE(5) | 1);
	robust = follow(HEAD);
	if (CHECK_INT(robust.count, 3))
		CHECK(!robust.list[0].pending && !robust.list[1].pending && robust.list[2].pending &&
		      robust.list[2].pi && robust.list[2].owner.value == 9);
	ipckit_robust_free(&robust);
	/* One that is in the list is there once. */
	put_head(NODE(0), OFFSET, NODE(1));
	robust = follow(HEAD);
	if (CHECK_INT(robust.count, 2))
		CHECK(!robust.list[0].pending && robust.list[1].pending);
	ipckit_robust_free(&robust);
	/* One alone, in no memory. */
	put_head(HEAD, OFFSET, 0x7fff00000000);
	robust = follow(HEAD);
	if (CHECK_INT(robust.count, 1))
		CHECK(robust.list[0].pending && !robust.list[0].word.value.known && !robust.list[0].owner.known);
	CHECK(!robust.cut);
	ipckit_robust_free(&robust);
}

/* What no thread does to itself unless it means harm. */
static void test_hostile(void)
{
	struct ipckit_robust robust;

	begin();
	put_list(0, HEAD);
	expect("empty", 0, false);
	put_head(HEAD | 1, OFFSET, 0);
	expect("empty, with a bit", 0, false);
	put_list(1, NODE(0));
	expect("to itself", MOST, true);
	put_list(7, NODE(3));
	expect("a circle without the head", MOST, true);
	put_list(7, HEAD + 8);
	expect("into the head", 8, true);
	put_list(MOST, HEAD);
	expect("as long as the kernel follows", MOST, false);
	put_list(MOST + 1, HEAD);
	expect("longer", MOST, true);
	put_list(3, 0);
	expect("to nothing", 3, true);
	put_list(3, 0x7fffffffff000);
	expect("out of the memory", 3, true);
	put_list(3, UINT64_MAX);
	expect("to the last byte", 3, true);
	put_list(3, NODE(MOST + 10));
	expect("to the end, with a word", 4, true);
	put_list(3, HEAD);
	put_head(NODE(0), LONG_MAX, 0);
	expect("words out of the memory", 3, false);
	put_head(NODE(0), LONG_MIN, NODE(1));
	expect("words before it", 3, false);
	put_head(0, 0, 0);
	expect("a head of zeros", 0, true);
	for (int i = 0; i < 3; i++) {
		static const uint64_t heads[] = { 0x7fffffffff000, UINT64_MAX, UINT64_MAX - 8 };

		robust = follow(heads[i]);
		CHECK(!robust.count && robust.cut);
		ipckit_robust_free(&robust);
	}
}

/* Whatever bytes there are, it comes to an end. */
static void test_random(void)
{
	uint64_t words[512];

	srandom(4711);
	CHECK(!ftruncate(memory, 0));
	for (int round = 0; round < 500; round++) {
		struct ipckit_robust robust;

		for (size_t i = 0; i < 512; i++)
			words[i] = random() % 8 ? 0x1000 + (uint64_t)random() % 0x1000 : (uint64_t)random() << 33;
		put(0x1000, words, sizeof(words));
		robust = follow(HEAD);
		CHECK(robust.count <= MOST + 1);
		ipckit_robust_free(&robust);
	}
}

/* ---- 32 bits or 64 ---- */

static void test_native(void)
{
	const unsigned long good[] = { AT_PAGESZ, 4096, AT_CLKTCK, 100, AT_NULL, 0 };
	const uint32_t other[] = { AT_PAGESZ, 4096, AT_CLKTCK, 100, AT_UID, 0, AT_NULL, 0 };
	const unsigned long cut[] = { AT_PAGESZ, 4096, AT_CLKTCK, 100 };

	CHECK(robust_is_native(good, sizeof(good)));
	CHECK(!robust_is_native(cut, sizeof(cut)));
	CHECK(robust_is_native(NULL, 0));
	if (sizeof(long) > sizeof(uint32_t))
		CHECK(!robust_is_native(other, sizeof(other)));
}

/* ---- threads ---- */

#define PAGE 4096

static struct shared {
	_Alignas(64) pthread_mutex_t robust;
	_Alignas(64) pthread_mutex_t pi;
	_Alignas(64) pthread_mutex_t normal;
	_Alignas(64) uint32_t word;
	pid_t tid;
} *shared;

static void make_mutex(pthread_mutex_t *mutex, int robust, int protocol)
{
	pthread_mutexattr_t attr;

	CHECK(!pthread_mutexattr_init(&attr) && !pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	CHECK(!pthread_mutexattr_setrobust(&attr, robust) && !pthread_mutexattr_setprotocol(&attr, protocol));
	CHECK(!pthread_mutex_init(mutex, &attr));
}

static void set_up(void)
{
	int fd = shm_open("/mutexes", O_CREAT | O_EXCL | O_RDWR, 0600);

	CHECK(fd >= 0 && !ftruncate(fd, 2 * PAGE));
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	CHECK(shared != MAP_FAILED);
	close(fd);
	make_mutex(&shared->robust, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
	make_mutex(&shared->pi, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT);
	make_mutex(&shared->normal, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
}

/* A child that does something, says so, and sleeps until it is killed. */
static pid_t start(int (*act)(void))
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	CHECK(!pipe(ready));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = (char)act();
		_exit(write(ready[1], &byte, 1) != 1 || pause());
	}
	close(ready[1]);
	CHECK(read(ready[0], &byte, 1) == 1 && !byte);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	CHECK(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
}

static int lock_all(void)
{
	return pthread_mutex_lock(&shared->normal) || pthread_mutex_lock(&shared->robust) ||
	       pthread_mutex_lock(&shared->pi);
}

static const struct ipckit_robust_lock *find(const struct ipckit_robust *robust, const void *word)
{
	uint64_t offset = PAGE + (uint64_t)((const char *)word - (const char *)shared);

	for (size_t i = 0; i < robust->count; i++) {
		const struct ipckit_spot *spot = &robust->list[i].word;

		if (spot->shared && spot->place.offset == offset && unit_same(spot->path, "/dev/shm/mutexes"))
			return &robust->list[i];
	}
	return NULL;
}

/* The C library's: the robust ones are in the list, the other is not. */
static void test_libc(void)
{
	pid_t pid = start(lock_all);
	const struct ipckit_robust_lock *lock;
	struct ipckit_robust robust;

	if (CHECK_INT(ipckit_robust_read(pid, &robust), 0)) {
		CHECK(robust.pid == pid && robust.tid == pid && robust.head && !robust.cut);
		CHECK_INT(robust.count, 2);
		lock = find(&robust, &shared->robust);
		CHECK(lock && !lock->pi && !lock->pending && lock->owner.known && lock->owner.value == pid);
		CHECK(lock && (int64_t)lock->word.address == (int64_t)(lock->node + (uint64_t)robust.futex_offset));
		lock = find(&robust, &shared->pi);
		CHECK(lock && lock->pi && lock->owner.value == pid && !lock->owner_died);
		ipckit_robust_free(&robust);
	}
	end(pid);
	CHECK_INT(pthread_mutex_lock(&shared->robust), EOWNERDEAD);
	CHECK_INT(pthread_mutex_lock(&shared->pi), EOWNERDEAD);
	/* One's own list: not made consistent, so the words have no mark of the death any more. */
	if (CHECK_INT(ipckit_robust_read(getpid(), &robust), 0)) {
		lock = find(&robust, &shared->pi);
		CHECK(lock && lock->owner.value == getpid());
		CHECK_INT(robust.count, 2);
		ipckit_robust_free(&robust);
	}
	CHECK(!pthread_mutex_consistent(&shared->robust) && !pthread_mutex_unlock(&shared->robust));
	CHECK(!pthread_mutex_consistent(&shared->pi) && !pthread_mutex_unlock(&shared->pi));
}

/* This library's, held by a thread that is not the first: the list's node is elsewhere than the word. */
static void *hold(void *arg)
{
	struct ipckit_deadline deadline;
	struct ipckit_mutex *mutex;
	bool died;

	ipckit_deadline_in(1000000000, &deadline);
	if (!ipckit_mutex_lock(&shared->word, &deadline, &died, &mutex))
		__atomic_store_n(&shared->tid, gettid(), __ATOMIC_SEQ_CST);
	pause();
	return arg;
}

static int hold_in_thread(void)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	pthread_t thread;

	if (pthread_create(&thread, NULL, hold, NULL))
		return 1;
	for (int i = 0; i < 10000 && !__atomic_load_n(&shared->tid, __ATOMIC_SEQ_CST); i++)
		nanosleep(&moment, NULL);
	return !shared->tid;
}

static void test_thread(void)
{
	pid_t pid = start(hold_in_thread);
	struct ipckit_robust robust;

	if (CHECK_INT(ipckit_robust_read(shared->tid, &robust), 0)) {
		const struct ipckit_robust_lock *lock = find(&robust, &shared->word);

		CHECK(robust.pid == pid && robust.tid == shared->tid && pid != shared->tid);
		CHECK(robust.count == 1 && lock && !lock->pi && lock->owner.value == shared->tid);
		ipckit_robust_free(&robust);
	}
	if (CHECK_INT(ipckit_robust_read(pid, &robust), 0)) {
		CHECK(robust.tid == pid && !robust.count && !robust.cut);
		ipckit_robust_free(&robust);
	}
	end(pid);
}

/* A list that leads into a page that is not there. */
static int break_list(void)
{
	static struct robust_list_head head;

	head.list.next = (struct robust_list *)(uintptr_t)0x10000;
	head.futex_offset = 16;
	return syscall(SYS_set_robust_list, &head, sizeof(head)) != 0;
}

static int have_none(void)
{
	return syscall(SYS_set_robust_list, NULL, sizeof(struct robust_list_head)) != 0;
}

static void test_broken(void)
{
	pid_t pid = start(break_list);
	struct ipckit_robust robust;
	int r;

	if (CHECK_INT(ipckit_robust_read(pid, &robust), 0)) {
		CHECK(robust.cut && !robust.count && robust.futex_offset == 16);
		ipckit_robust_free(&robust);
	}
	end(pid);
	pid = start(have_none);
	if (CHECK_INT(ipckit_robust_read(pid, &robust), 0)) {
		CHECK(!robust.cut && !robust.count && !robust.head);
		ipckit_robust_free(&robust);
	}
	/* One that has ended and was not waited for has none, either; some kernels let root alone look at it. */
	CHECK(!kill(pid, SIGKILL) && !waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT));
	r = ipckit_robust_read(pid, &robust);
	CHECK(r == 0 || r == -EPERM);
	if (!r) {
		CHECK(!robust.head && !robust.count);
		ipckit_robust_free(&robust);
	}
	CHECK(waitpid(pid, NULL, 0) == pid);
	robust.count = 47;
	CHECK_INT(ipckit_robust_read(pid, &robust), -ESRCH);
	CHECK_INT(ipckit_robust_read(0, &robust), -ESRCH);
	CHECK_INT(ipckit_robust_read(-1, &robust), -ESRCH);
	CHECK_INT(robust.count, 47);
}

/* Who has fewer rights than the other may not look at it. */
static int look_without_rights(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	struct ipckit_robust robust;

	return syscall(SYS_capset, &header, none) || ipckit_robust_read(shared->tid, &robust) != -EPERM;
}

static void test_rights(void)
{
	pid_t looker;

	shared->tid = start(have_none);
	looker = start(look_without_rights);
	end(looker);
	end(shared->tid);
}

int main(void)
{
	memory = memfd_create("memory", MFD_CLOEXEC);
	if (!CHECK(memory >= 0))
		return unit_done("robust lists");
	test_plain();
	test_pending();
	test_hostile();
	test_random();
	test_native();
	close(memory);
	set_up();
	test_libc();
	test_thread();
	test_broken();
	test_rights();
	CHECK(!shm_unlink("/mutexes"));
	return unit_done("robust lists");
}
