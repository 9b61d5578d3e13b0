/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_RING_H
#define IPCKIT_RING_H

/*
 * A byte stream between two processes through a ring in shared memory: one writer, one reader, no system call
 * but to sleep and to wake.
 *
 * Streams follow one another through the same ring. A stream ends when its writer says so; it is broken when
 * its writer or its reader ends before. Bytes, and the end, may lie in the ring while nobody has joined it.
 *
 * ---- layout ----
 *
 * All numbers are in the byte order of the machine. Memory that is all zero is an empty ring that nobody has
 * joined: who joins first fills in the head, which follows from the size of the memory alone, so that it does
 * not matter if two do it at once.
 *
 *   line 0     struct ipckit_ring_head          constant once magic is set, which is stored last
 *   line 1     struct ipckit_ring_end           the writer's
 *   line 2     struct ipckit_ring_end           the reader's
 *   lines 3-7  zero
 *   512...     the bytes: position p of all streams lies at 512 + p % head.size
 *
 * Of each end:
 *   owner     The id of the thread that has it, or no id: it is free. As in a robust mutex (ipckit/mutex.h)
 *             FUTEX_WAITERS says that somebody wants to be woken by its change, and FUTEX_OWNER_DIED, without
 *             an id, that the last owner died, or left in the middle of a stream. It is taken by
 *             compare-and-swap of a free value for the own id, FUTEX_WAITERS kept, while it is on the
 *             thread's robust list (get_robust_list(2)), and left by swapping in 0 or FUTEX_OWNER_DIED and
 *             waking who sleeps on it.
 *   position  Bytes that the writer has put in, that the reader has taken out, of all streams. The difference,
 *             0 to head.size, is what lies in the ring.
 *   begin     The writer's: the position at which its stream began. The reader's: that at which it joined. A
 *             reader's that lies beyond the writer's tells that the first bytes of this stream were another
 *             reader's.
 *   sleeps    1: the owner sleeps on it, in futex_waitv(2) together with the peer's owner word, in which it
 *             has set FUTEX_WAITERS before.
 *   state     The writer's: IPCKIT_RING_IDLE, no stream, and nothing lies in the ring; _STREAM, one is being
 *             written; _COMPLETE, and _BROKEN (its writer died), for a reader to take the rest and to make it
 *             _IDLE. The reader's: _STREAM from the time it has joined until it has seen the stream's end,
 *             else _IDLE.
 *   clears    The writer's: 1 while it looks whether there is a reader, to drop what no reader will come for.
 *
 * Each end is written by its owner alone, but for these: sleeps, which the peer swaps to 0 when it wakes;
 * state of the writer, which the reader swaps to _IDLE; FUTEX_WAITERS in owner; position and state of the
 * reader, by the writer, while clears is 1 and nobody has the reader's end. Whoever has changed its position,
 * state, begin or clears, then swaps the peer's sleeps to 0, and wakes it where it was 1. Accesses are
 * sequentially consistent, or ordered by fences that make them so: a change and the look at sleeps; setting
 * sleeps and the look at all the rest before the sleep; setting clears and the look at the reader's owner;
 * taking the reader's end and the look at clears.
 *
 * Writer. Takes its end; clears = 0; a state of _STREAM becomes _BROKEN, by compare-and-swap. Until the state
 * is _IDLE: where nobody has the reader's end, and it is _BROKEN, or _COMPLETE with a part of it taken
 * (reader's position not begin), it drops it, else it sleeps. To drop: clears = 1; is the reader's end still
 * free, then the reader's position = its own, the reader's state = _IDLE, its own state = _IDLE; clears = 0.
 * Once it is _IDLE it drops in the same way what a reader's end that is free still says. Then begin =
 * position, state = _STREAM. The stream is broken when the reader's owner word is FUTEX_OWNER_DIED without an
 * id while its state is _STREAM (look at the owner word again after the state), or its begin is beyond the
 * writer's. At the end of input state = _COMPLETE; then it leaves with 0. Before it, it leaves with
 * FUTEX_OWNER_DIED.
 *
 * Reader. Takes its end; sleeps while clears is 1 and somebody has the writer's end; begin = position, state
 * = _STREAM. Looks at the writer's state, then its owner word, then its position: what lies there is taken
 * first. Is nothing left, then the stream is over where the state is _COMPLETE or _BROKEN, or _STREAM, looked
 * at again, while nobody has the writer's end. Then its own state = _IDLE, the writer's is made _IDLE by
 * compare-and-swap, and it leaves with 0. Before that, it leaves with FUTEX_OWNER_DIED; has it taken nothing
 * since it joined, it may set its state to _IDLE and leave with 0 as if it had not come.
 */

