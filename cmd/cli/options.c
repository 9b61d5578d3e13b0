/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int format, quiet, pretty, bytes, verbose, help, version, list_verbs;
static char *columns, *list_options;

static const struct poptOption common[] = {
	{ "json", 0, POPT_ARG_VAL, &format, CLI_FORMAT_JSON, "print JSON", NULL },
	{ "table", 0, POPT_ARG_VAL, &format, CLI_FORMAT_TABLE, "print a table", NULL },
	{ "plain", 0, POPT_ARG_VAL, &format, CLI_FORMAT_PLAIN,
	  "print TAB-separated values, no headings", NULL },
	{ "columns", 'o', POPT_ARG_STRING, &columns, 0,
	  "print these columns in this order (help: list them)", "A,B" },
	{ "pretty", 0, POPT_ARG_NONE, &pretty, 0, "indent JSON", NULL },
	{ "bytes", 0, POPT_ARG_NONE, &bytes, 0, "print sizes in tables as exact bytes", NULL },
	{ "quiet", 'q', POPT_ARG_NONE, &quiet, 0, "print no result", NULL },
	{ "verbose", 'v', POPT_ARG_NONE, &verbose, 0, "say more on stderr", NULL },
	{ "help", 'h', POPT_ARG_NONE, &help, 0, "display this help", NULL },
	{ "version", 'V', POPT_ARG_NONE, &version, 0, "display the version", NULL },
	{ "list-verbs", 0, POPT_ARG_NONE | POPT_ARGFLAG_DOC_HIDDEN, &list_verbs, 0, NULL, NULL },
	{ "list-options", 0, POPT_ARG_STRING | POPT_ARGFLAG_DOC_HIDDEN, &list_options, 0, NULL,
	  "VERB" },
	POPT_TABLEEND,
};

static unsigned type_of(const struct poptOption *row)
{
	return row->argInfo & POPT_ARG_MASK;
}

static bool takes_argument(const struct poptOption *row)
{
	return type_of(row) == POPT_ARG_STRING;
}

static bool is_end(const struct poptOption *row)
{
	return !row->longName && !row->shortName && !row->arg;
}

/* ---- the tables as one list ---- */

static const struct cli_option *find_letter(const struct cli_options *options, char letter)
{
	for (size_t i = 0; i < options->count; i++)
		if (options->list[i].letter == letter)
			return &options->list[i];
	return NULL;
}

/* Counts a table's options, and adds them where there is a list. */
static size_t flatten(const struct poptOption *table, bool is_common, struct cli_options *options)
{
	size_t count = 0;

	for (const struct poptOption *row = table; row && !is_end(row); row++) {
		if (type_of(row) == POPT_ARG_INCLUDE_TABLE) {
			count += flatten(row->arg, is_common, options);
			continue;
		}
		count++;
		if (!options->list)
			continue;
		options->list[options->count].row = row;
		options->list[options->count].common = is_common;
		if (!find_letter(options, row->shortName))
			options->list[options->count].letter = row->shortName;
		options->count++;
	}
	return count;
}

int cli_options_collect(const struct cli_verb *verb, struct cli_options *options)
{
	const struct poptOption *own = verb ? verb->options : NULL;
	size_t count;

	options->list = NULL;
	options->count = 0;
	count = flatten(own, false, options) + flatten(common, true, options);
	options->list = calloc(count, sizeof(*options->list));
	if (!options->list)
		return -ENOMEM;
	flatten(own, false, options);
	flatten(common, true, options);
	return 0;
}

/* What popt is given: it only says which option came with which text, and stores nothing. */
static int flat_table(struct cli_options *options)
{
	options->flat = calloc(options->count + 1, sizeof(*options->flat));
	if (!options->flat)
		return -ENOMEM;
	for (size_t i = 0; i < options->count; i++) {
		const struct cli_option *option = &options->list[i];
		struct poptOption *row = &options->flat[i];

		row->longName = option->row->longName;
		row->shortName = option->letter;
		row->argInfo = takes_argument(option->row) ? POPT_ARG_STRING : POPT_ARG_NONE;
		row->val = i + 1;
	}
	return 0;
}

