/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fifo.h"
#include "../cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <ipckit/pipe.h>
#include <unistd.h>

static char *timeout_text;

static const struct poptOption options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "hold it for this time, and end with status 0",
	  "DURATION" },
	POPT_TABLEEND
};

struct row {
	const char *fifo;
	pid_t pid;
};

#define ROW(member) .offset = offsetof(struct row, member)

static const struct cli_field fields[] = {
	{ "fifo", .type = CLI_STRING, ROW(fifo), .summary = "the FIFO as it was named" },
	{ "pid", .type = CLI_INT, ROW(pid), .summary = "the process that holds it" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct row), "fifos", NULL };

/* As soon as it is held, for scripts that wait for that. */
static int tell(struct cli *cli, const char *path)
{
	const struct row row = { path, getpid() };

	return cli_emit_line(cli, &table, &row);
}

static int take(struct cli *cli, const char *path, int *out)
{
	const struct ipckit_deadline none = { .kind = IPCKIT_DEADLINE_NONE };
	int r = ipckit_fifo_open(path, O_RDWR, &none, out);

	return r ? fifo_fail(cli, path, r) : 0;
}

/* Who becomes COMMAND holds it as long as that runs. */
static int become(struct cli *cli, const char *path)
{
	char number[16];
	int fd, copy, r = cli_check_command(cli) ?: take(cli, path, &fd);

	if (r)
		return r;
	copy = cli_hand_on(fd);
	if (copy < 0)
		return cli_fail(cli, path, copy, NULL);
	snprintf(number, sizeof(number), "%d", copy);
	if (setenv("IPCKIT_FD", number, 1))
		return cli_fail(cli, path, errno, NULL);
	return tell(cli, path) ?: cli_become(cli);
}

static int hold(struct cli *cli, const char *path, int64_t time)
{
	struct ipckit_deadline deadline;
	int fd, r = take(cli, path, &fd);

	if (r)
		return r;
	r = tell(cli, path);
	if (!r) {
		ipckit_deadline_in(time, &deadline);
		deadline.stop = pipecat_stop();
		/* A signal that came is told to who started this by pipecat_finish(). */
		(void)!ipckit_deadline_sleep(&deadline, IPCKIT_FOREVER);
	}
	fifo_leave(cli, path, fd);
	return r;
}

static int run(struct cli *cli)
{
	int64_t time = IPCKIT_FOREVER;
	const char *path;
	int r = fifo_path(cli, &path) ?: cli_duration(cli, "--timeout", timeout_text, &time);

	if (r)
		return r;
	if (cli->command)
		return timeout_text ? cli_usage(cli, "--timeout", "COMMAND ends by itself") : become(cli, path);
	r = pipecat_begin(cli);
	return r ?: pipecat_finish(cli, hold(cli, path, time));
}

const struct cli_verb pipecat_hold = {
	.name = "hold",
	.operands = "FIFO",
	.summary = "keep a FIFO open both ways until signalled, or while COMMAND runs: nobody blocks, or sees an "
		   "end",
	.least = 1,
	.most = 1,
	.flags = CLI_COMMAND_MAY,
	.options = options,
	.table = &table,
	.run = run,
};
