/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sem-image.h"

#include <errno.h>
#include <limits.h>
#include <semaphore.h>
#include <string.h>

#define WORDS (sizeof(sem_t) / sizeof(uint32_t))

/* No system has more threads than this (PID_MAX_LIMIT); killed waiters may add to it. */
#define WAITERS_MAX (1u << 24)

struct layout {
	uint32_t constant[WORDS];
	size_t value;   /* the word that holds it */
	unsigned shift; /* 32-bit glibc keeps a flag below it */
	size_t waiters;
};

static bool make(unsigned value, uint32_t words[WORDS])
{
	sem_t sem;

	memset(&sem, 0, sizeof(sem));
	if (sem_init(&sem, 1, value))
		return false;
	memcpy(words, &sem, sizeof(sem));
	return true;
}

/*
 * glibc where 64-bit atomics are to be had: value and waiters are the halves of
 * one 64-bit word, then comes `private`. Else: value << 1 | flag, private, waiters.
 */
static bool find_layout(struct layout *layout)
{
	uint32_t one[WORDS];
	size_t differing = 0;

	if (!make(0, layout->constant) || !make(1, one))
		return false;
	for (size_t i = 0; i < WORDS; i++) {
		if (one[i] == layout->constant[i])
			continue;
		differing++;
		layout->value = i;
		layout->shift = one[i] == 2;
	}
	layout->waiters = layout->shift ? layout->value + 2 : layout->value ^ 1;
	return differing == 1 && one[layout->value] == 1u << layout->shift &&
	       layout->waiters < WORDS && !layout->constant[layout->waiters];
}

static bool has_constants(const struct layout *layout, const uint32_t words[WORDS], bool *whole)
{
	*whole = true;
	for (size_t i = 0; i < WORDS; i++) {
		if (i == layout->value || i == layout->waiters || words[i] == layout->constant[i])
			continue;
		/* sem_init() leaves alone what it does not use: in memory anything may stand there.
		 */
		if (layout->constant[i])
			return false;
		*whole = false;
	}
	return true;
}

int sem_image_read(const void *bytes, size_t size, struct sem_image *out)
{
	struct layout layout = { 0 };
	uint32_t words[WORDS];
	struct sem_image image;

	if (size != sizeof(sem_t) || !find_layout(&layout))
		return -EBADMSG;
	memcpy(words, bytes, sizeof(words));
	image.value = words[layout.value] >> layout.shift;
	image.waiters = words[layout.waiters];
	if (!has_constants(&layout, words, &image.whole) || image.value > SEM_VALUE_MAX ||
	    image.waiters > WAITERS_MAX)
		return -EBADMSG;
	*out = image;
	return 0;
}
