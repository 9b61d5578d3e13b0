/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shmtool.h"

#include <errno.h>

static char *mode_text, *owner_text;

static const struct poptOption options[] = {
	{ "mode", 'm', POPT_ARG_STRING, &mode_text, 0, "permissions, octal or as chmod takes them", "MODE" },
	{ "owner", 0, POPT_ARG_STRING, &owner_text, 0, "owner and group", "USER[:GROUP]" },
	POPT_TABLEEND
};

/* A symbolic mode starts from the one that is set. */
static int read_mode(struct cli *cli, const struct ipckit_name *name, unsigned *mode)
{
	struct ipckit_shm_info info = { 0 };
	unsigned base;
	int r;

	if (!mode_text)
		return 0;
	r = ipckit_shm_stat(name, 0, &info);
	if (r)
		return shmtool_fail(cli, name->written, ipckit_shm_backend_of(name), r);
	base = info.mode.known ? (unsigned)info.mode.value & 0777 : 0;
	ipckit_shm_info_free(&info);
	return cli_mode(cli, "--mode", mode_text, base, mode);
}

static int change(struct cli *cli, const struct ipckit_name *name)
{
	struct ipckit_shm_change change = { .uid = (uid_t)-1, .gid = (gid_t)-1 };
	unsigned mode = 0;
	int r = read_mode(cli, name, &mode);

	if (!r && owner_text)
		r = cli_owner(cli, "--owner", owner_text, &change.uid, &change.gid);
	if (r)
		return r;
	change.mode = mode_text ? &mode : NULL;
	r = ipckit_shm_set(name, &change);
	if (r == -EINVAL && owner_text)
		return cli_fail(cli, name->written, r, "this user namespace has no such user or group");
	return r ? shmtool_fail(cli, name->written, ipckit_shm_backend_of(name), r) : 0;
}

static int run(struct cli *cli)
{
	struct ipckit_name name;
	int r;

	if (!mode_text && !owner_text)
		return cli_usage(cli, cli->operands[0], "one of --mode and --owner is needed");
	r = shmtool_name(cli, cli->operands[0], 0, &name);
	if (r)
		return r;
	r = change(cli, &name);
	if (!r)
		r = shmtool_done(cli, name.written, ipckit_shm_backend_of(&name), ipckit_unknown(),
				 ipckit_unknown());
	ipckit_name_free(&name);
	return r;
}

const struct cli_verb shmtool_set = {
	.name = "set",
	.operands = "OBJECT",
	.summary = "change the permissions of a segment, or its owner",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &shmtool_done_table,
	.run = run,
};
