/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who uses message queues: in fixtures, and real processes that wait on real queues. */

#include "walked.h"

#include <errno.h>
#include <mqueue.h>
#include <signal.h>
#include <stdint.h>
#include <sys/msg.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>

enum { QUEUE, OTHER, TYPES, FULL, OBJECTS };

static struct ipckit_usage usages[OBJECTS];
static struct ipckit_gaps gaps[OBJECTS];
static struct watched watched[OBJECTS];

static void clear(void)
{
	for (size_t i = 0; i < OBJECTS; i++)
		usage_clear(&usages[i]);
	memset(usages, 0, sizeof(usages));
	memset(gaps, 0, sizeof(gaps));
}

static void set_up(void)
{
	clear();
	for (size_t i = 0; i < OBJECTS; i++)
		watched[i] = (struct watched){ .usage = &usages[i], .gaps = &gaps[i] };
	watched[QUEUE].kind = watched[OTHER].kind = WATCHED_MQUEUE;
	watched[TYPES].kind = watched[FULL].kind = WATCHED_MSG_QUEUE;
}

/* ---- fixtures ---- */

static void test_posix(void)
{
	const struct ipckit_process *found;
	char text[256];

	/* One that has it open for reading, and without blocking for writing, is there once for each. */
	CHECK_STR(pids(&usages[QUEUE].users, text), "140 141 141");
	CHECK_STR(pids(&usages[OTHER].users, text), "140 146");
	found = find(&usages[QUEUE].users, 140, 140);
	if (CHECK(found)) {
		CHECK_INT(found->evidence, IPCKIT_SEEN_OPEN);
		CHECK(found->flags.known && found->flags.value == O_RDWR && !found->call);
	}
	found = find(&usages[OTHER].users, 140, 140);
	CHECK(found && found->flags.known && found->flags.value == (0100000 | O_WRONLY));
	/* Closed while it was looked at. */
	found = find(&usages[OTHER].users, 146, 146);
	CHECK(found && !found->flags.known);
}

static void test_posix_blocked(void)
{
	const struct ipckit_process *waiter = find(&usages[QUEUE].waiting, 140, 140);

	/* Not: one that polls (1403), and one at a descriptor that is no queue (1402). */
	CHECK_INT(usages[QUEUE].waiting.count, 1);
	CHECK(usages[QUEUE].waiters.known && usages[QUEUE].waiters.value == 1);
	if (CHECK(waiter)) {
		CHECK_STR(waiter->call, "mq_timedreceive");
		CHECK_INT(waiter->evidence, IPCKIT_SEEN_BLOCKED);
		CHECK(waiter->flags.value == O_RDWR && !waiter->type.known && !waiter->count.known);
	}
	waiter = find(&usages[OTHER].waiting, 140, 1401);
	CHECK(waiter && unit_same(waiter->call, "mq_timedsend"));
	CHECK_INT(usages[OTHER].waiting.count, 1);
}

static void test_sysv(void)
{
	const struct ipckit_process *found = find(&usages[TYPES].users, 144, 144);

	/* 145 has the pid of the other last one, but began later; 143 is of another IPC namespace. */
	CHECK(found && found->evidence == IPCKIT_SEEN_LAST_PID);
	CHECK(!find(&usages[TYPES].users, 145, 145) && !find(&usages[TYPES].users, 143, 143));
	CHECK_INT(usages[TYPES].holders.count, 0);
}

static void test_sysv_blocked(void)
{
	const struct ipckit_process *found;
	char text[256];

	/* A process of several threads is one user. */
	CHECK_STR(pids(&usages[TYPES].users, text), "142 144");
	CHECK_STR(pids(&usages[TYPES].waiting, text), "142 142");
	CHECK_INT(usages[TYPES].waiters.value, 2);
	found = find(&usages[TYPES].waiting, 142, 142);
	if (CHECK(found)) {
		CHECK_STR(found->call, "msgrcv");
		CHECK(found->type.known && found->type.value == -7 && !found->except);
	}
	found = find(&usages[TYPES].waiting, 142, 1421);
	CHECK(found && found->type.known && found->type.value == 5 && found->except);
	found = find(&usages[FULL].waiting, 142, 1422);
	CHECK(found && unit_same(found->call, "msgsnd") && !found->type.known);
	CHECK_STR(pids(&usages[FULL].users, text), "142");
}

static void test_fixtures(void)
{
	static const pid_t last[] = { 144, 145, 0 };
	int root = open_fixture();

	if (root < 0)
		return;
	set_up();
	identify(root, "files/queue", &watched[QUEUE].device, &watched[QUEUE].inode);
	identify(root, "files/other-queue", &watched[OTHER].device, &watched[OTHER].inode);
	watched[TYPES].id = 7;
	watched[TYPES].last_pids = last;
	watched[TYPES].nlast_pids = sizeof(last) / sizeof(*last);
	watched[TYPES].last_use = ipckit_known(1000710);
	watched[FULL].id = 9;
	CHECK_INT(users_fill(root, watched, OBJECTS), 0);
	test_posix();
	test_sysv();
	if (WALKED_CALLS) {
		test_posix_blocked();
		test_sysv_blocked();
	}
	clear();

	/* A process that cannot be understood (130) may be waiting: the kernel tells no number. */
	watched[OTHER] = (struct watched){ .kind = WATCHED_WORD,
					   .device = makedev(0, 0x1b),
					   .inode = 77,
					   .length = 32,
					   .usage = &usages[OTHER],
					   .gaps = &gaps[OTHER] };
	CHECK_INT(users_fill(root, watched, OBJECTS), 0);
	for (size_t i = 0; i < OBJECTS; i++) {
		CHECK_INT(usages[i].unreadable_processes.value, 1);
		CHECK(!usages[i].waiters.known && gaps[i].count == 1 && unit_same(gaps[i].list[0].key, "waiters"));
	}
	clear();
	close(root);
}

