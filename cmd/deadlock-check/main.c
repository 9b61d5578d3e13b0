/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deadlock.h"

static const struct cli_verb *const verbs[] = {
	&dl_check,   &dl_safe,	  &dl_request, &dl_graph,    &dl_resolve,
	&dl_convert, &dl_explain, &dl_live,    &dl_generate, NULL,
};

static const struct cli_tool deadlock = {
	.name = "deadlock-check",
	.summary = "find deadlocks in allocation matrices, resource graphs and running processes",
	.verbs = verbs,
	.fallback = &dl_check,
};

int main(int argc, char **argv)
{
	return cli_main(&deadlock, argc, argv);
}
