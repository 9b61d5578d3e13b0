/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-layout.h"
#include "array.h"
#include "sys.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Files that words lie in: what they are called, and who shares them. */

/* ---- names ---- */

static const char deleted[] = " (deleted)";

static bool begins(const char *path, const char *with)
{
	return !strncmp(path, with, strlen(with));
}

static bool ends_deleted(const char *path)
{
	size_t length = strlen(path), tail = sizeof(deleted) - 1;

	return length > tail && !strcmp(path + length - tail, deleted);
}

static bool is_file(int directory, const char *name, const struct live_file *file)
{
	struct statx st;

	return !statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_INO, &st) &&
	       st.stx_ino == file->inode && makedev(st.stx_dev_major, st.stx_dev_minor) == file->device;
}

static int find_entry(DIR *dir, const struct live_file *file, char **out)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		if (entry->d_ino != file->inode || !is_file(dirfd(dir), entry->d_name, file))
			continue;
		return asprintf(out, "/dev/shm/%s", entry->d_name) < 0 ? -ENOMEM : 1;
	}
	return 0;
}

/* The C library makes a named semaphore under another name, under which its maker goes on to have it mapped. */
static int find_in_shm(struct live_word *word, const struct live_file *file, char **out)
{
	int dirfd = live_directory(word->futexes->scan, word->process), fd, r;
	DIR *dir;

	fd = dirfd < 0 ? dirfd : sys_openat(dirfd, "root/dev/shm", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return sys_own_trouble(fd);
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	r = find_entry(dir, file, out);
	closedir(dir);
	return r;
}

static int name_deleted(struct live_word *word, const char *path, struct live_words_file *file)
{
	struct live_scan *scan = word->futexes->scan;
	bool shm = begins(path, "/dev/shm/");
	char *found = NULL;
	int r = shm ? find_in_shm(word, &file->file, &found) : 0;

	if (r < 0)
		return r;
	/* Elsewhere it may have other names, and is not found among descriptors. */
	file->named = shm ? r > 0 : !begins(path, "/memfd:");
	if (found)
		file->name = live_text(scan, "%s", found);
	else
		file->name = live_text(scan, "%.*s", (int)(strlen(path) - strlen(deleted)), path);
	free(found);
	return 0;
}

/* Whoever may use a segment of System V can come by its identifier, also when it is to be removed. */
static int name_file(struct live_word *word, struct live_words_file *file)
{
	struct live_scan *scan = word->futexes->scan;
	const char *path = live_maps_path(&word->futexes->maps, &word->map);
	unsigned long long inode = file->file.inode;
	int r = 0;

	if (file->file.sysv) {
		file->named = true;
		file->name = live_text(scan, "segment %llu", inode);
	} else if (!*path || !strcmp(path, "/dev/zero (deleted)")) {
		file->name = live_text(scan, "shared memory [%llu]", inode);
	} else if (ends_deleted(path)) {
		r = name_deleted(word, path, file);
	} else {
		file->named = true;
		file->name = live_text(scan, "%s", path);
	}
	return r ? r : file->name ? 0 : -ENOMEM;
}

/* ---- who shares it ---- */

static int compare_levels(struct live_futexes *futexes, struct live_words_file *file)
{
	const struct live_mapper *mappers;
	uint64_t first = 0, namespace;
	size_t count;
	int r = live_maps_who(&futexes->maps, &file->file, &mappers, &count);

	file->levels = !r && count;
	for (size_t i = 0; i < count && file->levels; i++) {
		int dirfd = live_directory(futexes->scan, mappers[i].process);

		r = dirfd < 0 ? dirfd : proc_namespace(dirfd, "pid", &namespace);
		if (r || (i && namespace != first))
			file->levels = false;
		first = namespace;
	}
	return sys_own_trouble(r);
}

static int make_file(struct live_word *word, struct live_words_file *out)
{
	int r;

	*out = (struct live_words_file){ .file = word->map.file };
	r = name_file(word, out);
	return r ? r : compare_levels(word->futexes, out);
}

int live_words_file(struct live_word *word, struct live_words_file **out)
{
	struct live_futexes *futexes = word->futexes;
	struct live_words_file *larger;
	int r;

	for (size_t i = 0; i < futexes->nfiles; i++) {
		*out = &futexes->files[i];
		if (live_file_is(&(*out)->file, &word->map.file))
			return 0;
	}
	larger = array_room(futexes->files, futexes->nfiles, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	futexes->files = larger;
	r = make_file(word, &larger[futexes->nfiles]);
	if (r)
		return r;
	*out = &larger[futexes->nfiles++];
	return 0;
}
