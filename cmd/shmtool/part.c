/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "part.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *offset_text, *length_text;

const struct poptOption part_offset_options[] = {
	{ "offset", 0, POPT_ARG_STRING, &offset_text, 0, "begin at this byte (default 0)", "SIZE" },
	POPT_TABLEEND
};

const struct poptOption part_options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)part_offset_options, 0, NULL, NULL },
	{ "length", 0, POPT_ARG_STRING, &length_text, 0, "this many bytes (default: up to the end)", "SIZE" },
	POPT_TABLEEND
};

/* ---- opening ---- */

int part_from(struct cli *cli, const char *object, struct ipckit_shm *shm, struct part *out)
{
	struct part part = { .cli = cli, .object = object, .shm = shm };
	int r = ipckit_shm_size(shm, &part.size);

	if (r) {
		r = shmtool_fail(cli, object, ipckit_shm_backend(shm), r);
		ipckit_shm_close(shm);
		return r;
	}
	part.length = part.size;
	/* A write beyond RLIMIT_FSIZE has to fail, and not to end the process. */
	signal(SIGXFSZ, SIG_IGN);
	*out = part;
	return 0;
}

int part_open_whole(struct cli *cli, const char *object, unsigned access, struct part *out)
{
	struct ipckit_shm *shm;
	int r = shmtool_open(cli, object, access, &shm);

	return r ?: part_from(cli, object, shm, out);
}

