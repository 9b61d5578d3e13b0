/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "noun.h"

#include <errno.h>
#include <stdlib.h>

static int force;

const struct poptOption cli_rm_options[] = {
	{ "force", 'f', POPT_ARG_NONE, &force, 0, "take a missing object for removed", NULL },
	POPT_TABLEEND
};

static const struct cli_field fields[] = {
	CLI_DONE_FIELDS("the object as it was named", "posix or sysv"),
	{ 0 },
};

const struct cli_table cli_done_table = { fields, sizeof(struct cli_done), "objects", NULL };

static int remove_operand(struct cli *cli, const char *operand, struct cli_done *done)
{
	const struct cli_noun *noun = cli->tool->noun;
	struct ipckit_name name;
	int r = cli_name(cli, operand, cli_noun_made(noun), &name);

	if (r)
		return r;
	r = noun->remove(&name);
	if (r && !(r == -ENOENT && force))
		r = noun->fail(cli, &name, r);
	else
		r = 0;
	*done = (struct cli_done){ .object = operand, .backend = noun->backend(&name) };
	ipckit_name_free(&name);
	return r;
}

/* All are tried; the status is the first failure's. */
int cli_run_rm(struct cli *cli)
{
	struct cli_table table = *cli->verb->table;
	char *rows = calloc((size_t)cli->noperands, table.size);
	size_t count = 0;
	int status = CLI_OK, r;

	if (!rows)
		return cli_fail(cli, NULL, ENOMEM, NULL);
	for (int i = 0; i < cli->noperands; i++) {
		r = remove_operand(cli, cli->operands[i], (struct cli_done *)(rows + count * table.size));

		count += !r;
		if (r && !status)
			status = r;
	}
	table.key = cli->tool->noun->table->key;
	if (count)
		cli_keep_results(cli);
	r = count || !status ? cli_emit_list(cli, &table, rows, count) : CLI_OK;
	free(rows);
	return status ?: r;
}
