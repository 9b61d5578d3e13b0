/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shm-backend.h"
#include "sys.h"
#include "sysv.h"

#include <string.h>

#define HUGE_SHIFT 26 /* SHM_HUGE_SHIFT of <linux/shm.h> */

/* ---- looking ---- */

static int get_existing(key_t key)
{
	return sys_shmget(key, 0, 0);
}

int shm_sysv_find(const struct ipckit_name *name, int *id)
{
	return sysv_find(name, get_existing, id);
}

static int stat_at(int place, void *ds)
{
	return sys_shmctl(place, SHM_STAT_ANY, ds);
}

int shm_sysv_stat(int id, struct shmid_ds *ds)
{
	int r = sys_shmctl(id, IPC_STAT, ds);

	if (r == -EINVAL || r == -EIDRM)
		return -ENOENT;
	return r == -EACCES ? sysv_stat_any(id, stat_at, ds) : r;
}

/* On a segment that was there when it was opened, -EINVAL mostly means that it is no more. */
static int gone(const struct ipckit_shm *shm, int r)
{
	struct shmid_ds ds;

	return r == -EINVAL && shm_sysv_stat(shm->id, &ds) == -ENOENT ? -EIDRM : r;
}

static int sysv_check(struct ipckit_shm *shm)
{
	struct shmid_ds ds;
	int r = shm_sysv_stat(shm->id, &ds);

	if (r)
		return r == -ENOENT ? -EIDRM : r;
	return ds.shm_perm.mode & SHM_DEST ? -EIDRM : 0;
}

static int sysv_size(struct ipckit_shm *shm, uint64_t *out)
{
	struct shmid_ds ds;
	int r = shm_sysv_stat(shm->id, &ds);

	if (r)
		return r == -ENOENT ? -EIDRM : r;
	*out = ds.shm_segsz;
	return 0;
}

/* ---- opening ---- */

/* Of a segment with a key the kernel tells before it is used; of others it is left to the use. */
static bool may(const struct shmid_ds *ds, unsigned access, int id)
{
	int wanted = (access & IPCKIT_SHM_READ ? 0444 : 0) | (access & IPCKIT_SHM_WRITE ? 0222 : 0);
	int r = ds->shm_perm.__key == IPC_PRIVATE ? id : sys_shmget(ds->shm_perm.__key, 0, wanted);

	return r != -EACCES;
}

static int sysv_open(const struct ipckit_name *name, unsigned access, struct ipckit_shm *shm)
{
	struct shmid_ds ds;
	int id = -1;
	int r = shm_sysv_find(name, &id);

	if (!r)
		r = shm_sysv_stat(id, &ds);
	/* That it may not be looked at is told by what it is used for. */
	if (r && r != -EACCES)
		return r;
	if (!r && access && !may(&ds, access, id))
		return -EACCES;
	shm->id = id;
	return 0;
}

static void sysv_close(struct ipckit_shm *shm)
{
	if (shm->map)
		(void)sys_shmdt(shm->map);
}

/* ---- contents ---- */

/* What is attached cannot be taken away any more: only then is its size sure. */
static int sysv_map(struct ipckit_shm *shm, bool write)
{
	uint64_t size = 0;
	void *map = NULL;
	int r = sys_shmat(shm->id, write ? 0 : SHM_RDONLY, &map);

	if (r)
		return gone(shm, r);
	r = sysv_size(shm, &size);
	if (r) {
		(void)sys_shmdt(map);
		return r;
	}
	shm->map = map;
	shm->map_size = (size_t)size;
	shm->map_writable = write;
	return 0;
}

/*
 * Has the kernel say what touching the memory would raise SIGBUS for: huge pages that were not
 * reserved, and that there are none of. Before Linux 5.14 it cannot.
 */
