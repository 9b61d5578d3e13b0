/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock.h"
#include "contend.h"
#include "futex.h"
#include "robust.h"

#include <errno.h>
#include <ipckit/fence.h>
#include <ipckit/mutex.h>
#include <ipckit/rwlock.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

/*
 * Readers and writers sleep on the one word, so that whoever clears FUTEX_WAITERS wakes all of them; the
 * kernel, at a writer's end, wakes one, and leaves the bit.
 */

#define COUNT IPCKIT_RWLOCK_COUNT
#define READERS IPCKIT_RWLOCK_READERS
#define WRITER_WAITS IPCKIT_RWLOCK_WRITER_WAITS
#define SEEN IPCKIT_RWLOCK_SEEN

/* The clock of SEEN: four ticks a second, nearly. */
#define TICK_SHIFT 28
#define SEEN_SHIFT 22
#define TICKS 64 /* that SEEN tells apart */
#define RENEWED_AFTER 2 /* ticks */
#define ALIVE_FOR 4
#define LOOK_NS (INT64_C(1) << TICK_SHIFT)
#define PATIENCE_NS 1000000000 /* with readers that may have died */

_Static_assert(COUNT == CONTEND_TIDS - 1, "thread ids and readers have the same bits");

struct ipckit_rwlock_writer {
	struct robust robust;
};

/* ---- values ---- */

static bool is_rwlock(uint32_t value)
{
	/* All of its bits is no number of readers, so that IPCKIT_ONCE_DONE is none of these. */
	if (value & (READERS | WRITER_WAITS))
		return (value & READERS ? (value & COUNT) < COUNT : !(value & COUNT)) &&
		       (value & WRITER_WAITS || !(value & SEEN));
	return contend_is_mutex(value);
}

static bool is_read(uint32_t value)
{
	return value & READERS && value & COUNT;
}

static bool is_written(uint32_t value)
{
	return !(value & READERS) && value & COUNT;
}

int ipckit_rwlock_decode(uint32_t value, struct ipckit_rwlock_state *out)
{
	if (!is_rwlock(value))
		return -EBADMSG;
	*out = (struct ipckit_rwlock_state){
		.readers = value & READERS ? value & COUNT : 0,
		.writer = is_written(value) ? ipckit_mutex_owner(value) : 0,
		.owner_died = value & FUTEX_OWNER_DIED,
		.waiters = value & FUTEX_WAITERS,
		.writer_waits = value & WRITER_WAITS,
	};
	return 0;
}

static uint32_t tick(void)
{
	return (uint32_t)((uint64_t)clock_read() >> TICK_SHIFT);
}

/* Ticks since a writer that waits was seen alive. */
static uint32_t age(uint32_t value)
{
	return (tick() - (value >> SEEN_SHIFT)) % TICKS;
}

static uint32_t without_mark(uint32_t value)
{
	return value & ~(WRITER_WAITS | SEEN);
}

static bool keeps_out(uint32_t value)
{
	return value & WRITER_WAITS && age(value) <= ALIVE_FOR;
}

