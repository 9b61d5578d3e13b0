/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mqtool.h"

#include <errno.h>

static char *messages_text, *timeout_text;
static int notify;

static const struct poptOption options[] = {
	{ "messages", 'n', POPT_ARG_STRING, &messages_text, 0, "until so many are there (default 1)", "N" },
	{ "notify", 0, POPT_ARG_NONE, &notify, 0, "POSIX: be the process that the kernel tells of a message (mq_notify(3))", NULL },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time; 0: only look", "DURATION" },
	POPT_TABLEEND
};

struct seen {
	const char *object;
	const char *backend;
	struct ipckit_maybe messages;
	struct ipckit_maybe sender;
	bool notified;
};

#define SEEN(member) .offset = offsetof(struct seen, member)

static const struct cli_field fields[] = {
	{ "object", .type = CLI_STRING, SEEN(object), .summary = "the queue as it was named" },
	{ "backend", .type = CLI_STRING, SEEN(backend), .summary = "posix or sysv" },
	{ "messages", .type = CLI_MAYBE, SEEN(messages), .summary = "that are there now" },
	{ "sender", .type = CLI_PID, SEEN(sender), .kinds = 2,
	  .summary = "--notify: the process whose message it was; null: it was there before, or is another PID namespace's" },
	{ 0 },
};

static unsigned kind(const void *row)
{
	return ((const struct seen *)row)->notified ? 2 : 1;
}

static const struct cli_table table = { fields, sizeof(struct seen), "queues", kind };

static int fail(struct cli *cli, struct ipckit_mq *mq, uint64_t messages, int error)
{
	const char *object = cli->operands[0];
	struct ipckit_mq_state state;

	switch (error) {
	case -EBUSY:
		return cli_fail(cli, object, error, "another process is registered for its notification");
	case -EAGAIN:
		return cli_fail(cli, object, error, messages == 1 ? "no message is there" : "fewer messages are there");
	case -ERANGE:
		if (ipckit_mq_state(mq, &state))
			break;
		return cli_fail(cli, object, EMSGSIZE, "it holds %lld messages at most", (long long)state.maxmsg);
	}
	return mqtool_fail_wait(cli, object, mq, error, timeout_text);
}

static int tell(struct cli *cli, struct ipckit_mq *mq, struct ipckit_maybe sender)
{
	struct seen row = {
		.object = cli->operands[0],
		.backend = ipckit_mq_backend_name(ipckit_mq_backend(mq)),
		.sender = sender,
		.notified = notify,
	};
	struct ipckit_mq_state state;

	if (!ipckit_mq_state(mq, &state))
		row.messages = ipckit_known(state.messages);
	return cli_emit_record(cli, &table, &row);
}

static int wait_for(struct cli *cli, struct ipckit_mq *mq, uint64_t messages, int64_t timeout)
{
	struct ipckit_maybe sender = ipckit_unknown();
	struct ipckit_deadline deadline;
	int r;

	if (notify && ipckit_mq_backend(mq) == IPCKIT_MQ_SYSV)
		return cli_usage(cli, cli->operands[0], "--notify is for POSIX queues");
	/* Nothing is held: signals keep their action. */
	ipckit_deadline_in(timeout, &deadline);
	r = notify ? ipckit_mq_notify(mq, &deadline, &sender) : ipckit_mq_wait(mq, (int64_t)messages, &deadline);
	return r ? fail(cli, mq, messages, r) : tell(cli, mq, sender);
}

static int run(struct cli *cli)
{
	int64_t timeout = IPCKIT_FOREVER;
	struct ipckit_mq *mq;
	uint64_t messages = 1;
	int r;

	if (notify && messages_text)
		return cli_usage(cli, NULL, "--notify tells of one message: --messages has no use");
	r = cli_count(cli, "--messages", messages_text, 1, INT64_MAX, &messages) ?:
	    cli_duration(cli, "--timeout", timeout_text, &timeout) ?:
	    mqtool_open(cli, cli->operands[0], IPCKIT_MQ_RECEIVE, &mq);
	if (r)
		return r;
	r = wait_for(cli, mq, messages, timeout);
	ipckit_mq_close(mq);
	return r;
}

const struct cli_verb mqtool_wait = {
	.name = "wait",
	.operands = "OBJECT",
	.summary = "wait until messages are there, and take none",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &table,
	.run = run,
};
