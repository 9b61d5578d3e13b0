/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "taking.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define JOURNAL_WAIT_NS 200000000
#define JOURNAL_LOOK_NS 5000000

static char *type_text, *except_text, *max_size_text, *journal_text;
static int truncating;

const struct poptOption taking_select_options[] = {
	{ "type", 0, POPT_ARG_STRING, &type_text, 0, "System V: 0 the first, T of that type, -T of the lowest up to T, !T any but T",
	  "SEL" },
	{ "except", 0, POPT_ARG_STRING, &except_text, 0, "System V: the first that is not of this type", "T" },
	POPT_TABLEEND
};

const struct poptOption taking_size_options[] = {
	{ "max-size", 0, POPT_ARG_STRING, &max_size_text, 0, "take no larger message: it stays in the queue", "SIZE" },
	{ "truncate", 0, POPT_ARG_NONE, &truncating, 0, "cut a message that is larger than --max-size", NULL },
	POPT_TABLEEND
};

const struct poptOption taking_journal_options[] = {
	{ "journal", 'j', POPT_ARG_STRING, &journal_text, 0, "keep what is taken in this file until it was handled", "PATH" },
	POPT_TABLEEND
};

/* ---- options ---- */

static int read_type(struct cli *cli, const char *option, const char *text, long *out)
{
	uint64_t type = 0;
	int r = cli_count(cli, option, text, 1, IPCKIT_MQ_TYPE_MAX, &type);

	*out = (long)type;
	return r;
}

static int read_selector(struct cli *cli, struct ipckit_mq_select *out)
{
	if (except_text) {
		out->which = IPCKIT_MQ_EXCEPT;
		return read_type(cli, "--except", except_text, &out->type);
	}
	if (!type_text || !strcmp(type_text, "0"))
		return 0;
	out->which = *type_text == '-' ? IPCKIT_MQ_UP_TO : *type_text == '!' ? IPCKIT_MQ_EXCEPT : IPCKIT_MQ_TYPE;
	return read_type(cli, "--type", type_text + (out->which != IPCKIT_MQ_TYPE), &out->type);
}

static int read_select(struct taking *taking)
{
	if (type_text && except_text)
		return cli_usage(taking->cli, taking->object, "--type and --except exclude each other");
	if ((type_text || except_text) && ipckit_mq_backend(taking->mq) == IPCKIT_MQ_POSIX)
		return cli_usage(taking->cli, taking->object,
				 "types are those of System V; a POSIX queue gives the highest priority first");
	return read_selector(taking->cli, &taking->select);
}

static int fail_state(struct taking *taking, int error)
{
	return mqtool_fail(taking->cli, taking->object, ipckit_mq_backend(taking->mq), taking->mq, error);
}

static int read_room(struct taking *taking)
{
	struct ipckit_mq_state state;
	uint64_t size = 0;
	int r = cli_size(taking->cli, "--max-size", max_size_text, &size);

	if (r)
		return r;
	if (truncating && !max_size_text)
		return cli_usage(taking->cli, taking->object, "--truncate is for --max-size");
	if (truncating && journal_text)
		return cli_usage(taking->cli, taking->object, "a journal keeps whole messages: --truncate has no place there");
	r = ipckit_mq_state(taking->mq, &state);
	if (r)
		return fail_state(taking, r);
	taking->truncate = truncating;
	taking->limited = max_size_text != NULL;
	taking->room = taking->limited ? (size < INT_MAX ? size : INT_MAX) : (size_t)state.size_max;
	if (taking->limited && !truncating && ipckit_mq_backend(taking->mq) == IPCKIT_MQ_POSIX &&
	    size < (uint64_t)state.msgsize)
		return cli_fail(taking->cli, taking->object, EMSGSIZE,
				"a POSIX queue gives only whole messages, of up to %lld bytes here: "
				"a smaller --max-size needs --truncate", (long long)state.msgsize);
	return 0;
}

