/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"

#include <errno.h>
#include <inttypes.h>
#include <ipckit/pipe.h>
#include <unistd.h>

#define NAMES (IPCKIT_TAKES(IPCKIT_NAME_PATH) | IPCKIT_TAKES(IPCKIT_NAME_FD) | IPCKIT_TAKES(IPCKIT_NAME_PIPE))

struct row {
	const char *object;
	struct ipckit_maybe capacity, bytes;
};

#define ROW(member) .offset = offsetof(struct row, member)

static const struct cli_field fields[] = {
	{ "object", .type = CLI_STRING, ROW(object), .summary = "the pipe or FIFO as it was named" },
	{ "capacity", .type = CLI_SIZE, ROW(capacity),
	  .summary = "how many bytes it can hold; null: nobody has it open" },
	{ "bytes", .type = CLI_SIZE, ROW(bytes),
	  .summary = "how many wait in it to be read; null: nobody has it open" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct row), "pipes", NULL };

/* ---- failures ---- */

static int fail_missing(struct cli *cli, const struct ipckit_name *name)
{
	const char *object = name->written;

	if (name->kind == IPCKIT_NAME_PIPE)
		return cli_fail(cli, object, ENOENT, "nobody is seen to have such a pipe");
	if (name->kind != IPCKIT_NAME_FD)
		return cli_fail(cli, object, ENOENT, NULL);
	if (!name->pid)
		return cli_fail(cli, object, ENOENT, "descriptor %d is not open", name->fd);
	return cli_fail(cli, object, ENOENT, "process %d has no descriptor %d", (int)name->pid, name->fd);
}

static int fail_open(struct cli *cli, const struct ipckit_name *name, int error)
{
	const char *object = name->written;

	switch (error) {
	case -ESRCH:
		return cli_fail(cli, object, ENOENT, "there is no process %d", (int)name->pid);
	case -EBADF:
	case -ENOENT:
		return fail_missing(cli, name);
	case -EBADMSG:
		return cli_fail(cli, object, error, "it is neither a pipe nor a FIFO");
	case -ENXIO:
		return cli_fail(cli, object, EAGAIN,
				"nobody is seen to have it open: a FIFO has room only as long as somebody has "
				"(pipecat hold)");
	case -EPERM:
	case -EACCES:
		return cli_fail(cli, object, error, "who has it open may not be looked into");
	}
	return pipecat_fail(cli, object, error, ipckit_unknown());
}

static int fail_busy(struct cli *cli, const char *object, int fd)
{
	uint64_t bytes;

	if (ipckit_pipe_bytes(fd, &bytes))
		return cli_fail(cli, object, EBUSY, NULL);
	return cli_fail(cli, object, EBUSY, "%" PRIu64 " byte%s in it would not fit", bytes,
			bytes == 1 ? "" : "s");
}

static int fail_set(struct cli *cli, const char *object, int fd, uint64_t size, int error)
{
	struct ipckit_limit limit;

	if (error == -EBUSY)
		return fail_busy(cli, object, fd);
	if (error == -EINVAL)
		return cli_usage(cli, "SIZE", "\"%s\" is more than any pipe can have", cli->operands[1]);
	if (!ipckit_pipe_limit_hit(-error, size, &limit))
		return cli_fail_limit(cli, object, error, &limit);
	return cli_fail(cli, object, error, NULL);
}

/* ---- the verb ---- */

static int show(struct cli *cli, const char *object, int fd)
{
	uint64_t capacity, bytes;
	int r = ipckit_pipe_capacity(fd, &capacity) ?: ipckit_pipe_bytes(fd, &bytes);
	struct row row = { .object = object };

	if (r)
		return cli_fail(cli, object, r, NULL);
	row.capacity = ipckit_known((int64_t)capacity);
	row.bytes = ipckit_known((int64_t)bytes);
	return cli_emit_record(cli, &table, &row);
}

/* What nobody has open has nothing in it, and no room either. */
static int show_none(struct cli *cli, const char *object)
{
	const struct row row = { .object = object };

	cli_note(cli, "%s: nobody is seen to have it open", object);
	return cli_emit_record(cli, &table, &row);
}

static int set(struct cli *cli, const char *object, int fd, uint64_t size)
{
	uint64_t now;
	int r;

	cli_acts(cli);
	r = ipckit_pipe_set_capacity(fd, size, &now);
	return r ? fail_set(cli, object, fd, size, r) : show(cli, object, fd);
}

static int run_on(struct cli *cli, const struct ipckit_name *name, const uint64_t *size)
{
	int fd, r = ipckit_pipe_open(name, &fd);

	if (r == -ENXIO && !size)
		return show_none(cli, name->written);
	if (r)
		return fail_open(cli, name, r);
	r = size ? set(cli, name->written, fd, *size) : show(cli, name->written, fd);
	close(fd);
	return r;
}

static int run(struct cli *cli)
{
	const char *object = cli->operands[0], *text = cli->operands[1];
	struct ipckit_name name;
	uint64_t size = 0;
	int r = cli_size(cli, "SIZE", text, &size) ?: cli_name(cli, object, NAMES, &name);

	if (r)
		return r;
	r = run_on(cli, &name, text ? &size : NULL);
	ipckit_name_free(&name);
	return r;
}

const struct cli_verb pipecat_capacity = {
	.name = "capacity",
	.operands = "FIFO|PID:FD|fd:N [SIZE]",
	.summary = "say, or set, how many bytes a pipe or a FIFO in use can hold",
	.least = 1,
	.most = 2,
	.flags = CLI_ANSWERS,
	.table = &table,
	.run = run,
};
