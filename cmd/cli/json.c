/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <errno.h>
#include <ipckit/process.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *new_document(void)
{
	/* Keys are our own: random seeding, three system calls, protects nothing. */
	json_object_seed(1);
	return json_object();
}

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

/* Bytes are given exactly: the text, or else base64 in its place. */
static int set_data(json_t *object, const char *key, const char *data, size_t size)
{
	char *second, *encoded;
	int error = -ENOMEM;

	if (!data)
		return set(object, key, json_null());
	if (cli_utf8_valid_bytes(data, size))
		return set(object, key, json_stringn_nocheck(data, size));
	if (asprintf(&second, "%s_base64", key) < 0)
		return -ENOMEM;
	encoded = cli_base64(data, size);
	if (encoded)
		error = set(object, second, json_string_nocheck(encoded));
	free(encoded);
	free(second);
	return error;
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
	int error = cli_columns_all(field->rows, CLI_BLOCKS, &columns);

	if (error)
		return error;
	if (field->type == CLI_RECORD)
		error = cli_json_row(&columns, field->rows, value->rows, &rows);
	else
		error = cli_json_rows(&columns, field->rows, value->rows, value->count, &rows);
	free(columns.list);
	return error ?: set(object, field->name, rows);
}

/* ---- lists ---- */

/* Repaired where it is no UTF-8; in exact: what it is in truth, null where the text is that. */
static json_t *element(const char *text, bool exact)
{
	json_t *string = NULL;
	char *other;

	if (cli_utf8_valid(text))
		return exact ? json_null() : json_string_nocheck(text);
	other = exact ? cli_base64(text, strlen(text)) : cli_utf8_repair(text);
	if (other)
		string = json_string_nocheck(other);
	free(other);
	return string;
}

static json_t *strings(const struct cli_value *value, bool exact)
{
	const char *const *list = value->rows;
	json_t *array = json_array();

	for (size_t i = 0; array && i < value->count; i++) {
		if (json_array_append_new(array, element(list[i], exact))) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

static bool are_texts(const struct cli_value *value)
{
	const char *const *list = value->rows;

	for (size_t i = 0; i < value->count; i++)
		if (!cli_utf8_valid(list[i]))
			return false;
	return true;
}

static int set_strings(json_t *object, const char *key, const struct cli_value *value)
{
	char *second;
	int error = set(object, key, strings(value, false));

	if (error || are_texts(value))
		return error;
	if (asprintf(&second, "%s_base64", key) < 0)
		return -ENOMEM;
	error = set(object, second, strings(value, true));
	free(second);
	return error;
}

static int set_integers(json_t *object, const char *key, const struct cli_value *value)
{
	const int64_t *list = value->rows;
	json_t *array = json_array();

	for (size_t i = 0; array && i < value->count; i++) {
		if (json_array_append_new(array, json_integer(list[i]))) {
			json_decref(array);
			array = NULL;
		}
	}
	return set(object, key, array);
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
	case CLI_HOLDS_STRINGS:
		return set_strings(object, field->name, value);
	case CLI_HOLDS_INTEGERS:
		return set_integers(object, field->name, value);
	case CLI_HOLDS_DATA:
		return set_data(object, field->name, value->rows, value->count);
	default:
		return set(object, field->name, json_null());
	}
}

/* Other fields of the document tell it in the kernel's words. */
static bool is_left_out(const struct cli_columns *columns, const struct cli_field *field,
			const struct cli_table *table, const void *row)
{
	unsigned kinds = table->kind ? table->kind(row) : 0;

	return !columns->chosen && field->json_kinds && !(field->json_kinds & kinds);
}

int cli_json_row(const struct cli_columns *columns, const struct cli_table *table, const void *row,
		 json_t **out)
{
	json_t *object = new_document();
	struct cli_value value;
	int error = 0;

	if (!object)
		return -ENOMEM;
	for (size_t i = 0; i < columns->count && !error; i++) {
		if (is_left_out(columns, columns->list[i], table, row))
			continue;
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

int cli_json_text(const char *data, size_t size, json_t **out)
{
	json_t *document = new_document();
	int error = set_data(document, "data", data, size);

	if (!error)
		error = set(document, "size", json_integer((json_int_t)size));
	if (error)
		json_decref(document);
	else
		*out = document;
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
	    set(object, "used", number(&limit->used)) ||
	    (limit->needed.known && set(object, "needed", number(&limit->needed)))) {
		json_decref(object);
		return -ENOMEM;
	}
	return set(error, "limit", object);
}

int cli_json_failure(const struct cli *cli, const struct cli_failure *failure, json_t **out)
{
	json_t *document = new_document(), *error = json_object();

	if (set(document, "error", error) || set_text(error, "code", failure->code) ||
	    set(error, "exit", json_integer(failure->exit)) ||
	    set_text(error, "verb", cli->verb ? cli->verb->name : NULL) ||
	    set_text(error, "object", failure->object) ||
	    (failure->line && set(error, "line", json_integer((json_int_t)failure->line))) ||
	    (failure->column && set(error, "column", json_integer((json_int_t)failure->column))) ||
	    set_text(error, "message", failure->message) ||
	    (failure->limited && set_limit(error, &failure->limit))) {
		json_decref(document);
		return -ENOMEM;
	}
	*out = document;
	return 0;
}

/* How many digits a number needs to be the same when it is read: 0.1 takes one, 0.1 + 0.2 seventeen. */
static int digits_of(double value)
{
	char text[32];
	int digits;

	for (digits = 15; digits < 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	return digits;
}

/* The most that any number in it needs: jansson has one for all. */
static int most_digits(const json_t *value)
{
	int most = 0, digits;
	const char *key;
	json_t *part;
	size_t i;

	if (json_is_real(value))
		return digits_of(json_real_value(value));
	json_array_foreach(value, i, part) {
		digits = most_digits(part);
		most = digits > most ? digits : most;
	}
	json_object_foreach((json_t *)(uintptr_t)value, key, part) {
		digits = most_digits(part);
		most = digits > most ? digits : most;
	}
	return most;
}

size_t cli_json_digits(const json_t *document)
{
	return JSON_REAL_PRECISION((size_t)most_digits(document));
}

int cli_json_print(const struct cli *cli, const json_t *document, bool line)
{
	FILE *stream = cli->output->stream;
	bool indent = !line && (cli->pretty || cli_is_terminal());

	/* A stream that cannot be written to is found out when it is flushed. */
	if (json_dumpf(document, stream, cli_json_digits(document) |
		       (indent ? JSON_INDENT(2) : JSON_COMPACT)) && !ferror(stream))
		return -ENOMEM;
	fputc('\n', stream);
	return 0;
}
