/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "robust.h"
#include "futex.h"
#include "sys.h"

#include <string.h>

/*
 * The kernel reads the list when the thread that wrote it has ended, so it is enough that the stores
 * are made in the order in which they are written: release, against the compiler.
 */
#define put(place, value) __atomic_store_n(&(place), value, __ATOMIC_RELEASE)

/* Of a lock of three states 1 and 2 say that it is held: a thread of such an id is told from it by the waiters. */
#define THREE_STATES 2

#define PI_MARK 1 /* in an entry's address */

/* Whether the kernel reads a pointer at any multiple of 4: on others it may, or may lose the rest of the list. */
#if UINTPTR_MAX == UINT32_MAX || defined(__x86_64__) || defined(__aarch64__) || defined(__powerpc64__) || \
	defined(__s390x__) || defined(__riscv) || defined(__loongarch__)
#define READS_ANYWHERE true
#else
#define READS_ANYWHERE false
#endif

/* This thread's list of ours; another one after a fork, which the kernel's answer tells. */
static _Thread_local const struct robust *own __attribute__((tls_model("initial-exec")));

static int get_list(struct robust_list_head **head, size_t *size)
{
	return (int)sys_result(syscall(SYS_get_robust_list, 0, head, size));
}

static int set_list(const struct robust_list_head *head)
{
	return (int)sys_result(syscall(SYS_set_robust_list, head, sizeof(*head)));
}

static int begin(struct robust *robust, uintptr_t distance, uintptr_t mark)
{
	int r;

	*robust = (struct robust){ .mark = mark, .tid = (uint32_t)syscall(SYS_gettid) };
	robust->head.list.next = &robust->head.list;
	robust->head.futex_offset = (long)distance;
	r = get_list(&robust->before, &robust->before_size);
	if (r)
		return r;
	if (own && robust->before == &own->head)
		return -EDEADLK;
	r = set_list(&robust->head);
	if (!r)
		own = robust;
	return r;
}

static int begin_with(struct robust *robust, uint32_t *word, uintptr_t mark)
{
	int r = begin(robust, (uintptr_t)word - (uintptr_t)&robust->node, mark);

	robust_turn_to(robust, word);
	return r;
}

int robust_begin(struct robust *robust, uint32_t *word)
{
	return begin_with(robust, word, 0);
}

int robust_begin_pi(struct robust *robust, uint32_t *word)
{
	return begin_with(robust, word, PI_MARK);
}

int robust_begin_words(struct robust *robust, size_t distance)
{
	return READS_ANYWHERE ? begin(robust, distance, PI_MARK) : -EOPNOTSUPP;
}

void robust_turn_to(struct robust *robust, uint32_t *word)
{
	robust->word = word;
}

static uintptr_t entry_of(const struct robust *robust)
{
	return (uintptr_t)robust->word - (uintptr_t)robust->head.futex_offset;
}

static struct robust_list *marked_entry(const struct robust *robust)
{
	return (struct robust_list *)(entry_of(robust) | robust->mark);
}

void robust_reach(struct robust *robust)
{
	put(robust->head.list_op_pending, marked_entry(robust));
}

void robust_hold(struct robust *robust)
{
	memcpy((void *)entry_of(robust), &robust->head.list.next, sizeof(robust->head.list.next));
	put(robust->head.list.next, marked_entry(robust));
	robust_settle(robust);
}

void robust_part(struct robust *robust)
{
	struct robust_list *next;

	robust_reach(robust);
	/* A handler may have come while it was not, or no longer, on the list. */
	if (robust->head.list.next != marked_entry(robust))
		return;
	memcpy(&next, (const void *)entry_of(robust), sizeof(next));
	put(robust->head.list.next, next);
}

void robust_settle(struct robust *robust)
{
	put(robust->head.list_op_pending, NULL);
}

bool robust_take(struct robust *robust, uint32_t seen, bool waiters)
{
	uint32_t value = robust->tid | (seen & FUTEX_WAITERS);
	bool taken;

	if (waiters || robust->tid <= THREE_STATES)
		value |= FUTEX_WAITERS;

	robust_reach(robust);
	taken = __atomic_compare_exchange_n(robust->word, &seen, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	if (taken)
		robust_hold(robust);
	else
		robust_settle(robust);
	return taken;
}

/* By whoever changed the word by force the next one may have it already. */
static int replace(const struct robust *robust, uint32_t value, uint32_t *was)
{
	*was = __atomic_load_n(robust->word, __ATOMIC_RELAXED);
	do {
		if ((*was & FUTEX_TID_MASK) != robust->tid)
			return -EPERM;
	} while (!__atomic_compare_exchange_n(robust->word, was, value, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return 0;
}

int robust_give(struct robust *robust, uint32_t value, int count)
{
	uint32_t was;
	int r;

	robust_part(robust);
	r = replace(robust, value, &was);
	if (!r && was & FUTEX_WAITERS)
		futex_wake(robust->word, count);
	robust_settle(robust);
	return r;
}

void robust_end(struct robust *robust)
{
	if (own != robust)
		return;
	/* What was read from the kernel is taken again. */
	set_list(robust->before);
	own = NULL;
}
