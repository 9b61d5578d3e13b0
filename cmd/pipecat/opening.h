/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PIPECAT_OPENING_H
#define PIPECAT_OPENING_H

/* What open.c and open-file.c share. */

#include "pipecat.h"

struct opening {
	struct cli *cli;
	struct pipecat_end *const *ends;
	size_t count;
	const struct pipecat_opening *how;
	struct ipckit_deadline deadline;
};

int opening_fail(struct opening *opening, const struct pipecat_end *end, int error);

/* Opens files, FIFOs and descriptors; first: those that are read from, else the others. */
int opening_files(struct opening *opening, bool first);

/* Files that are written to are emptied. */
int opening_empty(struct opening *opening);

#endif
