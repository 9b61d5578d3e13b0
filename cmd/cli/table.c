/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/*
 * libsmartcols is loaded when a table is printed, and not before: linked, it would
 * cost every run of every verb a good part of its time.
 */
#define FUNCTIONS(F)                                                                         \
	F(new_table)                                                                         \
	F(unref_table)                                                                       \
	F(table_new_column)                                                                  \
	F(table_new_line)                                                                    \
	F(line_refer_data)                                                                   \
	F(table_enable_colors)                                                               \
	F(table_enable_noencoding)                                                           \
	F(column_get_header)                                                                 \
	F(cell_set_color)                                                                    \
	F(table_set_termforce)                                                               \
	F(table_reduce_termwidth)                                                            \
	F(print_table_to_string)

#define DECLARE(name) typeof(scols_##name) *name;
static struct {
	bool loaded, tried;
	FUNCTIONS(DECLARE)
} scols;

#define HEADING_COLOR "\033[1m"
#define COLOR_END "\033[0m"
#define INDENT 2
#define LIST_LINES 10 /* of a list in a record on a terminal */

static bool load_functions(void *library)
{
#define LOAD(name)                                                                           \
	scols.name = (typeof(scols.name))dlsym(library, "scols_" #name);                     \
	if (!scols.name)                                                                     \
		return false;
	FUNCTIONS(LOAD)
	return true;
}

static bool load(struct cli *cli)
{
	void *library;

	if (scols.tried)
		return scols.loaded;
	scols.tried = true;
	library = dlopen("libsmartcols.so.1", RTLD_NOW | RTLD_LOCAL);
	scols.loaded = library && load_functions(library);
	if (!scols.loaded)
		cli_warn(cli, "libsmartcols.so.1 cannot be loaded, printing plain values");
	else
		setlocale(LC_CTYPE, ""); /* for the widths of characters */
	return scols.loaded;
}

static bool wants_colors(void)
{
	const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return cli_is_terminal() && !(refused && *refused) &&
	       !(terminal && !strcmp(terminal, "dumb"));
}

/* ---- lists ---- */

static bool is_text(const struct cli_field *field)
{
	return field->type == CLI_STRING || field->type == CLI_CHARS || field->type == CLI_BLOCK ||
	       field->type == CLI_GAPS || field->type == CLI_DATA || cli_field_is_list(field);
}

/* What gives way on a narrow terminal: a name or a number in pieces is none. */
static size_t wrapping_column(const struct cli_columns *columns)
{
	size_t i = columns->count;

	while (i-- > 0)
		if (is_text(columns->list[i]))
			return i;
	return columns->count;
}

static int column_flags(const struct cli_field *field)
{
	if (is_text(field))
		return 0;
	switch (field->type) {
	case CLI_BOOL:
	case CLI_TRUTH:
	case CLI_TIME:
	case CLI_MODE:
	case CLI_KEY:
	case CLI_USER:
	case CLI_GROUP:
	case CLI_WORD:
	case CLI_OPEN_FLAGS:
		return 0;
	default:
		return SCOLS_FL_RIGHT;
	}
}

static int add_columns(struct libscols_table *out, const struct cli_columns *columns)
{
	size_t wrapping = wrapping_column(columns);

	for (size_t i = 0; i < columns->count; i++) {
		int flags = i == wrapping ? SCOLS_FL_WRAP : column_flags(columns->list[i]);
		char *heading = cli_heading(columns->list[i]);
		struct libscols_column *column;

		if (!heading)
			return -ENOMEM;
		column = scols.table_new_column(out, heading, 0, flags);
		free(heading);
		if (!column || scols.cell_set_color(scols.column_get_header(column), HEADING_COLOR))
			return -ENOMEM;
	}
	return 0;
}

static bool has_data(const struct cli_columns *columns)
{
	for (size_t i = 0; i < columns->count; i++)
		if (columns->list[i]->type == CLI_DATA)
			return true;
	return false;
}

/* libsmartcols makes texts safe by itself, but not bytes, and it would do what is safe already again. */
static char *make_safe(char *text)
{
	char *safe = NULL;
	size_t size;
	FILE *stream = text ? open_memstream(&safe, &size) : NULL;

	if (stream) {
		cli_put_safe(stream, text);
		if (fclose(stream)) {
			free(safe);
			safe = NULL;
		}
	}
	free(text);
	return safe;
}

static int add_line(struct cli *cli, struct libscols_table *out, const struct cli_columns *columns,
		    const struct cli_table *table, const void *row)
{
	struct libscols_line *line = scols.table_new_line(out, NULL);
	bool safe = has_data(columns);
	struct cli_value value;

	if (!line)
		return -ENOMEM;
	for (size_t i = 0; i < columns->count; i++) {
		char *text;

		cli_value_get(table, columns->list[i], row, false, &value);
		text = cli_value_text(cli, columns->list[i], &value, true);
		if (safe)
			text = make_safe(text);
		if (!text || scols.line_refer_data(line, i, text)) {
			free(text);
			return -ENOMEM;
		}
	}
	return 0;
}

static int fill(struct cli *cli, struct libscols_table *out, const struct cli_columns *columns,
		const struct cli_table *table, const void *rows, size_t count)
{
	int error = add_columns(out, columns) ?: scols.table_enable_noencoding(out, has_data(columns));

	for (size_t i = 0; i < count && !error; i++)
		error = add_line(cli, out, columns, table, (const char *)rows + i * table->size);
	return error;
}

/* Off a terminal nothing bounds the width, so nothing is cut. */
static void set_looks(struct libscols_table *out, size_t indent)
{
	scols.table_set_termforce(out, cli_is_terminal() ? SCOLS_TERMFORCE_ALWAYS :
								 SCOLS_TERMFORCE_NEVER);
	scols.table_reduce_termwidth(out, indent);
	scols.table_enable_colors(out, wants_colors());
}

static void put_indented(FILE *stream, const char *text, int indent)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		fprintf(stream, "%*s%.*s\n", indent, "", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

static int print_with_scols(struct cli *cli, const struct cli_columns *columns,
			    const struct cli_table *table, const void *rows, size_t count,
			    int indent)
{
	struct libscols_table *out = scols.new_table();
	char *text = NULL;
	int error = out ? 0 : -ENOMEM;

	if (!error)
		error = fill(cli, out, columns, table, rows, count);
	if (!error) {
		set_looks(out, indent);
		error = scols.print_table_to_string(out, &text);
	}
	if (!error && text)
		put_indented(cli->output->stream, text, indent);
	free(text);
	scols.unref_table(out);
	return error;
}

static int print_rows(struct cli *cli, const struct cli_columns *columns,
		      const struct cli_table *table, const void *rows, size_t count, int indent)
{
	int error = 0;

	if (!count)
		return 0;
	if (load(cli))
		return print_with_scols(cli, columns, table, rows, count, indent);
	for (size_t i = 0; i < count && !error; i++) {
		fprintf(cli->output->stream, "%*s", indent, "");
		error = cli_plain_row(cli, columns, table, (const char *)rows + i * table->size,
				      false);
	}
	return error;
}

int cli_table_list(struct cli *cli, const struct cli_columns *columns,
		   const struct cli_table *table, const void *rows, size_t count)
{
	return print_rows(cli, columns, table, rows, count, 0);
}

/* ---- records ---- */

static int print_nested(struct cli *cli, const struct cli_field *field,
			const struct cli_value *value)
{
	struct cli_columns columns;
	int error = cli_columns_all(field->rows, CLI_WIDE | CLI_BLOCKS, &columns);

	if (error)
		return error;
	error = print_rows(cli, &columns, field->rows, value->rows, value->count, INDENT);
	free(columns.list);
	return error;
}

static void put_block(FILE *stream, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		if (length)
			fprintf(stream, "%*s", INDENT, "");
		cli_put_safe_part(stream, text, length);
		fputc('\n', stream);
		text += length + (text[length] == '\n');
	}
}

static void put_list(FILE *stream, const struct cli_value *value)
{
	char scratch[CLI_ELEMENT];

	for (size_t i = 0; i < value->count; i++) {
		if (i)
			fputc(' ', stream);
		cli_put_safe(stream, cli_value_element(value, i, scratch));
	}
}

static size_t terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	int width = 0;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		width = size.ws_col;
	else if (columns)
		width = atoi(columns);
	return width > 0 ? (size_t)width : 80;
}

