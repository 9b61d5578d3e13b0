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

void cli_note_write(struct cli_output *output)
{
	if (ferror(output->stream) && !output->write_error)
		output->write_error = errno;
}

static int flush(struct cli *cli)
{
	int error;

	errno = 0;
	if (cli->output->broken)
		return CLI_SYSTEM;
	if (!fflush(cli->output->stream) && !ferror(cli->output->stream))
		return CLI_OK;
	/* The flush may have found nothing left to write: then it is known from before. */
	error = errno ?: cli->output->write_error ?: EIO;
	/* Before it is reported: without a reader the run ends here, quietly. */
	end_undo(cli, false);
	return fail_write(cli, error);
}

/* A result: one row, or rows, and how they are printed. */
struct result {
	const struct cli_table *table;
	const void *rows;
	size_t count;
	enum cli_shape shape;
	int (*render)(struct cli *cli, const struct cli_columns *columns, const struct result *result);
};

static int emit(struct cli *cli, const struct result *result)
{
	struct cli_columns columns;
	int status, error;

	if (!cli_prints(cli))
		return CLI_OK;
	status = cli_columns_choose(cli, result->table, result->shape, &columns);
	if (status)
		return status;
	error = result->render(cli, &columns, result);
	free(columns.list);
	return error ? cli_fail(cli, NULL, error, NULL) : CLI_OK;
}

static int keep(struct cli *cli, json_t *document)
{
	json_decref(cli->output->document);
	cli->output->document = document;
	return 0;
}

static int render_record(struct cli *cli, const struct cli_columns *columns,
			 const struct result *result)
{
	json_t *document;
	int error;

	switch (cli->format) {
	case CLI_FORMAT_JSON:
		error = cli_json_row(columns, result->table, result->rows, &document);
		return error ?: keep(cli, document);
	case CLI_FORMAT_PLAIN:
		return cli_plain_row(cli, columns, result->table, result->rows, false);
	default:
		return cli_table_record(cli, columns, result->table, result->rows);
	}
}

int cli_emit_record(struct cli *cli, const struct cli_table *table, const void *row)
{
	return emit(cli, &(struct result){ table, row, 1, CLI_SHAPE_RECORD, render_record });
}

static int render_plain_rows(struct cli *cli, const struct cli_columns *columns,
			     const struct result *result)
{
	const char *row = result->rows;
	int error = 0;

	for (size_t i = 0; i < result->count && !error; i++, row += result->table->size)
		error = cli_plain_row(cli, columns, result->table, row, false);
	return error;
}

static int render_list(struct cli *cli, const struct cli_columns *columns,
		       const struct result *result)
{
	json_t *list, *document;
	int error;

	if (cli->format == CLI_FORMAT_TABLE)
		return cli_table_list(cli, columns, result->table, result->rows, result->count);
	if (cli->format == CLI_FORMAT_PLAIN)
		return render_plain_rows(cli, columns, result);
	error = cli_json_rows(columns, result->table, result->rows, result->count, &list);
	if (error)
		return error;
	document = json_object();
	if (json_object_set_new(document, result->table->key, list)) {
		json_decref(document);
		return -ENOMEM;
	}
	return keep(cli, document);
}

int cli_emit_list(struct cli *cli, const struct cli_table *table, const void *rows, size_t count)
{
	return emit(cli, &(struct result){ table, rows, count, CLI_SHAPE_LIST, render_list });
}

static int render_line(struct cli *cli, const struct cli_columns *columns,
		       const struct result *result)
{
	bool human = cli->format == CLI_FORMAT_TABLE, first = !cli->output->lines;
	json_t *document;
	int error;

	cli->output->lines = true;
	if (cli->format == CLI_FORMAT_JSON) {
		error = cli_json_row(columns, result->table, result->rows, &document);
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
	return cli_plain_row(cli, columns, result->table, result->rows, human);
}

int cli_emit_line(struct cli *cli, const struct cli_table *table, const void *row)
{
	int status = emit(cli, &(struct result){ table, row, 1, CLI_SHAPE_LINE, render_line });

	if (status || !cli_prints(cli))
		return status;
	return flush(cli);
}

/* ---- texts ---- */

static ssize_t drop(void *cookie, const char *data, size_t size)
{
	(void)cookie;
	(void)data;
	return (ssize_t)size;
}

FILE *cli_text_begin(struct cli *cli)
{
	struct cli_output *output = cli->output;

	if (cli->format == CLI_FORMAT_JSON)
		output->text = open_memstream(&output->collected, &output->collected_size);
	else if (!cli_prints(cli))
		output->text = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = drop });
	else
		return output->stream;
	return output->text;
}

static int keep_collected(struct cli *cli)
{
	json_t *document;
	int error = cli_json_text(cli->output->collected, cli->output->collected_size, &document);

	return error ?: keep(cli, document);
}

/* What is left of a text, its stream included. Returns 0 or -errno of the stream. */
static int close_text(struct cli_output *output)
{
	bool failed = output->text && ferror(output->text);

	/* It is memory: nothing else can be short. */
	if (output->text && fclose(output->text))
		failed = true;
	output->text = NULL;
	return failed ? -ENOMEM : 0;
}

static void free_text(struct cli_output *output)
{
	(void)close_text(output);
	free(output->collected);
	output->collected = NULL;
}

int cli_text_end(struct cli *cli, int error)
{
	struct cli_output *output = cli->output;
	int closed;

	cli_note_write(output);
	/* What a stream could not take is said of the output. */
	if (!output->text && ferror(output->stream))
		return flush(cli);
	closed = close_text(output);
	if (!error)
		error = closed;
	if (!error && output->collected)
		error = keep_collected(cli);
	free_text(output);
	return error ? cli_fail(cli, NULL, error, NULL) : CLI_OK;
}

/* ---- the end of a run ---- */

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
	free_text(output);
	free(output->failure.object);
	free(output->failure.message);
	return written ?: status;
}
