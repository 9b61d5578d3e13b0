/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "part.h"

#include <unistd.h>

static int run(struct cli *cli)
{
	struct part part;
	int r;

	if (cli->format_given)
		return cli_usage(cli, NULL, "what is saved are bytes, in no other format: read --json");
	cli_raw(cli);
	if (cli_prints(cli) && isatty(STDOUT_FILENO))
		return cli_usage(cli, NULL,
				 "standard output is a terminal: redirect it into a file (read and dump print there)");
	r = part_open_whole(cli, cli->operands[0], IPCKIT_SHM_READ, &part);
	if (r)
		return r;
	r = part_print(&part, false);
	part_close(&part);
	return r;
}

const struct cli_verb shmtool_save = {
	.name = "save",
	.operands = "OBJECT",
	.summary = "write all bytes of a segment to standard output, which is no terminal, for load",
	.least = 1,
	.most = 1,
	.flags = CLI_TEXT,
	.run = run,
};
