/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live-answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *pid_text, *user_text, *as_text;
static int dump;

static const struct poptOption live_options[] = {
	{ "pid", 'p', POPT_ARG_STRING | POPT_ARGFLAG_OR, &pid_text, 0,
	  "only what these processes, by commas, wait for in the end", "PID" },
	{ "user", 'u', POPT_ARG_STRING, &user_text, 0, "only what processes of this user wait for in the end",
	  "USER" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_watch_options, 0, NULL, NULL },
	{ "as", 0, POPT_ARG_STRING, &as_text, 0, "draw what is stuck: dot, mermaid, svg (by graphviz' dot) or text",
	  "FORM" },
	{ "dump", 0, POPT_ARG_NONE, &dump, 0,
	  "print all that waits, stuck or not, as a graph that check and the others read", NULL },
	POPT_TABLEEND
};

/* ---- options ---- */

struct asked {
	struct ipckit_live_options look;
	pid_t *pids;
	const struct dl_pen *pen; /* of --as */
	char *before;             /* the state that was printed last, where it is watched */
};

static int read_pid(struct cli *cli, const char *text, size_t length, pid_t *out)
{
	char *word = strndup(text, length);
	uint64_t pid = 0;
	int r = word ? cli_count(cli, "--pid", word, 1, INT32_MAX, &pid) : cli_fail(cli, NULL, ENOMEM, NULL);

	*out = (pid_t)pid;
	free(word);
	return r;
}

static int read_pids(struct cli *cli, struct asked *out)
{
	const char *word = pid_text;
	int r = 0;

	if (!word)
		return 0;
	/* There are at most as many as characters, and one more. */
	out->pids = calloc(strlen(word) + 1, sizeof(*out->pids));
	if (!out->pids)
		return cli_fail(cli, NULL, ENOMEM, NULL);
	while (!r && word) {
		size_t length = strcspn(word, ",");

		r = read_pid(cli, word, length, &out->pids[out->look.npids++]);
		word = word[length] ? word + length + 1 : NULL;
	}
	out->look.pids = out->pids;
	return r;
}

static int read_user(struct cli *cli, struct asked *out)
{
	uid_t uid = 0;
	int r;

	if (!user_text)
		return 0;
	if (strchr(user_text, ':'))
		return cli_usage(cli, "--user", "\"%s\" is no user", user_text);
	r = cli_owner(cli, "--user", user_text, &uid, NULL);
	out->look.uid = ipckit_known(uid);
	return r;
}

static int check_together(struct cli *cli)
{
	const char *text = dump ? "--dump" : "--as";

	if (!dump && !as_text)
		return 0;
	if (dump && as_text)
		return cli_usage(cli, "--dump", "not together with --as");
	if (cli_watches())
		return cli_usage(cli, text, "not together with --watch");
	if (cli->columns)
		return cli_usage(cli, text, "what it prints has no columns");
	/* A text, unless JSON was asked for. */
	if (cli->format == CLI_FORMAT_JSON && !cli->format_given)
		cli->format = CLI_FORMAT_PLAIN;
	return 0;
}

static int read_options(struct cli *cli, struct asked *out)
{
	int r = check_together(cli);

	if (!r)
		r = read_pids(cli, out);
	if (!r)
		r = read_user(cli, out);
	if (!r && as_text)
		r = dl_pen_choose(cli, as_text, &out->pen);
	out->look.everything = dump;
	return r;
}

/* ---- failures, and what was not seen ---- */

static int fail_pid(struct cli *cli, const struct asked *asked)
{
	char word[24];

	if (asked->look.npids > 1)
		return cli_fail(cli, pid_text, ENOENT, "none of these is a process that runs");
	snprintf(word, sizeof(word), "%d", (int)*asked->pids);
	return cli_fail(cli, word, ENOENT, "no such process");
}

static int fail(struct cli *cli, const struct asked *asked, int error)
{
	struct ipckit_limit limit;

	switch (error) {
	case -ESRCH:
		return fail_pid(cli, asked);
	case -EOPNOTSUPP:
		return cli_fail(cli, NULL, ENOSYS, "this kernel does not tell when threads run (CONFIG_SCHED_INFO)");
	case -ENOENT:
		return cli_fail(cli, NULL, ENOSYS, "/proc is not mounted, or does not show what threads sleep in");
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
		if (!ipckit_limit_of_process(-error, &limit))
			return cli_fail_limit(cli, NULL, error, &limit);
		break;
	}
	return cli_fail(cli, NULL, error, NULL);
}

/* Documents and tables for people have it in them. */
static void tell_gaps(struct cli *cli, const struct ipckit_live *live)
{
	struct dl_pool pool = { 0 };
	const char *gaps = live_say_gaps(&pool, live);

	if (gaps && (as_text || dump || cli->columns || cli->format == CLI_FORMAT_PLAIN))
		cli_warn(cli, "%s", gaps);
	else if (gaps && cli->format == CLI_FORMAT_NONE)
		cli_note(cli, "%s", gaps);
	dl_pool_free(&pool);
}

