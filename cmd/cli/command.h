/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli.h"

#include <ipckit/hold.h>

/* ---- commands (command.c) ---- */

/* Becomes COMMAND (execvp). Returns only on failure, reported, with its status. */
int cli_become(struct cli *cli);

/* Whether COMMAND is there and may be executed, before anything is done for it: 0, or the status of the
 * failure. */
int cli_check_command(struct cli *cli);

/* A copy of a descriptor that COMMAND inherits, 10 or above, which the redirections of a script leave
 * alone; where there is no room for that, the descriptor itself. Returns it, or -errno. */
int cli_hand_on(int fd);

/* Reports why there is no process for COMMAND, or one that could not become it: error is fork(2)'s or execvp(3)'s.
 * Returns the exit status. */
int cli_fail_start(struct cli *cli, int error);

/* Starts COMMAND with a descriptor as its standard input, and signals as they were inherited. Returns 0, or
 * the status of the failure, reported. */
int cli_spawn(struct cli *cli, int input, pid_t *out);

/* ---- guardians (guardian.c): permits that the kernel does not give back by itself ---- */

struct cli_guarded {
	/* Run in the guardian: 0 or -errno with nothing held; gives back what was taken. */
	int (*take)(void *arg, const struct ipckit_deadline *deadline);
	void (*give)(void *arg);
	void *arg;
	struct ipckit_hold hold; /* count, at and objects: what others shall read of it */
	const int *keep;         /* the descriptors that take and give need, in any order */
	size_t nkeep;
	bool ends_with_it; /* what is held ends with the guardian, however that ends: then nothing is lost */
};

/* Sees to it that a guardian's record will have room in its command line; may start the program anew, so
 * call it before anything is taken. Returns 0 or -errno. */
int cli_guard_prepare(const struct ipckit_hold *hold);

/*
 * Starts a guardian of this process, which is about to become COMMAND. The
 * guardian takes, and gives back when this process has ended, however. From here
 * on signals have their inherited action. Returns 0 or the exit status of what
 * was reported.
 */
int cli_guard_start(struct cli *cli, const struct cli_guarded *guarded, const struct ipckit_deadline *deadline);

/* Waits until the guardian has taken. Returns 0, or -errno from take(). */
int cli_guard_await(void);

/* Has the guardian give back now, and waits until it has; nothing where there is none. False: it was killed
 * before, and what it held is still taken. */
bool cli_guard_cancel(void);

#endif