/* Lines that begin where the first does; what is beyond the last of them is counted. */
static void put_list_in_lines(FILE *stream, const struct cli_value *value, size_t indent)
{
	size_t width = terminal_width(), at = indent, lines = 1;
	char scratch[CLI_ELEMENT];

	for (size_t i = 0; i < value->count; i++) {
		const char *text = cli_value_element(value, i, scratch);
		size_t length = cli_safe_width(text);

		if (i && at + 1 + length > width) {
			fprintf(stream, "\n%*s", (int)indent, "");
			at = indent;
			if (lines++ == LIST_LINES) {
				fprintf(stream, "... and %zu more", value->count - i);
				return;
			}
		} else if (i) {
			fputc(' ', stream);
			at++;
		}
		cli_put_safe(stream, text);
		at += length;
	}
}

static void put_name(FILE *stream, const char *name)
{
	bool colors = wants_colors();

	fprintf(stream, "%s%s%s", colors ? HEADING_COLOR : "", name, colors ? COLOR_END : "");
}

/* What stands below its name. */
static int print_below(struct cli *cli, const struct cli_field *field, const struct cli_value *value)
{
	fputc('\n', cli->output->stream);
	if (value->holds == CLI_HOLDS_ROWS)
		return print_nested(cli, field, value);
	put_block(cli->output->stream, value->text);
	return 0;
}

