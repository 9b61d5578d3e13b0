/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "noun-rows.h"

#include <errno.h>
#include <stdlib.h>

const struct poptOption cli_list_options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_filter_options, 0, NULL, NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_watch_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const struct poptOption cli_list_paths_options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_path_filter_options, 0, NULL, NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_watch_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static int look(struct cli *cli, void *arg)
{
	const struct cli_noun *noun = cli->tool->noun;
	struct cli_objects objects;
	int r = cli_objects_read(cli, arg, noun->to_tell, &objects);

	if (!r)
		r = cli_emit_list(cli, noun->table, objects.rows, objects.count);
	cli_objects_free(noun, &objects);
	return r;
}

int cli_run_list(struct cli *cli)
{
	struct cli_filter filter;
	int r = cli_filter_read(cli, &filter);

	return r ?: cli_watch(cli, look, &filter);
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
