/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A program of its own that knows System V message queues from libc alone.
 *
 *   msg-peer create KEY MODE         msgget(2), exclusive; prints the id
 *   msg-peer get KEY                 prints the id
 *   msg-peer stat ID                 key mode uid gid cuid cgid qnum qbytes lspid lrpid stime rtime ctime
 *   msg-peer send ID TYPE TEXT...    each a message; blocks while there is no room
 *   msg-peer feed ID N               the messages 1 to N of type 1, likewise
 *   msg-peer receive ID TYPE N       prints a line "TYPE TEXT" for each; blocks
 *   msg-peer take ID                 prints the bytes of one, and nothing else
 *   msg-peer qbytes ID N             IPC_SET
 *   msg-peer rm ID
 *
 * Exit status: the errno value of what failed; 99 for a usage error.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

/* kernel.msgmax is 8192, and no test makes it more than this. */
#define SIZE_MOST 65536

static struct {
	long type;
	char data[SIZE_MOST];
} message;

static int failed(const char *what)
{
	int error = errno;

	perror(what);
	return error;
}

static int show_id(int id)
{
	return id == -1 ? failed("msgget") : printf("%d\n", id) < 0;
}

static int show(int id)
{
	struct msqid_ds ds;

	if (msgctl(id, IPC_STAT, &ds))
		return failed("IPC_STAT");
	return printf("%u %04o %u %u %u %u %lu %lu %d %d %lld %lld %lld\n", (unsigned)ds.msg_perm.__key,
		      ds.msg_perm.mode & 0777u, ds.msg_perm.uid, ds.msg_perm.gid, ds.msg_perm.cuid,
		      ds.msg_perm.cgid, (unsigned long)ds.msg_qnum, (unsigned long)ds.msg_qbytes, ds.msg_lspid,
		      ds.msg_lrpid, (long long)ds.msg_stime, (long long)ds.msg_rtime,
		      (long long)ds.msg_ctime) < 0;
}

static int send_all(int id, long type, char **texts)
{
	for (; *texts; texts++) {
		size_t size = strlen(*texts);

		if (size > SIZE_MOST)
			return 99;
		message.type = type;
		memcpy(message.data, *texts, size);
		if (msgsnd(id, &message, size, 0))
			return failed("msgsnd");
	}
	return 0;
}

static int feed(int id, long n)
{
	message.type = 1;
	for (long i = 1; i <= n; i++)
		if (msgsnd(id, &message, (size_t)snprintf(message.data, SIZE_MOST, "%ld", i), 0))
			return failed("msgsnd");
	return 0;
}

static int receive(int id, long type, long n, int only_bytes)
{
	ssize_t size = 0;

	for (; n && (size = msgrcv(id, &message, SIZE_MOST, type, 0)) >= 0; n--) {
		if (!only_bytes)
			printf("%ld ", message.type);
		fwrite(message.data, 1, (size_t)size, stdout);
		if (!only_bytes)
			putchar('\n');
	}
	return size < 0 ? failed("msgrcv") : fflush(stdout);
}

static int set_qbytes(int id, unsigned long qbytes)
{
	struct msqid_ds ds;

	if (msgctl(id, IPC_STAT, &ds))
		return failed("IPC_STAT");
	ds.msg_qbytes = qbytes;
	return msgctl(id, IPC_SET, &ds) ? failed("IPC_SET") : 0;
}

static int use(const char *verb, int id, int n, char **words)
{
	if (n == 0 && !strcmp(verb, "stat"))
		return show(id);
	if (n > 1 && !strcmp(verb, "send"))
		return send_all(id, atol(words[0]), words + 1);
	if (n == 1 && !strcmp(verb, "feed"))
		return feed(id, atol(words[0]));
	if (n == 2 && !strcmp(verb, "receive"))
		return receive(id, atol(words[0]), atol(words[1]), 0);
	if (n == 0 && !strcmp(verb, "take"))
		return receive(id, 0, 1, 1);
	if (n == 1 && !strcmp(verb, "qbytes"))
		return set_qbytes(id, strtoul(words[0], NULL, 0));
	if (n == 0 && !strcmp(verb, "rm"))
		return msgctl(id, IPC_RMID, NULL) ? failed("IPC_RMID") : 0;
	return 99;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "create"))
		return show_id(msgget((key_t)strtoul(argv[2], NULL, 0),
				      IPC_CREAT | IPC_EXCL | (int)strtoul(argv[3], NULL, 8)));
	if (argc == 3 && !strcmp(argv[1], "get"))
		return show_id(msgget((key_t)strtoul(argv[2], NULL, 0), 0));
	if (argc < 3)
		return 99;
	return use(argv[1], atoi(argv[2]), argc - 3, argv + 3);
}
