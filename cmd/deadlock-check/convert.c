/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deadlock.h"

static const struct poptOption convert_options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)dl_output_options, 0, NULL, NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)dl_input_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static int run_convert(struct cli *cli)
{
	const char *file = cli->operands[0];
	struct dl_form form;
	struct model model;
	int status = dl_form_choose(cli, NULL, &form);

	if (!status)
		status = dl_load(cli, file, &model);
	if (status)
		return status;
	status = dl_form_write(cli, dl_input_name(file), &form, &model);
	model_free(&model);
	return status;
}

const struct cli_verb dl_convert = {
	.name = "convert",
	.operands = "[FILE]",
	.summary = "print the system in another form of input",
	.least = 0,
	.most = 1,
	.flags = CLI_TEXT,
	.options = convert_options,
	.run = run_convert,
};
