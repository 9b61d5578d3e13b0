/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "regular.h"
#include "shm-backend.h"
#include "sys.h"

#include <ipckit/deadline.h>
#include <stdio.h>
#include <string.h>

#define PART (1u << 20) /* written between two looks at the size */
#define YOUNG_S 1
#define YOUNG_LOOKS 20
#define YOUNG_NS 1000000

/* The files of semaphores are no segments: sem_open(3) puts sem. before their names. */
int shm_posix_path(const struct ipckit_name *name, char path[SHM_PATH_MAX])
{
	int n = snprintf(path, SHM_PATH_MAX, SHM_DIRECTORY "%s", name->text);

	if (!strncmp(name->text, "/sem.", strlen("/sem.")))
		return -EBADMSG;
	return n < 0 || (size_t)n >= SHM_PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Without its directory no segment can be there, and none be made. */
static int tell_mount(int r)
{
	return r == -ENOENT && access(SHM_DIRECTORY, F_OK) ? -ENODEV : r;
}

/* The descriptor was opened for what the permissions gave. */
static int denied(int r)
{
	return r == -EBADF ? -EACCES : r;
}

/* ---- opening ---- */

/* One that is to be written is opened for reading, too, as far as that is allowed: else it could not be
 * mapped. */
static int open_path(const char *path, unsigned access, struct stat *st, int *out)
{
	int r;

	if (!(access & IPCKIT_SHM_WRITE))
		return regular_open(path, O_RDONLY, st, out);
	r = regular_open(path, O_RDWR, st, out);
	return r == -EACCES && access == IPCKIT_SHM_WRITE ? regular_open(path, O_WRONLY, st, out) : r;
}

static int posix_open(const struct ipckit_name *name, unsigned access, struct ipckit_shm *shm)
{
	char path[SHM_PATH_MAX];
	struct stat st;
	int r = shm_posix_path(name, path);

	if (r)
		return r;
	return tell_mount(access ? open_path(path, access, &st, &shm->id) : regular_find(path, &shm->id));
}

static void posix_close(struct ipckit_shm *shm)
{
	if (shm->map)
		munmap(shm->map, shm->map_size);
	if (shm->id >= 0)
		close(shm->id);
}

static int posix_check(struct ipckit_shm *shm)
{
	struct stat st;
	int r = sys_fstat(shm->id, &st);

	return r ?: st.st_nlink ? 0 : -EIDRM;
}

static int posix_size(struct ipckit_shm *shm, uint64_t *out)
{
	struct stat st;
	int r = sys_fstat(shm->id, &st);

	if (!r)
		*out = (uint64_t)st.st_size;
	return r;
}

/* ---- creation ---- */

static int give_size(int fd, const struct ipckit_shm_spec *spec)
{
	if (spec->fill)
		return regular_fill(fd, spec->size, spec->fill);
	if (!spec->noreserve)
		return regular_grow(fd, 0, spec->size);
	return regular_check_size(spec->size) ?: sys_result(ftruncate(fd, (off_t)spec->size));
}

/* A file without a name yet, that already is the segment. */
static int make(const struct ipckit_shm_spec *spec, int *out)
{
	int fd;
	int r = tell_mount(regular_make(SHM_DIRECTORY, &fd));

	if (r)
		return r;
	r = give_size(fd, spec) ?: sys_result(fchmod(fd, spec->mode));
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

/* Whoever makes one by shm_open(3) may not have come to give it its size yet. */
static int await_size(int fd, struct stat *st)
{
	const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };
	int r = 0;

	for (unsigned i = 0; !r && !st->st_size && i < YOUNG_LOOKS; i++) {
		if (time(NULL) - st->st_ctime > YOUNG_S)
			return 0;
		r = ipckit_deadline_sleep(&forever, YOUNG_NS) ?: sys_fstat(fd, st);
	}
	return r;
}

static int open_existing(const char *path, const struct ipckit_shm_spec *spec, struct ipckit_shm *shm)
{
	struct stat st;
	int r = regular_open(path, O_RDWR, &st, &shm->id) ?: await_size(shm->id, &st);

	if (r)
		return r;
	return (uint64_t)st.st_size == spec->size ? 0 : -EBADMSG;
}

static int posix_create(const struct ipckit_name *name, const struct ipckit_shm_spec *spec, bool *created,
			struct ipckit_shm *shm)
{
	char path[SHM_PATH_MAX];
	int r = shm_posix_path(name, path);

	if (r)
		return r;
	/* Before it is found out whether there would be room. */
	if (spec->exclusive && !sys_result(faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW)))
		return -EEXIST;
	/* Between the look and the link it may come or go: whoever links is the creator. */
	for (;;) {
		r = spec->exclusive ? -ENOENT : open_existing(path, spec, shm);
		if (r != -ENOENT) {
			if (!r)
				*created = false;
			return r;
		}
		r = make(spec, &shm->id);
		if (r)
			return r;
		r = regular_publish(shm->id, path);
		if (r != -EEXIST || spec->exclusive)
			break;
		close(shm->id);
		shm->id = -1;
	}
	if (!r)
		*created = true;
	return r;
}

