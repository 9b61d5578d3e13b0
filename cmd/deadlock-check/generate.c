/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deadlock.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static char *processes_text, *resources_text, *kind_text, *degree_text, *most_text, *seed_text;

static const struct poptOption generate_options[] = {
	{ "processes", 'n', POPT_ARG_STRING, &processes_text, 0, "processes it has", "N" },
	{ "resources", 'm', POPT_ARG_STRING, &resources_text, 0, "resources it has", "N" },
	{ "kind", 'k', POPT_ARG_STRING, &kind_text, 0,
	  "chain (the worst order for the textbook's loop), random (default), safe or deadlocked", "KIND" },
	{ "degree", 0, POPT_ARG_STRING, &degree_text, 0,
	  "resources that a process holds, and that it wants (default: all, but 16 at most)", "N" },
	{ "most", 0, POPT_ARG_STRING, &most_text, 0, "the largest count of a cell (default 9)", "N" },
	{ "seed", 's', POPT_ARG_STRING, &seed_text, 0, "another system of the same kind (default 1)", "N" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)dl_output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static const char *const kinds[] = {
	[KIND_CHAIN] = "chain",
	[KIND_RANDOM] = "random",
	[KIND_SAFE] = "safe",
	[KIND_DEADLOCKED] = "deadlocked",
};

#define DEGREE_UNASKED 16
#define MOST_NODES (IPCKIT_NONE - 1)
#define MOST_COUNT (INT64_MAX / MOST_NODES / 4) /* so that no sum of theirs passes 2^63-1 */

static int choose_kind(struct cli *cli, enum kind *out)
{
	*out = KIND_RANDOM;
	if (!kind_text)
		return CLI_OK;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		*out = i;
		if (!strcmp(kinds[i], kind_text))
			return CLI_OK;
	}
	return cli_usage(cli, "--kind", "%s: expected chain, random, safe or deadlocked", kind_text);
}

static int read_recipe(struct cli *cli, struct recipe *out)
{
	uint64_t processes, resources, degree, most = 9, seed = 1;
	int status = choose_kind(cli, &out->kind);

	if (!status && !processes_text)
		status = cli_usage(cli, "--processes", "is missing");
	if (!status && !resources_text)
		status = cli_usage(cli, "--resources", "is missing");
	if (!status)
		status = cli_count(cli, "--processes", processes_text, 1, MOST_NODES, &processes);
	if (!status)
		status = cli_count(cli, "--resources", resources_text, 1, MOST_NODES, &resources);
	if (!status && out->kind == KIND_DEADLOCKED && processes < 2)
		status = cli_usage(cli, "--processes", "a deadlock takes two at least");
	if (status)
		return status;
	degree = resources < DEGREE_UNASKED ? resources : DEGREE_UNASKED;
	status = cli_count(cli, "--degree", degree_text, 1, resources, &degree);
	if (!status)
		status = cli_count(cli, "--most", most_text, 1, MOST_COUNT, &most);
	if (!status)
		status = cli_count(cli, "--seed", seed_text, 0, UINT64_MAX, &seed);
	out->processes = processes;
	out->resources = resources;
	out->degree = degree;
	out->most = most;
	out->seed = seed;
	return status;
}

static int fail_make(struct cli *cli, const struct recipe *recipe, int error)
{
	if (error == -ERANGE)
		return cli_usage(cli, "--most", "%" PRId64 ": the sum of what processes hold passes 2^63-1",
				 recipe->most);
	return cli_fail(cli, NULL, error, NULL);
}

static void drop_claims(struct model *model)
{
	ipckit_rows_free(&model->system.claim);
	model->has_claim = false;
}

static int run_generate(struct cli *cli)
{
	struct recipe recipe;
	struct dl_form form;
	struct model model;
	int error, status = dl_form_choose(cli, "json", &form);

	if (!status)
		status = read_recipe(cli, &recipe);
	if (status)
		return status;
	error = make_model(&recipe, &model);
	if (error)
		return fail_make(cli, &recipe, error);
	if (!form.claims)
		drop_claims(&model);
	status = dl_form_write(cli, NULL, &form, &model);
	model_free(&model);
	return status;
}

const struct cli_verb dl_generate = {
	.name = "generate",
	.operands = "",
	.summary = "make a system for a test or a measurement",
	.least = 0,
	.most = 0,
	.flags = CLI_TEXT,
	.options = generate_options,
	.run = run_generate,
};
