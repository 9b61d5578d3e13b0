/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "noun-rows.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)

const char *const cli_evidence_words[] = {
	[IPCKIT_SEEN_MAPPED] = "mapped",     [IPCKIT_SEEN_OPEN] = "open",     [IPCKIT_SEEN_BLOCKED] = "blocked",
	[IPCKIT_SEEN_LAST_PID] = "last pid", [IPCKIT_SEEN_HOLDER] = "holder",
};

static const struct cli_field user_fields[] = {
	CLI_PROCESS_PID,
	CLI_PROCESS_UID,
	CLI_PROCESS_COMMAND,
	CLI_PROCESS_EVIDENCE,
	{ 0 },
};

const struct cli_table cli_user_table = { user_fields, sizeof(struct ipckit_process), "users", NULL };

struct ipckit_maybe cli_later(struct ipckit_maybe a, struct ipckit_maybe b)
{
	return !a.known || (b.known && b.value > a.value) ? b : a;
}

unsigned cli_noun_made(const struct cli_noun *noun)
{
	return noun->made ?: noun->takes;
}

/* ---- rows ---- */

static void *row_at(const struct cli_noun *noun, const struct cli_objects *objects, size_t index)
{
	return (char *)objects->rows + index * noun->table->size;
}

int cli_objects_take(const struct cli_noun *noun, const void *infos, size_t info_size, size_t *count,
		     struct cli_objects *out)
{
	struct cli_objects objects = { .rows = calloc(*count + 1, noun->table->size), .count = *count };

	if (!objects.rows)
		return -ENOMEM;
	for (size_t i = 0; i < *count; i++)
		noun->fill(row_at(noun, &objects, i), (const char *)infos + i * info_size);
	*count = 0;
	*out = objects;
	return 0;
}

void cli_objects_free(const struct cli_noun *noun, struct cli_objects *objects)
{
	for (size_t i = 0; i < objects->count; i++)
		noun->clear(row_at(noun, objects, i));
	free(objects->rows);
}

void cli_objects_keep(const struct cli_noun *noun, struct cli_objects *objects, cli_objects_wanted wanted, void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < objects->count; i++) {
		void *row = row_at(noun, objects, i), *place = row_at(noun, objects, kept);

		if (!wanted(row, arg)) {
			noun->clear(row);
			continue;
		}
		if (place != row)
			memcpy(place, row, noun->table->size);
		kept++;
	}
	objects->count = kept;
}

void cli_objects_unread(struct cli *cli, const char *place, int error, const char *missing)
{
	if (error == ENODEV && missing)
		cli_warn(cli, "%s", missing);
	else if (error)
		cli_warn(cli, "%s: %s", place, cli_errno_words(error));
}

/* ---- which of them ---- */

struct sieve {
	const struct cli_noun *noun;
	const struct cli_filter *filter;
	int64_t now;
};

static bool matches(const struct cli_object *object, const struct cli_filter *filter)
{
	if (filter->backend && strcmp(filter->backend, object->backend) != 0)
		return false;
	if (filter->name && fnmatch(filter->name, object->name, 0) != 0)
		return false;
	if (filter->uid.known && (!object->uid.known || object->uid.value != filter->uid.value))
		return false;
	return !filter->key.known || (object->key.known && (int32_t)object->key.value == filter->key.value);
}

static bool is_older(const struct cli_object *object, int64_t older_than, int64_t now)
{
	int64_t least = older_than / SECOND + (older_than % SECOND != 0);
	int64_t age;

	/* Times are whole seconds, cut: the true age is anything above age - 1. */
	if (older_than <= 0)
		return true;
	return object->last_use.known && !__builtin_sub_overflow(now, object->last_use.value, &age) && age > least;
}

static bool passes(void *row, void *arg)
{
	const struct sieve *sieve = arg;
	const struct cli_filter *filter = sieve->filter;
	struct ipckit_orphan_verdict verdict;

	if (!matches(row, filter) || !is_older(row, filter->older_than, sieve->now))
		return false;
	if (!filter->orphans)
		return true;
	sieve->noun->judge(row, filter->older_than < 0 ? 0 : filter->older_than, sieve->now, &verdict);
	return verdict.orphan;
}

static int refuse_backend(struct cli *cli, const struct cli_noun *noun, const char *backend)
{
	char words[64] = "";
	size_t length = 0;

	for (size_t i = 0; noun->backends[i] && length < sizeof(words); i++)
		length += (size_t)snprintf(words + length, sizeof(words) - length, "%s%s", i ? ", " : "",
					   noun->backends[i]);
	return cli_usage(cli, "--backend", "\"%s\" is not a backend that can be listed (%s)", backend, words);
}

static int check_backend(struct cli *cli, const struct cli_noun *noun, const char *backend)
{
	for (size_t i = 0; backend && noun->backends[i]; i++)
		if (strcmp(backend, noun->backends[i]) == 0)
			return 0;
	return backend ? refuse_backend(cli, noun, backend) : 0;
}

int cli_objects_read(struct cli *cli, const struct cli_filter *filter, unsigned what, struct cli_objects *out)
{
	const struct cli_noun *noun = cli->tool->noun;
	struct sieve sieve = { .noun = noun, .filter = filter, .now = time(NULL) };
	int r = check_backend(cli, noun, filter->backend);

	*out = (struct cli_objects){ 0 };
	if (r)
		return r;
	r = noun->list(cli, filter->orphans ? noun->to_judge : what, out);
	if (r)
		return r < 0 ? noun->fail(cli, NULL, r) : r;
	cli_objects_keep(noun, out, passes, &sieve);
	return cli_filter_sort(cli, filter, noun->table, out->rows, out->count);
}
