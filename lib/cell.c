/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "futex.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <ipckit/cell.h>

/* The pauses after which a cell is looked at again though nobody woke. */
#define SHORTEST_NS 50000
#define LONGEST_NS 20000000

#define WORD 4u /* what futex(2) sleeps on */

int ipckit_cell_check(size_t size, const struct ipckit_cell *cell)
{
	return cell->offset > size || size - cell->offset < cell->size ? -EFBIG : 0;
}

bool ipckit_cell_aligned(const struct ipckit_cell *cell)
{
	return cell->offset % cell->size == 0;
}

/* ---- bits: in memory, as an integer of the machine, and as the cell's value ---- */

static uint64_t from_bytes(const void *bytes, unsigned size)
{
	uint16_t half;
	uint32_t word;
	uint64_t wide;

	switch (size) {
	case 1:
		return *(const uint8_t *)bytes;
	case 2:
		memcpy(&half, bytes, sizeof(half));
		return half;
	case 4:
		memcpy(&word, bytes, sizeof(word));
		return word;
	default:
		memcpy(&wide, bytes, sizeof(wide));
		return wide;
	}
}

static void to_bytes(void *bytes, unsigned size, uint64_t bits)
{
	const uint8_t byte = (uint8_t)bits;
	const uint16_t half = (uint16_t)bits;
	const uint32_t word = (uint32_t)bits;
	const void *narrow = size == 1 ? &byte : size == 2 ? (const void *)&half : &word;

	memcpy(bytes, size == 8 ? &bits : narrow, size);
}

/* Both ways. */
static uint64_t ordered(const struct ipckit_cell *cell, uint64_t bits)
{
	return cell->swapped ? __builtin_bswap64(bits) >> (64 - 8 * cell->size) : bits;
}

static uint64_t load_atomic(const void *place, unsigned size)
{
	switch (size) {
	case 1:
		return __atomic_load_n((const uint8_t *)place, __ATOMIC_SEQ_CST);
	case 2:
		return __atomic_load_n((const uint16_t *)place, __ATOMIC_SEQ_CST);
	case 4:
		return __atomic_load_n((const uint32_t *)place, __ATOMIC_SEQ_CST);
	default:
		return __atomic_load_n((const uint64_t *)place, __ATOMIC_SEQ_CST);
	}
}

#define REPLACE(type, place, expected, bits)                                                           \
	({                                                                                             \
		type seen_ = (type) * (expected);                                                      \
		bool done_ = __atomic_compare_exchange_n((type *)(place), &seen_, (type)(bits), false, \
							 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);          \
		*(expected) = seen_;                                                                   \
		done_;                                                                                 \
	})

/* expected: gets what is there, where that is something else. */
static bool replace(void *place, unsigned size, uint64_t *expected, uint64_t bits)
{
	switch (size) {
	case 1:
		return REPLACE(uint8_t, place, expected, bits);
	case 2:
		return REPLACE(uint16_t, place, expected, bits);
	case 4:
		return REPLACE(uint32_t, place, expected, bits);
	default:
		return REPLACE(uint64_t, place, expected, bits);
	}
}

/* ---- reading and changing ---- */

int ipckit_cell_load(const void *memory, size_t size, const struct ipckit_cell *cell,
		     struct ipckit_cell_value *out)
{
	int r = ipckit_cell_check(size, cell);
	const char *place;

	if (r)
		return r;
	place = (const char *)memory + cell->offset;
	out->bits = ordered(cell, ipckit_cell_aligned(cell) ? load_atomic(place, cell->size)
							    : from_bytes(place, cell->size));
	return 0;
}

int ipckit_cell_store(void *memory, size_t size, const struct ipckit_cell *cell,
		      struct ipckit_cell_value value, struct ipckit_cell_value *old)
{
	int r = ipckit_cell_check(size, cell);
	uint64_t bits = ordered(cell, value.bits), seen;
	char *place;

	if (r)
		return r;
	place = (char *)memory + cell->offset;
	if (ipckit_cell_aligned(cell)) {
		seen = load_atomic(place, cell->size);
		while (!replace(place, cell->size, &seen, bits))
			;
	} else {
		seen = from_bytes(place, cell->size);
		to_bytes(place, cell->size, bits);
	}
	old->bits = ordered(cell, seen);
	return 0;
}

static int check_aligned(size_t size, const struct ipckit_cell *cell)
{
	int r = ipckit_cell_check(size, cell);

	return r ?: ipckit_cell_aligned(cell) ? 0 : -EOPNOTSUPP;
}

