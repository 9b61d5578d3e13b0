/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

#include <errno.h>
#include <ipckit/parse.h>

/* A symbolic mode starts from the one that is set; and what is no semaphore is left alone. */
static int mode_of(struct cli *cli, const struct ipckit_name *name, unsigned *out)
{
	struct ipckit_sem_info info = { 0 };
	int r = ipckit_sem_stat(name, 0, &info);

	if (r)
		return cli_sem_fail_find(cli, name, r);
	*out = info.mode.known ? (unsigned)info.mode.value & 0777 : 0;
	ipckit_sem_info_free(&info);
	return 0;
}

static int change_mode(struct cli *cli, const struct ipckit_name *name)
{
	unsigned base = 0, mode = 0;
	int r = mode_of(cli, name, &base);

	if (!r)
		r = cli_mode(cli, "MODE", cli->operands[1], base, &mode);
	if (r)
		return r;
	r = ipckit_sem_chmod(name, mode);
	return r ? cli_sem_fail(cli, name->written, ipckit_sem_backend_of(name), r) : 0;
}

static int change_owner(struct cli *cli, const struct ipckit_name *name)
{
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;
	unsigned mode;
	int r = mode_of(cli, name, &mode) ?: cli_owner(cli, "USER[:GROUP]", cli->operands[1], &uid, &gid);

	if (r)
		return r;
	r = ipckit_sem_chown(name, uid, gid);
	if (r == -EINVAL)
		return cli_fail(cli, name->written, r, "this user namespace has no such user or group");
	return r ? cli_sem_fail(cli, name->written, ipckit_sem_backend_of(name), r) : 0;
}

static int change(struct cli *cli, int (*how)(struct cli *, const struct ipckit_name *))
{
	struct ipckit_name name;
	int r = cli_sem_name(cli, cli->operands[0], 0, &name);

	if (r)
		return r;
	r = how(cli, &name);
	if (!r)
		r = semctl_done(cli, name.written, ipckit_sem_backend_of(&name), ipckit_unknown(), ipckit_unknown());
	ipckit_name_free(&name);
	return r;
}

static int run_chmod(struct cli *cli)
{
	return change(cli, change_mode);
}

static int run_chown(struct cli *cli)
{
	return change(cli, change_owner);
}

const struct cli_verb semctl_chmod = {
	.name = "chmod",
	.operands = "OBJECT MODE",
	.summary = "set the permissions",
	.least = 2,
	.most = 2,
	.table = &semctl_done_table,
	.run = run_chmod,
};

const struct cli_verb semctl_chown = {
	.name = "chown",
	.operands = "OBJECT USER[:GROUP]",
	.summary = "set owner and group",
	.least = 2,
	.most = 2,
	.table = &semctl_done_table,
	.run = run_chown,
};
