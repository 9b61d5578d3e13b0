/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "futex.h"
#include "robust.h"
#include "sys.h"
#include "word-node.h"

#include <ipckit/mutex.h>
#include <limits.h>
#include <stdlib.h>

/*
 * Whoever is killed here leaves FUTEX_OWNER_DIED, or nothing: the word is being taken or given, or is on the
 * list, at every moment at which it may have the thread's id. The kernel writes that id for a sleeper, which
 * may end before it runs again.
 */

/* How often sleepers of another kind are sent away before the owner gives up the word without the kernel. */
#define TRIES 100

struct ipckit_pi {
	struct robust robust;
	unsigned count; /* of those that are held, or being taken */
	struct held {
		uint32_t *word;
		bool died; /* its last owner had */
	} held[];
};

/* This thread's, for handlers of signals. */
static _Thread_local struct ipckit_pi *volatile own __attribute__((tls_model("initial-exec")));

/* In the order in which it is written, also for handlers. */
static void set_count(struct ipckit_pi *pi, unsigned count)
{
	__atomic_store_n(&pi->count, count, __ATOMIC_RELEASE);
}

/* ---- deadlines ---- */

/* The point at which the kernel ends a wait, NULL: none; -errno: it must not begin. */
static int point_of(const struct ipckit_deadline *deadline, unsigned flags, struct timespec *room,
		    const struct timespec **point)
{
	return ipckit_deadline_point(deadline, flags & IPCKIT_FUTEX_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, room,
				     point);
}

/* ---- taking ---- */

/* Without a deadline, or before it; -ENOSYS: not on this clock. */
static int sleep_for_lock(uint32_t *word, unsigned flags, const struct ipckit_deadline *deadline)
{
	const struct timespec *point;
	struct timespec room;
	int r = point_of(deadline, flags, &room, &point);
	int tried;

	if (!r)
		return ipckit_futex_lock_pi(word, flags, point);
	/* Free words that are not 0 are the kernel's to take. */
	tried = ipckit_futex_trylock_pi(word, 0);
	return tried == -EAGAIN ? r : tried;
}

static int wait_for_lock(uint32_t *word, unsigned flags, const struct ipckit_deadline *deadline)
{
	int r = sleep_for_lock(word, flags, deadline);

	if (r != -ENOSYS || flags & IPCKIT_FUTEX_REALTIME)
		return r;
	/* Before Linux 5.14. Where that clock is set forward, there is time left. */
	do
		r = sleep_for_lock(word, IPCKIT_FUTEX_REALTIME, deadline);
	while (r == -ETIMEDOUT && !ipckit_deadline_left(deadline, NULL));
	return r;
}

static int take(struct robust *robust, unsigned flags, const struct ipckit_deadline *deadline)
{
	uint32_t none = 0;

	if (__atomic_compare_exchange_n(robust->word, &none, robust->tid, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED))
		return 0;
	return wait_for_lock(robust->word, flags, deadline);
}

static bool is_left(uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE) & FUTEX_OWNER_DIED;
}

/* Whether the last owner ended with it. Others, and the kernel, may set FUTEX_WAITERS while that is taken off. */
static void look(struct held *held)
{
	if (!is_left(held->word))
		return;
	held->died = true;
	__atomic_fetch_and(held->word, ~FUTEX_OWNER_DIED, __ATOMIC_ACQ_REL);
}

/* ---- giving ---- */

/*
 * As the kernel does at an owner's end, so that the word does not keep the name of one that is not told of. Who
 * sleeps on it is given it at the end of this thread.
 */
