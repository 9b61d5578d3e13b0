/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "futex-call.h"

#include <ipckit/parse.h>
#include <stdio.h>
#include <string.h>

#define LEAST (-2048)
#define MOST 2047
#define BITS 0xfffu

static int refuse(struct ipckit_why *why, int error, const char *reason)
{
	if (why)
		snprintf(why->text, sizeof(why->text), "%s", reason);
	return error;
}

/* ---- words ---- */

static const char *const operations[] = {
	[IPCKIT_FUTEX_OP_SET] = "set",	 [IPCKIT_FUTEX_OP_ADD] = "add", [IPCKIT_FUTEX_OP_OR] = "or",
	[IPCKIT_FUTEX_OP_ANDN] = "andn", [IPCKIT_FUTEX_OP_XOR] = "xor",
};

#define OPERATIONS (sizeof(operations) / sizeof(*operations))

int ipckit_futex_op_parse(const char *text, enum ipckit_futex_op *out)
{
	for (unsigned i = 0; i < OPERATIONS; i++) {
		if (strcmp(text, operations[i]) != 0)
			continue;
		*out = (enum ipckit_futex_op)i;
		return 0;
	}
	return -EINVAL;
}

int ipckit_futex_cmp_parse(const char *text, int *out)
{
	static const int comparisons[] = {
		[IPCKIT_EQ] = FUTEX_OP_CMP_EQ, [IPCKIT_NE] = FUTEX_OP_CMP_NE, [IPCKIT_LT] = FUTEX_OP_CMP_LT,
		[IPCKIT_LE] = FUTEX_OP_CMP_LE, [IPCKIT_GT] = FUTEX_OP_CMP_GT, [IPCKIT_GE] = FUTEX_OP_CMP_GE,
	};
	enum ipckit_compare compare;
	int r = ipckit_parse_compare(text, &compare);

	if (!r)
		*out = comparisons[compare];
	return r;
}

/* ---- the encoding ---- */

static bool fits(int argument)
{
	return argument >= LEAST && argument <= MOST;
}

int ipckit_futex_wake_op_encode(const struct ipckit_futex_wake_op *op, struct ipckit_why *why, uint32_t *out)
{
	if ((unsigned)op->op >= OPERATIONS)
		return refuse(why, -EINVAL, "there is no such operation (set, add, or, andn, xor)");
	if (op->cmp < FUTEX_OP_CMP_EQ || op->cmp > FUTEX_OP_CMP_GE)
		return refuse(why, -EINVAL, "there is no such comparison (eq, ne, lt, le, gt, ge)");
	if (op->shift && (op->arg < 0 || op->arg > 31))
		return refuse(why, -ERANGE, "the bit to shift to is not within 0 to 31");
	if (!fits(op->arg))
		return refuse(why, -ERANGE, "the argument is not within -2048 to 2047 (12 bits)");
	if (!fits(op->cmparg))
		return refuse(why, -ERANGE, "what it is compared with is not within -2048 to 2047 (12 bits)");
	*out = ((uint32_t)op->op | (op->shift ? FUTEX_OP_OPARG_SHIFT : 0)) << 28 | (uint32_t)op->cmp << 24 |
	       ((uint32_t)op->arg & BITS) << 12 | ((uint32_t)op->cmparg & BITS);
	return 0;
}

/* ---- the operation ---- */

static int call(const uint32_t *first, uint32_t *second, uint32_t encoded, uint32_t wake, uint32_t wake2,
		unsigned flags)
{
	return futex_two(first, FUTEX_WAKE_OP | futex_bits(flags), futex_count(wake), futex_count(wake2), second,
			 encoded);
}

static void apply(uint32_t *word, const struct ipckit_futex_wake_op *op)
{
	uint32_t arg = op->shift ? UINT32_C(1) << op->arg : (uint32_t)op->arg;

	switch (op->op) {
	case IPCKIT_FUTEX_OP_SET:
		__atomic_store_n(word, arg, __ATOMIC_SEQ_CST);
		break;
	case IPCKIT_FUTEX_OP_ADD:
		__atomic_fetch_add(word, arg, __ATOMIC_SEQ_CST);
		break;
	case IPCKIT_FUTEX_OP_OR:
		__atomic_fetch_or(word, arg, __ATOMIC_SEQ_CST);
		break;
	case IPCKIT_FUTEX_OP_ANDN:
		__atomic_fetch_and(word, ~arg, __ATOMIC_SEQ_CST);
		break;
	case IPCKIT_FUTEX_OP_XOR:
		__atomic_fetch_xor(word, arg, __ATOMIC_SEQ_CST);
		break;
	}
}

/* Whether a word can be written, by an operation that needs it to, and that ends before it does anything. */
static int check_written(const uint32_t *word)
{
	const uint32_t nobody = 0;
	int r = futex_two(&nobody, FUTEX_CMP_REQUEUE_PI, 1, 0, word, 1);

	return r == -EAGAIN || r == -ENOSYS ? 0 : r;
}

/*
 * Changes the word and wakes nobody there. An operation on private words does not meet who sleeps on a shared
 * one. The reverse would hold, but others may sleep on the word as a shared one.
 */
static int change(uint32_t *second, const struct ipckit_futex_wake_op *op, uint32_t encoded, unsigned flags)
{
	const uint32_t nobody = 0;
	int r;

	if (!(flags & IPCKIT_FUTEX_PRIVATE)) {
		r = call(&nobody, second, encoded, 1, 1, IPCKIT_FUTEX_PRIVATE);
		return r < 0 ? r : 0;
	}
	r = check_written(second);
	if (!r)
		apply(second, op);
	return r;
}

int ipckit_futex_wake_op(const uint32_t *first, uint32_t *second, const struct ipckit_futex_wake_op *op,
			 uint32_t wake, uint32_t wake2, unsigned flags, unsigned *woken)
{
	const uint32_t nobody = 0;
	uint32_t encoded;
	int r;

	if (flags & IPCKIT_FUTEX_2)
		return -EOPNOTSUPP;
	r = ipckit_futex_wake_op_encode(op, NULL, &encoded);
	if (r)
		return r;
	if (wake && wake2)
		return futex_counted(call(first, second, encoded, wake, wake2, flags), woken);
	/* The kernel looks at both words before it changes anything. */
	r = futex_check(first, second, flags);
	if (r < 0)
		return r;
	if (wake2)
		return futex_counted(call(&nobody, second, encoded, 1, wake2, flags), woken);
	r = change(second, op, encoded, flags);
	return r ? r : ipckit_futex_wake(first, wake, FUTEX_BITSET_MATCH_ANY, flags, woken);
}
