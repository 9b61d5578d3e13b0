/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "noun.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/random.h>

#define TRIES 10
#define UNIQUE_SIZE PATH_MAX /* bytes of the longest name */

typedef int (*make_function)(struct cli *cli, const struct ipckit_name *name);

/* PREFIX.xxxxxxxxxx; 50 random bits. */
static int unique_name(const char *prefix, char *text, size_t size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	unsigned char random[10];
	int n;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -errno;
	for (size_t i = 0; i < sizeof(random); i++)
		random[i] = (unsigned char)letters[random[i] % 32];
	n = snprintf(text, size, "%s.%.*s", prefix, (int)sizeof(random), random);
	return (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int try_unique(struct cli *cli, const char *prefix, unsigned takes, make_function make)
{
	char text[UNIQUE_SIZE];
	struct ipckit_name name;
	int r = unique_name(prefix, text, sizeof(text));

	if (r)
		return cli_fail(cli, prefix, r, NULL);
	r = cli_name(cli, text, takes, &name);
	if (r)
		return r;
	r = make(cli, &name);
	ipckit_name_free(&name);
	return r;
}

/* Tried until it is nobody's. */
static int create_unique(struct cli *cli, const char *prefix, make_function make)
{
	unsigned takes = cli_noun_made(cli->tool->noun) &
			 (IPCKIT_TAKES(IPCKIT_NAME_POSIX) | IPCKIT_TAKES_SEM_LENGTH | IPCKIT_TAKES(IPCKIT_NAME_PATH));
	struct ipckit_name name;
	int r;

	/* Looked at by itself, so that what is wrong is said of what was typed. */
	r = cli_name(cli, prefix, takes, &name);
	if (r)
		return r;
	ipckit_name_free(&name);
	r = CLI_EXISTS;
	for (int try = 0; try < TRIES && r == CLI_EXISTS; try++)
		r = try_unique(cli, prefix, takes, make);
	return r == CLI_EXISTS ? cli_fail(cli, prefix, EEXIST, "no free name was found") : r;
}

int cli_create(struct cli *cli, const char *unique, make_function make)
{
	unsigned takes = cli_noun_made(cli->tool->noun);
	struct ipckit_name name;
	int r;

	if (takes & IPCKIT_TAKES_SYSV)
		takes |= IPCKIT_TAKES(IPCKIT_NAME_PRIVATE);
	if (unique && cli->noperands)
		return cli_usage(cli, NULL, "an OBJECT and --unique exclude each other");
	if (unique)
		return create_unique(cli, unique, make);
	if (!cli->noperands)
		return cli_usage(cli, NULL, "an OBJECT, or --unique PREFIX, is needed");
	r = cli_name(cli, cli->operands[0], takes, &name);
	if (r)
		return r;
	if (name.has_index)
		r = cli_usage(cli, name.written, "a set is created whole, without #N");
	else if (name.kind == IPCKIT_NAME_ID)
		r = cli_usage(cli, name.written, "the kernel chooses identifiers: write key:KEY, ftok:PATH or private");
	else
		r = make(cli, &name);
	ipckit_name_free(&name);
	return r;
}

/* ---- what was created ---- */

/* The name that nobody knows but from what this run prints. */
struct unheard {
	const struct cli_noun *noun;
	char name[UNIQUE_SIZE];
};

static int end_create(void *arg, bool written)
{
	const struct unheard *unheard = arg;
	struct ipckit_name name;
	int r;

	if (written)
		return 0;
	r = ipckit_name_parse(unheard->name, cli_noun_made(unheard->noun), NULL, &name);
	if (r)
		return r;
	r = unheard->noun->remove(&name);
	ipckit_name_free(&name);
	return r;
}

int cli_emit_created(struct cli *cli, const struct ipckit_name *name, struct cli_created *row)
{
	static struct unheard unheard;
	bool is_private = name->kind == IPCKIT_NAME_PRIVATE;

	row->object = name->written;
	if (name->kind == IPCKIT_NAME_FTOK && !row->created)
		cli_warn(cli, "%s: exists; an ftok key holds 16 bits of the inode and 8 of the device, "
			      "so another file may share it", name->written);
	if (is_private || !cli->noperands) {
		unheard.noun = cli->tool->noun;
		if (is_private)
			snprintf(unheard.name, sizeof(unheard.name), "id:%d", (int)row->id.value);
		else
			snprintf(unheard.name, sizeof(unheard.name), "%s", name->written);
		row->object = unheard.name;
		if (cli_prints(cli))
			cli_undo_with(cli, end_create, &unheard);
	}
	return cli_emit_record(cli, cli->verb->table, row);
}
