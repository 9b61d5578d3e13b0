/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"
#include "rows.h"

#include <errno.h>
#include <ipckit/pipe.h>

static char *unique, *mode_text;
static int exclusive;

static const struct poptOption options[] = {
	{ "unique", 0, POPT_ARG_STRING, &unique, 0, "make one under a path that nobody has", "PREFIX" },
	{ "mode", 'm', POPT_ARG_STRING, &mode_text, 0, "permissions, octal or as chmod takes them (default 0600)",
	  "MODE" },
	{ "exclusive", 'x', POPT_ARG_NONE, &exclusive, 0, "fail where there is one", NULL },
	POPT_TABLEEND
};

static const struct cli_field fields[] = {
	{ "object", .type = CLI_STRING, CLI_CREATED(object), .summary = "the name to use from now on" },
	CLI_CREATED_FIELD,
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct cli_created), "fifos", NULL };

static int fail(struct cli *cli, const struct ipckit_name *name, int error)
{
	switch (error) {
	case -EEXIST:
		if (unique)
			return CLI_EXISTS;
		break;
	case -ENOENT:
		return cli_fail(cli, name->written, error, "its directory is missing");
	case -ENOTDIR:
		return cli_fail(cli, name->written, EBADMSG, "a part of its path is no directory");
	case -ENAMETOOLONG:
		return cli_usage(cli, name->written, "the name is too long");
	case -ENOSPC:
		return pipecat_fail(cli, name->written, error, ipckit_unknown());
	}
	return pipecat_noun.fail(cli, name, error);
}

static int make(struct cli *cli, const struct ipckit_name *name)
{
	struct cli_created row = { .backend = "fifo" };
	unsigned mode = 0600;
	int r = cli_mode(cli, "--mode", mode_text, 0600, &mode);

	if (r)
		return r;
	r = ipckit_fifo_create(name->text, mode, exclusive || unique, &row.created);
	return r ? fail(cli, name, r) : cli_emit_created(cli, name, &row);
}

static int run(struct cli *cli)
{
	return cli_create(cli, unique, make);
}

const struct cli_verb pipecat_create = {
	.name = "create",
	.operands = "[PATH]",
	.summary = "create a FIFO, or take the one that exists and leave it alone",
	.most = 1,
	.flags = CLI_ANSWERS,
	.options = options,
	.table = &table,
	.run = run,
};
