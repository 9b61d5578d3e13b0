/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "noun-rows.h"

#include <errno.h>
#include <stdlib.h>

int cli_run_list(struct cli *cli)
{
	const struct cli_noun *noun = cli->tool->noun;
	struct cli_objects objects;
	struct cli_filter filter;
	int r = cli_filter_read(cli, &filter);

	if (r)
		return r;
	r = cli_objects_read(cli, &filter, noun->to_tell, &objects);
	if (!r)
		r = cli_emit_list(cli, noun->table, objects.rows, objects.count);
	cli_objects_free(noun, &objects);
	return r;
}

int cli_run_info(struct cli *cli)
{
	const struct cli_noun *noun = cli->tool->noun;
	struct ipckit_name name;
	void *row;
	int r = cli_name(cli, cli->operands[0], noun->takes, &name);

	if (r)
		return r;
	row = calloc(1, noun->table->size);
	r = row ? noun->stat(&name, noun->to_tell, row) : -ENOMEM;
	if (r) {
		r = noun->fail(cli, &name, r);
	} else {
		r = cli_emit_record(cli, noun->table, row);
		noun->clear(row);
	}
	free(row);
	ipckit_name_free(&name);
	return r;
}
