/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "noun-rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int yes;

#define YES { "yes", 'y', POPT_ARG_NONE, &yes, 0, "remove them; without it only say what would be removed", NULL }

const struct poptOption cli_clean_paths_options[] = {
	YES,
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_path_filter_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const struct poptOption cli_clean_options[] = {
	YES,
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_filter_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static const struct cli_field fields[] = {
	CLI_OBJECT_FIELDS("posix or sysv", 0, "System V identifier"),
	CLI_CLEAN_FIELDS,
	{ 0 },
};

const struct cli_table cli_clean_table = { fields, sizeof(struct cli_object), "objects", NULL };

/* Whether what stands under the name is what was judged, and nobody used it since. 0, 1 or -ENOMEM. */
static int is_same(const struct cli_noun *noun, const struct ipckit_name *name, const void *judged)
{
	void *now = calloc(1, noun->table->size);
	bool same;

	if (!now)
		return -ENOMEM;
	same = !noun->stat(name, 0, now) && noun->same(judged, now);
	noun->clear(now);
	free(now);
	return same;
}

static int remove_object(struct cli *cli, const struct cli_noun *noun, struct cli_object *object)
{
	struct ipckit_name name;
	int r = cli_name(cli, object->name, cli_noun_made(noun), &name);

	if (r)
		return r;
	r = is_same(noun, &name, object);
	if (r == 1) {
		r = noun->remove(&name);
		object->removed = r == 0;
	}
	if (r == -ENOENT || (!r && !object->removed)) {
		object->verdict.orphan = false;
		snprintf(object->verdict.reason, sizeof(object->verdict.reason), "it was removed or used meanwhile");
		r = 0;
	}
	if (r)
		r = noun->fail(cli, &name, r);
	ipckit_name_free(&name);
	return r;
}

static int remove_orphans(struct cli *cli, const struct cli_noun *noun, const struct cli_objects *objects)
{
	char *row = objects->rows;
	int status = CLI_OK;

	for (size_t i = 0; i < objects->count; i++, row += noun->table->size) {
		struct cli_object *object = (struct cli_object *)row;
		int r = object->verdict.orphan ? remove_object(cli, noun, object) : 0;

		if (r && !status)
			status = r;
	}
	return status;
}

struct question {
	const struct cli_noun *noun;
	const struct cli_filter *filter;
	int64_t now;
};

/* With --orphans what is kept is not shown. */
static bool judge(void *row, void *arg)
{
	const struct question *question = arg;
	struct cli_object *object = row;

	question->noun->judge(row, question->filter->older_than, question->now, &object->verdict);
	return object->verdict.orphan || !question->filter->orphans;
}

static int clean(struct cli *cli, const struct cli_filter *filter, struct cli_objects *objects)
{
	const struct cli_noun *noun = cli->tool->noun;
	struct question question = { .noun = noun, .filter = filter, .now = time(NULL) };
	struct cli_table table = *noun->table;
	int status, r;

	table.fields = cli->verb->table->fields;
	cli_objects_keep(noun, objects, judge, &question);
	r = cli_filter_sort(cli, filter, &table, objects->rows, objects->count);
	if (r)
		return r;
	status = yes ? remove_orphans(cli, noun, objects) : CLI_OK;
	/* What was removed is told, whatever else went wrong. */
	cli_keep_results(cli);
	r = cli_emit_list(cli, &table, objects->rows, objects->count);
	return status ?: r;
}

int cli_run_clean(struct cli *cli)
{
	struct cli_filter filter, all;
	struct cli_objects objects;
	int r = cli_filter_read(cli, &filter);

	if (r)
		return r;
	/* What is too young is shown, too, with that as the reason. */
	all = filter;
	all.older_than = -1;
	all.orphans = false;
	all.sort = NULL;
	all.reverse = false;
	r = cli_objects_read(cli, &all, cli->tool->noun->to_judge, &objects);
	if (!r)
		r = clean(cli, &filter, &objects);
	cli_objects_free(cli->tool->noun, &objects);
	return r;
}
