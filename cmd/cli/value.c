/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <ipckit/process.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void put_text(struct cli_value *value, const char *text)
{
	value->holds = text ? CLI_HOLDS_TEXT : CLI_HOLDS_NULL;
	value->text = text;
}

static void put_integer(struct cli_value *value, int64_t integer)
{
	value->holds = CLI_HOLDS_INTEGER;
	value->integer = integer;
}

/* Lists tend to be of one owner, and each look-up reads /etc/passwd anew. */
struct owner {
	bool known;
	int64_t id;
	char name[64]; /* empty: has none */
};

static void put_owner(struct cli_value *value, const struct owner *owner, bool document)
{
	if (*owner->name)
		put_text(value, strcpy(value->scratch, owner->name));
	else if (document)
		value->holds = CLI_HOLDS_NULL;
}

static void remember(struct owner *owner, int64_t id, const char *name)
{
	owner->known = true;
	owner->id = id;
	snprintf(owner->name, sizeof(owner->name), "%s", name ?: "");
}

static void put_user(struct cli_value *value, bool document)
{
	static struct owner last;

	if (!last.known || last.id != value->integer) {
		const struct passwd *user = getpwuid(value->integer);

		remember(&last, value->integer, user ? user->pw_name : NULL);
	}
	put_owner(value, &last, document);
}

static void put_group(struct cli_value *value, bool document)
{
	static struct owner last;

	if (!last.known || last.id != value->integer) {
		const struct group *group = getgrgid(value->integer);

		remember(&last, value->integer, group ? group->gr_name : NULL);
	}
	put_owner(value, &last, document);
}

