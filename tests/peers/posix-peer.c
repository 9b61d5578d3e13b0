/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A program of its own that knows POSIX semaphores from libc alone.
 *
 *   posix-peer create NAME VALUE MODE    sem_open(3), exclusive, mode in octal
 *   posix-peer value|post|wait|try NAME
 *   posix-peer open NAME                 has it open until it is ended
 *   posix-peer unlink NAME
 *   posix-peer size                      of a sem_t
 *
 * Exit status: the errno value of what failed; 99 for a usage error.
 */

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *what)
{
	int error = errno;

	perror(what);
	return error;
}

static int show_value(sem_t *sem)
{
	int value;

	if (sem_getvalue(sem, &value))
		return failed("sem_getvalue");
	printf("%d\n", value);
	return 0;
}

static int act(const char *verb, sem_t *sem)
{
	if (!strcmp(verb, "value"))
		return show_value(sem);
	if (!strcmp(verb, "post"))
		return sem_post(sem) ? failed("sem_post") : 0;
	if (!strcmp(verb, "wait"))
		return sem_wait(sem) ? failed("sem_wait") : 0;
	if (!strcmp(verb, "try"))
		return sem_trywait(sem) ? failed("sem_trywait") : 0;
	if (!strcmp(verb, "open"))
		return pause();
	return 99;
}

static int on_name(const char *verb, const char *name)
{
	sem_t *sem;

	if (!strcmp(verb, "unlink"))
		return sem_unlink(name) ? failed("sem_unlink") : 0;
	sem = sem_open(name, 0);
	return sem == SEM_FAILED ? failed("sem_open") : act(verb, sem);
}

static int create(const char *name, const char *value, const char *mode)
{
	sem_t *sem;

	umask(0);
	sem = sem_open(name, O_CREAT | O_EXCL, (mode_t)strtoul(mode, NULL, 8),
		       (unsigned)strtoul(value, NULL, 10));
	return sem == SEM_FAILED ? failed("sem_open") : 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "size"))
		return printf("%zu\n", sizeof(sem_t)) < 0;
	if (argc == 5 && !strcmp(argv[1], "create"))
		return create(argv[2], argv[3], argv[4]);
	return argc == 3 ? on_name(argv[1], argv[2]) : 99;
}