static void leave(const struct robust *robust)
{
	uint32_t seen = __atomic_load_n(robust->word, __ATOMIC_RELAXED);

	while ((seen & FUTEX_TID_MASK) == robust->tid &&
	       !__atomic_compare_exchange_n(robust->word, &seen, (seen & FUTEX_WAITERS) | FUTEX_OWNER_DIED, false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static int give_to_next(uint32_t *word)
{
	/* What the kernel hands over is not seen by race detectors: they are shown that others may go on. */
	__atomic_fetch_add(word, 0, __ATOMIC_RELEASE);
	return ipckit_futex_unlock_pi(word, 0);
}

static int give(struct robust *robust)
{
	int r = -EINVAL;

	for (int i = 0; r == -EINVAL && i < TRIES; i++) {
		uint32_t own = robust->tid;

		if (__atomic_compare_exchange_n(robust->word, &own, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return 0;
		r = give_to_next(robust->word);
		/* Who sleeps as on a word of another kind stands in the way of the others. */
		if (r == -EINVAL)
			(void)futex_wake(robust->word, INT_MAX);
	}
	if (r)
		leave(robust);
	return r;
}

static int give_last(struct ipckit_pi *pi)
{
	int r;

	robust_turn_to(&pi->robust, pi->held[pi->count - 1].word);
	robust_part(&pi->robust);
	r = give(&pi->robust);
	robust_settle(&pi->robust);
	set_count(pi, pi->count - 1);
	return r;
}

/* What an owner that died had left is left so again: by FUTEX_UNLOCK_PI the next one would not be told. */
static void give_back_last(struct ipckit_pi *pi)
{
	const struct held *held = &pi->held[pi->count - 1];

	if (!held->died && !is_left(held->word)) {
		(void)give_last(pi);
		return;
	}
	robust_turn_to(&pi->robust, held->word);
	robust_part(&pi->robust);
	leave(&pi->robust);
	robust_settle(&pi->robust);
	set_count(pi, pi->count - 1);
}

static void give_back(struct ipckit_pi *pi)
{
	while (pi->count)
		give_back_last(pi);
}

/* ---- one, by any address ---- */

struct wait {
	const uint32_t *word; /* NULL: none, but for the lock */
	uint32_t value;
	unsigned flags;
	const struct ipckit_deadline *deadline;
};

/*
 * On a word of a condition. A signal's handler, or a stop, that comes when the kernel has already moved the
 * thread to the lock makes it answer as if the word had another value: what is left is to wait for the lock.
 */
static int wait_and_take(struct robust *robust, const struct wait *wait)
{
	const struct timespec *point;
	struct timespec room;
	int r = point_of(wait->deadline, wait->flags, &room, &point);

	if (!r && __atomic_load_n(wait->word, __ATOMIC_RELAXED) != wait->value)
		r = -EAGAIN;
	if (r)
		return r;
	r = ipckit_futex_wait_requeue_pi(wait->word, wait->value, robust->word, wait->flags, point);
	return r == -EAGAIN ? take(robust, wait->flags, wait->deadline) : r;
}

/* What the list was turned to. */
static int lock_within(struct ipckit_pi *pi, const struct wait *wait, bool *owner_died)
{
	struct robust *robust = &pi->robust;
	struct held *held = &pi->held[pi->count];
	int r;

	*held = (struct held){ .word = robust->word };
	set_count(pi, pi->count + 1);
	robust_reach(robust);
	r = wait->word ? wait_and_take(robust, wait) : take(robust, wait->flags, wait->deadline);
	if (r) {
		robust_settle(robust);
		set_count(pi, pi->count - 1);
		return r;
	}
	robust_hold(robust);
	look(held);
	*owner_died = held->died;
	return 0;
}

static struct ipckit_pi *make(unsigned count)
{
	struct ipckit_pi *pi = malloc(sizeof(*pi) + count * sizeof(*pi->held));

	if (pi)
		pi->count = 0;
	return pi;
}

/* Nothing is held any more. */
static void end(struct ipckit_pi *pi)
{
	own = NULL;
	robust_end(&pi->robust);
	free(pi);
}

static int lock(uint32_t *word, const struct wait *wait, bool *owner_died, struct ipckit_pi **out)
{
	struct ipckit_pi *pi;
	int r;

	if ((uintptr_t)word % sizeof(*word) || wait->flags & ~IPCKIT_FUTEX_REALTIME)
		return -EINVAL;
	pi = make(1);
	if (!pi)
		return -ENOMEM;
	r = robust_begin_pi(&pi->robust, word);
	if (r) {
		free(pi);
		return r;
	}
	own = pi;
	r = lock_within(pi, wait, owner_died);
	if (r)
		end(pi);
	else
		*out = pi;
	return r;
}

int ipckit_pi_lock(uint32_t *word, unsigned flags, const struct ipckit_deadline *deadline, bool *owner_died,
		   struct ipckit_pi **out)
{
	const struct wait wait = { .flags = flags, .deadline = deadline };

	return lock(word, &wait, owner_died, out);
}

int ipckit_pi_wait(const uint32_t *word, uint32_t value, uint32_t *lock_word, unsigned flags,
		   const struct ipckit_deadline *deadline, bool *owner_died, struct ipckit_pi **out)
{
	const struct wait wait = { .word = word, .value = value, .flags = flags, .deadline = deadline };

	if ((uintptr_t)word % sizeof(*word))
		return -EINVAL;
	return lock(lock_word, &wait, owner_died, out);
}

/* ---- several ---- */

struct want {
	struct ipckit_word *const *words;
	unsigned count;
	struct wait wait;
	bool *owner_died;
};

/* distance: from their entries to the words. */
static int check(const struct want *want, size_t *distance, unsigned *failed)
{
	for (unsigned i = 0; i < want->count; i++) {
		*failed = i;
		*distance = word_node_distance(want->words[i]);
		if (!*distance)
			return -EOPNOTSUPP;
		/* Its entry can be on the list once. */
		for (unsigned j = 0; j < i; j++)
			if (want->words[j] == want->words[i])
				return -EDEADLK;
	}
	*failed = 0;
	return 0;
}

static int lock_each(struct ipckit_pi *pi, const struct want *want, unsigned *failed)
{
	for (unsigned i = 0; i < want->count; i++) {
		int r;

		robust_turn_to(&pi->robust, ipckit_word_at(want->words[i]));
		r = lock_within(pi, &want->wait, &want->owner_died[i]);
		if (!r)
			continue;
		*failed = i;
		return r;
	}
	return 0;
}

static int lock_several(const struct want *want, unsigned *failed, struct ipckit_pi **out)
{
	struct ipckit_pi *pi;
	size_t distance = 0;
	int r = check(want, &distance, failed);

	if (r)
		return r;
	pi = make(want->count);
	if (!pi)
		return -ENOMEM;
	r = robust_begin_words(&pi->robust, distance);
	if (r) {
		free(pi);
		return r;
	}
	own = pi;
	r = lock_each(pi, want, failed);
	if (!r) {
		*out = pi;
		return 0;
	}
	give_back(pi);
	end(pi);
	return r;
}

int ipckit_pi_lock_words(struct ipckit_word *const *words, unsigned count, unsigned flags,
			 const struct ipckit_deadline *deadline, bool *owner_died, unsigned *failed,
			 struct ipckit_pi **out)
{
	const struct want want = { words, count, { .flags = flags, .deadline = deadline }, owner_died };

	*failed = 0;
	if (!count || flags & ~IPCKIT_FUTEX_REALTIME)
		return -EINVAL;
	if (count > ROBUST_LIST_LIMIT)
		return -E2BIG;
	if (count == 1)
		return lock(ipckit_word_at(words[0]), &want.wait, owner_died, out);
	return lock_several(&want, failed, out);
}

/* ---- either ---- */

int ipckit_pi_unlock(struct ipckit_pi *pi)
{
	int r, result = 0;

	if (!pi)
		return 0;
	while (pi->count) {
		r = give_last(pi);
		result = result ?: r;
	}
	end(pi);
	return result;
}

/* Wherever the calls were interrupted: what is counted is held, or was not taken yet, or was given already. */
void ipckit_pi_give_up(void)
{
	struct ipckit_pi *pi = own;

	/* A child of fork(2) has it, too. */
	if (pi && pi->robust.tid == (uint32_t)syscall(SYS_gettid))
		give_back(pi);
}
