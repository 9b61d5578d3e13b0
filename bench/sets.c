/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Makes System V semaphore sets of one semaphore each: sets COUNT */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>

int main(int argc, char **argv)
{
	int count = argc == 2 ? atoi(argv[1]) : 0;

	for (int i = 0; i < count; i++) {
		if (semget(IPC_PRIVATE, 1, 0600) >= 0)
			continue;
		fprintf(stderr, "sets: number %d: %s\n", i + 1, strerror(errno));
		return 1;
	}
	return count < 1 ? 2 : 0;
}