static bool change(uint32_t *word, uint32_t *seen, uint32_t value)
{
	if (!__atomic_compare_exchange_n(word, seen, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	if (*seen & ~value & FUTEX_WAITERS)
		(void)futex_wake(word, INT_MAX);
	return true;
}

/* ---- readers ---- */

/* Nobody keeps it out: what is left of a mark is that of a writer which was killed. */
static uint32_t with_reader(uint32_t seen)
{
	uint32_t value = without_mark(seen | READERS) + 1;

	/* At one's death the kernel woke one, or none. */
	return seen & (FUTEX_OWNER_DIED | WRITER_WAITS) ? value & ~FUTEX_WAITERS : value;
}

static int await_readable(uint32_t *word, uint32_t seen, const struct ipckit_deadline *deadline)
{
	return contend_await(word, seen, seen | FUTEX_WAITERS, is_written(seen) ? CONTEND_LOOK_NS : LOOK_NS,
			     deadline);
}

static bool is_readable(uint32_t value)
{
	return !is_written(value) && !keeps_out(value);
}

static int await_turn(uint32_t *word, const struct ipckit_deadline *deadline)
{
	uint32_t seen;
	int r = 0;

	while (!r && !is_readable(seen = __atomic_load_n(word, __ATOMIC_SEQ_CST)))
		r = is_rwlock(seen) ? await_readable(word, seen, deadline) : -EBADMSG;
	return r;
}

/* -EBUSY: it is not readable any more. */
static int count_in(uint32_t *word, bool *owner_died)
{
	uint32_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);

	do {
		if (!is_rwlock(seen))
			return -EBADMSG;
		if (!is_readable(seen))
			return -EBUSY;
		if ((seen & COUNT) == COUNT - 1)
			return -EOVERFLOW;
	} while (!change(word, &seen, with_reader(seen)));
	*owner_died = seen & FUTEX_OWNER_DIED;
	return 0;
}

int ipckit_rwlock_read(uint32_t *word, const struct ipckit_deadline *deadline, bool *owner_died)
{
	int r;

	do {
		r = await_turn(word, deadline) ?: count_in(word, owner_died);
	} while (r == -EBUSY);
	return r;
}

static int count_in_fenced(struct ipckit_word *word, const struct ipckit_deadline *deadline, bool *owner_died)
{
	uint64_t offset = ipckit_word_offset(word);
	int fd = ipckit_word_fd(word);
	int r = ipckit_fence_set(fd, offset, IPCKIT_FENCE_READER, deadline);

	if (r)
		return r;
	r = count_in(ipckit_word_at(word), owner_died);
	if (r)
		ipckit_fence_clear(fd, offset, IPCKIT_FENCE_READER);
	return r;
}

/* While it waits it has no fence: a writer that it waits for may wait for nobody but the dead. */
int ipckit_rwlock_read_word(struct ipckit_word *word, const struct ipckit_deadline *deadline, bool *owner_died)
{
	int r;

	if (ipckit_word_fd(word) < 0)
		return ipckit_rwlock_read(ipckit_word_at(word), deadline, owner_died);
	do {
		r = await_turn(ipckit_word_at(word), deadline) ?: count_in_fenced(word, deadline, owner_died);
	} while (r == -EBUSY);
	return r;
}

/* The last one leaves the mark: it is a writer's turn. */
static uint32_t without_reader(uint32_t seen)
{
	return (seen & COUNT) > 1 ? seen - 1 : (seen - 1) & ~(READERS | FUTEX_WAITERS);
}

int ipckit_rwlock_read_unlock(uint32_t *word)
{
	uint32_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	const int error = errno;

	do {
		if (!is_rwlock(seen))
			return -EBADMSG;
		if (!is_read(seen))
			return -EPERM;
	} while (!change(word, &seen, without_reader(seen)));
	errno = error;
	return 0;
}

int ipckit_rwlock_read_word_unlock(struct ipckit_word *word)
{
	int r = ipckit_rwlock_read_unlock(ipckit_word_at(word));

	/* A writer that saw the fence go, and the number stay, would take the number away as well. */
	if (ipckit_word_fd(word) >= 0)
		ipckit_fence_clear(ipckit_word_fd(word), ipckit_word_offset(word), IPCKIT_FENCE_READER);
	return r;
}

/* ---- readers that died ---- */

static unsigned forget(uint32_t *word)
{
	uint32_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);

	do {
		if (!is_rwlock(seen) || !is_read(seen))
			return 0;
	} while (!change(word, &seen, seen & ~(READERS | COUNT | FUTEX_WAITERS)));
	return seen & COUNT;
}

/*
 * Nobody can be counted, who has to have a fence for that, between the question whether anybody lives and the
 * change. (To compare the value before and after would not do: one may have gone, and another have come.)
 */
int ipckit_rwlock_forget(struct ipckit_word *word, unsigned *forgotten)
{
	uint64_t offset = ipckit_word_offset(word);
	int fd = ipckit_word_fd(word);
	int r = fd < 0 ? -EOPNOTSUPP : ipckit_fence_forbid(fd, offset, IPCKIT_FENCE_READER);

	if (r)
		return r;
	*forgotten = forget(ipckit_word_at(word));
	ipckit_fence_clear(fd, offset, IPCKIT_FENCE_READER);
	return 0;
}

/* ---- writers ---- */

