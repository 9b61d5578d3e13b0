/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "taking.h"

#include <errno.h>

static const struct poptOption options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)taking_select_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static int drain(struct taking *taking)
{
	const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };
	int64_t messages = 0, bytes = 0;
	struct taken taken;
	int r;

	while (!(r = taking_next(taking, &now, &taken))) {
		messages++;
		bytes += (int64_t)taken.size;
		taken_done(taking, &taken);
	}
	if (r != -EAGAIN)
		return taking_fail(taking, r, NULL);
	return mqtool_done(taking->cli, taking->object, ipckit_mq_backend(taking->mq), ipckit_known(messages),
			   ipckit_known(bytes));
}

static int run(struct cli *cli)
{
	struct taking taking;
	int r = taking_open(cli, cli->operands[0], &taking);

	if (!r)
		r = drain(&taking);
	taking_close(&taking);
	return r;
}

const struct cli_verb mqtool_drain = {
	.name = "drain",
	.operands = "OBJECT",
	.summary = "empty a queue",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &mqtool_done_table,
	.run = run,
};
