/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMTOOL_SUPPLY_H
#define SHMTOOL_SUPPLY_H

/* Where bytes come from that go into a segment: a text, a file, or a stream, whose end nobody knows
 * beforehand. */

#include "part.h"

struct supply {
	struct cli *cli;
	const char *name;   /* for messages */
	uint64_t size;      /* bytes: of a stream those that were gathered */
	bool ended;         /* these are all; of a stream that its end was seen */

	/* of supply.c */
	int fd;             /* what is read; -1 for a text */
	bool is_file;       /* it can be read anywhere, and begins at start */
	uint64_t start;
	const char *data;   /* a text, or what was gathered */
	char *buffer;       /* PART_CHUNK bytes; of a stream all that it has, where that is less */
	char *memory;       /* where it is more: mapped bytes of it */
	size_t mapped;
	struct cli_progress *progress;
};

/* A text, which has to last as long. */
void supply_text(struct cli *cli, const char *text, struct supply *out);
/* path: "-" or NULL for standard input. Opening a FIFO blocks until it has a writer. 0 or the exit status. */
int supply_open(struct cli *cli, const char *path, struct supply *out);
/* Standard input stays open. Safe after a failure. */
void supply_close(struct supply *supply);

/* Reads a stream up to its end, or until it has more than `most` bytes. Nothing where the size is known.
 * 0 or the exit status. */
int supply_gather(struct supply *supply, uint64_t most, struct cli_progress *progress);

/* Copies the first bytes of what is known or was gathered to a place in a segment. 0 or the exit status. */
int supply_put(struct supply *supply, struct part *part, uint64_t at, uint64_t size);

/* Bytes from a place on, of a stream of which nothing was gathered the next ones; fewer than size only at
 * its end. Negative: the exit status of what was reported. */
ssize_t supply_read(struct supply *supply, uint64_t at, char *data, size_t size);

/* Copies from an input of which nothing was gathered, as it comes, as much as there is room for: done.
 * 0 or the exit status. */
int supply_pour(struct supply *supply, struct part *part, uint64_t at, uint64_t room, uint64_t *done);

/*
 * What is left of an input beyond the first `used` bytes: of a stream it is read, but not much of it, since
 * it may have no end. all: whether that is all. 0 or the exit status.
 */
int supply_rest(struct supply *supply, uint64_t used, uint64_t *left, bool *all);

/* Whether the input is the file of a segment. */
bool supply_is(const struct supply *supply, const struct part *part);

/*
 * fetch.c: copies into a segment, by several threads where that is much. data: what is copied, or NULL for
 * the bytes of a file from start on. Returns how many from the first on are known to be copied: less than
 * size where something is in the way, which copying one after the other then finds out.
 */
uint64_t fetch(struct part *part, uint64_t at, const char *data, int file, uint64_t start, uint64_t size);

#endif
