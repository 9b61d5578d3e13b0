/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sending.h"
#include "../cli/stop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int sending_open(struct cli *cli, const char *object, const char *timeout, struct sending *out)
{
	int r;

	*out = (struct sending){ .cli = cli, .object = object, .timeout = IPCKIT_FOREVER, .timeout_text = timeout };
	r = cli_duration(cli, "--timeout", timeout, &out->timeout) ?:
	    mqtool_open(cli, object, IPCKIT_MQ_SEND, &out->mq);
	if (!r)
		out->rank = ipckit_mq_backend(out->mq) == IPCKIT_MQ_SYSV;
	return r;
}

void sending_close(struct sending *sending)
{
	ipckit_mq_close(sending->mq);
	free(sending->message);
}

/* ---- sending ---- */

static int make_room(struct sending *sending, size_t size)
{
	struct ipckit_mq_message *larger;

	if (sending->message && size <= sending->room)
		return 0;
	larger = size < SIZE_MAX / 2 ? realloc(sending->message, sizeof(*larger) + size) : NULL;
	if (!larger)
		return -ENOMEM;
	sending->message = larger;
	sending->room = size;
	return 0;
}

static int send_until(struct sending *sending, size_t size, const struct ipckit_deadline *deadline)
{
	return ipckit_mq_send(sending->mq, sending->message, size, deadline);
}

/*
 * Nothing is ever half sent: signals keep their action, but for System V, whose waits
 * with a limit have to be interrupted. The timer for that costs as much as a message:
 * it is for those that find no room.
 */
static int send_in_time(struct sending *sending, size_t size)
{
	struct ipckit_deadline deadline;
	int r;

	ipckit_deadline_in(sending->timeout, &deadline);
	if (deadline.kind != IPCKIT_DEADLINE_AT || ipckit_mq_backend(sending->mq) != IPCKIT_MQ_SYSV)
		return send_until(sending, size, &deadline);
	r = cli_deadline(0, &deadline) ?: send_until(sending, size, &deadline);
	if (r != -EAGAIN)
		return r;
	return cli_deadline(sending->timeout, &deadline) ?: send_until(sending, size, &deadline);
}

int sending_fail_size(struct sending *sending, uint64_t size)
{
	const struct ipckit_mq_wanted wanted = { .size = size };

	return mqtool_fail_wanted(sending->cli, sending->object, ipckit_mq_backend(sending->mq), sending->mq, -EMSGSIZE,
				  &wanted);
}

static int fail(struct sending *sending, size_t size, int error)
{
	if (sending->messages)
		cli_warn(sending->cli, "%s: %lld message%s sent before this one", sending->object,
			 (long long)sending->messages, sending->messages == 1 ? " was" : "s were");
	if (error == -EMSGSIZE)
		return sending_fail_size(sending, size);
	if (error == -EAGAIN)
		return cli_fail(sending->cli, sending->object, error, "the queue is full");
	return mqtool_fail_wait(sending->cli, sending->object, sending->mq, error, sending->timeout_text);
}

/* What is sent to a POSIX queue that was removed comes to nobody who asks for it by name: looked at now and then. */
static int check_queue(struct sending *sending)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) || now.tv_sec == sending->checked)
		return 0;
	sending->checked = now.tv_sec;
	return ipckit_mq_check(sending->mq);
}

int sending_send(struct sending *sending, const char *data, size_t size, long rank)
{
	int r = check_queue(sending) ?: make_room(sending, size);

	if (!r) {
		sending->message->rank = rank;
		memcpy(sending->message->data, data, size);
		r = send_in_time(sending, size);
	}
	if (r)
		return fail(sending, size, r);
	sending->messages++;
	sending->bytes += (int64_t)size;
	return 0;
}

int sending_done(struct sending *sending)
{
	int r = ipckit_mq_check(sending->mq);

	if (r)
		return fail(sending, 0, r);
	return mqtool_done(sending->cli, sending->object, ipckit_mq_backend(sending->mq), ipckit_known(sending->messages),
			   ipckit_known(sending->bytes));
}

/* ---- inputs ---- */

/* Of JSON a byte may be six characters, with any number of blanks around it; and who may only send may not look. */
static size_t limit_of(struct sending *sending, bool json)
{
	struct ipckit_mq_state state;

	return json || ipckit_mq_state(sending->mq, &state) ? SIZE_MAX : (size_t)state.size_max;
}

int sending_open_input(struct sending *sending, const char *path, enum cli_records_mode mode, bool json,
		       struct cli_records *out)
{
	int r;

	*out = (struct cli_records){ .name = path ?: "standard input", .mode = mode };
	r = cli_records_open(path, mode, limit_of(sending, json), out);
	return r ? sending_fail_input(sending, out, r) : 0;
}

int sending_fail_input(struct sending *sending, const struct cli_records *records, int error)
{
	switch (error) {
	case -EINTR:
		cli_stop_die();
		break;
	case -ENOENT:
		return cli_fail(sending->cli, records->name, error, "no such file");
	case -EMSGSIZE:
		if (records->mode != CLI_RECORDS_WHOLE)
			cli_warn(sending->cli, "%s: record %llu is too large", records->name,
				 (unsigned long long)records->number);
		return fail(sending, records->limit + 1, error);
	}
	return cli_fail(sending->cli, records->name, error, NULL);
}

int sending_read_json(struct sending *sending, const struct cli_records *records, const char *line, size_t size,
		      struct jsonl_message *out)
{
	struct ipckit_why why;
	size_t column = 0;
	int r = jsonl_parse(line, size, ipckit_mq_backend(sending->mq), out, &why, &column);

	if (r == -EINVAL)
		return cli_malformed(sending->cli, records->name, records->number, column, "%s", why.text);
	if (r)
		return cli_fail(sending->cli, records->name, r, NULL);
	if (!out->has_rank)
		out->rank = sending->rank;
	return 0;
}

int sending_send_json(struct sending *sending, const struct cli_records *records, const char *line, size_t size)
{
	struct jsonl_message message;
	int r = sending_read_json(sending, records, line, size, &message);

	if (r)
		return r;
	r = sending_send(sending, message.data, message.size, message.rank);
	jsonl_free(&message);
	return r;
}