/* What has no word here is kept as a number. */
static void put_open_flags(struct cli_value *value)
{
	static const char *const access[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE" };
	uint64_t flags = (uint64_t)value->integer;
	uint64_t rest = flags & ~(uint64_t)(O_ACCMODE | O_NONBLOCK | O_CLOEXEC);
	char *text = value->scratch;
	size_t size = sizeof(value->scratch), length;

	length = (size_t)snprintf(text, size, "%s%s%s", access[flags & O_ACCMODE],
				  flags & O_NONBLOCK ? "|O_NONBLOCK" : "", flags & O_CLOEXEC ? "|O_CLOEXEC" : "");
	if (rest)
		snprintf(text + length, size - length, "|0%" PRIo64, rest);
	put_text(value, text);
}

static void put_maybe(struct cli_value *value, const struct cli_field *field,
		      const struct ipckit_maybe *maybe, bool document)
{
	if (!maybe->known) {
		value->holds = CLI_HOLDS_NULL;
		return;
	}
	put_integer(value, maybe->value);
	if (field->type == CLI_USER) {
		put_user(value, document);
	} else if (field->type == CLI_GROUP) {
		put_group(value, document);
	} else if (field->type == CLI_MODE) {
		snprintf(value->scratch, sizeof(value->scratch), "%04" PRIo64,
			 (uint64_t)maybe->value);
		put_text(value, value->scratch);
	} else if (field->type == CLI_OPEN_FLAGS) {
		put_open_flags(value);
	} else if (field->type == CLI_TRUTH) {
		value->holds = CLI_HOLDS_BOOL;
		value->truth = maybe->value != 0;
	}
}

static void put_rows(struct cli_value *value, const struct cli_field *field, const char *row)
{
	value->count = *(const size_t *)(row + field->count_offset);
	if (field->type == CLI_GAPS) {
		value->holds = CLI_HOLDS_GAPS;
		value->rows = row + field->offset;
		return;
	}
	value->rows = *(const void *const *)(row + field->offset);
	value->holds = value->rows || !value->count ? CLI_HOLDS_ROWS : CLI_HOLDS_NULL;
}

static void put_list(struct cli_value *value, const struct cli_field *field, const char *row)
{
	put_rows(value, field, row);
	if (value->holds == CLI_HOLDS_ROWS)
		value->holds = field->type == CLI_STRINGS ? CLI_HOLDS_STRINGS : CLI_HOLDS_INTEGERS;
}

static void put_data(struct cli_value *value, const struct cli_field *field, const char *row)
{
	value->rows = *(const void *const *)(row + field->offset);
	value->count = *(const size_t *)(row + field->count_offset);
	value->holds = value->rows ? CLI_HOLDS_DATA : CLI_HOLDS_NULL;
}

void cli_value_get(const struct cli_table *table, const struct cli_field *field, const void *row,
		   bool document, struct cli_value *out)
{
	const void *at = (const char *)row + field->offset;

	out->holds = CLI_HOLDS_NOTHING;
	if (field->kinds && table->kind && !(field->kinds & table->kind(row)))
		return;
	switch (field->type) {
	case CLI_STRING:
	case CLI_BLOCK:
		put_text(out, *(const char *const *)at);
		return;
	case CLI_CHARS:
		put_text(out, *(const char *)at ? at : NULL);
		return;
	case CLI_BOOL:
		out->holds = CLI_HOLDS_BOOL;
		out->truth = *(const bool *)at;
		return;
	case CLI_INTEGER:
		put_integer(out, *(const int64_t *)at);
		return;
	case CLI_INT:
		put_integer(out, *(const int *)at);
		return;
	case CLI_UINT:
		put_integer(out, *(const unsigned *)at);
		return;
	case CLI_REAL:
		out->real = *(const double *)at;
		out->holds = CLI_HOLDS_REAL;
		return;
	case CLI_NUMBER:
		out->real = ((const struct cli_number *)at)->real;
		out->holds = CLI_HOLDS_REAL;
		if (((const struct cli_number *)at)->integer.known)
			put_integer(out, ((const struct cli_number *)at)->integer.value);
		return;
	case CLI_WORD:
		put_text(out, field->words ? field->words[*(const unsigned *)at] : *(const char *const *)at);
		return;
	case CLI_RECORD:
		out->holds = CLI_HOLDS_ROWS;
		out->rows = at;
		out->count = 1;
		return;
	case CLI_ROWS:
	case CLI_GAPS:
		put_rows(out, field, row);
		return;
	case CLI_STRINGS:
	case CLI_INTEGERS:
		put_list(out, field, row);
		return;
	case CLI_DATA:
		put_data(out, field, row);
		return;
	default:
		put_maybe(out, field, at, document);
		return;
	}
}

/* ---- lists ---- */

const char *cli_value_element(const struct cli_value *value, size_t index, char scratch[CLI_ELEMENT])
{
	if (value->holds == CLI_HOLDS_STRINGS)
		return ((const char *const *)value->rows)[index];
	snprintf(scratch, CLI_ELEMENT, "%" PRId64, ((const int64_t *)value->rows)[index]);
	return scratch;
}

static char *list_text(const struct cli_value *value)
{
	char scratch[CLI_ELEMENT], *text = NULL;
	size_t size;
	FILE *stream;

	if (!value->count)
		return strdup("none");
	stream = open_memstream(&text, &size);
	if (!stream)
		return NULL;
	for (size_t i = 0; i < value->count; i++) {
		if (i)
			fputc(' ', stream);
		fputs(cli_value_element(value, i, scratch), stream);
	}
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- cells ---- */

static char *gaps_text(const struct cli_value *value, bool human)
{
	const struct ipckit_gap *gaps = value->rows;
	char *text = NULL;
	size_t size;
	FILE *stream;

	if (!value->count)
		return strdup("-");
	stream = open_memstream(&text, &size);
	if (!stream)
		return NULL;
	for (size_t i = 0; i < value->count; i++)
		fprintf(stream, "%s%s%s%s", i ? (human ? ", " : ",") : "", gaps[i].key,
			human ? ": " : ":",
			human ? cli_errno_words(gaps[i].error) : cli_errno_name(gaps[i].error));
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}

static char *data_text(const struct cli_value *value)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	cli_put_safe_part(stream, value->rows, value->count);
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}

static void integer_text(const struct cli *cli, const struct cli_field *field, int64_t integer,
			 bool human, char *text, size_t size)
{
	if (field->type == CLI_KEY)
		snprintf(text, size, "0x%08" PRIx32, (uint32_t)integer);
	else if (field->type == CLI_SIZE && human && !cli->bytes)
		cli_human_size(integer, text, size);
	else if (field->type == CLI_TIME && human)
		cli_human_age(integer, time(NULL), text, size);
	else if (field->type == CLI_PID && human && !integer)
		snprintf(text, size, "-");
	else
		snprintf(text, size, "%" PRId64, integer);
}

char *cli_value_text(const struct cli *cli, const struct cli_field *field,
		     const struct cli_value *value, bool human)
{
	char text[64] = "-";

	switch (value->holds) {
	case CLI_HOLDS_TEXT:
		return strdup(value->text);
	case CLI_HOLDS_GAPS:
		return gaps_text(value, human);
	case CLI_HOLDS_STRINGS:
	case CLI_HOLDS_INTEGERS:
		return list_text(value);
	case CLI_HOLDS_DATA:
		return data_text(value);
	case CLI_HOLDS_ROWS:
		snprintf(text, sizeof(text), "%zu", value->count);
		break;
	case CLI_HOLDS_BOOL:
		snprintf(text, sizeof(text), "%s",
			 human ? (value->truth ? "yes" : "no") : (value->truth ? "true" : "false"));
		break;
	case CLI_HOLDS_INTEGER:
		integer_text(cli, field, value->integer, human, text, sizeof(text));
		break;
	case CLI_HOLDS_REAL:
		snprintf(text, sizeof(text), human ? "%.4g" : "%.15g", value->real);
		break;
	case CLI_HOLDS_NULL:
	case CLI_HOLDS_NOTHING:
		break;
	}
	return strdup(text);
}
