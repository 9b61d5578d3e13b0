/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mqtool.h"

#include <errno.h>

static char *qbytes_text, *mode_text, *owner_text;

static const struct poptOption options[] = {
	{ "qbytes", 0, POPT_ARG_STRING, &qbytes_text, 0, "System V: bytes that the queue holds", "SIZE" },
	{ "mode", 'm', POPT_ARG_STRING, &mode_text, 0, "permissions, octal or as chmod takes them", "MODE" },
	{ "owner", 0, POPT_ARG_STRING, &owner_text, 0, "owner and group", "USER[:GROUP]" },
	POPT_TABLEEND
};

struct wish {
	struct ipckit_mq_change change;
	unsigned mode;
	int64_t qbytes;
};

/* A symbolic mode starts from the one that is set. */
static int read_mode(struct cli *cli, const struct ipckit_name *name, struct wish *wish)
{
	struct ipckit_mq_info info = { 0 };
	unsigned base;
	int r;

	if (!mode_text)
		return 0;
	r = ipckit_mq_stat(name, 0, &info);
	if (r)
		return mqtool_fail(cli, name->written, ipckit_mq_backend_of(name), NULL, r);
	base = info.mode.known ? (unsigned)info.mode.value & 0777 : 0;
	ipckit_mq_info_free(&info);
	wish->change.mode = &wish->mode;
	return cli_mode(cli, "--mode", mode_text, base, &wish->mode);
}

static int read_qbytes(struct cli *cli, const struct ipckit_name *name, struct wish *wish)
{
	uint64_t size = 0;
	int r;

	if (!qbytes_text)
		return 0;
	if (ipckit_mq_backend_of(name) == IPCKIT_MQ_POSIX)
		return cli_usage(cli, name->written, "--qbytes is for System V queues: the geometry of a POSIX queue is for life");
	r = cli_size(cli, "--qbytes", qbytes_text, &size);
	wish->qbytes = size > INT64_MAX ? INT64_MAX : (int64_t)size;
	wish->change.qbytes = &wish->qbytes;
	return r;
}

static int change(struct cli *cli, const struct ipckit_name *name)
{
	enum ipckit_mq_backend backend = ipckit_mq_backend_of(name);
	struct wish wish = { .change = { .uid = (uid_t)-1, .gid = (gid_t)-1 } };
	struct ipckit_mq_wanted wanted = { 0 };
	int r = read_qbytes(cli, name, &wish) ?: read_mode(cli, name, &wish);

	if (!r && owner_text)
		r = cli_owner(cli, "--owner", owner_text, &wish.change.uid, &wish.change.gid);
	if (r)
		return r;
	r = ipckit_mq_set(name, &wish.change);
	if (r == -EINVAL && owner_text)
		return cli_fail(cli, name->written, r, "this user namespace has no such user or group");
	wanted.qbytes = wish.change.qbytes;
	return r ? mqtool_fail_wanted(cli, name->written, backend, NULL, r, &wanted) : 0;
}

static int run(struct cli *cli)
{
	struct ipckit_name name;
	int r;

	if (!qbytes_text && !mode_text && !owner_text)
		return cli_usage(cli, cli->operands[0], "one of --qbytes, --mode and --owner is needed");
	r = mqtool_name(cli, cli->operands[0], 0, &name);
	if (r)
		return r;
	r = change(cli, &name);
	if (!r)
		r = mqtool_done(cli, name.written, ipckit_mq_backend_of(&name), ipckit_unknown(), ipckit_unknown());
	ipckit_name_free(&name);
	return r;
}

const struct cli_verb mqtool_set = {
	.name = "set",
	.operands = "OBJECT",
	.summary = "change how many bytes a queue holds, its permissions or its owner",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &mqtool_done_table,
	.run = run,
};
