/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A library for LD_PRELOAD, that makes what is improbable certain:
 *
 *   SHIM_RAISE=N      signal N comes just when permits were taken
 *   SHIM_DELAY_US=N   N microseconds pass between a look at a value and what follows
 */
#include <dlfcn.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/sem.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long setting(const char *name)
{
	const char *text = getenv(name);

	return text ? atol(text) : 0;
}

static int taken(int r)
{
	if (r == 0 && setting("SHIM_RAISE"))
		raise((int)setting("SHIM_RAISE"));
	return r;
}

static void pass_time(void)
{
	long us = setting("SHIM_DELAY_US");
	struct timespec time = { us / 1000000, us % 1000000 * 1000 };

	if (us)
		nanosleep(&time, NULL);
}

int semtimedop(int id, struct sembuf *ops, size_t n, const struct timespec *timeout)
{
	return taken(REAL(semtimedop)(id, ops, n, timeout));
}

int sem_trywait(sem_t *sem)
{
	return taken(REAL(sem_trywait)(sem));
}

int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until)
{
	return taken(REAL(sem_clockwait)(sem, clock, until));
}

int semctl(int id, int index, int command, ...)
{
	va_list args;
	void *arg;
	int r;

	va_start(args, command);
	arg = va_arg(args, void *);
	va_end(args);
	r = REAL(semctl)(id, index, command, arg);
	if (command == GETVAL)
		pass_time();
	return r;
}

int sem_getvalue(sem_t *sem, int *value)
{
	int r = REAL(sem_getvalue)(sem, value);

	pass_time();
	return r;
}

ssize_t pread(int fd, void *data, size_t size, off_t offset)
{
	ssize_t n = REAL(pread)(fd, data, size, offset);

	pass_time();
	return n;
}
