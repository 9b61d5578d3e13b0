/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "jsonl.h"

#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A line that is being read. */
struct reading {
	json_t *object;
	enum ipckit_mq_backend backend;
	struct ipckit_why *why;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct ipckit_why *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return -EINVAL;
}

static const char *rank_key(const struct reading *reading)
{
	return reading->backend == IPCKIT_MQ_POSIX ? "priority" : "type";
}

/* ---- keys ---- */

/* A key that was found in the line, as it may be shown. */
static void show(const char *key, char *shown, size_t size)
{
	size_t length = 0;

	while (key[length] >= ' ' && key[length] <= '~' && length + 1 < size) {
		shown[length] = key[length];
		length++;
	}
	shown[length] = '\0';
	if (key[length])
		memcpy(shown + (length > 3 ? length - 3 : 0), "...", 4);
}

static int refuse_key(const struct reading *reading, const char *key)
{
	const char *const keys[] = { "data", "data_base64", rank_key(reading), "size" };
	struct cli_nearest nearest = { .typed = key };
	char shown[48];

	show(key, shown, sizeof(shown));
	if (!strcmp(key, "priority"))
		return refuse(reading->why, "priority is of POSIX queues, those of System V have a type");
	if (!strcmp(key, "type"))
		return refuse(reading->why, "type is of System V queues, those of POSIX have a priority");
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		cli_nearest_offer(&nearest, keys[i]);
	if (nearest.best)
		return refuse(reading->why, "unknown key \"%s\", did you mean %s?", shown, nearest.best);
	return refuse(reading->why, "unknown key \"%s\", known are data, data_base64, %s and size", shown,
		      rank_key(reading));
}

static bool is_known(const struct reading *reading, const char *key)
{
	return !strcmp(key, "data") || !strcmp(key, "data_base64") || !strcmp(key, "size") ||
	       !strcmp(key, rank_key(reading));
}

static int check_keys(const struct reading *reading)
{
	const char *key;
	json_t *value;

	json_object_foreach(reading->object, key, value)
		if (!is_known(reading, key))
			return refuse_key(reading, key);
	return 0;
}

/* ---- values ---- */

static const char *kind_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "a number";
	case JSON_REAL:
		return "a number with a fraction or an exponent";
	case JSON_NULL:
		return "null";
	default:
		return "a boolean";
	}
}

/* A whole number from least to most. Returns 0 with out untouched where the key is not there. */
static int read_number(const struct reading *reading, const char *key, int64_t least, int64_t most, bool *has,
		       int64_t *out)
{
	const json_t *value = json_object_get(reading->object, key);
	int64_t number;

	*has = value;
	if (!value)
		return 0;
	if (!json_is_integer(value))
		return refuse(reading->why, "%s is to be a whole number, not %s", key, kind_of(value));
	number = json_integer_value(value);
	if (number < least || number > most)
		return refuse(reading->why, "%s is to be from %" PRId64 " to %" PRId64 ", not %" PRId64, key, least,
			      most, number);
	*out = number;
	return 0;
}

static int copy_text(const json_t *value, struct jsonl_message *out)
{
	out->size = json_string_length(value);
	out->data = malloc(out->size + 1);
	if (!out->data)
		return -ENOMEM;
	memcpy(out->data, json_string_value(value), out->size + 1);
	return 0;
}

static int read_data(const struct reading *reading, struct jsonl_message *out)
{
	const json_t *text = json_object_get(reading->object, "data");
	const json_t *encoded = json_object_get(reading->object, "data_base64"), *value = text ?: encoded;
	int r;

	if (text && encoded)
		return refuse(reading->why, "data and data_base64 exclude each other");
	if (!value)
		return refuse(reading->why, "data or data_base64 is missing");
	if (!json_is_string(value))
		return refuse(reading->why, "%s is to be a string, not %s", text ? "data" : "data_base64",
			      kind_of(value));
	if (text)
		return copy_text(text, out);
	r = cli_base64_decode(json_string_value(encoded), json_string_length(encoded), &out->data, &out->size);
	if (r == -EINVAL)
		return refuse(reading->why, "data_base64 is not base64 (RFC 4648, with its padding)");
	return r;
}

static int read_rank(const struct reading *reading, struct jsonl_message *out)
{
	bool posix = reading->backend == IPCKIT_MQ_POSIX;
	int64_t rank = 0;
	int r = read_number(reading, rank_key(reading), posix ? 0 : 1,
			    posix ? IPCKIT_MQ_PRIORITY_MAX : IPCKIT_MQ_TYPE_MAX, &out->has_rank, &rank);

	out->rank = (long)rank;
	return r;
}

static int check_size(const struct reading *reading, const struct jsonl_message *message)
{
	int64_t size = 0;
	bool given;
	int r = read_number(reading, "size", 0, INT64_MAX, &given, &size);

	if (r || !given || (uint64_t)size == message->size)
		return r;
	return refuse(reading->why, "size says %" PRId64 " bytes, but the data has %zu", size, message->size);
}

static int read_message(const struct reading *reading, struct jsonl_message *out)
{
	int r = check_keys(reading);

	if (!r)
		r = read_data(reading, out);
	if (!r)
		r = read_rank(reading, out);
	return r ?: check_size(reading, out);
}

/* ---- lines ---- */

/* jansson's own words quote what is near, and that may be anything. */
static int refuse_json(const json_error_t *error, struct ipckit_why *why)
{
	/* Where it finds no memory it often says nothing, or something else. */
	if (!*error->text || errno == ENOMEM)
		return -ENOMEM;
	switch (json_error_code(error)) {
	case json_error_out_of_memory:
		return -ENOMEM;
	case json_error_duplicate_key:
		return refuse(why, "a key is there twice");
	case json_error_end_of_input_expected:
		return refuse(why, "something follows the object");
	case json_error_premature_end_of_input:
		return refuse(why, "the line ends within the object");
	case json_error_invalid_utf8:
		return refuse(why, "not UTF-8: data_base64 takes any bytes");
	case json_error_null_byte_in_key:
		return refuse(why, "a key with a NUL in it");
	case json_error_numeric_overflow:
		return refuse(why, "a number is too large");
	case json_error_stack_overflow:
		return refuse(why, "nested too deeply");
	default:
		return refuse(why, "not JSON: expected an object like {\"data\":\"text\"}");
	}
}

int jsonl_parse(const char *line, size_t size, enum ipckit_mq_backend backend, struct jsonl_message *out,
		struct ipckit_why *why, size_t *column)
{
	struct reading reading = { .backend = backend, .why = why };
	struct jsonl_message message = { 0 };
	json_error_t error;
	int r;

	if (column)
		*column = 0;
	errno = 0;
	reading.object = json_loadb(line, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
	if (!reading.object) {
		if (column && error.column > 0)
			*column = (size_t)error.column;
		return refuse_json(&error, why);
	}
	if (json_is_object(reading.object))
		r = read_message(&reading, &message);
	else
		r = refuse(why, "expected an object like {\"data\":\"text\"}, not %s", kind_of(reading.object));
	json_decref(reading.object);
	if (r)
		jsonl_free(&message);
	else
		*out = message;
	return r;
}

void jsonl_free(struct jsonl_message *message)
{
	free(message->data);
	message->data = NULL;
}
