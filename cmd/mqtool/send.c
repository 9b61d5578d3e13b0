/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sending.h"

#include <errno.h>
#include <string.h>

static char *priority_text, *type_text, *timeout_text, *file;
static int lines, null, jsonl;

static const struct poptOption options[] = {
	{ "priority", 'p', POPT_ARG_STRING, &priority_text, 0, "POSIX: 0 to 32767, the highest is received first (default 0)", "N" },
	{ "type", 0, POPT_ARG_STRING, &type_text, 0, "System V: 1 or more (default 1)", "T" },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up when a message found no room for this time; 0: only try",
	  "DURATION" },
	{ "lines", 'l', POPT_ARG_NONE, &lines, 0, "each line of the input is a message", NULL },
	{ "null", 'z', POPT_ARG_NONE, &null, 0, "each part of the input that a NUL ends is a message", NULL },
	{ "jsonl", 0, POPT_ARG_NONE, &jsonl, 0, "each line is an object with data or data_base64, and priority or type", NULL },
	{ "file", 'f', POPT_ARG_STRING, &file, 0, "read from this file instead of standard input", "PATH" },
	POPT_TABLEEND
};

/* ---- messages that are operands ---- */

/* None is sent where one of them never can be. */
static int check_texts(struct sending *sending, char **texts)
{
	struct ipckit_mq_state state;
	int r = 0;

	/* Who may only send may not look, and is told by the sending. */
	if (ipckit_mq_state(sending->mq, &state))
		return 0;
	for (; *texts && !r; texts++)
		if (strcmp(*texts, "-") && strlen(*texts) > (uint64_t)state.size_max)
			r = sending_fail_size(sending, strlen(*texts));
	return r;
}

static int send_input(struct sending *sending, const char *path);

static int send_texts(struct sending *sending, char **texts)
{
	int r = check_texts(sending, texts);

	for (; *texts && !r; texts++)
		r = strcmp(*texts, "-") ? sending_send(sending, *texts, strlen(*texts), sending->rank)
					: send_input(sending, "-");
	return r;
}

/* ---- messages from an input ---- */

static int send_record(struct sending *sending, const struct cli_records *records, const char *data, size_t size)
{
	return jsonl ? sending_send_json(sending, records, data, size) : sending_send(sending, data, size, sending->rank);
}

static int send_input(struct sending *sending, const char *path)
{
	enum cli_records_mode mode = lines || jsonl ? CLI_RECORDS_LINES : null ? CLI_RECORDS_NULL : CLI_RECORDS_WHOLE;
	struct cli_records records;
	const char *data;
	size_t size;
	int r = sending_open_input(sending, path, mode, jsonl, &records);

	if (r)
		return r;
	while ((r = cli_records_next(&records, &data, &size)) > 0) {
		r = send_record(sending, &records, data, size);
		if (r)
			break;
	}
	if (r < 0)
		r = sending_fail_input(sending, &records, r);
	cli_records_close(&records);
	return r;
}

/* ---- the verb ---- */

static int check(struct cli *cli)
{
	bool texts = cli->noperands > 1;

	if (lines + null + jsonl > 1)
		return cli_usage(cli, NULL, "--lines, --null and --jsonl exclude each other");
	if (texts && (lines || null || jsonl || file))
		return cli_usage(cli, NULL, "a TEXT is a message: --lines, --null, --jsonl and --file are for an input");
	return 0;
}

static int run(struct cli *cli)
{
	struct sending sending;
	int r = check(cli) ?: sending_open(cli, cli->operands[0], timeout_text, &sending);

	if (r)
		return r;
	r = mqtool_rank(cli, sending.object, ipckit_mq_backend(sending.mq), priority_text, type_text, &sending.rank);
	if (!r)
		r = cli->noperands > 1 ? send_texts(&sending, cli->operands + 1) : send_input(&sending, file);
	if (!r)
		r = sending_done(&sending);
	sending_close(&sending);
	return r;
}

const struct cli_verb mqtool_send = {
	.name = "send",
	.operands = "OBJECT [TEXT...]",
	.summary = "send messages: each TEXT, or an input",
	.least = 1,
	.most = -1,
	.flags = CLI_NEGATIVE,
	.options = options,
	.table = &mqtool_done_table,
	.run = run,
};
