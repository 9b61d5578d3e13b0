/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "part.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct poptOption options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)part_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static int fill(struct part *part, int byte)
{
	char *buffer = malloc(PART_CHUNK);
	int r = 0;

	if (!buffer)
		return part_fail(part, -ENOMEM);
	memset(buffer, byte, PART_CHUNK);
	cli_progress_begin(part->cli, ipckit_known((int64_t)part->length), &part->progress);
	for (uint64_t done = 0, n; done < part->length && !r; done += n) {
		n = part_next(part->length - done);
		r = part_write(part, part->offset + done, buffer, (size_t)n);
		cli_progress_step(&part->progress, done);
	}
	free(buffer);
	return r;
}

static int run(struct cli *cli)
{
	struct part part;
	uint64_t byte;
	int r = cli_count(cli, "BYTE", cli->operands[1], 0, 255, &byte) ?:
		part_open_exact(cli, cli->operands[0], IPCKIT_SHM_WRITE, &part);

	if (r)
		return r;
	r = fill(&part, (int)byte) ?: part_done(&part, part.length);
	part_close(&part);
	return r;
}

const struct cli_verb shmtool_fill = {
	.name = "fill",
	.operands = "OBJECT BYTE",
	.summary = "set the bytes of a segment to a value, 0 to 255",
	.least = 2,
	.most = 2,
	.options = options,
	.table = &shmtool_done_table,
	.run = run,
};
