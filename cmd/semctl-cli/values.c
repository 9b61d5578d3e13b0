/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct value {
	unsigned index;
	unsigned value;
};

static const struct cli_field fields[] = {
	{ "index", .type = CLI_UINT, .offset = offsetof(struct value, index), .summary = "number within the set" },
	{ "value", .type = CLI_UINT, .offset = offsetof(struct value, value), .summary = "permits that are free" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct value), "values", NULL };

static int tell(struct cli *cli, const char *object, const unsigned *values, unsigned n)
{
	struct value *rows = calloc(n, sizeof(*rows));
	int r;

	if (!rows)
		return cli_fail(cli, object, ENOMEM, NULL);
	for (unsigned i = 0; i < n; i++)
		rows[i] = (struct value){ i, values[i] };
	r = cli_emit_list(cli, &table, rows, n);
	free(rows);
	return r;
}

static int show(struct cli *cli, const char *object, struct ipckit_sem *sem)
{
	unsigned n = ipckit_sem_count(sem);
	unsigned *values = calloc(n, sizeof(*values));
	int r = values ? ipckit_sem_values(sem, values) : -ENOMEM;

	r = r ? cli_sem_fail(cli, object, ipckit_sem_backend(sem), r) : tell(cli, object, values, n);
	free(values);
	return r;
}

static int read_values(struct cli *cli, const char *object, struct ipckit_sem *sem, const char *text, unsigned *values)
{
	unsigned n = ipckit_sem_count(sem);
	char *copy = strdup(text), *rest = copy, *word;
	unsigned i = 0;
	int r = copy ? 0 : cli_fail(cli, object, ENOMEM, NULL);

	while (!r && (word = strsep(&rest, ","))) {
		uint64_t value = 0;

		r = cli_count(cli, "A,B,...", word, 0, UINT64_MAX, &value);
		if (!r)
			r = semctl_check_value(cli, object, ipckit_sem_backend(sem), value);
		if (!r && i < n)
			values[i] = (unsigned)value;
		i++;
	}
	free(copy);
	if (!r && i != n)
		r = cli_usage(cli, object, "%u value%s given for %u semaphore%s", i, i == 1 ? "" : "s", n,
			      n == 1 ? "" : "s");
	return r;
}

static int set(struct cli *cli, const char *object, struct ipckit_sem *sem, const char *text)
{
	unsigned *values = calloc(ipckit_sem_count(sem), sizeof(*values));
	int r = values ? read_values(cli, object, sem, text, values) : cli_fail(cli, object, ENOMEM, NULL);

	if (!r) {
		r = ipckit_sem_set_values(sem, values);
		r = r ? cli_sem_fail(cli, object, ipckit_sem_backend(sem), r) :
			tell(cli, object, values, ipckit_sem_count(sem));
	}
	free(values);
	return r;
}

static int run(struct cli *cli)
{
	const char *object = cli->operands[0];
	struct ipckit_sem *sem;
	int r;

	if (cli->noperands > 1)
		cli_acts(cli);
	if (cli->noperands > 1 && strcmp(cli->operands[1], "set") != 0)
		return cli_usage(cli, object, "\"%s\" is not \"set\"", cli->operands[1]);
	if (cli->noperands == 2)
		return cli_usage(cli, object, "set needs the values: A,B,...");
	r = cli_sem_open(cli, object, 0, &sem);
	if (r)
		return r;
	r = cli->noperands == 3 ? set(cli, object, sem, cli->operands[2]) : show(cli, object, sem);
	ipckit_sem_close(sem);
	return r;
}

const struct cli_verb semctl_values = {
	.name = "values",
	.operands = "OBJECT [set A,B,...]",
	.summary = "print or set all values of a set",
	.least = 1,
	.most = 3,
	.flags = CLI_ANSWERS,
	.table = &table,
	.run = run,
};
