/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "taking.h"
#include "../cli/stop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *count_text, *timeout_text;
static int all, follow, raw, lines, null;

static const struct poptOption options[] = {
	{ "count", 'c', POPT_ARG_STRING, &count_text, 0, "how many messages (default 1; with --follow no end)", "N" },
	{ "all", 'a', POPT_ARG_NONE, &all, 0, "all that are there, and do not wait for more", NULL },
	{ "follow", 'f', POPT_ARG_NONE, &follow, 0, "go on, and print each message as it comes", NULL },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up when none comes for this time; 0: only try",
	  "DURATION" },
	{ "raw", 'r', POPT_ARG_NONE, &raw, 0, "print the bytes alone", NULL },
	{ "lines", 'l', POPT_ARG_NONE, &lines, 0, "--raw, with a newline after each message", NULL },
	{ "null", 'z', POPT_ARG_NONE, &null, 0, "--raw, with a NUL after each message", NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)taking_select_options, 0, NULL, NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)taking_size_options, 0, NULL, NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)taking_journal_options, 0, NULL, NULL },
	POPT_TABLEEND
};

enum shape { RECORD, LIST, STREAM, BYTES };

struct receiving {
	struct cli *cli;
	struct taking taking;
	enum shape shape;
	uint64_t count;     /* how many to take at most */
	struct taken *kept; /* taken, and not yet known to be printed: &one where each is printed at once */
	size_t nkept;
	struct taken one;
	bool interrupted;   /* by a signal, which ends the run once all is printed */
};

/* ---- what was taken and not printed ---- */

static int settle(struct receiving *receiving, bool written)
{
	int error = 0;

	for (size_t i = 0; i < receiving->nkept; i++) {
		if (written)
			taken_done(&receiving->taking, &receiving->kept[i]);
		else
			error = taken_give_back(&receiving->taking, &receiving->kept[i]) ?: error;
	}
	receiving->nkept = 0;
	return error;
}

static int end_recv(void *arg, bool written)
{
	struct receiving *receiving = arg;
	int error = settle(receiving, written);

	taking_close(&receiving->taking);
	if (receiving->kept != &receiving->one)
		free(receiving->kept);
	if (receiving->interrupted && !error)
		cli_stop_die();
	return error;
}

