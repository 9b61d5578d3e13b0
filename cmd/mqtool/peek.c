/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "taking.h"

#include <errno.h>
#include <stdlib.h>

static char *index_text;
static int all;

static const struct poptOption options[] = {
	{ "index", 'i', POPT_ARG_STRING, &index_text, 0, "which message, the oldest is 0 (default 0)", "N" },
	{ "all", 'a', POPT_ARG_NONE, &all, 0, "all that are there", NULL },
	POPT_TABLEEND
};

struct copies {
	struct taken *list;
	struct mqtool_message *rows;
	size_t count;
};

static int make_room(struct copies *copies)
{
	struct taken *list = cli_array_room(copies->list, copies->count, sizeof(*list));
	struct mqtool_message *rows;

	if (!list)
		return -ENOMEM;
	copies->list = list;
	rows = cli_array_room(copies->rows, copies->count, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	copies->rows = rows;
	return 0;
}

static int copy(struct taking *taking, size_t index, struct copies *copies)
{
	struct taken *taken;
	int r = make_room(copies);

	if (r)
		return r;
	taken = &copies->list[copies->count];
	r = taking_peek(taking, index, taken) ?: taken_keep(taken);
	if (r)
		return r;
	copies->rows[copies->count++] = mqtool_message(ipckit_mq_backend(taking->mq), taken->message, taken->size);
	return 0;
}

static void free_copies(struct taking *taking, struct copies *copies)
{
	for (size_t i = 0; i < copies->count; i++)
		taken_done(taking, &copies->list[i]);
	free(copies->list);
	free(copies->rows);
}

static int peek_all(struct taking *taking)
{
	struct copies copies = { 0 };
	int r = 0;

	while (!r)
		r = copy(taking, copies.count, &copies);
	r = r == -ENOMSG ? cli_emit_list(taking->cli, &mqtool_message_table, copies.rows, copies.count)
			 : taking_fail(taking, r, NULL);
	free_copies(taking, &copies);
	return r;
}

static int peek_one(struct taking *taking, size_t index)
{
	struct mqtool_message row;
	struct taken taken;
	int r = taking_peek(taking, index, &taken);

	if (r == -ENOMSG)
		return cli_fail(taking->cli, taking->object, r, "there is no message %zu", index);
	if (r)
		return taking_fail(taking, r, NULL);
	row = mqtool_message(ipckit_mq_backend(taking->mq), taken.message, taken.size);
	return cli_emit_record(taking->cli, &mqtool_message_table, &row);
}

/* Before the queue is opened: that it has no answer does not depend on what is there. */
static int check_backend(struct cli *cli)
{
	struct ipckit_name name;
	int r = mqtool_name(cli, cli->operands[0], 0, &name);

	if (r)
		return r;
	if (ipckit_mq_backend_of(&name) == IPCKIT_MQ_POSIX)
		r = cli_fail(cli, name.written, EOPNOTSUPP,
			     "mq_receive(3) removes what it returns: a POSIX queue cannot be peeked at; see dump --take");
	ipckit_name_free(&name);
	return r;
}

static int run(struct cli *cli)
{
	struct taking taking = { 0 };
	uint64_t index = 0;
	int r;

	if (all && index_text)
		return cli_usage(cli, NULL, "--index and --all exclude each other");
	r = cli_count(cli, "--index", index_text, 0, LONG_MAX, &index) ?: check_backend(cli) ?:
	    taking_open(cli, cli->operands[0], &taking);
	if (!r)
		r = all ? peek_all(&taking) : peek_one(&taking, (size_t)index);
	taking_close(&taking);
	return r;
}

const struct cli_verb mqtool_peek = {
	.name = "peek",
	.operands = "OBJECT",
	.summary = "print messages without removing them (System V)",
	.least = 1,
	.most = 1,
	.flags = CLI_ANSWERS | CLI_LISTS,
	.options = options,
	.table = &mqtool_message_table,
	.run = run,
};
