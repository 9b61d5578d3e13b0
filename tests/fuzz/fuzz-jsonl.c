/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Messages as lines of JSON: what is accepted, and written again, is accepted with the same bytes. */

#include "fuzz.h"

#include "../../cmd/cli/cli.h"
#include "../../cmd/mqtool/jsonl.h"

#include <errno.h>
#include <jansson.h>

static char *write_again(const struct jsonl_message *message, enum ipckit_mq_backend backend, bool encoded)
{
	json_t *object = json_object(), *data;
	char *text = NULL, *line;

	data = encoded ? NULL : json_stringn(message->data, message->size);
	if (!data) {
		text = cli_base64(message->data, message->size);
		if (!text)
			exit(1);
		data = json_string(text);
	}
	if (message->has_rank &&
	    json_object_set_new(object, backend == IPCKIT_MQ_POSIX ? "priority" : "type", json_integer(message->rank)))
		exit(1);
	if (json_object_set_new(object, "size", json_integer((json_int_t)message->size)) ||
	    json_object_set_new(object, text ? "data_base64" : "data", data))
		exit(1);
	line = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	free(text);
	return line;
}

static void check_again(const struct jsonl_message *message, enum ipckit_mq_backend backend, bool encoded)
{
	struct jsonl_message again;
	struct ipckit_why why;
	char *line = write_again(message, backend, encoded);

	HOLDS(line);
	HOLDS(!jsonl_parse(line, strlen(line), backend, &again, &why, NULL));
	HOLDS(again.size == message->size && !memcmp(again.data, message->data, message->size + 1));
	HOLDS(again.has_rank == message->has_rank && again.rank == message->rank);
	jsonl_free(&again);
	free(line);
}

static void check_message(const struct jsonl_message *message, enum ipckit_mq_backend backend)
{
	bool posix = backend == IPCKIT_MQ_POSIX;

	HOLDS(!message->data[message->size]);
	HOLDS(message->has_rank || !message->rank);
	HOLDS(!message->has_rank || message->rank >= !posix);
	HOLDS(!posix || message->rank <= IPCKIT_MQ_PRIORITY_MAX);
	check_again(message, backend, false);
	check_again(message, backend, true);
}

static void check_why(const struct ipckit_why *why, size_t column, size_t size)
{
	HOLDS(*why->text && strlen(why->text) < sizeof(why->text) - 1);
	for (const char *c = why->text; *c; c++)
		HOLDS(*c >= ' ' && *c <= '~');
	HOLDS(column <= size + 1);
}

/* Text as base64: what can be decoded is the one way to write its bytes. */
static void check_base64(const uint8_t *data, size_t size)
{
	size_t length = 0;
	char *bytes = NULL, *text;

	if (cli_base64_decode((const char *)data, size, &bytes, &length))
		return;
	text = cli_base64(bytes, length);
	HOLDS(text && strlen(text) == size && (!size || !memcmp(text, data, size)));
	free(text);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_object_seed(1);
	for (int backend = IPCKIT_MQ_POSIX; backend <= IPCKIT_MQ_SYSV; backend++) {
		struct jsonl_message message = { 0 };
		struct ipckit_why why = { "" };
		size_t column = 0;
		int r = jsonl_parse((const char *)data, size, backend, &message, &why, &column);

		HOLDS(r == 0 || r == -EINVAL);
		if (r) {
			HOLDS(!message.data);
			check_why(&why, column, size);
		} else {
			check_message(&message, backend);
			jsonl_free(&message);
		}
	}
	check_base64(data, size);
	return 0;
}
