/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "proc.h"
#include "spots.h"
#include "sys.h"
#include "waiters-walk.h"

#include <elf.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>

/* As many entries as the kernel follows. */
#define ENTRIES_MAX ROBUST_LIST_LIMIT
/* How often a list that led nowhere is read again: its thread may have changed it meanwhile. */
#define TRIES 4

#define PI 1u /* in a pointer to an entry: it inherits priorities */

/* ---- 32 bits or 64 ---- */

bool robust_is_native(const void *auxv, size_t size)
{
	unsigned long pair[2]; /* type, value */

	/* In one of 32 bits two words are taken for a type, which then is none. */
	for (size_t i = 0; i + sizeof(pair) <= size; i += sizeof(pair)) {
		memcpy(pair, (const char *)auxv + i, sizeof(pair));
		if (pair[0] == AT_NULL)
			return i > 0;
		if (pair[0] > UINT16_MAX)
			return false;
	}
	/* Kernel threads and those that are gone have none. */
	return size < sizeof(pair);
}

static int check_native(int dirfd)
{
	char *auxv;
	size_t size;
	bool native;
	int r = proc_read(dirfd, "auxv", &auxv, &size);

	if (r)
		return r == -EACCES ? -EPERM : r == -ENOENT || r == -ESRCH ? 0 : r;
	native = robust_is_native(auxv, size);
	free(auxv);
	return native ? 0 : -EOPNOTSUPP;
}

/* ---- the list ---- */

static void tell_value(struct ipckit_robust_lock *lock, uint32_t value)
{
	lock->word.value = ipckit_known(value);
	lock->owner = ipckit_known(value & FUTEX_TID_MASK);
	lock->owner_died = value & FUTEX_OWNER_DIED;
	lock->waiters = value & FUTEX_WAITERS;
}

static int add(int memory, struct ipckit_robust *robust, uint64_t entry, bool pending)
{
	struct ipckit_robust_lock *larger = array_room(robust->list, robust->count, sizeof(*larger));
	struct ipckit_robust_lock *lock;
	uint32_t value;

	if (!larger)
		return -ENOMEM;
	robust->list = larger;
	lock = &larger[robust->count++];
	*lock = (struct ipckit_robust_lock){ .node = entry & ~(uint64_t)PI, .pi = entry & PI, .pending = pending };
	lock->word.address = lock->node + (uint64_t)robust->futex_offset;
	if (!proc_memory_read(memory, lock->word.address, &value, sizeof(value)))
		tell_value(lock, value);
	return 0;
}

static int add_pending(int memory, struct ipckit_robust *robust, uint64_t entry)
{
	for (size_t i = 0; i < robust->count; i++) {
		if (robust->list[i].node != (entry & ~(uint64_t)PI))
			continue;
		robust->list[i].pending = true;
		return 0;
	}
	return add(memory, robust, entry, true);
}

int robust_follow(int memory, struct ipckit_robust *out)
{
	struct robust_list_head head;
	struct robust_list entry;
	int r = proc_memory_read(memory, out->head, &head, sizeof(head));

	out->count = 0;
	out->cut = r;
	if (r)
		return 0;
	out->futex_offset = head.futex_offset;
	for (entry = head.list; ((uintptr_t)entry.next & ~(uintptr_t)PI) != out->head;) {
		uint64_t next = (uintptr_t)entry.next;

		out->cut = out->count == ENTRIES_MAX || !(next & ~(uint64_t)PI);
		if (out->cut)
			break;
		r = add(memory, out, next, false);
		if (r)
			return r;
		if (proc_memory_read(memory, next & ~(uint64_t)PI, &entry, sizeof(entry))) {
			/* What is neither an entry nor has a word is nothing. */
			out->count -= !out->list[out->count - 1].word.value.known;
			out->cut = true;
			break;
		}
	}
	return head.list_op_pending ? add_pending(memory, out, (uintptr_t)head.list_op_pending) : 0;
}

static int get_head(pid_t tid, uint64_t *out)
{
	struct robust_list_head *head;
	size_t size;
	int r = (int)sys_result(syscall(SYS_get_robust_list, tid, &head, &size));

	if (!r)
		*out = (uintptr_t)head;
	return r;
}

static int read_list(int dirfd, struct ipckit_robust *robust)
{
	int memory, r = get_head(robust->tid, &robust->head);

	if (r || !robust->head)
		return r;
	r = proc_memory_open(dirfd, &memory);
	if (r)
		return r == -EACCES ? -EPERM : r == -ENOENT ? -ESRCH : r;
	for (int i = 0; !r && i < TRIES && (!i || robust->cut); i++)
		r = robust_follow(memory, robust);
	close(memory);
	return r;
}

static int find_places(int dirfd, struct ipckit_robust *robust)
{
	struct ipckit_spot **spots = array_of(robust->count, sizeof(struct ipckit_spot *));
	struct spots_kept kept = { .texts = &robust->texts };
	int r;

	if (!spots)
		return -ENOMEM;
	for (size_t i = 0; i < robust->count; i++)
		spots[i] = &robust->list[i].word;
	r = spots_find(dirfd, spots, robust->count, &kept);
	free(spots);
	/* Where they lie is unknown then. */
	return sys_own_trouble(r);
}

static int read_robust(int dirfd, struct ipckit_robust *robust)
{
	struct proc_status status;
	int r = proc_status_read(dirfd, &status);

	if (r)
		return r == -ENOENT ? -ESRCH : r;
	robust->pid = status.tgid ? status.tgid : robust->tid;
	r = check_native(dirfd);
	if (!r)
		r = read_list(dirfd, robust);
	return r || !robust->count ? r : find_places(dirfd, robust);
}

/* Why a thread has no directory: there is no such thread, or it is hidden, or there is no /proc. */
static int explain(pid_t tid, int r)
{
	uint64_t head;
	int told = r == -ENOENT ? get_head(tid, &head) : -EPERM;

	return r == -ENOENT || sys_is_denial(r) ? (told ? told : r) : r;
}

int ipckit_robust_read(pid_t tid, struct ipckit_robust *out)
{
	struct ipckit_robust robust = { .tid = tid };
	char path[32];
	int dirfd, r;

	if (tid <= 0)
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%d", (int)tid);
	r = proc_open(path, &dirfd);
	if (r)
		return explain(tid, r);
	r = read_robust(dirfd, &robust);
	close(dirfd);
	if (r)
		ipckit_robust_free(&robust);
	else
		*out = robust;
	return r;
}

void ipckit_robust_free(struct ipckit_robust *robust)
{
	free(robust->list);
	texts_free(&robust->texts);
	memset(robust, 0, sizeof(*robust));
}
