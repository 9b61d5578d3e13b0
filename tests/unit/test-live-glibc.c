/* SPDX-License-Identifier: GPL-2.0-or-later */

/* That the layouts which are looked for are those of the C library that this is built with, and real words in it. */

#include "unit.h"

#include "../../lib/live-layout.h"
#include "../../lib/sys.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#if defined(__GLIBC__) && ((defined(__x86_64__) && defined(__LP64__)) || defined(__i386__))

#ifdef __LP64__
#define KIND 16
#define USERS 12
#define WRITER 24
#define SELF 0x10
#define TID 0x2d0
#else
#define KIND 12
#define USERS 16
#define WRITER 28
#define SELF 8
#define TID 0x68
#endif

static void test_types(void)
{
	const char *self = (const char *)pthread_self();

	CHECK_INT(offsetof(pthread_mutex_t, __data.__lock), 0);
	CHECK_INT(offsetof(pthread_mutex_t, __data.__count), 4);
	CHECK_INT(offsetof(pthread_mutex_t, __data.__owner), 8);
	CHECK_INT(offsetof(pthread_mutex_t, __data.__nusers), USERS);
	CHECK_INT(offsetof(pthread_mutex_t, __data.__kind), KIND);
	CHECK_INT(offsetof(pthread_rwlock_t, __data.__readers), 0);
	CHECK_INT(offsetof(pthread_rwlock_t, __data.__wrphase_futex), 8);
	CHECK_INT(offsetof(pthread_rwlock_t, __data.__writers_futex), 12);
	CHECK_INT(offsetof(pthread_rwlock_t, __data.__cur_writer), WRITER);
	CHECK(*(const char *const *)(self + SELF) == self);
	CHECK_INT(*(const pid_t *)(self + TID), gettid());
}

static void test_library(int root)
{
	struct live_futexes futexes = { .libc_process = IPCKIT_NONE };
	enum live_libc libc = LIVE_LIBC_UNKNOWN;
	struct live_scan scan;

	if (!CHECK_INT(live_scan_begin(root, &scan), 0))
		return;
	futexes.scan = &scan;
	live_maps_begin(&scan, &futexes.maps);
	CHECK_INT(live_libc_of(&futexes, live_find_process(&scan, getpid()), &libc), 0);
	/* Linked statically there is none. */
	CHECK(libc == LIVE_LIBC_GLIBC || !futexes.nlibcs);
	live_maps_end(&futexes.maps);
	free(futexes.libcs);
	live_scan_end(&scan);
}

/* ---- a process that is stuck ---- */

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;

static void *take_first(void *arg)
{
	pthread_mutex_lock(&second);
	pthread_mutex_lock(&first);
	return arg;
}

/* The one joins the other, which waits for what the first has locked. */
static void be_stuck(void)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pthread_mutex_lock(&first);
	if (!pthread_create(&thread, NULL, take_first, NULL))
		pthread_join(thread, NULL);
	_exit(1);
}

static const live_collector futexes_alone[] = { live_collect_futex, NULL };

static const struct ipckit_live_edge *find_edge(const struct ipckit_live *live, enum ipckit_live_kind kind)
{
	for (size_t i = 0; i < live->nedges; i++)
		if (live->edges[i].kind == kind)
			return &live->edges[i];
	return NULL;
}

static void check_found(const struct ipckit_live *live, pid_t pid)
{
	const struct ipckit_live_edge *join = find_edge(live, IPCKIT_LIVE_JOIN), *mutex = find_edge(live, IPCKIT_LIVE_MUTEX);
	char text[40];

	CHECK_INT(live->levels[0], IPCKIT_LIVE_CERTAIN);
	snprintf(text, sizeof(text), "mutex 0x%lx", (unsigned long)&first);
	if (!CHECK(join && mutex && join->nholders == 1 && mutex->nholders == 1))
		return;
	CHECK_INT(live->nodes[join->waiter].tid, pid);
	CHECK_INT(live->nodes[mutex->holders[0]].tid, pid);
	CHECK_INT(join->holders[0], mutex->waiter);
	CHECK_STR(mutex->resource, text);
}

static void test_stuck(int root)
{
	pid_t pid = fork();
	const struct ipckit_live_options options = { .pids = &pid, .npids = 1 };
	struct ipckit_live live = { 0 };
	bool found = false;

	if (!pid)
		be_stuck();
	for (int i = 0; i < 2000 && !found; i++) {
		ipckit_live_free(&live);
		usleep(2000);
		if (!CHECK_INT(live_look(root, &options, futexes_alone, &live), 0))
			break;
		found = live.core.ncomponents;
	}
	if (CHECK(found))
		check_found(&live, pid);
	ipckit_live_free(&live);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	struct live_runs runs;
	int root;

	if (proc_open("/proc", &root))
		return unit_skip("live glibc", "there is no /proc");
	test_types();
	test_library(root);
	if (!live_runs_read(root, getpid(), getpid(), &runs))
		test_stuck(root);
	close(root);
	return unit_done("live glibc");
}

#else

int main(void)
{
	return unit_skip("live glibc", "layouts of other libraries and machines are not known");
}

#endif
