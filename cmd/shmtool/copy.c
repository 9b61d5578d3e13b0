/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard.h"
#include "supply.h"

#include <errno.h>
#include <stdlib.h>

static const struct poptOption options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)guard_options, 0, NULL, NULL },
	POPT_TABLEEND
};

/* One after the other, from done on. */
static int copy_chunks(struct part *from, struct part *to, uint64_t done)
{
	char *buffer = malloc(PART_CHUNK);
	int r = 0;

	if (!buffer)
		return part_fail(to, -ENOMEM);
	for (uint64_t n; done < from->size && !r; done += n) {
		n = part_next(from->size - done);
		r = part_read(from, done, buffer, (size_t)n) ?: part_write(to, done, buffer, (size_t)n);
		cli_progress_step(&to->progress, done);
	}
	free(buffer);
	return r;
}

/* A POSIX segment is a file. */
static int copy(struct part *from, struct part *to)
{
	uint64_t done = 0;

	cli_progress_begin(to->cli, ipckit_known((int64_t)from->size), &to->progress);
	if (ipckit_shm_backend(from->shm) == IPCKIT_SHM_POSIX)
		done = fetch(to, 0, NULL, ipckit_shm_id(from->shm), 0, from->size);
	return done < from->size ? copy_chunks(from, to, done) : 0;
}

/* A lock that lies in what was copied is held: in the copy, where nobody holds it, it is free. */
static int free_lock(const struct part *from, struct part *to)
{
	const uint32_t unlocked = 0;
	uint64_t at;

	return guard_lies_in(from->shm, &at) ? part_write(to, at, &unlocked, sizeof(unlocked)) : 0;
}

static int copy_locked(struct part *from, struct part *to)
{
	struct guard *guard;
	int r;

	if (ipckit_shm_same(from->shm, to->shm))
		return cli_usage(to->cli, to->object, "it is the segment that is to be copied");
	if (from->size > to->size)
		return part_fail_room(to, ipckit_known((int64_t)from->size));
	r = guard_spares(to->cli, to->shm, 0, from->size) ?: guard_take(to->cli, &guard);
	if (r)
		return r;
	r = copy(from, to) ?: free_lock(from, to);
	if (!r)
		guard_give(guard);
	return r ?: part_done(to, from->size);
}

static int run(struct cli *cli)
{
	struct part from, to;
	int r = part_open_whole(cli, cli->operands[0], IPCKIT_SHM_READ, &from);

	if (r)
		return r;
	r = part_open_whole(cli, cli->operands[1], IPCKIT_SHM_WRITE, &to);
	if (!r) {
		r = copy_locked(&from, &to);
		part_close(&to);
	}
	part_close(&from);
	return r;
}

const struct cli_verb shmtool_copy = {
	.name = "copy",
	.operands = "OBJECT OBJECT",
	.summary = "copy all bytes of the first segment to the beginning of the second",
	.least = 2,
	.most = 2,
	.options = options,
	.table = &shmtool_done_table,
	.run = run,
};
