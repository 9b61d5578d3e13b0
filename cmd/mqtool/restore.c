/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sending.h"

#include <errno.h>
#include <stdlib.h>

static char *timeout_text, *file;

static const struct poptOption options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0,
	  "wait so long for room for each message (default 0: all of them have to fit)", "DURATION" },
	{ "file", 'f', POPT_ARG_STRING, &file, 0, "read from this file instead of standard input", "PATH" },
	POPT_TABLEEND
};

struct messages {
	struct jsonl_message *list;
	size_t count;
	uint64_t bytes;
};

/* ---- reading ---- */

static int read_one(struct sending *sending, const struct cli_records *records, const char *line, size_t size,
		    struct messages *messages)
{
	struct jsonl_message *list = cli_array_room(messages->list, messages->count, sizeof(*list)), *message;
	int r;

	if (!list)
		return cli_fail(sending->cli, records->name, ENOMEM, NULL);
	messages->list = list;
	message = &list[messages->count];
	r = sending_read_json(sending, records, line, size, message);
	if (r)
		return r;
	messages->count++;
	messages->bytes += message->size;
	return 0;
}

/* All of them, before the first is sent: what is malformed restores nothing. */
static int read_all(struct sending *sending, struct messages *messages)
{
	struct cli_records records;
	const char *line;
	size_t size;
	int r = sending_open_input(sending, file, CLI_RECORDS_LINES, true, &records);

	if (r)
		return r;
	while ((r = cli_records_next(&records, &line, &size)) > 0) {
		r = read_one(sending, &records, line, size, messages);
		if (r)
			break;
	}
	if (r < 0)
		r = sending_fail_input(sending, &records, r);
	cli_records_close(&records);
	return r;
}

static void free_all(struct messages *messages)
{
	for (size_t i = 0; i < messages->count; i++)
		jsonl_free(&messages->list[i]);
	free(messages->list);
}

/* ---- sending ---- */

static int fail_room(struct sending *sending, const char *what, int64_t wanted, int64_t most, int64_t used)
{
	return cli_fail(sending->cli, sending->object, EAGAIN,
			"no room for %lld %s: it holds %lld, and has %lld; nothing was restored (--timeout waits for room)",
			(long long)wanted, what, (long long)most, (long long)used);
}

/* Where nothing is waited for, all have room or none is sent. */
static int check_room(struct sending *sending, const struct messages *messages)
{
	struct ipckit_mq_state state;

	if (ipckit_mq_state(sending->mq, &state))
		return 0;
	for (size_t i = 0; i < messages->count; i++)
		if (messages->list[i].size > (uint64_t)state.size_max)
			return sending_fail_size(sending, messages->list[i].size);
	if (timeout_text)
		return 0;
	if (state.maxmsg && (int64_t)messages->count > state.maxmsg - state.messages)
		return fail_room(sending, "messages", (int64_t)messages->count, state.maxmsg, state.messages);
	if (state.qbytes && (int64_t)messages->bytes > state.qbytes - state.bytes)
		return fail_room(sending, "bytes", (int64_t)messages->bytes, state.qbytes, state.bytes);
	/* System V bounds the number of messages by that of the bytes, too. */
	if (state.qbytes && (int64_t)messages->count > state.qbytes - state.messages)
		return fail_room(sending, "messages", (int64_t)messages->count, state.qbytes, state.messages);
	return 0;
}

static int restore(struct sending *sending, const struct messages *messages)
{
	int r = check_room(sending, messages);

	for (size_t i = 0; i < messages->count && !r; i++)
		r = sending_send(sending, messages->list[i].data, messages->list[i].size, messages->list[i].rank);
	return r ? r : sending_done(sending);
}

static int run(struct cli *cli)
{
	struct messages messages = { 0 };
	struct sending sending;
	int r = sending_open(cli, cli->operands[0], timeout_text ?: "0", &sending);

	if (r)
		return r;
	r = read_all(&sending, &messages);
	if (!r)
		r = restore(&sending, &messages);
	free_all(&messages);
	sending_close(&sending);
	return r;
}

const struct cli_verb mqtool_restore = {
	.name = "restore",
	.operands = "OBJECT",
	.summary = "send the messages that dump printed, in their order",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &mqtool_done_table,
	.run = run,
};
