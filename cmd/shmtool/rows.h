/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMTOOL_ROWS_H
#define SHMTOOL_ROWS_H

/* A segment as a row: what list, info and clean print. */

#include "../cli/noun.h"

extern const struct cli_table shmtool_info_table;
extern const struct cli_noun shmtool_noun;

#endif
