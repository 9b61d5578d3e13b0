/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"
#include "rows.h"

static const struct cli_field fields[] = {
	{ "object", .type = CLI_STRING, .offset = offsetof(struct cli_done, object),
	  .summary = "the FIFO as it was named" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct cli_done), "fifos", NULL };

const struct cli_verb pipecat_rm = {
	.name = "rm",
	.operands = "PATH...",
	.summary = "remove FIFOs, and nothing else; who has one open keeps it until the end",
	.least = 1,
	.most = -1,
	.options = cli_rm_options,
	.table = &table,
	.run = cli_run_rm,
};
