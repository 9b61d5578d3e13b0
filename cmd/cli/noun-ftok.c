/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "noun.h"

#include <errno.h>

static char *proj_text;

static const struct poptOption options[] = {
	{ "proj", 0, POPT_ARG_STRING, &proj_text, 0, "project, 1 to 255 (default 1)", "N" },
	POPT_TABLEEND
};

struct key {
	const char *path;
	int64_t project;
	struct ipckit_maybe key;
};

#define KEY(member) .offset = offsetof(struct key, member)

static const struct cli_field fields[] = {
	{ "path", .type = CLI_STRING, KEY(path), .flags = CLI_WIDE, .summary = "the file" },
	{ "project", .type = CLI_INTEGER, KEY(project), .flags = CLI_WIDE, .summary = "the project" },
	{ "key", .type = CLI_KEY, KEY(key), .summary = "the System V key" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct key), "keys", NULL };

static int run(struct cli *cli)
{
	struct ipckit_name name = { .kind = IPCKIT_NAME_FTOK, .text = cli->operands[0] };
	struct key row = { .path = cli->operands[0] };
	uint64_t project = 1;
	key_t key;
	int r = cli_count(cli, "--proj", proj_text, 1, 255, &project);

	if (r)
		return r;
	name.project = (int)project;
	r = ipckit_name_key(&name, &key);
	if (r == -EINVAL)
		return cli_fail(cli, row.path, EBADMSG, "ftok gives no usable key for it");
	if (r == -ENOENT)
		return cli_fail(cli, row.path, r, "no such file");
	if (r)
		return cli_fail(cli, row.path, r, NULL);
	row.project = (int64_t)project;
	row.key = ipckit_known((uint32_t)key);
	return cli_emit_record(cli, &table, &row);
}

const struct cli_verb cli_ftok = {
	.name = "ftok",
	.operands = "PATH",
	.summary = "print the System V key of a file (ftok(3))",
	.least = 1,
	.most = 1,
	.flags = CLI_ANSWERS,
	.options = options,
	.table = &table,
	.run = run,
};
