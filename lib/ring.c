/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ipckit/ring.h>

#include "futex.h"
#include "robust.h"
#include "sys.h"

#include <stdlib.h>

/*
 * Why no wake-up is lost. A sleeper sets FUTEX_WAITERS in the peer's owner word and sleeps = 1, and looks
 * again before it sleeps on both; the peer changes something, and then looks at sleeps. Is the peer killed
 * between its change and the wake, the kernel changes and wakes its owner word.
 *
 * Why nobody waits for the dead. A stream goes on while its writer's state is _STREAM and a thread has the
 * end; of all other states one side is in charge, which may be anybody who joins. The words of the dead stay
 * until they are acted upon.
 */

/* The writer sleeps until a quarter is free: the two do not take turns for every few bytes. */
#define ENOUGH(size) (((size) + 3) / 4)
/* A stranger that sleeps on an owner word may have got the one wake-up that the kernel gives. */
#define LOOK_AGAIN_NS 1000000000

struct ipckit_ring {
	struct ipckit_ring_end *writer, *reader, *own, *peer;
	char *data;
	uint64_t size, position, passed;
	enum ipckit_ring_side side;
	int over; /* reader: what was said of the stream's end, else 0 */
	uint32_t found; /* what the owner word was when it was taken */
	struct robust robust;
};

_Static_assert(sizeof(struct ipckit_ring_head) == 64 && sizeof(struct ipckit_ring_end) == 64,
	       "lines of 64 bytes");

#define load(place) __atomic_load_n(&(place), __ATOMIC_ACQUIRE)
#define store(place, value) __atomic_store_n(&(place), value, __ATOMIC_RELEASE)

