/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"
#include "rows.h"

static const struct cli_verb *const verbs[] = {
	&pipecat_relay, &pipecat_create, &pipecat_read, &pipecat_write,	  &pipecat_hold,   &pipecat_capacity,
	&pipecat_pair,	&pipecat_tee,	 &pipecat_merge, &pipecat_sendfd, &pipecat_recvfd, &pipecat_list,
	&pipecat_info,	&pipecat_rm,	 &pipecat_clean, NULL,
};

static const struct cli_tool pipecat = {
	.name = "pipecat",
	.summary = "move bytes between pipes, FIFOs, files, sockets and commands",
	.verbs = verbs,
	.fallback = &pipecat_relay,
	.noun = &pipecat_noun,
};

int main(int argc, char **argv)
{
	return cli_main(&pipecat, argc, argv);
}
