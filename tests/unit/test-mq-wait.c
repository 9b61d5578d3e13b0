/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Calls on queues of both backends that wait: what ends them, and that nothing is lost by it. */

#include "unit.h"

#include "queues.h"

#include <mqueue.h>
#include <sched.h>
#include <sys/wait.h>

/* ---- ends ---- */

static int64_t elapsed_ns(struct timespec since)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	return (until.tv_sec - since.tv_sec) * 1000000000LL + until.tv_nsec - since.tv_nsec;
}

/* A call that lasts as long as it is given, and no message is lost by it. */
static void check_times_out(const char *row, int (*call)(struct sleeper *), struct ipckit_mq *mq,
			    const volatile sig_atomic_t *stop)
{
	struct sleeper sleeper = { .mq = mq, .rank = 1, .size = 1 };
	struct timespec before;
	int64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &before);
	ipckit_deadline_in(30000000, &sleeper.deadline);
	sleeper.deadline.stop = stop;
	CHECK_INT_FOR(row, call(&sleeper), -ETIMEDOUT);
	ns = elapsed_ns(before);
	CHECK_FOR(row, ns >= 30000000);
	sleeper.deadline = now;
	CHECK_INT_FOR(row, call(&sleeper), -EAGAIN);
}

static int sleeper_wait(struct sleeper *sleeper)
{
	return ipckit_mq_wait(sleeper->mq, 1, &sleeper->deadline);
}

static int sleeper_wait_two(struct sleeper *sleeper)
{
	return ipckit_mq_wait(sleeper->mq, 2, &sleeper->deadline);
}

static int sleeper_notify(struct sleeper *sleeper)
{
	struct ipckit_maybe sender;

	return ipckit_mq_notify(sleeper->mq, &sleeper->deadline, &sender);
}

static const struct {
	const char *name;
	int (*call)(struct sleeper *);
	bool full, posix;
} waits[] = {
	{ "receive", sleeper_receive, false, false }, { "wait", sleeper_wait, false, false },
	{ "wait for two", sleeper_wait_two, false, false }, { "notify", sleeper_notify, false, true },
	{ "send", sleeper_send, true, false },
};

#define NWAITS (sizeof(waits) / sizeof(*waits))

static volatile sig_atomic_t never;

static void on_tick(int signal)
{
	(void)signal;
}

static void test_timeouts(const char *name)
{
	const struct sigaction tick = { .sa_handler = on_tick };
	struct ipckit_mq *mq = make_queue(name, (struct ipckit_mq_spec){ 0 });
	unsigned n = 0;

	start_alarms();
	sigaction(SIGALRM, &tick, NULL);
	for (size_t i = 0; i < NWAITS; i++) {
		if (waits[i].posix && !is_posix(mq))
			continue;
		if (waits[i].full)
			n = fill(mq);
		check_times_out(waits[i].name, waits[i].call, mq, NULL);
		check_times_out(waits[i].name, waits[i].call, mq, &never);
	}
	CHECK(n > 0);
	CHECK_INT(empty(mq), n);
	end_alarms();
	remove_queue(name, mq);
}

#ifndef LATE_SIGNALS

/* Signals may come just before the call: they go on coming. */
static void test_stop(const char *name)
{
	struct ipckit_mq *mq = make_queue(name, (struct ipckit_mq_spec){ 0 });

	for (size_t i = 0; i < NWAITS; i++) {
		struct sleeper sleeper = { .mq = mq, .rank = 1, .size = 1 };

		if (waits[i].posix && !is_posix(mq))
			continue;
		if (waits[i].full)
			fill(mq);
		for (unsigned timed = 0; timed < 2; timed++) {
			ipckit_deadline_in(timed ? 60 * 1000000000LL : -1, &sleeper.deadline);
			sleeper.deadline.stop = &stopped;
			start_alarms();
			CHECK_INT_FOR(waits[i].name, waits[i].call(&sleeper), -EINTR);
			end_alarms();
			/* Once it is set nothing is begun. */
			CHECK_INT_FOR(waits[i].name, waits[i].call(&sleeper), -EINTR);
		}
	}
	stopped = 0;
	remove_queue(name, mq);
}

#endif