/* What comes before is seen by others before what comes after is looked at. */
static void settle(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static bool swap_if(uint32_t *place, uint32_t expected, uint32_t value)
{
	return __atomic_compare_exchange_n(place, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Nobody who lives has the end: it is free, or its owner died. */
static bool is_free(uint32_t owner)
{
	return !(owner & FUTEX_TID_MASK);
}

static bool has_died(uint32_t owner)
{
	return is_free(owner) && owner & FUTEX_OWNER_DIED;
}

/* ---- the layout ---- */

static struct ipckit_ring_end *end_of(const void *memory, enum ipckit_ring_side side)
{
	return (struct ipckit_ring_end *)((char *)(uintptr_t)memory + 64 * (side == IPCKIT_RING_WRITER ? 1 : 2));
}

/* All zero, or a head that somebody is just filling in. */
static bool is_blank(const struct ipckit_ring_head *head, uint64_t capacity)
{
	const uint64_t *rest = (const uint64_t *)(const void *)(head + 1);
	uint64_t size = load(head->size);
	uint32_t version = load(head->version), data = load(head->data);

	for (size_t i = 0; i < (IPCKIT_RING_DATA - sizeof(*head)) / sizeof(*rest); i++)
		if (load(rest[i]))
			return false;
	return (!size || size == capacity) && (!version || version == IPCKIT_RING_VERSION) &&
	       (!data || data == IPCKIT_RING_DATA);
}

int ipckit_ring_check(const void *memory, size_t size, uint64_t *capacity)
{
	const struct ipckit_ring_head *head = memory;
	uint64_t room;

	if (size <= IPCKIT_RING_DATA || (uintptr_t)memory % sizeof(uint64_t))
		return -EINVAL;
	room = size - IPCKIT_RING_DATA;
	/* What is not blank may have become a ring since. */
	if (!load(head->magic) && is_blank(head, room)) {
		*capacity = room;
		return 0;
	}
	if (load(head->magic) != IPCKIT_RING_MAGIC)
		return -EBADMSG;
	if (load(head->version) != IPCKIT_RING_VERSION)
		return -EPROTONOSUPPORT;
	if (load(head->data) != IPCKIT_RING_DATA || load(head->size) != room)
		return -EBADMSG;
	*capacity = room;
	return 0;
}

static void fill_in(struct ipckit_ring_head *head, uint64_t capacity)
{
	if (load(head->magic))
		return;
	store(head->version, IPCKIT_RING_VERSION);
	store(head->data, IPCKIT_RING_DATA);
	store(head->size, capacity);
	store(head->magic, IPCKIT_RING_MAGIC);
}

pid_t ipckit_ring_owner(const void *memory, enum ipckit_ring_side side)
{
	return (pid_t)(load(end_of(memory, side)->owner) & FUTEX_TID_MASK);
}

/* ---- waiting ---- */

/* After a change of what is the caller's own: the peer is woken where it sleeps. */
static void kick(struct ipckit_ring *ring)
{
	settle();
	if (load(ring->peer->sleeps) && __atomic_exchange_n(&ring->peer->sleeps, 0, __ATOMIC_SEQ_CST))
		(void)futex_wake(&ring->peer->sleeps, INT_MAX);
}

/* Announces a sleep. False: the peer's owner word has just changed. */
static bool lie_down(struct ipckit_ring *ring, uint32_t *owner)
{
	store(ring->own->sleeps, 1);
	*owner = load(ring->peer->owner);
	if (!(*owner & FUTEX_WAITERS) && !swap_if(&ring->peer->owner, *owner, *owner | FUTEX_WAITERS))
		return false;
	*owner |= FUTEX_WAITERS;
	settle();
	return true;
}

static int sleep_on(struct ipckit_ring *ring, uint32_t owner, const struct ipckit_deadline *deadline)
{
	const struct futex_word words[] = { { &ring->own->sleeps, 1 }, { &ring->peer->owner, owner } };
	struct ipckit_deadline until;
	int r = ipckit_deadline_left(deadline, NULL);

	if (r)
		return r;
	ipckit_deadline_within(deadline, LOOK_AGAIN_NS, &until);
	r = futex_sleep_any(words, 2, &until);
	return r == -EAGAIN || r == -ETIMEDOUT ? 0 : r;
}

/* Looks at the peer: 0 and, in *ready, how much there is of what is waited for; or -errno. */
typedef int look_fn(struct ipckit_ring *ring, uint64_t *ready);

static int wait_until(struct ipckit_ring *ring, look_fn *look, const struct ipckit_deadline *deadline,
		      uint64_t *ready)
{
	uint32_t owner;
	int r = look(ring, ready);

	/* Without spinning: measured, it costs more than it gives. */
	while (!r && !*ready) {
		bool lies = lie_down(ring, &owner);

		r = look(ring, ready);
		if (lies && !r && !*ready)
			r = sleep_on(ring, owner, deadline) ?: look(ring, ready);
	}
	store(ring->own->sleeps, 0);
	return r;
}

/* ---- joining ---- */

static int look_whether_cleared(struct ipckit_ring *ring, uint64_t *ready)
{
	*ready = !load(ring->writer->clears) || is_free(load(ring->writer->owner));
	return 0;
}

/* Drops what lies in the ring, if nobody has the reader's end: one who takes it meanwhile waits. */
static bool drop(struct ipckit_ring *ring)
{
	bool alone;

	store(ring->writer->clears, 1);
	settle();
	alone = is_free(load(ring->reader->owner));
	if (alone) {
		store(ring->reader->position, ring->position);
		store(ring->reader->state, IPCKIT_RING_IDLE);
		store(ring->writer->state, IPCKIT_RING_IDLE);
	}
	store(ring->writer->clears, 0);
	kick(ring);
	return alone;
}

static int look_whether_idle(struct ipckit_ring *ring, uint64_t *ready)
{
	uint32_t state = load(ring->writer->state);
	bool taken = load(ring->reader->position) != load(ring->writer->begin);
	bool alone = is_free(load(ring->reader->owner));

	*ready = 0;
	switch (state) {
	case IPCKIT_RING_IDLE:
		/* A reader that has come meanwhile has nothing but what is its own to say. */
		if (alone)
			(void)drop(ring);
		*ready = 1;
		return load(ring->reader->position) == ring->position ? 0 : -EBADMSG;
	case IPCKIT_RING_COMPLETE:
		*ready = alone && taken && drop(ring);
		return 0;
	case IPCKIT_RING_BROKEN:
		*ready = alone && drop(ring);
		return 0;
	default:
		return -EBADMSG;
	}
}

static int begin_writing(struct ipckit_ring *ring, const struct ipckit_deadline *deadline)
{
	uint64_t idle;
	int r;

	store(ring->writer->clears, 0);
	swap_if(&ring->writer->state, IPCKIT_RING_STREAM, IPCKIT_RING_BROKEN);
	kick(ring);
	r = wait_until(ring, look_whether_idle, deadline, &idle);
	if (r)
		return r;
	store(ring->writer->begin, ring->position);
	store(ring->writer->state, IPCKIT_RING_STREAM);
	return 0;
}

static int begin_reading(struct ipckit_ring *ring, const struct ipckit_deadline *deadline)
{
	uint64_t cleared;
	int r = wait_until(ring, look_whether_cleared, deadline, &cleared);

	if (r)
		return r;
	ring->position = load(ring->reader->position);
	store(ring->reader->begin, ring->position);
	store(ring->reader->state, IPCKIT_RING_STREAM);
	return 0;
}

static int take_end(struct ipckit_ring *ring)
{
	do {
		ring->found = load(ring->own->owner);
		if (!is_free(ring->found))
			return -EBUSY;
	} while (!robust_take(&ring->robust, ring->found, false));
	return 0;
}

static int join(struct ipckit_ring *ring, const struct ipckit_deadline *deadline)
{
	int r = take_end(ring);

	if (r)
		return r;
	store(ring->own->sleeps, 0);
	settle();
	ring->position = load(ring->own->position);
	r = ring->side == IPCKIT_RING_WRITER ? begin_writing(ring, deadline) : begin_reading(ring, deadline);
	if (r) {
		robust_give(&ring->robust, ring->found & FUTEX_OWNER_DIED, INT_MAX);
		return r;
	}
	kick(ring);
	return 0;
}

int ipckit_ring_join(void *memory, size_t size, enum ipckit_ring_side side,
		     const struct ipckit_deadline *deadline, struct ipckit_ring **out)
{
	struct ipckit_ring *ring;
	uint64_t capacity;
	int r = ipckit_ring_check(memory, size, &capacity);

	if (r)
		return r;
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	fill_in(memory, capacity);
	ring->side = side;
	ring->size = capacity;
	ring->data = (char *)memory + IPCKIT_RING_DATA;
	ring->writer = end_of(memory, IPCKIT_RING_WRITER);
	ring->reader = end_of(memory, IPCKIT_RING_READER);
	ring->own = side == IPCKIT_RING_WRITER ? ring->writer : ring->reader;
	ring->peer = side == IPCKIT_RING_WRITER ? ring->reader : ring->writer;
	r = robust_begin(&ring->robust, &ring->own->owner);
	if (!r) {
		r = join(ring, deadline);
		if (r)
			robust_end(&ring->robust);
	}
	if (r) {
		free(ring);
		return r;
	}
	*out = ring;
	return 0;
}

/* ---- the stream ---- */

static int look_for_room(struct ipckit_ring *ring, uint64_t *ready)
{
	uint32_t owner = load(ring->reader->owner);
	uint32_t state = load(ring->reader->state);
	uint64_t used = ring->position - load(ring->reader->position);

	/* The state that was seen is that of the owner that was seen, if it is still there. */
	if (has_died(owner) && state == IPCKIT_RING_STREAM && load(ring->reader->owner) == owner)
		return -EPIPE;
	if (load(ring->reader->begin) > load(ring->writer->begin))
		return -EPIPE;
	*ready = ring->size - used;
	return used > ring->size ? -EBADMSG : 0;
}

/* The stream is over for this reader; the ring becomes idle when it leaves. */
static int finish(struct ipckit_ring *ring, int r)
{
	bool whole = load(ring->reader->begin) <= load(ring->writer->begin);

	ring->over = whole ? r : -EOWNERDEAD;
	return ring->over;
}

static int look_for_bytes(struct ipckit_ring *ring, uint64_t *ready)
{
	uint32_t state = load(ring->writer->state);
	uint32_t owner = load(ring->writer->owner);
	uint64_t used = load(ring->writer->position) - ring->position;

	*ready = used;
	if (used)
		return used > ring->size ? -EBADMSG : 0;
	switch (state) {
	case IPCKIT_RING_IDLE:
		return 0;
	case IPCKIT_RING_STREAM:
		/* The state that was seen may be older than the owner word: did it leave in the middle? */
		return is_free(owner) && load(ring->writer->state) == state ? finish(ring, -EOWNERDEAD) : 0;
	case IPCKIT_RING_COMPLETE:
		return finish(ring, -ENODATA);
	case IPCKIT_RING_BROKEN:
		return finish(ring, -EOWNERDEAD);
	default:
		return -EBADMSG;
	}
}

int ipckit_ring_wait(struct ipckit_ring *ring, const struct ipckit_deadline *deadline, struct iovec parts[2])
{
	look_fn *look = ring->side == IPCKIT_RING_WRITER ? look_for_room : look_for_bytes;
	uint64_t at = ring->position % ring->size, ready = 0;
	int r = ring->over ?: wait_until(ring, look, deadline, &ready);

	if (r)
		return r;
	parts[0].iov_base = ring->data + at;
	parts[0].iov_len = ready < ring->size - at ? ready : ring->size - at;
	parts[1].iov_base = ring->data;
	parts[1].iov_len = ready - parts[0].iov_len;
	return 0;
}

void ipckit_ring_pass(struct ipckit_ring *ring, size_t size)
{
	uint64_t used;

	ring->position += size;
	ring->passed += size;
	store(ring->own->position, ring->position);
	used = load(ring->writer->position) - load(ring->reader->position);
	/* Later is soon enough for a writer: a reader that stops here has left something to be read. */
	if (ring->side == IPCKIT_RING_WRITER || used == 0 || ring->size - used >= ENOUGH(ring->size))
		kick(ring);
}

uint64_t ipckit_ring_passed(const struct ipckit_ring *ring)
{
	return ring->passed;
}

/* ---- leaving ---- */

/*
 * Where the stream is over: makes room for the next. Only a writer that comes may still change the state,
 * once.
 */
static void make_idle(struct ipckit_ring *ring)
{
	uint32_t state;

	store(ring->reader->state, IPCKIT_RING_IDLE);
	do
		state = load(ring->writer->state);
	while (!swap_if(&ring->writer->state, state, IPCKIT_RING_IDLE));
}

/* Says in the ring how the stream stands. Returns whether this end leaves it whole. */
static bool end_stream(struct ipckit_ring *ring, bool whole)
{
	if (ring->over) {
		make_idle(ring);
		return true;
	}
	if (!whole || (ring->side == IPCKIT_RING_READER && ring->passed))
		return false;
	store(ring->own->state,
	      ring->side == IPCKIT_RING_WRITER ? (uint32_t)IPCKIT_RING_COMPLETE : (uint32_t)IPCKIT_RING_IDLE);
	return true;
}

void ipckit_ring_leave(struct ipckit_ring *ring, bool whole)
{
	if (!ring)
		return;
	whole = end_stream(ring, whole);
	kick(ring);
	robust_give(&ring->robust, whole ? 0 : FUTEX_OWNER_DIED, INT_MAX);
	robust_end(&ring->robust);
	free(ring);
}
