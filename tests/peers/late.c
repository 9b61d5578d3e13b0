/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * late KEY VALUE
 *
 * Makes a System V semaphore and prints its id; gives it VALUE only when a line
 * comes on standard input, by semop(2), and prints "ready" then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/sem.h>

int main(int argc, char **argv)
{
	struct sembuf op = { .sem_op = (short)(argc > 2 ? atoi(argv[2]) : 0) };
	char line[16];
	int id;

	if (argc != 3)
		return 2;
	id = semget((key_t)strtoul(argv[1], NULL, 0), 1, IPC_CREAT | IPC_EXCL | 0600);
	if (id < 0) {
		perror("late");
		return 1;
	}
	printf("%d\n", id);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin) || semop(id, &op, 1))
		return 1;
	puts("ready");
	return 0;
}
