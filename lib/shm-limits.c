/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "limit.h"
#include "proc-scan.h"
#include "proc.h"
#include "shm-backend.h"
#include "sys.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define HUGE_DIRECTORY "/sys/kernel/mm/hugepages"
#define LIMITS 8 /* beside those on huge pages */

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* In units of a size; unknown where the number does not fit. */
static struct ipckit_maybe pages_of(uint64_t bytes, uint64_t page)
{
	uint64_t pages = bytes / page + (bytes % page != 0);

	return pages <= INT64_MAX ? ipckit_known((int64_t)pages) : ipckit_unknown();
}

static struct ipckit_maybe bytes_of(uint64_t count, uint64_t unit)
{
	int64_t bytes;

	return __builtin_mul_overflow(count, unit, &bytes) ? ipckit_unknown() : ipckit_known(bytes);
}

/* A line of /proc/meminfo, "MemTotal:       24684096 kB"; unknown where there is none. -ENOMEM. */
static int meminfo(const char *key, struct ipckit_maybe *out)
{
	size_t length = strlen(key);
	char *text, *line, *rest;
	int r = proc_read(AT_FDCWD, "/proc/meminfo", &text, NULL);

	*out = ipckit_unknown();
	if (r)
		return r == -ENOMEM ? r : 0;
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (!strncmp(line, key, length) && line[length] == ':')
			*out = bytes_of(strtoull(line + length + 1, NULL, 10), 1024);
	free(text);
	return 0;
}

/* ---- use ---- */

struct use {
	struct ipckit_maybe segments, pages;
	struct ipckit_maybe locked; /* bytes of this user's */
};

static bool is_own(const struct ipckit_shm_info *info)
{
	int64_t uid = getuid();

	return (info->uid.known && info->uid.value == uid) || (info->cuid.known && info->cuid.value == uid);
}

static void count(const struct ipckit_shm_info *info, struct use *use)
{
	struct ipckit_maybe pages = pages_of(info->size.known ? (uint64_t)info->size.value : 0, page_size());

	if (info->backend != IPCKIT_SHM_SYSV)
		return;
	use->segments.value++;
	use->pages.value += pages.value;
	if (info->locked.known && info->locked.value && is_own(info))
		use->locked.value += pages.value * (int64_t)page_size();
}

/* What cannot be told is unknown. */
static int look_at_use(struct use *use)
{
	struct ipckit_shm_list list = { 0 };
	struct shm_info info;
	int r = ipckit_shm_list(0, &list);

	*use = (struct use){ 0 };
	if (r)
		return r;
	use->segments.known = use->pages.known = use->locked.known = !list.sysv_error;
	for (size_t i = 0; i < list.count; i++)
		count(&list.list[i], use);
	ipckit_shm_list_free(&list);
	if (sys_shm_info(&info) < 0)
		return 0;
	use->segments = ipckit_known(info.used_ids);
	use->pages = pages_of(info.shm_tot, 1);
	return 0;
}

/* ---- each of them ---- */

static struct ipckit_limit shmmni(const struct use *use)
{
	struct ipckit_limit out = limit_make("kernel.shmmni", limit_sysctl("kernel/shmmni"), "segments",
					     "System V segments in this IPC namespace");

	out.used = use->segments;
	return out;
}

static struct ipckit_limit shmall(const struct use *use)
{
	struct ipckit_limit out = limit_make("kernel.shmall", limit_sysctl("kernel/shmall"), "pages",
					     "pages of all System V segments in this IPC namespace");

	out.used = use->pages;
	return out;
}

static struct ipckit_limit shmmax(void)
{
	return limit_make("kernel.shmmax", limit_sysctl("kernel/shmmax"), "bytes",
			  "size that a System V segment may be made with");
}

/* Locks are counted for whoever set them, which the kernel does not tell. */
static struct ipckit_limit rlimit_memlock(const struct use *use)
{
	struct ipckit_limit out = limit_make("RLIMIT_MEMLOCK", limit_soft(RLIMIT_MEMLOCK), "bytes",
					     "memory that one user may keep from being swapped out (ulimit -l)");

	out.used = use->locked;
	out.estimate = true;
	return out;
}

static struct ipckit_limit rlimit_fsize(void)
{
	return limit_make("RLIMIT_FSIZE", limit_soft(RLIMIT_FSIZE), "bytes",
			  "size of a POSIX segment that this process may make (ulimit -f)");
}

/* ---- huge pages ---- */

static struct ipckit_maybe huge_number(uint64_t size, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), HUGE_DIRECTORY "/hugepages-%" PRIu64 "kB/%s", size / 1024, file);
	return limit_number(path);
}

