/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SPECIAL "\t\n\r\\"

static void put_escaped(FILE *stream, const char *text, const char *special)
{
	static const char letters[] = "tnr\\,";

	for (;;) {
		size_t run = strcspn(text, special);

		fwrite(text, 1, run, stream);
		text += run;
		if (!*text)
			return;
		fputc('\\', stream);
		fputc(letters[strchr(special, *text++) - special], stream);
	}
}

/* A list of one element is told from "-", no element, and "?", an unknown list. */
static void put_list(FILE *stream, const struct cli_value *value)
{
	bool known = value->holds != CLI_HOLDS_NULL;
	char scratch[CLI_ELEMENT];

	if (!known || !value->count) {
		fputc(known ? '-' : '?', stream);
		return;
	}
	for (size_t i = 0; i < value->count; i++) {
		const char *text = cli_value_element(value, i, scratch);

		if (i)
			fputc(',', stream);
		else if (value->count == 1 && (!strcmp(text, "-") || !strcmp(text, "?")))
			fputc('\\', stream);
		put_escaped(stream, text, SPECIAL ",");
	}
}

/* How many bytes from the first on stand for themselves. */
static size_t ordinary(const char *data, size_t size)
{
	size_t n = 0, length = 1;

	while (n < size && length) {
		length = data[n] && !strchr(SPECIAL, data[n]) ? cli_utf8_length_in(data + n, size - n) : 0;
		n += length;
	}
	return n;
}

static void put_data(FILE *stream, const char *data, size_t size)
{
	const char *end = data + size;

	if (size == 1 && *data == '-')
		fputc('\\', stream);
	while (data < end) {
		size_t run = ordinary(data, (size_t)(end - data));

		fwrite(data, 1, run, stream);
		data += run;
		if (data == end)
			return;
		if (*data && strchr(SPECIAL, *data))
			put_escaped(stream, (char[]){ *data, '\0' }, SPECIAL);
		else
			fprintf(stream, "\\x%02x", (unsigned char)*data);
		data++;
	}
}

static int put_cell(struct cli *cli, const struct cli_field *field, const struct cli_value *value,
		    bool human)
{
	FILE *stream = cli->output->stream;
	char *text;

	if (!human && cli_field_is_list(field) && value->holds != CLI_HOLDS_NOTHING) {
		put_list(stream, value);
		return 0;
	}
	if (!human && value->holds == CLI_HOLDS_DATA) {
		put_data(stream, value->rows, value->count);
		return 0;
	}
	text = cli_value_text(cli, field, value, human);
	if (!text)
		return -ENOMEM;
	if (human)
		cli_put_safe(stream, text);
	else
		put_escaped(stream, text, SPECIAL);
	free(text);
	return 0;
}

int cli_plain_headings(struct cli *cli, const struct cli_columns *columns)
{
	FILE *stream = cli->output->stream;

	for (size_t i = 0; i < columns->count; i++) {
		char *heading = cli_heading(columns->list[i]);

		if (!heading)
			return -ENOMEM;
		fprintf(stream, "%s%s", i ? "\t" : "", heading);
		free(heading);
	}
	fputc('\n', stream);
	return 0;
}

int cli_plain_row(struct cli *cli, const struct cli_columns *columns, const struct cli_table *table,
		  const void *row, bool human)
{
	FILE *stream = cli->output->stream;
	struct cli_value value;
	int error = 0;

	for (size_t i = 0; i < columns->count && !error; i++) {
		if (i)
			fputc('\t', stream);
		cli_value_get(table, columns->list[i], row, false, &value);
		error = put_cell(cli, columns->list[i], &value, human);
	}
	if (!error)
		fputc('\n', stream);
	return error;
}
