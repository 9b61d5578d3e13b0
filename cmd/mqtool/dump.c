/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "taking.h"
#include "../cli/stop.h"

#include <errno.h>
#include <stdlib.h>

static int take;

static const struct poptOption options[] = {
	{ "take", 0, POPT_ARG_NONE, &take, 0, "POSIX: take all messages and put them back, since they cannot be copied", NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)taking_journal_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static int print(struct taking *taking, const struct taken *taken)
{
	struct mqtool_message row = mqtool_message(ipckit_mq_backend(taking->mq), taken->message, taken->size);

	return cli_emit_line(taking->cli, &mqtool_message_table, &row);
}

/* ---- copying ---- */

/* Others go on using the queue: then a message may have been passed over, or seen twice. */
static bool changed(const struct ipckit_mq_info *before, const struct ipckit_mq_info *after)
{
	return before->messages.value != after->messages.value || before->bytes.value != after->bytes.value ||
	       before->stime.value != after->stime.value || before->rtime.value != after->rtime.value ||
	       before->lspid.value != after->lspid.value || before->lrpid.value != after->lrpid.value;
}

static int look(struct taking *taking, struct ipckit_mq_info *out)
{
	struct ipckit_name name;
	int r = mqtool_name(taking->cli, taking->object, 0, &name);

	if (r)
		return r;
	r = ipckit_mq_stat(&name, 0, out);
	ipckit_name_free(&name);
	return r ? taking_fail(taking, r, NULL) : 0;
}

static int copy_all(struct taking *taking)
{
	struct taken taken;
	size_t i = 0;
	int r = 0, status = 0;

	while (!status && !(r = taking_peek(taking, i, &taken))) {
		status = print(taking, &taken);
		i++;
	}
	return r && r != -ENOMSG ? taking_fail(taking, r, NULL) : status;
}

static int dump_copies(struct taking *taking)
{
	struct ipckit_mq_info before = { 0 }, after = { 0 };
	int r = look(taking, &before) ?: copy_all(taking) ?: look(taking, &after);

	if (!r && changed(&before, &after))
		cli_warn(taking->cli, "%s: was used while it was copied: some messages may be missing, or there twice",
			 taking->object);
	ipckit_mq_info_free(&before);
	ipckit_mq_info_free(&after);
	return r;
}

/* ---- taking and putting back ---- */

struct one {
	struct taken taken;
	bool back;
};

struct all {
	struct one *list;
	size_t count;
};

static int add(struct all *all, struct taken *taken)
{
	struct one *larger;
	int r = taken_keep(taken);

	if (r)
		return r;
	larger = cli_array_room(all->list, all->count, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	all->list = larger;
	all->list[all->count++] = (struct one){ .taken = *taken };
	return 0;
}

/* Those that are there now, and not what others send meanwhile: they would have no room to go back to. */
static int take_all(struct taking *taking, struct all *all)
{
	const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };
	size_t left = taking->journal ? ipckit_journal_left(taking->journal) : 0;
	struct ipckit_mq_state state;
	struct taken taken;
	int r = ipckit_mq_state(taking->mq, &state);

	while (!r && all->count < left + (size_t)state.messages && !(r = taking_next(taking, &now, &taken))) {
		r = add(all, &taken);
		if (r) {
			(void)!taken_give_back(taking, &taken);
			break;
		}
	}
	return r == -EAGAIN ? 0 : r;
}

/* In the order in which they came, so that they stand as before. */
static void put_back(struct taking *taking, struct all *all)
{
	for (size_t i = 0; i < all->count; i++)
		all->list[i].back = !taken_send(&all->list[i].taken, taking->mq);
}

/* Back in the queue it is not to come out of the journal, too, if nobody reads on what is printed. */
static void leave_journal(struct taking *taking, struct taken *taken)
{
	struct taken slot = *taken;

	if (!taken->journaled)
		return;
	taken->journaled = false;
	if (taken_keep(taken))
		*taken = slot;
	else
		taken_done(taking, &slot);
}

/* Returns how many found no room: they are in the journal, or printed on stderr. */
static size_t settle(struct taking *taking, struct all *all)
{
	size_t lost = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct one *one = &all->list[i];

		lost += !one->back;
		if (one->back)
			leave_journal(taking, &one->taken);
		else if (!one->taken.journaled)
			(void)!taken_tell(taking, &one->taken, "could not be put back:");
	}
	return lost;
}

static int print_all(struct taking *taking, const struct all *all)
{
	int r = 0;

	for (size_t i = 0; i < all->count && !r; i++)
		r = print(taking, &all->list[i].taken);
	return r;
}

static void free_all(struct taking *taking, struct all *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].back || !all->list[i].taken.journaled)
			taken_done(taking, &all->list[i].taken);
	free(all->list);
}

/* Before anything is printed, which may take long: others see the queue empty for a moment only. */
static int dump_taken(struct taking *taking)
{
	struct all all = { 0 };
	size_t lost;
	int r = take_all(taking, &all);

	put_back(taking, &all);
	lost = settle(taking, &all);
	cli_stop_die();
	cli_stop_restore();
	r = r ? taking_fail(taking, r, NULL) : print_all(taking, &all);
	if (lost && !r)
		r = cli_fail(taking->cli, taking->object, EAGAIN, "%zu of %zu messages could not be put back%s", lost,
			     all.count, taking->journal ? ": they are in the journal" : "");
	free_all(taking, &all);
	return r;
}

/* ---- the verb ---- */

static int check(struct taking *taking)
{
	if (ipckit_mq_backend(taking->mq) == IPCKIT_MQ_SYSV || take)
		return 0;
	return cli_fail(taking->cli, taking->object, EOPNOTSUPP,
			"mq_receive(3) removes what it returns: with --take its messages are taken and put back");
}

static int dump(struct taking *taking)
{
	struct ipckit_deadline deadline;
	int r;

	if (ipckit_mq_backend(taking->mq) == IPCKIT_MQ_SYSV)
		return dump_copies(taking);
	r = taking_check_back(taking);
	if (r)
		return r;
	/* From here on signals wait until all is back. */
	r = cli_deadline(IPCKIT_FOREVER, &deadline);
	return r ? taking_fail(taking, r, NULL) : dump_taken(taking);
}

static int run(struct cli *cli)
{
	struct taking taking;
	int r = taking_open(cli, cli->operands[0], &taking);

	/* What restore reads. */
	if (!cli->format_given && cli_prints(cli))
		cli->format = CLI_FORMAT_JSON;
	if (!r)
		r = check(&taking) ?: dump(&taking);
	taking_close(&taking);
	return r;
}

const struct cli_verb mqtool_dump = {
	.name = "dump",
	.operands = "OBJECT",
	.summary = "print all messages, a line of JSON each, and leave them in the queue",
	.least = 1,
	.most = 1,
	.flags = CLI_ANSWERS | CLI_LISTS,
	.options = options,
	.table = &mqtool_message_table,
	.run = run,
};