/* ---- reading ---- */

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

/* Whether a word in front of the verb is options that are known, and whether the next is their argument. */
static bool is_known_option(const struct cli_options *options, const char *word, bool *takes_next)
{
	*takes_next = false;
	if (word[1] == '-') {
		size_t length = strcspn(word + 2, "=");

		for (size_t i = 0; i < options->count; i++) {
			const struct poptOption *row = options->list[i].row;

			if (strlen(row->longName) != length ||
			    strncmp(row->longName, word + 2, length))
				continue;
			*takes_next = takes_argument(row) && !word[2 + length];
			return true;
		}
		return false;
	}
	for (const char *letter = word + 1; *letter; letter++) {
		const struct cli_option *option = find_letter(options, *letter);

		if (!option)
			return false;
		if (takes_argument(option->row)) {
			*takes_next = !letter[1];
			return true;
		}
	}
	return true;
}

/* The place of the first word that is no option, 0 where none is or an option before it is unknown. */
static int first_operand(const struct cli_options *options, int count, char **words)
{
	for (int i = 1; i < count; i++) {
		bool takes_next;

		if (!is_option(words[i]))
			return i;
		if (!is_known_option(options, words[i], &takes_next))
			return 0;
		i += takes_next;
	}
	return 0;
}

/* Given again an option counts as it was given last, or adds to a list. */
static int store_text(const struct cli_option *option, char *text)
{
	char **place = option->row->arg, *before = option->given ? *place : NULL, *both = NULL;
	int r = 0;

	*place = cli_word_decode(text);
	if (before && option->row->argInfo & POPT_ARGFLAG_OR) {
		r = asprintf(&both, "%s,%s", before, *place) < 0 ? -ENOMEM : 0;
		if (!r) {
			free(*place);
			*place = both;
		}
	}
	free(before);
	return r;
}

static int store(struct cli_option *option, char *text)
{
	const struct poptOption *row = option->row;
	int r = 0;

	if (takes_argument(row))
		r = store_text(option, text);
	else
		*(int *)row->arg = type_of(row) == POPT_ARG_VAL ? row->val : 1;
	option->given = true;
	return r;
}

static int fail_memory(struct cli *cli)
{
	return cli_fail(cli, NULL, ENOMEM, NULL);
}

static int unknown_option(struct cli *cli, const struct cli_options *options, const char *word)
{
	bool is_long = word[1] == '-';
	char name[64], letter[3] = "-";
	struct cli_nearest nearest = { .typed = name };

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 1 + is_long, "="),
		 word + 1 + is_long);
	if (is_long || name[1])
		for (size_t i = 0; i < options->count; i++)
			if (!(options->list[i].row->argInfo & POPT_ARGFLAG_DOC_HIDDEN))
				cli_nearest_offer(&nearest, options->list[i].row->longName);
	if (nearest.best)
		return cli_usage(cli, word, "unknown option, did you mean --%s?", nearest.best);
	if (!cli->verb)
		return cli_usage(cli, word, "unknown option (options of a verb come after it)");
	if (cli->implied && is_long)
		return cli_usage(cli, word, "unknown option of %s, the default verb (options of another "
				 "verb come after it)", cli->verb->name);
	if (word[1] >= '0' && word[1] <= '9')
		return cli_usage(cli, word, "a negative number is not taken here");
	if (!is_long) {
		while (find_letter(options, *++word))
			;
		letter[1] = *word;
		word = letter;
	}
	return cli_usage(cli, word, "unknown option (%s %s --help lists them)", cli->tool->name,
			 cli->verb->name);
}

static const char *argument_name(const struct cli_options *options, const char *word)
{
	for (size_t i = 0; i < options->count; i++) {
		const struct cli_option *option = &options->list[i];
		bool same = word[1] == '-' ? !strcmp(option->row->longName, word + 2) :
					     option->letter == word[1];

		if (same)
			return option->row->argDescrip;
	}
	return NULL;
}