/* Also in hex, as dump prints offsets. */
static int read_size(struct cli *cli, const char *option, const char *text, uint64_t *out)
{
	if (text && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return cli_count(cli, option, text, 0, INT64_MAX, out);
	return cli_size(cli, option, text, out);
}

static int choose(struct part *part, bool exact)
{
	uint64_t left, length = UINT64_MAX;
	int r = read_size(part->cli, "--offset", offset_text, &part->offset) ?:
		read_size(part->cli, "--length", length_text, &length);

	if (r)
		return r;
	if (part->offset > part->size)
		return cli_fail(part->cli, part->object, EFBIG, "byte %" PRIu64 " lies beyond its end: it has %" PRIu64,
				part->offset, part->size);
	left = part->size - part->offset;
	part->length = length < left ? length : left;
	if (exact && length_text && length > left)
		return part_fail_room(part, ipckit_known((int64_t)length));
	return 0;
}

static int open_part(struct cli *cli, const char *object, unsigned access, bool exact, struct part *out)
{
	int r = part_open_whole(cli, object, access, out);

	if (r)
		return r;
	r = choose(out, exact);
	if (r)
		part_close(out);
	return r;
}

int part_open(struct cli *cli, const char *object, unsigned access, struct part *out)
{
	return open_part(cli, object, access, false, out);
}

int part_open_exact(struct cli *cli, const char *object, unsigned access, struct part *out)
{
	return open_part(cli, object, access, true, out);
}

void part_close(struct part *part)
{
	cli_progress_end(&part->progress);
	ipckit_shm_close(part->shm);
	part->shm = NULL;
}

void part_watch(struct part *part)
{
	if (!isatty(STDOUT_FILENO))
		cli_progress_begin(part->cli, ipckit_known((int64_t)part->length), &part->progress);
}

/* ---- failures ---- */

int part_fail(struct part *part, int error)
{
	cli_progress_end(&part->progress);
	return shmtool_fail(part->cli, part->object, ipckit_shm_backend(part->shm), error);
}

int part_fail_shrunk(struct part *part, uint64_t at)
{
	cli_progress_end(&part->progress);
	return cli_fail(part->cli, part->object, EFBIG, "it shrank while it was used: it ends before byte %" PRIu64,
			at);
}

int part_fail_room(struct part *part, struct ipckit_maybe needed)
{
	struct ipckit_limit limit = {
		.name = "size of the segment",
		.value = ipckit_known((int64_t)part->size),
		.needed = needed,
		.unit = "bytes",
		.what = "what a segment can hold",
	};

	cli_progress_end(&part->progress);
	/* What is not to be written over counts as used. */
	if (part->offset)
		limit.used = ipckit_known((int64_t)part->offset);
	return cli_fail_limit(part->cli, part->object, ENOSPC, &limit);
}

/* ---- copying ---- */

int part_read(struct part *part, uint64_t at, void *data, size_t size)
{
	size_t done;
	int r = ipckit_shm_read(part->shm, at, data, size, &done);

	if (r == -EFBIG || r == -EFAULT)
		return part_fail_shrunk(part, at);
	if (r)
		return part_fail(part, r);
	return done < size ? part_fail_shrunk(part, at + done) : 0;
}

/* Either the segment ends before, or RLIMIT_FSIZE does. */
static int fail_beyond(struct part *part, uint64_t at, size_t size)
{
	const struct ipckit_shm_wanted wanted = { .size = at + size };
	uint64_t now = 0;

	if (ipckit_shm_size(part->shm, &now) || now <= at)
		return part_fail_shrunk(part, at);
	cli_progress_end(&part->progress);
	return shmtool_fail_wanted(part->cli, part->object, ipckit_shm_backend(part->shm), -EFBIG, &wanted);
}

int part_write(struct part *part, uint64_t at, const void *data, size_t size)
{
	size_t done;
	int r = ipckit_shm_write(part->shm, at, data, size, &done);

	if (r == -EFBIG)
		return fail_beyond(part, at, size);
	if (r == -ENOSPC)
		cli_warn(part->cli, "%s: what was to be written from byte %" PRIu64 " on is not, or not all of it",
			 part->object, at);
	if (r)
		return part_fail(part, r);
	return done < size ? part_fail_shrunk(part, at + done) : 0;
}

/* Huge pages, each of which costs but one fault, where the size is one of theirs: else it is not aligned
 * for them. */
#define HUGE ((size_t)2 << 20)

static size_t round_size(size_t size)
{
	return size < HUGE || size > SIZE_MAX - HUGE ? size : (size + HUGE - 1) & ~(HUGE - 1);
}

char *part_map(size_t size)
{
	char *memory;

	size = round_size(size);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	(void)!madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

void part_unmap(char *memory, size_t size)
{
	if (memory)
		munmap(memory, round_size(size));
}

int part_copy(struct part *part, char **data)
{
	char *copy;
	int r = 0;

	if (part->length >= SIZE_MAX)
		return part_fail(part, -ENOMEM);
	copy = part_map((size_t)part->length + 1);
	if (!copy)
		return part_fail(part, -ENOMEM);
	for (uint64_t done = 0, n; done < part->length && !r; done += n) {
		n = part_next(part->length - done);
		r = part_read(part, part->offset + done, copy + done, (size_t)n);
		cli_progress_step(&part->progress, done);
	}
	if (r)
		part_forget(part, copy);
	else
		*data = copy;
	return r;
}

void part_forget(struct part *part, char *data)
{
	part_unmap(data, (size_t)part->length + 1);
}

/* ---- printing ---- */

size_t part_printed(const char *data, size_t size, bool string)
{
	return string ? strnlen(data, size) : size;
}

/* Pages that are spliced would still change under the reader: what is printed is a copy. */
static int print_chunks(struct part *part, bool string, char *buffer)
{
	uint64_t done = 0;
	size_t n = 0, there = 0;
	int r = 0;

	while (done < part->length && there == n && !r) {
		n = part_next(part->length - done);
		r = part_read(part, part->offset + done, buffer, n);
		if (r)
			return r;
		there = part_printed(buffer, n, string);
		r = cli_emit_bytes(part->cli, buffer, there);
		done += n;
		cli_progress_step(&part->progress, done);
	}
	return r;
}

/* Fewer, longer turns with whoever reads the pipe. Of what is none the call fails. */
static void widen(uint64_t size)
{
	const int most = 1 << 20;

	if (size >= (uint64_t)most && fcntl(STDOUT_FILENO, F_GETPIPE_SZ) < most)
		(void)!fcntl(STDOUT_FILENO, F_SETPIPE_SZ, most);
}

int part_print(struct part *part, bool string)
{
	char *buffer = malloc(PART_CHUNK);
	int r;

	cli_raw(part->cli);
	if (!buffer)
		return part_fail(part, -ENOMEM);
	widen(part->length);
	part_watch(part);
	r = print_chunks(part, string, buffer);
	cli_progress_end(&part->progress);
	free(buffer);
	return r;
}

int part_done(struct part *part, uint64_t bytes)
{
	cli_progress_end(&part->progress);
	return shmtool_done(part->cli, part->object, ipckit_shm_backend(part->shm), ipckit_known((int64_t)part->offset),
			    ipckit_known((int64_t)bytes));
}
