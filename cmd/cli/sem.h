/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_SEM_H
#define CLI_SEM_H

/* Semaphores as the tools name them, and what calls on them say in words. */

#include "cli.h"

#include <ipckit/sem.h>

/* Reads an operand; extra: IPCKIT_TAKES(...) beyond IPCKIT_SEM_NAMES. 0 or the exit status. */
int cli_sem_name(struct cli *cli, const char *text, unsigned extra, struct ipckit_name *out);

/* Reads an operand and opens it. 0 or the exit status; nothing to close on failure. */
int cli_sem_open(struct cli *cli, const char *text, unsigned extra, struct ipckit_sem **out);

/* Reports what a call of libipckit on the object says, with the limit that was hit where there is one. */
int cli_sem_fail(struct cli *cli, const char *object, enum ipckit_sem_backend backend, int error);
/* The same of what looks for the object of a name. */
int cli_sem_fail_find(struct cli *cli, const struct ipckit_name *name, int error);
/* The same after a creation of `wanted` semaphores. */
int cli_sem_fail_create(struct cli *cli, const char *object, enum ipckit_sem_backend backend, int error,
			unsigned wanted);
/* The same after a wait that was given `timeout` as text (NULL: none). */
int cli_sem_fail_wait(struct cli *cli, const char *object, const struct ipckit_sem *sem, int error,
		      const char *timeout);

#endif
