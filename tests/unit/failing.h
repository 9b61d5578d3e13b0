/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_FAILING_H
#define UNIT_FAILING_H

/*
 * Calls with each of their allocations failing in turn, by an allocator of the test's own: for one
 * source file of a program, after unit.h. Where the allocator is a sanitizer's or another C
 * library's, none is counted and none fails. test-alloc.c, which is about calls that map and open, too, has its own.
 */

#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#if UNIT_SANITIZED || !defined(__GLIBC__)
#define OTHER_ALLOCATOR
#endif

static volatile long fail_at = -1, allocations, live;
static volatile bool counting;

#ifndef OTHER_ALLOCATOR

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *memory);

static bool fails(void)
{
	bool failing = counting && allocations == fail_at;

	if (counting)
		allocations = allocations + 1;
	if (failing)
		errno = ENOMEM;
	return failing;
}

static void *taken(void *memory)
{
	live = live + (memory != NULL);
	return memory;
}

void *malloc(size_t size)
{
	return fails() ? NULL : taken(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : taken(__libc_calloc(n, size));
}

void *realloc(void *old, size_t size)
{
	if (fails())
		return NULL;
	return old ? __libc_realloc(old, size) : taken(__libc_realloc(NULL, size));
}

void free(void *memory)
{
	live = live - (memory != NULL);
	__libc_free(memory);
}

#endif

static int run_failing(int (*call)(void), long failing)
{
	int r;

	fail_at = failing;
	allocations = 0;
	counting = true;
	r = call();
	counting = false;
	return r;
}

/* A call has to succeed, and to say -ENOMEM whichever allocation of its fails; nothing may be left. */
static void check_failing(const char *what, int (*call)(void))
{
	long before = live, needed;

	CHECK_INT_FOR(what, run_failing(call, -1), 0);
	CHECK_INT_FOR(what, live, before);
	needed = allocations;
#ifndef OTHER_ALLOCATOR
	CHECK_FOR(what, needed > 0);
#endif
	for (long n = 0; n < needed; n++) {
		CHECK_INT_FOR(what, run_failing(call, n), -ENOMEM);
		CHECK_INT_FOR(what, live, before);
	}
}

#endif
