/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * posix NAME VERB [ARG]
 *
 * A semaphore as libc has it: NAME is sem_open(3)'s, or PATH@OFFSET for one that
 * lies in a file. Verbs: create VALUE (sem_open, or sem_init), wait, try, post,
 * value (printed). Exits 0, or 1 with the errno's name printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int fail(void)
{
	puts(strerrorname_np(errno));
	return 1;
}

static sem_t *map(char *place)
{
	char *at = strrchr(place, '@');
	size_t offset = strtoul(at + 1, NULL, 10);
	char *start;
	int fd;

	*at = '\0';
	fd = open(place, O_RDWR);
	if (fd < 0)
		return SEM_FAILED;
	start = mmap(NULL, offset + sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return start == MAP_FAILED ? SEM_FAILED : (sem_t *)(start + offset);
}

static int run(sem_t *sem, const char *verb)
{
	int value;

	if (!strcmp(verb, "wait"))
		return sem_wait(sem);
	if (!strcmp(verb, "try"))
		return sem_trywait(sem);
	if (!strcmp(verb, "post"))
		return sem_post(sem);
	if (sem_getvalue(sem, &value))
		return -1;
	printf("%d\n", value);
	return 0;
}

int main(int argc, char **argv)
{
	bool named, create;
	unsigned value;
	sem_t *sem;

	if (argc < 3)
		return 2;
	named = !strchr(argv[1], '@');
	create = argc > 3 && !strcmp(argv[2], "create");
	value = create ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	if (named)
		sem = create ? sem_open(argv[1], O_CREAT | O_EXCL, 0600, value) : sem_open(argv[1], 0);
	else
		sem = map(argv[1]);
	if (sem == SEM_FAILED)
		return fail();
	if (create)
		return !named && sem_init(sem, 1, value) ? fail() : 0;
	return run(sem, argv[2]) ? fail() : 0;
}