/* What is reserved is not free for others, though not used yet; surplus pages come and go with their use. */
static struct ipckit_limit huge_pages(uint64_t size, bool is_default)
{
	struct ipckit_maybe all = huge_number(size, "nr_hugepages"), free = huge_number(size, "free_hugepages");
	struct ipckit_maybe surplus = huge_number(size, "surplus_hugepages");
	struct ipckit_maybe more = huge_number(size, "nr_overcommit_hugepages");
	struct ipckit_maybe reserved = huge_number(size, "resv_hugepages");
	struct ipckit_limit out = limit_make("vm.nr_hugepages", ipckit_unknown(), "pages",
					     "huge pages, with those of vm.nr_overcommit_hugepages");

	if (!is_default)
		snprintf(out.name, sizeof(out.name), "hugepages-%" PRIu64 "kB nr_hugepages", size / 1024);
	if (!all.known || !free.known || !reserved.known)
		return out;
	out.value = ipckit_known(all.value - (surplus.known ? surplus.value : 0) + (more.known ? more.value : 0));
	out.used = ipckit_known(all.value - free.value + reserved.value);
	return out;
}

/* The bytes of a huge page; 0 where there are none. */
static int usual_size(uint64_t *out)
{
	struct ipckit_maybe size;
	int r = meminfo("Hugepagesize", &size);

	*out = size.known ? (uint64_t)size.value : 0;
	return r;
}

/* "hugepages-2048kB" */
static bool read_size(const char *name, uint64_t *size)
{
	static const char before[] = "hugepages-";

	if (strncmp(name, before, strlen(before)))
		return false;
	name += strlen(before);
	return scan_number(&name, 10, size) && !strcmp(name, "kB") && !__builtin_mul_overflow(*size, 1024, size);
}

/* One for each size that there is. */
static int add_huge_pages(struct ipckit_limits *limits)
{
	struct ipckit_limit *list;
	uint64_t size, usual;
	int r = usual_size(&usual);
	DIR *dir;

	if (r)
		return r;
	dir = opendir(HUGE_DIRECTORY);
	if (!dir)
		return errno == ENOMEM ? -ENOMEM : 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!read_size(entry->d_name, &size))
			continue;
		list = reallocarray(limits->list, limits->count + 1, sizeof(*list));
		if (!list) {
			closedir(dir);
			return -ENOMEM;
		}
		limits->list = list;
		list[limits->count++] = huge_pages(size, size == usual);
	}
	closedir(dir);
	return 0;
}

int ipckit_shm_limits(struct ipckit_limits *out)
{
	struct ipckit_limits limits = { .list = calloc(LIMITS, sizeof(*limits.list)) };
	struct use use;
	int r = -ENOMEM;

	if (!limits.list || look_at_use(&use) == -ENOMEM)
		goto failed;
	limits.list[limits.count++] = shmmni(&use);
	limits.list[limits.count++] = shmall(&use);
	limits.list[limits.count++] = shmmax();
	limits.list[limits.count++] = rlimit_memlock(&use);
	limits.list[limits.count++] = rlimit_fsize();
	limits.count += limit_of_mount(SHM_DIRECTORY, &limits.list[limits.count]);
	r = add_huge_pages(&limits);
	if (r)
		goto failed;
	*out = limits;
	return 0;
failed:
	ipckit_limits_free(&limits);
	return r;
}

/* ---- which one was hit ---- */

static bool is_used_up(const struct ipckit_limit *limit, struct ipckit_maybe needed)
{
	int64_t all;

	return limit->used.known && needed.known &&
	       (__builtin_add_overflow(limit->used.value, needed.value, &all) || limit_is_beyond(limit, all));
}

static int hit_used_up(struct ipckit_limit limit, struct ipckit_maybe needed, struct ipckit_limit *out)
{
	return is_used_up(&limit, needed) ? limit_hit(limit, needed, out) : -ENOENT;
}

/* shmget(2) looks at shmall before shmmni. */
static int hit_space(const struct ipckit_shm_spec *spec, struct ipckit_limit *out)
{
	struct use use;
	int r;

	(void)look_at_use(&use);
	r = hit_used_up(shmall(&use), pages_of(spec->size, page_size()), out);
	return r ? hit_used_up(shmmni(&use), ipckit_known(1), out) : 0;
}

static int hit_size(uint64_t size, struct ipckit_limit limit, struct ipckit_limit *out)
{
	struct ipckit_maybe needed = bytes_of(size, 1);

	return needed.known && limit_is_beyond(&limit, needed.value) ? limit_hit(limit, needed, out) : -ENOENT;
}