/* The deadlines that a sleeper is given: without end, far away, and far away with a stop. */
static struct ipckit_deadline deadline_of(unsigned i)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(i ? 60 * 1000000000LL : -1, &deadline);
	if (i == 2)
		deadline.stop = &never;
	return deadline;
}

static void test_woken(const char *name)
{
	struct ipckit_mq *mq = make_queue(name, (struct ipckit_mq_spec){ 0 });
	unsigned n;

	for (unsigned i = 0; i < 3; i++) {
		struct sleeper sleeper = { .call = sleeper_receive, .deadline = deadline_of(i) };

		sleeper.mq = open_queue(name, IPCKIT_MQ_RECEIVE);
		start_sleeper(&sleeper);
		CHECK_INT(put(mq, 5, "woken", 5, &now), 0);
		CHECK_INT(end_sleeper(&sleeper), 0);
		CHECK(sleeper.size == 5 && sleeper.rank == 5);
		ipckit_mq_close(sleeper.mq);

		n = fill(mq);
		sleeper = (struct sleeper){ .call = sleeper_send, .rank = 2, .size = 7 };
		sleeper.deadline = deadline_of(i);
		sleeper.mq = open_queue(name, IPCKIT_MQ_SEND);
		start_sleeper(&sleeper);
		/* System V also counts bytes: there has to be room for all of it. */
		for (unsigned j = 0; j < 7; j++)
			CHECK_INT(sleeper_receive(&(struct sleeper){ .mq = mq, .deadline = forever }), 0);
		CHECK_INT(end_sleeper(&sleeper), 0);
		CHECK_INT(empty(mq), n - 6);
		ipckit_mq_close(sleeper.mq);
	}
	remove_queue(name, mq);
}

static void test_wait(const char *name)
{
	struct ipckit_mq *mq = make_queue(name, (struct ipckit_mq_spec){ 0 });
	struct sleeper one = { .call = sleeper_wait, .deadline = forever };
	struct sleeper two = { .call = sleeper_wait_two, .deadline = forever };

	one.mq = open_queue(name, 0);
	two.mq = open_queue(name, 0);
	start_sleeper(&one);
	start_sleeper(&two);
	CHECK_INT(put(mq, 1, "1", 1, &now), 0);
	CHECK_INT(end_sleeper(&one), 0);
	CHECK_INT(ipckit_mq_wait(mq, 2, &now), -EAGAIN);
	CHECK_INT(put(mq, 1, "2", 1, &now), 0);
	CHECK_INT(end_sleeper(&two), 0);
	CHECK_INT(ipckit_mq_wait(mq, 2, &now), 0);
	if (is_posix(mq))
		CHECK_INT(ipckit_mq_wait(mq, 11, &forever), -ERANGE);
	CHECK_INT(empty(mq), 2);
	ipckit_mq_close(one.mq);
	ipckit_mq_close(two.mq);
	remove_queue(name, mq);
}

/* System V users are told; a POSIX queue lives on for them. */
static void test_removed(void)
{
	const struct ipckit_name key = name_of(queue_names[1]), jobs = name_of("/jobs");
	struct ipckit_mq *mq;
	union buffer got;
	size_t size;

	for (unsigned i = 0; i < 2 * 3; i++) {
		struct sleeper sleeper = { .rank = 1, .size = 1, .deadline = deadline_of(i / 2) };

		mq = make_queue(queue_names[1], (struct ipckit_mq_spec){ 0 });
		if (i % 2)
			fill(mq);
		sleeper.call = i % 2 ? sleeper_send : sleeper_receive;
		sleeper.mq = open_queue(queue_names[1], 0);
		start_sleeper(&sleeper);
		CHECK_INT(ipckit_mq_remove(&key), 0);
		CHECK_INT(end_sleeper(&sleeper), -EIDRM);
		CHECK_INT(put(mq, 1, "x", 1, &forever), -EIDRM);
		CHECK_INT(ipckit_mq_receive(mq, NULL, &got.message, ROOM, false, &size, &forever), -EIDRM);
		CHECK_INT(ipckit_mq_peek(mq, 0, &got.message, ROOM, &size), -EIDRM);
		CHECK_INT(ipckit_mq_wait(mq, 1, &forever), -EIDRM);
		ipckit_mq_close(sleeper.mq);
		ipckit_mq_close(mq);
	}
	mq = make_queue("/jobs", (struct ipckit_mq_spec){ 0 });
	CHECK_INT(put(mq, 1, "x", 1, &now), 0);
	CHECK_INT(ipckit_mq_remove(&jobs), 0);
	CHECK_INT(empty(mq), 1);
	ipckit_mq_close(mq);
}

