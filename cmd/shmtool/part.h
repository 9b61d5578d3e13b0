/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMTOOL_PART_H
#define SHMTOOL_PART_H

/* What the verbs share that read or write the bytes of a segment: a part of it, and copying. */

#include "shmtool.h"

/* POPT_ARG_INCLUDE_TABLE of: --offset; of --offset and --length. */
extern const struct poptOption part_offset_options[];
extern const struct poptOption part_options[];

/* What is copied at once: it stays in a cache. */
#define PART_CHUNK ((size_t)256 << 10)

struct part {
	struct cli *cli;
	const char *object;
	struct ipckit_shm *shm;
	uint64_t size;           /* of the segment, when it was opened */
	uint64_t offset, length; /* of the part */
	struct cli_progress progress;
};

/*
 * Opens a segment, and the part of it that --offset and --length name, all of it without them. An offset
 * beyond the end is refused. A length beyond it is cut (what is there is wanted), or refused where exact. 0
 * or the exit status, and then there is nothing to close.
 */
int part_open(struct cli *cli, const char *object, unsigned access, struct part *out);
int part_open_exact(struct cli *cli, const char *object, unsigned access, struct part *out);
/* The whole of one. */
int part_open_whole(struct cli *cli, const char *object, unsigned access, struct part *out);
/* Makes a part of a segment that is open, which belongs to the part from then on: all of it. */
int part_from(struct cli *cli, const char *object, struct ipckit_shm *shm, struct part *out);
void part_close(struct part *part);

/* Has the progress of its bytes shown, where they do not go to the same terminal. */
void part_watch(struct part *part);

/* Reports a failure, after the progress line: what a call on the segment says (-errno); that it was cut
 * while it was used, at a byte of the segment; that more is needed than there is room for. Return the exit
 * status. */
int part_fail(struct part *part, int error);
int part_fail_shrunk(struct part *part, uint64_t at);
int part_fail_room(struct part *part, struct ipckit_maybe needed);

/* Copies bytes from or to a place in the segment: all of them, or it is reported. 0 or the exit status. */
int part_read(struct part *part, uint64_t at, void *data, size_t size);
int part_write(struct part *part, uint64_t at, const void *data, size_t size);

/* How many bytes the next chunk of a copy has. */
static inline size_t part_next(uint64_t left)
{
	return left < PART_CHUNK ? (size_t)left : PART_CHUNK;
}

/* Memory for much at once, which costs nothing until it is touched. NULL where there is none. */
char *part_map(size_t size);
void part_unmap(char *memory, size_t size);

/* Reads the part into memory of its own, freed by part_forget(). 0 or the exit status. */
int part_copy(struct part *part, char **data);
void part_forget(struct part *part, char *data);

/* Prints the part as it is; string: stops before the first NUL. 0 or the exit status. */
int part_print(struct part *part, bool string);
/* How many bytes of it are printed. */
size_t part_printed(const char *data, size_t size, bool string);

/* The done record, of the part or of as many of its bytes. */
int part_done(struct part *part, uint64_t bytes);

#endif
