/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-file.h"
#include "lock.h"
#include "regular.h"
#include "sys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define ALIGNMENT 64
#define PAGE_MIN 4096u
#define NAME_ROOM 65536u

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* FNV-1a: against damage, not against malice. */
static uint32_t hash(uint32_t sum, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ bytes[i]) * 16777619u;
	return sum;
}

uint32_t journal_head_check(const struct journal_head *head)
{
	uint32_t sum = hash(2166136261u, head, offsetof(struct journal_head, check));

	return hash(sum, head->name, head->name_size);
}

uint32_t journal_extent_check(const struct journal_extent *extent)
{
	uint32_t sum = hash(2166136261u, &extent->room, sizeof(extent->room));

	return hash(sum, &extent->count, sizeof(extent->count));
}

static size_t stride(size_t room)
{
	return round_up(sizeof(struct journal_entry) + room, ALIGNMENT);
}

static size_t pattern_size(size_t room)
{
	return round_up(room, ALIGNMENT);
}

size_t journal_room(size_t wanted)
{
	return stride(wanted) - sizeof(struct journal_entry);
}

uint64_t journal_extent_size(size_t room, size_t count)
{
	return sizeof(struct journal_extent) + pattern_size(room) + (uint64_t)stride(room) * count;
}

struct journal_entry *journal_entry(struct journal_extent *extent, size_t i)
{
	return (void *)(extent->pattern + pattern_size(extent->room) + stride(extent->room) * i);
}

/* ---- the head ---- */

/* The head that a journal of this queue has, to be freed. */
static struct journal_head *head_of(enum ipckit_mq_backend backend, const char *queue)
{
	size_t name_size = strlen(queue) + 1;
	struct journal_head *head = calloc(1, sizeof(*head) + name_size);

	if (!head)
		return NULL;
	memcpy(head->magic, JOURNAL_MAGIC, sizeof(head->magic));
	head->byte_order = JOURNAL_BYTE_ORDER;
	head->version = JOURNAL_VERSION;
	head->word = sizeof(long);
	head->backend = backend;
	head->page = (uint32_t)sysconf(_SC_PAGESIZE);
	head->name_size = (uint32_t)name_size;
	memcpy(head->name, queue, name_size);
	head->check = journal_head_check(head);
	return head;
}

static bool head_good(const struct journal_head *head, size_t size)
{
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);

	return size > sizeof(*head) && !memcmp(head->magic, JOURNAL_MAGIC, sizeof(head->magic)) &&
	       head->byte_order == JOURNAL_BYTE_ORDER && head->version == JOURNAL_VERSION &&
	       head->word == sizeof(long) && head->backend <= IPCKIT_MQ_SYSV && head->page >= page &&
	       head->page % page == 0 && head->name_size && head->name_size <= size - sizeof(*head) &&
	       head->check == journal_head_check(head) && !head->name[head->name_size - 1] &&
	       strlen(head->name) == head->name_size - 1;
}

/* Reads what there is of a head, to be freed. */
static int read_start(int fd, struct journal_head **out, size_t *size)
{
	size_t room = sizeof(**out) + NAME_ROOM, have = 0;
	struct journal_head *head = malloc(room);
	ssize_t n;

	if (!head)
		return -ENOMEM;
	do {
		n = sys_result(pread(fd, (char *)head + have, room - have, (off_t)have));
		have += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && have < room) || n == -EINTR);
	if (n < 0) {
		free(head);
		return (int)n;
	}
	*out = head;
	*size = have;
	return 0;
}

/* The kernel would end the process. */
static int check_file_limit(uint64_t end)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit))
		return -errno;
	return limit.rlim_cur != RLIM_INFINITY && end > limit.rlim_cur ? -EFBIG : 0;
}

static int write_all(int fd, const void *data, size_t size, uint64_t at)
{
	while (size) {
		ssize_t n = sys_result(pwrite(fd, data, size, (off_t)at));

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? (int)n : -ENOSPC;
		data = (const char *)data + n;
		size -= (size_t)n;
		at += (size_t)n;
	}
	return 0;
}

/*
 * A file that ends within the head that it would be given was just made, or its
 * maker was killed: it is given its head, whole. Anything else is somebody's data.
 */
