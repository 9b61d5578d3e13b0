/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PIPECAT_FAN_H
#define PIPECAT_FAN_H

/* What tee and merge have alike: one end at one side, several at the other. */

#include "pipecat.h"

/* --idle, and the options of opening and of statistics */
extern const struct poptOption fan_options[];

struct fan_run;

struct fan_kind {
	bool out; /* from one to many, and the one is the first operand; else the last */
	const struct cli_table *table, *part; /* of all, of one of the many */
	/* Reports why one of the many was left out. Returns the exit status. */
	int (*fail)(struct fan_run *run, size_t i, int error);
};

struct fan_run {
	struct cli *cli;
	const struct fan_kind *kind;
	struct ipckit_fan_spec spec;
	struct pipecat_opening opening;
	struct pipecat_stats stats;
	int64_t idle;
	struct pipecat_end *ends, *one, *many; /* ends: as they were typed; the others point into it */
	size_t count;                          /* of the many */
	struct ipckit_fan_state *states;
	bool *told;
	int error;  /* of the one, or of the whole */
	int status; /* of the first failure */
};

/* The whole of a verb's run(), with what its own options say. Returns the exit status. */
int fan_run(struct cli *cli, const struct fan_kind *kind, const struct ipckit_fan_spec *spec);

/* ---- results ---- */

struct fan_part {
	const char *end; /* as it was typed */
	struct ipckit_maybe bytes, dropped, records;
	const char *error;
};

struct fan_row {
	const char *one; /* as it was typed */
	struct ipckit_maybe bytes, records, rate;
	double seconds;
	const char *method, *error;
	struct fan_part *parts;
	size_t nparts;
};

#define FAN_ROW(member) .offset = offsetof(struct fan_row, member)
#define FAN_PART(member) .offset = offsetof(struct fan_part, member)

#endif
