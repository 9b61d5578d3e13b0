/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supply.h"
#include "../cli/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_SIZE (1 << 20) /* what a pipe without privileges may hold */
#define FIRST_MEMORY ((size_t)4 << 20)
#define REST_MOST ((uint64_t)1 << 20)

/* ---- opening ---- */

static int fail(struct supply *supply, int error)
{
	if (supply->progress)
		cli_progress_end(supply->progress);
	if (error == -EINTR)
		cli_stop_die();
	if (error == -ENOENT)
		return cli_fail(supply->cli, supply->name, error, "no such file");
	return cli_fail(supply->cli, supply->name, error, NULL);
}

void supply_text(struct cli *cli, const char *text, struct supply *out)
{
	*out = (struct supply){
		.cli = cli, .name = "TEXT", .size = strlen(text), .ended = true, .fd = -1, .data = text,
	};
}

/* Files of /proc and the like have no size; what they have is found by reading. */
static void look(struct supply *supply)
{
	struct stat st;
	off_t at;

	if (fstat(supply->fd, &st) || !S_ISREG(st.st_mode))
		return;
	at = lseek(supply->fd, 0, SEEK_CUR);
	if (at < 0 || st.st_size <= at)
		return;
	supply->is_file = true;
	supply->start = (uint64_t)at;
	supply->size = (uint64_t)(st.st_size - at);
	supply->ended = true;
}

int supply_open(struct cli *cli, const char *path, struct supply *out)
{
	bool standard = !path || !strcmp(path, "-");

	*out = (struct supply){ .cli = cli, .name = standard ? "standard input" : path, .fd = STDIN_FILENO };
	if (!standard)
		out->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (out->fd < 0)
		return fail(out, -errno);
	look(out);
	return 0;
}

void supply_close(struct supply *supply)
{
	if (supply->fd > STDIN_FILENO)
		close(supply->fd);
	free(supply->buffer);
	part_unmap(supply->memory, supply->mapped);
	*supply = (struct supply){ .fd = -1 };
}

