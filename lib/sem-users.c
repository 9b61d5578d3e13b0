/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sem-users.h"
#include "proc.h"
#include "sys.h"

#include <semaphore.h>
#include <stdlib.h>

static enum watched_kind kind_of(enum ipckit_sem_backend backend)
{
	switch (backend) {
	case IPCKIT_SEM_SYSV:
		return WATCHED_SEM_SET;
	case IPCKIT_SEM_EVENTFD:
		return WATCHED_EVENTFD;
	default:
		return WATCHED_WORD;
	}
}

/* The number of threads that the kernel says sleep on a set. */
static struct ipckit_maybe sleepers(const struct ipckit_sem_info *info)
{
	int64_t n = 0;

	if (!info->semaphores || !info->nsems.known)
		return ipckit_unknown();
	for (int64_t i = 0; i < info->nsems.value; i++) {
		const struct ipckit_sem_slot *slot = &info->semaphores[i];

		if (!slot->ncnt.known || !slot->zcnt.known)
			return ipckit_unknown();
		n += slot->ncnt.value + slot->zcnt.value;
	}
	return ipckit_known(n);
}

static struct ipckit_maybe last_use(const struct ipckit_sem_info *info)
{
	if (!info->ctime.known)
		return ipckit_unknown();
	return info->otime.known && info->otime.value > info->ctime.value ? info->otime : info->ctime;
}

static size_t slots_of(const struct ipckit_sem_info *info)
{
	return info->semaphores && info->nsems.known ? (size_t)info->nsems.value : 0;
}

/* Mostly all semaphores of a set have the same. */
static size_t list_last_pids(const struct ipckit_sem_info *info, pid_t *pids)
{
	size_t n = 0;

	for (size_t i = 0; i < slots_of(info); i++) {
		const struct ipckit_maybe *pid = &info->semaphores[i].pid;

		if (pid->known && pid->value > 0 && (!n || pids[n - 1] != pid->value))
			pids[n++] = (pid_t)pid->value;
	}
	return n;
}

static void watch_set(const struct ipckit_sem_info *info, pid_t *pids, struct watched *out)
{
	out->last_pids = pids;
	out->nlast_pids = list_last_pids(info, pids);
	out->last_use = last_use(info);
	out->told_waiters = sleepers(info);
	out->set = info;
}

static void watch(struct ipckit_sem_info *info, pid_t *pids, struct watched *out)
{
	*out = (struct watched){
		.kind = kind_of(info->backend),
		.device = info->device,
		.inode = info->inode,
		.offset = info->offset,
		.length = sizeof(sem_t),
		.id = info->id.known ? info->id.value : -1,
		.told_waiters = info->waiters_recorded,
		.usage = &info->usage,
		.gaps = &info->gaps,
	};
	if (info->backend == IPCKIT_SEM_SYSV)
		watch_set(info, pids, out);
}

int sem_users_watch(struct ipckit_sem_info *infos, size_t count, struct watched **out)
{
	struct watched *watched;
	size_t slots = 0, size;
	pid_t *pids;

	for (size_t i = 0; i < count; i++)
		slots += slots_of(&infos[i]);
	if (__builtin_mul_overflow(count ?: 1, sizeof(*watched), &size) ||
	    __builtin_add_overflow(size, slots * sizeof(*pids), &size))
		return -ENOMEM;
	watched = malloc(size);
	if (!watched)
		return -ENOMEM;
	/* Behind the objects, so that one block is to be freed. */
	pids = (pid_t *)(watched + count);
	for (size_t i = 0; i < count; i++) {
		watch(&infos[i], pids, &watched[i]);
		pids += slots_of(&infos[i]);
	}
	*out = watched;
	return 0;
}

int sem_users_look(struct ipckit_sem_info *infos, size_t count)
{
	struct watched *watched;
	int r = sem_users_watch(infos, count, &watched);

	if (r)
		return r;
	r = users_look(watched, count);
	free(watched);
	return r;
}

int sem_users_blocked(uint64_t device, uint64_t inode, uint64_t offset)
{
	struct ipckit_usage usage = { 0 };
	struct ipckit_gaps gaps = { 0 };
	struct watched watched = {
		.kind = WATCHED_WORD,
		.device = device,
		.inode = inode,
		.offset = offset,
		.length = sizeof(sem_t),
		/* Strangers' processes, which may not be looked at, are not taken for waiters. */
		.told_waiters = ipckit_known(0),
		.usage = &usage,
		.gaps = &gaps,
	};
	int root, blocked;
	int r = proc_open("/proc", &root);

	if (r)
		return r;
	r = users_fill(root, &watched, 1);
	close(root);
	blocked = usage.waiters.known ? (int)usage.waiters.value : 1;
	usage_clear(&usage);
	return r ? r : blocked;
}