/* ---- contents ---- */

static int posix_map(struct ipckit_shm *shm, bool write)
{
	uint64_t size = 0;
	int r = posix_size(shm, &size);

	if (!r && size > SIZE_MAX)
		r = -ENOMEM;
	if (!r)
		r = sys_mmap((size_t)size, PROT_READ | (write ? PROT_WRITE : 0), shm->id, 0, &shm->map);
	if (r)
		return denied(r);
	shm->map_size = (size_t)size;
	shm->map_writable = write;
	return 0;
}

/* How many bytes there are from an offset on, at most size. */
static int bytes_there(struct ipckit_shm *shm, uint64_t offset, size_t size, size_t *out)
{
	uint64_t end = 0;
	int r = posix_size(shm, &end);

	if (r)
		return r;
	if (offset > end)
		return -EFBIG;
	*out = end - offset < size ? (size_t)(end - offset) : size;
	return 0;
}

static int posix_read(struct ipckit_shm *shm, uint64_t offset, void *data, size_t size, size_t *done)
{
	size_t at = 0, there = 0;
	ssize_t n;
	int r = bytes_there(shm, offset, size, &there);

	if (r)
		return r;
	while (at < there) {
		n = sys_result(pread(shm->id, (char *)data + at, there - at, (off_t)(offset + at)));
		if (n < 0 && n != -EINTR)
			return denied((int)n);
		if (!n)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	*done = at;
	return 0;
}

/* A write(2) behind the end would make the file longer again: it is looked where that is. */
static int posix_write(struct ipckit_shm *shm, uint64_t offset, const void *data, size_t size, size_t *done)
{
	size_t at = 0, all = 0, part = 0;
	ssize_t n;
	int r = bytes_there(shm, offset, size, &all);

	if (!r && all)
		r = regular_check_size(offset + all);
	if (r)
		return r;
	while (at < all) {
		r = bytes_there(shm, offset + at, all - at < PART ? all - at : PART, &part);
		/* It has shrunk. */
		if (r == -EFBIG || (!r && !part))
			break;
		n = r ?: sys_result(pwrite(shm->id, (const char *)data + at, part, (off_t)(offset + at)));
		if (n < 0 && n != -EINTR)
			return denied((int)n);
		at += n > 0 ? (size_t)n : 0;
	}
	*done = at;
	return 0;
}

/* ---- the object ---- */

static int posix_resize(struct ipckit_shm *shm, uint64_t size)
{
	uint64_t now = 0;
	int r = posix_size(shm, &now);

	if (r)
		return r;
	if (size > now)
		return denied(regular_grow(shm->id, now, size));
	return sys_result(ftruncate(shm->id, (off_t)size));
}

static int posix_set(const struct ipckit_name *name, const struct ipckit_shm_change *change)
{
	char path[SHM_PATH_MAX];
	int r = shm_posix_path(name, path);

	if (!r && change->mode)
		r = tell_mount(regular_chmod(path, *change->mode));
	if (r || (change->mode && change->uid == (uid_t)-1 && change->gid == (gid_t)-1))
		return r;
	return tell_mount(regular_chown(path, change->uid, change->gid));
}

static int posix_remove(const struct ipckit_name *name)
{
	char path[SHM_PATH_MAX];
	int fd;
	int r = shm_posix_path(name, path);

	if (!r)
		r = tell_mount(regular_find(path, &fd));
	if (r)
		return r;
	close(fd);
	return sys_result(unlink(path));
}

const struct shm_ops shm_posix_ops = {
	.name = "posix",
	.open = posix_open,
	.create = posix_create,
	.close = posix_close,
	.check = posix_check,
	.size = posix_size,
	.map = posix_map,
	.read = posix_read,
	.write = posix_write,
	.resize = posix_resize,
	.set = posix_set,
	.remove = posix_remove,
};
