/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shmtool.h"

#include <errno.h>

static int change(struct cli *cli, const struct ipckit_name *name, bool lock)
{
	enum ipckit_shm_backend backend = ipckit_shm_backend_of(name);
	struct ipckit_shm_wanted wanted = { 0 };
	struct ipckit_shm *shm;
	int r;

	if (backend == IPCKIT_SHM_POSIX)
		return cli_fail(cli, name->written, EOPNOTSUPP,
				"a POSIX segment is locked in memory by the processes that map it, with mlock(2)");
	r = ipckit_shm_open(name, 0, &shm);
	if (r)
		return shmtool_fail(cli, name->written, backend, r);
	/* Only for the message. */
	(void)!ipckit_shm_size(shm, &wanted.size);
	r = ipckit_shm_lock(shm, lock);
	ipckit_shm_close(shm);
	if (r)
		return shmtool_fail_wanted(cli, name->written, backend, r, &wanted);
	return shmtool_done(cli, name->written, backend, ipckit_unknown(), ipckit_unknown());
}

static int run(struct cli *cli, bool lock)
{
	struct ipckit_name name;
	int r = shmtool_name(cli, cli->operands[0], 0, &name);

	if (r)
		return r;
	r = change(cli, &name, lock);
	ipckit_name_free(&name);
	return r;
}

static int run_lock(struct cli *cli)
{
	return run(cli, true);
}

static int run_unlock(struct cli *cli)
{
	return run(cli, false);
}

const struct cli_verb shmtool_lock = {
	.name = "lock",
	.operands = "OBJECT",
	.summary = "keep a System V segment in memory, out of swap (SHM_LOCK)",
	.least = 1,
	.most = 1,
	.table = &shmtool_done_table,
	.run = run_lock,
};

const struct cli_verb shmtool_unlock = {
	.name = "unlock",
	.operands = "OBJECT",
	.summary = "keep it there no longer (SHM_UNLOCK)",
	.least = 1,
	.most = 1,
	.table = &shmtool_done_table,
	.run = run_unlock,
};
