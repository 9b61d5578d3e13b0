/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMTOOL_GUARD_H
#define SHMTOOL_GUARD_H

/* --lock WORD|SEMAPHORE: what a verb holds while it copies, so that nobody sees half of it. */

#include "shmtool.h"

/* POPT_ARG_INCLUDE_TABLE of: --lock, --timeout (of the wait for it). */
extern const struct poptOption guard_options[];

struct guard;

/* Whether --lock was given. */
bool guard_wanted(void);

/*
 * Reads the options, opens what --lock names, and may start the program anew (cli_guard_prepare()): a verb that
 * reads standard input calls it before. Otherwise guard_take() does it. Returns 0, or the exit status of what
 * was reported.
 */
int guard_open(struct cli *cli);

/*
 * Takes what --lock names; NULL in out where there is none. What is held is given back when the process ends,
 * however: a word's next holder is told of it, a System V semaphore is undone, for others there is a guardian.
 * Call it when all is there that is to be copied, at most once a run. From here on signals have their inherited
 * action. Returns 0, or the exit status of what was reported.
 */
int guard_take(struct cli *cli, struct guard **out);

/*
 * Refuses to change bytes of a segment, from an offset on, in which the lock's own word lies. Calls
 * guard_open(). Returns 0, or the exit status of what was reported.
 */
int guard_spares(struct cli *cli, const struct ipckit_shm *shm, uint64_t offset, uint64_t size);

/* Whether the lock's own word lies in a segment, and where. After guard_take(). */
bool guard_lies_in(const struct ipckit_shm *shm, uint64_t *offset);

/* Gives it back; NULL is nothing. Who could not change all that was to be changed does not call it: that a
 * word's holder ended is then what the next one is told. */
void guard_give(struct guard *guard);

/* The same for who has only read: if an owner of a word had died, the next one is told again. */
void guard_give_unchanged(struct guard *guard);

#endif
