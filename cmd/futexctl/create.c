/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

#include "../cli/noun.h"

#include <errno.h>
#include <inttypes.h>
#include <ipckit/shm.h>
#include <limits.h>
#include <string.h>

static char *unique, *words_text, *value_text, *mode_text;
static int exclusive;

static const struct poptOption options[] = {
	{ "unique", 0, POPT_ARG_STRING, &unique, 0,
	  "make POSIX shared memory under a name that nobody has, and print it", "PREFIX" },
	{ "words", 'n', POPT_ARG_STRING, &words_text, 0, "how many words (default 1)", "N" },
	{ "value", 0, POPT_ARG_STRING, &value_text, 0, "what each of them holds (default 0)", "VALUE" },
	{ "mode", 'm', POPT_ARG_STRING, &mode_text, 0, "permissions, octal or as chmod takes them (default 0600)",
	  "MODE" },
	{ "exclusive", 'x', POPT_ARG_NONE, &exclusive, 0, "fail where there is one", NULL },
	POPT_TABLEEND
};

struct created {
	struct cli_created head;
	int64_t words;
};

static const struct cli_field fields[] = {
	{ "word", .type = CLI_STRING, CLI_CREATED(object), .summary = "its first word: the name to use from now on" },
	{ "words", .type = CLI_INTEGER, .offset = offsetof(struct created, words), .summary = "how many were asked for" },
	CLI_CREATED_FIELD,
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct created), "words", NULL };

/* A name without an offset is that of an object here, which is made whole. */
const struct cli_noun futexctl_noun = {
	.takes = IPCKIT_TAKES(IPCKIT_NAME_POSIX) | IPCKIT_WORD_NAMES | IPCKIT_TAKES_BARE_PLACE,
	.table = &table,
	.remove = ipckit_shm_remove,
};

/* ---- what is to be made ---- */

static int check_name(struct cli *cli, const struct ipckit_name *name)
{
	if (name->offset)
		return cli_usage(cli, name->written, "a file is made whole, without @OFFSET: see --words");
	/* Under such a name sem_open(3) would find it. */
	if (name->kind != IPCKIT_NAME_PLACE && !strncmp(name->text, "/sem.", strlen("/sem.")))
		return cli_usage(cli, name->written, "names that begin with sem. are those of the files of semaphores");
	return 0;
}

static int read_spec(struct cli *cli, struct ipckit_word_spec *spec)
{
	*spec = (struct ipckit_word_spec){ .words = 1, .mode = 0600, .exclusive = exclusive || unique };
	return cli_count(cli, "--words", words_text, 1, INT64_MAX / sizeof(uint32_t), &spec->words) ?:
	       futexctl_value(cli, "--value", value_text, &spec->value) ?:
	       cli_mode(cli, "--mode", mode_text, 0600, &spec->mode);
}

/* ---- failures ---- */

static bool is_too_short(const struct ipckit_name *name, const struct ipckit_word_spec *spec)
{
	struct ipckit_name last = *name;
	struct ipckit_word *word;
	int r;

	last.offset = (spec->words - 1) * sizeof(uint32_t);
	r = ipckit_word_open_to_read(&last, &word);
	if (!r)
		ipckit_word_close(word);
	return r == -EFBIG;
}

static int limit_of_place(const struct ipckit_name *name, struct ipckit_limit *out)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(name->text, '/');

	if (name->kind == IPCKIT_NAME_SHM)
		return ipckit_limit_of_filesystem("/dev/shm", out);
	snprintf(directory, sizeof(directory), "%.*s", (int)(slash - name->text) + 1, name->text);
	return ipckit_limit_of_filesystem(directory, out);
}

static int fail(struct cli *cli, const struct ipckit_name *name, const struct ipckit_word_spec *spec, int error)
{
	struct ipckit_limit limit;

	if (unique && error == -EEXIST)
		return CLI_EXISTS;
	if (error == -EFBIG && is_too_short(name, spec))
		return cli_fail(cli, name->written, error, "there is one, too short for %" PRIu64 " words", spec->words);
	if (error == -EFBIG && !ipckit_limit_of_process(EFBIG, &limit))
		return cli_fail_limit(cli, name->written, error, &limit);
	if (error == -ENOSPC && !limit_of_place(name, &limit))
		return cli_fail_limit(cli, name->written, error, &limit);
	if (error == -ENOENT)
		return cli_fail(cli, name->written, error, "there is no such directory");
	return futexctl_fail_open(cli, name, error);
}

/* ---- making ---- */

static int make(struct cli *cli, const struct ipckit_name *name)
{
	struct ipckit_name place = *name;
	struct ipckit_word_spec spec;
	struct created row = { 0 };
	int r = check_name(cli, name) ?: read_spec(cli, &spec);

	if (r)
		return r;
	if (place.kind == IPCKIT_NAME_POSIX)
		place.kind = IPCKIT_NAME_SHM;
	r = ipckit_word_create(&place, &spec, &row.head.created);
	if (r)
		return fail(cli, &place, &spec, r);
	row.words = (int64_t)spec.words;
	return cli_emit_created(cli, name, &row.head);
}

static int run(struct cli *cli)
{
	/* The name would else be lost. */
	if (!unique)
		cli_acts(cli);
	return cli_create(cli, unique, make);
}

const struct cli_verb futexctl_create = {
	.name = "create",
	.operands = "[FILE|/NAME]",
	.summary = "make a file of words, or leave alone what exists and is long enough",
	.least = 0,
	.most = 1,
	.flags = CLI_ANSWERS,
	.options = options,
	.table = &table,
	.run = run,
};
