/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "hold-word.h"
#include "sem-backend.h"

#include <errno.h>
#include <inttypes.h>
#include <ipckit/hold.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct {
	const char *name;
	const struct sem_ops *ops;
} backends[] = {
	[IPCKIT_SEM_FILE] = { "file", &sem_file_ops },
	[IPCKIT_SEM_SYSV] = { "sysv", &sem_sysv_ops },
	[IPCKIT_SEM_POSIX] = { "posix", &sem_posix_ops },
	[IPCKIT_SEM_UNNAMED] = { "unnamed", &sem_unnamed_ops },
	[IPCKIT_SEM_EVENTFD] = { "eventfd", &sem_eventfd_ops },
};

enum ipckit_sem_backend ipckit_sem_backend_of(const struct ipckit_name *name)
{
	switch (name->kind) {
	case IPCKIT_NAME_POSIX:
		return IPCKIT_SEM_POSIX;
	case IPCKIT_NAME_PLACE:
	case IPCKIT_NAME_SHM:
		return IPCKIT_SEM_UNNAMED;
	case IPCKIT_NAME_FD:
		return IPCKIT_SEM_EVENTFD;
	case IPCKIT_NAME_FILE:
		return IPCKIT_SEM_FILE;
	default:
		return IPCKIT_SEM_SYSV;
	}
}

/*
 * The first handle needs no memory: a program that opens one semaphore only to post it
 * would start malloc(3) for nothing else, which takes longer than the post.
 */
static struct ipckit_sem first;
static atomic_flag first_is_taken = ATOMIC_FLAG_INIT;

static struct ipckit_sem *handle_new(void)
{
	if (atomic_flag_test_and_set(&first_is_taken))
		return calloc(1, sizeof(struct ipckit_sem));
	first = (struct ipckit_sem){ 0 };
	return &first;
}

static void handle_free(struct ipckit_sem *sem)
{
	if (sem == &first)
		atomic_flag_clear(&first_is_taken);
	else
		free(sem);
}

static struct ipckit_sem *sem_new(const struct ipckit_name *name)
{
	struct ipckit_sem *sem = handle_new();

	if (!sem)
		return NULL;
	sem->backend = ipckit_sem_backend_of(name);
	sem->ops = backends[sem->backend].ops;
	sem->fd = -1;
	sem->id = -1;
	sem->nsems = 1;
	return sem;
}

int ipckit_sem_open(const struct ipckit_name *name, struct ipckit_sem **out)
{
	struct ipckit_sem *sem = sem_new(name);
	int r;

	if (!sem)
		return -ENOMEM;
	r = sem->ops->open(name, sem);
	if (r)
		ipckit_sem_close(sem);
	else
		*out = sem;
	return r;
}

int ipckit_sem_create(const struct ipckit_name *name, const struct ipckit_sem_spec *spec, bool *created,
		      struct ipckit_sem **out)
{
	struct ipckit_sem *sem = sem_new(name);
	int r;

	if (!sem)
		return -ENOMEM;
	r = sem->ops->create ? sem->ops->create(name, spec, created, sem) : -EOPNOTSUPP;
	if (r)
		ipckit_sem_close(sem);
	else
		*out = sem;
	return r;
}

void ipckit_sem_close(struct ipckit_sem *sem)
{
	if (!sem)
		return;
	if (sem->map)
		munmap(sem->map, sem->map_size);
	if (sem->fd >= 0)
		close(sem->fd);
	handle_free(sem);
}

enum ipckit_sem_backend ipckit_sem_backend(const struct ipckit_sem *sem)
{
	return sem->backend;
}

const char *ipckit_sem_backend_name(enum ipckit_sem_backend backend)
{
	return backends[backend].name;
}

int64_t ipckit_sem_value_max(enum ipckit_sem_backend backend)
{
	return backends[backend].ops->value_max;
}

int ipckit_sem_id(const struct ipckit_sem *sem)
{
	return sem->backend == IPCKIT_SEM_SYSV ? sem->id : sem->fd;
}

/* A named POSIX one is a place in its file, and may be called by that. */
static enum ipckit_sem_backend rank(const struct ipckit_sem *sem)
{
	return sem->backend == IPCKIT_SEM_UNNAMED ? IPCKIT_SEM_POSIX : sem->backend;
}