int ipckit_cell_add(void *memory, size_t size, const struct ipckit_cell *cell, struct ipckit_cell_value step,
		    struct ipckit_cell_value *old)
{
	int r = check_aligned(size, cell);
	struct ipckit_cell_value value;
	uint64_t seen;
	char *place;

	if (r)
		return r;
	place = (char *)memory + cell->offset;
	seen = load_atomic(place, cell->size);
	do
		value.bits = ordered(cell, seen);
	while (!replace(place, cell->size, &seen, ordered(cell, ipckit_cell_sum(cell, value, step).bits)));
	*old = value;
	return 0;
}

int ipckit_cell_swap(void *memory, size_t size, const struct ipckit_cell *cell,
		     struct ipckit_cell_value expected, struct ipckit_cell_value value,
		     struct ipckit_cell_value *old, bool *swapped)
{
	int r = check_aligned(size, cell);
	uint64_t seen = ordered(cell, expected.bits);

	if (r)
		return r;
	*swapped = replace((char *)memory + cell->offset, cell->size, &seen, ordered(cell, value.bits));
	old->bits = ordered(cell, seen);
	return 0;
}

/* ---- waiting ---- */

/* The aligned words that a cell touches; all lie in its pages. */
static unsigned words_of(const struct ipckit_cell *cell, uint64_t *first)
{
	uint64_t last = (cell->offset + cell->size - 1) / WORD;

	*first = cell->offset / WORD * WORD;
	return (unsigned)(last - *first / WORD) + 1;
}

int ipckit_cell_wake(void *memory, size_t size, const struct ipckit_cell *cell)
{
	int r = ipckit_cell_check(size, cell);
	uint64_t first;
	unsigned count;

	if (r)
		return r;
	count = words_of(cell, &first);
	for (unsigned i = 0; i < count && r >= 0; i++) {
		r = futex_wake((uint32_t *)((char *)memory + first) + i, INT_MAX);
		/* Those that wait for a lock with priority inheritance do not wait for a value. */
		r = r == -EINVAL ? 0 : r;
	}
	return r < 0 ? r : 0;
}

/* One look: what the words held, and the value that this makes. Nothing is read twice, so that no change in
 * between is slept over. */
struct look {
	struct futex_word words[3];
	unsigned count;
	struct ipckit_cell_value value;
};

static void look_at(const void *memory, const struct ipckit_cell *cell, struct look *look)
{
	uint32_t image[3];
	uint64_t first, both;
	const uint32_t *place;

	look->count = words_of(cell, &first);
	place = (const uint32_t *)((const char *)memory + first);
	if (cell->size == sizeof(both) && ipckit_cell_aligned(cell)) {
		both = load_atomic(place, sizeof(both));
		memcpy(image, &both, sizeof(both));
	} else {
		for (unsigned i = 0; i < look->count; i++)
			image[i] = __atomic_load_n(place + i, __ATOMIC_SEQ_CST);
	}
	for (unsigned i = 0; i < look->count; i++)
		look->words[i] = (struct futex_word){ place + i, image[i] };
	look->value.bits = ordered(cell, from_bytes((char *)image + (cell->offset - first), cell->size));
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static int sleep_on(const struct look *look, int64_t ns, const struct ipckit_deadline *deadline)
{
	struct ipckit_deadline until;

	ipckit_deadline_in(ns, &until);
	until.stop = deadline->stop;
	if (deadline->kind == IPCKIT_DEADLINE_AT && is_before(&deadline->at, &until.at))
		until.at = deadline->at;
	if (look->count == 1)
		return futex_sleep(look->words[0].word, look->words[0].value, &until);
	return futex_sleep_any(look->words, look->count, &until);
}

int ipckit_cell_wait(const void *memory, size_t size, const struct ipckit_cell *cell, enum ipckit_compare op,
		     struct ipckit_cell_value value, const struct ipckit_deadline *deadline,
		     struct ipckit_cell_value *out)
{
	int64_t ns = SHORTEST_NS;
	struct look look;
	int r = ipckit_cell_check(size, cell);

	while (!r) {
		look_at(memory, cell, &look);
		if (ipckit_cell_compare(cell, look.value, op, value)) {
			*out = look.value;
			return 0;
		}
		r = ipckit_deadline_left(deadline, NULL);
		if (r)
			return r;
		r = sleep_on(&look, ns, deadline);
		if (r == -ETIMEDOUT)
			ns = ns < LONGEST_NS / 2 ? ns * 2 : LONGEST_NS;
		/* It was not woken, or changed meanwhile: only another look tells. */
		if (r == -ETIMEDOUT || r == -EAGAIN)
			r = 0;
	}
	return r;
}