/* What vm.overcommit_memory lets nobody pass; 1 is no limit. */
static int hit_commit(const struct ipckit_shm_spec *spec, struct ipckit_limit *out)
{
	struct ipckit_maybe mode = limit_sysctl("vm/overcommit_memory"), needed = bytes_of(spec->size, 1);
	struct ipckit_maybe all, more;
	struct ipckit_limit limit;

	if (!mode.known || mode.value == 1 || spec->noreserve)
		return -ENOENT;
	if (mode.value == 2) {
		if (meminfo("CommitLimit", &all) || meminfo("Committed_AS", &more))
			return -ENOENT;
		limit = limit_make("CommitLimit", all, "bytes",
				   "memory that may be promised (vm.overcommit_memory is 2)");
		limit.used = more;
		return hit_used_up(limit, needed, out);
	}
	if (meminfo("MemTotal", &all) || meminfo("SwapTotal", &more))
		return -ENOENT;
	all.value += more.known ? more.value : 0;
	limit = limit_make("MemTotal and SwapTotal", all, "bytes",
			   "memory that one call may ask for (vm.overcommit_memory is 0)");
	return hit_size(spec->size, limit, out);
}

static int hit_huge_pages(const struct ipckit_shm_spec *spec, struct ipckit_limit *out)
{
	uint64_t usual, size;
	int r = usual_size(&usual);

	size = spec->hugetlb_size ?: usual;
	return size && !r ? hit_used_up(huge_pages(size, size == usual), pages_of(spec->size, size), out) : -ENOENT;
}

/* Of a segment that was to be locked. */
static int hit_memlock(uint64_t size, bool forbidden, struct ipckit_limit *out)
{
	struct ipckit_limit limit;
	struct use use;

	(void)look_at_use(&use);
	limit = rlimit_memlock(&use);
	if (!size || !limit.value.known || (forbidden && limit.value.value))
		return -ENOENT;
	return limit_hit(limit, bytes_of(size, 1), out);
}

static int hit_memory(const struct ipckit_shm_wanted *wanted, struct ipckit_limit *out)
{
	if (!wanted->spec)
		return hit_memlock(wanted->size, false, out);
	return wanted->spec->hugetlb ? hit_huge_pages(wanted->spec, out) : hit_commit(wanted->spec, out);
}

/* Those who may have huge pages without being privileged. */
static int hit_group(struct ipckit_limit *out)
{
	return limit_hit(limit_make("vm.hugetlb_shm_group", limit_sysctl("vm/hugetlb_shm_group"), NULL,
				    "the group whose processes may make segments of huge pages"),
			 ipckit_unknown(), out);
}

static int hit_right(const struct ipckit_shm_wanted *wanted, struct ipckit_limit *out)
{
	if (!wanted->spec)
		return hit_memlock(wanted->size, true, out);
	return wanted->spec->hugetlb ? hit_group(out) : -ENOENT;
}

static int hit_sysv(int error, const struct ipckit_shm_wanted *wanted, struct ipckit_limit *out)
{
	switch (error) {
	case ENOSPC:
		return wanted->spec ? hit_space(wanted->spec, out) : -ENOENT;
	case EINVAL:
		return wanted->spec ? hit_size(wanted->spec->size, shmmax(), out) : -ENOENT;
	case ENOMEM:
		return hit_memory(wanted, out);
	case EPERM:
		return hit_right(wanted, out);
	}
	return -ENOENT;
}

/* Where something is left it was not enough: space, since a file takes but one inode. */
static int hit_filesystem(uint64_t size, struct ipckit_limit *out)
{
	struct ipckit_limit limits[2];
	int r = ipckit_limit_of_filesystem(SHM_DIRECTORY, out);

	if (r != -ENOENT || !limit_of_mount(SHM_DIRECTORY, limits) || !limits[0].value.known)
		return r ? -ENOENT : 0;
	return limit_hit(limits[0], size ? bytes_of(size, 1) : ipckit_unknown(), out);
}

static int hit_posix(int error, const struct ipckit_shm_wanted *wanted, struct ipckit_limit *out)
{
	uint64_t size = wanted->spec ? wanted->spec->size : wanted->size;

	switch (error) {
	case ENOSPC:
		return hit_filesystem(size, out);
	case EFBIG:
		return hit_size(size, rlimit_fsize(), out);
	}
	return -ENOENT;
}

int ipckit_shm_limit_hit(enum ipckit_shm_backend backend, int error, const struct ipckit_shm_wanted *wanted,
			 struct ipckit_limit *out)
{
	int r = backend == IPCKIT_SHM_POSIX ? hit_posix(error, wanted, out) : hit_sysv(error, wanted, out);

	if (r != -ENOENT)
		return r;
	/* -EAGAIN is no limit here, and -EFBIG mostly an offset beyond the end. */
	return error == EMFILE || error == ENFILE || error == ENOMEM ? ipckit_limit_of_process(error, out) : r;
}
