/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Makes System V objects: many sets COUNT, of one semaphore each; many segments COUNT, of one page
 * each.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>

static int make(const char *kind)
{
	if (strcmp(kind, "sets") == 0)
		return semget(IPC_PRIVATE, 1, 0600);
	return shmget(IPC_PRIVATE, 4096, 0600);
}

int main(int argc, char **argv)
{
	int count = argc == 3 ? atoi(argv[2]) : 0;

	for (int i = 0; i < count; i++) {
		if (make(argv[1]) >= 0)
			continue;
		fprintf(stderr, "many: number %d: %s\n", i + 1, strerror(errno));
		return 1;
	}
	return count < 1 ? 2 : 0;
}
