/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_ROBUST_H
#define LIB_ROBUST_H

/*
 * Ownership of words that the kernel takes back when the owning thread ends: it puts FUTEX_OWNER_DIED into each
 * and wakes one that sleeps on it. While a thread owns some it has a robust list of ours, whose one offset leads
 * from each entry to its word.
 *
 * The entry of a single word is in the list itself, so that the word may stand anywhere. Entries of several stand
 * at one distance before them (word-node.h). They may be as little aligned as a word, which those architectures
 * read on which the list can have them at all: see robust_begin_words(). The last that was taken is given up
 * first: so no entry is written while it is on the list, and it may be by more than one store.
 *
 * The word is the one that is "being taken" (list_op_pending) only from the moment before it is changed to
 * the one after: the kernel knows an owner by its thread id, and a thread of another PID namespace may have
 * ours. So a sleeper that was woken and ends before it has taken the word does not wake the next: who sleeps
 * among others looks again from time to time, or all of them are woken.
 *
 * It is otherwise with words of priority inheritance, which the kernel gives to a sleeper that may end before
 * it knows: they are being taken during the whole wait.
 */

#include <ipckit/base.h>
#include <linux/futex.h>

struct robust {
	struct robust_list_head head;
	struct robust_list node;         /* of a single word */
	uintptr_t mark;                  /* the kernel's, in addresses of entries: priority inheritance */
	struct robust_list_head *before; /* the thread's own (libc's), put back at the end */
	size_t before_size;
	uint32_t *word; /* that it is about */
	uint32_t tid;
};

/*
 * Makes robust the thread's list, for this word. -EDEADLK where it has one of ours. robust stays where it is
 * until robust_end().
 */
IPCKIT_CHECK int robust_begin(struct robust *robust, uint32_t *word);
/* The same for a word of priority inheritance: the kernel wakes others by its own means. */
IPCKIT_CHECK int robust_begin_pi(struct robust *robust, uint32_t *word);
/*
 * The same for several of priority inheritance, up to ROBUST_LIST_LIMIT of them, which the kernel goes through: what
 * follows is about the one that was turned to. distance: from their entries to them. -EOPNOTSUPP where the kernel
 * of this architecture may not read a pointer that is not aligned.
 */
IPCKIT_CHECK int robust_begin_words(struct robust *robust, size_t distance);
void robust_turn_to(struct robust *robust, uint32_t *word);
/*
 * Tries to own the word, whose value was seen to be `seen` (free: without a thread id): makes it tid |
 * FUTEX_WAITERS, where seen has that bit, waiters is true or tid is 1 or 2, else tid. FUTEX_OWNER_DIED is cleared.
 * Returns whether it was done.
 */
bool robust_take(struct robust *robust, uint32_t seen, bool waiters);
/*
 * Gives it up: where the word names this thread it becomes value, and where it had FUTEX_WAITERS, too, up to count
 * threads are woken. Should this one be killed in between, the kernel wakes one if value is 0; of other values not
 * every kernel does, so that those that sleep have to look again by themselves. -EPERM: it was taken away by force,
 * and is left as it is; it is owned no more in any case.
 */
int robust_give(struct robust *robust, uint32_t value, int count);

/* What these two are made of, for words that the kernel itself hands over. */
void robust_reach(struct robust *robust);  /* from here on it is being taken */
void robust_hold(struct robust *robust);   /* it has been taken: first on the list */
void robust_part(struct robust *robust);   /* it, the first, is being given up: off the list, but still looked at */
void robust_settle(struct robust *robust); /* that is done, or was not */

/* Puts the thread's list back. */
void robust_end(struct robust *robust);

#endif
