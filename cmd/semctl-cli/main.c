/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

static const struct cli_verb *const verbs[] = {
	&semctl_create, &semctl_wait,	 &semctl_post,	 &semctl_wait_zero, &semctl_value, &semctl_set,	  &semctl_op,
	&semctl_values, &semctl_exec,	 &semctl_barrier, &semctl_eventfd,  &semctl_list,  &semctl_info,  &semctl_rm,
	&semctl_clean,	&semctl_limits,	 &semctl_chmod,	 &semctl_chown,	    &cli_ftok,  &semctl_repair, NULL,
};

static const struct cli_tool semctl = {
	.name = "semctl-cli",
	.summary = "create, wait for, post, inspect and remove semaphores",
	.verbs = verbs,
	.noun = &semctl_noun,
};

int main(int argc, char **argv)
{
	return cli_main(&semctl, argc, argv);
}
