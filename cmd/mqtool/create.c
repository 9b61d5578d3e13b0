/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mqtool.h"

#include <errno.h>

static char *unique, *maxmsg_text, *msgsize_text, *qbytes_text, *mode_text;
static int exclusive;

static const struct poptOption options[] = {
	{ "unique", 0, POPT_ARG_STRING, &unique, 0, "make a POSIX queue under a name that nobody has", "PREFIX" },
	{ "maxmsg", 'n', POPT_ARG_STRING, &maxmsg_text, 0, "POSIX: messages that it holds (default fs.mqueue.msg_default)", "N" },
	{ "msgsize", 's', POPT_ARG_STRING, &msgsize_text, 0, "POSIX: bytes of a message (default fs.mqueue.msgsize_default)",
	  "SIZE" },
	{ "qbytes", 0, POPT_ARG_STRING, &qbytes_text, 0, "System V: bytes that it holds (default kernel.msgmnb)", "SIZE" },
	{ "mode", 'm', POPT_ARG_STRING, &mode_text, 0, "permissions, octal or as chmod takes them (default 0600)", "MODE" },
	{ "exclusive", 'x', POPT_ARG_NONE, &exclusive, 0, "fail where there is one", NULL },
	POPT_TABLEEND
};

struct created {
	struct cli_created head;
	struct ipckit_maybe maxmsg, msgsize, qbytes;
};

#define POSIX 2u /* a kind of row, beside CLI_KEYED */
#define CREATED(member) .offset = offsetof(struct created, member)

static const struct cli_field fields[] = {
	CLI_CREATED_NAME_FIELDS("posix or sysv"),
	{ "maxmsg", .type = CLI_MAYBE, CREATED(maxmsg), .kinds = POSIX, .summary = "POSIX: messages that it holds" },
	{ "msgsize", .type = CLI_SIZE, CREATED(msgsize), .kinds = POSIX, .summary = "POSIX: bytes of a message" },
	{ "qbytes", .type = CLI_SIZE, CREATED(qbytes), .kinds = CLI_KEYED, .summary = "System V: bytes that it holds" },
	CLI_CREATED_FIELD,
	{ 0 },
};

static unsigned kind(const void *row)
{
	return ((const struct created *)row)->head.id.known ? CLI_KEYED : POSIX;
}

static const struct cli_table table = { fields, sizeof(struct created), "queues", kind };

/* A number that the kernel takes for one; what is beyond its own limits it says itself. */
static int read_positive(struct cli *cli, const char *option, const char *text, bool size, int64_t *out)
{
	uint64_t n = 0;
	int r;

	if (!text)
		return 0;
	r = size ? cli_size(cli, option, text, &n) : cli_count(cli, option, text, 1, INT64_MAX, &n);
	if (!r && !n)
		r = cli_usage(cli, option, "\"%s\": at least 1", text);
	*out = n > INT64_MAX ? INT64_MAX : (int64_t)n;
	return r;
}

static int read_spec(struct cli *cli, const struct ipckit_name *name, struct ipckit_mq_spec *spec)
{
	bool posix = ipckit_mq_backend_of(name) == IPCKIT_MQ_POSIX;

	*spec = (struct ipckit_mq_spec){ .mode = 0600, .exclusive = exclusive || unique };
	if (posix && qbytes_text)
		return cli_usage(cli, name->written, "--qbytes is for System V queues; a POSIX one has --maxmsg and --msgsize");
	if (!posix && (maxmsg_text || msgsize_text))
		return cli_usage(cli, name->written, "--maxmsg and --msgsize are for POSIX queues; a System V one has --qbytes");
	return read_positive(cli, "--maxmsg", maxmsg_text, false, &spec->maxmsg) ?:
	       read_positive(cli, "--msgsize", msgsize_text, true, &spec->msgsize) ?:
	       read_positive(cli, "--qbytes", qbytes_text, true, &spec->qbytes) ?:
	       cli_mode(cli, "--mode", mode_text, 0600, &spec->mode);
}

static int fail(struct cli *cli, const struct ipckit_name *name, const struct ipckit_mq_spec *spec, int error)
{
	enum ipckit_mq_backend backend = ipckit_mq_backend_of(name);
	const struct ipckit_mq_wanted wanted = { .spec = spec };

	if (unique && error == -EEXIST)
		return CLI_EXISTS;
	if (error == -EBADMSG)
		return cli_fail(cli, name->written, error, "there is one, of another %s than asked for",
				backend == IPCKIT_MQ_POSIX ? "maxmsg or msgsize" : "qbytes");
	return mqtool_fail_wanted(cli, name->written, backend, NULL, error, &wanted);
}

static int tell(struct cli *cli, const struct ipckit_name *name, struct ipckit_mq *mq, bool was_created)
{
	struct created row = {
		.head = { .backend = ipckit_mq_backend_name(ipckit_mq_backend(mq)), .created = was_created },
	};
	struct ipckit_mq_state state;

	if (ipckit_mq_backend(mq) == IPCKIT_MQ_SYSV)
		row.head.id = ipckit_known(ipckit_mq_id(mq));
	if (!ipckit_mq_state(mq, &state)) {
		row.maxmsg = ipckit_known(state.maxmsg);
		row.msgsize = ipckit_known(state.msgsize);
		row.qbytes = ipckit_known(state.qbytes);
	}
	return cli_emit_created(cli, name, &row.head);
}

static int make(struct cli *cli, const struct ipckit_name *name)
{
	struct ipckit_mq_spec spec;
	struct ipckit_mq *mq;
	bool created;
	int r = read_spec(cli, name, &spec);

	if (r)
		return r;
	r = ipckit_mq_create(name, &spec, &created, &mq);
	if (r)
		return fail(cli, name, &spec, r);
	r = tell(cli, name, mq, created);
	ipckit_mq_close(mq);
	return r;
}

static int run(struct cli *cli)
{
	return cli_create(cli, unique, make);
}

const struct cli_verb mqtool_create = {
	.name = "create",
	.operands = "[OBJECT]",
	.summary = "create a queue, or open what exists and leave it alone",
	.least = 0,
	.most = 1,
	.flags = CLI_ANSWERS,
	.options = options,
	.table = &table,
	.run = run,
};
