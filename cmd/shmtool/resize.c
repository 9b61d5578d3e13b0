/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shmtool.h"

#include <errno.h>

struct resized {
	struct cli_done head;
	struct ipckit_maybe size;
};

static const struct cli_field fields[] = {
	CLI_DONE_FIELDS("the segment as it was named", "posix"),
	{ "size", .type = CLI_SIZE, .offset = offsetof(struct resized, size), .summary = "bytes that it has now" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct resized), "segments", NULL };

static int read_size(struct cli *cli, const char *text, uint64_t *size)
{
	int r = cli_size(cli, "SIZE", text, size);

	return !r && !*size ? cli_usage(cli, "SIZE", "\"%s\": at least 1", text) : r;
}

static int resize(struct cli *cli, const struct ipckit_name *name, uint64_t size)
{
	const struct ipckit_shm_wanted wanted = { .size = size };
	enum ipckit_shm_backend backend = ipckit_shm_backend_of(name);
	struct resized row = {
		.head = { name->written, ipckit_shm_backend_name(backend) },
		.size = ipckit_known((int64_t)size),
	};
	struct ipckit_shm *shm;
	int r;

	if (backend == IPCKIT_SHM_SYSV)
		return cli_fail(cli, name->written, EOPNOTSUPP,
				"a System V segment keeps the size that shmget(2) gave it: "
				"create another one, and copy");
	r = ipckit_shm_open(name, IPCKIT_SHM_WRITE, &shm);
	if (!r) {
		r = ipckit_shm_resize(shm, size);
		ipckit_shm_close(shm);
	}
	return r ? shmtool_fail_wanted(cli, name->written, backend, r, &wanted) : cli_emit_record(cli, &table, &row);
}

static int run(struct cli *cli)
{
	struct ipckit_name name;
	uint64_t size = 0;
	int r = read_size(cli, cli->operands[1], &size) ?: shmtool_name(cli, cli->operands[0], 0, &name);

	if (r)
		return r;
	r = resize(cli, &name, size);
	ipckit_name_free(&name);
	return r;
}

const struct cli_verb shmtool_resize = {
	.name = "resize",
	.operands = "OBJECT SIZE",
	.summary = "change the size of a POSIX segment; what it grows by is zero",
	.least = 2,
	.most = 2,
	.table = &table,
	.run = run,
};
