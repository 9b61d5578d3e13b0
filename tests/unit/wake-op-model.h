/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WAKE_OP_MODEL_H
#define WAKE_OP_MODEL_H

/* What the kernel makes of the number that FUTEX_WAKE_OP is given: a model, against which its encoding is held. */

#include <ipckit/futex.h>
#include <linux/futex.h>

static inline int model_extend(uint32_t bits)
{
	return (int)((bits & 0xfff) ^ 0x800) - 0x800;
}

/* Whether the kernel knows it; it shifts by the low five bits of an argument that is too large. */
static inline bool model_decode(uint32_t encoded, struct ipckit_futex_wake_op *out)
{
	uint32_t op = encoded >> 28 & 7, cmp = encoded >> 24 & 15;
	bool shift = encoded >> 31;

	if (op > FUTEX_OP_XOR || cmp > FUTEX_OP_CMP_GE)
		return false;
	*out = (struct ipckit_futex_wake_op){
		.op = (enum ipckit_futex_op)op,
		.shift = shift,
		.arg = shift ? (int)(encoded >> 12 & 31) : model_extend(encoded >> 12),
		.cmp = (int)cmp,
		.cmparg = model_extend(encoded),
	};
	return true;
}

static inline bool model_is_same(const struct ipckit_futex_wake_op *a, const struct ipckit_futex_wake_op *b)
{
	return a->op == b->op && a->shift == b->shift && a->arg == b->arg && a->cmp == b->cmp &&
	       a->cmparg == b->cmparg;
}

#endif
