/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_LIMITS_H
#define CLI_LIMITS_H

/* `limits`, which all tools print alike. */

#include "cli.h"

extern const struct cli_table cli_limits_table;
int cli_emit_limits(struct cli *cli, const struct ipckit_limits *limits);

#endif
