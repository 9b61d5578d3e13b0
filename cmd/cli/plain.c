/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void put_escaped(FILE *stream, const char *text)
{
	static const char special[] = "\t\n\r\\", letters[] = "tnr\\";

	for (; *text; text++) {
		const char *at = strchr(special, *text);

		if (at)
			fputc('\\', stream);
		fputc(at ? letters[at - special] : *text, stream);
	}
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

	for (size_t i = 0; i < columns->count; i++) {
		char *text;

		cli_value_get(table, columns->list[i], row, false, &value);
		text = cli_value_text(cli, columns->list[i], &value, human);
		if (!text)
			return -ENOMEM;
		if (i)
			fputc('\t', stream);
		if (human)
			cli_put_safe(stream, text);
		else
			put_escaped(stream, text);
		free(text);
	}
	fputc('\n', stream);
	return 0;
}
