/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The words and numbers of FUTEX_WAKE_OP ("add 1 gt -5", "or shift 31 eq 0"), and any bits as its encoding. */

#include "../unit/wake-op-model.h"
#include "fuzz.h"

#include <errno.h>

#include <ipckit/futex.h>
#include <ipckit/parse.h>

static const char *const ops[] = { "set", "add", "or", "andn", "xor" };
static const char *const cmps[] = { "eq", "ne", "lt", "le", "gt", "ge" };

/* Where a word stands in a list; -1: it does not. */
static int index_of(const char *text, const char *const *list, int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(text, list[i]))
			return i;
	return -1;
}

/* The word up to the next blank, to be freed; *text moves on. */
static char *next_word(const char **text)
{
	size_t length = strcspn(*text, " ");
	char *word = strndup(*text, length);

	if (!word)
		exit(1);
	*text += length + !!(*text)[length];
	return word;
}

static bool read_op(const char **text, enum ipckit_futex_op *out)
{
	char *word = next_word(text);
	enum ipckit_futex_op op = (enum ipckit_futex_op)77;
	int r = ipckit_futex_op_parse(word, &op), at = index_of(word, ops, 5);

	free(word);
	HOLDS(r ? r == -EINVAL && at < 0 && (int)op == 77 : (int)op == at);
	*out = op;
	return !r;
}

static bool read_cmp(const char **text, int *out)
{
	char *word = next_word(text);
	int cmp = 77, r = ipckit_futex_cmp_parse(word, &cmp), at = index_of(word, cmps, 6);

	free(word);
	HOLDS(r ? r == -EINVAL && at < 0 && cmp == 77 : cmp == at);
	*out = cmp;
	return !r;
}

static bool read_number(const char **text, int *out)
{
	char *word = next_word(text);
	int64_t number;
	int r = ipckit_parse_signed(word, INT32_MIN, INT32_MAX, &number);

	free(word);
	if (!r)
		*out = (int)number;
	return !r;
}

/* The twelve bits of a number below 2048, and of 4096 less than that. */
static bool is_argument(int number)
{
	return -2048 <= number && number < 2048;
}

static bool is_good(const struct ipckit_futex_wake_op *op)
{
	return (int)op->op >= 0 && (int)op->op < 5 && op->cmp >= 0 && op->cmp < 6 && is_argument(op->cmparg) &&
	       (op->shift ? op->arg >= 0 && op->arg < 32 : is_argument(op->arg));
}

static uint32_t model(const struct ipckit_futex_wake_op *op)
{
	uint32_t arg = (uint32_t)(op->arg < 0 ? op->arg + 4096 : op->arg);
	uint32_t cmparg = (uint32_t)(op->cmparg < 0 ? op->cmparg + 4096 : op->cmparg);

	return (op->shift ? 0x80000000u : 0) + (uint32_t)op->op * 0x10000000u + (uint32_t)op->cmp * 0x1000000u +
	       arg * 0x1000u + cmparg;
}

static void check_encode(const struct ipckit_futex_wake_op *op)
{
	struct ipckit_futex_wake_op back;
	struct ipckit_why why = { "" };
	uint32_t encoded = 0x5a5a5a5a, again = 0x5a5a5a5a;
	int r = ipckit_futex_wake_op_encode(op, &why, &encoded);

	HOLDS(r == 0 || r == -EINVAL || r == -ERANGE);
	HOLDS(!r == is_good(op) && !r == !*why.text);
	HOLDS(ipckit_futex_wake_op_encode(op, NULL, &again) == r && again == encoded);
	if (r) {
		HOLDS(encoded == 0x5a5a5a5a);
		return;
	}
	HOLDS(encoded == model(op));
	HOLDS(model_decode(encoded, &back) && model_is_same(op, &back));
}

/* Whatever the kernel knows can be encoded, and as the same again, but for shifts by too much. */
static void check_known(uint32_t encoded)
{
	struct ipckit_futex_wake_op op;
	uint32_t again, kept = encoded & 0x80000000u ? 0xff01ffffu : UINT32_MAX;

	if (!model_decode(encoded, &op))
		return;
	HOLDS(is_good(&op));
	HOLDS(!ipckit_futex_wake_op_encode(&op, NULL, &again) && again == (encoded & kept));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	const char *at = text;
	struct ipckit_futex_wake_op op = { 0 }, raw;
	uint32_t bits[5] = { 0 };

	memcpy(bits, data, size < sizeof(bits) ? size : sizeof(bits));
	check_known(bits[0]);
	raw = (struct ipckit_futex_wake_op){ .op = (enum ipckit_futex_op)bits[0], .shift = bits[1] & 1,
					     .arg = (int)bits[2], .cmp = (int)bits[3], .cmparg = (int)bits[4] };
	check_encode(&raw);
	if (read_op(&at, &op.op)) {
		op.shift = !strncmp(at, "shift ", 6);
		at += op.shift ? 6 : 0;
		if (read_number(&at, &op.arg) && read_cmp(&at, &op.cmp) && read_number(&at, &op.cmparg))
			check_encode(&op);
	}
	read_cmp(&at, &op.cmp);
	free(text);
	return 0;
}
