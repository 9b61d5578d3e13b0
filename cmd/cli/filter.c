/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <errno.h>
#include <ipckit/parse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *backend, *name, *owner, *key, *older_than, *sort;
static int orphans, reverse;

/* clang-format off */
#define NAME_AND_OWNER									\
	{ "name", 0, POPT_ARG_STRING, &name, 0, "only objects whose name matches", "GLOB" }, \
	{ "owner", 0, POPT_ARG_STRING, &owner, 0, "only objects of this user", "USER" }
#define AGE_AND_ORDER									\
	{ "older-than", 0, POPT_ARG_STRING, &older_than, 0,				\
	  "only objects whose last use that is known is longer ago", "D" },		\
	{ "orphans", 0, POPT_ARG_NONE, &orphans, 0, "only objects that nobody seems to need", \
	  NULL },									\
	{ "sort", 0, POPT_ARG_STRING, &sort, 0, "sort by this column", "COLUMN" },	\
	{ "reverse", 0, POPT_ARG_NONE, &reverse, 0, "turn the order round", NULL }
/* clang-format on */

const struct poptOption cli_filter_options[] = {
	{ "backend", 0, POPT_ARG_STRING, &backend, 0, "only objects of this backend", "WORD" },
	NAME_AND_OWNER,
	{ "key", 0, POPT_ARG_STRING, &key, 0, "only System V objects with this key", "KEY" },
	AGE_AND_ORDER,
	POPT_TABLEEND,
};

const struct poptOption cli_path_filter_options[] = { NAME_AND_OWNER, AGE_AND_ORDER, POPT_TABLEEND };

static int read_owner(struct cli *cli, struct cli_filter *out)
{
	uid_t uid = -1;
	gid_t gid = -1;
	int status;

	if (!owner)
		return 0;
	if (strchr(owner, ':'))
		return cli_usage(cli, "--owner", "\"%s\" is not a user", owner);
	status = cli_owner(cli, "--owner", owner, &uid, &gid);
	if (!status)
		out->uid = ipckit_known(uid);
	return status;
}

/* What names an object by its key, with or without the prefix. */
static int read_key_name(struct cli *cli, const char *digits, struct cli_filter *out)
{
	struct ipckit_name name;
	struct ipckit_why why;
	char *text;
	int error, status = 0;

	if (asprintf(&text, "key:%s", digits) < 0)
		return cli_fail(cli, "--key", ENOMEM, NULL);
	error = ipckit_name_parse(text, IPCKIT_TAKES(IPCKIT_NAME_KEY), &why, &name);
	if (error == -EINVAL)
		status = cli_usage(cli, "--key", "\"%s\": %s", key, why.text);
	else if (error)
		status = cli_fail(cli, "--key", error, NULL);
	else
		out->key = ipckit_known(name.key);
	if (!error)
		ipckit_name_free(&name);
	free(text);
	return status;
}

/*
 * Keys from 0x80000000 on are negative in /proc and in key_t, and there 0 is that of
 * a private set: both are taken here, though they name no object.
 */
static int read_key(struct cli *cli, struct cli_filter *out)
{
	const char *digits = key && !strncmp(key, "key:", 4) ? key + 4 : key;
	int64_t number;
	uint64_t zero;
	int status;

	if (!key)
		return 0;
	if (*key == '-') {
		status = cli_signed(cli, "--key", key, INT32_MIN, 0, &number);
		if (!status)
			out->key = ipckit_known(number);
		return status;
	}
	if (!ipckit_parse_count(digits, 0, &zero)) {
		out->key = ipckit_known(0);
		return 0;
	}
	return read_key_name(cli, digits, out);
}

int cli_filter_read(struct cli *cli, struct cli_filter *out)
{
	int status;

	*out = (struct cli_filter){
		.backend = backend,
		.name = name,
		.older_than = -1,
		.orphans = orphans,
		.sort = sort,
		.reverse = reverse,
	};
	status = read_owner(cli, out);
	if (!status)
		status = read_key(cli, out);
	return status ?: cli_duration(cli, "--older-than", older_than, &out->older_than);
}

/* ---- sorting ---- */

struct order {
	const struct cli_table *table;
	const struct cli_field *field; /* NULL: as they come */
	bool reverse;
};

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* Users and groups by number: their names would be looked up at each comparison. */
static void sort_value(const struct order *order, const void *row, struct cli_value *out)
{
	struct cli_field field = *order->field;

	if (field.type == CLI_USER || field.type == CLI_GROUP || field.type == CLI_MODE)
		field.type = CLI_MAYBE;
	cli_value_get(order->table, &field, row, true, out);
	if (out->holds >= CLI_HOLDS_ROWS) {
		out->holds = CLI_HOLDS_INTEGER;
		out->integer = out->count;
	} else if (out->holds == CLI_HOLDS_BOOL) {
		out->holds = CLI_HOLDS_INTEGER;
		out->integer = out->truth;
	}
}

static int compare_values(const struct cli_value *a, const struct cli_value *b)
{
	if (a->holds == CLI_HOLDS_TEXT)
		return strcmp(a->text, b->text);
	if (a->holds == CLI_HOLDS_REAL)
		return (a->real > b->real) - (a->real < b->real);
	return compare_numbers(a->integer, b->integer);
}

/* What is unknown comes last in either order; equals stay as they came. */
static int compare_rows(const void *first, const void *second, void *arg)
{
	const void *a = *(const void *const *)first, *b = *(const void *const *)second;
	const struct order *order = arg;
	struct cli_value x, y;
	bool has_x, has_y;
	int result;

	if (!order->field)
		return order->reverse ? (a < b) - (a > b) : (a > b) - (a < b);
	sort_value(order, a, &x);
	sort_value(order, b, &y);
	has_x = x.holds > CLI_HOLDS_NULL;
	has_y = y.holds > CLI_HOLDS_NULL;
	if (has_x != has_y)
		return has_x ? -1 : 1;
	result = has_x ? compare_values(&x, &y) : 0;
	if (!result)
		return (a > b) - (a < b);
	return order->reverse ? -result : result;
}

static int sort_rows(struct order *order, char *rows, size_t count)
{
	size_t size = order->table->size;
	char *copy = calloc(count, size);
	const void **places = calloc(count, sizeof(*places));
	int error = copy && places ? 0 : -ENOMEM;

	if (!error) {
		memcpy(copy, rows, count * size);
		for (size_t i = 0; i < count; i++)
			places[i] = copy + i * size;
		qsort_r(places, count, sizeof(*places), compare_rows, order);
		for (size_t i = 0; i < count; i++)
			memcpy(rows + i * size, places[i], size);
	}
	free(copy);
	free(places);
	return error;
}

int cli_filter_sort(struct cli *cli, const struct cli_filter *filter, const struct cli_table *table,
		    void *rows, size_t count)
{
	struct order order = { .table = table, .reverse = filter->reverse };
	int status = 0;

	if (filter->sort)
		status = cli_column_find(cli, "--sort", table, filter->sort, &order.field);
	if (status || count < 2 || !(filter->sort || filter->reverse))
		return status;
	return sort_rows(&order, rows, count) ? cli_fail(cli, NULL, ENOMEM, NULL) : 0;
}
