/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MQTOOL_H
#define MQTOOL_H

/* What the verbs of mqtool share. */

#include "../cli/noun.h"

#include <ipckit/mq.h>

/* Reads an operand; extra: IPCKIT_TAKES(...) beyond IPCKIT_MQ_NAMES. 0 or the exit status. */
int mqtool_name(struct cli *cli, const char *text, unsigned extra, struct ipckit_name *out);

/* Reads an operand and opens it; access as for ipckit_mq_open(). 0 or the exit status; nothing to close
 * on failure. */
int mqtool_open(struct cli *cli, const char *text, unsigned access, struct ipckit_mq **out);

/* Reports what a call on a queue says, with the limit that was hit where there is one. mq: NULL where it
 * is not open. Returns the exit status. */
int mqtool_fail(struct cli *cli, const char *object, enum ipckit_mq_backend backend, struct ipckit_mq *mq,
		int error);
/* The same where something particular was asked for. */
int mqtool_fail_wanted(struct cli *cli, const char *object, enum ipckit_mq_backend backend, struct ipckit_mq *mq,
		       int error, const struct ipckit_mq_wanted *wanted);
/* The same after a wait that was given `timeout` as text (NULL: none). */
int mqtool_fail_wait(struct cli *cli, const char *object, struct ipckit_mq *mq, int error, const char *timeout);

/* --priority and --type of a message that is sent: refuses the one that the backend has not. rank: 0 on
 * POSIX and 1 on System V where neither is given. 0 or the exit status. */
int mqtool_rank(struct cli *cli, const char *object, enum ipckit_mq_backend backend, const char *priority,
		const char *type, long *rank);

/* What a verb that acts prints when it is asked to. */
struct mqtool_done {
	struct cli_done head;
	struct ipckit_maybe messages; /* sent, drained, restored */
	struct ipckit_maybe bytes;
};
extern const struct cli_table mqtool_done_table;
int mqtool_done(struct cli *cli, const char *object, enum ipckit_mq_backend backend,
		struct ipckit_maybe messages, struct ipckit_maybe bytes);

/* A message as it is printed, and as it is read again. */
struct mqtool_message {
	struct ipckit_maybe priority, type;
	struct ipckit_maybe bytes; /* size, as it is printed */
	const void *data;
	size_t size;
};
extern const struct cli_table mqtool_message_table;
struct mqtool_message mqtool_message(enum ipckit_mq_backend backend, const struct ipckit_mq_message *message,
				     size_t size);

extern const struct cli_verb mqtool_create, mqtool_send, mqtool_recv, mqtool_peek, mqtool_wait, mqtool_exec,
	mqtool_drain, mqtool_dump, mqtool_restore, mqtool_list, mqtool_info, mqtool_rm, mqtool_clean, mqtool_limits,
	mqtool_set;

#endif
