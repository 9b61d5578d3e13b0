/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contend.h"

#include <errno.h>
#include <ipckit/once.h>
#include <limits.h>
#include <stdlib.h>

struct ipckit_once {
	struct robust robust;
};

static int begin(struct ipckit_once *once, uint32_t *word, const struct ipckit_deadline *deadline, uint32_t *seen)
{
	int r = robust_begin(&once->robust, word);

	if (r)
		return r;
	r = contend_own(&once->robust, deadline, seen);
	if (r)
		robust_end(&once->robust);
	return r;
}

int ipckit_once_begin(uint32_t *word, const struct ipckit_deadline *deadline, bool *owner_died,
		      struct ipckit_once **out)
{
	struct ipckit_once *once;
	uint32_t seen = 0;
	int r;

	if ((uintptr_t)word % sizeof(*word))
		return -EINVAL;
	once = malloc(sizeof(*once));
	if (!once)
		return -ENOMEM;
	r = begin(once, word, deadline, &seen);
	if (r) {
		free(once);
		once = NULL;
	}
	if (r == -EBADMSG && seen == IPCKIT_ONCE_DONE)
		r = 0;
	if (r)
		return r;
	*owner_died = once && seen & FUTEX_OWNER_DIED;
	*out = once;
	return 0;
}

int ipckit_once_end(struct ipckit_once *once, bool done)
{
	int r;

	if (!once)
		return 0;
	r = robust_give(&once->robust, done ? IPCKIT_ONCE_DONE : 0, done ? INT_MAX : 1);
	robust_end(&once->robust);
	free(once);
	return r;
}
