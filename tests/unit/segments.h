/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_SEGMENTS_H
#define UNIT_SEGMENTS_H

/* What the tests of shared memory have in common: segments of both backends. After unit.h. */

#include "rights.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <ipckit/shm.h>

#define SEGMENT_DIRECTORY "/dev/shm"
#define PAGE 4096

static const char *const segment_names[] = { "/frame", "key:0x6672616d" };

static inline struct ipckit_name name_of(const char *text)
{
	struct ipckit_name name = { 0 };

	if (!CHECK_FOR(text, !ipckit_name_parse(text, IPCKIT_SHM_NAMES | IPCKIT_TAKES(IPCKIT_NAME_PRIVATE), NULL,
						&name)))
		exit(unit_done("names"));
	return name;
}

/* What is left out of a specification: a page, for its owner alone. */
static inline int try_segment(const char *text, struct ipckit_shm_spec spec, bool *created,
			      struct ipckit_shm **out)
{
	struct ipckit_name name = name_of(text);

	spec.size = spec.size ?: 4096;
	spec.mode = spec.mode ?: 0600;
	return ipckit_shm_create(&name, &spec, created, out);
}

static inline struct ipckit_shm *make_segment(const char *text, struct ipckit_shm_spec spec)
{
	struct ipckit_shm *shm = NULL;
	bool created = false;

	if (!CHECK_INT_FOR(text, try_segment(text, spec, &created, &shm), 0) || !CHECK_FOR(text, created))
		exit(unit_done("segments"));
	return shm;
}

/* It is refused, and nothing is made. */
static inline void check_refused(const char *text, struct ipckit_shm_spec spec, int error)
{
	struct ipckit_name name = name_of(text);
	struct ipckit_shm *shm = NULL;
	bool created = true;

	CHECK_INT_FOR(text, try_segment(text, spec, &created, &shm), error);
	CHECK_FOR(text, created && !shm);
	if (error != -EEXIST && error != -EBADMSG && error != -ELOOP && name.kind != IPCKIT_NAME_PRIVATE)
		CHECK_FOR(text, ipckit_shm_open(&name, 0, &shm) < 0);
}

static inline struct ipckit_shm *open_segment(const char *text, unsigned access)
{
	struct ipckit_name name = name_of(text);
	struct ipckit_shm *shm = NULL;

	if (!CHECK_INT_FOR(text, ipckit_shm_open(&name, access, &shm), 0))
		exit(unit_done("segments"));
	return shm;
}

static inline void remove_segment(const char *text, struct ipckit_shm *shm)
{
	struct ipckit_name name = name_of(text);

	CHECK_INT_FOR(text, ipckit_shm_remove(&name), 0);
	ipckit_shm_close(shm);
	CHECK_INT_FOR(text, ipckit_shm_remove(&name), -ENOENT);
}

static inline bool is_posix(const struct ipckit_shm *shm)
{
	return ipckit_shm_backend(shm) == IPCKIT_SHM_POSIX;
}

static inline int64_t size_of(struct ipckit_shm *shm)
{
	uint64_t size;
	int r = ipckit_shm_size(shm, &size);

	return r ? r : (int64_t)size;
}

static inline unsigned mode_of(const struct ipckit_shm *shm)
{
	struct shmid_ds ds;
	struct stat st;

	if (is_posix(shm))
		return fstat(ipckit_shm_id(shm), &st) ? 01000 : st.st_mode & 0777;
	return shmctl(ipckit_shm_id(shm), IPC_STAT, &ds) ? 01000 : ds.shm_perm.mode & 0777;
}

/* Free pages of /dev/shm. */
static inline uint64_t room(void)
{
	struct statvfs st = { 0 };

	return statvfs(SEGMENT_DIRECTORY, &st) ? UINT64_MAX : st.f_bfree;
}

/* Of /dev/shm: 2 where there are none. */
static inline unsigned entries(void)
{
	DIR *dir = opendir(SEGMENT_DIRECTORY);
	unsigned n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static inline char *map_of(struct ipckit_shm *shm, bool write, size_t *size)
{
	void *data = NULL;

	return CHECK_INT(ipckit_shm_map(shm, write, &data, size), 0) ? data : NULL;
}

static inline bool holds(struct ipckit_shm *shm, char byte)
{
	size_t size = 0;
	char *data = map_of(shm, false, &size);

	for (size_t i = 0; i < size; i++)
		if (data[i] != byte)
			return false;
	return size > 0;
}

/* A /dev/shm of its own above the one that is there. */
static inline void mount_small(const char *options)
{
	if (!CHECK_FOR(options, !mount("none", SEGMENT_DIRECTORY, "tmpfs", 0, options)))
		exit(unit_done("mounts"));
}

static inline void unmount_small(void)
{
	CHECK(!umount(SEGMENT_DIRECTORY));
}

#endif