static int settle_head(int fd, const struct journal_head *want)
{
	size_t whole = sizeof(*want) + want->name_size, size;
	struct journal_head *head;
	int r = read_start(fd, &head, &size);

	if (r)
		return r;
	if (size < whole && !memcmp(head, want, size))
		r = check_file_limit(whole) ?: write_all(fd, want, whole, 0);
	else if (!head_good(head, size))
		r = -EBADMSG;
	else if (head->backend != want->backend || strcmp(head->name, want->name) != 0)
		r = -EXDEV;
	else if (head->page != want->page)
		r = -EBADMSG;
	free(head);
	return r;
}

int ipckit_journal_queue(const char *path, char **out)
{
	struct journal_head *head = NULL;
	struct stat st;
	size_t size;
	char *name;
	int fd;
	int r = regular_open(path, O_RDONLY, &st, &fd);

	if (r)
		return r;
	r = read_start(fd, &head, &size);
	if (!r && !head_good(head, size))
		r = -EBADMSG;
	if (!r) {
		name = strdup(head->name);
		if (name)
			*out = name;
		else
			r = -ENOMEM;
	}
	free(head);
	close(fd);
	return r;
}

/* ---- opening ---- */

/* A umask may have taken bits away, without which the next run could not open it. */
static int make(const char *path, int *out)
{
	int fd = sys_openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return fd;
	r = sys_result(fchmod(fd, 0600));
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

static int open_or_make(const char *path, int *out)
{
	struct stat st;
	int r;

	do {
		r = regular_open(path, O_RDWR, &st, out);
		if (r == -ENOENT)
			r = make(path, out);
	} while (r == -EEXIST);
	return r;
}

int journal_file_open(const char *path, enum ipckit_mq_backend backend, const char *queue,
		      struct journal_file *out)
{
	const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };
	struct journal_head *head;
	struct lock_range whole = { 0 };
	int fd, r;

	if (strlen(queue) >= NAME_ROOM)
		return -ENAMETOOLONG;
	r = open_or_make(path, &fd);
	if (r)
		return r;
	head = head_of(backend, queue);
	whole.fd = fd;
	r = head ? lock_take(&whole, &now) ?: settle_head(fd, head) : -ENOMEM;
	if (r) {
		close(fd);
	} else {
		*out = (struct journal_file){ .fd = fd, .backend = backend, .page = head->page };
		out->end = round_up(sizeof(*head) + head->name_size, head->page);
	}
	free(head);
	return r;
}

/* ---- extents ---- */

/* Where the kernel (before 5.14) cannot do it at once. */
static int touch_each(volatile char *start, size_t size)
{
	for (size_t i = 0; i < size; i += PAGE_MIN)
		start[i] = start[i];
	if (size)
		start[size - 1] = start[size - 1];
	return 0;
}

int journal_touch(void *start, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)start & ~(page - 1);
	int r;

	do {
		r = sys_result(madvise((void *)first, (uintptr_t)start - first + size, MADV_POPULATE_WRITE));
	} while (r == -EINTR);
	if (r == -EINVAL)
		return touch_each(start, size);
	return r == -EFAULT ? -EBADMSG : r;
}

static int map_extent(struct journal_file *file, size_t size, struct journal_extent **out)
{
	void *map = NULL;
	int r = sys_mmap(size, PROT_READ | PROT_WRITE, file->fd, (off_t)file->end, &map);

	if (r)
		return r;
	r = journal_touch(map, size);
	if (r) {
		munmap(map, size);
		return r;
	}
	/* So that it stays in memory; a limit on that is no reason to fail. */
	(void)mlock(map, size);
	*out = map;
	return 0;
}

/* The extent whose head stands here, as the file says it: 0, -ENOENT where none was finished, -EBADMSG. */
static int look(const struct journal_file *file, uint64_t size, struct journal_extent *extent)
{
	uint64_t left = size - file->end;
	ssize_t n;

	memset(extent, 0, sizeof(*extent));
	do {
		n = sys_result(pread(file->fd, extent, sizeof(*extent), (off_t)file->end));
	} while (n == -EINTR);
	if (n < 0)
		return (int)n;
	if (extent->magic == 0)
		return -ENOENT;
	if (n < (ssize_t)sizeof(*extent) || extent->magic != JOURNAL_EXTENT_MAGIC ||
	    extent->check != journal_extent_check(extent))
		return -EBADMSG;
	if (!extent->count || extent->count > JOURNAL_COUNT_MAX || extent->room > JOURNAL_ROOM_MAX ||
	    extent->room != journal_room(extent->room))
		return -EBADMSG;
	return journal_extent_size(extent->room, extent->count) <= left ? 0 : -EBADMSG;
}

