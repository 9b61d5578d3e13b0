/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared memory as any C program uses it: shm_open(3) and mmap(2) of a /NAME, shmget(2) and shmat(2) of an
 * identifier, without libipckit.
 *
 *   shm-peer make NAME|KEY SIZE           makes one, and prints the identifier of a System V one
 *   shm-peer write OBJECT OFFSET TEXT     stores into the mapping
 *   shm-peer read OBJECT OFFSET LENGTH    prints what is there
 *   shm-peer hold OBJECT [HOW]            has it until standard input ends; prints "ready" when it has. HOW: map
 *                                         (default), read (mapped for reading), private, open (not mapped)
 *   shm-peer add OBJECT OFFSET COUNT      adds 1 to a 64-bit number, COUNT times, atomically
 *   shm-peer race OBJECT OFFSET COUNT     the same, not atomically
 *   shm-peer sleep OBJECT OFFSET          sleeps in futex(2) on a word, as long as it is what it was, until it is woken
 *   shm-peer wake OBJECT OFFSET           wakes all who sleep on a word, and prints how many did
 *   shm-peer remove OBJECT
 *
 * OBJECT is a /NAME or an identifier.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "shm-peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static size_t number(const char *text)
{
	return strtoull(text, NULL, 0);
}

static void make(const char *name, size_t size)
{
	int fd, id;

	if (*name == '/') {
		fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd < 0 || ftruncate(fd, (off_t)size))
			fail(name);
		return;
	}
	id = shmget((key_t)number(name), size, IPC_CREAT | IPC_EXCL | 0600);
	if (id < 0)
		fail(name);
	printf("%d\n", id);
}

static char *map_posix(const char *name, const char *how)
{
	int reads = strcmp(how, "read") == 0;
	int fd = shm_open(name, reads ? O_RDONLY : O_RDWR, 0);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st))
		fail(name);
	if (strcmp(how, "open") == 0)
		return NULL;
	map = mmap(NULL, (size_t)st.st_size, reads ? PROT_READ : PROT_READ | PROT_WRITE,
		   strcmp(how, "private") == 0 ? MAP_PRIVATE : MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fail(name);
	close(fd);
	return map;
}

static char *map_object(const char *object, const char *how)
{
	void *map;

	if (*object == '/')
		return map_posix(object, how);
	map = shmat((int)number(object), NULL, strcmp(how, "read") == 0 ? SHM_RDONLY : 0);
	if ((intptr_t)map == -1)
		fail(object);
	return map;
}

static void hold(const char *object, const char *how)
{
	char byte;

	(void)map_object(object, how);
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
}

static void add(const char *object, size_t offset, size_t count, int atomic)
{
	volatile uint64_t *cell = (volatile uint64_t *)(void *)(map_object(object, "map") + offset);

	for (size_t i = 0; i < count; i++)
		if (atomic)
			__atomic_fetch_add(cell, 1, __ATOMIC_SEQ_CST);
		else
			*cell = *cell + 1;
}

static void sleep_on(const char *object, size_t offset)
{
	volatile uint32_t *word = (volatile uint32_t *)(void *)(map_object(object, "map") + offset);

	if (syscall(SYS_futex, word, FUTEX_WAIT, *word, NULL, NULL, 0))
		fail("futex");
}

static void wake(const char *object, size_t offset)
{
	printf("%ld\n", syscall(SYS_futex, map_object(object, "map") + offset, FUTEX_WAKE, INT_MAX, NULL, NULL, 0));
}

static void take_away(const char *object)
{
	if (*object == '/' ? shm_unlink(object) : shmctl((int)number(object), IPC_RMID, NULL))
		fail(object);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (strcmp(verb, "make") == 0 && argc == 4)
		make(argv[2], number(argv[3]));
	else if (strcmp(verb, "write") == 0 && argc == 5)
		memcpy(map_object(argv[2], "map") + number(argv[3]), argv[4], strlen(argv[4]));
	else if (strcmp(verb, "read") == 0 && argc == 5)
		fwrite(map_object(argv[2], "read") + number(argv[3]), 1, number(argv[4]), stdout);
	else if (strcmp(verb, "hold") == 0)
		hold(argv[2], argc > 3 ? argv[3] : "map");
	else if (strcmp(verb, "add") == 0 && argc == 5)
		add(argv[2], number(argv[3]), number(argv[4]), 1);
	else if (strcmp(verb, "race") == 0 && argc == 5)
		add(argv[2], number(argv[3]), number(argv[4]), 0);
	else if (strcmp(verb, "sleep") == 0 && argc == 4)
		sleep_on(argv[2], number(argv[3]));
	else if (strcmp(verb, "wake") == 0 && argc == 4)
		wake(argv[2], number(argv[3]));
	else if (strcmp(verb, "remove") == 0)
		take_away(argv[2]);
	else
		return 2;
	return fflush(stdout) ? 1 : 0;
}
