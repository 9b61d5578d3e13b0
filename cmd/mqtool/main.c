/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mqtool.h"
#include "rows.h"

static const struct cli_verb *const verbs[] = {
	&mqtool_create, &mqtool_send, &mqtool_recv,  &mqtool_peek,  &mqtool_wait,   &mqtool_exec,
	&mqtool_drain,	&mqtool_dump, &mqtool_restore, &mqtool_list, &mqtool_info,  &mqtool_rm,
	&mqtool_clean,	&mqtool_limits, &mqtool_set, &cli_ftok,  NULL,
};

static const struct cli_tool mqtool = {
	.name = "mqtool",
	.summary = "create, send to, receive from, inspect and remove message queues",
	.verbs = verbs,
	.noun = &mqtool_noun,
};

int main(int argc, char **argv)
{
	return cli_main(&mqtool, argc, argv);
}