static int bad_option(struct cli *cli, const struct cli_options *options, int error)
{
	const char *word = cli_word_decode((char *)poptBadOption(options->context, POPT_BADOPTION_NOALIAS));
	char letter[3] = "-";

	switch (error) {
	case POPT_ERROR_BADOPT:
		return unknown_option(cli, options, word);
	case POPT_ERROR_NOARG:
		if (word[1] != '-') {
			letter[1] = word[strlen(word) - 1];
			word = letter;
		}
		return cli_usage(cli, word, "its argument %s is missing",
				 argument_name(options, word) ?: "");
	case POPT_ERROR_UNWANTEDARG:
		return cli_usage(cli, word, "this option takes no argument");
	case POPT_ERROR_MALLOC:
		return fail_memory(cli);
	default:
		return cli_usage(cli, word, "%s", poptStrerror(error));
	}
}

/* Of a command line that cannot be read: the format that the caller most likely awaits. */
static void guess_format(char **argv, int count)
{
	for (int i = 1; i < count; i++) {
		const char *word = argv[i];

		if (!strcmp(word, "-q") || !strcmp(word, "--quiet"))
			quiet = 1;
		for (const struct poptOption *row = common; row->arg == &format; row++)
			if (!strncmp(word, "--", 2) && !strcmp(word + 2, row->longName))
				format = row->val;
	}
}

static int format_of_environment(struct cli *cli)
{
	const char *text = getenv("IPCKIT_FORMAT");

	if (!text || !*text)
		return 0;
	for (const struct poptOption *row = common; row->arg == &format; row++) {
		if (!strcmp(text, row->longName)) {
			cli->format = row->val;
			return 0;
		}
	}
	return cli_usage(cli, "IPCKIT_FORMAT", "\"%s\" is none of json, table, plain", text);
}

/* Verbs that act are silent unless a format option was given. */
static int settle_format(struct cli *cli)
{
	unsigned flags = cli->verb ? cli->verb->flags : 0;

	cli->format = quiet ? CLI_FORMAT_NONE : (enum cli_format)format;
	cli->format_given = format;
	if (quiet || format || !(flags & (CLI_ANSWERS | CLI_TEXT)))
		return 0;
	if (cli_is_terminal())
		cli->format = CLI_FORMAT_TABLE;
	else
		cli->format = flags & CLI_TEXT ? CLI_FORMAT_PLAIN : CLI_FORMAT_JSON;
	return format_of_environment(cli);
}

static int parse(struct cli *cli, struct cli_options *options, int count)
{
	const char **words = (const char **)options->words;
	char *nothing[] = { NULL }, **inherited = environ;
	int found, r = 0;

	/* popt looks for POSIXLY_CORRECT; here options may follow operands, always. */
	environ = nothing;
	options->context = poptGetContext(NULL, count, words, options->flat, 0);
	environ = inherited;
	if (!options->context)
		return fail_memory(cli);
	while (!r && (found = poptGetNextOpt(options->context)) > 0)
		r = store(&options->list[found - 1], poptGetOptArg(options->context));
	if (r)
		return fail_memory(cli);
	return found == -1 ? 0 : bad_option(cli, options, found);
}

/* Where a verb takes no COMMAND, `--` only ends the options: how many operands follow it. */
static int take_rest(struct cli *cli, const struct cli_options *options)
{
	if (!(cli->verb->flags & (CLI_COMMAND | CLI_COMMAND_MAY)))
		return options->nrest;
	cli->command = options->rest;
	return 0;
}

static int take_operands(struct cli *cli, struct cli_options *options)
{
	const char **left = poptGetArgs(options->context);
	int nleft = 0, nrest = take_rest(cli, options);

	while (left && left[nleft])
		nleft++;
	options->operands = calloc(nleft + nrest + 1, sizeof(*options->operands));
	if (!options->operands)
		return fail_memory(cli);
	for (int i = 0; i < nleft; i++)
		options->operands[i] = cli_word_decode((char *)left[i]);
	for (int i = 0; i < nrest; i++)
		options->operands[nleft + i] = options->rest[i];
	cli->operands = options->operands;
	cli->noperands = nleft + nrest;
	return 0;
}

