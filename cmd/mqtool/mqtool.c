/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mqtool.h"
#include "../cli/stop.h"

#include <errno.h>
#include <inttypes.h>

int mqtool_name(struct cli *cli, const char *text, unsigned extra, struct ipckit_name *out)
{
	return cli_name(cli, text, IPCKIT_MQ_NAMES | extra, out);
}

int mqtool_open(struct cli *cli, const char *text, unsigned access, struct ipckit_mq **out)
{
	struct ipckit_name name;
	int r = mqtool_name(cli, text, 0, &name);

	if (r)
		return r;
	r = ipckit_mq_open(&name, access, out);
	if (r)
		r = mqtool_fail(cli, text, ipckit_mq_backend_of(&name), NULL, r);
	ipckit_name_free(&name);
	return r;
}

int mqtool_fail_wanted(struct cli *cli, const char *object, enum ipckit_mq_backend backend, struct ipckit_mq *mq,
		       int error, const struct ipckit_mq_wanted *wanted)
{
	struct ipckit_limit limit;

	switch (error) {
	case -EINTR:
		cli_stop_die();
		break;
	case -EBADMSG:
		return cli_fail(cli, object, error, "what stands there is no queue");
	case -EOPNOTSUPP:
		return cli_fail(cli, object, error, "not supported by %s queues", ipckit_mq_backend_name(backend));
	}
	/* EAGAIN is an answer here, not the limit of processes. */
	if (error != -EAGAIN && !ipckit_mq_limit_hit(backend, -error, mq, wanted, &limit))
		return cli_fail_limit(cli, object, error, &limit);
	return cli_fail(cli, object, error, NULL);
}

int mqtool_fail(struct cli *cli, const char *object, enum ipckit_mq_backend backend, struct ipckit_mq *mq, int error)
{
	return mqtool_fail_wanted(cli, object, backend, mq, error, &(struct ipckit_mq_wanted){ 0 });
}

int mqtool_fail_wait(struct cli *cli, const char *object, struct ipckit_mq *mq, int error, const char *timeout)
{
	switch (error) {
	case -ETIMEDOUT:
		return cli_fail_late(cli, object, timeout, "");
	case -EIDRM:
		return cli_fail(cli, object, error, "removed while it was used");
	}
	return mqtool_fail(cli, object, ipckit_mq_backend(mq), mq, error);
}

int mqtool_rank(struct cli *cli, const char *object, enum ipckit_mq_backend backend, const char *priority,
		const char *type, long *rank)
{
	uint64_t n = backend == IPCKIT_MQ_SYSV;
	int r;

	if (backend == IPCKIT_MQ_POSIX && type)
		return cli_usage(cli, object, "--type is for System V queues; a POSIX one has --priority");
	if (backend == IPCKIT_MQ_SYSV && priority)
		return cli_usage(cli, object, "--priority is for POSIX queues; a System V one has --type");
	r = backend == IPCKIT_MQ_POSIX ? cli_count(cli, "--priority", priority, 0, IPCKIT_MQ_PRIORITY_MAX, &n)
				       : cli_count(cli, "--type", type, 1, IPCKIT_MQ_TYPE_MAX, &n);
	if (!r)
		*rank = (long)n;
	return r;
}

/* ---- results ---- */

#define DONE(member) .offset = offsetof(struct mqtool_done, member)

static const struct cli_field done_fields[] = {
	CLI_DONE_FIELDS("the queue as it was named", "posix or sysv"),
	{ "messages", .type = CLI_MAYBE, DONE(messages), .kinds = 2, .summary = "how many messages" },
	{ "bytes", .type = CLI_SIZE, DONE(bytes), .kinds = 2, .summary = "bytes of all of them" },
	{ 0 },
};

static unsigned done_kind(const void *row)
{
	return ((const struct mqtool_done *)row)->messages.known ? 2 : 1;
}

const struct cli_table mqtool_done_table = { done_fields, sizeof(struct mqtool_done), "queues", done_kind };

int mqtool_done(struct cli *cli, const char *object, enum ipckit_mq_backend backend,
		struct ipckit_maybe messages, struct ipckit_maybe bytes)
{
	const struct mqtool_done done = {
		.head = { object, ipckit_mq_backend_name(backend) },
		.messages = messages,
		.bytes = bytes,
	};

	return cli_emit_record(cli, &mqtool_done_table, &done);
}

#define MESSAGE(member) .offset = offsetof(struct mqtool_message, member)

static const struct cli_field message_fields[] = {
	{ "priority", .type = CLI_MAYBE, MESSAGE(priority), .kinds = 1, .summary = "POSIX: 0 to 32767, the highest first" },
	{ "type", .type = CLI_MAYBE, MESSAGE(type), .kinds = 2, .summary = "System V: 1 or more" },
	{ "size", .type = CLI_SIZE, MESSAGE(bytes), .summary = "bytes" },
	{ "data", .type = CLI_DATA, MESSAGE(data), .count_offset = offsetof(struct mqtool_message, size),
	  .summary = "the message; in JSON data_base64 where it is no UTF-8 or holds a NUL" },
	{ 0 },
};

static unsigned message_kind(const void *row)
{
	return ((const struct mqtool_message *)row)->priority.known ? 1 : 2;
}

const struct cli_table mqtool_message_table = { message_fields, sizeof(struct mqtool_message), "messages",
						message_kind };

struct mqtool_message mqtool_message(enum ipckit_mq_backend backend, const struct ipckit_mq_message *message,
				     size_t size)
{
	bool posix = backend == IPCKIT_MQ_POSIX;

	return (struct mqtool_message){
		.priority = posix ? ipckit_known(message->rank) : ipckit_unknown(),
		.type = posix ? ipckit_unknown() : ipckit_known(message->rank),
		.bytes = ipckit_known((int64_t)size),
		.data = message->data,
		.size = size,
	};
}
