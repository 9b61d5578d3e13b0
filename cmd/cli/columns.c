/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

char *cli_heading(const struct cli_field *field)
{
	char *text = strdup(field->heading ?: field->name);

	for (char *c = text; c && *c && !field->heading; c++)
		*c = toupper((unsigned char)*c);
	return text;
}

static unsigned flags_of(const struct cli_field *field)
{
	return field->flags | (field->type == CLI_BLOCK ? CLI_BLOCKS : 0);
}

static size_t count_fields(const struct cli_table *table)
{
	size_t count = 0;

	while (table->fields[count].name)
		count++;
	return count;
}

int cli_columns_all(const struct cli_table *table, unsigned hidden, struct cli_columns *out)
{
	out->count = 0;
	out->chosen = false;
	out->list = calloc(count_fields(table) + 1, sizeof(*out->list));
	if (!out->list)
		return -ENOMEM;
	for (const struct cli_field *field = table->fields; field->name; field++)
		if (!(flags_of(field) & hidden))
			out->list[out->count++] = field;
	return 0;
}

int cli_column_find(struct cli *cli, const char *option, const struct cli_table *table,
		    const char *name, const struct cli_field **out)
{
	struct cli_nearest nearest = { .typed = name };

	for (const struct cli_field *field = table->fields; field->name; field++) {
		if (!strcasecmp(field->name, name)) {
			*out = field;
			return 0;
		}
		cli_nearest_offer(&nearest, field->name);
	}
	if (nearest.best)
		return cli_usage(cli, option, "there is no column \"%s\", did you mean %s?", name,
				 nearest.best);
	return cli_usage(cli, option, "there is no column \"%s\" (--columns help lists them)",
			 name);
}

static int add_column(struct cli *cli, const struct cli_table *table, bool detail, const char *name,
		      struct cli_columns *out)
{
	const struct cli_field *field;
	int status = cli_column_find(cli, "--columns", table, name, &field);

	if (status)
		return status;
	if (!detail && field->flags & CLI_DETAIL)
		return cli_usage(cli, "--columns", "\"%s\" is no column of a list", name);
	out->list[out->count++] = field;
	return 0;
}

static int choose(struct cli *cli, const struct cli_table *table, bool detail,
		  struct cli_columns *out)
{
	char *names = strdup(cli->columns), *rest = names, *name;
	int status = 0;

	out->count = 0;
	out->chosen = true;
	/* There are at most as many names as characters, and one more. */
	out->list = names ? calloc(strlen(names) + 1, sizeof(*out->list)) : NULL;
	if (!out->list) {
		free(names);
		return cli_fail(cli, NULL, ENOMEM, NULL);
	}
	while (!status && (name = strsep(&rest, ",")))
		status = add_column(cli, table, detail, name, out);
	free(names);
	if (status)
		free(out->list);
	return status;
}

int cli_columns_check(struct cli *cli, const struct cli_table *table)
{
	struct cli_columns columns;
	int status = choose(cli, table, true, &columns);

	if (!status)
		free(columns.list);
	return status;
}

/* What is not shown unless --columns asks for it. */
static unsigned hidden_flags(enum cli_format format, enum cli_shape shape)
{
	unsigned hidden = shape == CLI_SHAPE_LIST ? CLI_DETAIL : 0;

	if (format == CLI_FORMAT_JSON)
		return hidden | CLI_BLOCKS;
	hidden |= CLI_WIDE | (shape == CLI_SHAPE_LIST ? CLI_BULKY : 0);
	return format == CLI_FORMAT_TABLE && shape == CLI_SHAPE_RECORD ? hidden : hidden | CLI_BLOCKS;
}

int cli_columns_choose(struct cli *cli, const struct cli_table *table, enum cli_shape shape,
		       struct cli_columns *out)
{
	if (cli->columns)
		return choose(cli, table, shape != CLI_SHAPE_LIST, out);
	if (cli_columns_all(table, hidden_flags(cli->format, shape), out))
		return cli_fail(cli, NULL, ENOMEM, NULL);
	return 0;
}
