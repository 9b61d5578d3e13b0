/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contend.h"

#include <errno.h>
#include <ipckit/mutex.h>
#include <stdlib.h>

struct ipckit_mutex {
	struct robust robust;
};

pid_t ipckit_mutex_owner(uint32_t value)
{
	return (pid_t)(value & FUTEX_TID_MASK);
}

int ipckit_mutex_lock(uint32_t *word, const struct ipckit_deadline *deadline, bool *owner_died,
		      struct ipckit_mutex **out)
{
	struct ipckit_mutex *mutex;
	uint32_t seen;
	int r;

	if ((uintptr_t)word % sizeof(*word))
		return -EINVAL;
	mutex = malloc(sizeof(*mutex));
	if (!mutex)
		return -ENOMEM;
	r = robust_begin(&mutex->robust, word);
	if (!r) {
		r = contend_own(&mutex->robust, deadline, &seen);
		if (r)
			robust_end(&mutex->robust);
	}
	if (r) {
		free(mutex);
		return r;
	}
	*owner_died = seen & FUTEX_OWNER_DIED;
	*out = mutex;
	return 0;
}

static int give(struct ipckit_mutex *mutex, uint32_t value)
{
	int r;

	if (!mutex)
		return 0;
	r = robust_give(&mutex->robust, value, 1);
	robust_end(&mutex->robust);
	free(mutex);
	return r;
}

int ipckit_mutex_unlock(struct ipckit_mutex *mutex)
{
	return give(mutex, 0);
}

int ipckit_mutex_abandon(struct ipckit_mutex *mutex)
{
	return give(mutex, FUTEX_OWNER_DIED);
}