/* A process with the same description may set its flag: untimed calls wait all the same. */
static void test_shared_flag(void)
{
	struct ipckit_mq *mq = make_queue("/jobs", (struct ipckit_mq_spec){ 0 });
	struct sleeper sleeper = { .call = sleeper_receive, .deadline = forever };

	sleeper.mq = open_queue("/jobs", IPCKIT_MQ_RECEIVE);
	CHECK(!mq_setattr(ipckit_mq_id(sleeper.mq), &(struct mq_attr){ .mq_flags = O_NONBLOCK }, NULL));
	start_sleeper(&sleeper);
	CHECK_INT(put(mq, 3, "x", 1, &now), 0);
	CHECK_INT(end_sleeper(&sleeper), 0);
	CHECK_INT(sleeper.rank, 3);
	ipckit_mq_close(sleeper.mq);
	remove_queue("/jobs", mq);
}

/* ---- notification ---- */

static bool signal_is_clean(void)
{
	sigset_t set;
	bool clean;

	sigpending(&set);
	clean = !sigismember(&set, SIGRTMIN + 1);
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	return clean && !sigismember(&set, SIGRTMIN + 1);
}

/* A process that sends as soon as somebody is registered with the queue. */
static pid_t start_sender(struct ipckit_mq *mq)
{
	pid_t pid = fork();
	mqd_t queue;

	if (pid)
		return pid;
	ipckit_mq_close(mq);
	queue = mq_open("/jobs", O_RDWR);
	/* -EBUSY tells that there is somebody. */
	while (!mq_notify(queue, &(struct sigevent){ .sigev_notify = SIGEV_NONE })) {
		mq_notify(queue, NULL);
		sched_yield();
	}
	_exit(errno != EBUSY || mq_send(queue, "x", 1, 0));
}

static int notify_retried(struct ipckit_mq *mq, struct ipckit_maybe *sender)
{
	int r;

	/* The sender that looks is registered itself for moments. */
	do
		r = ipckit_mq_notify(mq, &forever, sender);
	while (r == -EBUSY);
	return r;
}

static void test_notify(void)
{
	struct ipckit_mq *mq = make_queue("/jobs", (struct ipckit_mq_spec){ 0 }), *sysv;
	struct ipckit_maybe sender = { 0 };
	struct sigevent silent = { .sigev_notify = SIGEV_NONE };
	mqd_t other = mq_open("/jobs", O_RDWR);
	pid_t pid = start_sender(mq);
	int status = -1;

	CHECK_INT(notify_retried(mq, &sender), 0);
	CHECK(sender.known && sender.value == pid);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(signal_is_clean());
	/* A queue that has messages is not waited for. */
	sender = ipckit_known(4711);
	CHECK_INT(ipckit_mq_notify(mq, &forever, &sender), 0);
	CHECK(!sender.known && signal_is_clean());
	CHECK_INT(empty(mq), 1);
	CHECK(!mq_notify(other, &silent));
	CHECK_INT(ipckit_mq_notify(mq, &forever, &sender), -EBUSY);
	CHECK(!mq_notify(other, NULL) && signal_is_clean());
	CHECK_INT(ipckit_mq_notify(mq, &now, &sender), -EAGAIN);
	/* Nobody is registered any more. */
	CHECK(!mq_notify(other, &silent));
	mq_close(other);
	remove_queue("/jobs", mq);
	sysv = make_queue(queue_names[1], (struct ipckit_mq_spec){ 0 });
	CHECK_INT(ipckit_mq_notify(sysv, &now, &sender), -EOPNOTSUPP);
	remove_queue(queue_names[1], sysv);
}

int main(void)
{
	for (size_t i = 0; i < 2; i++) {
		test_timeouts(queue_names[i]);
#ifndef LATE_SIGNALS
		test_stop(queue_names[i]);
#endif
		test_woken(queue_names[i]);
		test_wait(queue_names[i]);
	}
	test_removed();
	test_shared_flag();
	test_notify();
	return unit_done("waiting at queues");
}