static int populate(char *start, size_t size, bool write)
{
	uintptr_t before = (uintptr_t)start & ((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	int r;

	do {
		r = sys_result(madvise(start - before, before + size,
				       write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ));
	} while (r == -EINTR);
	if (r == -EFAULT)
		return -ENOMEM;
	return r == -EINVAL ? 0 : r;
}

/* Maps it, and finds what is to be copied: *size bytes, at most those that there are. */
static int find_part(struct ipckit_shm *shm, uint64_t offset, bool write, char **start, size_t *size)
{
	void *map;
	size_t all;
	int r = ipckit_shm_map(shm, write, &map, &all);

	if (r)
		return r;
	if (offset > all)
		return -EFBIG;
	*start = (char *)map + offset;
	if (*size > all - offset)
		*size = all - (size_t)offset;
	return *size ? populate(*start, *size, write) : 0;
}

static int sysv_read(struct ipckit_shm *shm, uint64_t offset, void *data, size_t size, size_t *done)
{
	char *start;
	int r = find_part(shm, offset, false, &start, &size);

	if (r)
		return r;
	memcpy(data, start, size);
	*done = size;
	return 0;
}

static int sysv_write(struct ipckit_shm *shm, uint64_t offset, const void *data, size_t size, size_t *done)
{
	char *start;
	int r = find_part(shm, offset, true, &start, &size);

	if (r)
		return r;
	memcpy(start, data, size);
	*done = size;
	return 0;
}

/* ---- creation ---- */

/* The kernel takes the logarithm of the size of a huge page. */
static unsigned flags_of(const struct ipckit_shm_spec *spec)
{
	unsigned flags = (spec->hugetlb ? SHM_HUGETLB : 0) | (spec->noreserve ? SHM_NORESERVE : 0);

	return spec->hugetlb_size ? flags | (unsigned)__builtin_ctzll(spec->hugetlb_size) << HUGE_SHIFT : flags;
}

/* Its owner, too, needs the rights to fill it. */
static unsigned first_mode(const struct ipckit_shm_spec *spec)
{
	return spec->fill ? spec->mode | 0600 : spec->mode;
}

static int set_mode(int id, unsigned mode)
{
	struct shmid_ds ds;
	int r = sys_shmctl(id, IPC_STAT, &ds);

	if (r)
		return r;
	ds.shm_perm.mode = (unsigned short)mode;
	return sys_shmctl(id, IPC_SET, &ds);
}

static int fill(struct ipckit_shm *shm, const struct ipckit_shm_spec *spec)
{
	int r = sysv_map(shm, true) ?: populate(shm->map, shm->map_size, true);

	if (r)
		return r;
	memset(shm->map, spec->fill, shm->map_size);
	return first_mode(spec) == spec->mode ? 0 : set_mode(shm->id, spec->mode);
}

static int make(key_t key, const struct ipckit_shm_spec *spec, struct ipckit_shm *shm)
{
	unsigned flags = IPC_CREAT | IPC_EXCL | flags_of(spec) | first_mode(spec);
	int id, r;

	if (spec->size > SIZE_MAX)
		return -EINVAL;
	id = sys_shmget(key, (size_t)spec->size, (int)flags);
	if (id < 0)
		return id;
	shm->id = id;
	r = spec->fill ? fill(shm, spec) : 0;
	if (r)
		(void)sys_shmctl(id, IPC_RMID, NULL);
	return r;
}

/* shmget(2) is content with one that is larger. */
static int open_existing(const struct ipckit_name *name, const struct ipckit_shm_spec *spec,
			 struct ipckit_shm *shm)
{
	uint64_t size = 0;
	int r = sysv_open(name, shm->access, shm);

	if (!r)
		r = sysv_size(shm, &size);
	if (r)
		return r == -EIDRM ? -ENOENT : r;
	return size == spec->size ? 0 : -EBADMSG;
}

static int sysv_create(const struct ipckit_name *name, const struct ipckit_shm_spec *spec, bool *created,
		       struct ipckit_shm *shm)
{
	key_t key;
	int r = ipckit_name_key(name, &key);

	if (r)
		return r;
	/* Between the look and the creation it may come or go. */
	do {
		r = spec->exclusive || key == IPC_PRIVATE ? -ENOENT : open_existing(name, spec, shm);
		if (r != -ENOENT) {
			if (!r)
				*created = false;
			return r;
		}
		r = make(key, spec, shm);
	} while (r == -EEXIST && !spec->exclusive);
	if (!r)
		*created = true;
	return r;
}

/* ---- the object ---- */

static int sysv_lock(struct ipckit_shm *shm, bool lock)
{
	return gone(shm, sys_shmctl(shm->id, lock ? SHM_LOCK : SHM_UNLOCK, NULL));
}

static int sysv_set(const struct ipckit_name *name, const struct ipckit_shm_change *change)
{
	struct shmid_ds ds, now;
	int id;
	int r = shm_sysv_find(name, &id);

	if (!r)
		r = shm_sysv_stat(id, &ds);
	if (r)
		return r;
	if (change->mode)
		ds.shm_perm.mode = (unsigned short)*change->mode;
	if (change->uid != (uid_t)-1)
		ds.shm_perm.uid = change->uid;
	if (change->gid != (gid_t)-1)
		ds.shm_perm.gid = change->gid;
	r = sys_shmctl(id, IPC_SET, &ds);
	if (r == -EIDRM)
		return -ENOENT;
	/* Of a segment that is still there it is the owner, whom this user namespace does not know. */
	return r == -EINVAL && shm_sysv_stat(id, &now) == -ENOENT ? -ENOENT : r;
}

static int sysv_remove(const struct ipckit_name *name)
{
	int id;
	int r = shm_sysv_find(name, &id);

	if (!r)
		r = sys_shmctl(id, IPC_RMID, NULL);
	return r == -EINVAL || r == -EIDRM ? -ENOENT : r;
}

const struct shm_ops shm_sysv_ops = {
	.name = "sysv",
	.open = sysv_open,
	.create = sysv_create,
	.close = sysv_close,
	.check = sysv_check,
	.size = sysv_size,
	.map = sysv_map,
	.read = sysv_read,
	.write = sysv_write,
	.lock = sysv_lock,
	.set = sysv_set,
	.remove = sysv_remove,
};
