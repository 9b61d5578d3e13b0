/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Rows of file locks: all that there are, or after a 'f' those that stand in a fdinfo. */

#include "../../lib/live-lock.h"
#include "fuzz.h"

#include <errno.h>

static int by_order(const void *a, const void *b)
{
	return live_lock_order(a, b);
}

static void check_row(const char *text)
{
	struct live_lock lock, before;
	int r;

	memset(&lock, 0x5a, sizeof(lock));
	memcpy(&before, &lock, sizeof(lock));
	r = live_lock_parse(text, &lock);
	HOLDS(r == 0 || r == -EBADMSG);
	HOLDS(!r || !memcmp(&lock, &before, sizeof(lock)));
	if (r)
		return;
	HOLDS(lock.pid >= -1 && lock.start >= 0 && lock.start <= lock.end);
	HOLDS(lock.kind <= LIVE_LOCK_OFD && !live_lock_order(&lock, &lock));
	HOLDS(live_lock_conflicts(&lock, &lock) == lock.exclusive);
}

/* Each is found; who waits is, unless there are others of whom it cannot be told. */
static void check_found(const struct live_locks *locks)
{
	size_t total = 0;

	for (size_t i = 0; i < locks->count; i++) {
		const struct live_lock *lock = &locks->list[i], *found;
		size_t same = live_locks_same(locks, lock);

		HOLDS(same >= 1 && same <= locks->count);
		total += !i || live_lock_order(lock - 1, lock) ? same : 0;
		found = live_locks_waiter(locks, lock, true);
		HOLDS(!found || (found->waits && found->inode == lock->inode && found->kind == lock->kind &&
				 found->start == lock->start && found->end == lock->end));
		found = live_locks_waiter(locks, lock, false);
		HOLDS(!found || (found->waits && found->pid == lock->pid));
		HOLDS(!found || !lock->waits || !live_lock_order(found, lock));
	}
	HOLDS(total == locks->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct live_locks locks = { 0 };
	char *text = fuzz_text(data, size);
	bool fdinfo = *text == 'f';

	check_row(text);
	if (live_locks_parse(text + fdinfo, fdinfo ? "lock:" : "", &locks))
		exit(1);
	if (locks.count)
		qsort(locks.list, locks.count, sizeof(*locks.list), by_order);
	check_found(&locks);
	free(locks.list);
	free(text);
	return 0;
}
