/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What `semctl-cli post /NAME` is for, and nothing besides. */

#include <semaphore.h>

int main(int argc, char **argv)
{
	sem_t *sem = argc == 2 ? sem_open(argv[1], 0) : SEM_FAILED;

	return sem == SEM_FAILED || sem_post(sem);
}
