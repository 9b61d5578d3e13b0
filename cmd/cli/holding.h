/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_HOLDING_H
#define CLI_HOLDING_H

/* Permits that a run holds until it ends, however it ends. */

#include "command.h"
#include "sem.h"

/*
 * What is to be held, in the one order in which everybody takes: lock files and
 * System V first, which the process holds itself, then what a guardian holds for it.
 */
struct cli_holding {
	struct ipckit_sem **sems;
	char **names; /* of sems, as they were written */
	size_t n;
	unsigned count; /* permits of each */
	size_t own;     /* how many semaphores the process holds itself */
	size_t at;      /* the one that failed */
	struct ipckit_hold guarded; /* what the guardian of the others tells of them */
	char *objects;              /* their names */
};

/*
 * Opens the semaphores of some names, each once: an alias of one that was named is the same one.
 *
 * names: of any kind that libipckit takes, and lock files; to last as long as out. out: closed with
 * cli_holding_close(), after a failure, too. Returns 0 or the exit status of what was reported.
 */
int cli_holding_open(struct cli *cli, char **names, size_t n, struct cli_holding *out);

/* Sees to it that a guardian can tell of them; may start the program anew, so call it before anything is
 * taken, or read. Returns 0 or the exit status of what was reported. */
int cli_holding_prepare(struct cli *cli, struct cli_holding *holding);

/*
 * Takes them, all or none. The signals that end a wait are held back then, or, where there is a guardian,
 * have their inherited action.
 *
 * timeout: as for ipckit_deadline_in(). Returns 0; -errno, see cli_holding_fail(); the exit status of what was
 * reported.
 */
int cli_holding_take(struct cli *cli, struct cli_holding *holding, int64_t timeout);

/* Gives them back before the end. */
void cli_holding_give(struct cli_holding *holding);

/* Reports why they could not be taken, or not be kept. timeout: as text. Returns the exit status. */
int cli_holding_fail(struct cli *cli, const struct cli_holding *holding, int error, const char *timeout);

/* What others shall read of some of them: count, at, and objects, which is freed by the caller. 0, -ENOMEM, or
 * -E2BIG where there is no room for all identities, and those that have are there. */
int cli_holding_describe(const struct cli_holding *holding, size_t from, size_t to, struct ipckit_hold *hold,
			 char **objects);

/* Safe on a zeroed struct. What is held stays so, but for lock files. */
void cli_holding_close(struct cli_holding *holding);

#endif
