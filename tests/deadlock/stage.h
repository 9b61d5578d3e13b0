/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STAGE_H
#define STAGE_H

/*
 * Programs that are deadlocked on purpose. PROGRAM CASE forks the stage, on which the case is played, and watches
 * it from outside: threads that could act would change what is true of the rest. As soon as all waiters are seen
 * blocked and none of them runs any more, it prints one line of JSON and sleeps; when it is killed, the stage is
 * too. PROGRAM alone prints its cases.
 *
 *   {"case":"normal","level":"certain","threads":[{"tid":7,"pid":7,"waits":"mutex","for":8},...]}
 *
 * for: the thread id of the holder; an array where there are several ("any":true: one of them is enough) or none
 * (nobody, for ever). level is what has to be said where every process can be seen, from the initial PID namespace;
 * "none": nothing may be reported. Statuses: 1 it did not come to it (stderr tells), 2 usage, 77 not possible here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
#define STAGE_NORETURN [[noreturn]]
#else
#define STAGE_NORETURN _Noreturn
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct scene {
	const char *name;
	void (*play)(long arg);
	long arg;
	unsigned waiters; /* roles 0 to waiters - 1 wait in the end; 0: somebody calls settled() */
	const char *level;
};

int stage(int argc, char **argv, const struct scene *scenes, size_t count);

/* The actors: me is 0 to count - 1, 0 being the thread that calls. None may come back from run(). */
void threads(unsigned count, void (*run)(unsigned me));
void processes(unsigned count, void (*run)(unsigned me));
/* One process more; where it is nobody who waits, without a role. */
pid_t process(void (*run)(unsigned me), unsigned me);
void enter(unsigned role);

/* Goes on when count have come to this point (0 to 7). */
void meet(unsigned point, unsigned count);
/* Until this one sleeps in what it has said it would wait for. */
void see_blocked(unsigned role);
/* What the caller is about to wait for. */
void waits(const char *kind, int role);
void waits_for_all(const char *kind, unsigned roles); /* a set of bits */
void waits_for_any(const char *kind, unsigned roles);
#define NOBODY (-1)
void settled(void);

/* Memory that the processes forked from here share; fd: of its file, NULL: not wanted. */
void *shared_memory(size_t size, int *fd);
/* The directory for files: $TMPDIR. */
const char *scratch(void);
/* Sleeps until it is killed. */
STAGE_NORETURN void sleep_for_ever(void);
STAGE_NORETURN void fail(const char *what, int error);
STAGE_NORETURN void skip(const char *why);
/* Of calls that return -1 and set errno, and of those that return the error. */
int must(long result, const char *what);
void must0(int error, const char *what);

#ifdef __cplusplus
}
#endif
#endif
