/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MQTOOL_ROWS_H
#define MQTOOL_ROWS_H

/* Queues as the rows of list, info and clean. */

#include "../cli/noun.h"

#include <ipckit/mq.h>

extern const struct cli_noun mqtool_noun;
extern const struct cli_table mqtool_info_table;

/* clean --non-empty: messages in a queue are no reason to keep it. */
extern int mqtool_non_empty;

#endif