static int fail_journal(struct cli *cli, int error)
{
	struct ipckit_limit limit;
	char *queue;

	switch (error) {
	case -EAGAIN:
		return cli_fail(cli, journal_text, EBUSY, "another process uses the journal");
	case -EFBIG:
		if (!ipckit_limit_of_process(EFBIG, &limit))
			return cli_fail_limit(cli, journal_text, error, &limit);
		break;
	case -EBADMSG:
		return cli_fail(cli, journal_text, error, "not a journal, or a damaged one");
	case -ENOENT:
		return cli_fail(cli, journal_text, error, "no such directory");
	case -EXDEV:
		if (ipckit_journal_queue(journal_text, &queue))
			break;
		error = cli_fail(cli, journal_text, EBADMSG, "this is the journal of %s", queue);
		free(queue);
		return error;
	case -ENOSPC:
		if (!ipckit_limit_of_filesystem(journal_text, &limit))
			return cli_fail_limit(cli, journal_text, error, &limit);
	}
	return cli_fail(cli, journal_text, error, NULL);
}

static int open_journal(struct taking *taking)
{
	struct ipckit_deadline soon;
	int r;

	if (!journal_text)
		return 0;
	/* A command that a killed run was starting has the journal until it has begun. */
	ipckit_deadline_in(JOURNAL_WAIT_NS, &soon);
	while ((r = ipckit_journal_open(journal_text, ipckit_mq_backend(taking->mq), taking->object,
					&taking->journal)) == -EAGAIN)
		if (ipckit_deadline_sleep(&soon, JOURNAL_LOOK_NS))
			break;
	if (r)
		return fail_journal(taking->cli, r);
	if (ipckit_journal_left(taking->journal))
		cli_note(taking->cli, "%s: %zu left by an earlier run", journal_text,
			 ipckit_journal_left(taking->journal));
	return 0;
}

/* ---- opening ---- */

static int allocate(struct taking *taking, size_t room)
{
	struct ipckit_mq_message *larger;

	/* A byte more, for what is put after the message where it is printed. */
	larger = room < SIZE_MAX - 64 ? realloc(taking->buffer, sizeof(*larger) + room + 1) : NULL;
	if (!larger)
		return -ENOMEM;
	taking->buffer = larger;
	taking->room = room;
	return 0;
}

/* For sending, too, where that is allowed: so what cannot be handled can be given back. */
static int open_queue(struct taking *taking)
{
	struct ipckit_name name;
	int r = mqtool_name(taking->cli, taking->object, 0, &name);

	if (r)
		return r;
	r = ipckit_mq_open(&name, IPCKIT_MQ_RECEIVE | IPCKIT_MQ_SEND, &taking->mq);
	if (r == -EACCES) {
		taking->one_way = true;
		r = ipckit_mq_open(&name, IPCKIT_MQ_RECEIVE, &taking->mq);
	}
	if (r)
		r = mqtool_fail(taking->cli, taking->object, ipckit_mq_backend_of(&name), NULL, r);
	ipckit_name_free(&name);
	return r;
}

int taking_open(struct cli *cli, const char *object, struct taking *out)
{
	int r;

	*out = (struct taking){ .cli = cli, .object = object };
	r = open_queue(out);
	if (!r)
		r = read_select(out) ?: read_room(out) ?: open_journal(out);
	if (!r && allocate(out, out->room))
		r = cli_fail(cli, object, ENOMEM, NULL);
	return r;
}

int taking_check_back(const struct taking *taking)
{
	if (!taking->one_way)
		return 0;
	return cli_fail(taking->cli, taking->object, EACCES,
			"permission denied: without the right to send, messages could not be sent back");
}

void taking_close(struct taking *taking)
{
	if (taking->has_slot)
		ipckit_journal_done(taking->journal, &taking->slot);
	ipckit_journal_close(taking->journal);
	ipckit_mq_close(taking->mq);
	free(taking->buffer);
	*taking = (struct taking){ 0 };
}

/* ---- taking ---- */

/* Where the next message goes. */
static int make_place(struct taking *taking)
{
	int r;

	if (!taking->journal || taking->has_slot)
		return 0;
	r = ipckit_journal_slot(taking->journal, taking->room, &taking->slot);
	taking->has_slot = r == 0;
	return r;
}

/* The queue holds a larger message than could be sent now: the limits were lowered since. */
static int make_room(struct taking *taking)
{
	if (taking->limited || taking->room > INT_MAX / 2)
		return -E2BIG;
	if (taking->has_slot)
		ipckit_journal_done(taking->journal, &taking->slot);
	taking->has_slot = false;
	return allocate(taking, taking->room ? taking->room * 2 : 1);
}

