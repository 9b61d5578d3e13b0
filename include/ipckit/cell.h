/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_CELL_H
#define IPCKIT_CELL_H

/*
 * Typed cells of memory: numbers at offsets, read and changed atomically where they are aligned.
 *
 *   TYPE@OFFSET        i8 u8 i16 u16 i32 u32 i64 u64 f32 f64, in the machine's byte order, or followed by
 *                      le or be; OFFSET decimal, 0x or 0 octal
 *   TYPE@OFFSET=VALUE
 *
 * A VALUE is an integer in the range of the type, decimal, 0x or 0 octal, with a sign if need be; or for f32
 * and f64 a number as strtod(3) takes it in the C locale, 0x hex with or without a p exponent too, inf,
 * infinity or nan. What is beyond the largest number, or so small that it would be 0, does not fit.
 * nan(PAYLOAD) and snan(PAYLOAD) are the quiet and the signalling NaN with these bits below the quiet one.
 */

#include <ipckit/base.h>
#include <ipckit/deadline.h>
#include <ipckit/parse.h>

enum ipckit_cell_kind { IPCKIT_CELL_SIGNED, IPCKIT_CELL_UNSIGNED, IPCKIT_CELL_REAL };

struct ipckit_cell {
	enum ipckit_cell_kind kind;
	unsigned size;   /* bytes: 1, 2, 4 or 8 */
	bool swapped;    /* in the other byte order than the machine's */
	uint64_t offset; /* at most INT64_MAX */
	char type[8];    /* as it was written: "u32be" */
};

/* What is in one: its bits as an unsigned integer of its size, in the machine's byte order. */
struct ipckit_cell_value {
	uint64_t bits;
};

/*
 * Reads TYPE@OFFSET, or, where value is not NULL, TYPE@OFFSET=VALUE: value gets the place in text where VALUE
 * begins, which is read by one of the next two. Does no I/O.
 *
 * why: on failure gets the reason in words, without the text itself; may be NULL.
 * Returns 0, -EINVAL, or -ERANGE (an offset that does not fit).
 */
IPCKIT_CHECK int ipckit_cell_parse(const char *text, struct ipckit_why *why, const char **value,
				   struct ipckit_cell *out);

/* Reads a value for a cell. Depends on no locale. -EINVAL, or -ERANGE (it does not fit); why: as above. */
IPCKIT_CHECK int ipckit_cell_parse_value(const struct ipckit_cell *cell, const char *text,
					 struct ipckit_why *why, struct ipckit_cell_value *out);

/* Reads what is to be added to a cell: a value, or for unsigned integers also one below 0, as far as the
 * signed type of that size goes. As above. */
IPCKIT_CHECK int ipckit_cell_parse_step(const struct ipckit_cell *cell, const char *text,
					struct ipckit_why *why, struct ipckit_cell_value *out);

#define IPCKIT_CELL_TEXT 40 /* room for a value as text, with its end */

/* Writes a value in decimal, so that it reads back as the same one, bit for bit. Depends on no locale. */
void ipckit_cell_format(const struct ipckit_cell *cell, struct ipckit_cell_value value,
			char text[IPCKIT_CELL_TEXT]);

/* A real as a number; of f32 the one that its text reads as, so that 0.1 stays 0.1. */
double ipckit_cell_real(const struct ipckit_cell *cell, struct ipckit_cell_value value);
/* A signed integer as a number. */
int64_t ipckit_cell_signed(const struct ipckit_cell *cell, struct ipckit_cell_value value);

/* -1, 0 or 1, as numbers of the cell's type; *unordered: one of them is not a number. */
int ipckit_cell_order(const struct ipckit_cell *cell, struct ipckit_cell_value a, struct ipckit_cell_value b,
		      bool *unordered);
/* Whether `a OP b` holds. With something that is no number only ne does. */
bool ipckit_cell_compare(const struct ipckit_cell *cell, struct ipckit_cell_value a, enum ipckit_compare op,
			 struct ipckit_cell_value b);

/* ---- memory ----
 * memory, size: what is mapped, from the start of a page on; errors of all: -EFBIG (the cell reaches beyond
 * it). Cells at a multiple of their size are aligned: they are read and written by one atomic access with
 * sequential consistency, others byte by byte. The memory may be mapped for reading alone where it is const
 * here. */

/* 0 or -EFBIG; whether it is aligned. */
IPCKIT_CHECK int ipckit_cell_check(size_t size, const struct ipckit_cell *cell);
bool ipckit_cell_aligned(const struct ipckit_cell *cell);

IPCKIT_CHECK int ipckit_cell_load(const void *memory, size_t size, const struct ipckit_cell *cell,
				  struct ipckit_cell_value *out);
/* Swaps. old: what was there. */
IPCKIT_CHECK int ipckit_cell_store(void *memory, size_t size, const struct ipckit_cell *cell,
				   struct ipckit_cell_value value, struct ipckit_cell_value *old);
/* Adds; integers wrap around. -EOPNOTSUPP where the cell is not aligned, and so below. */
IPCKIT_CHECK int ipckit_cell_add(void *memory, size_t size, const struct ipckit_cell *cell,
				 struct ipckit_cell_value step, struct ipckit_cell_value *old);
/* The value that it leaves. */
struct ipckit_cell_value ipckit_cell_sum(const struct ipckit_cell *cell, struct ipckit_cell_value value,
					 struct ipckit_cell_value step);
/* Stores value where expected is what is there (bit for bit). Returns 0 with the old value, also where that
 * was another one: *swapped tells. */
IPCKIT_CHECK int ipckit_cell_swap(void *memory, size_t size, const struct ipckit_cell *cell,
				  struct ipckit_cell_value expected, struct ipckit_cell_value value,
				  struct ipckit_cell_value *old, bool *swapped);

/* Wakes whoever sleeps on a cell: every thread in futex(2) on one of the aligned words that it touches. */
IPCKIT_CHECK int ipckit_cell_wake(void *memory, size_t size, const struct ipckit_cell *cell);

/*
 * Waits until a cell compares true, and tells what it then was. Sleeps on its words (futex(2),
 * futex_waitv(2)) while they are what was seen, for writers that wake, and looks again after 50 us to 20 ms,
 * for those that do not. A value that comes and goes in between may go unseen. Blocks until the deadline.
 * Errors: -EAGAIN, -ETIMEDOUT, -EINTR as ipckit_deadline_left(); -EFAULT (the memory has gone; to look at it
 * may also raise SIGBUS).
 */
IPCKIT_CHECK int ipckit_cell_wait(const void *memory, size_t size, const struct ipckit_cell *cell,
				  enum ipckit_compare op, struct ipckit_cell_value value,
				  const struct ipckit_deadline *deadline, struct ipckit_cell_value *out);

#endif
