/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shmtool.h"
#include "../cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_only;

static const struct poptOption options[] = {
	{ "read-only", 'r', POPT_ARG_NONE, &read_only, 0, "for reading alone", NULL },
	POPT_TABLEEND
};

static int tell_command(const char *variable, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	return setenv(variable, text, 1) ? -errno : 0;
}

/* ---- POSIX: the descriptor outlives execve(2) ---- */

static int hand_on(const struct ipckit_shm *shm)
{
	int fd = cli_hand_on(ipckit_shm_id(shm));

	return fd < 0 ? fd : tell_command("IPCKIT_FD", fd);
}

/* ---- System V: an attachment does not, so that a guardian has it ---- */

static int take(void *arg, const struct ipckit_deadline *deadline)
{
	void *data;
	size_t size;

	(void)deadline;
	return ipckit_shm_map(arg, !read_only, &data, &size);
}

static void give(void *arg)
{
	ipckit_shm_close(arg);
}

/* Returns 0, -errno, or the exit status of what was reported. */
static int start_guardian(struct cli *cli, struct ipckit_shm *shm, const char *name)
{
	struct cli_guarded guarded = { .take = take, .give = give, .arg = shm, .ends_with_it = true };
	struct ipckit_deadline deadline;

	/* Its record says what it has attached, for whom: at `shm:` there are no semaphores, so that nobody
	 * takes it for a permit. */
	guarded.hold.count = 1;
	guarded.hold.objects = name;
	snprintf(guarded.hold.at, sizeof(guarded.hold.at), "shm:%d", ipckit_shm_id(shm));
	ipckit_deadline_in(IPCKIT_FOREVER, &deadline);
	return cli_guard_prepare(&guarded.hold) ?: tell_command("IPCKIT_SHMID", ipckit_shm_id(shm)) ?:
	       cli_guard_start(cli, &guarded, &deadline) ?: cli_guard_await();
}

/* Likewise. The guardian writes its record over the operands. */
static int keep_attached(struct cli *cli, struct ipckit_shm *shm)
{
	char *name = strdup(cli->operands[0]);
	int r = name ? start_guardian(cli, shm, name) : -ENOMEM;

	free(name);
	return r;
}

static int attach(struct cli *cli, struct ipckit_shm *shm)
{
	enum ipckit_shm_backend backend = ipckit_shm_backend(shm);
	int r = cli_check_command(cli);

	if (r)
		return r;
	r = backend == IPCKIT_SHM_POSIX ? hand_on(shm) : keep_attached(cli, shm);
	if (r < 0)
		return shmtool_fail(cli, cli->operands[0], backend, r);
	return r ? r : cli_become(cli);
}

static int run(struct cli *cli)
{
	struct ipckit_shm *shm;
	int r = shmtool_open(cli, cli->operands[0], IPCKIT_SHM_READ | (read_only ? 0 : IPCKIT_SHM_WRITE), &shm);

	if (r)
		return r;
	r = attach(cli, shm);
	ipckit_shm_close(shm);
	return r;
}

const struct cli_verb shmtool_attach = {
	.name = "attach",
	.operands = "OBJECT",
	.summary = "run COMMAND with a segment attached, or (POSIX) open as descriptor $IPCKIT_FD",
	.least = 1,
	.most = 1,
	.flags = CLI_COMMAND,
	.options = options,
	.run = run,
};
