/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Waits for queues of System V: a real one, and real processes that have sent and received. */

#include "sysv-trees.h"

static int queue;

struct text {
	long type;
	char text[64];
};

/* A process that has sent, or received, and sleeps. */
static pid_t transfers(bool sends)
{
	struct text text = { .type = 1 };
	struct msqid_ds ds;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (sends ? msgsnd(queue, &text, 8, 0) : msgrcv(queue, &text, sizeof(text.text), 0, 0) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	keep(pid);
	do {
		usleep(1000);
		CHECK_INT(sys_msgctl(queue, IPC_STAT, &ds), 0);
	} while ((sends ? ds.msg_lspid : ds.msg_lrpid) != pid);
	return pid;
}

#define RECEIVE "message-receive id:%d inferred: %d"
#define SEND "message-send id:%d inferred: %d"

static void test_queues(void)
{
	const unsigned waiter = 1 << 24, other = 1 << 25; /* beyond all pids */
	pid_t sender, receiver;

	begin();
	put((pid_t)waiter, in(SYS_msgrcv, (unsigned)queue, 0, 64, 0, 0, 0));
	expect("never used", (pid_t)waiter, "");
	sender = transfers(true);
	put_running(sender);
	expect("there is a message", (pid_t)waiter, "");
	put((pid_t)waiter, in(SYS_msgrcv, (unsigned)queue, 0, 64, 5, 0, 0));
	expect("of another type", (pid_t)waiter, RECEIVE, queue, sender);
	receiver = transfers(false);
	put((pid_t)waiter, in(SYS_msgrcv, (unsigned)queue, 0, 64, 0, 0, 0));
	expect("the sender", (pid_t)waiter, RECEIVE, queue, sender);
	put_running(receiver);
	expect("and the receiver", (pid_t)waiter, RECEIVE " %d", queue, sender, receiver);
	put(receiver, in(SYS_msgrcv, (unsigned)queue, 0, 64, 0, 0, 0));
	put(sender, in(SYS_msgrcv, (unsigned)queue, 0, 64, 0, 0, 0));
	expect("all idle", (pid_t)waiter, "");
	put((pid_t)other, in(SYS_msgsnd, (unsigned)queue, 0, 64, 0, 0, 0));
	expect("and one who sends", (pid_t)waiter, RECEIVE " %d %d", queue, sender, receiver, (pid_t)other);
	expect("for whom there is room", (pid_t)other, "");
	put(sender, "-1 0x0 0x0\n");
	put(receiver, "-1 0x0 0x0\n");
	put((pid_t)other, in(SYS_msgsnd, (unsigned)queue, 0, 1 << 30, 0, 0, 0));
	expect("one who has too much", (pid_t)other, SEND, queue, (pid_t)waiter);
	put((pid_t)other, in(117, 11, (unsigned)queue, 1 << 30, 0, 64, 0));
	tree_put_bytes(tree_name("%d/auxv", (int)other), (unsigned[4]){ 6, 4096, 0, 0 }, 16);
	if (sizeof(long) == 8)
		expect("by ipc(2)", (pid_t)other, SEND, queue, (pid_t)waiter);
	CHECK_INT(sys_msgctl(queue, IPC_RMID, NULL), 0);
	expect("removed", (pid_t)other, "");
	end();
}

int main(void)
{
	queue = find_own_namespace() ? sys_result(msgget(IPC_PRIVATE, 0600)) : -ENOSYS;
	if (queue < 0)
		return unit_skip("live sysv queue", "there is no queue to be had");
	test_queues();
	return unit_done("live sysv queue");
}