/* That it waits; and is alive, where readers are to be kept out. */
static uint32_t with_mark(uint32_t seen)
{
	seen |= FUTEX_WAITERS;
	if (!(seen & READERS) || (seen & WRITER_WAITS && age(seen) < RENEWED_AFTER))
		return seen;
	return without_mark(seen) | WRITER_WAITS | (tick() << SEEN_SHIFT & SEEN);
}

/* Other writers that wait are woken, and mark it again. */
static void take_mark_away(uint32_t *word)
{
	uint32_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);

	while (is_rwlock(seen) && seen & WRITER_WAITS &&
	       !change(word, &seen, without_mark(seen) & ~FUTEX_WAITERS))
		;
}

struct wait {
	struct ipckit_word *file;        /* NULL: readers that died are not looked for */
	bool readers;                    /* there were some to wait for */
	bool patient;                    /* there are, and nobody who writes, */
	struct ipckit_deadline patience; /* until they are looked for */
	unsigned forgotten;
};

static void forget_dead(struct wait *wait, uint32_t seen)
{
	bool was_patient = wait->patient;
	unsigned count;

	wait->patient = wait->file && is_read(seen);
	if (!wait->patient)
		return;
	if (!was_patient)
		ipckit_deadline_in(PATIENCE_NS, &wait->patience);
	else if (ipckit_deadline_left(&wait->patience, NULL) && !ipckit_rwlock_forget(wait->file, &count))
		wait->forgotten += count;
}

static int take(struct robust *robust, const struct ipckit_deadline *deadline, struct wait *wait, bool *owner_died)
{
	uint32_t seen;
	int r;

	for (;;) {
		seen = __atomic_load_n(robust->word, __ATOMIC_SEQ_CST);
		if (!is_rwlock(seen))
			return -EBADMSG;
		if (!(seen & COUNT)) {
			if (!robust_take(robust, seen, false))
				continue;
			*owner_died = seen & FUTEX_OWNER_DIED;
			return 0;
		}
		wait->readers = wait->readers || is_read(seen);
		forget_dead(wait, seen);
		r = contend_await(robust->word, seen, with_mark(seen), is_written(seen) ? CONTEND_LOOK_NS : LOOK_NS,
				  deadline);
		if (r)
			return r;
	}
}

static int begin(struct ipckit_rwlock_writer *writer, uint32_t *word, const struct ipckit_deadline *deadline,
		 struct wait *wait, bool *owner_died)
{
	int r = robust_begin(&writer->robust, word);

	if (r)
		return r;
	r = take(&writer->robust, deadline, wait, owner_died);
	if (!r)
		return 0;
	robust_end(&writer->robust);
	if (wait->readers && deadline->kind != IPCKIT_DEADLINE_TRY)
		take_mark_away(word);
	return r;
}

static int write_lock(uint32_t *word, const struct ipckit_deadline *deadline, struct wait *wait, bool *owner_died,
		      struct ipckit_rwlock_writer **out)
{
	struct ipckit_rwlock_writer *writer;
	int r;

	if ((uintptr_t)word % sizeof(*word))
		return -EINVAL;
	writer = malloc(sizeof(*writer));
	if (!writer)
		return -ENOMEM;
	r = begin(writer, word, deadline, wait, owner_died);
	if (r)
		free(writer);
	else
		*out = writer;
	return r;
}

int ipckit_rwlock_write(uint32_t *word, const struct ipckit_deadline *deadline, bool *owner_died,
			struct ipckit_rwlock_writer **out)
{
	struct wait wait = { 0 };

	return write_lock(word, deadline, &wait, owner_died, out);
}

int ipckit_rwlock_write_word(struct ipckit_word *word, const struct ipckit_deadline *deadline, bool *owner_died,
			     unsigned *forgotten, struct ipckit_rwlock_writer **out)
{
	struct wait wait = { .file = ipckit_word_fd(word) < 0 ? NULL : word };
	int r = write_lock(ipckit_word_at(word), deadline, &wait, owner_died, out);

	*forgotten = wait.forgotten;
	return r;
}

int ipckit_rwlock_write_unlock(struct ipckit_rwlock_writer *writer)
{
	int r;

	if (!writer)
		return 0;
	r = robust_give(&writer->robust, 0, INT_MAX);
	robust_end(&writer->robust);
	free(writer);
	return r;
}