/* ---- once ---- */

static int status_of(const struct ipckit_live *live)
{
	if (!live->core.ncomponents)
		return CLI_OK;
	return live->levels[0] == IPCKIT_LIVE_CERTAIN ? CLI_NO : CLI_INFERRED;
}

static int print(struct cli *cli, const struct ipckit_live *live, const struct cli_table *for_people,
		 int (*emit)(struct cli *cli, const struct cli_table *table, const void *row))
{
	bool people = cli->format == CLI_FORMAT_TABLE && !cli->columns;
	struct live_answer answer;
	int status, error;

	if (!cli_prints(cli))
		return CLI_OK;
	error = live_answer_make(live, &answer);
	if (error)
		return cli_fail(cli, NULL, error, NULL);
	status = emit(cli, people ? for_people : &live_table, &answer);
	live_answer_free(&answer);
	return status;
}

static int draw(struct cli *cli, const struct dl_pen *pen, const struct live_model *model)
{
	struct ipckit_detection detection = { 0 };
	struct picture picture = { .model = &model->model, .detection = &detection, .core = &model->core,
				   .cycle = &model->cycle };
	int error = ipckit_deadlock_detect(&model->model.system, IPCKIT_WATCH, &detection);
	int status = error ? cli_fail(cli, NULL, error, NULL) : dl_draw(cli, NULL, pen, &picture);

	ipckit_detection_free(&detection);
	return status;
}

/* As edges nothing at all has no lines, which is no graph. */
static int write_dump(FILE *stream, const struct model *model)
{
	if (model->system.nprocesses)
		return write_graph(stream, model);
	fputs("{\"resources\":{},\"processes\":[]}\n", stream);
	return 0;
}

static int print_text(struct cli *cli, const struct asked *asked, const struct ipckit_live *live)
{
	const struct dl_form form = { "graph", write_dump, false };
	struct live_model model;
	int status, error = live_model_make(live, &model);

	if (error)
		return cli_fail(cli, NULL, error, NULL);
	if (!dump && !live->nnodes)
		cli_warn(cli, "no deadlock, and nothing to draw");
	status = dump ? dl_form_write(cli, NULL, &form, &model.model) : draw(cli, asked->pen, &model);
	live_model_free(&model);
	return status;
}

/* ---- again and again ---- */

/* Who waits for what, held by whom: two that are the same differ in nothing that is worth a line. */
static char *state_of(const struct ipckit_live *live)
{
	char *text = NULL, name[LIVE_NAME];
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	for (size_t e = 0; e < live->nedges; e++) {
		const struct ipckit_live_edge *edge = &live->edges[e];

		fprintf(stream, "%s\n%d %s\n%d%d", live_name(&live->nodes[edge->waiter], name), (int)edge->kind,
			edge->resource ?: "", edge->any, (int)edge->level);
		for (size_t h = 0; h < edge->nholders; h++)
			fprintf(stream, " %s", live_name(&live->nodes[edge->holders[h]], name));
		fputc('\n', stream);
	}
	if (!fclose(stream))
		return text;
	free(text);
	return NULL;
}

static int print_change(struct cli *cli, struct asked *asked, const struct ipckit_live *live)
{
	char *now = state_of(live);
	int status = CLI_OK;

	if (!now)
		return cli_fail(cli, NULL, ENOMEM, NULL);
	if (!asked->before || strcmp(asked->before, now))
		status = print(cli, live, &live_line_table, cli_emit_line);
	free(asked->before);
	asked->before = now;
	return status;
}

/* ---- the verb ---- */

static int look(struct cli *cli, void *arg)
{
	struct asked *asked = arg;
	struct ipckit_live live = { 0 };
	int status, error = ipckit_live_scan(&asked->look, &live);

	if (error)
		return fail(cli, asked, error);
	tell_gaps(cli, &live);
	if (cli_watches())
		status = print_change(cli, asked, &live);
	else if (dump || as_text)
		status = print_text(cli, asked, &live) ?: status_of(&live);
	else
		status = print(cli, &live, &live_people_table, cli_emit_record) ?: status_of(&live);
	ipckit_live_free(&live);
	return status;
}

static int run(struct cli *cli)
{
	struct asked asked = { 0 };
	int status = read_options(cli, &asked);

	if (!status)
		status = cli_watch(cli, look, &asked);
	free(asked.before);
	free(asked.pids);
	return status;
}

const struct cli_verb dl_live = {
	.name = "live",
	.operands = "",
	.summary = "find deadlocks among running processes, from /proc alone",
	.flags = CLI_ANSWERS,
	.options = live_options,
	.table = &live_table,
	.run = run,
};