/* Room on the disk, zeros where there was nothing. -EOPNOTSUPP where the file system has no such call. */
static int reserve(int fd, uint64_t at, uint64_t size)
{
	int r;

	do {
		r = sys_result(fallocate(fd, 0, (off_t)at, (off_t)size));
	} while (r == -EINTR);
	return r == -ENOSYS ? -EOPNOTSUPP : r;
}

int journal_file_next(struct journal_file *file, struct journal_extent **out, size_t *size)
{
	struct journal_extent extent;
	struct stat st;
	uint64_t whole;
	int r = sys_fstat(file->fd, &st);

	if (r || (uint64_t)st.st_size <= file->end)
		return r ?: -ENOENT;
	r = look(file, (uint64_t)st.st_size, &extent);
	if (r == -ENOENT)
		return sys_result(ftruncate(file->fd, (off_t)file->end)) ?: -ENOENT;
	if (r)
		return r;
	whole = journal_extent_size(extent.room, extent.count);
	if (whole > SIZE_MAX / 2)
		return -ENOMEM;
	/* Again: a copy of the file can have holes. */
	r = reserve(file->fd, file->end, whole);
	if (!r || r == -EOPNOTSUPP)
		r = map_extent(file, (size_t)whole, out);
	if (r)
		return r;
	*size = (size_t)whole;
	file->end += round_up(whole, file->page);
	return 0;
}

static int write_zeros(int fd, uint64_t at, uint64_t size)
{
	static const char zeros[PAGE_MIN];
	int r = 0;

	for (uint64_t i = 0; i < size && !r; i += sizeof(zeros))
		r = write_all(fd, zeros, size - i < sizeof(zeros) ? (size_t)(size - i) : sizeof(zeros), at + i);
	return r;
}

/* Random bytes out of those that no UTF-8 text holds. */
static int make_pattern(unsigned char *pattern, size_t size)
{
	static const unsigned char bytes[] = { 0xc0, 0xc1, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9,
					       0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff };
	const unsigned fair = 256 / sizeof(bytes) * sizeof(bytes);
	unsigned char random[256];

	for (size_t i = 0; i < size;) {
		ssize_t n = sys_result(getrandom(random, sizeof(random), 0));

		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		for (ssize_t k = 0; k < n && i < size; k++)
			if (random[k] < fair)
				pattern[i++] = bytes[random[k] % sizeof(bytes)];
	}
	return 0;
}

static int fill_extent(struct journal_extent *extent, enum ipckit_mq_backend backend, size_t room, size_t count)
{
	int r = make_pattern(extent->pattern, room);

	if (r)
		return r;
	extent->room = (uint32_t)room;
	extent->count = (uint32_t)count;
	extent->check = journal_extent_check(extent);
	for (size_t i = 0; i < count; i++) {
		struct ipckit_mq_message *message = &journal_entry(extent, i)->message;

		message->rank = JOURNAL_MARK(backend);
		memcpy(message->data, extent->pattern, room);
	}
	__atomic_store_n(&extent->magic, JOURNAL_EXTENT_MAGIC, __ATOMIC_RELEASE);
	return 0;
}

int journal_file_grow(struct journal_file *file, size_t room, size_t count, struct journal_extent **out,
		      size_t *size)
{
	uint64_t whole = journal_extent_size(room, count), end = file->end + round_up(whole, file->page);
	struct journal_extent *extent;
	int r;

	if (whole > SIZE_MAX / 2 || end > INT64_MAX)
		return -ENOMEM;
	/* Whole pages: the next extent begins where this one ends. */
	r = check_file_limit(end);
	if (r)
		return r;
	r = reserve(file->fd, file->end, end - file->end);
	if (r == -EOPNOTSUPP)
		r = write_zeros(file->fd, file->end, end - file->end);
	if (!r)
		r = map_extent(file, (size_t)whole, &extent);
	if (r)
		goto cut;
	r = fill_extent(extent, file->backend, room, count);
	if (r) {
		munmap(extent, (size_t)whole);
		goto cut;
	}
	*out = extent;
	*size = (size_t)whole;
	file->end = end;
	return 0;
cut:
	(void)!ftruncate(file->fd, (off_t)file->end);
	return r;
}
