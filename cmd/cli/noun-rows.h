/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_NOUN_ROWS_H
#define CLI_NOUN_ROWS_H

/* What the verbs on objects share among themselves; tools include noun.h alone. */

#include "noun.h"

/* The objects that pass the filters, sorted. 0 or the exit status; freed in either case. */
int cli_objects_read(struct cli *cli, const struct cli_filter *filter, unsigned what, struct cli_objects *out);
void cli_objects_free(const struct cli_noun *noun, struct cli_objects *objects);

/* Drops the rows that are not wanted. */
typedef bool (*cli_objects_wanted)(void *row, void *arg);
void cli_objects_keep(const struct cli_noun *noun, struct cli_objects *objects, cli_objects_wanted wanted, void *arg);

#endif
