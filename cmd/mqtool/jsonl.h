/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef JSONL_H
#define JSONL_H

/* Messages as lines of JSON, as dump and `recv --json` print them. Pure. */

#include <ipckit/mq.h>

struct jsonl_message {
	char *data; /* size bytes, and a NUL after them */
	size_t size;
	bool has_rank;
	long rank; /* priority or type; 0 where there is none */
};

/*
 * Reads a line: an object of data or data_base64, priority (POSIX) or type (System V) where it has one, and
 * size, which then has to be that of the data. Whatever else is in it is refused.
 *
 * line: size bytes, without the newline. out: freed with jsonl_free(). why: on -EINVAL what is wrong, printable.
 * column: on -EINVAL where it is, counted in characters from 1, and 0 where that is not known; may be NULL.
 * Returns 0, -EINVAL or -ENOMEM.
 */
int jsonl_parse(const char *line, size_t size, enum ipckit_mq_backend backend, struct jsonl_message *out,
		struct ipckit_why *why, size_t *column);

/* Frees what jsonl_parse() filled; safe on a zeroed struct. */
void jsonl_free(struct jsonl_message *message);

#endif
