/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_RWLOCK_H
#define IPCKIT_RWLOCK_H

/*
 * A lock for many readers or one writer, in one word of shared memory.
 *
 * A writer owns the word as it would a robust mutex (mutex.h): it holds the writer's thread id, and the kernel
 * marks it when the writer dies; the next one, reader or writer, is told. Readers are a number beside
 * IPCKIT_RWLOCK_READERS: the kernel does not take back what a dead reader counts. So readers of a word in a file
 * have fences (fence.h) around it, by which writers find out that none of those who are counted lives.
 *
 * A writer that waits for readers keeps new ones out by IPCKIT_RWLOCK_WRITER_WAITS, beside which stands the
 * time at which it was last seen alive: it renews that several times a second, takes the mark away where it
 * gives up, and where it is killed readers come in after about a second (0.5 to 1.4).
 */

#include <ipckit/base.h>
#include <ipckit/deadline.h>
#include <ipckit/word.h>

#define IPCKIT_RWLOCK_READERS 0x20000000u
#define IPCKIT_RWLOCK_WRITER_WAITS 0x10000000u
#define IPCKIT_RWLOCK_SEEN 0x0fc00000u  /* CLOCK_MONOTONIC in units of 2^28 ns, modulo 64 */
#define IPCKIT_RWLOCK_COUNT 0x003fffffu /* how many readers there are, or the writer's thread id */

/* What a word says. */
struct ipckit_rwlock_state {
	unsigned readers;
	pid_t writer;       /* 0: none */
	bool owner_died, waiters, writer_waits;
};
/* -EBADMSG: it is no such lock. Pure. */
IPCKIT_CHECK int ipckit_rwlock_decode(uint32_t value, struct ipckit_rwlock_state *out);

/* One more reader. owner_died: the last writer ended without unlocking; it stays marked for all until a writer
 * has unlocked. Errors: -EAGAIN, -ETIMEDOUT, -EINTR (deadline.h); -EBADMSG; -EOVERFLOW (2^22 - 2 readers);
 * -EFAULT. Blocks. */
IPCKIT_CHECK int ipckit_rwlock_read(uint32_t *word, const struct ipckit_deadline *deadline, bool *owner_died);
/* One reader less. -EPERM: there is none; -EBADMSG. Async-signal-safe. Does not block. */
IPCKIT_CHECK int ipckit_rwlock_read_unlock(uint32_t *word);
/*
 * The same, with a fence around the word (fence.h, IPCKIT_FENCE_READER), from before it is counted until after it is
 * counted no more. Where a writer looks for readers that died, as futexctl does of words in files, all readers
 * have one: who has none is taken for dead. The fence is of the word's descriptor: each reader opens the word
 * itself, and hands a copy on to whoever reads with it. In a System V segment: without. Errors: as above; -errno of
 * fcntl(2). Blocks.
 */
IPCKIT_CHECK int ipckit_rwlock_read_word(struct ipckit_word *word, const struct ipckit_deadline *deadline,
					 bool *owner_died);
IPCKIT_CHECK int ipckit_rwlock_read_word_unlock(struct ipckit_word *word);

/*
 * Where no reader has a fence around the word, takes all of them away that it counts. word: open for writing; one
 * that is no such lock, or that nobody reads, is left as it is, and forgotten is 0. Errors: -EAGAIN (somebody has a
 * fence, or looks at this moment), -EOPNOTSUPP (a System V segment); -errno of fcntl(2). Does not block.
 */
IPCKIT_CHECK int ipckit_rwlock_forget(struct ipckit_word *word, unsigned *forgotten);

struct ipckit_rwlock_writer;
/* The only one. As ipckit_mutex_lock(), whose rules on threads hold: -EDEADLK, -EINVAL, -ENOMEM, too. Blocks. */
IPCKIT_CHECK int ipckit_rwlock_write(uint32_t *word, const struct ipckit_deadline *deadline, bool *owner_died,
				     struct ipckit_rwlock_writer **out);
/*
 * The same, of a word all of whose readers have fences: where it has waited for readers alone for about a second,
 * it forgets those that died, and so each second. forgotten: how many, also on failure. In a System V segment:
 * as ipckit_rwlock_write().
 */
IPCKIT_CHECK int ipckit_rwlock_write_word(struct ipckit_word *word, const struct ipckit_deadline *deadline,
					  bool *owner_died, unsigned *forgotten,
					  struct ipckit_rwlock_writer **out);
/* Wakes all that wait. -EPERM: as ipckit_mutex_unlock(). NULL is nothing. Does not block. */
int ipckit_rwlock_write_unlock(struct ipckit_rwlock_writer *writer);

#endif