static bool take_left(struct taking *taking, struct taken *out)
{
	if (!taking->journal || taking->next_left >= ipckit_journal_left(taking->journal))
		return false;
	*out = (struct taken){ .journaled = true };
	ipckit_journal_get_left(taking->journal, taking->next_left++, &out->slot);
	out->message = out->slot.message;
	out->size = out->slot.size;
	if (out->slot.measured)
		cli_note(taking->cli, "%s: a message of %zu bytes, whose length was measured, is left by a run that was killed",
			 taking->object, out->size);
	return true;
}

static void hand_over(struct taking *taking, size_t size, struct taken *out)
{
	*out = (struct taken){ .message = taking->buffer, .size = size };
	if (!taking->journal)
		return;
	ipckit_journal_received(taking->journal, &taking->slot, size);
	out->journaled = true;
	out->slot = taking->slot;
	out->message = taking->slot.message;
	taking->has_slot = false;
}

int taking_next(struct taking *taking, const struct ipckit_deadline *deadline, struct taken *out)
{
	size_t size;
	int r;

	if (take_left(taking, out))
		return 0;
	do {
		r = make_place(taking);
		if (!r)
			r = ipckit_mq_receive(taking->mq, &taking->select,
					      taking->journal ? taking->slot.message : taking->buffer, taking->room,
					      taking->truncate, &size, deadline);
	} while (r == -E2BIG && !(r = make_room(taking)));
	if (!r)
		hand_over(taking, size, out);
	/* Its file was cut: what lay beyond its end is not to be touched. */
	if (taking->journal && (r == -EFAULT || r == -EBADMSG)) {
		taking->has_slot = false;
		r = -EBADMSG;
	}
	return r;
}

int taking_peek(struct taking *taking, size_t index, struct taken *out)
{
	size_t size;
	int r;

	do {
		r = ipckit_mq_peek(taking->mq, index, taking->buffer, taking->room, &size);
	} while (r == -E2BIG && !(r = make_room(taking)));
	if (!r)
		*out = (struct taken){ .message = taking->buffer, .size = size };
	/* MSG_COPY has no room for what was sent when kernel.msgmax was larger. */
	return r == -EINVAL ? -EMSGSIZE : r;
}

/* ---- what was taken ---- */

int taken_keep(struct taken *taken)
{
	struct ipckit_mq_message *copy;

	if (taken->journaled || taken->own)
		return 0;
	copy = malloc(sizeof(*copy) + taken->size + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, taken->message, sizeof(*copy) + taken->size);
	taken->message = copy;
	taken->own = true;
	return 0;
}

static void let_go(struct taken *taken)
{
	if (taken->own)
		free(taken->message);
	*taken = (struct taken){ 0 };
}

void taken_done(struct taking *taking, struct taken *taken)
{
	if (taken->journaled)
		ipckit_journal_done(taking->journal, &taken->slot);
	let_go(taken);
}

int taken_tell(struct taking *taking, const struct taken *taken, const char *words)
{
	struct mqtool_message row = mqtool_message(ipckit_mq_backend(taking->mq), taken->message, taken->size);
	char *text = cli_row_text(&mqtool_message_table, &row);

	clearerr(stderr);
	cli_warn(taking->cli, "%s: %s %s", taking->object, words, text ?: "(out of memory)");
	free(text);
	return ferror(stderr) || !text ? -EIO : 0;
}

int taken_send(const struct taken *taken, struct ipckit_mq *mq)
{
	const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };

	return ipckit_mq_check(mq) ?: ipckit_mq_send(mq, taken->message, taken->size, &now);
}

int taken_give_back(struct taking *taking, struct taken *taken)
{
	int r = taken->journaled ? 0 : taken_send(taken, taking->mq);

	if (r)
		(void)!taken_tell(taking, taken, "could not be put back:");
	let_go(taken);
	return r;
}

int taking_fail(const struct taking *taking, int error, const char *timeout)
{
	if (error == -E2BIG)
		return cli_fail(taking->cli, taking->object, error,
				"the message is larger than --max-size and stays in the queue; --truncate cuts it");
	if (error == -EAGAIN)
		return cli_fail(taking->cli, taking->object, error, "no message is there");
	if (taking->journal && error == -EBADMSG)
		return cli_fail(taking->cli, journal_text, error, "the journal was cut while it was used");
	if (taking->journal && (error == -ENOSPC || error == -EFBIG || error == -EDQUOT))
		return fail_journal(taking->cli, error);
	return mqtool_fail_wait(taking->cli, taking->object, taking->mq, error, timeout);
}
