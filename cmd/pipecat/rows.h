/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PIPECAT_ROWS_H
#define PIPECAT_ROWS_H

/* A pipe, a FIFO or a socket as a row: what list, info and clean print. */

#include "../cli/noun.h"

#include <ipckit/channel.h>

extern const struct cli_table pipecat_info_table;
extern const struct cli_noun pipecat_noun;

/* What of all that there is list and clean look at (list.c). */
struct pipecat_filter {
	const char *kinds; /* words, by commas; NULL: all */
	const char *pid;
	bool removes;      /* clean: what stands in directories */
	bool alone;        /* no process of another PID namespace has to do with what is there */
};
extern struct pipecat_filter pipecat_filter;

/* The processes in short: "cat[4711] 0r read, sh[4712] 1w"; freed by the caller, NULL without memory. */
char *pipecat_users_text(const struct ipckit_channel_user *users, size_t count);

/* Fills a noun's rows; see struct cli_noun. */
int pipecat_list_rows(struct cli *cli, unsigned what, struct cli_objects *out);

#endif