/* ---- real queues ---- */

struct scene {
	mqd_t queue, full; /* empty; of one message, which is in it */
	int types, filled; /* likewise */
};

static bool make_posix(mqd_t *out)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 16 };
	char name[64];

	snprintf(name, sizeof(name), "/ipckit-users-%d", (int)getpid());
	*out = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	return *out >= 0 && mq_unlink(name) == 0;
}

static bool make_scene(struct scene *scene)
{
	struct { long type; char data[16]; } message = { .type = 1 };
	struct msqid_ds ds;

	if (!make_posix(&scene->queue) || !make_posix(&scene->full))
		return false;
	scene->types = msgget(IPC_PRIVATE, 0600);
	scene->filled = msgget(IPC_PRIVATE, 0600);
	if (scene->types < 0 || scene->filled < 0 || msgctl(scene->filled, IPC_STAT, &ds))
		return false;
	ds.msg_qbytes = sizeof(message.data);
	return CHECK(msgctl(scene->filled, IPC_SET, &ds) == 0) &&
	       CHECK(msgsnd(scene->filled, &message, sizeof(message.data), 0) == 0) &&
	       CHECK(mq_send(scene->full, "x", 1, 0) == 0);
}

static void watch_scene(const struct scene *scene)
{
	const mqd_t queues[] = { scene->queue, scene->full };
	struct stat st;

	set_up();
	for (size_t i = 0; i < 2; i++) {
		CHECK(fstat(queues[i], &st) == 0);
		watched[i].device = st.st_dev;
		watched[i].inode = st.st_ino;
	}
	watched[TYPES].id = scene->types;
	watched[FULL].id = scene->filled;
}

/* A child that blocks in one of the calls, until it is killed. */
static pid_t start(const struct scene *scene, int which)
{
	struct { long type; char data[16]; } message = { .type = 1 };
	struct timespec later;
	pid_t pid = fork();

	if (pid)
		return pid;
	clock_gettime(CLOCK_REALTIME, &later);
	later.tv_sec += 100;
	if (which == QUEUE)
		(void)!mq_timedreceive(scene->queue, message.data, 16, NULL, &later);
	else if (which == OTHER)
		(void)!mq_timedsend(scene->full, "y", 1, 0, &later);
	else if (which == TYPES)
		(void)!msgrcv(scene->types, &message, 16, -5, 0);
	else
		(void)!msgsnd(scene->filled, &message, 16, 0);
	_exit(1);
}

static bool waits(int which, pid_t pid)
{
	clear();
	return CHECK_INT(users_look(watched, OBJECTS), 0) && find(&usages[which].waiting, pid, pid);
}

static char state_of(pid_t pid)
{
	struct proc_stat stat = { 0 };
	char path[32];
	int dir;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (proc_open(path, &dir))
		return '?';
	if (proc_stat_read(dir, &stat))
		stat.state = '?';
	close(dir);
	return stat.state;
}

/* Until it waits, in a state: T is stopped. */
static bool await(int which, pid_t pid, char state)
{
	const struct timespec pause = { .tv_nsec = 2000000 };

	for (int i = 0; i < 2000; i++) {
		if (state_of(pid) == state && waits(which, pid))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* Being stopped and continued changes nothing: the call begins again as it was. */
static void test_waiter(const struct scene *scene, int which)
{
	static const char *const calls[] = { "mq_timedreceive", "mq_timedsend", "msgrcv", "msgsnd" };
	const struct ipckit_process *waiter;
	pid_t pid = start(scene, which);

	if (!CHECK(pid > 0))
		return;
	CHECK_FOR(calls[which], await(which, pid, 'S'));
	kill(pid, SIGSTOP);
	CHECK_FOR(calls[which], await(which, pid, 'T'));
	kill(pid, SIGCONT);
	CHECK_FOR(calls[which], await(which, pid, 'S'));
	waiter = find(&usages[which].waiting, pid, pid);
	if (CHECK_FOR(calls[which], waiter)) {
		CHECK_STR(waiter->call, calls[which]);
		CHECK(which == TYPES ? waiter->type.value == -5 : !waiter->type.known);
	}
	CHECK_INT(usages[which].waiting.count, 1);
	CHECK_FOR(calls[which], find(&usages[which].users, pid, pid));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_FOR(calls[which], !waits(which, pid) && !usages[which].waiting.count);
}

static void test_real(void)
{
	struct scene scene = { .queue = -1, .full = -1, .types = -1, .filled = -1 };

	if (make_scene(&scene)) {
		watch_scene(&scene);
		for (int which = 0; which < OBJECTS; which++)
			test_waiter(&scene, which);
		/* The reader itself has them open, and is passed over. */
		CHECK(!find(&usages[QUEUE].users, getpid(), getpid()));
		clear();
	} else {
		printf("# no message queues here: %s\n", strerror(errno));
	}
	if (scene.types >= 0)
		msgctl(scene.types, IPC_RMID, NULL);
	if (scene.filled >= 0)
		msgctl(scene.filled, IPC_RMID, NULL);
}

int main(void)
{
	test_fixtures();
	test_real();
	return unit_done("users of message queues");
}