static void take_common(struct cli *cli, struct cli_options *options)
{
	cli->pretty = pretty;
	cli->bytes = bytes;
	cli->quiet = quiet;
	cli->verbose = verbose;
	cli->columns = columns;
	options->help = help;
	options->version = version;
	options->list_verbs = list_verbs;
	options->list_options = list_options;
}

/* Cuts argv at the first `--`. */
static int cut(struct cli_options *options, int argc, char **argv)
{
	int count = 1;

	while (count < argc && strcmp(argv[count], "--"))
		count++;
	if (count < argc) {
		options->rest = argv + count + 1;
		options->nrest = argc - count - 1;
	}
	return count < argc ? count : argc;
}

static void imply_verb(struct cli *cli)
{
	cli->verb = cli->tool->fallback;
	cli->implied = true;
}

/* Without a single option neither popt nor memory is needed: the words stay where they are. */
static int read_bare(struct cli *cli, struct cli_options *options, int count, char **argv)
{
	int first = 2, nrest;

	cli->verb = cli_find_verb(cli->tool, argv[1]);
	if (!cli->verb) {
		if (!cli->tool->fallback)
			return cli_unknown_verb(cli, argv[1]);
		imply_verb(cli);
		first = 1;
	}
	nrest = take_rest(cli, options);
	if (nrest)
		memmove(argv + count, options->rest, nrest * sizeof(*argv));
	argv[count + nrest] = NULL;
	cli->operands = argv + first;
	cli->noperands = count + nrest - first;
	return 0;
}

/* Looks for a verb behind the options of `before` and the common ones. */
static int look_for_verb(struct cli *cli, struct cli_options *options, const struct cli_verb *before,
			 int count, char **argv, int *place)
{
	free(options->list);
	if (cli_options_collect(before, options))
		return fail_memory(cli);
	*place = first_operand(options, count, argv);
	cli->verb = *place ? cli_find_verb(cli->tool, argv[*place]) : NULL;
	return 0;
}

static int find_verb(struct cli *cli, struct cli_options *options, int count, char **argv,
		     int *place)
{
	const struct cli_verb *fallback = cli->tool->fallback;
	int status = look_for_verb(cli, options, NULL, count, argv, place);

	if (!status && !cli->verb && fallback)
		status = look_for_verb(cli, options, fallback, count, argv, place);
	if (status)
		return status;
	if (!cli->verb && fallback) {
		imply_verb(cli);
		*place = 0;
		return 0;
	}
	if (!cli->verb)
		return *place ? cli_unknown_verb(cli, argv[*place]) : 0;
	free(options->list);
	return cli_options_collect(cli->verb, options) ? fail_memory(cli) : 0;
}

static int read_options(struct cli *cli, struct cli_options *options, int count, char **argv)
{
	int place = 0, words, status = find_verb(cli, options, count, argv, &place);

	if (status)
		return status;
	words = cli_words_take(cli->verb, options, count, argv, place);
	if (words < 0 || flat_table(options))
		return fail_memory(cli);
	status = parse(cli, options, words);
	if (status)
		return status;
	take_common(cli, options);
	return cli->verb ? take_operands(cli, options) : 0;
}

static int read_words(struct cli *cli, struct cli_options *options, int count, char **argv)
{
	for (int i = 1; i < count; i++)
		if (is_option(argv[i]))
			return read_options(cli, options, count, argv);
	if (count < 2)
		return read_options(cli, options, count, argv);
	return read_bare(cli, options, count, argv);
}

int cli_options_read(struct cli *cli, struct cli_options *options, int argc, char **argv)
{
	int count = cut(options, argc, argv);
	int status = read_words(cli, options, count, argv);

	if (!status)
		return settle_format(cli);
	guess_format(argv, count);
	settle_format(cli);
	return status;
}

void cli_options_free(struct cli_options *options)
{
	poptFreeContext(options->context);
	for (char **word = options->encoded; word && *word; word++)
		free(*word);
	free(options->encoded);
	free(options->words);
	free(options->operands);
	free(options->flat);
	free(options->list);
}
