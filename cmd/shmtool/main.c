/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rows.h"
#include "shmtool.h"

static const struct cli_verb *const verbs[] = {
	&shmtool_create, &shmtool_write,  &shmtool_read,   &shmtool_dump,    &shmtool_fill, &shmtool_copy,
	&shmtool_save,	 &shmtool_load,	  &shmtool_compare, &shmtool_peek,   &shmtool_poke, &shmtool_wait,
	&shmtool_send,	 &shmtool_recv,	  &shmtool_resize, &shmtool_lock,    &shmtool_unlock, &shmtool_attach,
	&shmtool_users,	 &shmtool_list,	  &shmtool_info,   &shmtool_rm,	     &shmtool_clean, &shmtool_limits,
	&shmtool_set,	 &cli_ftok,	  NULL,
};

static const struct cli_tool shmtool = {
	.name = "shmtool",
	.summary = "create, read, write, watch, inspect and remove shared memory",
	.verbs = verbs,
	.noun = &shmtool_noun,
};

int main(int argc, char **argv)
{
	return cli_main(&shmtool, argc, argv);
}
