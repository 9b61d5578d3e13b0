/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_BANKER_H
#define DEADLOCK_BANKER_H

/* What safe and request share. */

#include "deadlock.h"

#include <errno.h>

/* dl_load(), of a system that has claims. */
int dl_load_claims(struct cli *cli, const char *file, struct model *out);

/* Reports what ipckit_banker_...() returned. */
int dl_fail_claims(struct cli *cli, const char *file, const struct model *model, int error,
		   const struct ipckit_block *wrong);

#endif