bool supply_is(const struct supply *supply, const struct part *part)
{
	struct stat a, b;

	return supply->fd >= 0 && ipckit_shm_backend(part->shm) == IPCKIT_SHM_POSIX && !fstat(supply->fd, &a) &&
	       !fstat(ipckit_shm_id(part->shm), &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* ---- reading a stream ---- */

/* Returns how much was read, 0 at the end, or -errno. */
static ssize_t read_some(int fd, void *data, size_t size)
{
	ssize_t n;

	while ((n = read(fd, data, size)) < 0) {
		int error = cli_input_settle(fd, errno);

		if (error)
			return -error;
	}
	return n;
}

static int make_buffer(struct supply *supply)
{
	if (!supply->buffer)
		supply->buffer = malloc(PART_CHUNK);
	return supply->buffer ? 0 : -ENOMEM;
}

/* Fewer, longer turns with whoever writes into the pipe. Of what is none the call fails. */
static void widen(int fd)
{
	if (fcntl(fd, F_GETPIPE_SZ) < PIPE_SIZE)
		(void)!fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
}

/* From a place, where the input has places. Returns as read_some(). */
static ssize_t read_at(const struct supply *supply, uint64_t at, void *data, size_t size)
{
	ssize_t n;

	if (!supply->is_file)
		return read_some(supply->fd, data, size);
	do {
		n = pread(supply->fd, data, size, (off_t)(supply->start + at));
	} while (n < 0 && errno == EINTR && !cli_stopped());
	return n < 0 ? -errno : n;
}

ssize_t supply_read(struct supply *supply, uint64_t at, char *data, size_t size)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < size && n) {
		n = read_at(supply, at + done, data + done, size - done);
		if (n < 0)
			return -fail(supply, (int)n);
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* ---- gathering ---- */

/* The first bytes, in memory: for most inputs these are all. */
static int gather_head(struct supply *supply, uint64_t most)
{
	size_t room = most < PART_CHUNK ? (size_t)most + 1 : PART_CHUNK;
	ssize_t n = 1;
	int r = make_buffer(supply);

	if (r)
		return r;
	while (supply->size < room && n > 0) {
		n = read_some(supply->fd, supply->buffer + supply->size, room - (size_t)supply->size);
		if (n > 0)
			supply->size += (uint64_t)n;
		cli_progress_step(supply->progress, supply->size);
	}
	supply->ended = !n;
	supply->data = supply->buffer;
	return n < 0 ? (int)n : 0;
}

/* As much as there may be, in one piece: what is not touched costs nothing. Else it grows. */
static int map_memory(struct supply *supply, uint64_t most)
{
	uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

	supply->mapped = (size_t)(most < all ? most + 1 : all);
	supply->memory = part_map(supply->mapped);
	if (supply->memory)
		return 0;
	supply->mapped = supply->mapped < FIRST_MEMORY ? supply->mapped : FIRST_MEMORY;
	supply->memory = part_map(supply->mapped);
	return supply->memory ? 0 : -ENOMEM;
}

static int grow_memory(struct supply *supply)
{
	void *larger = MAP_FAILED;

	if (supply->size < supply->mapped)
		return 0;
	if (supply->mapped <= SIZE_MAX / 2)
		larger = mremap(supply->memory, supply->mapped, supply->mapped * 2, MREMAP_MAYMOVE);
	if (larger == MAP_FAILED)
		return -ENOMEM;
	supply->memory = larger;
	supply->mapped *= 2;
	return 0;
}

/* In memory: a file of it would cost as much again when its pages are freed. */
static int gather_rest(struct supply *supply, uint64_t most)
{
	int r = map_memory(supply, most);

	if (r)
		return r;
	memcpy(supply->memory, supply->buffer, (size_t)supply->size);
	widen(supply->fd);
	while (!r && !supply->ended && supply->size <= most) {
		uint64_t left = most - supply->size;
		size_t room;
		ssize_t n;

		r = grow_memory(supply);
		if (r)
			return r;
		room = supply->mapped - (size_t)supply->size;
		room = room < PIPE_SIZE ? room : PIPE_SIZE;
		n = read_some(supply->fd, supply->memory + supply->size, left < room ? (size_t)left + 1 : room);
		if (n < 0)
			return (int)n;
		supply->size += (uint64_t)n;
		supply->ended = !n;
		cli_progress_step(supply->progress, supply->size);
	}
	supply->data = supply->memory;
	return 0;
}

int supply_gather(struct supply *supply, uint64_t most, struct cli_progress *progress)
{
	int r = 0;

	if (supply->ended)
		return 0;
	supply->progress = progress;
	r = gather_head(supply, most);
	if (!r && !supply->ended && supply->size <= most)
		r = gather_rest(supply, most);
	return r ? fail(supply, r) : 0;
}

/* ---- copying ---- */

/* These two one after the other, from done on. */
static int put_data(struct supply *supply, struct part *part, uint64_t at, uint64_t size, uint64_t done)
{
	int r = 0;

	for (uint64_t n; done < size && !r; done += n) {
		n = part_next(size - done);
		r = part_write(part, at + done, supply->data + done, (size_t)n);
		cli_progress_step(&part->progress, done);
	}
	return r;
}

static int fail_short(struct supply *supply, uint64_t done)
{
	if (supply->progress)
		cli_progress_end(supply->progress);
	return cli_fail(supply->cli, supply->name, EBADMSG,
			"it became shorter while it was read: %llu of %llu bytes were written",
			(unsigned long long)done, (unsigned long long)supply->size);
}

static int put_file(struct supply *supply, struct part *part, uint64_t at, uint64_t size, uint64_t done)
{
	int r = make_buffer(supply);

	if (r)
		return fail(supply, r);
	while (done < size && !r) {
		ssize_t n = read_at(supply, done, supply->buffer, part_next(size - done));

		if (!n)
			return fail_short(supply, done);
		if (n < 0)
			return fail(supply, (int)n);
		r = part_write(part, at + done, supply->buffer, (size_t)n);
		done += (uint64_t)n;
		cli_progress_step(&part->progress, done);
	}
	return r;
}

int supply_put(struct supply *supply, struct part *part, uint64_t at, uint64_t size)
{
	uint64_t done = fetch(part, at, supply->data, supply->fd, supply->start, size);

	supply->progress = &part->progress;
	if (done == size)
		return 0;
	return (supply->data ? put_data : put_file)(supply, part, at, size, done);
}

int supply_pour(struct supply *supply, struct part *part, uint64_t at, uint64_t room, uint64_t *done)
{
	int r = make_buffer(supply);

	supply->progress = &part->progress;
	if (r)
		return fail(supply, r);
	widen(supply->fd);
	for (*done = 0; *done < room && !r;) {
		ssize_t n = read_some(supply->fd, supply->buffer, part_next(room - *done));

		if (n < 0)
			return fail(supply, (int)n);
		if (!n) {
			supply->ended = true;
			break;
		}
		r = part_write(part, at + *done, supply->buffer, (size_t)n);
		*done += (uint64_t)n;
		cli_progress_step(&part->progress, *done);
	}
	supply->size = *done;
	return r;
}

int supply_rest(struct supply *supply, uint64_t used, uint64_t *left, bool *all)
{
	int r = supply->ended ? 0 : make_buffer(supply);

	if (r)
		return fail(supply, r);
	*left = supply->size - used;
	while (!supply->ended && *left < REST_MOST) {
		ssize_t n = read_some(supply->fd, supply->buffer, PART_CHUNK);

		if (n < 0)
			return fail(supply, (int)n);
		*left += (uint64_t)n;
		supply->ended = !n;
	}
	*all = supply->ended;
	return 0;
}