static int print_beside(struct cli *cli, const struct cli_field *field, const struct cli_value *value,
			int width)
{
	FILE *stream = cli->output->stream;
	char *text;

	fprintf(stream, "%*s", width - (int)strlen(field->name), "");
	if (value->count && cli_field_is_list(field) && value->holds > CLI_HOLDS_NULL) {
		if (cli_is_terminal())
			put_list_in_lines(stream, value, (size_t)width);
		else
			put_list(stream, value);
		fputc('\n', stream);
		return 0;
	}
	text = value->holds == CLI_HOLDS_ROWS ? strdup("none") :
						cli_value_text(cli, field, value, true);
	if (!text)
		return -ENOMEM;
	cli_put_safe(stream, text);
	fputc('\n', stream);
	free(text);
	return 0;
}

static int print_field(struct cli *cli, const struct cli_field *field,
		       const struct cli_value *value, int width)
{
	bool rows = value->holds == CLI_HOLDS_ROWS && value->count;
	bool block = value->holds == CLI_HOLDS_TEXT && field->type == CLI_BLOCK;

	put_name(cli->output->stream, field->name);
	if (rows || block)
		return print_below(cli, field, value);
	return print_beside(cli, field, value, width);
}

/* What does not apply, gaps where there are none, and a block that is not there are shown only when asked for. */
static bool is_shown(const struct cli_columns *columns, const struct cli_field *field,
		     const struct cli_value *value)
{
	if (columns->chosen)
		return true;
	if (value->holds == CLI_HOLDS_GAPS)
		return value->count;
	return value->holds != CLI_HOLDS_NOTHING &&
	       !(value->holds == CLI_HOLDS_NULL && field->type == CLI_BLOCK);
}

int cli_table_record(struct cli *cli, const struct cli_columns *columns,
		     const struct cli_table *table, const void *row)
{
	struct cli_value value;
	int width = 0, error = 0;

	for (size_t i = 0; i < columns->count; i++) {
		int length = strlen(columns->list[i]->name) + INDENT;

		cli_value_get(table, columns->list[i], row, false, &value);
		if (is_shown(columns, columns->list[i], &value) && length > width)
			width = length;
	}
	for (size_t i = 0; i < columns->count && !error; i++) {
		cli_value_get(table, columns->list[i], row, false, &value);
		if (is_shown(columns, columns->list[i], &value))
			error = print_field(cli, columns->list[i], &value, width);
	}
	return error;
}