int ipckit_sem_order(const struct ipckit_sem *a, const struct ipckit_sem *b)
{
	int r = array_order(rank(a), rank(b));

	if (!r)
		r = array_order(a->device, b->device);
	if (!r)
		r = array_order(a->inode, b->inode);
	return r ? r : array_order(a->offset, b->offset);
}

int ipckit_hold_identity(const struct ipckit_sem *sem, char *text, size_t size)
{
	int n;

	switch (sem->backend) {
	case IPCKIT_SEM_SYSV:
		n = snprintf(text, size, "sysv:%d:%u", sem->id, sem->index);
		break;
	case IPCKIT_SEM_EVENTFD:
		n = snprintf(text, size, "eventfd:%" PRIu64, sem->inode);
		break;
	default:
		n = hold_word(text, size, sem->device, sem->inode, sem->offset);
	}
	return n < 0 || (size_t)n >= size ? -ENOSPC : 0;
}

int ipckit_sem_take(struct ipckit_sem *sem, unsigned count, unsigned flags,
		    const struct ipckit_deadline *deadline)
{
	if (count == 0 || count > sem->ops->value_max)
		return -EINVAL;
	return sem->ops->take(sem, count, flags, deadline);
}

int ipckit_sem_give(struct ipckit_sem *sem, unsigned count, unsigned flags)
{
	if (count == 0)
		return -EINVAL;
	if (count > sem->ops->value_max)
		return -EOVERFLOW;
	return sem->ops->give(sem, count, flags);
}

int ipckit_sem_give_max(struct ipckit_sem *sem, unsigned count, unsigned max)
{
	if (count == 0)
		return -EINVAL;
	if (count > max)
		return -ERANGE;
	return sem->ops->give_max ? sem->ops->give_max(sem, count, max) : -EOPNOTSUPP;
}

int ipckit_sem_wait_zero(struct ipckit_sem *sem, const struct ipckit_deadline *deadline)
{
	return sem->ops->wait_zero ? sem->ops->wait_zero(sem, deadline) : -EOPNOTSUPP;
}

int ipckit_sem_operate(struct ipckit_sem *sem, const struct ipckit_sem_op *ops, size_t n,
		       const struct ipckit_deadline *deadline)
{
	if (n == 0)
		return -EINVAL;
	return sem->ops->operate ? sem->ops->operate(sem, ops, n, deadline) : -EOPNOTSUPP;
}

int ipckit_sem_value(struct ipckit_sem *sem, int64_t *out)
{
	return sem->ops->value ? sem->ops->value(sem, out) : -EOPNOTSUPP;
}

int ipckit_sem_set(struct ipckit_sem *sem, int64_t value, bool force)
{
	if (value < 0 || value > sem->ops->value_max)
		return -ERANGE;
	return sem->ops->set ? sem->ops->set(sem, value, force) : -EOPNOTSUPP;
}

unsigned ipckit_sem_count(const struct ipckit_sem *sem)
{
	return sem->nsems;
}

int ipckit_sem_values(struct ipckit_sem *sem, unsigned *values)
{
	return sem->ops->values ? sem->ops->values(sem, values) : -EOPNOTSUPP;
}

int ipckit_sem_set_values(struct ipckit_sem *sem, const unsigned *values)
{
	for (unsigned i = 0; i < sem->nsems; i++)
		if (values[i] > sem->ops->value_max)
			return -ERANGE;
	return sem->ops->set_values ? sem->ops->set_values(sem, values) : -EOPNOTSUPP;
}

int ipckit_sem_chmod(const struct ipckit_name *name, unsigned mode)
{
	const struct sem_ops *ops = backends[ipckit_sem_backend_of(name)].ops;

	return ops->chmod ? ops->chmod(name, mode) : -EOPNOTSUPP;
}

int ipckit_sem_chown(const struct ipckit_name *name, uid_t uid, gid_t gid)
{
	const struct sem_ops *ops = backends[ipckit_sem_backend_of(name)].ops;

	return ops->chown ? ops->chown(name, uid, gid) : -EOPNOTSUPP;
}

int ipckit_sem_remove(const struct ipckit_name *name)
{
	const struct sem_ops *ops = backends[ipckit_sem_backend_of(name)].ops;

	return ops->remove ? ops->remove(name) : -EOPNOTSUPP;
}