static int keep(struct receiving *receiving, const struct taken *taken)
{
	struct taken *larger = cli_array_room(receiving->kept, receiving->nkept, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	receiving->kept = larger;
	receiving->kept[receiving->nkept++] = *taken;
	return 0;
}

/* ---- printing ---- */

static struct mqtool_message row_of(const struct receiving *receiving, const struct taken *taken)
{
	return mqtool_message(ipckit_mq_backend(receiving->taking.mq), taken->message, taken->size);
}

/* The byte after a message is the taking's own; in a journal it is not, and there it is copied. */
static int print_bytes(struct receiving *receiving, struct taken *taken)
{
	char *data = taken->message->data;

	if (!lines && !null)
		return cli_emit_bytes(receiving->cli, data, taken->size);
	if (taken->journaled) {
		data = receiving->taking.buffer->data;
		if (taken->size > receiving->taking.room)
			return cli_fail(receiving->cli, receiving->taking.object, EMSGSIZE, NULL);
		memcpy(data, taken->message->data, taken->size);
	}
	data[taken->size] = lines ? '\n' : '\0';
	return cli_emit_bytes(receiving->cli, data, taken->size + 1);
}

static int print_now(struct receiving *receiving)
{
	struct mqtool_message row;
	int r;

	if (receiving->shape == BYTES) {
		r = print_bytes(receiving, &receiving->one);
	} else {
		row = row_of(receiving, &receiving->one);
		r = cli_emit_line(receiving->cli, &mqtool_message_table, &row);
	}
	if (!r)
		settle(receiving, true);
	return r;
}

static int print_kept(struct receiving *receiving)
{
	struct mqtool_message *rows;
	int r;

	rows = calloc(receiving->nkept + 1, sizeof(*rows));
	if (!rows)
		return cli_fail(receiving->cli, receiving->taking.object, ENOMEM, NULL);
	for (size_t i = 0; i < receiving->nkept; i++)
		rows[i] = row_of(receiving, &receiving->kept[i]);
	if (receiving->shape == RECORD)
		r = receiving->nkept ? cli_emit_record(receiving->cli, &mqtool_message_table, rows) : CLI_OK;
	else
		r = cli_emit_list(receiving->cli, &mqtool_message_table, rows, receiving->nkept);
	free(rows);
	return r;
}

/* ---- receiving ---- */

static int take(struct receiving *receiving, const struct ipckit_deadline *deadline)
{
	int r = taking_next(&receiving->taking, deadline, &receiving->one);

	if (r)
		return r;
	if (receiving->kept == &receiving->one) {
		receiving->nkept = 1;
		return print_now(receiving);
	}
	r = taken_keep(&receiving->one) ?: keep(receiving, &receiving->one);
	if (r)
		(void)!taken_give_back(&receiving->taking, &receiving->one);
	return r;
}

/* A timer costs as much as a message: it is for those that are not there yet. at_once: a try, or without limit. */
static int take_in_time(struct receiving *receiving, const struct ipckit_deadline *at_once, int64_t timeout)
{
	struct ipckit_deadline deadline;
	int r = take(receiving, at_once);

	if (r != -EAGAIN || !timeout)
		return r;
	return cli_deadline(timeout, &deadline) ?: take(receiving, &deadline);
}

/* The end of the messages, and not of the wish for them, is no failure. */
static int end_of(struct receiving *receiving, int r)
{
	if (r == -EINTR) {
		receiving->interrupted = true;
		return CLI_OK;
	}
	if (all && (r == -EAGAIN || r == -ETIMEDOUT))
		return CLI_OK;
	if (receiving->nkept)
		cli_keep_results(receiving->cli);
	return r < 0 ? taking_fail(&receiving->taking, r, timeout_text) : r;
}

static int receive(struct receiving *receiving, int64_t timeout)
{
	struct ipckit_deadline at_once;
	int status, r = cli_deadline(timeout == IPCKIT_FOREVER ? timeout : 0, &at_once);

	for (uint64_t i = 0; i < receiving->count && !r; i++)
		r = take_in_time(receiving, &at_once, timeout);
	status = r ? end_of(receiving, r) : CLI_OK;
	r = receiving->shape == LIST || receiving->shape == RECORD ? print_kept(receiving) : CLI_OK;
	return status ?: r;
}

/* ---- options ---- */

static enum shape choose_shape(const struct cli *cli)
{
	if (raw || lines || null)
		return BYTES;
	/* What is not printed needs no memory until the end. */
	if (follow || !cli_prints(cli))
		return STREAM;
	return count_text || all ? LIST : RECORD;
}

static int read_options(struct cli *cli, struct receiving *receiving, int64_t *timeout)
{
	receiving->count = follow || all ? UINT64_MAX : 1;
	if (count_text && all)
		return cli_usage(cli, NULL, "--count and --all exclude each other");
	if (lines && null)
		return cli_usage(cli, NULL, "--lines and --null exclude each other");
	if ((raw || lines || null) && cli->format_given && cli_prints(cli))
		return cli_usage(cli, NULL, "--raw, --lines and --null print bytes, in no other format");
	receiving->shape = choose_shape(cli);
	if (receiving->shape == STREAM || receiving->shape == BYTES)
		receiving->kept = &receiving->one;
	/* Bytes alone: what goes wrong is said on stderr. */
	if (receiving->shape == BYTES)
		cli_raw(cli);
	if (all)
		*timeout = 0;
	return cli_count(cli, "--count", count_text, 1, UINT64_MAX, &receiving->count) ?:
	       cli_duration(cli, "--timeout", timeout_text, timeout);
}

static int run(struct cli *cli)
{
	static struct receiving receiving;
	int64_t timeout = IPCKIT_FOREVER;
	int r;

	receiving = (struct receiving){ .cli = cli };
	r = read_options(cli, &receiving, &timeout) ?: taking_open(cli, cli->operands[0], &receiving.taking);
	if (!r) {
		cli_undo_with(cli, end_recv, &receiving);
		return receive(&receiving, timeout);
	}
	taking_close(&receiving.taking);
	return r;
}

const struct cli_verb mqtool_recv = {
	.name = "recv",
	.alias = "receive",
	.operands = "OBJECT",
	.summary = "receive messages and print them",
	.least = 1,
	.most = 1,
	.flags = CLI_ANSWERS | CLI_LISTS,
	.options = options,
	.table = &mqtool_message_table,
	.run = run,
};
