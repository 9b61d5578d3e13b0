/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int set(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) ? -ENOMEM : 0;
}

/* Bytes that are no UTF-8 are kept beside the text, exact. */
static int set_bytes(json_t *object, const char *key, const char *text)
{
	char *repaired = cli_utf8_repair(text), *exact = cli_base64(text, strlen(text));
	char *second = NULL;
	int error = -ENOMEM;

	if (repaired && exact && asprintf(&second, "%s_base64", key) >= 0) {
		error = set(object, key, json_string(repaired));
		if (!error)
			error = set(object, second, json_string(exact));
		free(second);
	}
	free(repaired);
	free(exact);
	return error;
}

static int set_text(json_t *object, const char *key, const char *text)
{
	if (!text)
		return set(object, key, json_null());
	if (!cli_utf8_valid(text))
		return set_bytes(object, key, text);
	return set(object, key, json_string(text));
}

static int set_gaps(json_t *object, const char *key, const struct ipckit_gap *gaps, size_t count)
{
	json_t *reasons;
	int error = 0;

	if (!count)
		return 0;
	reasons = json_object();
	for (size_t i = 0; i < count && !error; i++)
		error = set(reasons, gaps[i].key, json_string(cli_errno_name(gaps[i].error)));
	if (!error)
		return set(object, key, reasons);
	json_decref(reasons);
	return error;
}

static int set_rows(json_t *object, const struct cli_field *field, const struct cli_value *value)
{
	struct cli_columns columns;
	json_t *rows;
	int error = cli_columns_all(field->rows, true, true, &columns);

	if (error)
		return error;
	error = cli_json_rows(&columns, field->rows, value->rows, value->count, &rows);
	free(columns.list);
	return error ?: set(object, field->name, rows);
}

static int set_value(json_t *object, const struct cli_field *field, const struct cli_value *value)
{
	switch (value->holds) {
	case CLI_HOLDS_NOTHING:
		return 0;
	case CLI_HOLDS_BOOL:
		return set(object, field->name, json_boolean(value->truth));
	case CLI_HOLDS_INTEGER:
		return set(object, field->name, json_integer(value->integer));
	case CLI_HOLDS_REAL:
		return set(object, field->name,
			   isfinite(value->real) ? json_real(value->real) : json_null());
	case CLI_HOLDS_TEXT:
		return set_text(object, field->name, value->text);
	case CLI_HOLDS_ROWS:
		return set_rows(object, field, value);
	case CLI_HOLDS_GAPS:
		return set_gaps(object, field->name, value->rows, value->count);
	default:
		return set(object, field->name, json_null());
	}
}

int cli_json_row(const struct cli_columns *columns, const struct cli_table *table, const void *row,
		 json_t **out)
{
	struct cli_value value;
	json_t *object;
	int error = 0;

	/* Keys are our own: random seeding, three system calls, protects nothing. */
	json_object_seed(1);
	object = json_object();
	if (!object)
		return -ENOMEM;
	for (size_t i = 0; i < columns->count && !error; i++) {
		cli_value_get(table, columns->list[i], row, true, &value);
		error = set_value(object, columns->list[i], &value);
	}
	if (error)
		json_decref(object);
	else
		*out = object;
	return error;
}

int cli_json_rows(const struct cli_columns *columns, const struct cli_table *table,
		  const void *rows, size_t count, json_t **out)
{
	json_t *array = json_array(), *object;
	int error = array ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !error; i++) {
		error = cli_json_row(columns, table, (const char *)rows + i * table->size, &object);
		if (!error && json_array_append_new(array, object))
			error = -ENOMEM;
	}
	if (error)
		json_decref(array);
	else
		*out = array;
	return error;
}

static json_t *number(const struct ipckit_maybe *maybe)
{
	return maybe->known ? json_integer(maybe->value) : json_null();
}

static int set_limit(json_t *error, const struct ipckit_limit *limit)
{
	json_t *object = json_object();

	if (set_text(object, "name", limit->name) || set(object, "value", number(&limit->value)) ||
	    set(object, "used", number(&limit->used))) {
		json_decref(object);
		return -ENOMEM;
	}
	return set(error, "limit", object);
}

int cli_json_failure(const struct cli *cli, const struct cli_failure *failure, json_t **out)
{
	json_t *document, *error;

	json_object_seed(1);
	document = json_object();
	error = json_object();
	if (set(document, "error", error) || set_text(error, "code", failure->code) ||
	    set(error, "exit", json_integer(failure->exit)) ||
	    set_text(error, "verb", cli->verb ? cli->verb->name : NULL) ||
	    set_text(error, "object", failure->object) ||
	    set_text(error, "message", failure->message) ||
	    (failure->limited && set_limit(error, &failure->limit))) {
		json_decref(document);
		return -ENOMEM;
	}
	*out = document;
	return 0;
}

int cli_json_print(const struct cli *cli, const json_t *document, bool line)
{
	FILE *stream = cli->output->stream;
	bool indent = !line && (cli->pretty || cli_is_terminal(stream));

	/* A stream that cannot be written to is found out when it is flushed. */
	if (json_dumpf(document, stream, JSON_REAL_PRECISION(15) |
		       (indent ? JSON_INDENT(2) : JSON_COMPACT)) && !ferror(stream))
		return -ENOMEM;
	fputc('\n', stream);
	return 0;
}