#include <ipckit/base.h>
#include <ipckit/deadline.h>
#include <sys/uio.h>

#define IPCKIT_RING_MAGIC UINT64_C(0x474e49524b435049) /* "IPCKRING" in little endian */
#define IPCKIT_RING_VERSION 1u
#define IPCKIT_RING_DATA 512u /* where the bytes begin; a segment has at least one more */

enum ipckit_ring_state {
	IPCKIT_RING_IDLE,
	IPCKIT_RING_STREAM,
	IPCKIT_RING_COMPLETE,
	IPCKIT_RING_BROKEN,
};

struct ipckit_ring_head {
	uint64_t magic;
	uint32_t version;
	uint32_t data; /* IPCKIT_RING_DATA */
	uint64_t size; /* bytes that the ring can hold: the memory's size less data */
	char zero[40];
};

struct ipckit_ring_end {
	uint32_t owner;
	uint32_t sleeps;
	uint32_t state;
	uint32_t clears;
	uint64_t position;
	uint64_t begin;
	char zero[32];
};

/* ---- joining ---- */

struct ipckit_ring;

enum ipckit_ring_side { IPCKIT_RING_WRITER, IPCKIT_RING_READER };

/*
 * Joins a ring as one of its two ends.
 *
 * memory, size: a shared mapping of a whole segment, for reading and writing; it stays mapped until the end
 * is left. A stream before it that is complete and not yet read to its end is waited for by a writer, until
 * the deadline, and so is a reader that is still at the rest of a broken one. Other broken ones are dropped
 * by a writer, and by a reader read as far as they go.
 *
 * While a thread has joined one it has a robust list of the library's own, see ipckit_mutex_lock(). out:
 * left, and freed, with ipckit_ring_leave(), by the same thread. Errors: -EBUSY (that end is taken, by a
 * thread that lives: see ipckit_ring_owner()); -EBADMSG (the memory is neither zero nor a ring, or one of
 * another size); -EINVAL (too small, or not aligned to 8); -EPROTONOSUPPORT (another version); -EDEADLK (this
 * thread has joined one, or holds a mutex); -EAGAIN, -ETIMEDOUT, -EINTR; -EFAULT (the memory has gone);
 * -ENOMEM.
 */
IPCKIT_CHECK int ipckit_ring_join(void *memory, size_t size, enum ipckit_ring_side side,
				  const struct ipckit_deadline *deadline, struct ipckit_ring **out);

/*
 * Whether memory holds a ring, or could become one (all zero in its first 512 bytes). Returns 0 and the bytes
 * that it can hold, or -EBADMSG, -EINVAL, -EPROTONOSUPPORT.
 */
IPCKIT_CHECK int ipckit_ring_check(const void *memory, size_t size, uint64_t *capacity);

/* The thread id that an end's word names, in its PID namespace; 0: none. */
pid_t ipckit_ring_owner(const void *memory, enum ipckit_ring_side side);

/* ---- the stream ---- */

/*
 * Waits until there is room (writer) or there are bytes (reader), and tells where: parts[0], and parts[1]
 * where it goes on at the ring's begin, else of length 0. Blocks until the deadline.
 *
 * Errors: -EPIPE (writer: the reader has left or died in the stream; nobody will read it); -ENODATA (reader:
 * the stream has ended and all of it was taken); -EOWNERDEAD (reader: the writer left or died in the stream,
 * and all that it had put in was taken; or the stream's first bytes were taken by another reader, and it has
 * ended); -EBADMSG (what another process wrote there is no ring any more); -EAGAIN, -ETIMEDOUT, -EINTR;
 * -EFAULT (the memory has gone).
 */
IPCKIT_CHECK int ipckit_ring_wait(struct ipckit_ring *ring, const struct ipckit_deadline *deadline,
				  struct iovec parts[2]);

/*
 * Passes on bytes: that were put into the room (writer), that are no longer needed (reader), size at most
 * what ipckit_ring_wait() told of last. Does not block; wakes the peer where it sleeps and there is enough
 * for it.
 */
void ipckit_ring_pass(struct ipckit_ring *ring, size_t size);

/* The bytes that were passed on since it was joined. */
uint64_t ipckit_ring_passed(const struct ipckit_ring *ring);

/*
 * Leaves. Writer: with whole the stream is complete, else it is broken, and the reader is told so as of a
 * death. Reader: at the stream's end it makes room for the next one; before, it breaks it, but not, with
 * whole, where it has taken nothing: then the next reader may. NULL is nothing.
 */
void ipckit_ring_leave(struct ipckit_ring *ring, bool whole);

#endif
