/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A program of its own that knows System V semaphores from libc alone.
 *
 *   sysv-peer create KEY NSEMS MODE      semget(2), exclusive; prints the id
 *   sysv-peer get KEY                    prints the id
 *   sysv-peer op ID INDEX:DELTA[u]...    one semop(2), u with SEM_UNDO
 *   sysv-peer hold ID INDEX:DELTA[u]...  the same, then stays until it is ended
 *   sysv-peer set ID INDEX VALUE         SETVAL
 *   sysv-peer stat ID                    key mode uid gid cuid cgid nsems otime ctime
 *   sysv-peer slot ID INDEX              value ncnt zcnt pid
 *   sysv-peer rm ID
 *   sysv-peer ftok PATH PROJECT          prints the key
 *
 * Exit status: the errno value of what failed; 99 for a usage error.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <unistd.h>

#define OPS_MAX 16

union argument {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static int failed(const char *what)
{
	int error = errno;

	perror(what);
	return error;
}

static int number(const char *text)
{
	return (int)strtoul(text, NULL, 0);
}

static int show(int n, const char *what)
{
	if (n == -1)
		return failed(what);
	return printf("%d\n", n) < 0;
}

static int operate(int id, char **words, int n, int stay)
{
	struct sembuf ops[OPS_MAX] = { 0 };

	if (n > OPS_MAX)
		return 99;
	for (int i = 0; i < n; i++) {
		char *end;

		ops[i].sem_num = (unsigned short)strtoul(words[i], &end, 10);
		ops[i].sem_op = (short)strtol(end + 1, &end, 10);
		ops[i].sem_flg = *end == 'u' ? SEM_UNDO : 0;
	}
	if (semop(id, ops, (size_t)n))
		return failed("semop");
	return stay ? pause() : 0;
}

static int show_set(int id)
{
	struct semid_ds ds;

	if (semctl(id, 0, IPC_STAT, (union argument){ .buf = &ds }))
		return failed("IPC_STAT");
	return printf("%u %04o %u %u %u %u %lu %lld %lld\n", (unsigned)ds.sem_perm.__key,
		      ds.sem_perm.mode & 0777u, ds.sem_perm.uid, ds.sem_perm.gid, ds.sem_perm.cuid,
		      ds.sem_perm.cgid, (unsigned long)ds.sem_nsems, (long long)ds.sem_otime,
		      (long long)ds.sem_ctime) < 0;
}

static int show_slot(int id, int index)
{
	const int commands[] = { GETVAL, GETNCNT, GETZCNT, GETPID };

	for (int i = 0; i < 4; i++) {
		int n = semctl(id, index, commands[i]);

		if (n < 0)
			return failed("semctl");
		printf("%d%c", n, i < 3 ? ' ' : '\n');
	}
	return 0;
}

static int set_value(int id, int index, int value)
{
	return semctl(id, index, SETVAL, (union argument){ .val = value }) ? failed("SETVAL") : 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (argc == 5 && !strcmp(verb, "create"))
		return show(semget(number(argv[2]), number(argv[3]),
				   IPC_CREAT | IPC_EXCL | (int)strtoul(argv[4], NULL, 8)), "semget");
	if (argc == 3 && !strcmp(verb, "get"))
		return show(semget(number(argv[2]), 0, 0), "semget");
	if (!strcmp(verb, "op"))
		return operate(number(argv[2]), argv + 3, argc - 3, 0);
	if (!strcmp(verb, "hold"))
		return operate(number(argv[2]), argv + 3, argc - 3, 1);
	if (argc == 5 && !strcmp(verb, "set"))
		return set_value(number(argv[2]), number(argv[3]), number(argv[4]));
	if (argc == 3 && !strcmp(verb, "stat"))
		return show_set(number(argv[2]));
	if (argc == 4 && !strcmp(verb, "slot"))
		return show_slot(number(argv[2]), number(argv[3]));
	if (argc == 3 && !strcmp(verb, "rm"))
		return semctl(number(argv[2]), 0, IPC_RMID) ? failed("IPC_RMID") : 0;
	if (argc == 4 && !strcmp(verb, "ftok"))
		return show((int)ftok(argv[2], number(argv[3])), "ftok");
	return 99;
}
