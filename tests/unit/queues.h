/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_QUEUES_H
#define UNIT_QUEUES_H

/* What the tests of message queues share: queues of both backends, and sleepers at them. After unit.h. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include <ipckit/mq.h>

#define ROOM 8192

static const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };
static const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };

static const char *const queue_names[] = { "/jobs", "key:0x6a6f6273" };

union buffer {
	struct ipckit_mq_message message;
	char bytes[sizeof(struct ipckit_mq_message) + ROOM + 8]; /* more than any message has */
};

static inline struct ipckit_name name_of(const char *text)
{
	struct ipckit_name name = { 0 };

	if (!CHECK_FOR(text, !ipckit_name_parse(text, IPCKIT_MQ_NAMES | IPCKIT_TAKES(IPCKIT_NAME_PRIVATE), NULL,
						&name)))
		exit(unit_done("names"));
	return name;
}

static inline struct ipckit_mq *make_queue(const char *text, struct ipckit_mq_spec spec)
{
	struct ipckit_name name = name_of(text);
	struct ipckit_mq *mq = NULL;
	bool created = false;

	if (!spec.mode)
		spec.mode = 0600;
	if (!CHECK_INT_FOR(text, ipckit_mq_create(&name, &spec, &created, &mq), 0) || !CHECK(created))
		exit(unit_done("queues"));
	return mq;
}

static inline struct ipckit_mq *open_queue(const char *text, unsigned access)
{
	struct ipckit_name name = name_of(text);
	struct ipckit_mq *mq = NULL;

	if (!CHECK_INT_FOR(text, ipckit_mq_open(&name, access, &mq), 0))
		exit(unit_done("queues"));
	return mq;
}

static inline void remove_queue(const char *text, struct ipckit_mq *mq)
{
	struct ipckit_name name = name_of(text);

	CHECK_INT_FOR(text, ipckit_mq_remove(&name), 0);
	CHECK_INT_FOR(text, ipckit_mq_remove(&name), -ENOENT);
	ipckit_mq_close(mq);
}

static inline int put(struct ipckit_mq *mq, long rank, const void *data, size_t size,
		      const struct ipckit_deadline *deadline)
{
	union buffer buffer = { .bytes = "" };

	buffer.message.rank = rank;
	memcpy(buffer.message.data, data, size < ROOM ? size : ROOM);
	return ipckit_mq_send(mq, &buffer.message, size, deadline);
}

static inline bool is_posix(const struct ipckit_mq *mq)
{
	return ipckit_mq_backend(mq) == IPCKIT_MQ_POSIX;
}

/* Without waiting: how many more there is room for, all of one byte. */
static inline unsigned fill(struct ipckit_mq *mq)
{
	unsigned n = 0;

	while (!put(mq, 1, "x", 1, &now))
		n++;
	CHECK_INT(put(mq, 1, "x", 1, &now), -EAGAIN);
	return n;
}

static inline unsigned empty(struct ipckit_mq *mq)
{
	union buffer buffer;
	unsigned n = 0;
	size_t size;

	while (!ipckit_mq_receive(mq, NULL, &buffer.message, ROOM, false, &size, &now))
		n++;
	return n;
}

/* ---- sleepers ---- */

/* A thread with a call of its own; what it is about to do is seen in /proc. */
struct sleeper {
	pthread_t thread;
	int (*call)(struct sleeper *sleeper);
	struct ipckit_mq *mq;
	struct ipckit_deadline deadline;
	long rank;
	size_t size;
	int result;
	volatile pid_t tid;
};

static inline void *sleep_in_call(void *arg)
{
	struct sleeper *sleeper = arg;

	__atomic_store_n(&sleeper->tid, gettid(), __ATOMIC_RELEASE);
	sleeper->result = sleeper->call(sleeper);
	return NULL;
}

/* Until the thread is blocked in a system call. */
static inline void await_blocked(struct sleeper *sleeper)
{
	char path[64], text[128];
	ssize_t n;
	pid_t tid;
	int fd;

	for (;;) {
		tid = __atomic_load_n(&sleeper->tid, __ATOMIC_ACQUIRE);
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
		fd = tid ? open(path, O_RDONLY) : -1;
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		if (fd >= 0)
			close(fd);
		text[n > 0 ? n : 0] = '\0';
		if (strstr(text, ") S "))
			return;
		sched_yield();
	}
}

static inline void start_sleeper(struct sleeper *sleeper)
{
	sleeper->tid = 0;
	if (pthread_create(&sleeper->thread, NULL, sleep_in_call, sleeper))
		exit(unit_done("threads"));
	await_blocked(sleeper);
}

static inline int end_sleeper(struct sleeper *sleeper)
{
	pthread_join(sleeper->thread, NULL);
	return sleeper->result;
}

static inline int sleeper_send(struct sleeper *sleeper)
{
	return put(sleeper->mq, sleeper->rank, "sleeper", sleeper->size, &sleeper->deadline);
}

static inline int sleeper_receive(struct sleeper *sleeper)
{
	union buffer buffer;
	int r = ipckit_mq_receive(sleeper->mq, NULL, &buffer.message, ROOM, false, &sleeper->size,
				  &sleeper->deadline);

	sleeper->rank = buffer.message.rank;
	return r;
}

/* ---- signals that go on coming ---- */

static volatile sig_atomic_t stopped;

static inline void on_alarm(int signal)
{
	(void)signal;
	stopped = 1;
}

/* From now on every 2 ms, until there is no need any more. */
static inline void start_alarms(void)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval often = { { 0, 2000 }, { 0, 2000 } };

	stopped = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static inline void end_alarms(void)
{
	const struct itimerval never = { 0 };

	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_IGN);
}

#endif
