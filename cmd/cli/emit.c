/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>

void cli_acts(struct cli *cli)
{
	if (!cli->format_given)
		cli->format = CLI_FORMAT_NONE;
}

bool cli_prints(const struct cli *cli)
{
	return cli->format != CLI_FORMAT_NONE;
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

static int make_list(const struct cli_columns *columns, const struct result *result, json_t **out)
{
	json_t *list;
	int error = cli_json_rows(columns, result->table, result->rows, result->count, &list);

	if (error)
		return error;
	*out = json_object();
	if (!json_object_set_new(*out, result->table->key, list))
		return 0;
	json_decref(*out);
	return -ENOMEM;
}

static int render_list(struct cli *cli, const struct cli_columns *columns,
		       const struct result *result)
{
	json_t *document;
	int error;

	if (cli->format == CLI_FORMAT_TABLE)
		return cli_table_list(cli, columns, result->table, result->rows, result->count);
	if (cli->format == CLI_FORMAT_PLAIN)
		return render_plain_rows(cli, columns, result);
	error = make_list(columns, result, &document);
	return error ?: keep(cli, document);
}

/* What of a list counts as a change. */
static int make_watched(const struct cli_columns *columns, const struct result *result, json_t **out)
{
	struct cli_columns kept = { .list = calloc(columns->count + 1, sizeof(*kept.list)), .chosen = columns->chosen };
	int error;

	if (!kept.list)
		return -ENOMEM;
	for (size_t i = 0; i < columns->count; i++)
		if (!(columns->list[i]->flags & CLI_LOOKED))
			kept.list[kept.count++] = columns->list[i];
	error = make_list(&kept, result, out);
	free(kept.list);
	return error;
}

static int print_list(struct cli *cli, const struct cli_columns *columns, const struct result *result)
{
	json_t *document;
	int error;

	if (cli->format != CLI_FORMAT_JSON) {
		error = render_list(cli, columns, result);
		fputc('\n', cli->output->stream);
		return error;
	}
	error = make_list(columns, result, &document);
	if (error)
		return error;
	error = cli_json_print(cli, document, true);
	json_decref(document);
	return error;
}

/* A list of which others follow. */
static int render_watched(struct cli *cli, const struct cli_columns *columns, const struct result *result)
{
	struct cli_output *output = cli->output;
	json_t *watched;
	int error = make_watched(columns, result, &watched);

	if (error)
		return error;
	if (output->watched && json_equal(output->watched, watched)) {
		json_decref(watched);
		return 0;
	}
	json_decref(output->watched);
	output->watched = watched;
	output->lines = true;
	return print_list(cli, columns, result);
}

int cli_emit_list(struct cli *cli, const struct cli_table *table, const void *rows, size_t count)
{
	return emit(cli, &(struct result){ table, rows, count, CLI_SHAPE_LIST,
					   cli_watches() ? render_watched : render_list });
}

static int render_line(struct cli *cli, const struct cli_table *table, const void *row)
{
	const struct cli_columns *columns = &cli->output->line_columns;
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

/* The columns stay the same from line to line. */
static int choose_line(struct cli *cli, const struct cli_table *table)
{
	struct cli_output *output = cli->output;
	struct cli_columns columns;
	int status;

	if (output->line_table == table)
		return CLI_OK;
	status = cli_columns_choose(cli, table, CLI_SHAPE_LINE, &columns);
	if (status)
		return status;
	free(output->line_columns.list);
	output->line_columns = columns;
	output->line_table = table;
	return CLI_OK;
}

int cli_emit_line(struct cli *cli, const struct cli_table *table, const void *row)
{
	int status, error;

	if (!cli_prints(cli))
		return CLI_OK;
	status = choose_line(cli, table);
	if (status)
		return status;
	error = render_line(cli, table, row);
	return error ? cli_fail(cli, NULL, error, NULL) : cli_output_flush(cli);
}

char *cli_row_text(const struct cli_table *table, const void *row)
{
	struct cli_columns columns;
	json_t *document;
	char *text;
	int error = cli_columns_all(table, 0, &columns);

	if (error)
		return NULL;
	error = cli_json_row(&columns, table, row, &document);
	free(columns.list);
	if (error)
		return NULL;
	text = json_dumps(document, JSON_COMPACT | cli_json_digits(document));
	json_decref(document);
	return text;
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

	/* What a stream could not take is said of the output. */
	if (!output->text && ferror(output->stream))
		return cli_output_flush(cli);
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

void cli_keep_results(struct cli *cli)
{
	cli->output->partial = true;
}

/* {"messages":[...],"error":{...}} */
static int print_partial(struct cli *cli)
{
	json_t *failure;
	int error = cli_json_failure(cli, &cli->output->failure, &failure);

	if (error)
		return error;
	error = json_object_update(cli->output->document, failure) ? -ENOMEM : 0;
	json_decref(failure);
	return error ?: cli_json_print(cli, cli->output->document, false);
}

int cli_print_document(struct cli *cli)
{
	struct cli_output *output = cli->output;

	if (cli->format != CLI_FORMAT_JSON || output->broken || output->raw)
		return 0;
	if (output->failure.reported)
		return output->partial && output->document ? print_partial(cli) : print_failure(cli);
	return output->document ? cli_json_print(cli, output->document, false) : 0;
}

void cli_emit_free(struct cli_output *output)
{
	json_decref(output->document);
	json_decref(output->watched);
	free(output->line_columns.list);
	free_text(output);
}
