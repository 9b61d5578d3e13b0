/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shm-backend.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define HUGE_MIN 4096 /* below, the kernel would take it for a word to have its default */

static const struct shm_ops *const backends[] = {
	[IPCKIT_SHM_POSIX] = &shm_posix_ops,
	[IPCKIT_SHM_SYSV] = &shm_sysv_ops,
};

enum ipckit_shm_backend ipckit_shm_backend_of(const struct ipckit_name *name)
{
	return name->kind == IPCKIT_NAME_POSIX ? IPCKIT_SHM_POSIX : IPCKIT_SHM_SYSV;
}

enum ipckit_shm_backend ipckit_shm_backend(const struct ipckit_shm *shm)
{
	return shm->backend;
}

const char *ipckit_shm_backend_name(enum ipckit_shm_backend backend)
{
	return backends[backend]->name;
}

int ipckit_shm_id(const struct ipckit_shm *shm)
{
	return shm->id;
}

/* ---- opening ---- */

static struct ipckit_shm *shm_new(const struct ipckit_name *name, unsigned access)
{
	struct ipckit_shm *shm = calloc(1, sizeof(*shm));

	if (!shm)
		return NULL;
	shm->backend = ipckit_shm_backend_of(name);
	shm->ops = backends[shm->backend];
	shm->id = -1;
	shm->access = access;
	return shm;
}

int ipckit_shm_open(const struct ipckit_name *name, unsigned access, struct ipckit_shm **out)
{
	struct ipckit_shm *shm;
	int r;

	if (access & ~(IPCKIT_SHM_READ | IPCKIT_SHM_WRITE))
		return -EINVAL;
	shm = shm_new(name, access);
	if (!shm)
		return -ENOMEM;
	r = shm->ops->open(name, access, shm);
	if (r)
		ipckit_shm_close(shm);
	else
		*out = shm;
	return r;
}

static bool is_huge_size(uint64_t size)
{
	return size >= HUGE_MIN && !(size & (size - 1));
}

static int check_spec(const struct ipckit_name *name, const struct ipckit_shm_spec *spec)
{
	if (!spec->size || spec->size > INT64_MAX || spec->mode > 0777)
		return -EINVAL;
	if (spec->hugetlb_size && !(spec->hugetlb && is_huge_size(spec->hugetlb_size)))
		return -EINVAL;
	return spec->hugetlb && ipckit_shm_backend_of(name) == IPCKIT_SHM_POSIX ? -EOPNOTSUPP : 0;
}

int ipckit_shm_create(const struct ipckit_name *name, const struct ipckit_shm_spec *spec, bool *created,
		      struct ipckit_shm **out)
{
	struct ipckit_shm *shm;
	int r = check_spec(name, spec);

	if (r)
		return r;
	shm = shm_new(name, IPCKIT_SHM_READ | IPCKIT_SHM_WRITE);
	if (!shm)
		return -ENOMEM;
	r = shm->ops->create(name, spec, created, shm);
	if (r)
		ipckit_shm_close(shm);
	else
		*out = shm;
	return r;
}

void ipckit_shm_close(struct ipckit_shm *shm)
{
	if (!shm)
		return;
	shm->ops->close(shm);
	free(shm);
}

bool ipckit_shm_same(const struct ipckit_shm *a, const struct ipckit_shm *b)
{
	struct stat x, y;

	if (a->backend != b->backend)
		return false;
	if (a->backend == IPCKIT_SHM_SYSV)
		return a->id == b->id;
	return !fstat(a->id, &x) && !fstat(b->id, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int ipckit_shm_check(struct ipckit_shm *shm)
{
	return shm->ops->check(shm);
}

int ipckit_shm_size(struct ipckit_shm *shm, uint64_t *out)
{
	return shm->ops->size(shm, out);
}

/* ---- contents ---- */

/* It is mapped but once, so for all that the handle was opened for. */
int ipckit_shm_map(struct ipckit_shm *shm, bool write, void **data, size_t *size)
{
	int r = 0;

	if (!(shm->access & (write ? IPCKIT_SHM_WRITE : IPCKIT_SHM_READ | IPCKIT_SHM_WRITE)))
		return -EACCES;
	if (!shm->map)
		r = shm->ops->map(shm, shm->access & IPCKIT_SHM_WRITE);
	if (r)
		return r;
	*data = shm->map;
	*size = shm->map_size;
	return 0;
}

int ipckit_shm_read(struct ipckit_shm *shm, uint64_t offset, void *data, size_t size, size_t *done)
{
	if (!(shm->access & IPCKIT_SHM_READ))
		return -EACCES;
	return shm->ops->read(shm, offset, data, size, done);
}

int ipckit_shm_write(struct ipckit_shm *shm, uint64_t offset, const void *data, size_t size, size_t *done)
{
	if (!(shm->access & IPCKIT_SHM_WRITE))
		return -EACCES;
	return shm->ops->write(shm, offset, data, size, done);
}

/* ---- the object ---- */

int ipckit_shm_resize(struct ipckit_shm *shm, uint64_t size)
{
	if (!shm->ops->resize)
		return -EOPNOTSUPP;
	if (size > INT64_MAX)
		return -EFBIG;
	return shm->access & IPCKIT_SHM_WRITE ? shm->ops->resize(shm, size) : -EACCES;
}

int ipckit_shm_lock(struct ipckit_shm *shm, bool lock)
{
	return shm->ops->lock ? shm->ops->lock(shm, lock) : -EOPNOTSUPP;
}

int ipckit_shm_set(const struct ipckit_name *name, const struct ipckit_shm_change *change)
{
	if (change->mode && *change->mode > 0777)
		return -EINVAL;
	return backends[ipckit_shm_backend_of(name)]->set(name, change);
}

int ipckit_shm_remove(const struct ipckit_name *name)
{
	return backends[ipckit_shm_backend_of(name)]->remove(name);
}
