/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_called(const struct cli_verb *verb, const char *name)
{
	return !strcmp(verb->name, name) || (verb->alias && !strcmp(verb->alias, name));
}

const struct cli_verb *cli_find_verb(const struct cli_tool *tool, const char *name)
{
	for (size_t i = 0; tool->verbs[i]; i++)
		if (is_called(tool->verbs[i], name))
			return tool->verbs[i];
	return NULL;
}

static const char *nearest_verb(const struct cli_tool *tool, const char *word)
{
	struct cli_nearest nearest = { .typed = word };

	for (size_t i = 0; tool->verbs[i]; i++) {
		if (tool->verbs[i]->flags & CLI_HIDDEN)
			continue;
		cli_nearest_offer(&nearest, tool->verbs[i]->name);
		if (tool->verbs[i]->alias)
			cli_nearest_offer(&nearest, tool->verbs[i]->alias);
	}
	return nearest.best;
}

const char *cli_near_verb(const struct cli *cli, const char *word)
{
	return cli->implied ? nearest_verb(cli->tool, word) : NULL;
}

int cli_unknown_verb(struct cli *cli, const char *name)
{
	const char *near = nearest_verb(cli->tool, name);

	if (near)
		return cli_usage(cli, name, "unknown verb, did you mean %s?", near);
	return cli_usage(cli, name, "unknown verb (%s --help lists them)", cli->tool->name);
}

static int fail_arity(struct cli *cli, const char *object, const char *what)
{
	char *line = cli_usage_line(cli->tool, cli->verb);
	int status = cli_usage(cli, object, "%s; usage: %s", what, line ?: cli->verb->name);

	free(line);
	return status;
}

static int fail_surplus(struct cli *cli)
{
	/* More operands than the implied verb has: the first may be another verb, mistyped. */
	if (cli_near_verb(cli, cli->operands[0]))
		return cli_unknown_verb(cli, cli->operands[0]);
	if (cli->implied)
		return cli_usage(cli, cli->operands[cli->verb->most], "one operand too many, and %s is no verb (%s --help)",
				 cli->operands[0], cli->tool->name);
	return fail_arity(cli, cli->operands[cli->verb->most], "one operand too many");
}

static int check_arity(struct cli *cli)
{
	const struct cli_verb *verb = cli->verb;

	if (cli->noperands < verb->least)
		return fail_arity(cli, NULL, "an operand is missing");
	if (verb->most >= 0 && cli->noperands > verb->most)
		return fail_surplus(cli);
	if (verb->flags & CLI_COMMAND && !cli->command)
		return fail_arity(cli, NULL, "-- COMMAND is missing");
	if (cli->command && !*cli->command)
		return fail_arity(cli, NULL, "COMMAND is missing after --");
	return 0;
}

/* Before anything is done: a wrong column is not to be found out afterwards. */
static int check_columns(struct cli *cli)
{
	if (!cli->columns)
		return 0;
	if (!cli->verb->table || cli->verb->flags & CLI_TEXT)
		return cli_usage(cli, "--columns", "%s prints no columns", cli->verb->name);
	if (!strcmp(cli->columns, "help"))
		return 0;
	return cli_columns_check(cli, cli->verb->table);
}

static int run_verb(struct cli *cli, const struct cli_options *options)
{
	int status;

	if (options->help) {
		cli_help_verb(cli->output->stream, cli->tool, cli->verb, options);
		return CLI_OK;
	}
	status = check_columns(cli);
	if (status)
		return status;
	if (cli->columns && !strcmp(cli->columns, "help")) {
		cli_help_columns(cli->output->stream, cli->verb);
		return CLI_OK;
	}
	status = check_arity(cli);
	return status ?: cli_run_shielded(cli);
}

static int list_options(struct cli *cli, const char *name)
{
	const struct cli_verb *verb = cli_find_verb(cli->tool, name);
	struct cli_options options = { 0 };

	/* "-": those that every verb has. */
	if (!verb && strcmp(name, "-"))
		return cli_unknown_verb(cli, name);
	if (cli_options_collect(verb, &options))
		return cli_fail(cli, NULL, ENOMEM, NULL);
	cli_complete_options(cli->output->stream, &options);
	cli_options_free(&options);
	return CLI_OK;
}

static int help_tool(struct cli *cli, FILE *stream)
{
	struct cli_options options = { 0 };

	if (cli_options_collect(NULL, &options))
		return cli_fail(cli, NULL, ENOMEM, NULL);
	cli_help_tool(stream, cli->tool, &options);
	cli_options_free(&options);
	return CLI_OK;
}

static int run(struct cli *cli, const struct cli_options *options)
{
	FILE *stream = cli->output->stream;

	if (options->version) {
		fprintf(stream, "%s from ipckit %s\n", cli->tool->name, PACKAGE_VERSION);
		return CLI_OK;
	}
	if (options->list_verbs) {
		cli_complete_verbs(stream, cli->tool);
		return CLI_OK;
	}
	if (options->list_options)
		return list_options(cli, options->list_options);
	if (options->help && (!cli->verb || cli->implied))
		return help_tool(cli, stream);
	if (cli->verb)
		return run_verb(cli, options);
	return help_tool(cli, stderr) ?: cli_usage(cli, NULL, "a verb is missing");
}

/*
 * A standard descriptor that came closed would be the number of the next file that is
 * opened, and results or errors would go into an IPC object. The place is taken by
 * one that fails as a closed one does, and that no COMMAND inherits.
 */
static void hold_standard_descriptors(void)
{
	struct pollfd fds[] = { { .fd = 0 }, { .fd = 1 }, { .fd = 2 } };

	if (poll(fds, 3, 0) <= 0)
		return;
	for (int i = 0; i < 3; i++)
		if (fds[i].revents & POLLNVAL)
			(void)!open("/dev/null", (i ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
}

int cli_main(const struct cli_tool *tool, int argc, char **argv)
{
	struct cli_output output = { 0 };
	struct cli cli = { .tool = tool, .output = &output };
	struct cli_options options = { 0 };
	int status;

	hold_standard_descriptors();
	cli_output_begin(&cli);
	status = cli_options_read(&cli, &options, argc, argv);
	if (!status)
		status = run(&cli, &options);
	status = cli_output_end(&cli, status);
	cli_options_free(&options);
	return status;
}
