/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMTOOL_HEX_H
#define SHMTOOL_HEX_H

/* Bytes as `hexdump -C` shows them. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEX_ROW 16   /* bytes of a line */
#define HEX_LINE 100 /* characters that a line has at most, with its newline */

struct hex {
	uint64_t offset; /* of the next byte */
	unsigned char last[HEX_ROW];
	bool any, folded; /* last is a line; those like it were folded */
};

/*
 * Writes the lines of some bytes, and returns how many characters they have. Lines that repeat the one
 * before are one `*`. size: only the last call's need be no multiple of HEX_ROW; text: room for
 * HEX_ROOM(size).
 */
#define HEX_ROOM(size) (((size) / HEX_ROW + 1) * HEX_LINE)
size_t hex_put(struct hex *hex, const unsigned char *data, size_t size, char *text);

/* The last line: the offset at the end; nothing where that is 0. */
size_t hex_end(const struct hex *hex, char text[HEX_LINE]);

#endif
