/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deadlock.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

static char *as_text;

static const struct poptOption graph_options[] = {
	{ "as", 0, POPT_ARG_STRING, &as_text, 0,
	  "dot, mermaid, svg (by graphviz' dot) or text (default: text on a terminal, else dot)", "FORM" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)dl_input_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static const struct dl_pen pens[] = {
	{ "dot", draw_dot },
	{ "text", draw_text },
	{ "mermaid", draw_mermaid },
	{ "svg", dl_svg },
};

int dl_pen_choose(struct cli *cli, const char *name, const struct dl_pen **out)
{
	*out = &pens[isatty(STDOUT_FILENO)];
	if (!name)
		return CLI_OK;
	for (size_t i = 0; i < sizeof(pens) / sizeof(pens[0]); i++) {
		*out = &pens[i];
		if (!strcmp(pens[i].name, name))
			return CLI_OK;
	}
	return cli_usage(cli, "--as", "%s: expected dot, mermaid, svg or text", name);
}

static bool is_ascii(void)
{
	setlocale(LC_CTYPE, "");
	return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

static const char *draw_words(int error)
{
	if (error == -ENOPKG)
		return "graphviz' dot is not installed (apt install graphviz)";
	if (error == -ECHILD)
		return "graphviz' dot failed";
	if (error == -EOPNOTSUPP)
		return "a process and a resource have one name, which this form cannot tell apart";
	return cli_errno_words(error);
}

int dl_draw(struct cli *cli, const char *object, const struct dl_pen *pen, struct picture *picture)
{
	FILE *stream = cli_text_begin(cli);
	int error, status;

	picture->ascii = is_ascii();
	error = stream ? pen->draw(stream, picture) : -ENOMEM;
	status = error ? cli_fail(cli, object, error, "%s", draw_words(error)) : CLI_OK;

	return cli_text_end(cli, 0) ?: status;
}

static int draw(struct cli *cli, const char *file, const struct dl_pen *pen, const struct model *model)
{
	struct ipckit_detection detection = { 0 };
	struct ipckit_cycle cycle = { 0 };
	struct ipckit_core core = { 0 };
	struct picture picture = { .model = model, .detection = &detection, .core = &core, .cycle = &cycle };
	int status, error = ipckit_deadlock_detect(&model->system, IPCKIT_WATCH, &detection);

	if (!error)
		error = ipckit_deadlock_core(&model->system, &detection, &core);
	if (!error)
		error = ipckit_deadlock_cycle(&model->system, &detection, &core, &cycle);
	status = error ? cli_fail(cli, dl_input_name(file), error, NULL) :
			 dl_draw(cli, dl_input_name(file), pen, &picture);
	ipckit_detection_free(&detection);
	ipckit_core_free(&core);
	ipckit_cycle_free(&cycle);
	return status;
}

static int run_graph(struct cli *cli)
{
	const char *file = cli->operands[0];
	const struct dl_pen *pen;
	struct model model;
	int status = dl_pen_choose(cli, as_text, &pen);

	if (!status)
		status = dl_load_requests(cli, file, &model);
	if (status)
		return status;
	status = draw(cli, file, pen, &model);
	model_free(&model);
	return status;
}

const struct cli_verb dl_graph = {
	.name = "graph",
	.operands = "[FILE]",
	.summary = "draw the resource graph, the deadlocked part marked",
	.least = 0,
	.most = 1,
	.flags = CLI_TEXT,
	.options = graph_options,
	.run = run_graph,
};
