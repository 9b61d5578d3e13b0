/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUTEXCTL_PI_H
#define FUTEXCTL_PI_H

/* What the verbs of locks that lend priority share. */

#include "futexctl.h"

#include <ipckit/mutex.h>

/* What is said of EINVAL. */
#define PI_MIXED "others sleep on the word by other operations, or it contradicts what the kernel knows"

/* Runs COMMAND while the lock is held: futexctl_run(), but give and held, which it sets. */
int pi_run(struct cli *cli, struct ipckit_pi *pi, struct futexctl_run *run);

/* Reports why it was not taken. Returns the exit status. */
int pi_fail(struct cli *cli, const struct futexctl_word *word, int error, const struct futexctl_until *until);

#endif
