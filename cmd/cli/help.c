/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define WIDEST 28 /* what is longer has its summary on the next line */

/* One entry of a list: what it is called, and what it does. */
struct entry {
	char *left;
	const char *right;
};

static void print_entries(FILE *stream, const struct entry *entries, size_t count)
{
	int width = 0;

	for (size_t i = 0; i < count; i++) {
		int length = strlen(entries[i].left);

		if (length > width && length <= WIDEST)
			width = length;
	}
	for (size_t i = 0; i < count; i++) {
		bool fits = (int)strlen(entries[i].left) <= width;

		fprintf(stream, " %-*s", fits ? width : 0, entries[i].left);
		if (!fits)
			fprintf(stream, "\n %*s", width, "");
		fprintf(stream, "  %s\n", entries[i].right ?: "");
	}
}

static void free_entries(struct entry *entries, size_t count)
{
	for (size_t i = 0; entries && i < count; i++)
		free(entries[i].left);
	free(entries);
}

static char *option_text(const struct cli_option *option)
{
	const char *argument = option->row->argDescrip;
	bool takes = (option->row->argInfo & POPT_ARG_MASK) == POPT_ARG_STRING;
	char *text, letter[5] = "    ";

	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	if (asprintf(&text, "%s--%s%s%s", letter, option->row->longName, takes ? " " : "",
		     takes ? argument ?: "ARG" : "") < 0)
		return NULL;
	return text;
}

static bool is_hidden(const struct cli_option *option)
{
	return option->row->argInfo & POPT_ARGFLAG_DOC_HIDDEN;
}

static void print_options(FILE *stream, const char *title, const struct cli_options *options,
			  bool common)
{
	struct entry *entries = calloc(options->count, sizeof(*entries));
	size_t count = 0;

	for (size_t i = 0; entries && i < options->count; i++) {
		const struct cli_option *option = &options->list[i];

		if (option->common != common || is_hidden(option))
			continue;
		entries[count].left = option_text(option);
		entries[count].right = option->row->descrip;
		count += entries[count].left != NULL;
	}
	if (count) {
		fprintf(stream, "\n%s:\n", title);
		print_entries(stream, entries, count);
	}
	free_entries(entries, count);
}

static const char *command_operand(const struct cli_verb *verb)
{
	if (verb->flags & CLI_COMMAND)
		return " -- COMMAND...";
	return verb->flags & CLI_COMMAND_MAY ? " [-- COMMAND...]" : "";
}

char *cli_usage_line(const struct cli_tool *tool, const struct cli_verb *verb)
{
	char *text;

	if (asprintf(&text, "%s %s [options]%s%s%s", tool->name, verb->name,
		     *verb->operands ? " " : "", verb->operands, command_operand(verb)) < 0)
		return NULL;
	return text;
}

static char *verb_text(const struct cli_verb *verb)
{
	char *text;

	if (asprintf(&text, "%s%s%s", verb->name, verb->alias ? ", " : "", verb->alias ?: "") < 0)
		return NULL;
	return text;
}

static void print_verbs(FILE *stream, const struct cli_tool *tool)
{
	struct entry *entries;
	size_t count = 0, all = 0;

	while (tool->verbs[all])
		all++;
	entries = calloc(all + 1, sizeof(*entries));
	for (size_t i = 0; entries && i < all; i++) {
		if (tool->verbs[i]->flags & CLI_HIDDEN)
			continue;
		entries[count].left = verb_text(tool->verbs[i]);
		entries[count].right = tool->verbs[i]->summary;
		count += entries[count].left != NULL;
	}
	fputs("\nVerbs:\n", stream);
	print_entries(stream, entries, count);
	free_entries(entries, count);
}

static bool takes_command(const struct cli_tool *tool)
{
	for (size_t i = 0; tool->verbs[i]; i++)
		if (tool->verbs[i]->flags & (CLI_COMMAND | CLI_COMMAND_MAY))
			return true;
	return false;
}

void cli_help_tool(FILE *stream, const struct cli_tool *tool, const struct cli_options *options)
{
	fprintf(stream, "\nUsage:\n %s [common options] %s [options] [operands]%s\n\n%s\n", tool->name,
		tool->fallback ? "[VERB]" : "VERB", takes_command(tool) ? " [-- COMMAND...]" : "",
		tool->summary);
	print_verbs(stream, tool);
	if (tool->fallback)
		fprintf(stream, "\nThe default verb is %s.\n", tool->fallback->name);
	print_options(stream, "Common options", options, true);
	fprintf(stream, "\n%s VERB --help tells more of a verb; for details see %s(1).\n",
		tool->name, tool->name);
}

void cli_help_verb(FILE *stream, const struct cli_tool *tool, const struct cli_verb *verb,
		   const struct cli_options *options)
{
	char *line = cli_usage_line(tool, verb);

	fprintf(stream, "\nUsage:\n %s\n", line ?: verb->name);
	if (verb->alias)
		fprintf(stream, " (%s is short for %s)\n", verb->alias, verb->name);
	fprintf(stream, "\n%s\n", verb->summary);
	print_options(stream, "Options", options, false);
	print_options(stream, "Common options", options, true);
	fprintf(stream, "\nFor details see %s(1).\n", tool->name);
	free(line);
}

/* ---- columns ---- */

static void print_columns(FILE *stream, const struct cli_table *table, unsigned hidden, int indent)
{
	int width = 0;

	for (const struct cli_field *field = table->fields; field->name; field++) {
		int length = field->flags & hidden ? 0 : strlen(field->name);

		width = length > width ? length : width;
	}
	for (const struct cli_field *field = table->fields; field->name; field++) {
		if (field->flags & hidden)
			continue;
		fprintf(stream, "%*s%-*s  %s\n", indent, "", width, field->name,
			field->summary ?: "");
		if (field->type == CLI_ROWS || field->type == CLI_RECORD)
			print_columns(stream, field->rows, 0, indent + 4);
	}
}

void cli_help_columns(FILE *stream, const struct cli_verb *verb)
{
	print_columns(stream, verb->table, verb->flags & CLI_LISTS ? CLI_DETAIL : 0, 0);
}

/* ---- for completions ---- */

void cli_complete_verbs(FILE *stream, const struct cli_tool *tool)
{
	for (size_t i = 0; tool->verbs[i]; i++) {
		const struct cli_verb *verb = tool->verbs[i];
		const char *command = command_operand(verb);

		if (verb->flags & CLI_HIDDEN)
			continue;
		/* No field is empty: shells take several TABs for one. */
		if (!*verb->operands)
			command = *command ? command + 1 : "-";
		fprintf(stream, "%s\t%s\t%s%s\t%s\n", verb->name, verb->alias ?: "-",
			verb->operands, command, verb->summary);
	}
}

void cli_complete_options(FILE *stream, const struct cli_options *options)
{
	for (size_t i = 0; i < options->count; i++) {
		const struct cli_option *option = &options->list[i];
		bool takes = (option->row->argInfo & POPT_ARG_MASK) == POPT_ARG_STRING;
		char letter[3] = "-";

		if (is_hidden(option))
			continue;
		if (option->letter)
			snprintf(letter, sizeof(letter), "-%c", option->letter);
		fprintf(stream, "--%s\t%s\t%s\t%s\n", option->row->longName, letter,
			takes ? option->row->argDescrip ?: "ARG" : "-",
			option->row->descrip ?: "");
	}
}
