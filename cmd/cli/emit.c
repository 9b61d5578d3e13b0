/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void cli_acts(struct cli *cli)
{
	if (!cli->format_given)
		cli->format = CLI_FORMAT_NONE;
}

bool cli_prints(const struct cli *cli)
{
	return cli->format != CLI_FORMAT_NONE;
}

bool cli_is_terminal(FILE *stream)
{
	int fd = fileno(stream);

	return fd >= 0 && isatty(fd);
}

/* ---- taking back ---- */

static void mask_pipe(int how)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGPIPE);
	sigprocmask(how, &mask, NULL);
}

void cli_undo_with(struct cli *cli, int (*end)(void *arg, bool written), void *arg)
{
	struct cli_output *output = cli->output;
	struct sigaction action;
	sigset_t mask;

	output->end = end;
	output->end_arg = arg;
	sigaction(SIGPIPE, NULL, &action);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	output->holds_pipe = action.sa_handler != SIG_IGN && !sigismember(&mask, SIGPIPE);
	if (output->holds_pipe)
		mask_pipe(SIG_BLOCK);
}

/* Whether the run ends by SIGPIPE as soon as that is held back no more. */
static bool dies_of_pipe(const struct cli_output *output)
{
	sigset_t pending;

	return output->holds_pipe && !sigpending(&pending) && sigismember(&pending, SIGPIPE);
}

/* Does not return where the reader of the output has gone. */
static void end_undo(struct cli *cli, bool written)
{
	struct cli_output *output = cli->output;
	int (*end)(void *arg, bool written) = output->end;
	int error;

	if (!end)
		return;
	output->end = NULL;
	/* run() has returned: nothing is left that a fault in a mapped file could go back to. */
	cli_unshield();
	error = end(output->end_arg, written && !dies_of_pipe(output));
	if (error)
		cli_warn(cli, "what was done could not be taken back: %s", cli_errno_words(error));
	if (output->holds_pipe)
		mask_pipe(SIG_UNBLOCK);
	output->holds_pipe = false;
}

/* ---- writing ---- */

static int fail_write(struct cli *cli, int error)
{
	int status = CLI_SYSTEM;

	cli->output->broken = true;
	/* What could not be written is not to be tried again at exit. */
	__fpurge(cli->output->stream);
	if (cli->output->failure.reported)
		status = cli->output->failure.exit;
	cli_fail(cli, "standard output", error, NULL);
	return status;
}

static int flush(struct cli *cli)
{
	int error;

	errno = 0;
	if (cli->output->broken)
		return CLI_SYSTEM;
	if (!fflush(cli->output->stream) && !ferror(cli->output->stream))
		return CLI_OK;
	error = errno ?: EIO;
	/* Before it is reported: without a reader the run ends here, quietly. */
	end_undo(cli, false);
	return fail_write(cli, error);
}

static int done(struct cli *cli, struct cli_columns *columns, int error)
{
	free(columns->list);
	return error ? cli_fail(cli, NULL, error, NULL) : CLI_OK;
}

static int keep(struct cli *cli, json_t *document)
{
	json_decref(cli->output->document);
	cli->output->document = document;
	return 0;
}

static int render_record(struct cli *cli, const struct cli_columns *columns,
			 const struct cli_table *table, const void *row)
{
	json_t *document;
	int error;

	switch (cli->format) {
	case CLI_FORMAT_JSON:
		error = cli_json_row(columns, table, row, &document);
		return error ?: keep(cli, document);
	case CLI_FORMAT_PLAIN:
		return cli_plain_row(cli, columns, table, row, false);
	default:
		return cli_table_record(cli, columns, table, row);
	}
}

int cli_emit_record(struct cli *cli, const struct cli_table *table, const void *row)
{
	struct cli_columns columns;
	int status;

	if (!cli_prints(cli))
		return CLI_OK;
	status = cli_columns_choose(cli, table, true, &columns);
	if (status)
		return status;
	return done(cli, &columns, render_record(cli, &columns, table, row));
}

static int render_list(struct cli *cli, const struct cli_columns *columns,
		       const struct cli_table *table, const void *rows, size_t count)
{
	json_t *list, *document;
	int error = 0;

	if (cli->format == CLI_FORMAT_TABLE)
		return cli_table_list(cli, columns, table, rows, count);
	if (cli->format == CLI_FORMAT_PLAIN) {
		for (size_t i = 0; i < count && !error; i++)
			error = cli_plain_row(cli, columns, table,
					      (const char *)rows + i * table->size, false);
		return error;
	}
	error = cli_json_rows(columns, table, rows, count, &list);
	if (error)
		return error;
	document = json_object();
	if (json_object_set_new(document, table->key, list)) {
		json_decref(document);
		return -ENOMEM;
	}
	return keep(cli, document);
}

int cli_emit_list(struct cli *cli, const struct cli_table *table, const void *rows, size_t count)
{
	struct cli_columns columns;
	int status;

	if (!cli_prints(cli))
		return CLI_OK;
	status = cli_columns_choose(cli, table, false, &columns);
	if (status)
		return status;
	return done(cli, &columns, render_list(cli, &columns, table, rows, count));
}

static int render_line(struct cli *cli, const struct cli_columns *columns,
		       const struct cli_table *table, const void *row)
{
	bool human = cli->format == CLI_FORMAT_TABLE, first = !cli->output->lines;
	json_t *document;
	int error;

	cli->output->lines = true;
	if (cli->format == CLI_FORMAT_JSON) {
		error = cli_json_row(columns, table, row, &document);
		if (error)
			return error;
		error = cli_json_print(cli, document, true);
		json_decref(document);
		return error;
	}
	/* The widths of what is still to come are not known: TABs do. */
	if (human && first) {
		error = cli_plain_headings(cli, columns);
		if (error)
			return error;
	}
	return cli_plain_row(cli, columns, table, row, human);
}

int cli_emit_line(struct cli *cli, const struct cli_table *table, const void *row)
{
	struct cli_columns columns;
	int status;

	if (!cli_prints(cli))
		return CLI_OK;
	status = cli_columns_choose(cli, table, true, &columns);
	if (status)
		return status;
	status = done(cli, &columns, render_line(cli, &columns, table, row));
	return status ?: flush(cli);
}

static int print_failure(struct cli *cli)
{
	json_t *document;
	int error = cli_json_failure(cli, &cli->output->failure, &document);

	if (error)
		return error;
	error = cli_json_print(cli, document, cli->output->lines);
	json_decref(document);
	return error;
}

static int print_document(struct cli *cli)
{
	struct cli_output *output = cli->output;

	if (cli->format != CLI_FORMAT_JSON || output->broken)
		return 0;
	if (output->failure.reported)
		return print_failure(cli);
	return output->document ? cli_json_print(cli, output->document, false) : 0;
}

int cli_output_end(struct cli *cli, int status)
{
	struct cli_output *output = cli->output;
	int error = print_document(cli), written;

	if (error)
		status = cli_fail(cli, NULL, error, NULL);
	/* Was it broken before, the failure is counted only where nobody did. */
	written = output->broken && status ? status : flush(cli);
	end_undo(cli, !written && !status);
	json_decref(output->document);
	free(output->failure.object);
	free(output->failure.message);
	return written ?: status;
}
