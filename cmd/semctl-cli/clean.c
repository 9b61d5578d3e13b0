/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static int yes;

static const struct poptOption options[] = {
	{ "yes", 'y', POPT_ARG_NONE, &yes, 0, "remove them; without it only say what would be removed", NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_filter_options, 0, NULL, NULL },
	POPT_TABLEEND
};

/* Whether what stands under the name is what was judged, and nobody used it since. */
static bool is_same(const struct ipckit_name *name, const struct ipckit_sem_info *judged)
{
	struct ipckit_sem_info now = { 0 };
	bool same = !ipckit_sem_stat(name, 0, &now) && now.device == judged->device &&
		    now.inode == judged->inode && now.value.value == judged->value.value &&
		    now.otime.value == judged->otime.value && now.ctime.value == judged->ctime.value;

	ipckit_sem_info_free(&now);
	return same;
}

static int remove_row(struct cli *cli, struct semctl_row *row)
{
	struct ipckit_name name;
	int r = semctl_name(cli, row->info.name, 0, &name);

	if (r)
		return r;
	if (is_same(&name, &row->info)) {
		r = ipckit_sem_remove(&name);
		row->removed = r == 0;
	}
	if (r == -ENOENT || (!r && !row->removed)) {
		row->reason = "it was removed or used meanwhile";
		row->orphan = false;
		r = 0;
	}
	ipckit_name_free(&name);
	return r ? semctl_fail(cli, row->info.name, row->info.backend, r) : 0;
}

static int remove_rows(struct cli *cli, struct semctl_rows *rows)
{
	int status = CLI_OK;

	for (size_t i = 0; i < rows->count; i++) {
		int r = rows->list[i].orphan ? remove_row(cli, &rows->list[i]) : 0;

		if (r && !status)
			status = r;
	}
	return status;
}

/* With --orphans what is kept is not shown. */
static void judge_rows(const struct cli_filter *filter, struct semctl_rows *rows, struct ipckit_sem_verdict *verdicts)
{
	int64_t now = time(NULL);
	size_t count = rows->count;

	rows->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct semctl_row row = rows->list[i];

		ipckit_sem_judge(&row.info, filter->older_than, now, &verdicts[i]);
		row.orphan = verdicts[i].orphan;
		row.reason = verdicts[i].reason;
		if (row.orphan || !filter->orphans)
			rows->list[rows->count++] = row;
	}
}

static int clean(struct cli *cli, const struct cli_filter *filter, struct semctl_rows *rows)
{
	struct ipckit_sem_verdict *verdicts = calloc(rows->count + 1, sizeof(*verdicts));
	int r;

	if (!verdicts)
		return cli_fail(cli, NULL, ENOMEM, NULL);
	judge_rows(filter, rows, verdicts);
	r = cli_filter_sort(cli, filter, &semctl_clean_table, rows->list, rows->count);
	if (!r && yes)
		r = remove_rows(cli, rows);
	if (!r)
		r = cli_emit_list(cli, &semctl_clean_table, rows->list, rows->count);
	free(verdicts);
	return r;
}

static int run(struct cli *cli)
{
	struct cli_filter filter, all;
	struct semctl_rows rows;
	int r = cli_filter_read(cli, &filter);

	if (r)
		return r;
	/* What is too young is shown, too, with that as the reason. */
	all = filter;
	all.older_than = -1;
	all.orphans = false;
	all.sort = NULL;
	all.reverse = false;
	r = semctl_rows_read(cli, &all, &semctl_clean_table, IPCKIT_SEM_USERS | IPCKIT_SEM_IN_USE, &rows);
	if (!r)
		r = clean(cli, &filter, &rows);
	semctl_rows_free(&rows);
	return r;
}

const struct cli_verb semctl_clean = {
	.name = "clean",
	.operands = "",
	.summary = "remove semaphores that are left over, and say why",
	.flags = CLI_ANSWERS,
	.options = options,
	.table = &semctl_clean_table,
	.run = run,
};
