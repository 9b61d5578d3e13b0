/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PIPECAT_FIFO_H
#define PIPECAT_FIFO_H

/* What read and write share: a FIFO whose other end is waited for, and a flow through it. */

#include "pipecat.h"

/* POPT_ARG_INCLUDE_TABLE of: --timeout, --once, --keep-open, --line, and those of flows and statistics. */
extern const struct poptOption fifo_options[];

struct fifo {
	struct cli *cli;
	const char *path;
	bool keep_open, line;
	int64_t timeout; /* ns; IPCKIT_FOREVER */
	struct pipecat_flowing flowing;
	struct pipecat_stats stats;
	int fd;    /* one end */
	int other; /* the other one, with --keep-open; else -1 */
	bool locked_out; /* the flow has ended since others had the lock too long */
	struct ipckit_flow_state state;
};

/* Whether --line was given. */
bool fifo_wants_lines(void);

/* The path of a FIFO that is the verb's operand. 0 or the exit status. */
int fifo_path(struct cli *cli, const char **out);

/*
 * Reads the options and opens the operand. flags: O_RDONLY or O_WRONLY. Waits until somebody has the other end
 * open; begins the run. 0 or the exit status, and nothing is to be closed then.
 */
int fifo_open(struct cli *cli, int flags, struct fifo *out);

/* How long the lock may be waited for, each time: --timeout, or --idle if that is shorter. */
int64_t fifo_lock_time(const struct fifo *fifo);

/* Reports why it could not be opened. Returns the exit status. */
int fifo_fail(struct cli *cli, const char *path, int error);

/*
 * Closes it and ends the run: reports an error of the flow and what is lost, tells statistics. from, to: as they
 * were typed. error: 0 or -errno, of the side that fifo->state names. Returns the exit status.
 */
int fifo_finish(struct fifo *fifo, const char *from, const char *to, int error);

/* Closes the last end of a FIFO, of reading or both ways, and says what of it the kernel drops. */
void fifo_leave(struct cli *cli, const char *path, int fd);

#endif
