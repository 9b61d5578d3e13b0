/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Operations on System V sets, as people write them. */

#include "fuzz.h"

#include <errno.h>

#include <ipckit/sem.h>

/* What was read, written in full, is read as the same again. */
static void check_again(const struct ipckit_sem_op_range *range)
{
	struct ipckit_sem_op_range again;
	char text[64];

	snprintf(text, sizeof(text), range->op.delta ? "%u-%u:%+d%s%s" : "%u-%u:%d%s%s", range->first,
		 range->last, range->op.delta, range->op.no_wait ? "n" : "", range->op.undo ? "u" : "");
	HOLDS(!ipckit_sem_parse_op(text, &again));
	HOLDS(again.first == range->first && again.last == range->last);
	HOLDS(again.op.index == range->op.index && again.op.delta == range->op.delta);
	HOLDS(again.op.no_wait == range->op.no_wait && again.op.undo == range->op.undo);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct ipckit_sem_op_range range, before;
	int r;

	memset(&range, 0x5a, sizeof(range));
	before = range;
	r = ipckit_sem_parse_op(text, &range);
	HOLDS(r == 0 || r == -EINVAL || r == -ERANGE);
	if (r) {
		HOLDS(!memcmp(&range, &before, sizeof(range)));
	} else {
		HOLDS(range.first <= range.last && range.last <= 65535);
		HOLDS(range.op.delta >= -32767 && range.op.delta <= 32767);
		check_again(&range);
	}
	free(text);
	return 0;
}
