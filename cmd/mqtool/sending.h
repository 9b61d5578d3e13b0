/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MQTOOL_SENDING_H
#define MQTOOL_SENDING_H

/* Sending, for send and restore: a message is sent whole or not at all, and the first that is not ends the run. */

#include "jsonl.h"
#include "mqtool.h"

struct sending {
	struct cli *cli;
	const char *object;
	struct ipckit_mq *mq;
	long rank;                 /* of a message that says nothing else */
	int64_t timeout;           /* of each message */
	const char *timeout_text;
	struct ipckit_mq_message *message;
	size_t room;
	int64_t messages, bytes;   /* that were sent */
	time_t checked;            /* when it was last known that the queue is still there */
};

/* Opens a queue. 0 or the exit status; closed by sending_close(), but not on failure. */
int sending_open(struct cli *cli, const char *object, const char *timeout, struct sending *out);
void sending_close(struct sending *sending);

/* Sends a message, or reports why not. 0 or the exit status. */
int sending_send(struct sending *sending, const char *data, size_t size, long rank);

/* Opens an input whose records may be as large as a message is, or, of JSON, any size. 0 or the exit status. */
int sending_open_input(struct sending *sending, const char *path, enum cli_records_mode mode, bool json,
		       struct cli_records *out);
/* Reports what cli_records_next() said. Returns the exit status. */
int sending_fail_input(struct sending *sending, const struct cli_records *records, int error);
/* Reports a message that is larger than the queue takes. Returns the exit status. */
int sending_fail_size(struct sending *sending, uint64_t size);

/* Reads a line of JSON, or reports what is wrong with it. 0 or the exit status. */
int sending_read_json(struct sending *sending, const struct cli_records *records, const char *line, size_t size,
		      struct jsonl_message *out);
/* The same, and sends it. */
int sending_send_json(struct sending *sending, const struct cli_records *records, const char *line, size_t size);

/* Prints what was sent, if asked to. */
int sending_done(struct sending *sending);

#endif
